"""What is computed outside the program, as Rust computes it.

arithmetic    integers of a width and floats: arithmetic that overflows, casts that wrap
comparing  which values can be compared at all, and in which order they are
texts      what `{:?}` writes, for the messages of panics
nodes      expressions as nodes
own        operators and methods of the program's own types, which only the program can compute
"""
