"""Edits of whole lines: reading one out of an answer, refusing what is no edit, and the program that comes of it.

Promises linear time and no exception for any answer, and that an edit which is taken can be applied. Left out: diffs,
prompts, and running programs.

edit      one edit, and applying several that do not touch
reading   from an answer to its edit, or why there is none
judging   whether an edit is one, and the program that is judged
"""
