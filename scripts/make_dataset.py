"""Make data sets of Rust tasks for training.

Usage:
    python scripts/make_dataset.py translate|write|published|generate|repair|infill|patch|next-edit|suites [--help]

    translate  Python tasks with asserts become Rust tasks with a signature and gold cases, without a model
    write      a large model behind an API writes Rust tasks, code and tests; what passes is kept
    published  the published prompts get the signatures that their tests call, and their programs are tried
    patch      programs with a request or a failing test become tasks that a diff answers
    repair     mistakes are planted in right programs; kept are those of which rustc gives the error that was meant
    generate   the quickstart's prompts and demonstrations, from a seed and tables
    next-edit  programs with gold tests become changes in progress, each of which asks for its next edit
    suites     prompts get test suites of a model before its training, which judge its completions
    infill     parts are cut out of programs with gold tests, as tasks of filling in the middle

Exit codes: 0 done, 1 nothing came of it, 2 bad input, 3 the host failed.

Example:
    python scripts/make_dataset.py translate mbpp.jsonl --out build/mbpp.jsonl
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from dataset import generation, suites, translation
from dataset.infilling import command as infilling
from dataset.next_edits import command as next_edits
from dataset.patching import command as patching
from dataset.published import command as published
from dataset.repairing import command as repairing
from dataset.writing import command as writing
from grpo_rust.cli import ExitCode, command

VERBS = {
    "translate": translation.main,
    "write": writing.main,
    "published": published.main,
    "patch": patching.main,
    "repair": repairing.main,
    "generate": generation.main,
    "next-edit": next_edits.main,
    "infill": infilling.main,
    "suites": suites.main,
}


@command("make_dataset")
def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb that the first word names, with the words after it; the exit code."""
    name, *others = (sys.argv[1:] if argv is None else argv) or [""]
    if name in VERBS:
        return VERBS[name](others)
    print((__doc__ or "").strip(), file=sys.stdout if name in ("-h", "--help") else sys.stderr)
    return ExitCode.DONE if name in ("-h", "--help") else ExitCode.BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
