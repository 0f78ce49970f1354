"""Filling in the middle of a Rust program: what an answer is joined to, and how near it is to what stood there.

Promises linear time on any text, and that a joined program differs from its original inside one function alone. Left
out: what is asked and how answers are read (`rewards.tasks.infill`), making data (scripts/), running programs.

outline     what stands around a span of a program: its tokens, the function that it is in, and all other items
joining     the program with a middle in place, or why the middle is refused
similarity  how near two texts are, by their edit distance
"""
