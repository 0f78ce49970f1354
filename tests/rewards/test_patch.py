"""The task `patch`: what is asked, how an answer becomes a program, and that nothing but the change itself is paid."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from completions import passed
from grpo.errors import BadInput
from grpo_rust.compose.signatures import read_examples
from rewards.completion import Gold, GradedCompletion
from rewards.edits.writing import diff_of, search_replace_of
from rewards.gold.result import GoldResult
from rewards.gold.run import gold_result, gold_run, submit_gold
from rewards.grader import RustGrader
from rewards.registry import REWARDS
from rewards.rubric import Rubric
from rewards.tasks.known import asked
from rewards.tasks.patch import FILE, NOTHING, PATCH, right_answer
from rewards.trl_functions import gold_reward_func, untouched_reward_func
from sandbox.answers.answers import Answers
from sandbox.verdict import Outcome, Verdict

PROGRAM = """\
fn larger(a: i32, b: i32) -> i32 {
    if a < b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn works() {
        assert_eq!(larger(1, 2), 2);
    }
}
"""
RIGHT = PROGRAM.replace("a < b", "a > b")
GOLD = ["assert_eq!(larger(3, 3), 3);", "assert_eq!(larger(0, 0), 0);", "assert_eq!(larger(4, 1), 4);"]
ROW = {
    **{"task": "patch", "program": PROGRAM, "request": "Return the larger one.", "reference": RIGHT},
    **{"rust_test_list": [*GOLD, "assert_eq!(larger(1, 5), 5);"], "kept": 2},
}
BLOCKS = {**ROW, "format": "search_replace"}


def answer(after: str, before: str = PROGRAM) -> str:
    return f"Like this:\n```diff\n{diff_of(before, after, FILE)}```\n"


def graded(text: str, passes: tuple[bool, ...] | None = None, row: dict = ROW, **changes) -> GradedCompletion:
    """A completion of which these gold tests pass."""
    gold = None
    if passes is not None:
        reason = "" if all(passes) else "no"
        gold = Gold(GoldResult(sum(passes), len(passes), reason, "cases", passes=passes), Answers(Outcome.PASSED))
    return GradedCompletion(text, passed(), **{"gold": gold, "task": PATCH, "row": row, **changes})


def score(name: str, completion: GradedCompletion) -> float | None:
    return REWARDS[name].score(completion).value


def test_a_row_is_asked_with_its_program_its_request_and_its_format(tmp_path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(ROW) + "\n" + json.dumps(BLOCKS) + "\n")
    diff, blocks = read_examples(str(path), split="train", system_prompt="In Rust.", show="as_written")
    assert diff.messages[0]["content"].startswith("You are a careful Rust programmer. You change")
    wanted = f"```rust\n{PROGRAM}```\n\nReturn the larger one.\n\n"
    assert diff.messages[1]["content"] == wanted + "Answer with a unified diff of src/lib.rs in one ```diff block."
    assert blocks.messages[1]["content"].endswith("Answer with search/replace blocks in one ```rust block.")
    fenced = {**ROW, "program": "/// ```\nfn f() {}\n"}
    assert PATCH.prompt is not None and PATCH.prompt(fenced).startswith("````rust\n/// ```\n")


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"program": ""}, "has no text in column 'program', the program to change"),
        ({"request": None}, "has no text in column 'request'"),
        ({"format": "json"}, "has the format 'json' in column 'format'; give diff or search_replace"),
        ({"kept": 4}, "has '4' in column 'kept'.* from 1 and below the 4 gold tests"),
        ({"kept": 0}, "has '0' in column 'kept'"),
        ({"kept": True}, "has 'True' in column 'kept'"),
        ({"kept": "2"}, "has '2' in column 'kept'"),
        ({"rust_test_list": None}, "has '2' in column 'kept'.* below the 0 gold tests"),
        (
            {"rust_test_list": ["let n = larger(1, 2); loop { break; }", GOLD[0]]},
            "has .2. in column .kept.* below the 0 gold tests that are compared",
        ),
    ],
)
def test_a_row_that_cannot_be_judged_is_refused(changes, reason, tmp_path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({**ROW, **changes}) + "\n")
    with pytest.raises(BadInput, match=f"a.jsonl: row 0 {reason}"):
        read_examples(str(path), split="train", system_prompt="", show="as_written")


@pytest.mark.parametrize("row", [ROW, BLOCKS])
def test_the_right_answer_is_read_as_the_right_program(row) -> None:
    crlf = {**row, "program": PROGRAM.replace("\n", "\r\n").rstrip(), "reference": RIGHT.rstrip()}
    for shown in (row, crlf):
        text = right_answer(shown)
        assert PATCH.extract(text, shown, "first") == (RIGHT, "")
        assert PATCH.extract(text.replace("\n", "\r\n"), shown, "first").code == RIGHT
        assert PATCH.facts(text, shown, RIGHT) == {"applies": 1.0, "exact_match": 1.0, "lines_changed": 2.0}
    ticks = {**row, "program": "/*\n```\n*/\nfn f() {}\n", "reference": "/*\n```\n*/\nfn g() {}\n"}
    assert PATCH.extract(right_answer(ticks), ticks, "first").code == ticks["reference"]


def test_of_several_blocks_the_first_or_the_last_counts() -> None:
    two = answer(PROGRAM.replace("a < b", "true")) + answer(RIGHT)
    assert PATCH.extract(two, ROW, "last").code == RIGHT and "if true" in (PATCH.extract(two, ROW, "first").code or "")


IDLE = f"@@ -1 +1 @@\n-{PROGRAM.splitlines()[0]}\n+{PROGRAM.splitlines()[0]}\n"
WHOLE_GONE = diff_of(PROGRAM, "// gone\n", FILE)


def test_a_patch_earns_by_how_far_it_comes() -> None:
    right = diff_of(PROGRAM, RIGHT, FILE)
    two = diff_of(PROGRAM, RIGHT.replace("1, 2", "2, 1"), FILE)
    assert two.count("@@ -") == 2
    torn = right.replace("\n }", "\n ]")
    texts = {
        "a patch": (0.0, "no closed ```diff block in the completion"),
        f"```rust\n{right}```": (0.0, "no closed ```diff block in the completion"),
        f"```diff\n{right}": (0.0, "no closed ```diff block in the completion"),
        "```diff\n-a\n+b\n```": (0.0, "line 1 should name the file after '---', and is '-a'"),
        f"```diff\n{right.replace('b/src', 'b/../src')}```": (0.2, "line 2 is '+++ b/../src/lib.rs' where"),
        f"```diff\n{torn}```": (
            0.4,
            "0 of 1 hunks apply: context of hunk 1 does not match at line 3",
        ),
        f"```diff\n{two.replace('     }', '     ]')}```": (
            0.8,
            "1 of 2 hunks apply: context of hunk 2 does not match at line 12",
        ),
        f"```diff\n{right.replace('a > b', 'a < b')}```": (0.4, NOTHING),
        f"```diff\n{torn}{IDLE * 5}```": (0.4, "0 of 1 hunks apply"),
        f"```diff\n{WHOLE_GONE}```": (0.4, "the patch leaves no code"),
        f"```patch\n{right}```": (1.0, "1 of 1 hunks apply"),
    }
    for text, (value, reason) in texts.items():
        found = REWARDS["patch_applies"].score(graded(text))
        assert found.value == pytest.approx(value) and reason in found.reason, text
        assert (graded(text).code is None) == (value < 1)
    idle = "<<<<<<< SEARCH\n}\n=======\n}\n>>>>>>> REPLACE\n"
    assert score("patch_applies", graded(f"```rust\n{idle * 9}```", row=BLOCKS)) == pytest.approx(0.4)
    half = search_replace_of(PROGRAM, RIGHT) + "<<<<<<< SEARCH\nnone\n=======\n>>>>>>> REPLACE\n"
    assert score("patch_applies", graded(f"```rust\n{half}```", row=BLOCKS)) == pytest.approx(0.8)
    unknown = {**BLOCKS, "reference": None}  # no right answer to come near to
    assert score("patch_applies", graded(f"```rust\n{half}```", row=unknown)) == pytest.approx(0.6)


ANYWHERE = [  # fit every program, or every one with tests
    f"```diff\n--- a/{FILE}\n+++ b/{FILE}\n@@ -9,0 +9,1 @@\n+fn zz() {{}}\n```",
    f"```diff\n--- a/{FILE}\n+++ b/{FILE}\n@@ -3 +3,2 @@\n+fn zz() {{}}\n }}\n```",
    "```rust\n<<<<<<< SEARCH\n#[cfg(test)]\n=======\nfn zz() {}\n#[cfg(test)]\n>>>>>>> REPLACE\n```",
]


@pytest.mark.parametrize("text", ANYWHERE)
def test_a_patch_that_fits_anything_comes_no_nearer(text) -> None:
    row = BLOCKS if "SEARCH" in text else ROW
    assert graded(text, row=row).code is not None
    assert score("patch_applies", graded(text, row=row)) == pytest.approx(0.4)
    assert score("patch_applies", graded(text, row={**row, "reference": None})) == 1.0
    if row is ROW:
        beside_another = text.replace("\n```", "\n@@ -1 +1 @@\n-none\n+other\n```")
        assert score("patch_applies", graded(beside_another)) == pytest.approx(0.4)


def test_a_function_of_another_name_comes_no_nearer() -> None:
    """Its brackets and types are in every function."""
    reference = PROGRAM.replace(
        "#[cfg(test)]", "fn least(a: i32, b: i32) -> i32 {\n    if a < b { a } else { b }\n}\n\n#[cfg(test)]"
    )
    row = {**BLOCKS, "reference": reference}
    body = "fn {}(a: i32, b: i32) -> i32 {\n    a\n}\n#[cfg(test)]"
    stub = f"```rust\n<<<<<<< SEARCH\n#[cfg(test)]\n=======\n{body}\n>>>>>>> REPLACE\n```"
    assert score("patch_applies", graded(stub.replace("{}", "f", 1), row=row)) == pytest.approx(0.4)
    assert 0.4 < (score("patch_applies", graded(stub.replace("{}", "least", 1), row=row)) or 0) < 1.0


def test_a_right_answer_too_far_away_to_tell_steps_by_pays_for_passing_gold_tests_alone() -> None:
    far = PROGRAM.replace("    if a < b", "    let _ = a;\n" * 40 + "    if a > b")
    useless = answer(PROGRAM.replace("fn larger", "struct Q;\nfn larger"))
    assert score("patch_applies", graded(useless, row={**ROW, "reference": far})) == pytest.approx(0.4)
    assert score("patch_applies", graded(answer(RIGHT), (True,) * 4, row={**ROW, "reference": far})) == 1.0


def test_half_of_the_way_earns_half_of_what_is_left() -> None:
    reference = RIGHT.replace("{ a } else", "{ a + 0 } else").replace("if a", "if 0 + a")
    row = {**ROW, "reference": reference}
    assert score("patch_applies", graded(answer(RIGHT), row=row)) == pytest.approx(0.4 + 0.6 / 5)
    assert score("patch_applies", graded(answer(RIGHT), (True,) * 4, row=row)) == 1.0  # another right answer
    assert score("patch_applies", graded(answer(reference), row=row)) == 1.0


@pytest.mark.parametrize(
    "after",
    [
        PROGRAM.replace("fn larger", "// the larger one\nfn larger"),
        PROGRAM.replace("{ a }", "{a}"),
        PROGRAM[: PROGRAM.index("#[cfg(test)]")],
        PROGRAM.replace("larger(1, 2), 2", "larger(1, 2), 1"),
        PROGRAM.replace("#[test]", "#[test]\n    #[ignore]"),
    ],
)
def test_comments_and_tests_alone_are_no_answer(after) -> None:
    one = graded(answer(after))
    assert (one.code, one.no_code) == (None, NOTHING)
    assert score("cargo_build", GradedCompletion(one.text, None, task=PATCH, row=ROW)) == 0.0
    assert PATCH.facts(one.text, ROW, one.code) == {"applies": 0.0, "exact_match": 0.0, "lines_changed": None}


def test_what_was_kept_is_paid_only_with_a_step_towards_the_request() -> None:
    text, useless = answer(RIGHT), answer(PROGRAM.replace("fn larger", "fn more() {}\n\nfn larger"))
    assert score("untouched", graded(text, (True, True, True, True))) == 1.0
    assert score("untouched", graded(text, (True, False, True, True))) == 0.5
    assert score("untouched", graded(text, (True, True, True, False))) == 0.5, "a constant may pass one test"
    assert score("untouched", graded(text, (True, False, True, False))) == 0.25
    assert REWARDS["untouched"].score(graded(useless, (True, True, False, False))) == (
        0.0,
        "2 of 2 tests that passed before still pass, and 0 of 2 of the request",
    )
    assert score("untouched", graded(text, (True,) * 4, {**ROW, "kept": None})) is None
    for kept in (4, 9, -1, True, "2", 1.5):
        value, reason = REWARDS["untouched"].score(graded(text, (True,) * 4, {**ROW, "kept": kept}))
        assert value is None and reason.startswith(f"the row has '{kept}' in column 'kept'")
    assert score("untouched", graded(text)) is None
    assert score("untouched", graded("", None, gold=Gold(None, None))) == 0.0
    down = Gold(GoldResult(0, 4, "x", "cases"), Answers(Outcome.HOST_ERROR, reason="down"))
    module = Gold(GoldResult(4, 4, "", "tests"), Verdict(Outcome.PASSED))
    for gold in (down, module):
        assert (
            score("untouched", graded(text, gold=gold)) is None
            and score("small_patch", graded(text, gold=gold)) is None
        )


def test_a_patch_is_small_by_its_tokens_and_only_if_it_is_right() -> None:
    passes = (True,) * 4
    assert score("small_patch", graded(answer(RIGHT), passes)) == 1.0
    assert score("small_patch", graded(answer(RIGHT), (True, True, True, False))) == 0.0
    packed = PROGRAM.replace("    if a < b { a } else { b }", "    [a, b].into_iter().max().unwrap_or(i32::MIN)")
    one = graded(answer(packed), passes)
    assert 0.0 < (score("small_patch", one) or 0.0) < 0.2
    assert PATCH.facts(one.text, ROW, packed)["lines_changed"] == 2.0  # as many as the right answer changes
    assert score("small_patch", graded(answer(RIGHT), passes, {**ROW, "reference": None})) is None


def test_other_tasks_are_not_scored_and_other_rewards_read_the_patched_program() -> None:
    plain = GradedCompletion(answer(RIGHT), passed())
    assert all(score(name, plain) is None for name in ("patch_applies", "untouched", "small_patch"))
    scores = Rubric(dict.fromkeys(REWARDS, 1.0)).score(graded(answer(RIGHT), (True,) * 4))
    assert scores["cargo_build"].value == scores["gold"].value == 1.0
    assert all(scores[name].value is None for name in ("cargo_test", "asserts", "code_block", "test_block"))


ATTACKS = {  # patches that must not pass the gold tests, however they look
    "nothing of use": PROGRAM.replace("fn larger", "fn other() {}\n\nfn larger"),
    "the tests deleted": PROGRAM[: PROGRAM.index("#[cfg(test)]")].replace("a < b", "a <= b"),
    "the tests made to pass": PROGRAM.replace("larger(1, 2), 2", "larger(1, 2), 1").replace("a < b", "a <= b"),
    "a right one for tests only": PROGRAM.replace(
        "fn larger", "#[cfg(test)]\nfn larger(a: i32, b: i32) -> i32 { a.max(b) }\n#[cfg(not(test))]\nfn larger"
    ),
    "a right one in a module": PROGRAM.replace(
        "fn larger", "mod right {\n    pub fn larger(a: i32, b: i32) -> i32 { a.max(b) }\n}\n\nfn larger"
    ),
    "a constant": PROGRAM.replace("if a < b { a } else { b }", "5"),
    "another assert_eq": PROGRAM.replace(
        "fn larger", "macro_rules! assert_eq {\n    ($($t:tt)*) => {};\n}\n\nfn larger"
    ),
}


def test_only_the_right_change_passes(pool) -> None:
    programs = {"the right one": RIGHT, "another right one": PROGRAM.replace("a < b { a }", "a >= b { a }"), **ATTACKS}
    sent = {}
    for name, after in programs.items():
        code = PATCH.extract(answer(after), ROW, "first").code
        run = gold_run(code, ROW) if code is not None else None
        sent[name] = None if run is None else (run, submit_gold(run, pool))
    for name, one in sent.items():
        if one is None:
            assert name in ATTACKS
            continue
        found = gold_result(one[0], one[1].result())
        assert found.ok == (name not in ATTACKS), name
        assert found.passed == sum(found.passes) and len(found.passes) == 4
        if name in ("nothing of use", "the tests deleted"):
            assert found.passes == (True, True, False, False)
    assert gold_reward_func(completions=[answer(RIGHT)], **{name: [value] for name, value in ROW.items()}) == [1.0]
    assert untouched_reward_func(completions=[answer(RIGHT)], **{name: [value] for name, value in ROW.items()}) == [1.0]


def test_the_grader_judges_the_patched_program_by_gold(pool) -> None:
    grader = RustGrader(Rubric(dict.fromkeys(("gold", "untouched", "patch_applies", "cargo_build"), 1.0)), pool)
    example = SimpleNamespace(messages=[], columns=ROW, tester_ids=())
    texts = [answer(RIGHT), answer(ATTACKS["nothing of use"]), "no patch"]
    completions = [SimpleNamespace(id=f"c-{number}", text=text, token_ids=()) for number, text in enumerate(texts)]
    right, useless, none = grader.finish([grader.start(example, completion) for completion in completions])
    assert right.rewards == {"gold": 1.0, "untouched": 1.0, "patch_applies": 1.0, "cargo_build": 1.0} and right.solved
    assert useless.rewards == {"gold": 0.0, "untouched": 0.0, "patch_applies": 0.4, "cargo_build": 1.0}
    assert none.rewards == dict.fromkeys(right.rewards, 0.0) and none.solved is False
    assert (right.checks["exact_match"], useless.checks["exact_match"], none.checks["applies"]) == (1.0, 0.0, 0.0)
    assert right.verdict["gold"]["passes"] == (True,) * 4 and "a > b" in right.verdict["code"]


def test_a_row_with_its_right_program_shows_the_answer_to_imitate() -> None:
    def shown(**columns: object) -> object:
        return asked({**ROW, **columns}, with_system=False)["completion"]

    assert shown() == right_answer(ROW) and shown(completion="mine") == "mine"
    assert shown(reference=None) == "", "nobody knows it"
    assert shown(reference=PROGRAM, format="search_replace") == "", "no blocks can say it"
