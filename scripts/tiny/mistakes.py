"""Mistakes planted in right programs, so that the warm model fails in the ways that learners of Rust fail.

There are seven classes, with weights. Where a mistake does not fit a program (a missing lifetime where there is none),
another one is drawn. Every planted program differs from the right one, but a few still compile and pass.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

from tiny.catalogue import HARDER, rivals
from tiny.programs import Check, Request, Solution

__all__ = ["MISTAKES", "plant"]

Mistake = Callable[[Request, Solution, random.Random], str | None]
_DROPPED = (  # syntax: a text and what is left of it, once
    ("));\n", ");\n"),
    (");\n", ")\n"),
    (") -> ", " -> "),
    (" {\n    use", "\n    use"),
    ("    }\n}\n", "    }\n"),
    ("}\n\n#[cfg", "\n#[cfg"),
    ("#[test]", "[test]"),
    (" -> ", " "),
    ("fn ", ""),
    ("assert_eq!(", "assert_eq("),
    ("(test)]", "(test)"),
)
_RETYPED = (  # types: what a body or a call wrongly lacks or has
    (".copied()", ""),
    (".cloned()", ""),
    ("Some(", "("),
    (".collect()", ""),
    (".len()", ""),
    (".count()", ""),
    ("**v", "v"),
    ("*v", "v"),
    ("contains(&", "contains("),
    ("Some(&", "Some("),
    (".unwrap_or", ".or"),
    ("vec![", "["),
    ("&[", "["),
    ("true", "1"),
)


def _syntax(request: Request, solution: Solution, rng: random.Random) -> str | None:
    """Something is missing that the grammar needs."""
    text = solution.completion()
    fitting = [pair for pair in _DROPPED if pair[0] in text]
    old, new = rng.choice(fitting)
    places = [match.start() for match in re.finditer(re.escape(old), text)]
    place = rng.choice(places)
    return text[:place] + new + text[place + len(old) :]


def _types(request: Request, solution: Solution, rng: random.Random) -> str | None:
    """The body or an assert has the wrong type."""
    kind = rng.random()
    if kind < 0.6:
        fitting = [pair for pair in _RETYPED if pair[0] in solution.body]
        if fitting:
            return replace(solution, body=solution.body.replace(*rng.choice(fitting), 1)).completion()
        *before, last = solution.body.split("\n")
        if request.operation.returns.startswith("Option<") or last.startswith(("if ", "}")):
            return None
        return replace(solution, body="\n".join([*before, f"Some({last})"])).completion()
    if kind < 0.8:  # the signature promises something else
        wrong = rng.choice(("bool", "usize", "i32", "String", "Option<i32>"))
        right = request.types[2]
        signature = solution.signature.removesuffix(right) + wrong
        return replace(solution, signature=signature).completion() if wrong != right else None
    return _with_check(solution, rng, lambda check: _mistyped(check, rng))


def _mistyped(check: Check, rng: random.Random) -> Check | None:
    """The check with an expected value or an argument of another type."""
    if check.expected in ("true", "false"):
        arguments = check.arguments.replace("&[", "[", 1) if "&[" in check.arguments else f"{check.arguments}, 1"
        return replace(check, arguments=arguments)
    if check.expected.startswith("Some("):
        return replace(check, expected=check.expected[5:-1])
    if check.expected.startswith("String::from("):
        return replace(check, expected=check.expected[12:])
    return replace(check, expected=rng.choice((f"Some({check.expected})", f"&{check.expected}")))


def _borrow(request: Request, solution: Solution, rng: random.Random) -> str | None:
    """A lifetime is missing, a value is used after a move, or something not mutable is changed."""
    if "'a" in solution.signature:
        return replace(solution, signature=solution.signature.replace("<'a>", "").replace("'a ", "")).completion()
    if "let mut " in solution.body:
        return replace(solution, body=solution.body.replace("let mut ", "let ")).completion()
    if "owned" in request.setting.element.traits or "Vec<" in request.types[1][0] or "Duo" in request.operation.params:
        other = rng.choice(("saved", "old", "tmp"))
        moved = f"let {other} = {request.names[0]};\n"
        return (
            replace(solution, body=moved + solution.body).completion()
            if request.operation.params[0] != "bool"
            else None
        )
    if len(request.names) > 1 and request.types[1][0] == request.types[1][1]:
        changed = f"{request.names[0]} = {request.names[1]};\n"
        return replace(solution, body=changed + solution.body).completion()
    if request.types[2] == request.setting.element.rust:
        return replace(solution, signature=solution.signature.replace(" -> ", " -> &")).completion()
    return None


def _expected(request: Request, solution: Solution, rng: random.Random) -> str | None:
    """One assert expects a wrong value."""
    return _with_check(solution, rng, lambda check: _misjudged(check, request, rng))


def _misjudged(check: Check, request: Request, rng: random.Random) -> Check | None:
    """The check with another value of the same type expected."""
    if check.expected in ("true", "false"):
        return replace(check, expected="false" if check.expected == "true" else "true")
    if request.operation.returns.endswith("usize") or request.operation.returns == "Option<usize>":
        wrong = re.sub(r"\d", str(rng.randrange(5)), check.expected)
        return replace(check, expected=wrong) if wrong != check.expected else None
    element = request.setting.element
    present = [text for text in map(element.literal, element.pool) if text in check.expected]
    if not present:
        return None
    other = element.literal(rng.choice(element.pool))
    wrong = check.expected.replace(rng.choice(present), other, 1)
    return replace(check, expected=wrong) if wrong != check.expected else None


def _operator(request: Request, solution: Solution, rng: random.Random) -> str | None:
    """The body computes a rival operation; the asserts stay true to the prompt."""
    others = [other for other in rivals(request.operation, request.setting.element) if other.name not in HARDER]
    if not others:
        return None
    body = rng.choice(others).body(rng.randrange(2), request.names, request.setting)
    return replace(solution, body=body).completion() if body != solution.body else None


def _scope(request: Request, solution: Solution, rng: random.Random) -> str | None:
    """The tests do not import what they test."""
    return replace(solution, use_super=False).completion()


def _name(request: Request, solution: Solution, rng: random.Random) -> str | None:
    """The function, or its call in the tests, has a name that was not asked for."""
    verb, noun = request.name.split("_")
    other = rng.choice((verb, noun, f"{noun}_{verb}", f"{verb}_{noun}s", f"{verb}{noun}"))
    if rng.random() < 0.5:
        return replace(solution, call=other).completion()
    return replace(solution, signature=solution.signature.replace(request.name, other, 1)).completion()


def _with_check(solution: Solution, rng: random.Random, change: Callable[[Check], Check | None]) -> str | None:
    """The completion with one of the program's checks changed."""
    tests = [list(checks) for checks in solution.tests]
    checks = rng.choice(tests)
    place = rng.randrange(len(checks))
    changed = change(checks[place])
    if changed is None:
        return None
    checks[place] = changed
    return replace(solution, tests=tuple(map(tuple, tests))).completion()


MISTAKES: dict[str, tuple[float, Mistake]] = {
    "syntax": (0.26, _syntax),
    "types": (0.24, _types),
    "borrow": (0.14, _borrow),
    "expected": (0.12, _expected),
    "operator": (0.10, _operator),
    "scope": (0.08, _scope),
    "name": (0.06, _name),
}


def plant(request: Request, solution: Solution, rng: random.Random) -> tuple[str, str]:
    """The class of a mistake, and the completion with that mistake in it."""
    right = solution.completion()
    while True:
        kind = rng.choices(list(MISTAKES), weights=[weight for weight, _ in MISTAKES.values()])[0]
        text = MISTAKES[kind][1](request, solution, rng)
        if text is not None and text != right:
            return kind, text
