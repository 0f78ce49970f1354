"""Makes an experiment of a program: puts a switch before every change, and a record in place of every assert.

The text is changed by insertions alone, on the lines where they belong, so that a program keeps its lines. In test code
the names of the asserts get another meaning: they write down whether they hold, and no longer end the test. Outside
tests, changes are put in:

return      the function returns another value of its type at once: a large, an empty or a small one, which the
            compiler chooses by the type
nothing     a function that returns nothing does nothing
operator    + for -, - for +, + for *, * for /, + for %, where both operands have both
relation    a comparison, negated
condition   the condition of an `if` or a `while`, negated
constant    a number plus one, another text, the opposite truth value
statement   a call, an assignment: left out

The plan has the changes of every function: first what it returns, then what it does. Left out: macros' arguments,
constants, patterns, and functions that macros make.
"""

from __future__ import annotations

from collections.abc import Sequence

from tree_sitter import Node

from rewards.rust.asserts import asserts_in
from rewards.rust.grammar import syntax
from rewards.rust.parse import parse
from rewards.rust.program import Program
from rewards.rust.tokens import COMMENTS, last_name, leaves, node_text
from sandbox.evidence.experiment import MAX_IDS, NO_FUNCTION, SUPPORT, Experiment, Mutant, Part
from sandbox.grading.batch import is_portable

__all__ = ["experiment"]

MAX_DEPTH = 150  # nesting of syntax; deeper code is not changed, since the text around it would nest deeper still
SEEDS = (2, 0, 1)  # of the values that a function is made to return: a large, an empty and a small one
PER_FUNCTION = 8  # other changes in one function that the plan tries
ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "rem"}
RELATIONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
MACROS = "{assert, assert_eq, assert_ne, debug_assert, debug_assert_eq, debug_assert_ne, panic, unreachable}"
LEFT_ALONE = frozenset("""
    attribute_item inner_attribute_item macro_invocation macro_definition const_item static_item enum_item struct_item
    union_item type_item use_declaration type_arguments type_parameters parameters where_clause const_block
    line_comment block_comment match_pattern field_identifier closure_parameters
    """.split())
LEFT_ALONE_FIELDS = frozenset(("pattern", "type", "return_type", "length", "field"))


def experiment(source: str, *, program: Program | None = None, thorough: bool = False) -> Experiment | None:
    """A program's experiment; None where no test code or nothing to change is found, or it holds our own names.

    Args:
        source: The program.
        program: `parse(source)`, to save parsing it again; None to parse it here.
        thorough: Whether the plan turns on every change, for a mutation score.

    >>> made = experiment("fn f() -> u8 { 1 } #[cfg(test)] mod t { #[test] fn g() { assert_eq!(super::f(), 1); } }")
    >>> made.functions, [mutant.kind for mutant in made.mutants], made.plan
    (('f',), ['return', 'return', 'return', 'constant'], {0: (1, 2, 3, 4)})
    """
    program = parse(source) if program is None else program
    if SUPPORT in source or not program.tests:
        return None
    writer = _Writer(source, program)
    if not writer.mutants:
        return None
    return Experiment(
        writer.parts(),
        tuple(writer.mutants),
        tuple(writer.functions),
        tuple(writer.asserts),
        tuple(writer.free),
        writer.hidden(),
        _hash(source),
        _plan(writer, thorough),
        is_portable(source),
        thorough,
    )


def _plan(writer: _Writer, thorough: bool) -> dict[int, tuple[int, ...]]:
    """The mutants of each function."""
    by_function: dict[int, list[int]] = {}
    for number, mutant in enumerate(writer.mutants, 1):
        if mutant.function != NO_FUNCTION:
            by_function.setdefault(mutant.function, []).append(number)
    return {function: _chosen(writer, numbers, thorough) for function, numbers in by_function.items()}


def _chosen(writer: _Writer, numbers: Sequence[int], thorough: bool) -> tuple[int, ...]:
    """The mutants of a function that are tried: first what it returns, then what it does."""
    returns = [n for n in numbers if writer.mutants[n - 1].kind in ("return", "nothing")]
    others = [n for n in numbers if writer.mutants[n - 1].kind not in ("return", "nothing")]
    return (*returns, *(others if thorough else _spread(others, PER_FUNCTION)))


