"""Rows and texts as they come from outside, made fit to be used and written again.

files        the rows of a file
well_formed  texts without lone surrogates

Left out: the hub, and what rows mean.
"""
