"""Changes of programs as sequences of edits, and rows that ask for the next one.

Promises the same rows for the same sources and seed, and that each is proven: the finished program passes its gold
tests, and fails them wherever a part of what is still to be edited is left undone. Left out: grading answers
(`rewards.tasks.next_edit`).

command    the verb next-edit of make_dataset.py
change     a change as edits in their order, and the file between them
rust       a program's syntax, and replacements in it as edits of lines
gold       gold tests of a row, changed as the program is
kinds      every kind of change, by name
rename     a parameter and all its uses get another name
retype     a number type becomes another one throughout
field      a struct gets a field, and whatever makes or takes it apart follows
variant    an enum gets a variant, and its matches an arm
programs   programs of the makers' own with gold tests, where others have no structs, loops or matches
fields     structs among them
enums      enums among them
rows       from a change to its rows
proving    whether a row is right, in the sandbox
"""
