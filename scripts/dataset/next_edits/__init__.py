"""Changes of programs as sequences of edits, and rows that ask for the next one.

Promises the same rows for the same sources and seed, and that each is proven: the finished program passes its gold
tests, and fails them wherever a part of what is still to be edited is left undone. Left out: grading answers
(`rewards.tasks.next_edit`).

command       the verb next-edit of make_dataset.py
kinds         every kind of change by name: changing/ has them, own_programs/ the programs that are made for them
drawing       which programs are changed, and on which side of the split they are
rows          from a change to its rows
proving       whether a row is right, in the sandbox
"""
