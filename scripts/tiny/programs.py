"""From an operation to Rust: the request (names, signature), cases with true results, the solution, the gold tests.

A `Request` is what a prompt asks for; a `Solution` is a program in parts, so that a mistake can be planted in one part.
`phrasing` has the English of a prompt, `mistakes` the planted mistakes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from tiny.catalogue import rivals
from tiny.operation import Operation
from tiny.rust_types import DUOS, SEQUENCES, Element, Setting, draw, literal, signature_types

__all__ = [
    "NOUNS",
    "PARAMETERS",
    "VERBS",
    "Check",
    "Request",
    "Solution",
    "draw_checks",
    "draw_request",
    "draw_solution",
    "gold_tests",
    "reference",
]

VERBS = (
    *("pick", "find", "make", "take", "read", "check", "get"),
    *("show", "solve", "choose", "work", "give", "look", "test"),
)
NOUNS = (
    *("item", "value", "entry", "node", "card", "task", "unit", "part", "case", "mark", "note", "step"),
    *("word", "code", "key", "room", "page", "ring"),
)
_NAMES = {  # names of parameters by shape, in rows that are used together
    "T": (("a", "b", "c"), ("x", "y", "z"), ("left", "right", "other"), ("one", "two", "three"), ("p", "q", "r")),
    "T after another": (("x",), ("item",), ("target",), ("key",)),
    "S": (("xs", "ys"), ("items", "others"), ("values", "more"), ("list", "rest")),
    "Option<T>": (("opt", "alt"), ("maybe", "backup"), ("found", "spare")),
    "tuple": (("pair",), ("both",), ("tup",)),
    "Duo": (("data",), ("input",), ("whole",)),
    "bool": (("flag",), ("cond",), ("yes",)),
    "usize": (("n",), ("num",), ("k",)),
    "char": (("letter",), ("ch",)),
}
PARAMETERS = tuple(dict.fromkeys(name for rows in _NAMES.values() for row in rows for name in row))
_TEST_NAMES = ("works", "test_{name}", "checks", "it_works", "examples")
_DRAWS = 60  # argument lists drawn to choose cases from


@dataclass(frozen=True)
class Request:
    """What one prompt asks for: an operation on an element type under a name."""

    operation: Operation
    setting: Setting
    name: str
    names: tuple[str, ...]  # of the parameters

    @property
    def definition(self) -> str:
        """Items that the program must define first."""
        return self.setting.definition((*self.operation.params, self.operation.returns))

    @property
    def types(self) -> tuple[str, list[str], str]:
        """Generics, parameter types and return type."""
        return signature_types(self.operation.params, self.operation.returns, self.setting)

    def signature(self) -> str:
        """The function's signature without `fn`: `pick_item(a: i32, b: i32) -> i32`."""
        generics, types, result = self.types
        params = ", ".join(f"{name}: {kind}" for name, kind in zip(self.names, types))
        return f"{self.name}{generics}({params}) -> {result}"


@dataclass(frozen=True)
class Check:
    """One assert: the arguments of the call and the expected value, both as Rust."""

    arguments: str
    expected: str

    def render(self, name: str) -> str:
        """The assert as one line of Rust.

        >>> Check("1, 2", "true").render("f"), Check("1", "2").render("f")
        ('assert!(f(1, 2));', 'assert_eq!(f(1), 2);')
        """
        call = f"{name}({self.arguments})"
        if self.expected in ("true", "false"):
            return f"assert!({'' if self.expected == 'true' else '!'}{call});"
        return f"assert_eq!({call}, {self.expected});"


@dataclass(frozen=True)
class Solution:
    """A Rust program in parts. `tests` holds one tuple of checks for each test function."""

    definition: str
    signature: str
    body: str
    call: str  # the name by which the tests call the function
    tests: tuple[tuple[Check, ...], ...]
    test_name: str = "works"
    use_super: bool = True

    def code(self) -> str:
        """The function and what it needs, without tests."""
        body = "".join(f"    {line}\n" for line in self.body.splitlines())
        return (self.definition and self.definition + "\n") + f"fn {self.signature} {{\n{body}}}\n"

    def source(self) -> str:
        """The whole Rust program."""
        return f"{self.code()}\n{self.test_module()}"

    def test_module(self) -> str:
        """The `mod tests` block."""
        parts = ["    use super::*;\n"] if self.use_super else []
        for number, checks in enumerate(self.tests):
            lines = "".join(f"        {check.render(self.call)}\n" for check in checks)
            title = self.test_name + ("_again" if number else "")
            parts.append(f"    #[test]\n    fn {title}() {{\n{lines}    }}\n")
        return "#[cfg(test)]\nmod tests {\n" + "\n".join(parts) + "}\n"

    def completion(self) -> str:
        """The text that a model answers with: the program in one code block."""
        return f"```rust\n{self.source()}```"


