"""Edits that a model writes down, applied to a text: unified diffs and search/replace blocks.

Promises a result for any text, in linear time, and never part of an edit: a text is changed by all hunks or by none.
What is applied is a part of what `git apply` applies, with the same text as the result; tests/rewards/test_git_apply.py
lists what git takes beyond it. Nothing is guessed: no white space is passed over, no context is dropped. Left out:
where the edits stand in an answer, and what they are worth (`rewards.tasks.patch`).

edited          what came of edits
unified_diff    reads a diff of one file
hunks           applies its hunks
search_replace  reads and applies search/replace blocks
writing         writes both from a text and the text that it should become
comparing       how far apart two programs are
"""
