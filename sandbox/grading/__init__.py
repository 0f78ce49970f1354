"""From a program to its verdict: build, clippy and tests, by one of three backends that give equal verdicts.

cargo asks cargo itself. direct calls cargo's compilers. batch calls them once for several programs. Every backend runs
its commands through `sandbox.isolation`; none of them starts a process in another way.
"""
