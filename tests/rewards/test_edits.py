"""`rewards.edits`: edits apply as a whole or not at all, a refusal has its reason, any text takes linear time."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffs import FILE, WORDS
from rewards.edits.comparing import code_tokens, num_changed
from rewards.edits.hunks import SEARCHED
from rewards.edits.search_replace import apply_search_replace
from rewards.edits.unified_diff import apply_diff
from rewards.edits.writing import diff_of, search_replace_of

TEXT = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n"
NAMES = f"--- a/{FILE}\n+++ b/{FILE}\n"
HUNK = "@@ -2,3 +2,3 @@\n two\n-three\n+3\n four\n"
MOST_SECONDS = 2.0  # of CPU for some 500 kB of hostile text; a quadratic search takes minutes


def edit(search: str, replace: str) -> str:
    return f"<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE\n"


def test_hunks_apply_where_they_stand_and_where_they_moved_to() -> None:
    changed = TEXT.replace("three", "3")
    assert apply_diff(NAMES + HUNK, TEXT, FILE).text == changed
    assert apply_diff(NAMES + HUNK.replace("-2,3 +2,3", "-6,3 +6,3"), TEXT, FILE).text == changed
    git = f"diff --git a/{FILE} b/{FILE}\nindex 1234abc..5678def 100644\n"
    assert apply_diff(git + NAMES + HUNK.replace("@@\n", "@@ fn f() {\n") + "\n\n", TEXT, FILE).text == changed


def test_a_search_goes_outwards_from_the_new_line_number_below_before_above() -> None:
    text = "a\nx\na\nx\na\nx\na\n"
    hunk = "@@ -9,3 +{},3 @@\n a\n-x\n+y\n a\n"
    found = {start: apply_diff(NAMES + hunk.format(start), text, FILE).text for start in (1, 2, 4, 30)}
    assert found == {1: "a\ny\na\nx\na\nx\na\n", 2: "a\nx\na\ny\na\nx\na\n"} | dict.fromkeys(
        (4, 30), "a\nx\na\nx\na\ny\na\n"
    )


@pytest.mark.parametrize(
    "diff, reason",
    [
        ("", "line 1 should name the file after '---', and is missing"),
        ("no diff\n", "line 1 should name the file after '---', and is 'no diff'"),
        (HUNK, "line 1 should name the file"),
        (NAMES, "line 3 should be the first hunk's '@@ -1,3 +1,4 @@', and is missing"),
        (f"{NAMES}@@ ... @@\n-two\n", "line 3 should be the first hunk's"),
        (f"{NAMES}{HUNK}@@ -x +y @@\n", "line 8 is no header of a hunk"),
        (
            NAMES + HUNK.replace("+2,3", "+2,4"),
            "hunk 1 should have 1 more lines by its header in line 3, and line 8 is",
        ),
        (NAMES + HUNK.replace("+2,3", "+2,2"), "line 7 is more than the header of hunk 1 counts"),
        (NAMES + HUNK.replace("-2,3", f"-2,{10**9}"), "line 3 is no header of a hunk"),
        (f"{NAMES}@@ -2 +2 @@\n two\n", "hunk 1 in line 3 changes nothing"),
        (f"{NAMES}@@ -0,0 +0,0 @@\n", "hunk 1 in line 3 changes nothing"),
        (f"{NAMES}{HUNK}that is all\n", "line 8 stands in no hunk: 'that is all'"),
        (f"{NAMES}{HUNK}\n{HUNK}", "line 9 stands in no hunk"),
        ((NAMES + HUNK)[:-1], "the diff ends in the middle of a line"),
        (f"{NAMES}{HUNK}{NAMES}{HUNK}", "line 8 stands in no hunk"),
        (f"{NAMES}GIT binary patch\nliteral 3\n", "line 3 should be the first hunk's"),
        (f"diff --git a/{FILE} b/x\nrename from {FILE}\nrename to x\n", "line 2 should name the file"),
        (f"{NAMES}@@ -2,2 +2,1 @@\n-two\n\\ No newline at end of file\n-three\n+2\n", "line 6 follows one without a"),
        (
            f"{NAMES}@@ -2,3 +2,3 @@\n two\n-three\n+3\n\\ nothing\n four\n",
            "line 7 is '\\\\ nothing', which says nothing",
        ),
    ],
)
def test_what_is_no_diff_says_in_which_line(diff: str, reason: str) -> None:
    found = apply_diff(diff, TEXT, FILE)
    assert (found.text, found.stage) == (None, "unread") and reason in found.reason


@pytest.mark.parametrize(
    "name", ["/dev/null", "a/../a/src/lib.rs", "/src/lib.rs", FILE, "a/src/main.rs", f"a/{FILE}\t2026"]
)
def test_only_the_one_file_is_changed(name: str) -> None:
    for diff in (NAMES.replace(f"a/{FILE}", name) + HUNK, f"diff --git {name} b/{FILE}\n{NAMES}{HUNK}"):
        found = apply_diff(diff, TEXT, FILE)
        assert (found.text, found.stage, found.applied) == (None, "read", 0)
        assert name in found.reason.encode().decode("unicode-escape") and "is wanted, the only file" in found.reason


@pytest.mark.parametrize(
    "hunks, reason, applied",
    [
        (
            HUNK + "@@ -5,3 +5,3 @@\n five\n-6\n+7\n seven\n",
            "context of hunk 2 does not match at line 6: '6\\n' is 'six\\n'",
            1,
        ),
        ("@@ -6,4 +6,4 @@\n six\n-seven\n+7\n eight\n nine\n", "hunk 1 reaches to line 8, and the file has 7 lines", 0),
        ("@@ -2,2 +2,2 @@\n two\n-three\n+3\n", "hunk 1 has no context behind its change, and does not end where", 0),
        ("@@ -1,2 +1,2 @@\n three\n-four\n+4\n", "context of hunk 1 does not match at line 1", 0),
        (HUNK + "@@ -4,3 +4,3 @@\n four\n-five\n+5\n six\n", "hunk 2 needs lines that a hunk before it has changed", 1),
        (HUNK.replace(" four", " four\r"), "context of hunk 1 does not match at line 4", 0),
        (
            "@@ -6,2 +6,2 @@\n six\n-seven\n\\ No newline at end of file\n+7\n",
            "context of hunk 1 does not match at line 7",
            0,
        ),
    ],
)
def test_a_hunk_that_does_not_apply_says_why_and_the_others_are_counted(hunks: str, reason: str, applied: int) -> None:
    found = apply_diff(NAMES + hunks, TEXT, FILE)
    assert (found.text, found.stage, found.applied) == (None, "named", applied) and reason in found.reason


def test_hunks_in_another_order_apply_and_overlapping_ones_do_not() -> None:
    last = "@@ -6,2 +6,2 @@\n six\n-seven\n+7\n"
    assert apply_diff(NAMES + last + HUNK, TEXT, FILE).text == "one\ntwo\n3\nfour\nfive\nsix\n7\n"
    assert apply_diff(NAMES + HUNK + HUNK, TEXT, FILE).applied == 1


def test_only_a_line_feed_ends_a_line_and_the_last_may_lack_it() -> None:
    text = "a\u2028b\nc\x0cd\x85\r\ne"
    diff = diff_of(text, "a\u2028b\nC\ne\n", FILE)
    assert diff.count("\n") == 9 and apply_diff(diff, text, FILE).text == "a\u2028b\nC\ne\n"
    assert apply_diff(diff, f"{text}\n", FILE).text is None  # the mark says that there is no newline
    assert apply_diff(diff_of("", "a", FILE), "", FILE).text == "a"


def test_search_texts_occur_exactly_once_as_whole_lines() -> None:
    assert apply_search_replace(edit("three\n", "3\n3b\n") + "\n" + edit("one\n", ""), TEXT).text == (
        "two\n3\n3b\nfour\nfive\nsix\nseven\n"
    )
    assert apply_search_replace(edit("seven\n", "7\n"), TEXT[:-1]).text == "one\ntwo\nthree\nfour\nfive\nsix\n7"
    failing = [
        (
            edit("hree\n", "3\n"),
            TEXT,
            "the search text of block 1, which starts with 'hree', does not occur in the file",
        ),
        (edit("a\na\n", "b\n"), "a\na\na\n", "occurs more than once"),
        (edit("two\nthree\n", "2\n") + edit("three\nfour\n", "3\n"), TEXT, "blocks 1 and 2 change the same lines"),
        (edit("\n", "x\n"), "\n", "block 1 searches for nothing"),
        (edit("", "x\n"), TEXT, "block 1 searches for nothing"),
        ("", TEXT, "no line is '<<<<<<< SEARCH'"),
        (f"text\n{edit('one', '1')}", TEXT, "line 1 should be '<<<<<<< SEARCH', and is 'text'"),
        ("<<<<<<< SEARCH\none\n=======\n1\n", TEXT, "block 1 has no line '>>>>>>> REPLACE'"),
        ("<<<<<<< SEARCH\none\n>>>>>>> REPLACE\n", TEXT, "line 3 is '>>>>>>> REPLACE' where block 1 wants '======='"),
        (edit("one\n", "1\n") * 300, TEXT, "more than 200 blocks"),
    ]
    for blocks, text, reason in failing:
        found = apply_search_replace(blocks, text)
        assert found.text is None and reason in found.reason
    partly = apply_search_replace(edit("one\n", "1\n") + edit("nine\n", "9\n"), TEXT)
    assert (partly.stage, partly.applied, partly.total) == ("named", 1, 2)


@settings(max_examples=40)
@given(st.lists(st.sampled_from(WORDS), max_size=12), st.lists(st.sampled_from(WORDS), max_size=12))
def test_what_is_written_gives_the_text_that_it_was_written_from(before: list[str], after: list[str]) -> None:
    old, new = ("".join(f"{line}\n" for line in lines) for lines in (before, after))
    for end in ("", "\n"):
        one, other = old.removesuffix(end), new
        if one != other:
            assert apply_diff(diff_of(one, other, FILE), one, FILE).text == other
    if old.strip("\n") and old != new:
        assert apply_search_replace(search_replace_of(old, new), old).text == new
    with pytest.raises(ValueError, match="the texts are equal"):
        search_replace_of(old, old)


@pytest.mark.parametrize(
    ("old", "new", "search"),
    [
        ("x\ny\nx\nz\n", "w\ny\nx\nz\n", ["x\ny\n"]),  # what follows tells the first x from the second
        ("x\ny\nx\nz\n", "x\ny\nw\nz\n", ["y\nx\nz\n"]),
        ("x\ny\nx\n", "v\ny\nw\n", ["x\ny\nx\n"]),  # changes that are near each other are one
        ("a\nb\nc\nd\ne\n", "A\nb\nc\nd\nE\n", ["a\n", "e\n"]),
    ],
)
def test_blocks_have_as_little_context_as_makes_them_unique(old: str, new: str, search: list[str]) -> None:
    blocks = search_replace_of(old, new)
    assert [part.partition("=======")[0] for part in blocks.split("<<<<<<< SEARCH\n")[1:]] == search


def test_a_long_table_of_equal_lines_is_no_work() -> None:
    rows = ["    row,\n"] * 300
    began = time.process_time()
    assert search_replace_of("".join(rows), "".join([*rows[:150], "    other,\n", *rows[151:]]))
    assert time.process_time() - began < 1.5, "2.9 s with lines compared anew for every width of context"


@settings(max_examples=60)
@given(st.text(alphabet="@-+ ,123ab\\\n<>=", max_size=200), st.text(alphabet="ab\n", max_size=20))
def test_any_text_has_a_result(edits: str, text: str) -> None:
    for found in (apply_diff(edits, text, FILE), apply_diff(f"{NAMES}@@ -1 +1 @@\n{edits}", text, FILE)):
        assert (found.text is None) == bool(found.reason)
    found = apply_search_replace(f"<<<<<<< SEARCH\n{edits}", text)
    assert (found.text is None) == bool(found.reason)


def test_hostile_diffs_take_linear_time() -> None:
    alike = "}\n" * 20_000
    many = "@@ -10000,3 +{0},3 @@\n }}\n-}}\n+x\n y\n"
    hunks = "".join(many.format(number) for number in range(10_000))
    far = f"@@ -9,{4_999} +9,{4_999} @@\n" + " }\n" * 4_997 + "-}\n+x\n y\n"
    blocks = "".join(edit("}\n" * 4_000 + f"{number}\n", "") for number in range(200))
    for edits, apply in ((hunks, apply_diff), (far * 20, apply_diff), (blocks, apply_search_replace)):
        started = time.process_time()
        found = apply(NAMES + edits, alike, FILE) if apply is apply_diff else apply_search_replace(edits, alike)
        assert found.text is None and found.applied == 0 and time.process_time() - started < MOST_SECONDS
    right = "".join(f"@@ -{2 * n + 1},2 +{2 * n + 1},2 @@\n-}}\n+{n}\n }}\n" for n in range(10_000))
    started = time.process_time()
    assert apply_diff(NAMES + right, alike, FILE).applied == 10_000
    assert time.process_time() - started < MOST_SECONDS
    assert len(alike.split("\n")) * 10_000 > 100 * SEARCHED  # else the first would be fast without a limit


def test_programs_are_compared_by_their_code() -> None:
    program = "fn f(a: u8) -> u8 { a + 1 }\n"
    others = ["// more\nfn f(a: u8)\n-> u8 {\n    a + 1\n}\n", program + "#[cfg(test)]\nmod t { use super::*; }\n"]
    assert all(code_tokens(other) == code_tokens(program) for other in others)
    for other in (program.replace("1", "2"), program + "fn g() {}", ""):
        assert code_tokens(other) != code_tokens(program)
    assert num_changed(["a", "b", "b"], ["b", "c"]) == 3
    rng = random.Random(0)
    words = [str(rng.random()) for _ in range(9)]
    assert num_changed(words, rng.sample(words, 9)) == 0
