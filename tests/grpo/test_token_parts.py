"""Every token is in the part of the last character it completes, whatever bytes the tokens are made of."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from byte_tokenizer import byte_tokenizer
from grpo.rollout.records import UNPAID, Completion, Example, Group
from grpo.rollout.token_parts import NO_PART, TokenParts, token_parts
from letter_grader import Grade

BYTES = byte_tokenizer()
TINY = AutoTokenizer.from_pretrained(Path(__file__).resolve().parents[2] / "assets" / "tiny-rust")
NAMES = ["code", "tests", UNPAID]


def decoder(tokenizer: object) -> Callable[[Sequence[int]], str]:
    return lambda ids: tokenizer.decode(list(ids), skip_special_tokens=True)


def by_prefixes(ids: Sequence[int], decode: Callable[[Sequence[int]], str], labels: Sequence[int]) -> list[int]:
    """The definition, at the cost of a decode of the whole text for each token."""
    lengths = [len(decode(ids[: count + 1])) for count in range(len(ids))]
    ends = [min(lengths[index:]) for index in range(len(ids))]
    return [labels[end - 1] if end else NO_PART for end in ends]


def agrees(tokenizer: object, ids: list[int], cuts: Sequence[int]) -> None:
    """The mapping is the definition's, for spans between the cuts: code, tests, nothing, code, ..."""
    decode = decoder(tokenizer)
    text = decode(ids)
    edges = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    kinds = ["code", "tests", None]
    spans: dict[str, list[tuple[int, int]]] = {"code": [], "tests": []}
    labels = [NO_PART] * len(text)
    for number, (start, stop) in enumerate(zip(edges, edges[1:])):
        if (kind := kinds[number % 3]) is not None:
            spans[kind].append((start, stop))
            labels[start:stop] = [NAMES.index(kind)] * (stop - start)
    assert token_parts(ids, decode, text, spans, NAMES) == tuple(by_prefixes(ids, decode, labels))


cuts = st.lists(st.integers(0, 60), max_size=6)


@given(st.text(max_size=60), cuts)
@example("fn a() {} // é😀", [3, 14])
def test_any_text_in_single_bytes(text: str, where: list[int]) -> None:
    agrees(BYTES, [*BYTES.encode(text, add_special_tokens=False), BYTES.eos_token_id], where)


@given(st.lists(st.integers(0, len(BYTES) - 1), max_size=60), cuts)
@example([BYTES.convert_tokens_to_ids("<|im_end|>")] * 3, [0])
def test_any_bytes_also_those_that_are_no_text(ids: list[int], where: list[int]) -> None:
    agrees(BYTES, ids, where)


@given(st.lists(st.integers(0, len(TINY) - 1), max_size=60), cuts)
def test_any_tokens_of_the_shipped_model(ids: list[int], where: list[int]) -> None:
    agrees(TINY, ids, where)


def test_a_token_across_a_border_is_in_the_part_of_its_last_character() -> None:
    words = {0: "ab", 1: "cd", 2: "", 3: "e"}

    def decode(ids: Sequence[int]) -> str:
        return "".join(words[i] for i in ids)

    assert token_parts([2, 0, 1, 2, 3, 2], decode, "abcde", {"code": [(0, 3)], "tests": [(3, 5)]}, NAMES) == (
        *(NO_PART, 0, 1),
        *(1, 1, 1),  # what adds no character stays with the one before it
    )
    assert token_parts([0, 1, 2], decode, "abcd", {"tests": [(0, 3)]}, NAMES) == (1, NO_PART, NO_PART)


def test_a_part_that_nothing_pays_is_told_from_no_part() -> None:
    def decode(ids: Sequence[int]) -> str:
        return "".join(map(chr, ids))

    ids = [ord(letter) for letter in "abcd"]
    spans = {"prose": [(0, 1)], "tests": [(1, 2), (3, 4)]}
    assert token_parts(ids, decode, "abcd", spans, NAMES) == (2, 1, NO_PART, 1)
    assert token_parts(ids, decode, "abcd", {}, NAMES) == (NO_PART,) * 4


