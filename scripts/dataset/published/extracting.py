"""From a program and its tests to the signature that the tests call, with the program's own types in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tree_sitter import Node

from dataset.published.printing import function_line, impl_line, trait_text, type_text
from dataset.published.program import Impl, Items, items_of
from rewards.rust.grammar import syntax
from rewards.rust.tokens import leaves, node_text

__all__ = ["NoSignature", "Signature", "asserts_of", "signature_of"]

HERE = ("super", "self", "crate")
BEFORE_OTHERS = (".", "let", "mut", "fn", "|")  # what stands before the name of something else than a function
AFTER_OTHERS = (":", "=", "!")


class NoSignature(ValueError):
    """There is no signature to be had; the text says why, in words that can be counted."""


@dataclass(frozen=True)
class Signature:
    """What tests call, as a prompt shows it."""

    text: str  # a function or an impl block a line, without bodies
    types: str  # the program's own types and traits in it, as Rust; "" for none


@dataclass
class _Used:
    """What tests name of a program."""

    functions: set[str] = field(default_factory=set)
    types: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)  # called on a value, of whatever type
    associated: set[tuple[str, str]] = field(default_factory=set)  # named by type and name


def asserts_of(row: Mapping[str, Any]) -> list[str]:
    """The tests of a row: a list of texts, or one as JSON. Raises: NoSignature."""
    given = row.get("rust_test_list")
    try:
        found = json.loads(given) if isinstance(given, str) and given else given
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, list) or not all(isinstance(test, str) for test in found):
        raise NoSignature("rust_test_list is no list of texts")
    if not any(map(str.strip, found)):
        raise NoSignature("no tests")
    return found


def signature_of(code: str, tests: Sequence[str]) -> Signature:
    """The functions and methods that tests call.

    Raises: NoSignature.

    >>> signature_of("pub fn add(a: u8, b: u8) -> u8 { a + b }", ["assert_eq!(add(1, 2), 3);"]).text
    'fn add(a: u8, b: u8) -> u8'
    """
    items = items_of(code)
    words = [word for test in tests for word in _words(test)]
    used = _used(items, words)
    functions = [items.functions[name][0] for name in items.functions if name in used.functions]
    types, impls = _needed(items, used, functions)
    lines = [function_line(one) for one in functions]
    lines += [impl_line(impl.node, found) for impl in items.impls if (found := impls(impl))]
    if not lines:
        raise NoSignature(_why_none(items, set(words)))
    if any(len(items.functions[name]) > 1 for name in used.functions):
        raise NoSignature("two functions of one name")
    if any(_is_broken(one) for one in functions):
        raise NoSignature("a function that cannot be read")
    return Signature("\n".join(lines), "\n\n".join(_texts(items, types)))


def _why_none(items: Items, words: set[str]) -> str:
    if words & items.modules:
        return "the tests call a function of an inner module"
    if words & items.macros:
        return "the tests call a macro"
    return "the tests call no function of the code" if items.functions or items.impls else "the code has no function"


def _words(test: str) -> list[str]:
    """The tokens of a test, of macros too; a literal is one."""
    return ["", *(node_text(leaf) for leaf in leaves(syntax(test))), ""]


def _used(items: Items, words: Sequence[str]) -> _Used:
    """What the tokens of tests name."""
    used = _Used()
    bound = {after for before, after in zip(words, words[1:], strict=False) if before in ("let", "mut", "|")}
    for place in range(1, len(words) - 1):
        before, word, after = words[place - 1 : place + 2]
        owner = words[place - 2] if before == "::" else ""
        if before == "." and after in ("(", "::"):
            used.methods.add(word)
        elif owner in items.types:
            used.associated.add((owner, word))
        elif word in items.functions and _is_function(before, after, is_bound=word in bound):
            if before != "::" or owner in HERE:
                used.functions.add(word)
        if word in items.types and before != ".":
            used.types.add(word)
    return used


def _is_function(before: str, after: str, *, is_bound: bool) -> bool:
    """Whether a name of a function means that function, by the tokens around it; a variable may have its name."""
    return before not in BEFORE_OTHERS and after not in AFTER_OTHERS and (after == "(" or not is_bound)


def _needed(items: Items, used: _Used, functions: Sequence[Node]) -> tuple[set[str], Any]:
    """The own types and traits that a prompt must show, and a function from an impl block to what is called of it."""
    needed = set[str]()
    waiting = [*used.types, *(name for one in functions for name in _names(one))]

    def called(impl: Impl) -> list[Node]:
        if impl.type not in needed and impl.trait not in items.traits:
            return []
        return [
            member
            for name, member in impl.functions.items()
            if name in used.methods or (impl.type, name) in used.associated
        ]

    waiting += [impl.trait for impl in items.impls if called(impl)]
    while waiting:
        name = waiting.pop()
        if name in needed or (name not in items.types and name not in items.traits):
            continue
        needed.add(name)
        waiting += _names(items.types[name][1] if name in items.types else items.traits[name])
        for impl in items.impls:
            if found := called(impl):
                waiting += [impl.trait, impl.type, *(other for member in found for other in _names(member))]
    return needed, called


def _names(item: Node) -> Iterator[str]:
    """The types that an item names, without its body if it is a function."""
    stack = [item]
    while stack:
        node = stack.pop()
        if node.type == "type_identifier":
            yield node_text(node)
        stack.extend(child for child in node.children if child.type != "block")


def _texts(items: Items, names: Iterable[str]) -> list[str]:
    """Types and traits as a prompt shows them, in the order of the program."""
    found = [(items.types[name][1].start_byte, type_text(*items.types[name])) for name in names if name in items.types]
    found += [(items.traits[name].start_byte, trait_text(items.traits[name])) for name in names if name in items.traits]
    return [text for _, text in sorted(found)]


def _is_broken(function: Node) -> bool:
    return any(child.has_error for child in function.children if child.type != "block")