def _spread(numbers: Sequence[int], count: int) -> Sequence[int]:
    """At most `count` of the numbers, evenly spread."""
    return numbers if len(numbers) <= count else [numbers[i * len(numbers) // count] for i in range(count)]


class _Writer:
    """Collects the edits of a program."""

    def __init__(self, source: str, program: Program) -> None:
        self.mutants: list[Mutant] = []
        self.functions: list[str] = []
        self.asserts: list[tuple[str, str]] = []
        self.free: list[int] = []  # functions that are neither methods nor inside others
        self._called: set[str] = set()  # names that test code calls
        self._opaque: set[str] = set()  # names outside tests that stand for code which is not changed
        self._source = source.encode("utf-8", "replace")
        self._edits: list[tuple[tuple[int, int, int, int], int, str, int]] = []  # start and order, end, text, mutant
        self._test_code = sorted(program.test_code)
        root = syntax(source)
        self._read_tests(root)
        self._read_code(root)

    def parts(self) -> tuple[Part, ...]:
        """The edited text."""
        parts, at = [], 0
        for (start, *_), end, text, mutant in sorted(self._edits):
            if start > at:
                parts.append(Part(self._text(at, start)))
            parts.append(Part(text, mutant, self._text(start, end)))
            at = max(at, end)
        return (*parts, Part(self._text(at, len(self._source))))

    def _text(self, start: int, end: int) -> str:
        return self._source[start:end].decode("utf-8", "replace")

    # Where edits meet at one place, what closes stands before what is put between, before what opens, before what is
    # replaced; of two that close the inner one stands first, of two that open the outer one.

    def _insert(self, at: int, text: str, mutant: int = 0) -> None:
        self._edits.append(((at, 1, 0, len(self._edits)), at, text, mutant))

    def _around(self, node: Node, before: str, after: str, mutant: int) -> None:
        start, end, count = node.start_byte, node.end_byte, len(self._edits)
        self._edits.append(((start, 2, start - end, count), start, before, mutant))
        self._edits.append(((end, 0, end - start, -count), end, after, mutant))

    def _replace(self, start: int, end: int, text: str, mutant: int = 0) -> None:
        self._edits.append(((start, 3, 0, 0), end, text, mutant))

    def _mutant(self, function: int, kind: str, *, fragile: bool = False) -> int | None:
        """The number of a new mutant; None where there are too many."""
        if len(self.mutants) + 1 >= MAX_IDS:
            return None
        self.mutants.append(Mutant(function, kind, fragile))
        return len(self.mutants)

    def _in_tests(self, node: Node) -> bool:
        return any(start <= node.start_byte and node.end_byte <= end for start, end in self._test_code)

    # ---- test code

    def _read_tests(self, root: Node) -> None:
        """Give test code our macros by the names of the asserts; let tests that should panic say whether they do."""
        inside = [leaf for leaf in leaves(root) if self._in_tests(leaf)]
        names = [node_text(leaf).removeprefix("r#") for leaf in inside]
        self._called = {a for a, b in zip(names, names[1:], strict=False) if b == "(" and a.isidentifier()}
        for found in asserts_in([leaf for leaf in inside if not self._expects_panic(leaf)]):
            line = self._source.count(b"\n", 0, found.start) + 1
            self.asserts.append((f"{line}:{_hash(found.arguments):x}", found.text))
        stack = [root]
        while stack:
            node = stack.pop()
            body = node.child_by_field_name("body")
            if body is not None and node.type in ("mod_item", "function_item") and self._in_tests(node):
                alone = node.type == "function_item" and not self._in_tests_of(node)
                if node.type == "mod_item" or alone:
                    self._insert(body.start_byte + 1, f"use crate::{SUPPORT}::{MACROS};")
                if node.type == "function_item" and _should_panic(node):
                    text = f"let _expected = crate::{SUPPORT}::Expected({node.start_byte});"
                    self._insert(body.start_byte + 1, text)
            stack.extend(node.children)

    def _expects_panic(self, leaf: Node) -> bool:
        """Whether a token stands in a test that should panic, which may end before it."""
        above: Node | None = leaf
        while above is not None and above.type not in ("function_item", "macro_definition"):
            above = above.parent
        return above is not None and (above.type == "macro_definition" or _should_panic(above))

    def hidden(self) -> tuple[str, ...]:
        """What test code calls and what stands for code that is not changed."""
        return tuple(sorted(self._called & self._opaque - set(self.functions)))

    def _in_tests_of(self, node: Node) -> bool:
        """Whether a function of test code stands in a module of test code."""
        above = node.parent
        while above is not None and above.type != "mod_item":
            above = above.parent
        return above is not None and self._in_tests(above)

    # ---- code under test

    def _read_code(self, root: Node) -> None:
        """Put in the changes outside test code: what functions return first, so that there are numbers left for it."""
        functions: dict[int, tuple[int, bool]] = {}  # by the byte where they start
        for returning in (True, False):
            self._walk(root, functions, returning=returning)

    def _walk(self, root: Node, functions: dict[int, tuple[int, bool]], *, returning: bool) -> None:
        """Visit the code outside tests."""
        stack: list[tuple[Node, int, int, bool]] = [
            (root, NO_FUNCTION, 0, False)
        ]  # node, function, depth, in a constant
        while stack:
            node, function, depth, constant = stack.pop()
            if self._in_tests(node) or depth > MAX_DEPTH:
                continue
            if node.type in ("struct_item", "enum_item") and returning:
                self._type(node)
            if node.type in LEFT_ALONE:
                if function == NO_FUNCTION:
                    self._opaque.update(_names(node))
                continue
            if node.type == "function_item":
                if returning:
                    functions[node.start_byte] = self._function(node)
                    if function == NO_FUNCTION and not _is_method(node) and functions[node.start_byte][0] >= 0:
                        self.free.append(functions[node.start_byte][0])
                function, constant = functions[node.start_byte]
            elif function >= 0 and not returning:
                self._change(node, function, constant)
            for index, child in enumerate(node.children):
                if node.field_name_for_child(index) not in LEFT_ALONE_FIELDS:
                    stack.append((child, function, depth + 1, constant))

    def _function(self, node: Node) -> tuple[int, bool]:
        """Record a function, and the changes of what it returns; its number, -1 where nothing in it may change."""
        body, name = node.child_by_field_name("body"), last_name(node.child_by_field_name("name")).removeprefix("r#")
        if body is None or len(self.functions) + 1 >= MAX_IDS:
            return -1, False
        modifiers = next((child for child in node.children if child.type == "function_modifiers"), None)
        constant = modifiers is not None and "const" in node_text(modifiers)
        self.functions.append(name)
        function = len(self.functions) - 1
        inside = body.start_byte + 1
        kind = node.child_by_field_name("return_type")
        texts = [f"let _call = crate::{SUPPORT}::enter({function});"]
        kind_of_change = "nothing" if kind is None or kind.type == "unit_type" else "return"
        numbers: list[int] = [0]
        for seed in SEEDS if kind_of_change == "return" else SEEDS[:1]:
            text = self._returns(kind, seed)
            number = self._mutant(function, kind_of_change, fragile=constant) if text else None
            if number is not None and text:
                texts.append(text.replace("@", str(number)))
                numbers.append(number)
        if constant and modifiers is not None and len(numbers) > 1:
            word = next(child for child in modifiers.children if child.type == "const")
            self._replace(word.start_byte, word.end_byte, "     ", numbers[1])
            numbers[0] = numbers[1]
        elif constant:
            return -1, False
        for text, number in zip(texts, numbers, strict=True):
            self._insert(inside, text, number)
        return function, constant

    def _returns(self, kind: Node | None, seed: int) -> str | None:
        """The text that makes a function return another value; None where its type cannot be named."""
        if kind is None or kind.type == "unit_type":
            return f"if crate::{SUPPORT}::on(@) {{ return; }}"
        text = node_text(kind)
        if kind.type == "never_type" or any(word.type in ("abstract_type", "impl") for word in leaves(kind)):
            return None
        return f"crate::{SUPPORT}::returns!(@, {' '.join(text.split())}, {seed});"

    def _type(self, node: Node) -> None:
        """Make values of a type of the program's own, so that functions can be made to return them."""
        if node.child_by_field_name("type_parameters") is not None:
            return
        name, body = node_text(node.child_by_field_name("name") or node), node.child_by_field_name("body")
        if node.type == "struct_item":
            values = [_construct(name, body)]
        else:
            variants = [child for child in (body.named_children if body else []) if child.type == "enum_variant"]
            chosen = dict.fromkeys(variants[i] for i in (0, -1, len(variants) // 2) if variants)
            values = [
                _construct(f"{name}::{node_text(v.child_by_field_name('name') or v)}", v.child_by_field_name("body"))
                for v in chosen
            ]
        number = self._mutant(NO_FUNCTION, "value") if values else None
        if number is not None:
            arms = "".join(f"{i} => {value}, " for i, value in enumerate(values[:-1]))
            self._insert(
                node.end_byte,
                f" impl crate::{SUPPORT}::Make for {name} {{ fn make(seed: usize, depth: usize) -> "
                "::core::option::Option<Self> { if depth > 6 { return ::core::option::Option::None; } "
                f"::core::option::Option::Some(match seed % {len(values)} {{ {arms}_ => {values[-1]} }}) }} }}",
                number,
            )

    def _change(self, node: Node, function: int, constant: bool) -> None:
        """Put in the changes at one node of a function's body."""
        match node.type:
            case "binary_expression":
                self._operator(node, function, constant)
            case "if_expression" | "while_expression":
                condition = node.child_by_field_name("condition")
                if condition is not None and not _has_let(condition) and not _is_relation(condition):
                    self._switch(condition, function, "condition", "(crate::S::on(@) != (", "))", constant)
            case "integer_literal" | "float_literal":
                self._switch(node, function, "constant", "crate::S::plus(@, ", ")", constant)
            case "string_literal" if node_text(node).startswith('"'):
                self._switch(node, function, "constant", "crate::S::text(@, ", ")", constant)
            case "boolean_literal":
                self._switch(node, function, "constant", "(crate::S::on(@) != ", ")", constant)
            case "expression_statement":
                inner = node.named_children[0] if node.named_children else None
                called = ("call_expression", "compound_assignment_expr", "assignment_expression")
                if inner is not None and inner.type in called and node_text(node).endswith(";"):
                    self._switch(node, function, "statement", "if !crate::S::on(@) { ", " }", constant)
        if node.type in ("while_expression", "for_expression", "loop_expression"):
            body = node.child_by_field_name("body")
            if body is not None and not constant:
                self._insert(body.start_byte + 1, f"crate::{SUPPORT}::tick();")

    def _operator(self, node: Node, function: int, constant: bool) -> None:
        """Put in another operator, or the opposite of a comparison."""
        operator, right = node.child_by_field_name("operator"), node.child_by_field_name("right")
        left = node.child_by_field_name("left")
        text = node_text(operator) if operator is not None else ""
        if text in RELATIONS:
            self._switch(node, function, "relation", "(crate::S::on(@) != (", "))", constant)
        elif text in ARITHMETIC and left is not None and right is not None and operator is not None:
            number = self._mutant(function, "operator", fragile=constant)
            if number is not None:
                self._around(node, f"crate::{SUPPORT}::{ARITHMETIC[text]}!({number}, ", ")", number)
                self._replace(operator.start_byte, operator.end_byte, ",", number)

    def _switch(self, node: Node, function: int, kind: str, before: str, after: str, constant: bool) -> None:
        """Put text around a node."""
        number = self._mutant(function, kind, fragile=constant)
        if number is not None:
            before = before.replace("crate::S::", f"crate::{SUPPORT}::").replace("@", str(number))
            self._around(node, before, after, number)


def _names(node: Node) -> set[str]:
    """The names that an item which is not changed may give to code: those in a macro's arguments, a constant's name."""
    if node.type in ("macro_invocation", "const_item", "static_item"):
        return {node_text(leaf).removeprefix("r#") for leaf in leaves(node) if "identifier" in leaf.type}
    return set()


def _is_method(function: Node) -> bool:
    above = function.parent.parent if function.parent is not None else None
    return above is not None and above.type in ("impl_item", "trait_item")


def _should_panic(function: Node) -> bool:
    """Whether a function has the attribute `should_panic`."""
    before = function.prev_sibling
    while before is not None and before.type in ("attribute_item", *COMMENTS):
        if before.type == "attribute_item" and "should_panic" in node_text(before):
            return True
        before = before.prev_sibling
    return False


def _hash(text: str) -> int:
    """The hash of a text without white space, as the support module computes it."""
    found = 0xCBF29CE484222325
    for byte in text.encode("utf-8", "replace"):
        if byte not in b" \t\n\x0c\r":
            found = (found ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return found


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
    text = " ".join(node_text(kind).split()) if kind is not None else "()"
    return f"crate::{SUPPORT}::of_type!({text}, seed, depth + 1)?"


def _is_relation(node: Node) -> bool:
    operator = node.child_by_field_name("operator") if node.type == "binary_expression" else None
    return operator is not None and node_text(operator) in RELATIONS


def _has_let(condition: Node) -> bool:
    return condition.type in ("let_condition", "let_chain") or any(map(_has_let, condition.named_children[:4]))
