"""Programs of the makers' own with gold tests, drawn from a generator: small, and right by the meaning of their parts.

The shipped family of tasks has no match, few structs that are made or taken apart, and few names that are used on
several lines.

program  a program with its gold tests
loops    functions over numbers: names and types that are used on many lines
structs  a struct of two fields
enums    an enum and matches on it
"""
