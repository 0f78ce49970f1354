"""Evaluating a model behind an API: its answers are text, which is graded as it is.

request     the fields of a request that the recipe's settings make
journal     the journal of an evaluation
grading     answers as graded groups
evaluation  all of it

Left out: the requests themselves (`remote_api`).
"""
