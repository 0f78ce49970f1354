"""One Rust type holds all values of a place in a task's asserts; each value is a literal of it that equals itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset.translating.inferring import RustType, Untyped, infer, is_known, join, type_text
from dataset.translating.naming import KEYWORDS, NoRustName, parameter_names, rust_name
from dataset.translating.rust_literals import literal
from rewards.gold.run import gold_result, gold_run, submit_gold
from sandbox import SandboxPool

EXACT = 1e-300  # a tolerance that lets no two floats of the examples pass for one another


@pytest.mark.parametrize(
    ("values", "owned", "borrowed"),
    [
        ([1, -(2**31)], "i32", "i32"),
        ([2**31], "i64", "i64"),
        ([1, -(2**63)], "i64", "i64"),
        ([2**63, 1], "i128", "i128"),
        ([1, 2.0], "f64", "f64"),
        ([True, False], "bool", "bool"),
        (["a", "bc"], "String", "&str"),
        ([[1], []], "Vec<i32>", "&[i32]"),
        ([[[1]], [[2.5], []]], "Vec<Vec<f64>>", "&[Vec<f64>]"),
        ([["a"]], "Vec<String>", "&[&str]"),
        ([(1, "a"), (2, "b")], "(i32, String)", "(i32, &str)"),
        ([(1, 2), (3, 4)], "(i32, i32)", "(i32, i32)"),
        ([(1, 2), (3, 4, 5)], "Vec<i32>", "&[i32]"),
        ([(1, 2, 3, 4)], "Vec<i32>", "&[i32]"),
        ([[("a", 1.5)]], "Vec<(String, f64)>", "&[(&str, f64)]"),
        ([[["a", 1], ["b", 2]]], "Vec<(String, i32)>", "&[(&str, i32)]"),
        ([None, 3], "Option<i32>", "Option<i32>"),
        ([None, "a"], "Option<String>", "Option<&str>"),
        ([[1, None]], "Vec<Option<i32>>", "&[Option<i32>]"),
        ([None, [1]], "Option<Vec<i32>>", "Option<&[i32]>"),
        ([{"a": [1]}, {}], "HashMap<String, Vec<i32>>", "&HashMap<&str, Vec<i32>>"),
        ([{(1, 2)}, set()], "HashSet<(i32, i32)>", "&HashSet<(i32, i32)>"),
        ([((1, 2), [3])], "((i32, i32), Vec<i32>)", "((i32, i32), Vec<i32>)"),
    ],
)
def test_values_have_the_narrowest_type_that_holds_them(values: list[Any], owned: str, borrowed: str) -> None:
    found = infer(values)
    assert (type_text(found), type_text(found, borrowed=True)) == (owned, borrowed)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([1, "a"], "int beside str"),
        ([[1, "a", 2.0]], "float beside int beside str"),
        ([True, 1], "bool beside int"),
        ([[1], {1}], "list beside set"),
        ([[1, [2]]], "int beside list"),
        ([2**127], "an integer of more than 128 bits"),
        ([{1.5: 1}], "a key that cannot be hashed"),
        ([{"a": 1, "b": "c"}], "int beside str"),
        ([[["a", 1]], [["a", 1, 2]]], "int beside str"),
    ],
)
def test_values_without_a_common_type_say_what_they_are(values: list[Any], reason: str) -> None:
    with pytest.raises(Untyped, match=f"^{reason}$"):
        infer(values)


def test_one_character_is_a_char_only_where_the_task_is_about_characters() -> None:
    assert infer(["a", "b"]).kind == "text" and infer(["a", "b"], chars=True).kind == "char"
    assert infer(["a", "bc"], chars=True).kind == infer(["a", ""], chars=True).kind == "text"


def test_what_is_iterated_is_a_list_whatever_its_length() -> None:
    assert str(infer([(1, 2)], as_list=True)) == "Vec<i32>"
    with pytest.raises(Untyped):
        infer([[1, "a"], [2, "b"]], as_list=True)


def test_the_type_of_nothing_is_not_known() -> None:
    assert not is_known(infer([[]])) and not is_known(infer([None])) and is_known(infer([[], [1]]))


NUMBERS = [RustType(kind) for kind in ("i32", "i64", "i128", "f64")]
TYPES = [*NUMBERS, RustType("option", (RustType("i32"),)), RustType("?"), RustType("option", (RustType("f64"),))]


@pytest.mark.parametrize("one", TYPES)
@pytest.mark.parametrize("other", TYPES)
def test_joining_is_a_lattice(one: RustType, other: RustType) -> None:
    both = join(one, other)
    assert both == join(other, one) == join(both, one) == join(both, other) and join(one, one) == one
    assert all(join(both, third) == join(one, join(other, third)) for third in TYPES)


@given(st.text(alphabet="aZ_9é ", max_size=8) | st.sampled_from(sorted(KEYWORDS)))
def test_names_are_rust_names_and_different(name: str) -> None:
    found = parameter_names([name, name, rust_name(name)])
    assert len(set(found)) == 3 and not set(found) & KEYWORDS
    assert all(one.isascii() and one.isidentifier() and one == one.lower() for one in found)


@pytest.mark.parametrize(
    ("name", "found"),
    [("größe", "grosse"), ("GRÖẞE", "grosse"), ("naïveÉcart", "naive_ecart"), ("ﬁnd", "find"), ("é", "e")],
)
def test_letters_with_marks_lose_them_and_no_letter_is_dropped(name: str, found: str) -> None:
    assert rust_name(name) == found
    assert parameter_names([name, found]) == [found, f"{found}_2"]


@pytest.mark.parametrize("name", ["λ", "π_r", "sumΣ", "łuk", "数", "x٣", "가"])
def test_a_name_that_ascii_has_no_form_of_gets_none(name: str) -> None:
    assert name.isidentifier()
    for named in (rust_name, lambda one: parameter_names(["x", one])):
        with pytest.raises(NoRustName, match="ASCII"):
            named(name)


# Values through the compiler


SCALARS = {
    "int": st.integers(-(2**100), 2**100),
    "bool": st.booleans(),
    "text": st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    "float": st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False),
}
KEYS = [st.integers(-9, 9), st.text(max_size=2, alphabet="ab\"\\'"), st.tuples(st.integers(0, 3), st.booleans())]


def values_of(depth: int) -> st.SearchStrategy[st.SearchStrategy[Any]]:
    """Strategies of values that have one type."""
    scalars = st.sampled_from(list(SCALARS.values()))
    if depth == 0:
        return scalars
    inner = values_of(depth - 1)
    return st.one_of(
        scalars,
        inner.map(lambda one: st.lists(one, min_size=1, max_size=3)),
        st.tuples(inner, inner).map(lambda pair: st.tuples(*pair)),
        st.tuples(st.sampled_from(KEYS), inner).map(lambda pair: st.dictionaries(*pair, min_size=1, max_size=2)),
        st.sampled_from(KEYS).map(lambda key: st.sets(key, min_size=1, max_size=3)),
        inner.map(lambda one: st.lists(one | st.none(), min_size=1, max_size=2)),
    )


def owned(kind: RustType, place: str) -> str:
    """A Rust expression that copies a borrowed value at a place, which is a reference."""
    match kind.kind:
        case "text":
            return f"{place}.to_string()"
        case "seq":
            return f"{place}.iter().map(|v| {owned(kind.parts[0], 'v')}).collect::<Vec<_>>()"
        case "set":
            return f"{place}.iter().map(|v| {owned(kind.parts[0], 'v')}).collect::<HashSet<_>>()"
        case "map":
            pair = ", ".join(owned(part, name) for part, name in zip(kind.parts, "kv", strict=True))
            return f"{place}.iter().map(|(k, v)| ({pair})).collect::<HashMap<_, _>>()"
        case "option":
            return f"{place}.as_ref().map(|v| {owned(kind.parts[0], 'v')})"
        case "tuple":
            return "".join(
                ("(", "".join(f"{owned(part, f'(&{place}.{n})')}, " for n, part in enumerate(kind.parts)), ")")
            )
    return f"*{place}"


def typed(value: Any) -> RustType | None:
    """The type of a value; None where it has none, as a list of nothing but None."""
    try:
        found = infer([value])
    except Untyped:
        return None
    return found if is_known(found) else None


@settings(max_examples=6)
@given(st.lists(values_of(2).flatmap(lambda one: one), min_size=8, max_size=8))
def test_a_value_goes_through_a_function_of_its_type_and_equals_itself(pool: SandboxPool, values: list[Any]) -> None:
    given_types = [(value, kind) for value in values if (kind := typed(value)) is not None]
    program, cases = "use std::collections::{HashMap, HashSet};\n", []
    for number, (value, kind) in enumerate(given_types):
        taken, made = type_text(kind, borrowed=True), type_text(kind)
        program += f"fn echo_{number}(x: {taken}) -> {made} {{ {owned(kind, '(&x)')} }}\n"
        call = f"echo_{number}({literal(value, kind, borrowed=True)})"
        cases.append({"call": call, "expected": literal(value, kind), "tolerance": EXACT})
    if cases:
        run = gold_run(program, {"gold_cases": cases})
        assert run is not None
        found = gold_result(run, submit_gold(run, pool).result())
        assert found.ok and found.total == len(cases), found.reason


@given(SCALARS["float"])
def test_a_float_keeps_every_bit(number: float) -> None:
    assert float(literal(number, RustType("f64"))) == number


def test_half_a_surrogate_pair_has_no_literal() -> None:
    with pytest.raises(Untyped, match="surrogate"):
        literal("\ud800", infer(["a"]))
