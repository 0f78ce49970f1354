"""The shipped task set and the shipped tiny model: how both are made.

Promises: everything comes from a seed and the tables here (no download); a combination of operation and element type
that an evaluation prompt asks for is never shown to the model in warm start or training; every expected value is
computed from the operation's meaning in Python, not by running Rust. Running Rust is the sandbox's part, and GRPO is
`grpo`'s.

Imports, from the bottom: rust_types <- operation <- catalogue <- programs <- phrasing, mistakes <- tasks <- warmstart;
phrasing <- idioms <- tokenizer. `diagnosis` classifies the mistake that a graded completion shows.
"""
