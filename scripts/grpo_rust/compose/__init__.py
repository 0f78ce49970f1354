"""Builds the objects of a run from a recipe, one file per subject; nothing here decides what a recipe does not.

prompts         examples to train and to evaluate on
signatures      prompts with or without the signature of their row
sources         several sources of prompts in one run
evaluation_only data that must not be trained on
policy          the model to train, and the reference of its KL
updater         what is minimised, and the optimizer
engine          what samples, and how it gets new weights
graders         what scores completions
evaluation      when the policy is evaluated, and how
turns           conversations of several turns
watching        what watches a run, and what rehearses it
demonstrations  what supervised fine-tuning imitates
trainer         the trainer of GRPO
supervised      the trainer of supervised fine-tuning
"""
