"""The whole suite is deterministic: property tests draw the same examples on every run, and never fail by the clock."""

from hypothesis import settings

settings.register_profile("deterministic", derandomize=True, deadline=None)
settings.load_profile("deterministic")
