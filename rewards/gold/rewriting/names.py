"""Says every name of a call in full, so that a program cannot change the arguments that it is called with.

A call is compiled in a module that sees the standard library and nothing of the program: none of its macros, types and
traits, hence none of its methods on types of the standard library. What a test takes from the program is written as
`super::name`. Left out, as NotEvaluable: text in which it cannot be told what a name means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tree_sitter import Node

from rewards.gold.constructors import CONSTANTS, CONSTRUCTORS
from rewards.gold.terms import NotEvaluable
from rewards.rust.grammar import syntax
from rewards.rust.tokens import COMMENTS, node_text
from sandbox.answers.calls import PLAIN

__all__ = ["Names"]

PRELUDE = "use std::prelude::rust_2021::*;"
ROOTS = ("std", "core", "super", "crate")  # what the path of a `use` may begin with
MACROS = ("vec", "format", "matches")
IN_PRELUDE = frozenset(
    ("Option", "Some", "None", "Result", "Ok", "Err", "Vec", "String", "Box", "ToString", "ToOwned", "Clone", "Copy",
     "Send", "Sync", "Sized", "Drop", "Fn", "FnMut", "FnOnce", "drop", "Default", "Eq", "Ord", "PartialEq",
     "PartialOrd", "AsRef", "AsMut", "Into", "From", "TryFrom", "TryInto", "FromIterator", "Iterator", "IntoIterator",
     "DoubleEndedIterator", "ExactSizeIterator", "Extend", "Self", "_", "str", "char", "bool", "f32", "f64",
     *(f"{sign}{width}" for sign in "iu" for width in (8, 16, 32, 64, 128, "size")))
)  # fmt: skip
MODULES = {  # of names that tests use without importing them, since the program has imported them
    **dict.fromkeys(("HashMap", "HashSet", "BTreeMap", "BTreeSet", "VecDeque", "BinaryHeap"), "collections"),
    "Rc": "rc", "Arc": "sync", "RefCell": "cell", "Cow": "borrow", "Duration": "time", "Ordering": "cmp",
    "Reverse": "cmp",
}  # fmt: skip
EITHER = ("LinkedList", "Cell", "Mutex", "RwLock")  # the standard library's, or the program's
UNCLEAR = frozenset(  # modules of the standard library, which a program may have imported
    ("std", "core", "alloc", "self", "mem", "fmt", "iter", "cmp", "env", "fs", "io", "thread", "process", "ops",
     "slice", "vec", "string", "collections", "rc", "sync", "cell", "time", "convert", "ptr", "hash", "any", "num",
     "array")
)  # fmt: skip
NAMES = ("identifier", "type_identifier")
BEFORE_A_SEGMENT = (*NAMES, "field_identifier", "primitive_type", "super", "crate", "self", ">")
TEXTS = ("string_literal", "raw_string_literal", "char_literal", "lifetime", "label", *COMMENTS)
BINDS = ("|", "let", "match", "for", "fn", "if", "while", "unsafe")  # tokens of a macro that may bind names


class Names:
    """What the names of a test module mean."""

    def __init__(self, uses: Iterable[str] = ()) -> None:
        """Read the `use` declarations of the module. Raises: NotEvaluable for one that hides what it imports."""
        self.uses = [PRELUDE]  # those that a call needs
        self._paths: dict[str, str] = {}  # by name, of what the module imports from the program
        self._imported: set[str] = set()  # from the standard library
        self.own: set[str] = set()  # functions of the module itself, which a program has not
        for use in uses:
            self._read_use(use)

    def is_imported(self, name: str) -> bool:
        """Whether the module itself imports a name from the standard library."""
        return name in self._imported

    def in_full(self, text: str, bound: Iterable[str] = ()) -> str:
        """An expression or a statement with every name said in full, without comments.

        Args:
            text: Rust.
            bound: The variables that it can use.
        Raises: NotEvaluable.
        """
        root = syntax(f"fn f() {{ {text} }}")
        if root.has_error or len(root.children) != 1:
            raise NotEvaluable(text)
        leaves = list(_leaves(root))
        made = list(_variables(root))
        known = {PLAIN, *bound, *(node_text(leaf) for leaf, is_inner in made if is_inner)}
        places = {leaf.start_byte for leaf, _ in made}
        said = [
            node_text(leaf) if leaf.start_byte in places else self._said(leaves, place, known)
            for place, leaf in enumerate(leaves)
        ]
        pieces, end = [], 0
        for leaf, word in zip(leaves, said, strict=True):
            gap = (root.text or b"")[end : leaf.start_byte].decode("utf-8", "replace")
            pieces.append(gap + word)
            end = leaf.end_byte
        return "".join(pieces).removeprefix("fn f() {").removesuffix("}").strip()

    def is_standard(self, path: str) -> bool:
        """Whether the first name of a path is one of the standard library, as far as that can be told."""
        first, end = path.split("::")[0], "::".join(path.split("::")[-2:])
        if first in self._paths or first in self.own:
            return False
        known = first in ("std", "core") or first in self._imported or first in IN_PRELUDE or first in MODULES
        return known or end in CONSTRUCTORS or end in CONSTANTS

    def _said(self, leaves: list[Node], place: int, bound: set[str]) -> str:
        """What is written for one leaf."""
        leaf, text = leaves[place], node_text(leaves[place])
        before, after = (_type(leaves, place - 1), _type(leaves, place + 1))
        if leaf.type in COMMENTS:
            return " "
        if leaf.type == "::" and _is_global(leaves, place):
            return ""  # `::std::f` is `std::f` here
        if (
            leaf.type not in NAMES
            or place < 2
            or before == "."
            or (before == "::" and not _is_global(leaves, place - 1))
        ):
            return text
        if after == "!" and _type(leaves, place + 2) in ("(", "[", "{"):
            if text not in MACROS:
                raise NotEvaluable(text)
            return f"std::{text}"
        if text in bound or _is_field(leaf, after):
            return text
        return self._path(text, node_text(leaves[place + 2]) if after == "::" else "")

    def _path(self, name: str, then: str) -> str:
        """The path of the first name of a path; `then` is the second."""
        if name in self.own:
            raise NotEvaluable(name)
        if name in self._paths:
            return self._paths[name]
        if name in ("std", "core"):
            return "std"
        if name in self._imported or name in IN_PRELUDE:
            return name
        known = f"{name}::{then}" in CONSTRUCTORS
        if name in MODULES and (known or not then[:1].isupper() or then in ("Less", "Equal", "Greater")):
            return f"std::{MODULES[name]}::{name}"
        if (then and name in UNCLEAR) or (name in EITHER and known):
            raise NotEvaluable(name)
        return f"super::{name}"

    def _read_use(self, text: str) -> None:
        """Read one declaration."""
        found = syntax(text).children[0].child_by_field_name("argument")
        imports = list(_imports(found, ())) if found is not None else []
        for path, name in imports:
            if path[0] not in ROOTS or "self" in path[1:]:
                raise NotEvaluable(text)
            if path[0] in ("std", "core"):
                self._imported.add(name)
                name = "" if name == path[-1] or name == "*" else f" as {name}"
                self.uses.append(f"use std::{'::'.join(path[1:])}{name};")
            elif name == "*" and path != ("super", "*"):
                raise NotEvaluable(text)
            elif name != "*":
                self._paths[name] = "::".join(path)


def _leaves(node: Node) -> Iterator[Node]:
    """The tokens below a node, literals and comments whole."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        if not found.children or found.type in TEXTS:
            yield found
        else:
            waiting += found.children[::-1]


