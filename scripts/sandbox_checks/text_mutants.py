"""Changes of a completion's text: fences, bytes, brackets, comments, surrogates, controls, repetitions."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

__all__ = ["mutated"]

LONGEST = 40_000  # characters of a mutated completion, some ten times what the published recipe samples
PIECES = (
    *(
        "```",
        "```rust\n",
        "````",
        "~~~",
        "~~~rust\n",
        "\n```\n",
        "```rs",
        "    ```rust\n",
        "> ```",
        "`",
        "\ufeff",
        "\r\n",
        "\r",
    ),
    *(
        "\0",
        "\x1b[31m",
        "\x1b]0;t\x07",
        "\u202e",
        "\u2066",
        "\u2028",
        "\x85",
        "\x0b",
        "\ud800",
        "\udc00",
        "\udcff",
        "\ufffd",
    ),
    *(
        "\u0301",
        "\U0001f600",
        "é",
        "/*",
        "*/",
        "//",
        "/*!",
        "///",
        '"',
        "'",
        "'a",
        '\\"',
        'r#"',
        '"#',
        'r####"',
        'b"',
        "br##'",
    ),
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "<",
        ">",
        "|",
        "||",
        "=>",
        "::",
        "..",
        "#[test]",
        "#[cfg(test)]",
        "#![",
        "#[",
        "mod tests {",
    ),
    *(
        "assert!(",
        "assert_eq!(",
        "macro_rules! m {",
        "$x",
        "if ",
        "else ",
        "match x {",
        "unsafe ",
        "async ",
        "impl ",
        "fn ",
        "r#fn",
    ),
    *(
        "where ",
        "for<'a> ",
        "dyn ",
        "0x",
        "1e999",
        "1_",
        "9" * 50,
        "-",
        "!",
        "&",
        "&&",
        "*",
        "?",
        ";",
        ",",
        " ",
        "\t",
        "\n",
    ),
)


def mutated(text: str, rng: random.Random, others: Sequence[str]) -> str:
    """A completion with one to eight changes of its text."""
    for _ in range(rng.choice((1, 1, 2, 3, 5, 8))):
        text = rng.choice(CHANGES)(text, rng, others)[:LONGEST]
    return text


def _insert(text: str, rng: random.Random, others: Sequence[str]) -> str:
    at, piece = rng.randint(0, len(text)), rng.choice(PIECES)
    return text[:at] + piece * rng.choice((1, 1, 1, 2, 7, 300)) + text[at:]


def _nest(text: str, rng: random.Random, others: Sequence[str]) -> str:
    left, right = rng.choice(
        ("()", "[]", "{}", "<>", ("/*", "*/"), ("if x {", "}"), ("mod a {", "}"), ("|x| {", "}"), ("!(", ")"))
    )
    at, deep = rng.randint(0, len(text)), rng.choice((3, 3, 20, 60, 60, 151, 600, 5000))
    return (
        text[:at] + left * deep + rng.choice(("", "1", "x")) + right * rng.choice((deep, deep, deep - 1, 0)) + text[at:]
    )


def _cut(text: str, rng: random.Random, others: Sequence[str]) -> str:
    start, end = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
    return rng.choice((text[:start] + text[end:], text[:end], text[start:]))


def _repeat(text: str, rng: random.Random, others: Sequence[str]) -> str:
    start = rng.randint(0, len(text))
    piece = text[start : start + rng.choice((1, 5, 40, 400))]
    return text[:start] + piece * rng.choice((2, 5, 50)) + text[start:]


def _splice(text: str, rng: random.Random, others: Sequence[str]) -> str:
    other, at = rng.choice(others), rng.randint(0, len(text))
    start = rng.randint(0, len(other))
    return text[:at] + other[start : start + rng.choice((20, 200, 5000))] + text[at:]


def _bytes(text: str, rng: random.Random, others: Sequence[str]) -> str:
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(rng.choice((1, 3, 20)) if data else 0):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return data.decode("utf-8", rng.choice(("replace", "surrogateescape")))


def _lines(text: str, rng: random.Random, others: Sequence[str]) -> str:
    ends = rng.choice(("\r\n", "\r", "\u2028", "", "\n\n", "\n" * 200))
    return text.replace("\n", ends, rng.choice((-1, 1, 5)))


CHANGES: tuple[Callable[[str, random.Random, Sequence[str]], str], ...] = (
    *(_insert, _insert, _insert, _nest, _cut, _repeat, _splice, _bytes, _lines),
)
