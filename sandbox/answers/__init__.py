"""Calls a program's functions and reports the values, so that whoever knows the right ones can compare outside.

Promises that nothing of what is expected enters the program's process: not in its source, its executable or its
arguments. A program may write answers itself; a right answer to arguments that it sees for the first time is right
however it was made, and exactly one answer for each call is accepted. Left out: what the values should be.

calls     what is asked: a program, calls, and the definitions of its own types
harness   the Rust code that makes the calls
records   the file of answers, which is hostile text
answers   what came back
alone     one program as a crate of its own
together  several programs as modules of one crate
"""
