"""How a function is made to return something else, by what it says that it returns.

A value of a known type is returned at once. Where the type cannot be named, what the body makes is wrapped: an iterator
gives nothing, a closure gives a value of the type that it says. Types of the program's own are given values of theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tree_sitter import Node

from rewards.rust.tokens import leaves, node_text
from sandbox.evidence.experiment import SUPPORT

__all__ = ["Wrapping", "early_return", "own_alterations", "own_values", "return_of", "returns_nothing", "wrapping"]

ITERATORS = ("Iterator", "DoubleEndedIterator", "ExactSizeIterator", "IntoIterator")
MADE = f"made_{SUPPORT}"
MAX_DEPTH = 6  # of values in values


class Wrapping(NamedTuple):
    """Text around what a body makes. `@` stands for a mutant's number and `#` for the seed of a value."""

    before: str
    after: str
    further: str = ""  # stands between `after` and `end` once for every further value
    end: str = ""


def returns_nothing(kind: Node | None) -> bool:
    """Whether a function of this return type returns nothing."""
    return kind is None or kind.type == "unit_type"


def early_return(kind: Node | None, seed: int) -> str | None:
    """The text at the start of a body that returns another value; None where its type cannot be named.

    Args:
        kind: The return type; None for none.
        seed: Which value.
    """
    if kind is None or returns_nothing(kind):
        return return_of("", seed)
    if kind.type == "never_type" or any(word.type in ("abstract_type", "impl") for word in leaves(kind)):
        return None
    return return_of(_line(kind), seed)


def return_of(kind: str, seed: int) -> str:
    """The text that returns another value of a type; `kind` is empty for a function that returns nothing."""
    return f"::{SUPPORT}::returns!(@, {kind}, {seed});" if kind else f"if ::{SUPPORT}::on(@) {{ return; }}"


def wrapping(function: Node) -> Wrapping | None:
    """How to change an iterator or a closure that a function returns; None where it returns something else."""
    kind = function.child_by_field_name("return_type")
    trait = _trait(kind) if kind is not None else None
    if kind is None or trait is None:
        return None
    boxed = kind.type == "generic_type" and node_text(kind).startswith("Box<dyn ")
    if not (boxed or node_text(kind).startswith("impl ")):
        return None
    if trait.type == "function_type":
        return _closure(trait, kind, boxed=boxed, generics=_generic_names(function))
    name = node_text(trait.child_by_field_name("type") or trait).rpartition("::")[2]
    if name not in ITERATORS or boxed:
        return None
    into = "::core::iter::IntoIterator::into_iter(" if name == "IntoIterator" else "("
    skipped = f"if ::{SUPPORT}::on(@) {{ ::core::primitive::usize::MAX }} else {{ 0 }}"
    return Wrapping(f"::core::iter::Iterator::skip({into}{{", f"}}), {skipped})")


def _trait(kind: Node) -> Node | None:
    """The trait of `impl Trait + ...` or `Box<dyn Trait + ...>`."""
    node: Node | None = kind
    while node is not None and node.type not in ("abstract_type", "dynamic_type"):
        inner = node.child_by_field_name("type_arguments") or node
        node = inner.named_children[0] if inner.named_children else None
    return node.child_by_field_name("trait") if node is not None else None


def _closure(trait: Node, kind: Node, *, boxed: bool, generics: frozenset[str]) -> Wrapping | None:
    """How to change what a closure returns. The type of the closure that is made stays known to the compiler."""
    result, parameters = trait.child_by_field_name("return_type"), trait.child_by_field_name("parameters")
    if result is None or parameters is None:
        return None
    binder = _binder(trait)
    returned = re.sub(r"'\w+", "'_", _line(result)) if binder else _line(result)
    change = f" ::{SUPPORT}::returns!(@, {returned}, #);"
    given = [f"a{number}_{SUPPORT}" for number in range(len(parameters.named_children))]
    made = f" {MADE}({', '.join(given)}) }}"
    if boxed:
        typed = ", ".join(f"{name}: {_line(k)}" for name, k in zip(given, parameters.named_children, strict=True))
        after = f"}}; ::std::boxed::Box::new(move |{typed}| -> {_line(result)} {{{change}"
        return Wrapping(f"{{ let mut {MADE}: {_line(kind)} = {{", after, change, f"{made}) }}")
    if generics & set(
        map(node_text, leaves(trait))
    ):  # a function within cannot name what the outer one is generic over
        typed = ", ".join(f"{name}: {_line(k)}" for name, k in zip(given, parameters.named_children, strict=True))
        after = f"}}; move |{typed}| -> {_line(result)} {{{change}"
        return Wrapping(f"{{ let mut {MADE} = {{", after, change, f"{made} }}")
    expected = f"fn expected_{SUPPORT}<F: {binder}{_line(trait)}>(f: F) -> F {{ f }}"
    after = f"}}); expected_{SUPPORT}(move |{', '.join(given)}| {{{change}"
    return Wrapping(f"{{ {expected} let mut {MADE} = expected_{SUPPORT}({{", after, change, f"{made}) }}")


def _binder(trait: Node) -> str:
    """`for<'a> ` before a trait."""
    above = trait.parent
    found = [_line(child) for child in (above.children if above is not None else []) if child.type == "type_parameters"]
    return f"for{found[0]} " if found else ""


