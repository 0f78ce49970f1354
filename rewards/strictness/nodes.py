"""What a node of the syntax tree is, as far as it decides whether and how it can be changed."""

from __future__ import annotations

from tree_sitter import Node

from rewards.rust.tokens import leaves, node_text, plain_name, without_generics

__all__ = [
    "RELATIONS", "has_let", "has_parameters", "holds", "holds_function", "identifiers", "ignores_arguments",
    "is_relation", "makes_value",
    "modifiers", "opaque_names",
]  # fmt: skip

RELATIONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
HIDING = frozenset(("closure_expression", "function_item", "macro_invocation"))  # in a constant


def opaque_names(node: Node) -> set[str]:
    """The names by which tests may use code in an item that is not changed.

    The name of a macro, and of a constant that holds a closure, a function or a macro's result; what stands in the
    arguments of a macro that may make such a constant.
    """
    if node.type == "macro_invocation":
        words = [node_text(leaf) for leaf in leaves(node)]
        if plain_name(node.child_by_field_name("macro")) == "thread_local":
            return {b for a, b in zip(words, words[1:], strict=False) if a == "static"}
        return identifiers(node) if "|" in words or "||" in words else set()
    if node.type not in ("macro_definition", "const_item", "static_item"):
        return set()
    value = node.child_by_field_name("value")
    if node.type == "macro_definition" or (value is not None and holds(value, HIDING)):
        return {plain_name(node.child_by_field_name("name"))}
    return set()


def holds(node: Node, kinds: frozenset[str]) -> bool:
    """Whether a node of some kinds stands in another."""
    stack = [node]
    while stack:
        node = stack.pop()
        if node.type in kinds:
            return True
        stack.extend(node.children)
    return False


def holds_function(constant: Node) -> bool:
    """Whether a constant holds a function, or a closure with parameters: code that nothing else shows."""
    stack = [constant]
    while stack:
        node = stack.pop()
        if node.type == "function_item" or (node.type == "closure_parameters" and node.named_children):
            return True
        stack.extend(node.children)
    return False


def ignores_arguments(function: Node) -> bool:
    """Whether a function has parameters beside `self` and uses none of them."""
    parameters, body = function.child_by_field_name("parameters"), function.child_by_field_name("body")
    given = [child for child in (parameters.named_children if parameters else []) if child.type == "parameter"]
    names = {node_text(leaf) for child in given for leaf in leaves(child.child_by_field_name("pattern") or child)}
    used = {node_text(leaf) for leaf in leaves(body)} if body is not None else names
    return bool(given) and names.isdisjoint(used)


def modifiers(function: Node) -> dict[str, Node]:
    """The words before `fn`."""
    modifiers = next((child for child in function.children if child.type == "function_modifiers"), None)
    return {node_text(word): word for word in modifiers.children} if modifiers is not None else {}


def identifiers(node: Node) -> set[str]:
    return {node_text(leaf).removeprefix("r#") for leaf in leaves(node) if "identifier" in leaf.type}


def makes_value(function: Node, block: Node) -> bool:
    """Whether a function in the block of a type makes a value of that type, and not from another one."""
    kind, parameters = function.child_by_field_name("return_type"), function.child_by_field_name("parameters")
    own = {"Self", plain_name(without_generics(block.child_by_field_name("type")))}
    words = {node_text(leaf) for leaf in leaves(parameters)} if parameters is not None else set()
    return kind is not None and plain_name(without_generics(kind)) in own and not words & (own | {"self"})


def has_parameters(function: Node) -> bool:
    parameters = function.child_by_field_name("parameters")
    return parameters is not None and bool(parameters.named_children)


def is_relation(node: Node) -> bool:
    operator = node.child_by_field_name("operator") if node.type == "binary_expression" else None
    return operator is not None and node_text(operator) in RELATIONS


def has_let(condition: Node) -> bool:
    stack = [condition]
    while stack:  # a hostile program nests conditions deeper than Python's calls may
        node = stack.pop()
        if node.type in ("let_condition", "let_chain"):
            return True
        stack.extend(node.named_children[:4])
    return False
