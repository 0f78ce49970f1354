"""Whether a test module that runs inside a program hands what it expects to methods and operators of the program.

`square(3).cmp(&9)` says what is expected to a method that the program may have written itself, where the test means
that of a number. Methods of objects are another matter: `stack.len()` is what the test asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from rewards.rust.grammar import syntax
from rewards.rust.tokens import node_text, plain_name, without_generics

__all__ = ["takes_over_methods"]

OF_STANDARD_TYPES = frozenset(  # methods that tests use on what functions return, and that see what they expect
    ("all", "any", "find", "position", "filter", "map", "fold", "zip", "windows", "chunks", "iter", "into_iter", "next",
     "cmp", "partial_cmp", "total_cmp", "eq", "ne", "lt", "le", "gt", "ge", "map_or", "map_or_else", "is_some_and",
     "is_ok_and", "is_none_or", "and_then", "unwrap_or", "unwrap_or_default", "clamp", "min", "max", "abs", "abs_diff",
     "powi", "powf", "sqrt", "round", "floor", "ceil", "trunc", "sub", "rem", "bitxor", "is_sorted", "starts_with",
     "ends_with", "contains", "eq_ignore_ascii_case", "chars", "bytes", "lines", "split", "split_whitespace")
)  # fmt: skip
STANDARD_TRAITS = frozenset(
    ("Iterator", "DoubleEndedIterator", "IntoIterator", "PartialEq", "PartialOrd", "Ord", "Sub", "Rem", "BitXor",
     "ExactSizeIterator")
)  # fmt: skip
OPERATORS = {"-": "Sub", "+": "Add", "%": "Rem", "^": "BitXor"}
BORROW = re.compile(r"^&\s*(?:'\w+\s+)?")
MACRO = re.compile(
    r"\b(?:vec|(assert|assert_eq|assert_ne|debug_assert\w*|print|println|dbg|format|matches))\s*!\s*(?=[(\[])"
)
BINDING = {"let_declaration": "value", "for_expression": "value", "let_condition": "value", "match_arm": "value"}


def takes_over_methods(source: str, module: str) -> bool:
    """Whether a program has methods or operators of its own for what its functions return and a test module uses.

    Args:
        source: The program.
        module: The test module.
    """
    root = syntax(source)
    functions, methods, operators = set[str](), set[str](), set[str]()
    for node in _below(root):
        if node.type == "function_item" and _is_free(node):
            functions.add(plain_name(node.child_by_field_name("name")))
        elif node.type in ("impl_item", "trait_item"):
            methods |= _methods(node)
            operators |= _operator(node)
        elif node.type == "token_tree":
            made = set(_made_by_macros(node))
            methods |= made
            operators |= made & set(OPERATORS.values())
    methods &= OF_STANDARD_TYPES
    if not methods and not operators:
        return False
    tests = syntax(MACRO.sub(lambda found: f"{found[1]}_" if found[1] else "", module))
    return _Results(tests, functions).meet(methods, operators)


class _Results:
    """What a test module does to the results of functions."""

    def __init__(self, root: Node, functions: set[str]) -> None:
        self._root, self._functions = root, functions
        self._variables: set[str] = set()
        for _ in range(2):  # a variable may stand for one that is read later
            for node in _below(root):
                self._bind(node)

    def meet(self, methods: set[str], operators: set[str]) -> bool:
        """Whether such methods or operators are used on them."""
        for node in _below(self._root):
            if node.type == "call_expression":
                function = _plain(node.child_by_field_name("function"))
                if function is None or function.type != "field_expression":
                    continue
                name = plain_name(function.child_by_field_name("field"))
                if name in methods and self._is_result(function.child_by_field_name("value")):
                    return True
            elif node.type in ("binary_expression", "compound_assignment_expr"):
                sign = node_text(node.children[1]).removesuffix("=")
                sides = (node.child_by_field_name("left"), node.child_by_field_name("right"))
                if OPERATORS.get(sign) in operators and any(map(self._is_result, sides)):
                    return True
        return False

    def _bind(self, node: Node) -> None:
        """Note the variables that hold a result."""
        value, pattern = node.child_by_field_name("value"), node.child_by_field_name("pattern")
        if node.type in BINDING and value is not None and pattern is not None and self._is_result(value):
            self._variables.update(node_text(found) for found in _below(pattern) if found.type == "identifier")
        function = _plain(node.child_by_field_name("function")) if node.type == "call_expression" else None
        if function is None or function.type != "field_expression":
            return
        if self._is_result(function.child_by_field_name("value")):
            for closure in _below(node.child_by_field_name("arguments")):
                found = closure.child_by_field_name("parameters") if closure.type == "closure_expression" else None
                self._variables.update(node_text(one) for one in _below(found) if one.type == "identifier")

    def _is_result(self, node: Node | None) -> bool:
        """Whether an expression is a result of a function, or what its methods make of one."""
        while node is not None:
            if node.type == "identifier":
                return node_text(node) in self._variables
            if node.type == "call_expression":
                function = _plain(node.child_by_field_name("function"))
                if function is None or function.type != "field_expression":
                    return plain_name(function) in self._functions
                node = function.child_by_field_name("value")
            elif node.type in ("field_expression", "try_expression", "index_expression", "parenthesized_expression"):
                node = node.named_children[0] if node.named_children else None
            elif node.type in ("reference_expression", "unary_expression"):
                node = node.named_children[-1] if node.named_children else None
            else:
                return False
        return False


def _plain(function: Node | None) -> Node | None:
    """What is called, without generic arguments."""
    if function is not None and function.type == "generic_function":
        return function.child_by_field_name("function")
    return function


def _is_free(node: Node) -> bool:
    """Whether a function has no `self`."""
    given = node.child_by_field_name("parameters")
    inside = node.parent.parent if node.parent is not None else None
    own = inside is not None and inside.type in ("impl_item", "trait_item")
    return given is not None and not own and not any(one.type == "self_parameter" for one in given.named_children)


def _methods(block: Node) -> set[str]:
    """The methods of an impl that is not of a trait of the standard library, or of a trait."""
    trait, body = block.child_by_field_name("trait"), block.child_by_field_name("body")
    if body is None or (trait is not None and plain_name(without_generics(trait)) in STANDARD_TRAITS):
        return set()
    items = [one for one in body.named_children if one.type in ("function_item", "function_signature_item")]
    return {plain_name(one.child_by_field_name("name")) for one in items}


def _operator(block: Node) -> set[str]:
    """The trait of an operator whose other side is another type than its own."""
    trait, own = block.child_by_field_name("trait"), block.child_by_field_name("type")
    given = trait.child_by_field_name("type_arguments") if trait is not None else None
    name = plain_name(without_generics(trait))
    if name not in OPERATORS.values() or given is None or own is None:
        return set()
    others = {BORROW.sub("", node_text(one)) for one in given.named_children}
    return set() if others <= {"Self", BORROW.sub("", node_text(own))} else {name}


def _made_by_macros(tree: Node) -> Iterator[str]:
    """The names of functions and operators in the text of a macro."""
    for before, child in zip([None, *tree.children], tree.children, strict=False):
        word = node_text(child)
        if word in OPERATORS.values() or (before is not None and node_text(before) == "fn"):
            yield word


def _below(node: Node | None) -> Iterator[Node]:
    """A node and all nodes below it."""
    waiting = [node] if node is not None else []
    while waiting:
        found = waiting.pop()
        yield found
        waiting += found.children
