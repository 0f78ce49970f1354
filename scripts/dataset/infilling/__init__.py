"""Tasks of filling in the middle, out of programs with gold tests: a part of a function is cut out.

command   the verb infill of make_dataset.py
spans     what can be cut out of a program: expressions, statements, runs of them, bodies, lines, anything
proving   only rows that ask for something: the program passes its gold tests, and fails them with an empty middle
"""
