"""Makes data sets of Rust tasks for training, behind `scripts/make_dataset.py`.

translation    the verb translate: Python tasks become Rust tasks
sources        reads the rows of data sets, for all verbs
selecting      which rows: no contamination, no near-duplicates, a seeded draw; for all verbs
generation     the verb generate: the quickstart's prompts and demonstrations, from a seed
resuming       the journal of the verb translate
published      the verb published: rows of prompt, program and tests become tasks with a signature
patching       the verb patch: requests and failing tests, and the programs that they change
next_edits     the verb next-edit: changes of programs as sequences of edits, and rows that ask for the next one
infilling      the verb infill: parts cut out of programs, as tasks of filling in the middle
repairing      the verb repair: planted mistakes, and failed completions of a run, become programs to repair
translating    one Python task with asserts, as a Rust task with a signature and gold cases
writing        the verb write: a large model writes Rust tasks, code and tests from Python tasks
making         many tasks, counted by reason, and the manifest
compiling      do signatures and calls compile?
verbs          the arguments that all verbs have
rows           the columns of a data set, and writing it
"""
