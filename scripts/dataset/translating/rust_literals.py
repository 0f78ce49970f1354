"""Python values as Rust text, by the type that they were given."""

from __future__ import annotations

from typing import Any

from dataset.translating.inferring import RustType, Untyped

__all__ = ["literal", "rust_string"]

ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}


def literal(value: Any, kind: RustType, *, borrowed: bool = False) -> str:
    """A value as an expression of its type.

    Args:
        value: One of the values that the type was inferred from.
        kind: The type.
        borrowed: Whether it is an argument, as in `inferring.type_text`.
    Raises: Untyped, for a text that Rust cannot hold.

    >>> from dataset.translating.inferring import infer
    >>> literal({"a": [1]}, infer([{"a": [1.5]}])), literal(["b"], infer([["b"]]), borrowed=True)
    ('HashMap::from([("a", vec![1.0])])', '&["b"]')
    """
    return _literal(value, kind, borrowed)


def _literal(value: Any, kind: RustType, at_top: bool) -> str:
    match kind.kind:
        case "bool":
            return str(bool(value)).lower()
        case "i32" | "i64" | "i128":
            return str(int(value))
        case "f64":
            return repr(float(value))
        case "char":
            return f"'{_escaped(value, chr(39))}'"
        case "text":
            return rust_string(value)
        case "option":
            return "None" if value is None else f"Some({_literal(value, kind.parts[0], at_top)})"
        case "seq":
            inside = ", ".join(_literal(part, kind.parts[0], False) for part in value)
            return f"&[{inside}]" if at_top else f"vec![{inside}]"
        case "tuple":
            parts = [_literal(part, one, False) for part, one in zip(value, kind.parts, strict=True)]
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        case "set":
            parts = sorted(_literal(part, kind.parts[0], False) for part in value)
            return f"{'&' if at_top else ''}HashSet::from([{', '.join(parts)}])"
        case "map":
            pairs = (tuple(map(_literal, item, kind.parts, (False, False))) for item in value.items())
            return f"{'&' if at_top else ''}HashMap::from([{', '.join(f'({one}, {two})' for one, two in pairs)}])"
    raise AssertionError(kind)


def rust_string(text: str) -> str:
    r"""A string literal.

    >>> print(rust_string('say "no"\n\x07'))
    "say \"no\"\n\u{7}"
    """
    return f'"{_escaped(text, chr(34))}"'


def _escaped(text: str, quote: str) -> str:
    """The inside of a literal. Raises: Untyped."""
    return "".join(_escape(letter, quote) for letter in text)


def _escape(letter: str, quote: str) -> str:
    if 0xD800 <= ord(letter) <= 0xDFFF:
        raise Untyped("a text with half a surrogate pair")
    if letter == quote:
        return f"\\{letter}"
    if letter in ESCAPES:
        return ESCAPES[letter]
    return letter if letter.isprintable() else f"\\u{{{ord(letter):x}}}"
