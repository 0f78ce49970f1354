"""The text of a row's tests, rewritten before a program meets it.

names      every name said in full, so that no name of the program stands for one of the standard library
unrolling  loops over literal cases, and functions of the tests, as statements
"""
