"""What `check_gpu.py` runs: checks of a machine with a GPU, each in a process of its own with its own time limit.

catalogue   every check with its meaning and its limit      checks    the checks themselves, one file each
outcome     what a check is given, and how it ends          measuring seconds, memory, synchronisations, kernels
running     a fresh Python for a check                      models    policies with random weights of a real shape
record      the JSON file, written after every check        page      the tables of docs/h100.md

A check is a function from `CheckSettings` to a dict of figures whose names end in their unit. Promised: neither a crash
nor a hang of one check stops the others, and what was measured until then is kept. Nothing here loads tree-sitter, so
that a machine that only has torch, transformers and peft can be checked; the check of a recipe is skipped there.
"""
