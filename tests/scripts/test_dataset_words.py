"""The words of a task go from Python to Rust, and never change what is asked for."""

from __future__ import annotations

import pytest

from dataset.sources import PythonTask
from dataset.translating.english import Words, rust_words
from dataset.translating.translate import translate


@pytest.mark.parametrize(
    ("python", "rust"),
    [
        ("Write a function to add.", "Write a Rust function to add."),
        ("Write a python function to add", "Write a Rust function to add."),
        ("Write a python program that adds .", "Write a Rust function that adds."),
        ("Write a function to sort a list using heap queue algorithm.", "Write a Rust function to sort a list."),
        ("Write a function to sort using merge sort.", "Write a Rust function to sort using merge sort."),
        ("Find words by using regex.", "Find words."),
        ("Find even numbers with the help of filter function and double them.", "Find even numbers and double them."),
        ("Count the coffees made with filter, given names.", "Count the coffees made with filter, given names."),
        ("Combine lists with map and set of names, in Python code.", "Combine lists with map and set of names."),
        ("Find the angle using two angles.", "Find the angle using two angles."),
        ("Merge two dictionaries into a dictionary.", "Merge two maps into a map."),
        ("Sort words in dictionary order.", "Sort words in dictionary order."),
        ("Count the given tuple list.", "Count the given tuple list."),
        ("Find the words in the python language.", "Find the words in the python language."),
        ("Return True or None", "Return true or None."),
    ],
)
def test_words_of_python_become_words_of_rust(python: str, rust: str) -> None:
    assert rust_words(python, Words("f", "f")) == rust


@pytest.mark.parametrize(
    "text",
    [
        "Return the string 'True' or \"False\".",
        "Return 'dict' or “a  dict ,” or ‘True’.",
        "Join them as 'a   b' and 'a ,b'.",
        "Print `x  =  True` or ```\nx = {True ,  dict}\n```.",
    ],
)
def test_quoted_texts_and_code_stay(text: str) -> None:
    assert rust_words(text, Words("f", "f")) == text


def test_apostrophes_quote_nothing() -> None:
    text = "Don't say True , it's the teachers' dict."
    assert rust_words(text, Words("f", "f")) == "Don't say true, it's the teachers' map."


@pytest.mark.parametrize(
    ("python", "rust"),
    [
        ("drop the first match: drop(l)", "drop the first match: drop_value(l)"),
        (
            "Use `drop` or `drop(l, x.drop(1))` or `drop it`",
            "Use `drop_value` or `drop_value(l, x.drop(1))` or `drop it`",
        ),
        ("Say 'drop(1)'", "Say 'drop(1)'."),
    ],
)
def test_a_name_that_is_a_word_changes_only_where_it_is_code(python: str, rust: str) -> None:
    assert rust_words(python, Words("drop", "drop_value")) == rust


def test_a_name_that_is_no_word_changes_everywhere() -> None:
    assert rust_words("Do maxOf, not maxOfAll.", Words("maxOf", "max_of")) == "Do max_of, not maxOfAll."


def test_a_dictionary_is_a_map_only_where_the_signature_has_one_and_words_in_the_cases_stay() -> None:
    text = "Look up the dictionary, return True."
    assert rust_words(text, Words("f", "f", has_map=False)) == "Look up the dictionary, return true."
    assert rust_words(text, Words("f", "f", values=frozenset(("True",)))) == "Look up the map, return True."
    asserts = ("assert f(1) == 'True'", "assert f(2) == 'dict'")
    found = translate(PythonTask("t", "other", "Find True in a dictionary.", asserts))
    assert found.text == "Find True in a dictionary."
