"""A right program as the planters see it: its functions outside tests, their parameters by kind, its own types."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tree_sitter import Node

from rewards.rust.grammar import syntax
from rewards.rust.tokens import last_name, node_text

__all__ = ["FreeFunction", "TypeItem", "Parameter", "RightProgram"]

KINDS = (  # of a type without spaces, in the order in which they are tried
    ("uint", r"u(?:8|16|32|64|128|size)"),
    ("int", r"i(?:8|16|32|64|128|size)"),
    ("float", r"f(?:32|64)"),
    ("bool", "bool"),
    ("char", "char"),
    ("str", r"&(?:'\w+)?str"),
    ("string", "String"),
    ("vec", r"Vec<.*>"),
    ("slice", r"&(?:'\w+)?\[.*\]"),
    ("option", r"Option<.*>"),
    ("tuple", r"\(.*,.*\)"),
)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a function, whose pattern is a name."""

    name: str
    type: str
    kind: str  # one of `KINDS`, "struct" or "enum" for a type of the program's own, else "other"


@dataclass(frozen=True)
class FreeFunction:
    """A free function with a body, outside tests."""

    node: Node
    body: Node
    name: str
    parameters: Sequence[Parameter]
    returns: str  # "" for nothing


@dataclass(frozen=True)
class TypeItem:
    """A struct with named fields, or an enum with its variants."""

    kind: str  # "struct" or "enum"
    members: Sequence[str] = ()  # fields, or variants that hold nothing
    derives: str = ""


@dataclass
class RightProgram:
    """A program without its tests; `text` is all of it."""

    text: str
    root: Node = field(init=False)

    def __post_init__(self) -> None:
        self.root = syntax(self.text)

    def nodes(self, *types: str) -> list[Node]:
        """All nodes of some types, in the order of the text."""
        return [node for node in self._nodes if node.type in types]

    @cached_property
    def _nodes(self) -> list[Node]:
        found, stack = [], [self.root]
        while stack:
            node = stack.pop()
            found.append(node)
            stack.extend(reversed(node.children))
        return found

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word of the text: a name that is not among them is new."""
        return frozenset(re.findall(r"\w+", self.text))

    @cached_property
    def types(self) -> Mapping[str, TypeItem]:
        """The structs and enums, by name."""
        return dict(self._types())

    @cached_property
    def functions(self) -> list[FreeFunction]:
        """The free functions."""
        return [found for node in self.root.children if (found := self._function(node)) is not None]

    def changed(self, *edits: tuple[int, int, str]) -> str:
        """The text with places replaced.

        Args:
            edits: The first byte, the byte after the last, and what stands there instead; apart from each other.

        >>> RightProgram("fn f() {}").changed((3, 4, "g"))
        'fn g() {}'
        """
        encoded = self.text.encode()
        for start, end, text in sorted(edits, reverse=True):
            encoded = encoded[:start] + text.encode() + encoded[end:]
        return encoded.decode()

    def _types(self) -> Iterator[tuple[str, TypeItem]]:
        derives = ""
        for node in self.root.children:
            if node.type == "attribute_item":
                derives += node_text(node)
                continue
            if node.type == "struct_item":
                fields = [one for one in self._inside(node) if one.type == "field_declaration"]
                yield last_name(node.child_by_field_name("name")), TypeItem("struct", _names(fields), derives)
            elif node.type == "enum_item":
                bare = [one for one in self._inside(node) if one.type == "enum_variant" and one.named_child_count == 1]
                yield last_name(node.child_by_field_name("name")), TypeItem("enum", _names(bare), derives)
            derives = ""

    @staticmethod
    def _inside(node: Node) -> Sequence[Node]:
        body = node.child_by_field_name("body")
        return body.children if body is not None else ()

    def _function(self, node: Node) -> FreeFunction | None:
        body, parameters = node.child_by_field_name("body"), node.child_by_field_name("parameters")
        if node.type != "function_item" or body is None or parameters is None:
            return None
        found = []
        for one in parameters.named_children:
            pattern, kind = one.child_by_field_name("pattern"), one.child_by_field_name("type")
            if one.type == "parameter" and pattern is not None and kind is not None and pattern.type == "identifier":
                found.append(Parameter(node_text(pattern), node_text(kind), self._kind(node_text(kind))))
        returns = node.child_by_field_name("return_type")
        name = last_name(node.child_by_field_name("name"))
        return FreeFunction(node, body, name, found, node_text(returns) if returns is not None else "")

    def _kind(self, text: str) -> str:
        close = "".join(text.split())
        if close in self.types:
            return self.types[close].kind
        return next((kind for kind, pattern in KINDS if re.fullmatch(pattern, close)), "other")


def _names(nodes: Sequence[Node]) -> list[str]:
    return [last_name(node.child_by_field_name("name")) for node in nodes]
