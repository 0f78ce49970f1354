"""Write the report of a run, finished or not: `report.html` in its directory.

Usage:
    python scripts/report.py RUN_DIR

Example:
    python scripts/report.py runs/tiny-20250101-120000

Training writes the same page at its end; this command writes it again, or early. Exit codes: 0 written, 2 no run
directory or nothing readable in it, 3 the page could not be written.
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
    """Write the page and print its path; the exit code."""
    parser = argparse.ArgumentParser(description="Write report.html into a run directory.")
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="the folder that scripts/train.py wrote")
    arguments = parser.parse_args(argv)
    try:
        page = write_report(arguments.run_dir)
    except OSError as error:
        raise HostFailed(f"cannot read the run or write the page: {error}") from error
    print(visible(str(page)))
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
