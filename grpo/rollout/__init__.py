"""Prompts in, graded groups of completions out, some batches ahead of the trainer where that is asked for.

Batch k is a function of the recipe: of its seed, its prompts and the weights after step k - 1 - ahead.
"""
