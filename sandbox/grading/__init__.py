"""From a program to its verdict: build, clippy and tests, by one of three backends that give equal verdicts.

`cargo` calls cargo. `direct` calls cargo's compilers. `batch` calls the compilers once for several programs. Every
backend starts its processes through `sandbox.isolation`, and in no other way.
"""
