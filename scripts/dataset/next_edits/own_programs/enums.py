"""Programs with an enum and matches on it whose values follow a rule, and their gold tests."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from dataset.next_edits.own_programs.program import MadeProgram, assert_line, gold_module

__all__ = ["enums"]

ENUMS = {
    "Color": ("Red", "Green", "Blue", "White"),
    "Coin": ("Penny", "Nickel", "Dime", "Quarter"),
    "Day": ("Mon", "Tue", "Wed", "Thu"),
    "Shape": ("Circle", "Square", "Line", "Dot"),
    "Level": ("Low", "Mid", "High", "Top"),
    "Animal": ("Cat", "Dog", "Fox", "Owl"),
    "Metal": ("Iron", "Tin", "Gold", "Lead"),
    "State": ("Idle", "Busy", "Done", "Lost"),
    "Fruit": ("Apple", "Pear", "Fig", "Plum"),
    "Side": ("North", "East", "South", "West"),
}
PARAMETERS = ("value", "e", "kind", "it", "given")
Values = Callable[[Sequence[str]], list[str]]


def enums(rng: random.Random) -> MadeProgram:
    """An enum of two or three variants with one or two functions, each of which is a match."""
    name = rng.choice(tuple(ENUMS))
    variants = rng.sample(ENUMS[name], rng.choice((2, 2, 3)))
    lines = "".join(f"    {variant},\n" for variant in variants)
    texts, asserts = [f"#[derive(Debug, Clone, Copy, PartialEq)]\nenum {name} {{\n{lines}}}\n"], []
    first, step = rng.randrange(1, 6), rng.choice((1, 2, 5, 10))
    rules: list[tuple[str, str, Values]] = [
        (rng.choice(("name", "label", "word")), "&'static str", lambda names: [f'"{one.lower()}"' for one in names]),
        (rng.choice(("letter", "sign", "mark")), "char", lambda names: [f"'{one[0].lower()}'" for one in names]),
        (rng.choice(("cost", "rank", "worth")), rng.choice(("u32", "i32", "u8", "usize")),
         lambda names: [str(first + step * place) for place in range(len(names))]),
        (rng.choice(("title", "shown")), "&'static str", lambda names: [f'"{one}"' for one in names]),
    ]  # fmt: skip
    for function, kind, rule in rng.sample(rules, rng.choice((1, 2, 2))):
        values, form = rule(variants), rng.choice(("value", "reference", "method"))
        texts.append(_function(name, function, kind, dict(zip(variants, values, strict=True)), form, rng))
        for variant, value in zip(variants, values, strict=True):
            asserts.append(assert_line(_call(name, function, variant, form), value))
    return MadeProgram("\n".join(texts), gold_module(asserts))


def _function(
    enum: str, name: str, kind: str, values: dict[str, str], form: str, rng: random.Random
) -> str:  # fmt: skip
    """A function that is a match."""
    is_method = form == "method"
    given = "self" if is_method else rng.choice(PARAMETERS)
    path = rng.choice((enum, "Self")) if is_method else enum
    takes = "self" if is_method else f"{given}: {'&' if form == 'reference' else ''}{enum}"
    arms = "".join(f"        {path}::{variant} => {value},\n" for variant, value in values.items())
    text = f"fn {name}({takes}) -> {kind} {{\n    match {given} {{\n{arms}    }}\n}}\n"
    if not is_method:
        return text
    return f"impl {enum} {{\n" + "".join(f"    {line}\n" for line in text.splitlines()) + "}\n"


def _call(enum: str, name: str, variant: str, form: str) -> str:
    """A call of the function with a variant."""
    value = f"{enum}::{variant}"
    return f"{value}.{name}()" if form == "method" else f"{name}({'&' if form == 'reference' else ''}{value})"
