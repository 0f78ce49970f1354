"""`eval_model.py compare`: evaluations in one table, and as a picture.

Usage:
    python scripts/eval_model.py compare FILE.jsonl ... [--mixed] [--out FILE.md]

Rates have intervals clustered by prompt, and each evaluation is compared with the first, paired by prompt. Evaluations
by different protocols are refused, unless `--mixed` asks for them with what differs. With `--protocol published`
figures the published ones stand beside them, marked as not measured. `--out FILE.md` writes the table there and the
picture beside it as FILE.svg.

Example:
    python scripts/eval_model.py compare runs/compared/*.jsonl --out runs/compared/page.md
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from evaluating.bars import draw_bars
from evaluating.comparing import Comparison, compare, table
from grpo.errors import BadInput
from sandbox.exit_codes import ExitCode

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Compare the evaluations that the command line names; the exit code."""
    parser = argparse.ArgumentParser(
        prog="eval_model.py compare", description="Compare evaluations with the first of them, paired by prompt."
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.jsonl", help="that eval_model.py wrote")
    parser.add_argument("--mixed", action="store_true", help="also where protocols differ; what differs is said")
    parser.add_argument("--out", type=Path, metavar="FILE.md", help="write the table there, and a picture as FILE.svg")
    options = parser.parse_args(argv)
    if options.out is not None and options.out.suffix != ".md":
        raise BadInput(f"--out {options.out}: give a file that ends in .md")
    comparison = compare(options.files, mixed=options.mixed)
    print(table(comparison), end="")
    if options.out is not None:
        write(comparison, options.out)
        print(f"written to {options.out} and {options.out.with_suffix('.svg')}")
    return ExitCode.DONE


def write(comparison: Comparison, out: Path) -> None:
    """Write the table with the picture above it."""
    title = "Completions that pass, by " + ", ".join(one.label for one in comparison.measured)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.with_suffix(".svg").write_text(draw_bars(comparison, title), encoding="utf-8")
    out.write_text(f"![{title}]({out.stem}.svg)\n\n{table(comparison)}", encoding="utf-8")