def draw_request(operation: Operation, element: Element, rng: random.Random) -> Request:
    """A request for the operation on the element, with random names and containers."""
    setting = Setting(element, rng.choice(SEQUENCES), rng.choice(DUOS))
    name = f"{rng.choice(VERBS)}_{rng.choice(NOUNS)}"
    return Request(operation, setting, name, _parameter_names(operation, rng))


def _parameter_names(operation: Operation, rng: random.Random) -> tuple[str, ...]:
    """Names for the parameters, all different."""
    rows: dict[str, list[str]] = {}
    names = []
    for shape in operation.params:
        kind = "tuple" if shape.startswith("(") else shape
        if kind == "T" and operation.params[0] not in ("T", "bool"):
            kind = "T after another"
        if kind not in rows:
            rows[kind] = list(rng.choice(_NAMES[kind]))
        names.append(rows[kind].pop(0))
    return tuple(names)


def _compute(operation: Operation, arguments: list[Any]) -> Any:
    """The operation's result, or "undefined" where it has none."""
    return operation.meaning(*arguments) if operation.valid(*arguments) else "undefined"


def _cases(request: Request, rng: random.Random) -> list[tuple[list[Any], Any]]:
    """Different argument lists with their true results, ordered so that every prefix of the list has varied results."""
    by_result: dict[str, list[tuple[list[Any], Any]]] = {}
    seen = set()
    for _ in range(_DRAWS):
        arguments = draw(request.operation.params, request.setting, rng)
        if repr(arguments) in seen or not request.operation.valid(*arguments):
            continue
        seen.add(repr(arguments))
        expected = request.operation.meaning(*arguments)
        if not (expected == [] and request.operation.returns == "Vec<T>"):  # `vec![]` alone has no type to compare with
            by_result.setdefault(repr(expected), []).append((arguments, expected))
    piles = list(by_result.values())
    rng.shuffle(piles)
    return [pile[depth] for depth in range(_DRAWS) for pile in piles if depth < len(pile)]


def _check(request: Request, arguments: list[Any], expected: Any) -> Check:
    """The case as Rust."""
    setting = request.setting
    call = ", ".join(literal(shape, value, setting) for shape, value in zip(request.operation.params, arguments))
    return Check(call, literal(request.operation.returns, expected, setting))


def draw_checks(request: Request, rng: random.Random, count: int) -> list[Check]:
    """Different true asserts with varied results: `count` of them, or fewer where there are no more."""
    return [_check(request, *case) for case in _cases(request, rng)[:count]]


def draw_solution(request: Request, rng: random.Random) -> Solution:
    """A right solution with one to three true asserts."""
    wanted = rng.choices((1, 2, 3), weights=(20, 50, 30))[0]
    checks = tuple(_check(request, *case) for case in _cases(request, rng)[:wanted])
    split = len(checks) > 1 and rng.random() < 0.2
    tests = (checks[:1], checks[1:]) if split else (checks,)
    body = request.operation.body(rng.randrange(2), request.names, request.setting)
    title = rng.choice(_TEST_NAMES).format(name=request.name)
    return Solution(request.definition, request.signature(), body, request.name, tests, title)


def reference(request: Request) -> str:
    """The reference solution: the function and the types it needs, without tests."""
    body = request.operation.body(0, request.names, request.setting)
    return Solution(request.definition, request.signature(), body, request.name, ()).code()


def gold_tests(request: Request, rng: random.Random) -> str:
    """A test module of three to five true asserts that tell the operation from its rivals.

    Cases are chosen greedily: each refutes as many of the remaining rivals as possible; among equals, one with a result
    not seen yet is preferred.
    """
    cases = _cases(request, rng)
    standing = rivals(request.operation, request.setting.element)
    chosen: list[tuple[list[Any], Any]] = []
    while len(chosen) < 5 and len(cases) > len(chosen):
        left = [case for case in cases if case not in chosen]
        if len(chosen) >= 3 and not any(_refuted(case, standing) for case in left):
            break
        results = [case[1] for case in chosen]
        best = max(left, key=lambda case: (len(_refuted(case, standing)), case[1] not in results))  # first of equals
        chosen.append(best)
        standing = [rival for rival in standing if rival not in _refuted(best, standing)]
    lines = "".join(f"        {_check(request, *case).render(request.name)}\n" for case in chosen)
    return f"#[cfg(test)]\nmod gold {{\n    use super::*;\n\n    #[test]\n    fn gold() {{\n{lines}    }}\n}}\n"


def _refuted(case: tuple[list[Any], Any], standing: list[Operation]) -> list[Operation]:
    """The rivals whose result differs from the true one in this case."""
    return [rival for rival in standing if _compute(rival, case[0]) != case[1]]
