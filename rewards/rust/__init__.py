"""Reads Rust without running it: the code block of a completion, its functions, its tests and their asserts.

Promises a result for any text in linear time. Imports tree-sitter alone. Left out: what the facts mean for a reward,
which `rewards.strictness` decides.

parse          the code block of a completion; a program's functions, constants, tests and helpers
function_body  one function: its asserts, which are reachable, which names values are made of
program        the records that `parse` returns
constants      conditions and loops whose outcome is decided by their form
tokens         the tokens below a node of the syntax tree
"""
