"""Runs one command of a guest so that it reaches nothing of the host and leaves nothing behind.

A launcher written in Rust gives up every right before it becomes the command; `policy` says which rights there are,
`process` runs it under limits of time, disk and output.
"""
