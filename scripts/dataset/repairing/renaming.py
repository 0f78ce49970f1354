"""Mistakes in names that are there: a typo, a name twice, an import that is gone.

Each function takes a right program and a source of randomness, and gives the broken text, or None where it has no such
place. What rustc says of it is found out later.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from random import Random

from tree_sitter import Node

from dataset.repairing.program import RightProgram
from rewards.rust.tokens import node_text

__all__ = ["RENAMING"]

WRONG_METHODS = {
    "len": "size",
    "push": "append",
    "iter": "iterate",
    "contains": "includes",
    "unwrap_or": "or_default_to",
}
WRONG_TYPES = {
    **{"i32": "int", "i64": "long", "u8": "byte", "usize": "size", "bool": "boolean", "f64": "double"},
    **{"String": "Str", "Vec": "Vector", "Option": "Optional"},
}


def typo(word: str, taken: Collection[str], rng: Random) -> str:
    """A word with one character left out, doubled, or two in the other order, that is none of the others."""
    for _ in range(20):
        place = rng.randrange(len(word))
        found = rng.choice(
            (
                word[:place] + word[place + 1 :],
                word[: place + 1] + word[place:],
                word[: max(0, place - 1)]
                + word[place : place + 1]
                + word[max(0, place - 1) : place]
                + word[place + 1 :],
            )
        )
        if found.isidentifier() and found not in taken and found != word:
            return found
    return f"{word}_"


def _renamed(
    program: RightProgram, nodes: Sequence[Node], rng: Random, names: dict[str, str] | None = None
) -> str | None:
    """The program with one of some names changed."""
    if not nodes:
        return None
    node = rng.choice(nodes)
    word = node_text(node)
    return program.changed((node.start_byte, node.end_byte, (names or {}).get(word) or typo(word, program.words, rng)))


def _used_name(program: RightProgram, rng: Random) -> str | None:
    """A parameter is misspelt where it is used."""
    uses = [
        node
        for function in program.functions
        for node in program.nodes("identifier")
        if node_text(node) in {one.name for one in function.parameters}
        and function.body.start_byte < node.start_byte < function.body.end_byte
    ]
    return _renamed(program, uses, rng)


def _type(program: RightProgram, rng: Random) -> str | None:
    """A type of another language. rustc 1.95 gives it the code of an unknown value; it had E0412 before."""
    nodes = [node for node in program.nodes("type_identifier", "primitive_type") if node_text(node) in WRONG_TYPES]
    return _renamed(program, nodes, rng, WRONG_TYPES)


def _method(program: RightProgram, rng: Random) -> str | None:
    return _renamed(program, [field for _, field in _method_calls(program)], rng, WRONG_METHODS)


def _method_calls(program: RightProgram) -> list[tuple[Node, Node]]:
    """Calls of methods: the call, and the method's name."""
    calls = [(call, call.child_by_field_name("function")) for call in program.nodes("call_expression")]
    found = [
        (call, function.child_by_field_name("field"))
        for call, function in calls
        if function is not None and function.type == "field_expression"
    ]
    return [(call, name) for call, name in found if name is not None]


def _field(program: RightProgram, rng: Random) -> str | None:
    """A misspelt field of a struct."""
    called = {name.start_byte for _, name in _method_calls(program)}
    fields = [node.child_by_field_name("field") for node in program.nodes("field_expression")]
    names = [
        one for one in fields if one is not None and one.type == "field_identifier" and one.start_byte not in called
    ]
    return _renamed(program, names, rng)


def _given_field(program: RightProgram, rng: Random) -> str | None:
    """A misspelt field where a struct is made."""
    fields = [node.child_by_field_name("field") for node in program.nodes("field_initializer")]
    return _renamed(program, [one for one in fields if one is not None and one.type == "field_identifier"], rng)


def _path(program: RightProgram, rng: Random) -> str | None:
    """A misspelt type or module before ::."""
    paths = [node.child_by_field_name("path") for node in program.nodes("scoped_identifier")]
    names = [
        one for one in paths if one is not None and one.type == "identifier" and node_text(one) not in ("std", "Self")
    ]
    return _renamed(program, [one for one in names if not _is_imported(one)], rng)


def _is_imported(node: Node | None) -> bool:
    while node is not None and node.type != "use_declaration":
        node = node.parent
    return node is not None


def _import(program: RightProgram, rng: Random) -> str | None:
    """A misspelt import."""
    names = [node for node in program.nodes("identifier") if _is_imported(node) and node_text(node) != "std"]
    return _renamed(program, names, rng)


def _lost_import(program: RightProgram, rng: Random) -> str | None:
    """An import that is gone."""
    uses = program.nodes("use_declaration")
    return program.changed((rng.choice(uses).start_byte, uses[-1].end_byte, "")) if len(uses) == 1 else None


def _trait_method(program: RightProgram, rng: Random) -> str | None:
    """A misspelt method where a trait is implemented."""
    names = [
        member.child_by_field_name("name")
        for impl in program.nodes("impl_item")
        if impl.child_by_field_name("trait") is not None
        for member in (impl.child_by_field_name("body") or impl).children
        if member.type == "function_item"
    ]
    return _renamed(program, [name for name in names if name is not None], rng)


def _parameter_twice(program: RightProgram, rng: Random) -> str | None:
    """Two parameters of one name."""
    fitting = [one for one in program.functions if len(one.parameters) > 1]
    if not fitting:
        return None
    patterns = program.nodes("parameter")
    inside = rng.choice(fitting).node
    first, second = [
        node.child_by_field_name("pattern")
        for node in patterns
        if inside.start_byte < node.start_byte < inside.end_byte
    ][:2]
    assert first is not None and second is not None
    return program.changed((second.start_byte, second.end_byte, node_text(first)))


def _function_twice(program: RightProgram, rng: Random) -> str | None:
    """A second function of the name."""
    if not program.functions:
        return None
    one = rng.choice(program.functions)
    return f"{program.text.rstrip()}\n\nfn {one.name}() {{}}\n"


def _lost_bang(program: RightProgram, rng: Random) -> str | None:
    """A macro that is called like a function."""
    macros = [node for node in program.nodes("macro_invocation") if b"!(" in (node.text or b"")]
    if not macros:
        return None
    bang = next(child for child in rng.choice(macros).children if child.type == "!")
    return program.changed((bang.start_byte, bang.end_byte, ""))


RENAMING = (
    ("E0425", _used_name),
    ("E0425", _type),
    ("E0599", _method),
    ("E0609", _field),
    ("E0560", _given_field),
    ("E0433", _path),
    ("E0432", _import),
    ("E0433", _lost_import),
    ("E0407", _trait_method),
    ("E0415", _parameter_twice),
    ("E0428", _function_twice),
    ("E0423", _lost_bang),
)
