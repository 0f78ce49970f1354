"""Prompts in, graded groups of completions out, some batches ahead of the trainer where that is asked for."""
