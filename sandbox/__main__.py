"""Grade programs from the command line, or for other machines and processes over HTTP.

Usage:
    python -m sandbox grade FILE_OR_DIR... [--jobs N] [--backend BACKEND] [--isolation KIND] [--json]
    python -m sandbox serve [--host ADDRESS] [--port N] [--token-file FILE] [--jobs N] [--backend BACKEND]

A directory stands for every .rs file below it. `serve` listens on the loopback address; another one needs a token, in a
file or in SANDBOX_TOKEN, and without one it makes a token and prints it. docs/sandbox.md says more. Exit codes: 0 all
graded or all answered, 2 bad input, 3 the host failed, 130 interrupted, 141 the reader of the output stopped early.

Example:
    python -m sandbox grade programs/ --jobs 2 --json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.exit_codes import ExitCode
from sandbox.grading.backends import BACKENDS
from sandbox.isolation.policy import ISOLATIONS
from sandbox.service.service_limits import ServiceLimits
from sandbox.terminal import forget_output, plain
from sandbox.verdict import Outcome, Verdict
from sandbox.workers.pool import SandboxPool


def main(argv: Sequence[str] | None = None) -> int:
    """Grade what the command line names; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Grade Rust programs as cargo does.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    grade = verbs.add_parser("grade", help="build, lint and test each program")
    grade.add_argument("paths", nargs="+", metavar="FILE_OR_DIR", help="a program, or a directory of .rs files")
    service = verbs.add_parser("serve", help="grade programs for other machines and processes over HTTP")
    service.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    service.add_argument("--port", type=int, default=8321, metavar="N", help="the port; 0: any that is free (8321)")
    service.add_argument("--token-file", metavar="FILE", help="holds the token that every request needs")
    for verb in (grade, service):
        verb.add_argument("--jobs", type=int, default=0, metavar="N", help="programs graded at once; 0: one a core")
        verb.add_argument("--backend", choices=BACKENDS, default="batch", help="how: equal verdicts at different costs")
        verb.add_argument("--isolation", choices=ISOLATIONS, default="auto", help="what keeps programs from your files")
    ServiceLimits.add_flags(service)
    grade.add_argument("--json", action="store_true", help="one JSON object a line instead of a table")
    arguments = parser.parse_args(argv)
    if arguments.jobs < 0:
        parser.error(f"--jobs is {arguments.jobs}; give 0 for one a core, or a positive number")
    if arguments.verb == "serve":
        if not 0 <= arguments.port <= 65_535:
            parser.error(f"--port is {arguments.port}; give 0 for any that is free, or a number up to 65535")
        return _serve(arguments)
    try:
        files = _programs(arguments.paths)
        sources = [file.read_bytes().decode("utf-8", "surrogateescape") for file in files]
    except OSError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return ExitCode.BAD_INPUT
    try:
        with SandboxPool(arguments.jobs, backend=arguments.backend, isolation=arguments.isolation) as pool:
            return _grade(pool, files, sources, as_json=arguments.json)
    except SandboxError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return ExitCode.HOST_FAILED
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        forget_output()
        return ExitCode.NOT_READ


def _serve(arguments: argparse.Namespace) -> int:
    """Serve until a signal comes."""
    from sandbox.service.command import serve  # here: `grade` needs no event loop

    try:
        return serve(arguments)
    except (OSError, ValueError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return ExitCode.BAD_INPUT
    except SandboxError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return ExitCode.HOST_FAILED
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def _programs(paths: Sequence[str]) -> list[Path]:
    """The files that the paths stand for. Raises: OSError for one that is not there or cannot be read."""
    files: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            found = sorted(file for file in path.rglob("*.rs") if file.is_file())
            if not found:
                raise FileNotFoundError(f"{path} holds no .rs file")
            files += found
        elif path.exists():
            files.append(path)
        else:
            raise FileNotFoundError(f"no file or directory {path}")
    return files


def _grade(pool: SandboxPool, files: Sequence[Path], sources: Sequence[str], *, as_json: bool) -> int:
    """Grade files and print one line each, in their order."""
    width = max(len(plain(str(file))) for file in files)
    host_failed = False
    futures = [pool.submit(source) for source in sources]
    for file, future in zip(files, futures, strict=True):
        verdict = future.result()
        host_failed |= verdict.outcome is Outcome.HOST_ERROR
        print(_json_line(file, verdict) if as_json else _line(file, verdict, width), flush=True)
    return ExitCode.HOST_FAILED if host_failed else ExitCode.DONE


def _json_line(file: Path, verdict: Verdict) -> str:
    """One verdict for a program to read."""
    names = ("outcome", "build", "clippy", "test", "genuine", "passed", "failed", "ignored", "warnings")
    record = {"file": str(file), **{name: getattr(verdict, name) for name in names}}
    return json.dumps({**record, "ms": round(sum(verdict.ms.values()))})


def _line(file: Path, verdict: Verdict, width: int) -> str:
    """One verdict for a person to read."""
    marks = "  ".join(
        f"{phase} {'✓' if ok else '✗'}"
        for phase, ok in (("build", verdict.build), ("clippy", verdict.clippy), ("test", verdict.test))
    )
    counts = f"{verdict.passed} passed, {verdict.failed} failed, {verdict.ignored} ignored"
    error = next((d for d in verdict.diagnostics if d.level == "error"), None)
    where = f"line {error.line}: " if error and error.line else ""
    why = plain(verdict.reason or (where + error.message if error else "")).replace("\n", " ")
    return f"{plain(str(file)):{width}}  {verdict.outcome:16}  {marks}  {counts}" + (f"  ({why})" if why else "")


if __name__ == "__main__":
    sys.exit(main())
