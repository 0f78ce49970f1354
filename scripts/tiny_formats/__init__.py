"""The formats of the four tasks beyond one function, taught to the shipped tiny model: assets/tiny-rust-tasks.

Promises: everything comes from assets/tiny-rust, from the shipped rows for training, and from a seed; no demonstration
has the program of a held-out row; no toolchain is needed. The model is stopped early on purpose, so that GRPO has
something to gain. Left out: making rows that are proven (`dataset`), and GRPO.

    idioms     texts of the formats that are one token each, and the tokens for filling in the middle
    growing    a model and its tokenizer with more tokens
    renaming   rows with other names
    rows       rows of all tasks with right answers
    encoding   rows as tokens, by the code that training asks prompts with, and their batches
    preparing  all of these together
"""
