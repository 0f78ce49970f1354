"""Score completions from the command line, every score with its reason; fit `cross_calibrated` to graded ones.

Usage:
    python -m rewards grade FILE_OR_DIR... [--jobs N] [--isolation KIND] [--no-mutation] [--json]
    python -m rewards calibrate COMPLETIONS.jsonl [--jobs N] [--isolation KIND]

A file holds a model's whole completion, text and fences; `-` is standard input, and a directory stands for every .md
file below it. Bytes that are not valid UTF-8 become the replacement character, as in a tokenizer. Gold tests belong to
a data set, so `gold` does not apply here. `calibrate` reads the completions of a run or an evaluation with gold tests,
runs the codes of each prompt on each other's tests, and prints the settings of a recipe, and how well each reward tells
right codes from wrong ones. Where SANDBOX_URL and SANDBOX_TOKEN name a server (`python -m sandbox serve`), that runs
the programs, and `--jobs` and `--isolation` are its own. Exit codes: 0 all scored, 2 bad input, 3 the host failed, 130
interrupted, 141 the reader of the output went away.

Example:
    python -m rewards grade completion.md completions/
    python -m rewards calibrate runs/eval/completions.jsonl
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rewards.builtin import PUBLISHED_WEIGHTS
from rewards.completion import GradedCompletion, Score
from rewards.cross.calibrate_file import calibrate_file, settings_of
from rewards.registry import REWARDS
from rewards.rubric import Rubric
from rewards.rust.parse import extract_code
from rewards.score_table import score_table, total_score
from rewards.strictness.submit import Submission
from rewards.tasks.function import FUNCTION
from sandbox.errors import SandboxError
from sandbox.exit_codes import ExitCode
from sandbox.isolation.policy import ISOLATIONS
from sandbox.service.choose import named_pool
from sandbox.service.grading_pool import GradingPool
from sandbox.terminal import counted, forget_output, plain
from sandbox.workers.pool import SandboxPool


def main(argv: Sequence[str] | None = None) -> int:
    """Score the completions that the command line names; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m rewards", description="Score completions as the published recipe does."
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    grade = verbs.add_parser("grade", help="every reward of each completion, with its weight and its reason")
    grade.add_argument(
        "completions",
        nargs="+",
        metavar="FILE_OR_DIR",
        help="a file with a model's whole completion, or a directory of .md files; - for standard input",
    )
    fit = verbs.add_parser("calibrate", help="the settings of cross_calibrated that fit completions with gold tests")
    fit.add_argument("completions", type=Path, metavar="COMPLETIONS.jsonl", help="of a run or an evaluation")
    for verb in (grade, fit):
        verb.add_argument("--jobs", type=int, default=0, metavar="N", help="programs graded at once; 0: one a core")
        verb.add_argument("--isolation", choices=ISOLATIONS, default="auto", help="what keeps programs from your files")
    grade.add_argument(
        "--mutation",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="examine whether passing tests notice changes of the code (default: yes)",
    )
    grade.add_argument("--json", action="store_true", help="one JSON object a line instead of tables")
    arguments = parser.parse_args(argv)
    if arguments.jobs < 0:
        parser.error(f"--jobs is {arguments.jobs}; give 0 for one a core, or a positive number")
    if arguments.verb == "calibrate":
        return _guarded(arguments, lambda pool: _calibrate(pool, arguments.completions))
    try:
        names = [name for given in arguments.completions for name in _completions(given)]
        texts = [_read(name) for name in names]
    except OSError as error:
        print(f"rewards: {plain(str(error))}", file=sys.stderr)
        return ExitCode.BAD_INPUT
    return _guarded(
        arguments, lambda pool: _grade(pool, names, texts, mutation=arguments.mutation, as_json=arguments.json)
    )


def _guarded(arguments: argparse.Namespace, work: Callable[[GradingPool], int]) -> int:
    """Work with a pool; the exit code."""
    try:
        with named_pool() or SandboxPool(arguments.jobs, isolation=arguments.isolation) as pool:
            return work(pool)
    except SandboxError as error:
        print(f"rewards: {plain(str(error))}", file=sys.stderr)
        return ExitCode.HOST_FAILED
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        forget_output()
        return ExitCode.NOT_READ


def _calibrate(pool: GradingPool, path: Path) -> int:
    """Fit the calibration to a file and print it."""
    try:
        found = calibrate_file(path, pool)
    except (OSError, ValueError) as error:
        print(f"rewards: {plain(str(error))}", file=sys.stderr)
        return ExitCode.BAD_INPUT
    codes = f"{counted(found.right, 'right code')} and {counted(found.wrong, 'wrong code')}"
    print(f"# fitted to {counted(found.groups, 'group')} of {plain(str(path))}, {codes} that some suite was run on")
    print("# of a right and a wrong code of one group, how often the right one scores higher (a tie is half):")
    for name, value in found.separations.items():
        print(f"#   {name:18} {value:.2f}")
    print(settings_of(found.calibration))
    for word, count, names in (
        ("right", found.right, "right_passes_wrong stays at its default"),
        ("wrong", found.wrong, "wrong_passes_right and wrong_passes_wrong stay at their defaults"),
    ):
        if not count:
            said = f"no suite was run on a code known to be {word}, so {names}"
            said += ": give completions to more prompts with gold tests"
            print(f"rewards: {said}", file=sys.stderr)
    return ExitCode.DONE


def _completions(given: str) -> list[str]:
    """The files that an argument stands for. Raises: OSError for a directory without completions."""
    if given == "-" or not Path(given).is_dir():
        return [given]
    found = sorted(file for file in Path(given).rglob("*.md") if file.is_file())
    if not found:
        raise FileNotFoundError(f"{given} holds no .md file; name completions in other files one by one")
    return list(map(str, found))


def _read(name: str) -> str:
    """The text of a completion."""
    content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    return content.decode("utf-8", "replace")


def _grade(pool: GradingPool, names: Sequence[str], texts: Sequence[str], *, mutation: bool, as_json: bool) -> int:
    """Score the completions by every built-in reward of functions and print the scores, in their order."""
    rubric = Rubric({name: PUBLISHED_WEIGHTS.get(name, 0.0) for name, one in REWARDS.items() if one.is_for(FUNCTION)})
    host_failed = False
    codes = [extract_code(text) for text in texts]
    sent = [None if code is None else Submission(pool, code, examine=mutation, thorough=mutation) for code in codes]
    for name, text, submission in zip(names, texts, sent, strict=True):
        completion = GradedCompletion(text, None if submission is None else submission.future.result())
        host_failed |= completion.ungraded
        written = _json_line if as_json else score_table
        print(written(name, rubric.score(completion), rubric.weights), flush=True)
    return ExitCode.HOST_FAILED if host_failed else ExitCode.DONE


def _json_line(name: str, scores: Mapping[str, Score], weights: Mapping[str, float]) -> str:
    """The scores of one completion for a program to read."""
    rewards: dict[str, dict[str, Any]] = {
        reward: {"score": score.value, "weight": weights[reward], "reason": score.reason}
        for reward, score in scores.items()
    }
    return json.dumps({"file": name, "total": total_score(scores, weights), "rewards": rewards})


if __name__ == "__main__":
    sys.exit(main())
