"""Whatever a completion's text is, it is read in bounded time and scored; a row of the table is one text.

The verdict is canned here, a pass, so that all that reads a program which passed is run; a few texts go through a real
pool. `scripts/check_sandbox.py completions` searches for more.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import Future

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completions import ADD, fenced, module, passed
from grpo.rollout.records import Completion, Example
from grpo.run.directory import LogDamaged, truncate_log
from rewards.completion import GradedCompletion
from rewards.gold.run import gold_run
from rewards.grader import RustGrade, RustGrader
from rewards.registry import REWARDS
from rewards.rubric import Rubric
from rewards.rust.parse import extract_code, parse
from rewards.signature.applying import why_inapplicable
from rewards.strictness.instrument import experiment
from sandbox import SandboxPool
from sandbox.answers.answers import Answers
from sandbox.evidence.experiment import SUPPORT
from sandbox.verdict import Evidence, Outcome

PROGRAM = ADD + module("assert_eq!(add(1, 2), 3);")
WHOLE = fenced(PROGRAM)
LIMIT_S = 20.0  # CPU seconds for one text on a loaded machine; the slowest takes about 3
GOLD = {"gold_cases": [{"call": "add(1, 2)", "expected": "3"}], "signature": "fn add(a: i32, b: i32) -> i32"}
PROMPT = "Write `fn add(a: i32, b: i32) -> i32`."

# The text, and whether a program is found in it.
TEXTS: dict[str, tuple[str, bool]] = {
    "nothing": ("", False),
    "a megabyte of prose": ("word " * (1 << 18), False),
    "a megabyte of backticks": ("`" * (1 << 20), False),
    "a megabyte of spaces before a fence": (" " * (1 << 20) + WHOLE, True),
    "a program of over a megabyte": (fenced(PROGRAM + "// x\n" * (1 << 18)), True),
    "a hundred thousand fences": ("```\n" * 100_000, False),
    "a hundred thousand lines": (fenced(PROGRAM + "\n" * 100_000), True),
    "a fence with a megabyte beside it": ("```" + "rust " * 200_000 + "\n" + PROGRAM + "```\n", True),
    "a fence and nothing else": ("```rust", False),
    "an empty block": ("```rust\n```", False),
    "a block that is not closed": ("```rust\n" + PROGRAM, False),
    "a block within a longer fence": (f"````rust\n```rust\n{PROGRAM}```\n````\n", True),
    "a block between tildes": (f"~~~rust\n{PROGRAM}~~~\n", False),
    "a block in a quotation": ("> ```rust\n> fn a() {}\n> ```\n", False),
    "an indented block": (f"    ```rust\n{PROGRAM}    ```\n", False),
    "blocks of several languages": (f"```python\nx = 1\n```\n{WHOLE}```c\nint x;\n```\n", True),
    "a fence in a string of the program": (fenced('const S: &str = "\n```\n";\n' + PROGRAM), True),
    "line ends of Windows": (WHOLE.replace("\n", "\r\n"), True),
    "line ends of old Macs": (WHOLE.replace("\n", "\r"), False),
    "line ends of Unicode": (WHOLE.replace("\n", "\u2028"), False),
    "vertical tabs and form feeds between tokens": (fenced(PROGRAM.replace(" ", "\x0b\x0c")), True),
    "NUL in the program": (fenced(PROGRAM.replace("a + b", "a + b\0")), True),
    "NUL around the fences": (f"\0{WHOLE}\0", True),
    "colours of a terminal in the program": (fenced("// \x1b[31m\x1b]0;title\x07\n" + PROGRAM), True),
    "a colour before the fence": ("\x1b[31m" + WHOLE[WHOLE.index("```") :], False),
    "controls of the direction of text": (fenced("// \u202e\u2066\n" + PROGRAM), True),
    "halves of surrogate pairs": (fenced(PROGRAM.replace("a + b", 'a + b /* \ud800 */ + "\udc00"')), True),
    "replaced bytes": (fenced(PROGRAM.replace("3", "\ufffd")), True),
    "a byte order mark in the program": (fenced("\ufeff" + PROGRAM.replace("+", "\ufeff+")), True),
    "a hundred thousand combining accents": (fenced("// " + "\u0301" * 100_000 + "\n" + PROGRAM), True),
    "a name of ten thousand letters": (fenced(f"fn {'é' * 10_000}() {{}}\n" + PROGRAM), True),
    "ten thousand round brackets": (fenced(f"fn f() {{ {'(' * 10_000}{')' * 10_000} }}\n" + PROGRAM), True),
    "ten thousand square brackets": (fenced(f"fn f() {{ {'[' * 10_000}{']' * 10_000} }}\n" + PROGRAM), True),
    "ten thousand braces": (fenced(f"fn f() {'{' * 10_000}{'}' * 10_000}\n" + PROGRAM), True),
    "ten thousand brackets in a test": (fenced(ADD + module(f"assert_eq!({'(' * 10_000}1{')' * 10_000}, 3);")), True),
    "ten thousand brackets that stay open": (fenced(PROGRAM + "fn f() {" + "(" * 10_000 + "\n"), True),
    "three thousand generics": (fenced(f"type X = {'Vec<' * 3000}u8{'>' * 3000};\n" + PROGRAM), True),
    "three thousand generics in the signature that is asked for": (
        fenced(f"fn add(a: {'Vec<' * 3000}u8{'>' * 3000}, b: i32) -> i32 {{ b }}\n"),
        True,
    ),
    "five hundred tests within tests": (
        fenced(ADD + "#[cfg(test)]\nmod t {" + "#[test] fn a() {" * 500 + "}" * 501 + "\n"),
        True,
    ),
    "five hundred conditions within conditions": (
        fenced(f"fn f() {{ {'if ' * 500}true {'{}' * 500} }}\n" + PROGRAM),
        True,
    ),
    "five hundred negations": (fenced(f"fn f() -> bool {{ {'!(' * 500}true{')' * 500} }}\n" + PROGRAM), True),
    "five hundred functions": (fenced(PROGRAM + "fn g(x: i32) -> i32 { x + 1 }\n" * 500), True),
    "five hundred asserts": (fenced(ADD + module("assert_eq!(add(1, 2), 3);" * 500)), True),
    "five hundred attributes": (fenced("#[a]" * 500 + "\n" + PROGRAM), True),
    "macros within macros": (fenced("macro_rules! m { " + "($x:tt) => { " * 1000 + "}" * 1001 + "\n" + PROGRAM), True),
    "ten thousand comments within comments": (fenced("/* " * 10_000 + "*/ " * 10_000 + "\n" + PROGRAM), True),
    "ten thousand comments that stay open": (fenced("/* " * 10_000 + "\n" + PROGRAM), False),
    "a raw string with two hundred signs": (
        fenced(f'const S: &str = r{"#" * 200}"{chr(34)}{"#" * 200};\n' + PROGRAM),
        True,
    ),
    "a raw string that stays open": (fenced('const S: &str = r####" \n' + PROGRAM), True),
    "our own names": (fenced(f"fn {SUPPORT}() {{}}\n" + PROGRAM), True),
}


class PassingPool:
    """Every program passes; nobody looks at what its tests depend on."""

    busy_s, jobs = 0.0, 1

    def submit(self, source, *, phases=()):
        return self._done(passed())

    def submit_experiment(self, made):
        return self._done(Evidence(Outcome.NO_TESTS))

    def submit_calls(self, calls):
        return self._done(Answers(Outcome.PASSED, terms=("3",)))

    @staticmethod
    def _done(result):
        future = Future()
        future.set_result(result)
        return future


def graded(pool, *texts: str) -> list[RustGrade]:
    """The grades of texts, as training has them."""
    grader = RustGrader(Rubric(dict.fromkeys(REWARDS, 1.0)), pool, gold=True)
    example = Example("t", ({"role": "user", "content": PROMPT},), GOLD)
    made = [Completion(str(i), (1,), (0.0,), text, terminated=True, policy_version=0) for i, text in enumerate(texts)]
    return grader.finish([grader.start(example, completion) for completion in made])


@pytest.mark.parametrize("name", TEXTS)
def test_a_completion_is_scored_that_is(name: str) -> None:
    text, has_code = TEXTS[name]
    started = time.process_time()
    code = extract_code(text)
    assert (code is not None) is has_code
    if code is not None:
        experiment(code, thorough=True)  # raises nothing, where the grader would take an exception for a failure
    (grade,) = graded(PassingPool(), text)
    assert time.process_time() - started < LIMIT_S
    assert all(score is None or 0 <= score <= 1 for score in grade.rewards.values())
    assert grade.rewards["cargo_build"] == float(has_code)
    assert json.loads(json.dumps(dict(grade.verdict)))["code"] == code


REAL = [
    "nothing",
    "NUL in the program",
    "halves of surrogate pairs",
    "ten thousand brackets in a test",
    "five hundred conditions within conditions",
    "replaced bytes",
    "colours of a terminal in the program",
]


def test_a_real_sandbox_scores_them_and_an_honest_one_beside_them(pool: SandboxPool) -> None:
    honest, *others = graded(pool, WHOLE, *(TEXTS[name][0] for name in REAL))
    assert honest.rewards["cargo_test"] == 1.0 and honest.checks["gold"] == 1.0
    for name, grade in zip(REAL, others, strict=True):
        assert grade.verdict.get("outcome") not in ("host_error", "timeout"), name
        assert grade.rewards["cargo_build"] in (0.0, 1.0), name
    assert [grade.rewards["cargo_build"] for grade in others[:3]] == [0.0, 0.0, 0.0]


PIECES = [
    "```rust\n",
    "\n```\n",
    "````\n",
    "~~~\n",
    PROGRAM,
    "#[test] fn t() { assert!(",
    "if ",
    "let Some(x) = y",
    "{",
    "}",
    "(",
    ")",
    "/*",
    "*/",
    '"',
    'r#"',
    "'",
    "\0",
    "\ud800",
    "\u202e",
    "\ufeff",
    "\r\n",
    "||",
    "=>",
    "macro_rules! m {",
    "$x",
    "impl ",
    "Vec<",
    ">",
    "#[cfg(test)] mod t {",
    "fn add(a: i32",
    ", b: i32) -> i32 ",
    "é",
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=30).map("".join))
def test_any_text_is_read_and_scored(text: str) -> None:
    for code in (extract_code(text) or text, text):
        parse(code)
        experiment(code, thorough=True)
        gold_run(code, GOLD)
        why_inapplicable(code, GOLD, PROMPT)
        completion = GradedCompletion(fenced(code), passed())
        values = Rubric(dict.fromkeys(REWARDS, 1.0)).score(completion)
        assert all(score.value is None or 0 <= score.value <= 1 for score in values.values())


LINE = st.builds(
    lambda step, text: json.dumps({"step": step, "text": text}).encode() + b"\n", st.integers(0, 9), st.text()
)


@given(st.lists(LINE, max_size=8), st.binary(max_size=20).filter(lambda torn: b"\n" not in torn), st.integers(0, 9))
def test_a_log_keeps_its_lines_up_to_a_step_and_drops_a_torn_one(
    tmp_path_factory: pytest.TempPathFactory, whole: list[bytes], torn: bytes, step: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(b"".join(whole) + torn)
    truncate_log(path, step)
    assert path.read_bytes() == b"".join(line for line in whole if json.loads(line)["step"] <= step)


@given(st.lists(LINE, max_size=3), st.binary(max_size=20), st.integers(0, 9))
def test_a_log_with_a_damaged_line_is_refused_or_keeps_its_whole_lines(
    tmp_path_factory: pytest.TempPathFactory, whole: list[bytes], damaged: bytes, step: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    before = b"".join(whole) + damaged + b"\n" + b"".join(whole)
    path.write_bytes(before)
    try:
        truncate_log(path, step)
    except LogDamaged as error:
        assert f"line {len(whole) + 1}" in str(error) or "line" in str(error)
        assert path.read_bytes() == before, "what is refused is not changed"
