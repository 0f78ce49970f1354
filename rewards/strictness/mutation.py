"""Makes mutants of a program: every function whose return type allows it returns a constant instead.

Syntax does not show that an assert holds for every value, that a macro or an operator has another meaning, or that both
sides of a comparison have the same value. Tests that pass on every mutant that compiles do not depend on what the
functions return; `rewards.strictness.judge` calls such a pass not strict. In the first mutant every function returns 0,
false or an empty value, in the second 1, true or a non-empty value.

Pure: text in, text out; `rewards.grader` grades the mutants. Left out: functions whose return type does not tell a
constant by its name, and mutations that change less than a whole function.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tree_sitter import Node

from rewards.rust.grammar import syntax
from rewards.rust.parse import parse
from rewards.rust.tokens import COMMENTS, last_name, node_text, without_generics

__all__ = ["mutants"]

VARIANTS = 2
INTEGERS = frozenset(f"{sign}{size}" for sign in "iu" for size in (8, 16, 32, 64, 128, "size"))
PLAIN = {"bool": ("false", "true"), "char": ("'a'", "'b'"), "f32": ("0.0", "1.5"), "f64": ("0.0", "1.5")}
CONTAINERS = ("HashMap", "BTreeMap", "HashSet", "BTreeSet", "VecDeque", "BinaryHeap", "LinkedList")
# Implementations of these traits are not mutated: they are rarely under test, and much other code relies on them.
OF_STD = frozenset("""
    Add AddAssign AsMut AsRef Borrow Clone Debug Default Deref DerefMut Display Div Drop Eq Error Extend From
    FromIterator FromStr Hash Index IndexMut Into IntoIterator Iterator Mul Neg Not Ord PartialEq PartialOrd Read Rem
    Sub TryFrom Write
    """.split())
LEVEL = re.compile(r"(#\s*!?\s*\[\s*)(?:r#)?(?:deny|forbid)\b")  # the start of `#![deny(` and its like


def mutants(code: str) -> list[str]:
    """The distinct mutants that differ from the program: at most two, none where no function can be mutated.

    >>> for mutant in mutants("fn f(x: u8) -> Option<u8> { x.checked_add(1) }"):
    ...     print(mutant)
    fn f(x: u8) -> Option<u8> { None }
    fn f(x: u8) -> Option<u8> { Some(1) }
    """
    code = LEVEL.sub(r"\1allow", code)  # a parameter that a mutant leaves unused must not fail its build
    source = code.encode("utf-8", "replace")
    functions = list(_functions(syntax(code), parse(code).test_code))
    made = []
    for variant in range(VARIANTS):
        text, place = b"", 0
        for function in functions:
            body, value = function.child_by_field_name("body"), _returned(function, variant)
            if body is not None and value is not None:
                text += source[place : body.start_byte] + (f"{{ {value} }}" if value else "{}").encode()
                place = body.end_byte
        made.append((text + source[place:]).decode("utf-8", "replace"))
    return [mutant for mutant in dict.fromkeys(made) if mutant != code]


def _functions(root: Node, test_code: Sequence[tuple[int, int]]) -> Iterator[Node]:
    """The outermost functions outside tests, in order; not those with a `cfg`, nor methods of traits in `OF_STD`."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if any(start <= node.start_byte < end for start, end in test_code):
            continue
        if node.type == "function_item":
            if not _is_configured(node):
                yield node
            continue
        trait = node.child_by_field_name("trait") if node.type == "impl_item" else None
        if last_name(without_generics(trait)) not in OF_STD:
            waiting.extend(reversed(node.children))


def _is_configured(function: Node) -> bool:
    """Whether a function has a `cfg` attribute: it may belong to the tests."""
    before = function.prev_sibling
    while before is not None and before.type in ("attribute_item", *COMMENTS):
        if before.type == "attribute_item" and "cfg" in node_text(before):
            return True
        before = before.prev_sibling
    return False


def _returned(function: Node, variant: int) -> str | None:
    """The constant for a function to return, "" for `()`; None to leave the function as it is."""
    kind = function.child_by_field_name("return_type")
    words = [node_text(child) for child in function.children if child.type == "function_modifiers"]
    if any(word in text for text in words for word in ("async", "unsafe", "extern")):
        return None
    if kind is None:
        return ""
    value = _value(kind, variant)
    is_plain = kind.type in ("primitive_type", "tuple_type", "unit_type")
    return value if is_plain or not any("const" in text for text in words) else None


def _value(kind: Node, variant: int) -> str | None:
    """A constant of a type, chosen by the type's name, "" for `()`; None where no constant is known to fit."""
    text = node_text(kind)
    if kind.type == "unit_type":
        return ""
    if kind.type == "primitive_type":
        return str(variant) if text in INTEGERS else PLAIN.get(text, (None, None))[variant]
    if kind.type == "type_identifier":
        return ("String::new()", 'String::from("x")')[variant] if text == "String" else None
    if kind.type == "reference_type":
        return _reference(kind, variant)
    if kind.type == "tuple_type":
        values = [_value(part, variant) for part in kind.named_children]
        return f"({', '.join(str(value) for value in values)},)" if None not in values else None
    if kind.type == "array_type":
        element, length = kind.child_by_field_name("element"), kind.child_by_field_name("length")
        value = _value(element, variant) if element is not None and element.type == "primitive_type" else None
        return f"[{value}; {node_text(length)}]" if value is not None and length is not None else None
    return _generic(kind, variant) if kind.type == "generic_type" else None


def _reference(kind: Node, variant: int) -> str | None:
    """A constant for `&str` or for a shared slice `&[T]`; None for any other reference."""
    target = kind.child_by_field_name("type")
    if target is None or any(child.type == "mutable_specifier" for child in kind.children):
        return None
    if node_text(target) == "str":
        return ('""', '"x"')[variant]
    return "&[]" if target.type == "array_type" and target.child_by_field_name("length") is None else None


def _generic(kind: Node, variant: int) -> str | None:
    """A constant of one of the standard library's generic types; None for any other."""
    name, arguments = last_name(without_generics(kind)), kind.child_by_field_name("type_arguments")
    parts = arguments.named_children if arguments is not None else []
    if not parts:
        return None
    if name in CONTAINERS:
        return "Default::default()"
    if name in ("Vec", "Option") and variant == 0:
        return {"Vec": "Vec::new()", "Option": "None"}[name]
    inner = _value(parts[0], variant)
    inner = "()" if inner == "" else inner
    if name == "Result" and variant == 1 and len(parts) == 2 and (error := _value(parts[1], 1)):
        return f"Err({error})"
    shapes = {"Vec": "vec![{}]", "Option": "Some({})", "Result": "Ok({})", "Box": "Box::new({})"}
    return shapes[name].format(inner) if name in shapes and inner is not None else None
