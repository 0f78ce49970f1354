"""Follows a run from outside its process.

Promises: nothing here can slow, stop or change a run.

    oxen         commits a run's logs and report to an Oxen repository, now and then
    oxen_commit  one such commit, in a process of its own
"""
