"""Patterns of `matches!` as functions on terms."""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from rewards.gold.computing.arithmetic import negate
from rewards.gold.computing.comparing import are_equal, order, related
from rewards.gold.literals import read_literal
from rewards.gold.terms import NotEvaluable, Term, Unfit, same_path
from rewards.rust.grammar import syntax
from rewards.rust.tokens import COMMENTS, node_text

__all__ = ["Matcher", "read_pattern"]

Matcher = Callable[[Term], bool]
SKIPPED = (*COMMENTS, "(", ")", ",", "|", "&", "[", "]", "{", "}", "mutable_specifier", "ref", "type_identifier")


def read_pattern(text: str) -> Matcher:
    """The function that a pattern is. Raises: NotEvaluable for one that needs a compiler, such as one with an `if`.

    >>> read_pattern("Some(_) | None")(Term("constructor", "None"))
    True
    """
    root = syntax(f"fn f() {{ match x {{ {text} => {{}} }} }}")
    arms = [root]
    while arms and arms[0].type != "match_arm":
        arms = [child for node in arms for child in node.named_children if child.type not in COMMENTS]
        arms = [node for node in arms if node.type in KEPT]
    pattern = arms[0].child_by_field_name("pattern") if len(arms) == 1 else None
    if root.has_error or pattern is None or pattern.child_by_field_name("condition") is not None:
        raise NotEvaluable(text)
    parts = [child for child in pattern.children if child.type not in COMMENTS]
    if len(parts) != 1:
        raise NotEvaluable(text)
    return _matcher(parts[0])


KEPT = ("function_item", "block", "expression_statement", "match_expression", "match_block", "match_arm")


def _matcher(node: Node) -> Matcher:
    """The function for one node of a pattern."""
    literal = read_literal(node)
    if literal is not None:
        return lambda term: are_equal(term, literal)
    reader = READERS.get(node.type)
    if reader is None:
        raise NotEvaluable(node_text(node))
    return reader(node)


def _name(node: Node) -> Matcher:
    """A variant, or a new variable, which matches everything."""
    text = node_text(node)
    last = text.split("::")[-1]
    if last[:1].isupper() and (len(last) == 1 or not last.isupper()):
        return lambda term: _is_variant(term, text) and not term.parts
    if "::" in text or last.isupper():
        raise NotEvaluable(text)
    return lambda term: True


def _is_variant(term: Term, path: str) -> bool:
    """Whether a value is of a variant. Raises: Unfit where it is of another type."""
    if term.kind != "constructor" or not related(str(term.value), path):
        raise Unfit(f"matched with {path}")
    return same_path(str(term.value), path)


def _negative(node: Node) -> Matcher:
    literal = read_literal(node.children[-1])
    if literal is None:
        raise NotEvaluable(node_text(node))
    expected = negate("-", literal)
    return lambda term: are_equal(term, expected)


def _either(node: Node) -> Matcher:
    parts = [_matcher(child) for child in node.children if child.type != "|"]
    return lambda term: any(part(term) for part in parts)


def _inner(node: Node) -> Matcher:
    parts = [child for child in node.children if child.type not in SKIPPED]
    if len(parts) != 1:
        raise NotEvaluable(node_text(node))
    return _matcher(parts[0])


def _positions(nodes: list[Node], kind: str, path: str = "") -> Matcher:
    """Parts in order, where `..` stands for any number of them."""
    rest = [place for place, node in enumerate(nodes) if node.type == "remaining_field_pattern"]
    before = [_matcher(node) for node in nodes[: rest[0] if rest else len(nodes)]]
    after = [_matcher(node) for node in nodes[rest[0] + 1 :]] if rest else []

    def match(term: Term) -> bool:
        count = len(term.parts)
        if term.kind != kind:
            raise Unfit("matched with this pattern")
        if path and not _is_variant(term, path):
            return False
        if count < len(before) + len(after) or (not rest and count != len(before)):
            return False
        ends = term.parts[count - len(after) :]
        pairs = [*zip(before, term.parts), *zip(after, ends)]
        return all([matcher(part) for matcher, part in pairs])

    return match


def _tuple_struct(node: Node) -> Matcher:
    kind = node.child_by_field_name("type")
    if kind is None:
        raise NotEvaluable(node_text(node))
    inside = [child for child in node.children if child.type not in SKIPPED and child != kind]
    return _positions(inside, "constructor", node_text(kind))


def _struct(node: Node) -> Matcher:
    kind = node.child_by_field_name("type")
    path = node_text(kind) if kind is not None else ""
    fields: dict[str, Matcher] = {}
    is_open = False
    for item in node.named_children:
        if item.type == "remaining_field_pattern":
            is_open = True
        elif item.type == "field_pattern":
            name, pattern = item.child_by_field_name("name"), item.child_by_field_name("pattern")
            if name is None:
                raise NotEvaluable(node_text(node))
            fields[node_text(name)] = _matcher(pattern) if pattern is not None else lambda term: True

    def match(term: Term) -> bool:
        if not _is_variant(term, path):
            return False
        known = dict(zip(term.names, term.parts, strict=False))
        exact = is_open or set(fields) == set(known)
        return exact and all(name in known and matcher(known[name]) for name, matcher in fields.items())

    return match


def _range(node: Node) -> Matcher:
    left, right = (node.child_by_field_name(name) for name in ("left", "right"))
    low, high = (None if end is None else _end(end) for end in (left, right))
    is_closed = all(child.type != ".." for child in node.children)

    def match(term: Term) -> bool:
        above = 0 if low is None else order(low, term)
        below = -1 if high is None else order(term, high)
        if above is None or below is None:
            return False
        return above <= 0 and (below < 0 or (below == 0 and is_closed))

    return match


def _end(node: Node) -> Term:
    """A literal that ends a range."""
    if node.type == "negative_literal":
        return negate("-", _end(node.children[-1]))
    literal = read_literal(node)
    if literal is None:
        raise NotEvaluable(node_text(node))
    return literal


def _parts(node: Node) -> list[Node]:
    return [child for child in node.children if child.type not in SKIPPED]


READERS: dict[str, Callable[[Node], Matcher]] = {
    "_": lambda node: lambda term: True,
    "identifier": _name,
    "scoped_identifier": _name,
    "negative_literal": _negative,
    "or_pattern": _either,
    "reference_pattern": _inner,
    "ref_pattern": _inner,
    "mut_pattern": _inner,
    "tuple_pattern": lambda node: _positions(_parts(node), "tuple"),
    "slice_pattern": lambda node: _positions(_parts(node), "seq"),
    "tuple_struct_pattern": _tuple_struct,
    "struct_pattern": _struct,
    "range_pattern": _range,
}
