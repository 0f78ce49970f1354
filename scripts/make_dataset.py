"""Make data sets of Rust tasks for training.

Usage:
    python scripts/make_dataset.py translate|published [--help]

    translate  Python tasks with asserts become Rust tasks with a signature and gold cases, without a model
    published  the published prompts get the signatures that their tests call, and their programs are tried

Exit codes: 0 done, 1 nothing came of it, 2 bad input, 3 the host failed.

Example:
    python scripts/make_dataset.py translate mbpp.jsonl --out build/mbpp.jsonl
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from dataset import translation
from dataset.published import verb as publication
from grpo_rust.cli import ExitCode, command

VERBS = {"translate": translation.main, "published": publication.main}


@command("make_dataset")
def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb that the first word names, with the words after it; the exit code."""
    name, *others = sys.argv[1:] if argv is None else argv or [""]
    if name in VERBS:
        return VERBS[name](others)
    print((__doc__ or "").strip(), file=sys.stdout if name in ("-h", "--help") else sys.stderr)
    return ExitCode.DONE if name in ("-h", "--help") else ExitCode.BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
