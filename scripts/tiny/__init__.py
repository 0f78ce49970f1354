"""The shipped task set and the shipped tiny model: how both are made.

Promises: everything comes from a seed and the tables here (no download), a combination of operation and element type
that an evaluation prompt asks for is never shown to the model in warm start or training, and every expected value is
computed from the operation's meaning, not from Rust. Leaves out: running Rust (the sandbox does) and GRPO.

elements -> shapes -> operation, scalars, sequences, wrapped -> operations -> programs -> phrasing, mistakes -> tasks
-> tokenizer -> warmstart; diagnosis tells a graded mistake
"""
