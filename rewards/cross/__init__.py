"""Runs every code of a group on every test suite of the group.

The completions of one group answer the same prompt; each is divided into its code and its test suite. Promises that a
suite is given only a code in which it means what it means in its own, and that nothing is said where that is open. Left
out: running programs (`sandbox.crossing`), and what a pass is worth (`rewards.matrix`).

parts             a program as code and test suite
aligning          a suite as another code can be tested with it
meaning           whether another code gives the words of a suite another meaning
members           who takes part
plan              which suites run on which codes, and the matrix that this gives
submit            the crossings of groups in the sandbox, while they are sampled
result            how a group is crossed, and what that gave
tester_prompt     how an answer with tests alone begins
calibrate_file    the same from graded completions on disk
"""
