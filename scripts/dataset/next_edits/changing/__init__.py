"""Changes of programs as sequences of edits: one file for each kind, which knows Rust's syntax and runs nothing.

change   a change as edits in their order, and the file between them
rust     a program's syntax, and replacements in it as edits of lines
gold     gold tests of a row, changed as the program is
rename   a parameter and all its uses get another name
retype   a number type becomes another one throughout
field    a struct gets a field, and whatever makes or takes apart such a struct follows
variant  an enum gets a variant, and its matches an arm
"""