def _type(leaves: list[Node], place: int) -> str:
    return leaves[place].type if 0 <= place < len(leaves) else ""


def _is_global(leaves: list[Node], place: int) -> bool:
    """Whether `::` stands at the start of a path."""
    return _type(leaves, place - 1) not in BEFORE_A_SEGMENT and _type(leaves, place + 1) != "<"


def _is_field(leaf: Node, after: str) -> bool:
    """Whether a name is that of a struct's field."""
    parent = leaf.parent
    inside = parent is not None and parent.type == "token_tree" and after == ":"
    return inside or (parent is not None and parent.type == "shorthand_field_initializer")


def _variables(root: Node) -> Iterator[tuple[Node, bool]]:
    """The names where variables are made, and whether they are made inside, for a closure or a block.

    Raises: NotEvaluable where a macro hides them.
    """
    body = root.children[0].child_by_field_name("body")
    waiting = [root]
    while waiting:
        node = waiting.pop()
        is_inner = node.type not in ("let_declaration", "const_item") or node.parent != body
        patterns = [node] if node.type == "closure_parameters" else node.children_by_field_name("pattern")
        for pattern in patterns + (node.children_by_field_name("name") if node.type == "const_item" else []):
            found = (leaf for leaf in _leaves(pattern) if leaf.type == "identifier")
            yield from (
                (leaf, is_inner) for leaf in found if node.type == "const_item" or not node_text(leaf)[:1].isupper()
            )
        if node.type == "token_tree" and any(child.type in BINDS for child in node.children):
            raise NotEvaluable(node_text(node))
        if node.type in ("function_item", "use_declaration", "mod_item") and node.parent != root:
            raise NotEvaluable(node_text(node))
        waiting += node.children


def _imports(node: Node, before: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The paths of a `use` declaration, each with the name that it gets."""
    match node.type:
        case "scoped_use_list":
            path, found = node.child_by_field_name("path"), node.child_by_field_name("list")
            inner = before + (_segments(path) if path is not None else ())
            for child in found.named_children if found is not None else ():
                yield from _imports(child, inner)
        case "use_list":
            for child in node.named_children:
                yield from _imports(child, before)
        case "use_as_clause":
            path, alias = node.child_by_field_name("path"), node.child_by_field_name("alias")
            if path is not None and alias is not None:
                yield before + _segments(path), node_text(alias)
        case "use_wildcard":
            inner = _segments(node.named_children[0]) if node.named_children else ()
            yield (*before, *inner, "*"), "*"
        case "self":
            yield before, before[-1] if before else "self"
        case _:
            segments = before + _segments(node)
            yield segments, segments[-1]


def _segments(path: Node) -> tuple[str, ...]:
    return tuple(part for part in re.sub(r"\s", "", node_text(path)).split("::") if part)
