"""Check the sandbox for minutes or hours: equality with cargo, batches, killed workers and nodes, odd completions.

Usage:
    python scripts/check_sandbox.py equality|fuzz|soak|nodes|completions [--help]

    equality     do all backends say what cargo says, on a corpus and on mutants of it?
    fuzz         does a program's verdict depend on its company in a batch?
    soak         thousands of gradings, some of hostile programs, while workers are killed
    nodes        the same over the nodes of a Ray cluster, which are killed and replaced
    completions  can every completion be read and scored, whatever its text is?

Exit codes: 0 what is checked holds, 1 it does not, 2 bad input, 3 the host failed.

Example:
    python scripts/check_sandbox.py equality --generated 100 --mutants 2
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from grpo_rust.cli import ExitCode, command
from sandbox_checks import completions, equality, fuzz, nodes, soak

CHECKS = {
    "completions": completions.main,
    "equality": equality.main,
    "fuzz": fuzz.main,
    "nodes": nodes.main,
    "soak": soak.main,
}


@command("check_sandbox")
def main(argv: Sequence[str] | None = None) -> int:
    """Run the check that the first word names, with the words after it; the exit code."""
    name, *others = sys.argv[1:] if argv is None else argv or [""]
    if name in CHECKS:
        return CHECKS[name](others)
    print((__doc__ or "").strip(), file=sys.stdout if name in ("-h", "--help") else sys.stderr)
    return ExitCode.DONE if name in ("-h", "--help") else ExitCode.BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
