"""Makes data sets of Rust tasks for training, behind `scripts/make_dataset.py`.

translation    the verb translate: Python tasks become Rust tasks
published      the verb published: rows of prompt, program and tests become tasks with a signature
translating    one Python task with asserts, as a Rust task with a signature and gold cases
making         many tasks, counted by reason, and the manifest
compiling      do signatures and calls compile?
rows           the columns of a data set, and writing it
"""
