"""Do the tests notice what the functions return? Grades a program's tests again, on functions that return a constant.

Syntax cannot see that an assert holds for every value, that a macro or an operator was given another meaning, or that
what stands on both sides is the same. So in a mutant of the program every function outside the tests whose return type
is plain enough gets a body that returns a constant: zero, false, nothing in the first mutant, one, true, something in
the second. Tests that pass on every mutant that compiles say nothing about the functions. Left out: functions whose
type has no constant that can be told from its name, and whether the tests would notice a smaller mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import TypeVar

from tree_sitter import Node

from rewards.rust.parse import parse, syntax
from rewards.rust.tokens import COMMENTS, last_name, node_text
from sandbox import Outcome, SandboxPool, Verdict

__all__ = ["INSENSITIVE", "grade_mutants", "mutants", "notice_nothing"]

Key = TypeVar("Key", bound=Hashable)

INSENSITIVE = "the tests pass whatever the functions return"
VARIANTS = 2
INTEGERS = frozenset(f"{sign}{size}" for sign in "iu" for size in (8, 16, 32, 64, 128, "size"))
PLAIN = {"bool": ("false", "true"), "char": ("'a'", "'b'"), "f32": ("0.0", "1.5"), "f64": ("0.0", "1.5")}
CONTAINERS = ("HashMap", "BTreeMap", "HashSet", "BTreeSet", "VecDeque", "BinaryHeap", "LinkedList")
# What a program means by these is not under test, and a constant would break whoever relies on them.
OF_STD = frozenset("""
    Add AddAssign AsMut AsRef Borrow Clone Debug Default Deref DerefMut Display Div Drop Eq Error Extend From
    FromIterator FromStr Hash Index IndexMut Into IntoIterator Iterator Mul Neg Not Ord PartialEq PartialOrd Read Rem
    Sub TryFrom Write
    """.split())
LEVEL = re.compile(r"(#\s*!?\s*\[\s*)(?:r#)?(?:deny|forbid)\b")
COMPILES_NOT = (Outcome.BUILD_ERROR, Outcome.TEST_BUILD_ERROR, Outcome.HOST_ERROR)


def mutants(code: str) -> list[str]:
    """The program with constants for functions; fewer than two where nothing can be replaced.

    >>> for mutant in mutants("fn f(x: u8) -> Option<u8> { x.checked_add(1) }"):
    ...     print(mutant)
    fn f(x: u8) -> Option<u8> { None }
    fn f(x: u8) -> Option<u8> { Some(1) }
    """
    code = LEVEL.sub(r"\1allow", code)  # what a mutant leaves unused is not to stop it
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


def grade_mutants(
    codes: Mapping[Key, str], pool: SandboxPool, wait: Callable[[Key, Future[Verdict]], Verdict | None]
) -> dict[Key, tuple[Verdict, ...]]:
    """The verdicts on the mutants of some programs, for each up to the first on which its tests fail.

    Args: codes, by any key; wait, what waits for a verdict, and may give up.
    """
    left = {key: mutants(code) for key, code in codes.items()}
    verdicts: dict[Key, tuple[Verdict, ...]] = dict.fromkeys(codes, ())
    while left := {key: programs for key, programs in left.items() if programs}:
        futures = {key: pool.submit(programs.pop(0)) for key, programs in left.items()}
        for key, future in futures.items():
            verdict = wait(key, future)
            if verdict is not None:
                verdicts[key] += (verdict,)
            if verdict is None or _notices(verdict):
                left[key].clear()
    return verdicts


def notice_nothing(verdicts: Iterable[Verdict]) -> bool:
    """Whether the tests pass on every mutant that could be compiled, if there is one."""
    compiled = [verdict for verdict in verdicts if verdict.outcome not in COMPILES_NOT]
    return bool(compiled) and not any(map(_notices, compiled))


def _notices(verdict: Verdict) -> bool:
    """Whether the tests fail on a mutant that compiles."""
    return verdict.outcome not in COMPILES_NOT and not verdict.test


def _functions(root: Node, test_code: Sequence[tuple[int, int]]) -> Iterator[Node]:
    """The functions outside tests, in order, none inside another, but for what std's traits ask for."""
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
        if last_name(_bare(trait)) not in OF_STD:
            waiting.extend(reversed(node.children))


def _is_configured(function: Node) -> bool:
    """Whether some `cfg` decides whether a function exists: for the tests, perhaps."""
    before = function.prev_sibling
    while before is not None and before.type in ("attribute_item", *COMMENTS):
        if before.type == "attribute_item" and "cfg" in node_text(before):
            return True
        before = before.prev_sibling
    return False


def _bare(node: Node | None) -> Node | None:
    """`From` of `From<T>`."""
    return node.child_by_field_name("type") if node is not None and node.type == "generic_type" else node


def _returned(function: Node, variant: int) -> str | None:
    """What a function is to return; None to leave it as it is."""
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
    """A constant of a type, by the type's name; None where there is none that surely fits."""
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
    """A constant behind a shared reference: a text or a slice."""
    target = kind.child_by_field_name("type")
    if target is None or any(child.type == "mutable_specifier" for child in kind.children):
        return None
    if node_text(target) == "str":
        return ('""', '"x"')[variant]
    return "&[]" if target.type == "array_type" and target.child_by_field_name("length") is None else None


def _generic(kind: Node, variant: int) -> str | None:
    """A constant of a generic type of std."""
    name, arguments = last_name(_bare(kind)), kind.child_by_field_name("type_arguments")
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
