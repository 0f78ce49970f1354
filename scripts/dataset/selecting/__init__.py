"""Which rows a data set is made of: none that is close to a benchmark, no near-duplicates, a seeded draw.

options          the arguments of every verb, `select`, and the `Selection` that it gives
contamination    the rows that are close to a task of a benchmark, by rule, with the pairs
references       the tasks of benchmarks as text: what rows are compared with
near_duplicates  the rows that say nearly the same as another, by an exact join
words            texts as words, and as overlapping runs of words
drawing          a draw that depends on the rows and the seed alone

All rules work on the row's text, its function and its content: they mean the same for every verb, and none of them
depends on the order of files or rows.
"""
