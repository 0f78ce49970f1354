"""Makes tasks of changing a program, behind the verb `patch` of `scripts/make_dataset.py`.

Promises that every row is proven in the sandbox: the right program passes all gold tests, and the given one those that
are to be kept and none of the others. Left out: the prompt, how answers are read, and what they are worth
(`rewards.tasks.patch`).

command        the verb
drafts         a program, what it may be changed from, and tests: not yet proven
row_drafts     drafts from rows with gold tests: a mistake is planted
family_drafts  drafts of the quickstart's family: mistakes, changes of what a function returns, further functions
row_asserts    the gold tests of a row as single asserts
mutants        small mistakes in a program
proving        runs drafts, and makes rows of those that hold
failing_test   a test that a program fails, as a terminal shows it
"""
