"""Decides whether a pass is strict: whether the tests that passed could have failed.

Promises a judgement with its reason for any text. Reads source and verdicts. Left out: running programs.

judge      whether a pass is strict, and why not; which asserts count
tautology  asserts that hold by their form alone
mutation   copies of a program whose functions return constants, on which good tests fail
"""
