"""Schedules gradings on worker processes: a pool with futures, its queue, and a cache of verdicts.

A worker that dies is replaced and its program graded again. A failure of the host is never a verdict on a program.
"""
