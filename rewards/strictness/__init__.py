"""Decides whether a pass is strict: whether the tests that passed could have failed.

instrument  makes an experiment of a program: a switch before every change, a record in place of every assert
submit      grades a program and runs its experiment where its tests passed
judge       whether a pass is strict, and why not, by the verdict and its evidence
"""