def own_values(node: Node) -> str | None:
    """The implementation that makes values of a struct or an enum; None where it has none."""
    name, body = node_text(node.child_by_field_name("name") or node), node.child_by_field_name("body")
    values = list(_values(node, name, body))
    if not values:
        return None
    arms = "".join(f"{i} => {value}, " for i, value in enumerate(values[:-1]))
    parameters, given, where = _generics(node)
    return (
        f" impl{parameters} ::{SUPPORT}::Make for {name}{given} {where} {{ fn make(seed: usize, depth: usize) -> "
        f"::core::option::Option<Self> {{ if depth > {MAX_DEPTH} {{ return ::core::option::Option::None; }} "
        f"::core::option::Option::Some(match seed % {len(values)} {{ {arms}_ => {values[-1]} }}) }} }}"
    )


def own_alterations(node: Node) -> str:
    """The implementations that copy a struct or an enum, and alter its parts one by one."""
    name, body = node_text(node.child_by_field_name("name") or node), node.child_by_field_name("body")
    parameters, given, where = _generics(node)
    variants = [(name, body)]
    if node.type == "enum_item":
        found = [child for child in (body.named_children if body else []) if child.type == "enum_variant"]
        variants = [
            (f"{name}::{node_text(v.child_by_field_name('name') or v)}", v.child_by_field_name("body")) for v in found
        ]
    arms = [_arms(*variant) for variant in variants]
    return (
        f" impl{parameters} ::{SUPPORT}::Alter for {name}{given} {where} {{ fn alter(&mut self, at: &mut usize) -> "
        f"bool {{ match self {{ {', '.join(altering for altering, _ in arms)} }} }} }} "
        f"impl{parameters} ::{SUPPORT}::Same for {name}{given} {where} {{ fn same(&self) -> "
        f"::core::option::Option<Self> {{ ::core::option::Option::Some(match self {{ "
        f"{', '.join(copying for _, copying in arms)} }}) }} }}"
    )


def _arms(name: str, body: Node | None) -> tuple[str, str]:
    """The arms that alter a struct or a variant, and that copy it."""
    if body is None:
        return f"{name} => false", f"{name} => {name}"
    if body.type == "field_declaration_list":
        fields = [child.child_by_field_name("name") for child in body.named_children]
        names = [node_text(field) for field in fields if field is not None]
    else:
        names = [str(i) for i in range(sum(body.field_name_for_child(i) == "type" for i in range(len(body.children))))]
    values = [f"f{i}_{SUPPORT}" for i in range(len(names))]
    pattern = f"{name} {{ {', '.join(f'{field}: {value}' for field, value in zip(names, values, strict=True))} }}"
    altering = " || ".join(f"::{SUPPORT}::alter_part!({value}, at)" for value in values) or "false"
    copied = ", ".join(
        f"{field}: ::{SUPPORT}::same_part!({value})?" for field, value in zip(names, values, strict=True)
    )
    return f"{pattern} => {altering}", f"{pattern} => {name} {{ {copied} }}"


def _generics(node: Node) -> tuple[str, str, str]:
    """The parameters of a type without their defaults, their names alone, and what is asked of them."""
    parameters = node.child_by_field_name("type_parameters")
    if parameters is None:
        return "", "", ""
    declared, names = [], []
    for child in parameters.named_children:
        default = child.child_by_field_name("default_type") or child.child_by_field_name("value")
        text = _line(child)
        declared.append(text[: len(text) - len(_line(default))].rstrip("= \n") if default is not None else text)
        names.append(node_text(child.child_by_field_name("name") or child))
    where = next((_line(child) for child in node.children if child.type == "where_clause"), "")
    return f"<{', '.join(declared)}>", f"<{', '.join(names)}>", where


def _values(node: Node, name: str, body: Node | None) -> Iterator[str]:
    """Texts that make values: of a struct one, of an enum the first, the last and a middle variant."""
    if node.type == "struct_item":
        yield _construct(name, body)
        return
    variants = [child for child in (body.named_children if body else []) if child.type == "enum_variant"]
    for variant in dict.fromkeys(variants[i] for i in (0, -1, len(variants) // 2) if variants):
        own = node_text(variant.child_by_field_name("name") or variant)
        yield _construct(f"{name}::{own}", variant.child_by_field_name("body"))


def _construct(name: str, body: Node | None) -> str:
    """The text that makes a struct or a variant from values of its fields' types."""
    if body is None:
        return name
    fields = [child for child in body.named_children if child.type == "field_declaration"]
    if body.type == "field_declaration_list":
        made = ", ".join(
            f"{node_text(f.child_by_field_name('name') or f)}: {_value(f.child_by_field_name('type'))}" for f in fields
        )
        return f"{name} {{ {made} }}"
    kinds = [child for index, child in enumerate(body.children) if body.field_name_for_child(index) == "type"]
    return f"{name}({', '.join(_value(kind) for kind in kinds)})"


def _value(kind: Node | None) -> str:
    text = _line(kind) or "()"
    return f"::{SUPPORT}::of_type!({text}, seed, depth + 1)?"


def _line(node: Node | None) -> str:
    """The text of a node on one line, so that a program keeps its lines."""
    return " ".join(node_text(node).split()) if node is not None else ""


def _generic_names(function: Node) -> frozenset[str]:
    """What a function, and the block that it stands in, are generic over: names of types, lifetimes and constants."""
    names: set[str] = {"Self"}
    above: Node | None = function
    while above is not None:
        parameters = above.child_by_field_name("type_parameters")
        for parameter in parameters.named_children if parameters is not None else ():
            names.add(node_text(parameter.child_by_field_name("name") or parameter).lstrip("'"))
        above = above.parent
    return frozenset(names)
