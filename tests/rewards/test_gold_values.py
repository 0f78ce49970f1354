"""Rust's values are read here as the program sends them, and asserts of every shape are divided at the right place."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewards.gold.computing.nodes import parse_expression
from rewards.gold.expressions import evaluate
from rewards.gold.own_types import own_types
from rewards.gold.rows import gold_kind
from rewards.gold.run import gold_result, gold_run, submit_gold
from rewards.gold.statements import Variables
from rewards.gold.terms import NotEvaluable, Panic, Term, equal, read_term, show
from sandbox.answers.calls import Call, Calls

VALUES = {
    "1_000i64": "1000",
    "-0x1f": "-31",
    "1e3": "1000.0",
    "2f32": "2.0",
    "'\\n'": "'\n'",
    "b'a'": "97",
    '"a\\"\\u{e9}\\x41"': '"a\\"éA"',
    'r#"a"b"#': '"a\\"b"',
    'b"ab"': "[97, 98]",
    'String::from("x")': '"x"',
    '"x".to_string()': '"x"',
    "vec![1; 3]": "[1, 1, 1]",
    "&[1, 2][..]": None,
    "(1, true, ())": "(1, true, ())",
    "Some(Box::new(3))": "Some(3)",
    "std::i32::MAX": "2147483647",
    "1 + 2 * 3 - 7 / -2": "10",
    "-7 % 3": "-1",
    "HashSet::from([1, 1, 2])": "{1, 2}",
    'BTreeMap::from([("a", 1), ("a", 2)])': '{"a": 2}',
    "Span { start: 1, end: 'b' }": "Span { start: 1, end: 'b' }",
    "shapes::Shape::Circle(1.5)": "shapes::Shape::Circle(1.5)",
    "None::<i32>": "None",
    "Vec::<i32>::new()": "[]",
    "std::cmp::Ordering::Less": "std::cmp::Ordering::Less",
    "5 as f64": "5.0",
    "std::f64::consts::PI": "3.141592653589793",
    "compute": None,
    "|x| x": None,
    "MAX_SIZE": None,
    "1 / 0": None,
    "1 +": None,
}


@pytest.mark.parametrize(("text", "shown"), VALUES.items())
def test_an_expression_of_literals_is_its_value_or_not_evaluable(text, shown):
    try:
        found = show(evaluate(parse_expression(text), Variables()).run({}))
    except NotEvaluable:
        found = None
    assert found == shown


numbers = st.integers(-(2**63), 2**63 - 1).map(lambda n: (f"({n}i64)", "i64"))
floats = st.floats(allow_nan=False, allow_infinity=False).map(lambda x: (f"({x!r}f64)", "f64"))
letters = st.characters(codec="utf-8", exclude_categories=["Cs"])


def escaped(letter: str) -> str:
    return f"\\u{{{ord(letter):x}}}"


scalars = (
    numbers
    | floats
    | st.booleans().map(lambda b: (str(b).lower(), "bool"))
    | letters.map(lambda c: (f"'{escaped(c)}'", "char"))
    | st.text(letters, max_size=8).map(lambda s: ('String::from("' + "".join(map(escaped, s)) + '")', "String"))
)


def compound(inner):
    return (
        inner.map(lambda v: (f"Some({v[0]})", f"Option<{v[1]}>"))
        | inner.map(lambda v: (f"Ok::<{v[1]}, ()>({v[0]})", f"Result<{v[1]}, ()>"))
        | inner.map(lambda v: (f"vec![{v[0]}; 2]", f"Vec<{v[1]}>") if "Cell" not in v[1] else v)
        | st.tuples(inner, inner).map(lambda p: (f"({p[0][0]}, {p[1][0]})", f"({p[0][1]}, {p[1][1]})"))
    )


def test_rust_text_of_random_values_is_read_as_the_program_sends_it(pool):
    found: list[str] = []

    @settings(max_examples=120)
    @given(st.recursive(scalars, compound, max_leaves=6))
    def draw(value):
        found.append(value[0])

    draw()
    answers = pool.submit_calls(
        Calls("fn id<T>(t: T) -> T { t }\n", tuple(Call(f"id({text})") for text in found))
    ).result()
    assert answers.reason == "" and len(answers.terms) == len(found) >= 100
    expected = [evaluate(parse_expression(text), Variables()).run({}) for text in found]
    assert [t for t, e, a in zip(found, expected, answers.terms, strict=True) if not equal(read_term(a), e)] == []


SHAPES = {  # the inside of a test: what right code is, what wrong code is
    "either side": ("assert_eq!(3, f(1));", "fn f(n: i32) -> i32 { n + 2 }", "fn f(n: i32) -> i32 { n }"),
    "not equal": ("assert_ne!(f(1), 1);", "fn f(n: i32) -> i32 { n + 2 }", "fn f(n: i32) -> i32 { n }"),
    "not equal to another type": ("assert_ne!(f(1), 1);", "fn f(n: i32) -> i32 { 5 }", "fn f(n: i32) -> f64 { 5.0 }"),
    "an operator": ("assert!(f(1) == 3 && f(2) > 3);", "fn f(n: i32) -> i32 { n + 2 }", "fn f(n: i32) -> i32 { 3 }"),
    "a pattern": (
        "assert!(matches!(f(1), Err(E::Low { by, .. }) | Err(E::High(1..=3))));",
        "enum E { Low { by: i32, of: u8 }, High(i32) }\nfn f(n: i32) -> Result<(), E> { Err(E::High(n + 2)) }",
        "enum E { Low { by: i32, of: u8 }, High(i32) }\nfn f(n: i32) -> Result<(), E> { Err(E::High(n + 3)) }",
    ),
    "a tolerance": (
        "assert!((f(2.0) - 1.4142).abs() < 1e-3);",
        "fn f(x: f64) -> f64 { x.sqrt() }",
        "fn f(x: f64) -> f64 { x }",
    ),
    "a chain": (
        'assert_eq!(f("a").unwrap().len(), 2);',
        "fn f(t: &str) -> Result<Vec<String>, Box<dyn std::error::Error>> { Ok(vec![t.into(), t.into()]) }",
        "fn f(t: &str) -> Result<Vec<String>, Box<dyn std::error::Error>> { Err(t.into()) }",
    ),
    "an error without a text": (
        "assert!(f(1).is_err()); assert_eq!(f(2).ok(), Some(2));",
        'fn f(n: i32) -> Result<i32, Box<dyn std::error::Error>> { if n > 1 { Ok(n) } else { Err("low".into()) } }',
        "fn f(n: i32) -> Result<i32, Box<dyn std::error::Error>> { Ok(n) }",
    ),
    "inputs before": (
        'let v = vec![1, 2]; let w = &v; let expected = 3; assert_eq!(f(w), expected, "sum {}", 3);',
        "fn f(v: &[i32]) -> i32 { v.iter().sum() }",
        "fn f(v: &[i32]) -> i32 { v[0] }",
    ),
    "in place": (
        "let mut a = [3, 1, 2]; f(&mut a); assert_eq!(a, [1, 2, 3]); assert_eq!(a[0], 1);",
        "fn f(v: &mut [i32]) { v.sort() }",
        "fn f(v: &mut [i32]) { v.reverse() }",
    ),
    "a value kept": (
        "let out = f(1); assert_eq!(out.0, 1); assert_eq!(out.1, 2);",
        "fn f(n: i32) -> (i32, i32) { (n, n + 1) }",
        "fn f(n: i32) -> (i32, i32) { (n, n) }",
    ),
    "a tuple taken apart": (
        "let (a, b) = f(1); assert_eq!(a, 1); assert_eq!(b, 2);",
        "fn f(n: i32) -> (i32, i32) { (n, n + 1) }",
        "fn f(n: i32) -> (i32, i32) { (n, n) }",
    ),
    "a tuple of input and output": (
        "let (input, output) = (4, 5); assert_eq!(f(input), output);",
        "fn f(n: i32) -> i32 { n + 1 }",
        "fn f(n: i32) -> i32 { n }",
    ),
    "a type that decides": (
        'let n: u8 = f("7"); assert_eq!(n, 7);',
        "fn f<T: std::str::FromStr + Default>(t: &str) -> T { t.parse().unwrap_or_default() }",
        "fn f<T: std::str::FromStr + Default>(_t: &str) -> T { T::default() }",
    ),
    "an iterator": (
        "assert_eq!(f(3).collect::<Vec<_>>(), vec![0, 1, 2]);",
        "fn f(n: i32) -> impl Iterator<Item = i32> { 0..n }",
        "fn f(n: i32) -> impl Iterator<Item = i32> { 1..n }",
    ),
    "a static function": (
        "assert_eq!(Solution::f(3), 4);",
        "struct Solution;\nimpl Solution { fn f(n: i32) -> i32 { n + 1 } }",
        "struct Solution;\nimpl Solution { fn f(n: i32) -> i32 { n } }",
    ),
    "a map": (
        "assert_eq!(f(\"aab\"), std::collections::HashMap::from([('a', 2), ('b', 1)]));",
        (
            "fn f(t: &str) -> std::collections::BTreeMap<char, usize> { let mut m = std::collections::BTreeMap::new();"
            " for c in t.chars() { *m.entry(c).or_insert(0) += 1; } m }"
        ),
        "fn f(t: &str) -> std::collections::BTreeMap<char, usize> { t.chars().map(|c| (c, 1)).collect() }",
    ),
    "a recursive type": (
        "assert_eq!(f(1), Tree::Node { left: Box::new(Tree::Leaf(1)), right: Box::new(Tree::Leaf(2)) });",
        (
            "#[derive(Debug, PartialEq)]\nenum Tree { Leaf(i32), Node { left: Box<Tree>, right: Box<Tree> } }\nfn f(n:"
            " i32) -> Tree { Tree::Node { right: Box::new(Tree::Leaf(n + 1)), left: Box::new(Tree::Leaf(n)) } }"
        ),
        (
            "#[derive(Debug, PartialEq)]\nenum Tree { Leaf(i32), Node { left: Box<Tree>, right: Box<Tree> } }\nfn f(n:"
            " i32) -> Tree { Tree::Leaf(n) }"
        ),
    ),
    "a type with a lifetime": (
        'assert_eq!(f("ab"), Part { text: "a", r#type: 1 });',
        (
            "#[derive(Debug, PartialEq)]\nstruct Part<'a> { text: &'a str, r#type: u8 }\nfn f(t: &str) -> Part<'_> {"
            " Part { text: &t[..1], r#type: 1 } }"
        ),
        (
            "#[derive(Debug)]\nstruct Part<'a> { text: &'a str, r#type: u8 }\nimpl PartialEq for Part<'_> { fn"
            " eq(&self, _: &Self) -> bool { true } }\nfn f(t: &str) -> Part<'_> { Part { text: t, r#type: 1 } }"
        ),
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_of_an_assert_is_a_case_that_tells_right_from_wrong(shape, pool):
    inside, *programs = SHAPES[shape]
    columns = {"gold_tests": f"#[test]\nfn t() {{ {inside} }}"}
    assert gold_kind(columns) == "cases"
    runs = [gold_run(code + "\n", columns) for code in programs]
    right, wrong = [gold_result(run, submit_gold(run, pool).result()) for run in runs]
    assert right.ok, right.reason
    assert not wrong.ok


@pytest.mark.parametrize(
    ("attribute", "body", "right", "wrong"),
    [
        (
            "#[should_panic]",
            "f(0);",
            'fn f(n: i32) -> i32 { if n == 0 { panic!("zero") } n }',
            "fn f(n: i32) -> i32 { n }",
        ),
        (
            '#[should_panic(expected = "zero")]',
            "let _ = f(0);",
            'fn f(n: i32) { panic!("it is zero {n}") }',
            'fn f(n: i32) { panic!("{n}") }',
        ),
        (
            "#[should_panic]",
            "f(0).unwrap();",
            "fn f(n: i32) -> Option<i32> { None }",
            "fn f(n: i32) -> Option<i32> { Some(n) }",
        ),
    ],
)
def test_an_expected_panic_is_a_case(attribute, body, right, wrong, pool):
    columns = {"gold_tests": f"#[test]\n{attribute}\nfn t() {{ {body} }}"}
    assert gold_kind(columns) == "cases"
    results = []
    for code in (right, wrong, "fn f(_n: i32) -> i32 { std::process::exit(0) }"):
        run = gold_run(code + "\n", columns)
        assert "panic" not in repr(run.calls.calls)
        results.append(gold_result(run, submit_gold(run, pool).result()).ok)
    assert results == [True, False, False]


@pytest.mark.parametrize(
    "inside",
    [
        "for n in 0..3 { assert_eq!(f(n), n); }",
        "assert_eq!(i32::twice(5), 10);",
        "for (a, b) in [(1, 2)] { if a > 1 { continue; } assert_eq!(f(a), b); }",
        "let mut v = vec![1]; for n in [1, 2] { f(&mut v, n); } assert_eq!(v, [1, 1, 2]);",
        "let cases = table(); for (a, b) in cases { assert_eq!(f(a), b); }",
        'for (i, (a, b)) in [(1, 2)].iter().enumerate() { assert_eq!(f(*a), *b, "{i}"); }',
        "let mut s = Stack::new(); s.push(1); assert_eq!(s.pop(), Some(1));",
        "let s = Stack::default(); assert!(s.is_empty());",
        "assert!(f(1).eq(&3));",
        "assert!(f(1).iter().all(|x| *x > 3));",
        "let mut expected = vec![2, 1]; expected.dedup(); assert_eq!(f(1), expected);",
        "let mut expected = vec![2, 1]; expected.sort(); expected.push(3); assert_eq!(f(1), expected);",
        "let mut expected = vec![2.0, 1.0]; expected.sort(); assert_eq!(f(1), expected);",
        "let expected: Vec<i32> = (1..3).collect(); assert_eq!(f(2), expected);",
        "if f(1) != 2 { panic!(); }",
        "assert_eq!(f(1)?, 2);",
        "assert_eq!(1 + 1, 2);",
        "assert!(f(1).is_some_and(|x| x == 2));",
        "let Some(x) = f(1) else { panic!() }; assert_eq!(x, 2);",
        "let t = [(2, 4), (3, 9)]; assert_eq!(f(t[0].0), t[0].1);",
        "let t = [(2, 4), (3, 9)]; let (n, want) = t[0]; assert_eq!(f(n), want);",
        "let mut found = f(3); found.retain(|x| *x == 9); assert_eq!(found.len(), 1);",
        "let mut found = f(3); found.remove(&9); assert_eq!(found.len(), 1);",
        "let mut found = HashSet::from([9]); let is_new = found.insert(f(3)); assert!(!is_new);",
        "let near = |a: f64, b: f64| (a - b).abs() < 1e-9; assert!(near(f(4.0), 2.0));",
        "let twice = |n| n * 2; assert_eq!(f(4), twice(4));",
        "let most = std::cmp::max(f(3), 9); assert_eq!(most, 9);",
        "let some = Some(f(3)).filter(|x| *x == 9); assert!(some.is_some());",
        'let text = format!("{}", f(3)); assert_eq!(text, "9");',
        'println!("{:x}", f(3)); assert_eq!(f(3), 9);',
        "let c = new(); for n in [1, 2] { assert_eq!(f(&c), n); } assert_eq!(f(&c), 3);",
    ],
)
def test_what_a_compiler_is_needed_for_stays_a_test_module(inside):
    assert gold_kind({"gold_tests": f"#[test]\nfn t() {{ {inside} }}"}) == "tests"


@pytest.mark.parametrize(
    ("inside", "sent"),
    [
        ("let ok: bool = f(3) == 9; assert!(ok);", ["super::f(3)"]),
        ("let mut ok = f(3) == 9; assert!(ok);", ["super::f(3)"]),
        ("let n: i32 = f(3) + 1; assert_eq!(n, 10);", ["super::f(3)"]),
        ("let n: i32 = f(3); assert_eq!(n, 9);", ["let n: i32 = super::f(3);", "n"]),
        (
            "let mut q = f(3); q.push(4); assert_eq!(g(&q), 9);",
            ["let mut q = super::f(3);", "q.push(4);", "super::g(&q)"],
        ),
        ("let by = |n: i32| n + 1; assert_eq!(f(by, 3), 9);", ["let by = |n: i32| n + 1;", "super::f(by, 3)"]),
        ("assert_eq!(f(3), 9u8);", ["std::convert::identity::<u8>(super::f(3))"]),
        ("assert_eq!(f(3), 0x1f32);", ["super::f(3)"]),
        ("assert_eq!(f(3), None::<Own>);", ["super::f(3)"]),
    ],
)
def test_nothing_is_sent_but_calls_with_their_arguments(inside, sent):
    run = gold_run("", {"gold_tests": f"#[test]\nfn t() {{ {inside} }}"})
    assert [list(call.texts) for call in run.calls.calls] == [sent]


@pytest.mark.parametrize(
    "item",
    [
        "fn twice(a: i32) -> i32 { 2 * a }",
        "fn check<T>(a: T) { assert_eq!(f(a), 1); }",
        "fn check(a: i32) { assert_eq!(f(a), 1); }\n#[test]\nfn u() { let n = 1; check(n); }",
        "fn check(a: i32) { assert_eq!(f(a), 1); }\n#[test]\n#[should_panic]\nfn u() { check(1); }",
        "#[test]\n#[ignore]\nfn u() { assert_eq!(f(1), 1); }",
        "#[test]\nfn u() -> Result<(), String> { assert_eq!(f(1), 1); Ok(()) }",
        "struct Helper;",
        "macro_rules! check { () => {} }",
    ],
)
def test_one_item_of_another_shape_keeps_the_whole_module(item):
    test = "#[test]\nfn t() { assert_eq!(f(1), 1); }\n"
    assert gold_kind({"gold_tests": test}) == "cases" and gold_kind({"gold_tests": test + item}) == "tests"


@pytest.mark.parametrize(
    "text",
    ["", "[", "[" * 100_000, '["k"]', '["m",3]', '["c","ab"]', '["f64","x"]', "NaN", "null", "{}", "9" * 5000, '["?"]']
    + ['["k","A",' * 150 + "1" + "]" * 150],
)
def test_a_text_that_is_no_term_is_refused(text):
    with pytest.raises(ValueError):
        read_term(text)


def test_terms_compare_by_value_and_not_by_type_where_rust_holds_the_same():
    assert equal(read_term('["k","Side::West"]'), Term("constructor", "West"))
    assert not equal(read_term('["k","Side::West"]'), Term("constructor", "Size::West"))
    assert not equal(read_term("1"), Term("float", 1.0)) and not equal(read_term("true"), Term("int", 1))
    assert equal(read_term('["f32","0.1"]'), Term("float", 0.1)) and not equal(
        read_term('["f64","0.1"]'), Term("float", 0.2)
    )
    assert not equal(read_term('["f64","NaN"]'), Term("float", float("nan"))) and not equal(*[read_term('["o"]')] * 2)
    assert equal(read_term('["S",1,2]'), read_term('["S",2,1]')) and not equal(
        read_term('["s",1,2]'), read_term('["s",2,1]')
    )
    with pytest.raises(Panic, match="why"):
        read_term('["!","why"]')


def test_only_types_that_can_be_taken_apart_from_outside_are_sent():
    code = (
        "enum E { A, B(i32), C { x: i32 } }\nstruct G<T>(T);\nstruct B<T: Ord>(T);\nstruct W<T>(T) where T: Ord;\n"
        "struct K<const N: usize>([u8; N]);\nstruct V<T = i32>(T);\n#[repr(packed)] struct P { x: i32 }\n"
        "union U { a: i32 }\nstruct F { #[cfg(test)] x: i32 }\n#[cfg(unix)] struct C;\n"
        "#[cfg(not(unix))] struct C(i32);\n"
        "struct L<'a>(&'a str);\nmod m { struct In; }\nfn f() { struct Local; }\nenum Never {}\nstruct Twice;\n"
        "struct Twice(i32);\n"
    )
    assert {own.name: (own.lifetimes, own.parameters) for own in own_types(code)} == {
        "E": (0, 0),
        "G": (0, 1),
        "L": (1, 0),
        "Never": (0, 0),
    }
