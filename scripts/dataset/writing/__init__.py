"""Rust prompts, code and tests written by a large model from Python prompts, as the published data set was made.

command         the verb write
source_prompts  rows of Python data sets as prompts
passes          what the model is asked in each of the three passes; the texts are in instructions/
answer_reading  code and asserts in what it answers
drafts          a row before it is one: written, graded or dropped
drafting        the passes for one prompt, one after the other
grading         do code and tests pass here?
running         many prompts: drafts are graded while further answers arrive
splits          train, eval and test, by a hash of the name
record          the manifest
card            the data set card

Left out: the requests (`remote_api`), and which prompts are worth asking about.
"""
