"""Shapes become Rust types and literals, with lifetimes exactly where rustc demands them."""

from __future__ import annotations

import random

import pytest

from tiny.rust_types import ELEMENTS, Element, Setting, draw, literal, signature_types, spell


def element(name: str) -> Element:
    return next(item for item in ELEMENTS if item.name == name)


@pytest.mark.parametrize(
    ("shape", "name", "wanted"),
    [
        ("T", "i32", "i32"),
        ("S", "u8", "&[u8]"),
        ("Option<(T, T)>", "char", "Option<(char, char)>"),
        ("Duo", "f64", "Span"),
        ("usize", "String", "usize"),
    ],
)
def test_a_shape_is_spelled_as_a_rust_type(shape: str, name: str, wanted: str) -> None:
    assert spell(shape, Setting(element(name))) == wanted


@pytest.mark.parametrize(
    ("shape", "value", "name", "wanted"),
    [
        ("T", "owl", "String", 'String::from("owl")'),
        ("T", "Red", "Light", "Light::Red"),
        ("S", [], "i32", "&[]"),
        ("Vec<T>", ["a", "b"], "char", "vec!['a', 'b']"),
        ("Option<T>", None, "bool", "None"),
        ("Option<(T, T)>", (1, 2), "u8", "Some((1, 2))"),
        ("Duo", (0.5, 2.0), "f64", "Span { start: 0.5, end: 2.0 }"),
        ("usize", 3, "f64", "3"),
        ("bool", True, "f64", "true"),
    ],
)
def test_a_value_is_written_as_a_rust_literal(shape: str, value: object, name: str, wanted: str) -> None:
    assert literal(shape, value, Setting(element(name))) == wanted


def test_a_returned_str_gets_a_lifetime_only_where_elision_is_ambiguous() -> None:
    text = Setting(element("&str"))
    assert signature_types(("T",), "Option<T>", text) == ("", ["&str"], "Option<&str>")
    assert signature_types(("S",), "Option<T>", text)[0] == "<'a>"
    assert signature_types(("T", "T"), "bool", text) == ("", ["&str", "&str"], "bool")


def test_drawn_arguments_come_from_the_element_s_pool_and_repeat_values_often() -> None:
    rng = random.Random(0)
    setting = Setting(element("i32"))
    drawn = [draw(("S", "T"), setting, rng) for _ in range(200)]
    assert all(value in setting.element.pool for values, _ in drawn for value in values)
    assert all(len(values) <= 4 for values, _ in drawn)
    assert sum(item in values for values, item in drawn) > 80  # half and more of them would be found


def test_a_program_defines_the_types_it_uses() -> None:
    setting = Setting(element("Light"))
    definition = setting.definition(("Duo", "T"))
    assert "enum Light {" in definition and "struct Span {" in definition
    assert Setting(element("i32")).definition(("T",)) == ""
    assert setting.briefs(("Duo",)) == ["enum Light { Red, Amber, Green }", "struct Span { start: Light, end: Light }"]
