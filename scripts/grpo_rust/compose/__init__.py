"""Builds the objects of a run from a recipe, one file per subject; nothing here decides what a recipe does not.

prompts   examples to train and to evaluate on
policy    the model to train, and the reference of its KL
updater   what is minimised, and the optimizer
engine    what samples, and how it gets new weights
trainer   graders, evaluation and the trainer itself
"""
