"""Evaluations that can be compared: any model on the same prompts, by a protocol that is written down with the figures.

arguments     the command line of an evaluation
models        what a word for a model names
protocol      the settings that figures depend on; the published ones
agreement     what differs between two evaluations
prompts       the recipe's held-out prompts, or a benchmark's
benchmarks/   public benchmarks
local         samples with an engine of this project
remote/       asks an OpenAI-compatible API
files         an evaluation on disk: completions as jsonl and parquet, and a record of how they came about
references    published figures, which nobody measured here
intervals     rates with intervals, at 0 % and 100 % too
comparing     several evaluations in one table, paired by prompt
bars          the same as a picture
side_by_side  the command `compare`

Left out: the metrics and their intervals (`grpo.evaluate`), and what a completion is worth (`rewards`).
"""
