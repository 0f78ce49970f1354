"""The three ways to grade a program. They give equal verdicts at different costs.

cargo   calls cargo, one program at a time.
direct  calls cargo's compilers, one program at a time.
batch   calls the compilers once for several programs that can be compiled together; grades the others as `direct` does.
"""

from __future__ import annotations

__all__ = ["BACKENDS", "BATCH_SIZE"]

BACKENDS = ("cargo", "direct", "batch")
BATCH_SIZE = 16  # programs at most
