"""Reads Rust's literals as terms: numbers, characters and strings."""

from __future__ import annotations

import re

from tree_sitter import Node

from rewards.gold.terms import NotEvaluable, Term, as_single, boolean, integer
from rewards.rust.tokens import node_text

__all__ = ["read_literal"]

INTEGER = re.compile(r"(0x(?=[0-9a-fA-F_])|0[ob])?((?(1)[0-9a-fA-F_]|[0-9_])+?)([iu](?:8|16|32|64|128|size))?")
FLOAT = re.compile(r"([0-9_]+(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]+)?)_?(f32|f64)?")
STRING = re.compile(r'(b|c)?(r#*)?"(.*)"#*', re.DOTALL)
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u\{([0-9a-fA-F_]+)\}|(\r?\n\s*)|(.))", re.DOTALL)
ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\\": "\\", "'": "'", '"': '"'}
DIGITS_OF_SINGLE = 9  # a decimal number with more of them is meant as an f64
BASES = {"0x": 16, "0o": 8, "0b": 2}


def read_literal(node: Node) -> Term | None:
    """The value of a literal; None for another node. Raises: NotEvaluable for a literal that has another form.

    >>> from rewards.rust.grammar import syntax
    >>> read_literal(syntax("0xf_f").children[0].children[0])
    Term(kind='int', value=255, parts=(), names=())
    """
    text = node_text(node)
    match node.type:
        case "integer_literal":
            return _integer(text)
        case "float_literal":
            return _float(text)
        case "boolean_literal":
            return boolean(text == "true")
        case "char_literal":
            return _character(text)
        case "string_literal" | "raw_string_literal":
            return _string(text)
    return None


def _integer(text: str) -> Term:
    found = INTEGER.fullmatch(text)
    if not found:
        return _float(text)  # such as 1e3 or 2f32
    base, digits, width = found.groups()
    try:
        return integer(int(digits.replace("_", ""), BASES.get(base, 10)), width or "")
    except ValueError:
        raise NotEvaluable(text) from None


def _float(text: str) -> Term:
    found = FLOAT.fullmatch(text)
    if not found:
        if INTEGER.fullmatch(text):
            return _integer(text)
        raise NotEvaluable(text)
    digits = re.sub(r"[eE].*|\D", "", found[1]).strip("0")
    is_double = found[2] is None and len(digits) > DIGITS_OF_SINGLE
    value = float(found[1].replace("_", ""))
    return Term("float", as_single(value) if found[2] == "f32" else value, width=found[2] or "", double=is_double)


def _character(text: str) -> Term:
    inside = _unescaped(text.removeprefix("b")[1:-1])
    if len(inside) != 1:
        raise NotEvaluable(text)
    return integer(ord(inside), "u8") if text.startswith("b") else Term("char", inside)


def _string(text: str) -> Term:
    found = STRING.fullmatch(text)
    if not found or found[1] == "c":
        raise NotEvaluable(text)
    inside = found[3] if found[2] else _unescaped(found[3])
    if found[1] == "b":
        return Term("seq", None, tuple(integer(ord(letter), "u8") for letter in inside))
    return Term("str", inside)


def _unescaped(text: str) -> str:
    """The text that a literal's inside stands for."""

    def value(found: re.Match[str]) -> str:
        if found[1] or found[2]:
            return chr(int((found[1] or found[2]).replace("_", ""), 16))
        if found[3]:
            return ""
        if found[4] not in ESCAPED:
            raise NotEvaluable(text)
        return ESCAPED[found[4]]

    return ESCAPE.sub(value, text)