def test_a_decoder_that_takes_off_the_first_space_is_understood() -> None:
    words = {0: " let", 1: " x", 2: "y", 3: " ="}

    def decode(ids: Sequence[int]) -> str:
        return "".join(words[i] for i in ids).removeprefix(" ")

    ids = [0, 1, 2, 3, 1, 1, 0]
    text = decode(ids)
    assert text == "let xy = x x let"
    assert token_parts(ids, decode, text, {"code": [(0, 5)], "tests": [(8, 16)]}, NAMES) == (0, 0, -1, -1, 1, 1, 1)


def test_half_a_character_is_the_whole_also_where_each_of_its_bytes_has_a_mark() -> None:
    """The decoder of Llama 2 gives two marks for two of three bytes, so the text gets shorter with the third."""

    def decode(ids: Sequence[int]) -> str:
        whole = len(ids) - len(ids) % 3
        return bytes(ids[:whole]).decode() + "\N{REPLACEMENT CHARACTER}" * (len(ids) - whole)

    ids = list("語学".encode())
    assert token_parts(ids, decode, "語学", {"code": [(0, 1)], "tests": [(1, 2)]}, NAMES) == (0, 0, 0, 1, 1, 1)


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ({"code": [(0, 4)]}, "'code' has characters 0 to 4 of a text of 3"),
        ({"code": [(2, 1)]}, "'code' has characters 2 to 1"),
        ({"code": [(0, 2)], "tests": [(1, 3)]}, "'tests' overlaps another in characters 1 to 3"),
        ({"one": [(0, 2)], "two": [(1, 3)]}, "'two' overlaps another"),
    ],
)
def test_spans_that_cannot_be_are_refused(spans: dict[str, list[tuple[int, int]]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        token_parts([1, 2, 3], lambda ids: "abc"[: len(ids)], "abc", spans, NAMES)


def test_tokens_that_do_not_give_the_text_are_in_no_part_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    completions = tuple(Completion(f"c{k}", (1, 2), (0.0, 0.0), text, True, 0) for k, text in enumerate(["ab", "xy"]))
    grades = (Grade({}, spans={"code": ((0, 1),)}),) * 2
    group = Group(Example("p", ()), completions, grades, (1.0, 1.0), {"code": (1.0, 1.0), UNPAID: (None, None)})
    finder = TokenParts(lambda ids: "".join(" ab"[i] for i in ids))
    with caplog.at_level(logging.WARNING):
        assert [finder.of(group) for _ in range(2)] == [((0, NO_PART), (NO_PART, NO_PART))] * 2
    assert [record.message.partition(":")[0] for record in caplog.records] == ["c1"]


def test_a_decoder_whose_pieces_never_fit_gives_no_parts() -> None:
    def decode(ids: Sequence[int]) -> str:
        return "x" * (len(ids) ** 2)

    assert token_parts([0] * 40, decode, "x" * 1600, {"code": [(0, 800)]}, NAMES) is None
    assert token_parts([0] * 4, decode, "x" * 16, {"code": [(0, 8)]}, NAMES) == (0, 0, NO_PART, NO_PART)


def test_a_long_completion_takes_few_decodes() -> None:
    """Counted in tokens decoded and not in seconds: less than six times the completion for two borders."""
    text = "fn add(a: i32) -> i32 {\n    a + 1 // é\n}\n" * 200
    ids, decode, decoded = BYTES.encode(text, add_special_tokens=False), decoder(BYTES), 0

    def counted(part: Sequence[int]) -> str:
        nonlocal decoded
        decoded += len(part)
        return decode(part)

    spans = {"code": [(0, 3000)], "tests": [(3000, 8000)]}
    found = token_parts(ids, counted, text, spans, NAMES)
    assert found is not None and found.count(0) == len(text[:3000].encode()) and decoded < 6 * len(ids)
