"""Runs one command of a guest so that it reaches nothing of the host and leaves nothing behind.

A launcher written in Rust gives up every right before it becomes the command. `policy` says which rights a command
keeps, `probe` finds the strongest protection that this host has, and `process` limits time, disk and output.
"""
