"""Schedules gradings on worker processes: a pool with futures, its queue, and a cache of verdicts.

A worker that dies or hangs is replaced, and its program is graded again. A failure of the host has an outcome of its
own, HOST_ERROR, so that it is not mistaken for a fault of the program.
"""
