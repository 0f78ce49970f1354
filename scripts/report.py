"""Write the report of a run, finished or not: `report.html` in its directory.

Usage:
    python scripts/report.py RUN_DIR [--published-format [--out DIR]]

Examples:
    python scripts/report.py runs/tiny-20250101-120000
    python scripts/report.py --published-format runs/tiny-20250101-120000

Training writes the same page at its end; this command writes it again, or early. With --published-format it writes, in
place of the page, the scores of each reward function with their completions in the shape of the published experiment's
log: RUN_DIR/published/FUNCTION.jsonl. Exit codes: 0 written, 2 no run directory or nothing readable in it, 3 the page
or the log could not be written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from grpo.errors import HostFailed
from grpo_rust.cli import ExitCode, command
from grpo_rust.report.page import write_report
from grpo_rust.report.visible import visible


@command("report")
def main(argv: Sequence[str] | None = None) -> int:
    """Write the page or the log and print its path; the exit code."""
    parser = argparse.ArgumentParser(description="Write report.html into a run directory, or its published log.")
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="the folder that scripts/train.py wrote")
    parser.add_argument(
        "--published-format", action="store_true", help="write the log of the published experiment in place of the page"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="where that log is written; RUN_DIR/published if not")
    arguments = parser.parse_args(argv)
    if arguments.out is not None and not arguments.published_format:
        parser.error("--out goes with --published-format")
    try:
        if arguments.published_format:
            _expand(arguments.run_dir, arguments.out or arguments.run_dir / "published")
        else:
            print(visible(str(write_report(arguments.run_dir))))
    except OSError as error:
        raise HostFailed(f"cannot read the run or write the page: {error}") from error
    return ExitCode.DONE


def _expand(run_dir: Path, folder: Path) -> None:
    """Write the published log and print its files, and what of the run is missing in them."""
    from grpo_rust.report.published import write_published  # here, because it loads the parser of Rust

    found = write_published(run_dir, folder)
    for path, count in found.lines.items():
        print(f"{visible(str(path))}: {count:,} lines")
    if found.without_completion:
        print(f"{found.without_completion:,} scores are left out: their completions are not in completions.jsonl")
    for name, count in sorted(found.unreadable.items()):
        print(f"{count:,} lines of {visible(name)} are torn or no records")


if __name__ == "__main__":
    sys.exit(main())
