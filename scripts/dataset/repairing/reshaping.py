"""Mistakes in what is there: types, calls, patterns, ownership, punctuation.

Each function takes a right program and a source of randomness, and gives the broken text, or None where it has no such
place. What rustc says of it is found out later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

from tree_sitter import Node

from dataset.repairing.program import FreeFunction, RightProgram
from rewards.rust.tokens import node_text

__all__ = ["RESHAPING"]

OTHER_TYPES = ("bool", "usize", "String", "Option<i32>", "Vec<u8>")
POINTLESS = ("copied", "cloned", "collect", "to_string", "to_vec", "into_iter", "iter")  # a value's type hangs on them
Planter = Callable[[RightProgram, Random], str | None]


def _returning(program: RightProgram) -> list[FreeFunction]:
    return [one for one in program.functions if one.returns]


def _returned(function: FreeFunction) -> Node:
    node = function.node.child_by_field_name("return_type")
    assert node is not None
    return node


def _tails(program: RightProgram) -> list[Node]:
    """The last expressions of functions that return something."""
    lasts = [one.body.named_children[-1] for one in _returning(program) if one.body.named_children]
    return [
        node for node in lasts if "statement" not in node.type and node.type not in ("line_comment", "block_comment")
    ]


def _semicolon_behind_the_value(program: RightProgram, rng: Random) -> str | None:
    tails = [node for node in _tails(program) if node.type not in ("if_expression", "match_expression")]
    return program.changed((end := rng.choice(tails).end_byte, end, ";")) if tails else None


def _no_return_type(program: RightProgram, rng: Random) -> str | None:
    found = _returning(program)
    if not found:
        return None
    one = rng.choice(found)
    parameters = one.node.child_by_field_name("parameters")
    assert parameters is not None
    return program.changed((parameters.end_byte, _returned(one).end_byte, ""))


def _other_return_type(program: RightProgram, rng: Random) -> str | None:
    found = _returning(program)
    if not found:
        return None
    one = rng.choice(found)
    node = _returned(one)
    other = rng.choice([name for name in OTHER_TYPES if name != one.returns])
    return program.changed((node.start_byte, node.end_byte, other))


def _borrowed_return_type(program: RightProgram, rng: Random) -> str | None:
    """A reference without a lifetime, where no parameter has one to lend."""
    found = [one for one in _returning(program) if "&" not in node_text(one.node).partition("{")[0]]
    return program.changed((start := _returned(rng.choice(found)).start_byte, start, "&")) if found else None


def _no_wrapper(program: RightProgram, rng: Random) -> str | None:
    """Some(x) or Ok(x) becomes x."""
    found = [
        (call, call.child_by_field_name("arguments"))
        for call in program.nodes("call_expression")
        if node_text(call).startswith(("Some(", "Ok("))
    ]
    fitting = [(call, given) for call, given in found if given is not None and given.named_child_count == 1]
    if not fitting:
        return None
    call, given = rng.choice(fitting)
    return program.changed((call.start_byte, call.end_byte, node_text(given.named_children[0])))


def _no_method(program: RightProgram, rng: Random, names: Sequence[str] = POINTLESS) -> str | None:
    """A call of a method is gone."""
    calls = re.compile(rf"\.(?:{'|'.join(names)})\(\)\Z")
    found = [node for node in program.nodes("call_expression") if calls.search(node_text(node))]
    if not found:
        return None
    call = rng.choice(found)
    dropped = calls.search(node_text(call))
    assert dropped is not None
    return program.changed((call.end_byte - len(dropped[0]), call.end_byte, ""))


def _no_clone(program: RightProgram, rng: Random) -> str | None:
    return _no_method(program, rng, ("clone",))


def _no_mut(program: RightProgram, rng: Random) -> str | None:
    found = [
        node for node in program.nodes("mutable_specifier") if node.parent and node.parent.type != "reference_type"
    ]
    found = [node for node in found if node.parent and node.parent.type in ("let_declaration", "parameter")]
    return program.changed((start := rng.choice(found).start_byte, start + len("mut "), "")) if found else None


def _no_reference(program: RightProgram, rng: Random) -> str | None:
    found = program.nodes("reference_expression")
    return program.changed((start := rng.choice(found).start_byte, start + 1, "")) if found else None


def _no_brackets_of_a_call(program: RightProgram, rng: Random) -> str | None:
    calls = [
        given
        for call in program.nodes("call_expression")
        if (given := call.child_by_field_name("arguments")) is not None
        and node_text(given) == "()"
        and (function := call.child_by_field_name("function")) is not None
        and function.type == "field_expression"
    ]
    return program.changed((start := rng.choice(calls).start_byte, start + 2, "")) if calls else None


def _argument_too_many(program: RightProgram, rng: Random) -> str | None:
    given = [node for node in program.nodes("arguments") if node_text(node) != "()"]
    if not given:
        return None
    node = rng.choice(given)
    return program.changed((node.end_byte - 1, node.end_byte - 1, f", {node_text(node.named_children[-1])}"))


def _no_arm(program: RightProgram, rng: Random) -> str | None:
    arms = program.nodes("match_arm")
    fitting = [arm for arm in arms if arm.parent is not None and arm.parent.named_child_count > 1]
    if not fitting:
        return None
    arm = rng.choice(fitting)
    return program.changed((arm.start_byte, arm.end_byte, ""))


def _no_field(program: RightProgram, rng: Random) -> str | None:
    found = [node for node in program.nodes("field_initializer_list") if node.named_child_count > 1]
    if not found:
        return None
    node = rng.choice(found)
    first, second = node.named_children[:2]
    return program.changed((first.start_byte, second.start_byte, ""))


def _no_generic_argument(program: RightProgram, rng: Random) -> str | None:
    found = [node for node in program.nodes("type_arguments") if node.parent and node.parent.type == "generic_type"]
    return program.changed(((node := rng.choice(found)).start_byte, node.end_byte, "")) if found else None


def _generic_twice(program: RightProgram, rng: Random) -> str | None:
    found = [node for node in program.nodes("type_parameters") if node.named_children]
    if not found:
        return None
    node = rng.choice(found)
    name = re.match(r"['\w]+", node_text(node.named_children[0]))
    return program.changed((node.end_byte - 1, node.end_byte - 1, f", {name[0]}")) if name else None


def _no_lifetimes(program: RightProgram, rng: Random) -> str | None:
    """All lifetimes are gone, so that a returned reference has none."""
    if "<'a>" not in program.text:
        return None
    return program.text.replace("<'a>", "").replace("'a ", "")


def _undeclared_lifetime(program: RightProgram, rng: Random) -> str | None:
    return program.text.replace("<'a>", "", 1) if "<'a>" in program.text else None


def _no_derive(program: RightProgram, rng: Random) -> str | None:
    """Values that are compared have no PartialEq."""
    return (
        re.sub(r", PartialEq|PartialEq, ", "", program.text, count=1)
        if {"PartialEq", "=="} <= set(re.findall(r"\w+|==", program.text))
        else None
    )


def _no_self(program: RightProgram, rng: Random) -> str | None:
    found = [
        node
        for node in program.nodes("self_parameter")
        if node.parent and node.parent.parent and "self." in node_text(node.parent.parent)
    ]
    if not found:
        return None
    node = rng.choice(found)
    following = node.next_named_sibling
    return program.changed((node.start_byte, following.start_byte if following else node.end_byte, ""))


def _empty_return(program: RightProgram, rng: Random) -> str | None:
    """A return without the value that the function promises."""
    found = [node for node in program.nodes("return_expression") if node.named_child_count]
    if not found:
        return None
    node = rng.choice(found)
    return program.changed((node.start_byte, node.end_byte, "return"))


def _no_sign(*signs: str) -> Planter:
    """A planter that leaves out one of some signs."""

    def planted(program: RightProgram, rng: Random) -> str | None:
        found = program.nodes(*signs)
        return program.changed(((node := rng.choice(found)).start_byte, node.end_byte, "")) if found else None

    return planted


def _open_string(program: RightProgram, rng: Random) -> str | None:
    found = program.nodes("string_literal")
    return program.changed(((end := rng.choice(found).end_byte) - 1, end, "")) if found else None


RESHAPING: tuple[tuple[str, Planter], ...] = (
    ("E0308", _semicolon_behind_the_value),
    ("E0308", _no_return_type),
    ("E0308", _other_return_type),
    ("E0308", _no_wrapper),
    ("E0308", _no_reference),
    ("E0308", _no_method),
    ("E0106", _borrowed_return_type),
    ("E0106", _no_lifetimes),
    ("E0261", _undeclared_lifetime),
    ("E0403", _generic_twice),
    ("E0107", _no_generic_argument),
    ("E0382", _no_clone),
    ("E0507", _no_clone),
    ("E0384", _no_mut),
    ("E0596", _no_mut),
    ("E0615", _no_brackets_of_a_call),
    ("E0061", _argument_too_many),
    ("E0004", _no_arm),
    ("E0063", _no_field),
    ("E0369", _no_derive),
    ("E0424", _no_self),
    ("E0069", _empty_return),
    ("syntax", _no_sign("{", "}", "(", ")")),
    ("syntax", _no_sign(";", ",", "->", ":")),
    ("E0765", _open_string),
)
