"""Runs the test modules of some programs on the code of others.

Promises that a cell, one test module on one code, has the result that cargo gives for the two as one program. Codes and
test modules that can share a crate are compiled together, by one call, and the test modules of a code run in one
process; what does not compile or does not end falls out alone. Left out: which tests fit which code, and renaming.

crossing   what is asked, and what came back
portable   which codes and test modules can share a crate
crate      the crate: compiling it, and what its errors say of single cells
cross      from a crossing to its cells
"""
