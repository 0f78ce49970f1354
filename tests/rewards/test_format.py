"""Rewards for form pay for what is in the code, never for what comments or strings claim."""

from __future__ import annotations

import pytest

from answers import ADD, NO_TESTS, answer, module
from rewards.completion import GradedCompletion
from rewards.format import asserts, code_block, non_empty
from rewards.format import test_block as one_test_block

ASSERTS = module(*(f"assert_eq!(add({i}, 0), {i});" for i in range(6)))


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (ADD, 1.0),
        ("fn f() {}\n", 0.0),
        ("fn f() { /* nothing */ }\n", 0.0),
        ("fn f() -> u8 { todo!() }\n", 0.0),
        ('fn f() -> u8 { unimplemented!("later") }\n', 0.0),
        ("fn f() -> u8 { let _ = todo!(); 1 }\n", 1.0),
        ("struct S;\nimpl S {\n    fn m(&self) -> u8 {\n        1\n    }\n}\n", 1.0),
        ("struct S;\n", 0.0),
        (module("assert!(true);"), 0.0),
        ("", 0.0),
    ],
)
def test_non_empty_wants_a_function_that_does_something(code, value):
    assert non_empty(GradedCompletion(answer(code))).value == value


@pytest.mark.parametrize(
    ("text", "value"), [(answer(ADD), 1.0), (answer(ADD) * 2, 0.0), ("", 0.0), ("```rust\nfn", 0.0)]
)
def test_exactly_one_code_block_is_paid(text, value):
    assert code_block(GradedCompletion(text)).value == value


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (ADD + module("assert!(true);"), 1.0),
        (ADD + module("assert!(true);") + module("assert!(true);").replace("mod tests", "mod more"), 0.0),
        (ADD + "#[cfg(test)]\nmod tests {}\n", 0.0),
        (ADD + "mod tests {\n    #[test]\n    fn t() {}\n}\n", 0.0),
        (NO_TESTS["tests in a comment"], 0.0),
        (NO_TESTS["tests in a string"], 0.0),
        (ADD, 0.0),
    ],
)
def test_exactly_one_test_module_with_a_test_is_paid(code, value):
    assert one_test_block(GradedCompletion(answer(code))).value == value


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (ADD, 0.0),
        (ADD + module("assert_eq!(add(1, 2), 3);"), 0.25),
        (ADD + module("assert_eq!(add(1, 2), 3);\n assert_eq!( add(1,2), 3 ); // twice"), 0.25),
        (ADD + module("assert_eq!(add(1, 2), 3);\n assert_ne!(add(1, 2), 3);"), 0.5),
        (ADD + ASSERTS, 1.0),
        (NO_TESTS["tests in a comment"], 0.0),
        (ADD + "fn g() {\n    assert!(1 > 0);\n}\n", 0.0),
    ],
)
def test_distinct_asserts_of_tests_pay_a_quarter_each(code, value):
    assert asserts(GradedCompletion(answer(code))).value == value


def test_without_code_every_reason_says_so():
    for scorer in (non_empty, code_block, one_test_block, asserts):
        assert scorer(GradedCompletion("I cannot.")) == (0.0, "no closed ```rust block with code in the answer")
