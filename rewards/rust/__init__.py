"""Reads Rust without running it: the code block of a completion, its functions, its tests and their asserts.

Promises a result for any text in linear time. Imports tree-sitter alone. Left out: what the facts mean for a reward,
which `rewards.strictness` decides.

parse     the code block of a completion; a program's functions, tests and asserts
program   the records that `parse` returns
asserts   the asserts among tokens
tokens    the tokens below a node of the syntax tree
kept      the functions that a changed program still has
"""
