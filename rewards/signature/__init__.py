"""Signatures: what a prompt says of the function that it asks for, and whether a program has it.

Promises to compare what the text shows, in linear time. Left out: bounds of generic parameters and what only a compiler
knows; where the text leaves it open whether calls fit, they are said to fit, and compiling them decides.

type_terms   types, without what does not change how a function is called
interface    the functions, methods and types that a text has
fitting      whether a program has what a signature says
wording      the words by which a prompt shows a signature
applying     whether a row's gold tests apply to a completion
"""
