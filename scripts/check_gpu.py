"""Check in ten minutes whether a machine does what training on a GPU needs.

Usage:
    python scripts/check_gpu.py [--minutes N] [--only NAME,NAME] [--skip NAME,NAME] [--json FILE] [--device cpu|cuda]
        [--small] [--model DIR] [--list]
    python scripts/check_gpu.py --write-docs FILE.json

Every check has a process of its own and a time limit; a hang or a crash of one does not stop the others. What cannot
run is skipped with its reason: without vLLM, Rust, a network or a GPU the rest still runs. The file is written after
every check. `--small` takes reduced sizes, for a try on a CPU. `--model DIR` samples and trains with real weights
where that says more than random ones. `--write-docs` puts the figures of such a file into docs/h100.md.
Exit codes: 0 nothing failed, 1 a check failed, 2 bad input, 130 interrupted.

Example:
    python scripts/check_gpu.py --json gpu.json
    python scripts/check_gpu.py --small --device cpu --only machine,head
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gpu_checks.catalogue import CHECKS, GpuCheck
from gpu_checks.page import PAGE, write_page
from gpu_checks.record import Record, read_record
from gpu_checks.running import run_check
from gpu_checks.shown import summary, told
from grpo.errors import BadInput
from grpo_rust.cli import ExitCode, command

SHORTEST_S = 5.0  # a check that has less time left is not started


@command("check_gpu")
def main(argv: Sequence[str] | None = None) -> int:
    """Run the checks, print what they found, write the file; the exit code."""
    options = arguments(argv)
    if options.list:
        print("\n".join(check.title for check in CHECKS))
        return ExitCode.DONE
    if options.write_docs:
        write_page(PAGE, read_record(options.write_docs))
        return ExitCode.DONE
    if options.model and not Path(options.model, "config.json").is_file():
        raise BadInput(f"--model {options.model}: no config.json there; give the directory of a checkpoint")
    device = options.device or ("cuda" if Path("/dev/nvidiactl").exists() else "cpu")
    record = Record(options.json, argv=sys.argv if argv is None else argv, device=device, small=options.small)
    failed = run_all(options, record, device)
    return ExitCode.CHECK_FAILED if failed else ExitCode.DONE


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line; `checks` are those that are to run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="of all checks together (default: 10)")
    parser.add_argument("--only", metavar="NAMES", help="some of the checks, separated by commas")
    parser.add_argument("--skip", metavar="NAMES", default="", help="all but these")
    parser.add_argument("--list", action="store_true", help="print every check with its time limit, and stop")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="default: cuda where there is a driver")
    parser.add_argument("--small", action="store_true", help="reduced sizes: a try of the checks, not of the machine")
    parser.add_argument("--model", default="", metavar="DIR", help="a checkpoint, for `decode` and `pretrained`")
    parser.add_argument(
        "--write-docs", type=Path, metavar="FILE", help="put a file's figures into docs/h100.md, and stop"
    )
    options = parser.parse_args(argv)
    known = [check.name for check in CHECKS]
    only, skip = ([name for name in (text or "").split(",") if name] for text in (options.only, options.skip))
    if unknown := [name for name in (*only, *skip) if name not in known]:
        parser.error(f"no such check: {', '.join(unknown)}; there are {', '.join(known)}")
    if options.minutes <= 0:
        parser.error(f"--minutes {options.minutes:g}: give more than 0")
    options.checks = [check for check in CHECKS if check.name in (only or known) and check.name not in skip]
    return options


def run_all(options: argparse.Namespace, record: Record, device: str) -> list[str]:
    """Run the chosen checks, print each result as it comes; the names of those that failed."""
    ends = time.monotonic() + 60 * options.minutes
    results: dict[str, dict[str, Any]] = {}
    for check in options.checks:
        if sys.stdout.isatty():
            print(f"{check.name:12} ...", end="\r", flush=True)
        result = run_in_time(check, ends - time.monotonic(), options, device)
        results[check.name] = result
        record.add(check.name, result)
        print(told(check.name, result), flush=True)
    print(summary(results, record.path))
    return [name for name, result in results.items() if result["status"] not in ("passed", "skipped")]


def run_in_time(check: GpuCheck, left_s: float, options: argparse.Namespace, device: str) -> dict[str, Any]:
    """The result of a check within its limit and the time that is left; skipped where that is too short."""
    if left_s < SHORTEST_S:
        reason = f"no time left of {options.minutes:g} minutes: give more --minutes, or --only {check.name}"
        return {"status": "skipped", "seconds": 0.0, "figures": {}, "reason": reason}
    limit_s = left_s if check.takes_rest else min(check.limit_s, left_s)
    model = str(Path(options.model).resolve()) if options.model else ""  # a check runs in the root of the repository
    result = run_check(check, device=device, small=options.small, model=model, limit_s=limit_s)
    if result["status"] == "hung" and limit_s < check.limit_s:  # it may be sound: it did not get its time
        reason = f"ended after {limit_s:.0f} s: no time left of {options.minutes:g} minutes, give more --minutes"
        return {**result, "status": "skipped", "reason": f"{reason}, or --only {check.name}"}
    return result


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what runs is ended, and its folder removed
    sys.exit(main())
