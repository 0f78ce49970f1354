"""What is computed outside a program is what Rust computes: overflows, casts, orders, and messages of panics."""

from __future__ import annotations

import math
import random

import pytest

from rewards.gold.computing.arithmetic import arithmetic, cast, negate
from rewards.gold.computing.comparing import fitting, is_own, order
from rewards.gold.computing.nodes import parse_expression
from rewards.gold.computing.own import Operand, compared
from rewards.gold.expressions import evaluate
from rewards.gold.rows import gold_kind, gold_problem
from rewards.gold.run import gold_result, gold_run, submit_gold
from rewards.gold.statements import Variables
from rewards.gold.terms import RANGES, NotEvaluable, Panic, Term, Unfit, equal, integer, read_term
from sandbox.answers.calls import Call, Calls

ID = "fn id<T>(t: T) -> T { t }\n"
SIGNS = ("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "<", "==")
FLOATS = (
    "0.0",
    "-0.0",
    "1.0",
    "-2.5",
    "0.1",
    "1e300",
    "3e-40",
    "f64::INFINITY",
    "f64::NEG_INFINITY",
    "f64::NAN",
    "-300.7",
    "65.9",
)


def numbers(seed: int) -> list[str]:
    """Expressions of integers of every width, near the ends of it."""
    chosen, found = random.Random(seed), []
    for width, (low, high) in RANGES.items():
        for sign in SIGNS:
            one, other = (chosen.choice((low, low + 1, high, high - 1, 0, 1, 3, high // 2)) for _ in range(2))
            if sign in ("<<", ">>"):
                other = chosen.choice((0, 1, 7, 8, 31, 64))
            found.append(f"id({written(one, width)}) {sign} id({written(other, width)})")
        for kind in chosen.sample([*RANGES, "f32", "f64"], 5):
            found.append(f"id({written(chosen.choice((low, high, 5, high - 200)), width)}) as {kind}")
    return found


def written(value: int, width: str) -> str:
    value = max(value, RANGES[width][0])
    return f"{width}::MIN" if value == RANGES[width][0] else f"{value}{width}"


def of_floats() -> list[str]:
    """Expressions of floats of both widths, with casts."""
    found = []
    for width in ("f32", "f64"):
        given = [text if "::" in text else text + width for text in FLOATS if width == "f64" or "1e300" not in text]
        given = [text.replace("f64::", f"{width}::") for text in given]
        found += [f"id({one}) {sign} id({other})" for one in given for sign in "+*/%<" for other in given[:5]]
        found += [f"id({one}) as {kind}" for one in given for kind in ("u8", "i16", "i64", "f32", "f64")]
    return found


@pytest.mark.parametrize("texts", [numbers(1), numbers(2), of_floats()], ids=["integers", "others", "floats"])
def test_arithmetic_here_is_that_of_rust(texts, pool):
    answers = pool.submit_calls(Calls(ID, tuple(Call(text) for text in texts))).result()
    assert answers.reason == "" and len(answers.terms) == len(texts) > 150
    for text, given in zip(texts, answers.terms, strict=True):
        here = _here(text)
        try:
            there: Term | str = read_term(given)
        except Panic as panic:
            there = str(panic)
        assert _same(here, there), (text, here, there)


def _here(text: str) -> Term | str:
    try:
        return evaluate(parse_expression(text.replace("id(", "(")), Variables()).run({})
    except NotEvaluable as error:
        return str(error)


def _same(one: Term | str, other: Term | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    if one.kind == "float" and math.isnan(one.value):
        return math.isnan(other.value) and one.width == other.width
    same_sign = one.kind != "float" or math.copysign(1, one.value) == math.copysign(1, other.value)
    return equal(one, other) and one.width == other.width and same_sign


def test_a_literal_takes_the_width_of_what_it_meets_and_two_widths_do_not_meet():
    assert arithmetic("+", integer(5), integer(3, "u8")).width == "u8"
    with pytest.raises(Panic, match="attempt to subtract with overflow"):
        arithmetic("-", integer(0, "usize"), integer(1))
    for other in (integer(1, "i32"), integer(300), Term("float", 1.0)):
        with pytest.raises(Unfit):
            arithmetic("+", integer(5, "u8"), other)
    with pytest.raises(Unfit):
        arithmetic("+", Term("float", 1.0, width="f32"), Term("float", 1.0, width="f64"))


def test_a_width_that_nobody_knows_is_computed_with_where_it_does_not_matter():
    assert arithmetic("+", integer(5, "?"), integer(3)).value == 8
    for sign, other in (("-", 9), ("*", 100)):
        with pytest.raises(Unfit, match="without knowing its type"):
            arithmetic(sign, integer(5, "?"), integer(other))
    with pytest.raises(Unfit):
        cast(integer(300), "u8")
    with pytest.raises(Unfit):
        negate("!", integer(3))


@pytest.mark.parametrize(
    ("one", "other", "fits"),
    [
        ("[1, 2]", "[1.0]", False),
        ("[1u8]", "[1i32]", False),
        ("[1u8]", "[300]", False),
        ("[1u8]", "[30]", True),
        ("(1, 'a')", "(2, 'b')", True),
        ("(1, 'a')", '(2, "b")', False),
        ("Some(1)", "None", True),
        ("Some(1)", "Some(1.5)", False),
        ("Some(1)", "Ok(1)", False),
        ("Side::West", "Side::East(1)", True),
        ("Side::West", "Size::Small", False),
        ("Side::West", "East", True),
        ("Point { x: 1 }", "Line { x: 1 }", False),
        ("Point { x: 1 }", "Point { x: 1.0 }", False),
        ("[]", "[1]", True),
    ],
)
def test_values_fit_where_rust_compares_their_types(one, other, fits):
    values = [evaluate(parse_expression(text), Variables()).run({}) for text in (one, other)]
    assert fitting(*values) is fits and fitting(*values[::-1]) is fits


def test_nothing_fits_what_nobody_can_look_into():
    opaque = Term("opaque")
    assert not fitting(opaque, opaque) and is_own(opaque)
    wrapped = Term("constructor", "Some", (opaque,))
    assert not fitting(wrapped, wrapped) and not fitting(wrapped, Term("constructor", "None"))


@pytest.mark.parametrize(
    "texts",
    [
        ("None", "Some(1)", "Some(2)"),
        ("Ok(9)", "Err(1)", "Err(2)"),
        ("(1, 'b')", "(2, 'a')", "(2, 'b')"),
        ("[1]", "[1, 2]", "[2]"),
        ('"a"', '"ab"', '"b"'),
        ("Ordering::Less", "Ordering::Equal", "Ordering::Greater"),
        ("-1.5", "0.0", "f64::INFINITY"),
    ],
)
def test_an_order_is_that_of_rust(texts):
    values = [evaluate(parse_expression(text), Variables()).run({}) for text in texts]
    for place, one in enumerate(values):
        for twin, other in enumerate(values):
            assert (order(one, other) > 0) - (order(one, other) < 0) == (place > twin) - (place < twin)


@pytest.mark.parametrize(
    ("expected", "body"),
    [
        ("called `Option::unwrap()` on a `None` value", "f(0).ok().unwrap();"),
        ('called `Result::unwrap()` on an `Err` value: "zero"', "f(0).unwrap();"),
        ('no number: "zero"', 'f(0).expect("no number");'),
        ("called `Result::unwrap_err()` on an `Ok` value: 1", "f(1).unwrap_err();"),
        ("attempt to subtract with overflow", "let _ = g(0) - 1;"),
    ],
)
def test_a_panic_outside_has_the_message_of_rust(expected, body, pool):
    code = 'fn f(n: u8) -> Result<u8, String> { if n > 0 { Ok(n) } else { Err("zero".into()) } }\n'
    code += "fn g(n: u8) -> u8 { n }\n"
    wanted = expected.replace('"', '\\"')
    columns = {"gold_tests": f'#[test]\n#[should_panic(expected = "{wanted}")]\nfn t() {{ {body} }}'}
    assert gold_kind(columns) == "cases"
    run = gold_run(code, columns)
    assert gold_result(run, submit_gold(run, pool).result()).reason == ""
    other = {"gold_tests": columns["gold_tests"].replace(wanted, "something else")}
    run = gold_run(code, other)
    assert not gold_result(run, submit_gold(run, pool).result()).ok


@pytest.mark.parametrize("value", ["LinkedList::from([1, 2])", "Cell::new(1)", "f(1) as Number", "f(1) as _"])
def test_what_may_be_the_programs_own_stays_a_test_module(value):
    row = {"gold_tests": f"#[test]\nfn t() {{ assert_eq!(f(2), {value}); }}"}
    assert gold_kind(row) == "tests"
    if "(1)" not in value or "Cell" in value:
        imported = row["gold_tests"].replace("#[test]", "use std::{cell::Cell, collections::LinkedList};\n#[test]")
        assert gold_kind({"gold_tests": imported}) == "cases"


def test_a_short_float_is_compared_as_what_it_is_where_there_is_a_tolerance(pool):
    cases = [{"call": "f(1.0)", "expected": "0.1", "tolerance": 1e-12}]
    results = []
    for kind in ("f32", "f64"):
        run = gold_run(f"fn f(x: {kind}) -> {kind} {{ x / 10.0 }}\n", {"gold_cases": cases})
        results.append(gold_result(run, submit_gold(run, pool).result()).ok)
    assert gold_problem({"gold_cases": cases}) == "" and results == [False, True]


def test_a_relative_tolerance_is_a_part_of_each_expected_float(pool):
    case = {"call": "f(2.0)", "expected": "vec![2.0, 2e10]", "tolerance": 1e-12, "relative": 1e-6}
    results = []
    for first, second in (("x", "x * 1.0000005e10"), ("x * 1.0000005", "x * 1e10"), ("x - 9.5", "x * 1e10")):
        run = gold_run(f"fn f(x: f64) -> Vec<f64> {{ vec![{first}, {second}] }}\n", {"gold_cases": [case]})
        results.append(gold_result(run, submit_gold(run, pool).result()).ok)
    assert gold_problem({"gold_cases": [case]}) == "" and results == [True, True, False]


@pytest.mark.parametrize(
    ("found", "wanted", "is_equal"),
    [(1.0 + 9e-7, 1.0, True), (1.0 + 2e-6, 1.0, False), (0.0, 6.6e-34, False), (0.0, 0.0, True), (2e6, 2e6 + 1, True),
     (5.0, math.inf, False), (math.inf, 5.0, False), (math.inf, math.inf, True), (math.nan, 1.0, False)],
)  # fmt: skip
def test_floats_are_as_far_apart_as_the_expected_one_allows(found, wanted, is_equal):
    assert equal(Term("float", found), Term("float", wanted), relative=1e-6) == is_equal
    assert (
        equal(Term("set", "", (Term("float", found),)), Term("set", "", (Term("float", wanted),)), 0.0, 1e-6)
        == is_equal
    )


def test_only_programs_with_an_operator_of_their_own_are_asked_for_it():
    row = {"gold_tests": "#[test]\nfn t() { assert_eq!(f(1) + f(2), f(3)); assert!(f(1) < f(2)); }"}
    plain = gold_run("fn f(n: i32) -> i32 { n }\n", row)
    own = gold_run("impl std::ops::Add for N {}\nfn f(n: i32) -> N { N(n) }\n", row)
    texts = {call.value for call in own.calls.calls} - {call.value for call in plain.calls.calls}
    assert texts == {"super::f(1) + super::f(2)"}
    literal = {"gold_tests": "#[test]\nfn t() { assert!(f(1) == 3); assert!(f(1) < 3); assert_eq!(f(1), 3); }"}
    own = gold_run(
        "impl PartialEq<i32> for N { fn eq() {} }\nimpl PartialOrd for N {}\nfn f(n: i32) -> N { N(n) }\n", literal
    )
    assert {call.value for call in own.calls.calls} == {"super::f(1)"}


def test_a_comparison_of_constants_is_a_constant():
    one = Operand(parse_expression("1"), evaluate(parse_expression("1"), Variables()))
    assert compared("<", one, one, Variables()).run({}).value is False
