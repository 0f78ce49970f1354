"""Score answers from the command line, every score with its reason.

Usage:
    python -m rewards grade ANSWER... [--jobs N] [--isolation KIND] [--mutation] [--json]

An ANSWER is a file that holds a model's whole answer, text and fences; `-` is standard input. Bytes that are no UTF-8
are read as the replacement character, as a tokenizer decodes them. Gold tests belong to a data set, so `gold` does
not apply here. Exit codes: 0 all scored, 2 bad input, 3 the host failed, 130 interrupted, 141 nobody read the output
to its end.

Example:
    python -m rewards grade answer.md
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rewards.completion import GradedCompletion, Score
from rewards.rubric import Rubric
from rewards.rust.parse import extract_code
from rewards.strictness.mutation import grade_mutants
from rewards.trl_functions import PUBLISHED_WEIGHTS, SCORERS
from sandbox import ISOLATIONS, SandboxError, SandboxPool
from sandbox.terminal import forget_output, plain

SCORED, BAD_INPUT, HOST_FAILED, INTERRUPTED, NOT_READ = 0, 2, 3, 130, 141
RUBRIC = Rubric({name: PUBLISHED_WEIGHTS.get(name, 0.0) for name in SCORERS})
NAME_WIDTH = max(map(len, SCORERS))


def main(argv: Sequence[str] | None = None) -> int:
    """Score what the command line names; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m rewards", description="Score answers as the published recipe does."
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    grade = verbs.add_parser("grade", help="every reward of each answer, with its weight and its reason")
    grade.add_argument("answers", nargs="+", metavar="ANSWER", help="a file with a whole answer; - for standard input")
    grade.add_argument("--jobs", type=int, default=0, metavar="N", help="programs graded at once; 0: one a core")
    grade.add_argument("--isolation", choices=ISOLATIONS, default="auto", help="what keeps programs from your files")
    grade.add_argument("--mutation", action="store_true", help="run passing tests again on mutants: they must fail")
    grade.add_argument("--json", action="store_true", help="one JSON object a line instead of tables")
    arguments = parser.parse_args(argv)
    if arguments.jobs < 0:
        parser.error(f"--jobs is {arguments.jobs}; give 0 for one a core, or a positive number")
    try:
        texts = [_read(name) for name in arguments.answers]
    except OSError as error:
        print(f"rewards: {plain(str(error))}", file=sys.stderr)
        return BAD_INPUT
    try:
        with SandboxPool(arguments.jobs, isolation=arguments.isolation) as pool:
            return _grade(pool, arguments.answers, texts, mutation=arguments.mutation, as_json=arguments.json)
    except SandboxError as error:
        print(f"rewards: {plain(str(error))}", file=sys.stderr)
        return HOST_FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        forget_output()
        return NOT_READ


def _read(name: str) -> str:
    """The text of an answer."""
    content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    return content.decode("utf-8", "replace")


def _grade(pool: SandboxPool, names: Sequence[str], texts: Sequence[str], *, mutation: bool, as_json: bool) -> int:
    """Score the answers and print them, in their order."""
    host_failed = False
    codes = [extract_code(text) for text in texts]
    verdicts = [None if code is None else pool.submit(code) for code in codes]
    for name, text, verdict in zip(names, texts, verdicts, strict=True):
        answer = GradedCompletion(text, None if verdict is None else verdict.result())
        if mutation and answer.code is not None and answer.judgement.strict:
            mutants = grade_mutants({name: answer.code}, pool, lambda _, future: future.result())
            answer = replace(answer, mutants=mutants[name])
        host_failed |= answer.ungraded
        scores = RUBRIC.score(answer)
        print(_json_line(name, scores) if as_json else _table(name, scores), flush=True)
    return HOST_FAILED if host_failed else SCORED


def _total(scores: Mapping[str, Score]) -> float | None:
    """The weighted sum over scores that are not None; None when a reward that pays could not be told."""
    if any(score.value is None and RUBRIC.weights[name] for name, score in scores.items()):
        return None
    return sum(RUBRIC.weights[name] * (score.value or 0.0) for name, score in scores.items())


def _json_line(name: str, scores: Mapping[str, Score]) -> str:
    """The scores of one answer for a program to read."""
    rewards: dict[str, dict[str, Any]] = {
        reward: {"score": score.value, "weight": RUBRIC.weights[reward], "reason": score.reason}
        for reward, score in scores.items()
    }
    return json.dumps({"file": name, "total": _total(scores), "rewards": rewards})


def _table(name: str, scores: Mapping[str, Score]) -> str:
    """The scores of one answer for a person to read."""
    lines = [plain(name).replace("\n", " "), f"  {'reward':{NAME_WIDTH}}  score  weight  reason"]
    for reward, score in scores.items():
        reason = plain(score.reason).replace("\n", " ")
        lines.append(f"  {reward:{NAME_WIDTH}}  {_number(score.value)}  {RUBRIC.weights[reward]:6.2f}  {reason}")
    total, most = _total(scores), sum(RUBRIC.weights.values())
    return "\n".join([*lines, f"  {'total':{NAME_WIDTH}}  {_number(total)}  of {most:.2f}"])


def _number(value: float | None) -> str:
    """A score in five columns; a dash for one that does not apply."""
    return "    -" if value is None else f"{value:5.2f}"


if __name__ == "__main__":
    sys.exit(main())
