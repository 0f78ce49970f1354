"""Runs copies of a program in which one place at a time is changed, and reports what its asserts then say.

All copies are one binary: every change stands behind a switch that an environment variable turns on, so that two runs
differ in nothing but that switch. What is reported is evidence, whatever the program does: a program that recognises
the changed binary does so in the run without a change, too. Left out: where to change a program
(`rewards.strictness.instrument`), and what the evidence means (`rewards.strictness.judge`).

experiment   the records: a program with switches, and what its runs reported
crate        compiles programs with switches as modules of one crate
examine      runs them
"""
