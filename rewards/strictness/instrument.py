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

from rewards.rust.grammar import syntax
from rewards.rust.parse import parse
from rewards.rust.program import Program
from rewards.rust.tokens import last_name, leaves, node_text, plain_name, without_generics
from rewards.strictness.edits import Edits
from rewards.strictness.macro_functions import macro_functions
from rewards.strictness.nodes import (
    RELATIONS,
    has_let,
    has_parameters,
    holds,
    holds_function,
    identifiers,
    ignores_arguments,
    is_relation,
    makes_value,
    modifiers,
    opaque_names,
)
from rewards.strictness.results import (
    Wrapping,
    early_return,
    own_alterations,
    own_values,
    return_of,
    returns_nothing,
    wrapping,
)
from rewards.strictness.test_code import inside, place_hash, read_test_code, start_of
from sandbox.evidence.experiment import ALWAYS, MAX_IDS, NO_FUNCTION, SUPPORT, Experiment, Mutant
from sandbox.grading.batch import is_portable
from sandbox.verdict import Function

__all__ = ["experiment"]

MAX_DEPTH = 150  # nesting of syntax; deeper code is not changed, since the text around it would nest deeper still
CATCHING = frozenset(("catch_unwind", "thread"))  # without these words nothing goes on after a panic
NEVER_ASKED = ("Drop", "Hash", "Wake")  # traits of the standard library whose methods nobody calls for their results
UNASKED = (*NEVER_ASKED, "Debug", "Error")  # those, and those that tests need not reach
PLAIN = 60  # tokens of a body that makes a value from nothing and need not be noticed
CONSTANTS = ("const_item", "static_item", "type_item", "enum_item", "struct_item", "const_block")
LOOPS = frozenset(("for_expression", "while_expression", "loop_expression", "closure_expression"))
SEEDS = (2, 0, 1)  # of the values that a function is made to return: a large, an empty and a small one
PER_FUNCTION = 8  # other changes in one function that the plan tries
ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "rem"}
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
    >>> [function.name for function in made.functions], [mutant.kind for mutant in made.mutants], made.plan
    (['f'], ['return', 'return', 'return', 'constant'], {0: (1, 2, 3, 4)})
    """
    program = parse(source) if program is None else program
    if SUPPORT in source or not program.test_code:
        return None
    writer = _Writer(source, program)
    if not any(mutant.function != NO_FUNCTION for mutant in writer.mutants):
        return None
    tests = writer.tests
    return Experiment(
        writer.edits.parts(),
        tuple(writer.mutants),
        functions=tuple(writer.functions),
        asserts=tests.asserts,
        guards=dict(writer.guards),
        named=tuple(n for n, f in enumerate(writer.functions) if f.name in tests.called or f.kind == "macro"),
        hidden=(*sorted(tests.named & writer.opaque), *writer.unseen),
        test_lines=tests.lines,
        tests=tests.tests,
        equality=writer.equality,
        salt=place_hash(source),
        plan=_plan(writer, thorough),
        catches=not CATCHING.isdisjoint(map(node_text, leaves(syntax(source)))),
        portable=is_portable(source),
        thorough=thorough,
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
    kinds = {n: writer.mutants[n - 1].kind for n in numbers}
    returns = [n for n in numbers if kinds[n] in ("return", "nothing")]
    others = [n for n in numbers if kinds[n] not in ("return", "nothing")]
    return (*returns, *(others if thorough else _spread(others, PER_FUNCTION)))


def _spread(numbers: Sequence[int], count: int) -> Sequence[int]:
    """At most `count` of the numbers, evenly spread."""
    return numbers if len(numbers) <= count else [numbers[i * len(numbers) // count] for i in range(count)]


class _Writer:
    """Collects the edits of a program."""

    def __init__(self, source: str, program: Program) -> None:
        self.mutants: list[Mutant] = []
        self.functions: list[Function] = []
        self.guards: dict[int, int] = {}  # of the functions that write down when they are entered: with which mutant
        self.unseen: list[str] = []  # code into which nothing can be put
        self.opaque: set[str] = set()  # names outside tests that stand for code which is not changed
        self.edits = Edits(source)
        self._traits = program.traits
        self._test_code = sorted(program.test_code)
        root = syntax(source)
        self.equality = (self._mutant(NO_FUNCTION, "equality", fragile=True) or 0) if program.compares else 0
        self.tests = read_test_code(root, self._test_code, self.edits, self.equality)
        self._read_code(root)

    def _mutant(self, function: int, kind: str, *, fragile: bool = False) -> int | None:
        """The number of a new mutant; None where there are too many."""
        if len(self.mutants) + 1 >= MAX_IDS:
            return None
        self.mutants.append(Mutant(function, kind, fragile))
        return len(self.mutants)

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
            if inside(node, self._test_code):
                continue
            if depth > MAX_DEPTH:
                self.opaque.update(identifiers(node) if function == NO_FUNCTION else ())
                continue
            if node.type in ("struct_item", "enum_item") and returning:
                self._type(node)
            if node.type in LEFT_ALONE:
                if function == NO_FUNCTION:
                    self.opaque.update(opaque_names(node))
                if returning and function == NO_FUNCTION and node.type in CONSTANTS and holds_function(node):
                    self.unseen.append(f"a function in {last_name(node.child_by_field_name('name')) or 'a constant'}")
                if returning and node.type in ("macro_definition", "macro_invocation"):
                    self._macro(node)
                continue
            if node.type == "function_item":
                if returning:
                    functions[node.start_byte] = self._function(node)
                function, constant = functions[node.start_byte]
            elif function >= 0 and not returning:
                self._change(node, function, constant)
            for index, child in enumerate(node.children):
                if node.field_name_for_child(index) not in LEFT_ALONE_FIELDS:
                    stack.append((child, function, depth + 1, constant))

    def _function(self, node: Node) -> tuple[int, bool]:
        """Record a function, and the changes of what it returns; its number, -1 where nothing in it may change."""
        body, name = node.child_by_field_name("body"), plain_name(node.child_by_field_name("name"))
        if body is None:
            return -1, False
        if len(self.functions) + 1 >= MAX_IDS:
            self.opaque.add(name)
            return -1, False
        words, function = modifiers(node), len(self.functions)
        self.functions.append(Function(name, sum(1 for _ in leaves(body)), *self._role(node, body)))
        if "const" in words:
            return self._constant_function(node, words["const"], function)
        self.guards[function] = ALWAYS
        guard = "enter_asynchronous" if "async" in words else "enter"
        self.edits.insert(start_of(body), f"let _{SUPPORT} = ::{SUPPORT}::{guard}({function});")
        if name == "eq" and self.equality:
            self._equality(node, body)
        self._change_result(node, body, function)
        return function, False

    def _equality(self, node: Node, body: Node) -> None:
        """Ask an equality, where it holds, about values that differ a little."""
        parameters = node.child_by_field_name("parameters")
        given = [child for child in (parameters.named_children if parameters else []) if child.type == "parameter"]
        other = given[0].child_by_field_name("pattern") if len(given) == 1 else None
        if other is None or other.type != "identifier":
            self.unseen.append("its equality")
            return
        number = self._mutant(NO_FUNCTION, "equality", fragile=True)
        if number is not None:
            held = f"held_{SUPPORT}"
            self.edits.insert(start_of(body), f"let {held} = (|| -> bool {{", number)
            asked = f"::{SUPPORT}::told_apart!({self.equality}, {held}, self, {node_text(other)});"
            self.edits.insert(body.end_byte - 1, f"}})(); {asked} {held}", number)

    def _macro(self, node: Node) -> None:
        """Put changes into the functions that a macro makes, as far as the compiler takes them there."""
        for found in macro_functions(node):
            kind = "return" if found.result else "nothing"
            number = self._mutant(len(self.functions), kind, fragile=True) if found.body else None
            if number is None or len(self.functions) + 1 >= MAX_IDS:
                self.unseen.append(found.name)
                return
            function = len(self.functions)
            self.functions.append(Function(found.name, found.size, "macro"))
            self.guards[function] = number
            text = f"let _{SUPPORT} = ::{SUPPORT}::enter({function});"
            self.edits.insert(found.body, text + return_of(found.result, SEEDS[0]).replace("@", str(number)), number)
            for seed in SEEDS[1:] if found.result else ():
                further = self._mutant(function, "return", fragile=True)
                if further is not None:
                    self.edits.insert(found.body, return_of(found.result, seed).replace("@", str(further)), further)

    def _role(self, node: Node, body: Node) -> tuple[str, str]:
        """The kind of a function, and what tests must notice of it."""
        block = node.parent.parent if node.parent is not None else None
        result = node.child_by_field_name("return_type")
        if result is not None and result.type == "never_type":
            return "free", "nothing"
        if block is None or block.type not in ("impl_item", "trait_item") or ignores_arguments(node):
            return "free", "any change"
        trait = block.child_by_field_name("trait")
        name = plain_name(without_generics(trait)) if trait is not None else ""
        if name and name not in self._traits:
            if name in UNASKED:
                return "unasked", "nothing" if name in NEVER_ASKED else "any change"
            kind = "trait"
        else:
            kind = "method"
        if not makes_value(node, block):
            return kind, "any change"
        plain = not has_parameters(node) and not holds(body, LOOPS) and sum(1 for _ in leaves(body)) <= PLAIN
        return kind, "nothing" if plain else "a failure"

    def _constant_function(self, node: Node, word: Node, function: int) -> tuple[int, bool]:
        """Make a constant function an ordinary one, as far as nothing constant needs it: with its first mutant."""
        body, kind = node.child_by_field_name("body"), node.child_by_field_name("return_type")
        text = None if returns_nothing(kind) else early_return(kind, SEEDS[0])
        number = self._mutant(function, "return", fragile=True) if text else None
        if body is None or number is None or text is None:
            self.opaque.add(self.functions[function].name)
            return -1, False
        self.guards[function] = number
        self.edits.replace(word, " " * len("const"), number)
        self.edits.insert(start_of(body), f"let _{SUPPORT} = ::{SUPPORT}::enter({function});", number)
        self.edits.insert(start_of(body), text.replace("@", str(number)), number)
        for seed in SEEDS[1:]:
            self._return(body, function, early_return(kind, seed), fragile=True)
        return function, True

    def _change_result(self, node: Node, body: Node, function: int) -> None:
        """Make a function return something else."""
        kind = node.child_by_field_name("return_type")
        if (wrapped := wrapping(node)) is not None:
            self._wrap(body, function, wrapped)
            return
        for seed in SEEDS[:1] if returns_nothing(kind) else SEEDS:
            self._return(
                body, function, early_return(kind, seed), kind="nothing" if returns_nothing(kind) else "return"
            )

    def _wrap(self, body: Node, function: int, wrapped: Wrapping) -> None:
        """Change what the body of a function makes."""
        number = self._mutant(function, "return", fragile=True)
        if number is None:
            return
        at = body.end_byte - 1
        self.edits.insert(start_of(body), wrapped.before, number)
        self.edits.insert(at, wrapped.after.replace("@", str(number)).replace("#", str(SEEDS[0])), number)
        for seed in SEEDS[1:] if wrapped.further else ():
            further = self._mutant(function, "return", fragile=True)
            if further is not None:
                self.edits.insert(at, wrapped.further.replace("@", str(further)).replace("#", str(seed)), further)
        self.edits.insert(at, wrapped.end, number)

    def _return(
        self, body: Node, function: int, text: str | None, *, kind: str = "return", fragile: bool = False
    ) -> None:
        """Put a return at the start of a body, where there is a text for it."""
        number = self._mutant(function, kind, fragile=fragile) if text else None
        if number is not None and text:
            self.edits.insert(start_of(body), text.replace("@", str(number)), number)

    def _type(self, node: Node) -> None:
        """Make values of a type of the program's own, so that functions can be made to return them."""
        for text in (own_values(node), own_alterations(node) if self.equality else None):
            number = self._mutant(NO_FUNCTION, "value") if text else None
            if number is not None and text:
                self.edits.insert(node.end_byte, text, number)

    def _change(self, node: Node, function: int, constant: bool) -> None:
        """Put in the changes at one node of a function's body."""
        match node.type:
            case "binary_expression":
                self._operator(node, function, constant)
            case "if_expression" | "while_expression":
                condition = node.child_by_field_name("condition")
                if condition is not None and not has_let(condition) and not is_relation(condition):
                    self._switch(condition, function, "condition", "(::S::on(@) != (", "))", constant)
            case "integer_literal" | "float_literal":
                self._switch(node, function, "constant", "::S::plus(@, ", ")", constant)
            case "string_literal" if node_text(node).startswith('"'):
                self._switch(node, function, "constant", "::S::text(@, ", ")", constant)
            case "boolean_literal":
                self._switch(node, function, "constant", "(::S::on(@) != ", ")", constant)
            case "expression_statement":
                inner = node.named_children[0] if node.named_children else None
                called = ("call_expression", "compound_assignment_expr", "assignment_expression")
                if inner is not None and inner.type in called and node_text(node).endswith(";"):
                    self._switch(node, function, "statement", "if !::S::on(@) { ", " }", constant)
        if node.type in ("while_expression", "for_expression", "loop_expression"):
            body = node.child_by_field_name("body")
            if body is not None and not constant:
                self.edits.insert(start_of(body), f"::{SUPPORT}::tick();")

    def _operator(self, node: Node, function: int, constant: bool) -> None:
        """Put in another operator, or the opposite of a comparison."""
        operator, right = node.child_by_field_name("operator"), node.child_by_field_name("right")
        left = node.child_by_field_name("left")
        text = node_text(operator) if operator is not None else ""
        if text in RELATIONS:
            self._switch(node, function, "relation", "(::S::on(@) != (", "))", constant)
        elif text in ARITHMETIC and left is not None and right is not None and operator is not None:
            number = self._mutant(function, "operator", fragile=constant)
            if number is not None:
                self.edits.around(node, f"::{SUPPORT}::{ARITHMETIC[text]}!({number}, ", ")", number)
                self.edits.replace(operator, ",", number)

    def _switch(self, node: Node, function: int, kind: str, before: str, after: str, constant: bool) -> None:
        """Put text around a node."""
        number = self._mutant(function, kind, fragile=constant)
        if number is not None:
            before = before.replace("::S::", f"::{SUPPORT}::").replace("@", str(number))
            self.edits.around(node, before, after, number)
