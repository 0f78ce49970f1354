"""Whether a program gives another meaning to what tests compare with: for tests that run in its own process."""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from rewards.rust.asserts import ASSERTS
from rewards.rust.grammar import syntax
from rewards.rust.tokens import Tokens, plain_name, without_generics

__all__ = ["redefines_comparison"]

COMPARISONS = ("eq", "partial_cmp", "cmp")
COMPARING = ("PartialEq", "PartialOrd", "Ord")
MACROS = frozenset((*ASSERTS, "panic", "test"))


def redefines_comparison(source: str) -> bool:
    """Whether a program redefines an assert, `panic` or `test`, or what is equal to values of other types.

    Redefined is a macro that it defines, renames or imports by that name. An equality is suspicious that ignores one of
    its sides, that compares a type with another one, or whose trait has another name. Linear in the program's length.
    """
    root = syntax(source)
    tokens = Tokens(root)
    stack = [root]
    while stack:
        node = stack.pop()
        check = CHECKS.get(node.type)
        if check is not None and check(node, tokens):
            return True
        stack.extend(node.children)
    return False


def _is_suspicious(block: Node, tokens: Tokens) -> bool:
    """Whether an impl of a comparison ignores one of its sides, or compares with another type."""
    given, body = block.child_by_field_name("trait"), block.child_by_field_name("body")
    trait = plain_name(without_generics(given))
    if trait not in COMPARING or body is None:
        return False
    arguments = given.child_by_field_name("type_arguments") if given is not None else None
    if arguments is not None and tokens.texts(arguments) != ["<", "Self", ">"]:
        return True
    for function in body.named_children:
        if function.type == "function_item" and plain_name(function.child_by_field_name("name")) in COMPARISONS:
            used = tokens.texts(function.child_by_field_name("body"))
            parameters = function.child_by_field_name("parameters")
            others = [p.child_by_field_name("pattern") for p in (parameters.named_children if parameters else [])]
            if "self" not in used or not any(name in used for other in others for name in tokens.names(other)):
                return True
    return False


def _field(node: Node, name: str) -> str:
    return plain_name(node.child_by_field_name(name))


CHECKS: dict[str, Callable[[Node, Tokens], bool]] = {
    "impl_item": _is_suspicious,
    "macro_definition": lambda node, tokens: _field(node, "name") in MACROS,
    "use_as_clause": lambda node, tokens: _field(node, "alias") in MACROS or _field(node, "path") in COMPARING,
    "use_declaration": lambda node, tokens: not node.has_error and bool(tokens.names(node) & set(ASSERTS)),
}
