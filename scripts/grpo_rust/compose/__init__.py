"""Builds the objects of a run from a recipe, one file per subject; nothing here decides what a recipe does not.

prompts         examples to train and to evaluate on
sources         several sources of prompts in one run
policy          the model to train, and the reference of its KL
updater         what is minimised, and the optimizer
engine          what samples, and how it gets new weights
graders         what scores completions
evaluation      when the policy is evaluated, and how
demonstrations  what supervised fine-tuning imitates
trainer         the trainer of GRPO
supervised      the trainer of supervised fine-tuning
"""
