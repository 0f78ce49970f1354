"""The published data set as tasks: rows of a prompt, a program and its tests get the signature that the tests call.

command      the verb published of make_dataset.py
row_reading  which rows a task can be made of
extracting   from a row to what its tests call, or the reason why that cannot be said
program      the items of a program, by name
printing     signatures and types as a prompt shows them
checking     does the row's own program pass its own tests here?
record       counts by reason, and the manifest
"""
