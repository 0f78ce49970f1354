"""Reads a function's body: its asserts, whether each can be reached, and which names its values are made of.

Promises time linear in the size of the body, for any text. Values are followed by name alone; scopes, types and
branches are left out. Two things are recorded of a variable:

- `Body.bound` maps it to every name that a let, loop, match, assignment or mutable use puts into it.
- A plain let (a single name, not `mut`) has a value that replaces the variable in `Assert.expanded`. So
  `let got = f(1); assert_eq!(got, f(1))` is found to compare `f(1)` with itself.
"""

from __future__ import annotations

from tree_sitter import Node

from rewards.rust.constants import constant_value, is_empty
from rewards.rust.program import ASSERTS, Assert, Body
from rewards.rust.tokens import COMMENTS, Tokens, last_name, node_text

__all__ = ["imported_names", "read_body"]

MAX_INNER = 16  # nesting depth of functions within functions; deeper ones are not read
MAX_VALUE = 200  # tokens of a let's value; a variable with a longer value is not replaced
MAX_CONDITION = 100  # bytes of a nested condition; a longer one counts as unknown
SHARED = {"Cell", "RefCell", "Mutex", "RwLock"}  # types whose value a call can change through a plain reference


def read_body(block: Node, tokens: Tokens, *, parameters: frozenset[str] = frozenset(), depth: int = 0) -> Body:
    """The body of a function or closure.

    Args:
        block: The body's node in the syntax tree.
        tokens: The tokens of the whole program.
        parameters: The names in the function's parameter list.
        depth: The number of functions around this one.
    """
    statements = sum(child.is_named and child.type not in COMMENTS for child in block.children)
    body = Body(tokens.names(block), parameters, statements=statements)
    reader = _Reader(body, tokens, depth)
    stack = [(block, True)]
    while stack:
        node, reachable = stack.pop()
        if reader.visit(node, reachable):
            stack.extend(reversed(reader.steps(node, reachable)))
    return body


def imported_names(declaration: Node, tokens: Tokens) -> dict[str, frozenset[str]]:
    """The names in a `use` that do not stand for an item of the program outside its tests.

    A path that starts with `super`, `crate` or `self` leads to such an item, so only its `as` aliases are returned;
    of any other path, every name is.

    Args:
        declaration: The `use` declaration.
        tokens: The tokens of the whole program.
    Returns: Each name with the names of the path that it stands for.
    """
    path = tokens.names(declaration)
    foreign = tokens.texts(declaration)[1:2] not in (["super"], ["crate"], ["self"])
    names = {name: path - {name} for name in path} if foreign else {}
    stack = [declaration]
    while stack:
        node = stack.pop()
        if node.type == "use_as_clause":
            names[last_name(node.child_by_field_name("alias"))] = tokens.names(node.child_by_field_name("path"))
        stack.extend(node.children)
    return names


class _Reader:
    """Fills in a `Body` while the nodes of one function's body are visited in order."""

    def __init__(self, body: Body, tokens: Tokens, depth: int) -> None:
        self._body = body
        self._tokens = tokens
        self._depth = depth
        self._values = dict(tokens.flags)  # the variable of a plain let -> the tokens of its value
        self._mutable: set[str] = set()  # variables declared `let mut`
        self._shared: set[str] = set()  # variables through which a call can change a value: `&mut`, `Cell` and the like

    def visit(self, node: Node, reachable: bool) -> bool:
        """Record what a node does.

        Returns: Whether to visit its children.
        """
        match node.type:
            case "identifier":
                self._body.mentions.add(node_text(node))
            case "macro_invocation":
                macro = last_name(node.child_by_field_name("macro"))
                self._body.macros.add(macro)
                if macro in ASSERTS:
                    self._body.asserts.append(self._read_assert(macro, node, reachable))
            case "let_declaration":
                return self._let(node)
            case "function_item":
                self._inner(last_name(node.child_by_field_name("name")), node)
                return False
            case "let_condition" | "for_expression" | "match_expression":
                self._bind_patterns(node)
            case "assignment_expression" | "compound_assignment_expr":
                self._flow(_base(node.child_by_field_name("left")), self._tokens.names(node))
            case "call_expression":
                self._call(node)
            case "use_declaration":
                names = imported_names(node, self._tokens)
                self._body.bound.update(names)
                self._body.hidden |= names.keys()
            case "macro_definition":
                self._body.hidden.add(last_name(node.child_by_field_name("name")))
        return True

    def steps(self, node: Node, reachable: bool) -> list[tuple[Node, bool]]:
        """The children of a node, each with whether the program can reach it."""
        dead = self._dead_part(node) if reachable else None
        steps: list[tuple[Node, bool]] = []
        switched_off = False  # whether a cfg before the next statement may remove it
        left = False  # whether an earlier statement always leaves the block
        for child in node.children:
            steps.append((child, reachable and not (left or switched_off) and dead != child and dead != node))
            if node.type == "block":
                if child.type == "attribute_item":
                    switched_off |= self._tokens.texts(child)[2:3] in (["cfg"], ["cfg_attr"])
                elif child.type not in COMMENTS:
                    left |= not switched_off and self._leaves(child)
                    switched_off = False
        return steps

    def _dead_part(self, node: Node) -> Node | None:
        """The child of a node that never runs; the node itself where no child does; None where all may run."""
        match node.type:
            case "if_expression" | "while_expression":
                value = self._constant(node.child_by_field_name("condition"))
                return {None: None, True: node.child_by_field_name("alternative"), False: node}[value]
            case "match_expression":
                return node if self._constant(node.child_by_field_name("value")) is not None else None
            case "for_expression":
                return node if is_empty(self._expand(self._tokens.texts(node.child_by_field_name("value")))) else None
            case "call_expression":
                function = node.child_by_field_name("function")
                called = last_name(function).rpartition(".")[2]
                receiver = function.child_by_field_name("value") if function is not None else None
                if called in ("spawn", "drop", "forget") or self._is_visibly_empty(receiver):
                    return node.child_by_field_name("arguments")
            case "binary_expression":
                left, operator = node.child_by_field_name("left"), node.child_by_field_name("operator")
                decided = {"&&": False, "||": True}.get(node_text(operator)) if operator is not None else None
                if decided is not None and self._short_constant(left) is decided:
                    return node.child_by_field_name("right")
            case "async_block":
                return node
        return None

    def _constant(self, condition: Node | None) -> bool | None:
        """`constant_value` of a condition, with the variables of plain lets replaced by their values."""
        return constant_value(self._expand(self._tokens.texts(condition)))

    def _short_constant(self, condition: Node | None) -> bool | None:
        """`_constant` of a short condition, None for a long one.

        Nested conditions overlap, so reading all of them whatever their length would take quadratic time.
        """
        short = condition is not None and condition.end_byte - condition.start_byte <= MAX_CONDITION
        return self._constant(condition) if short else None

    def _is_visibly_empty(self, receiver: Node | None) -> bool:
        """Whether a method's receiver is an empty iterator or `None` by its form, so that closures passed never run."""
        if receiver is None or receiver.end_byte - receiver.start_byte > MAX_CONDITION:
            return False
        tokens = self._expand(self._tokens.texts(receiver))
        return tokens[:1] == ["None"] or is_empty(tokens)

    def _leaves(self, statement: Node, depth: int = 8) -> bool:
        """Whether a statement always returns, breaks or continues, so that nothing after it is reached.

        Looks into blocks, `loop` and an `if` whose condition is constant, at most `depth` levels down.
        """
        inner = statement.named_children[0] if statement.type == "expression_statement" else statement
        if inner.type in ("return_expression", "break_expression", "continue_expression"):
            return True
        if not depth:
            return False
        if inner.type == "block":
            return any(self._leaves(child, depth - 1) for child in inner.named_children)
        if inner.type == "loop_expression":
            block = inner.child_by_field_name("body")
            returns = [c for c in (block.named_children if block else []) if "return" in self._tokens.texts(c)[:1]]
            return bool(returns)
        condition = inner.child_by_field_name("condition") if inner.type == "if_expression" else None
        consequence = inner.child_by_field_name("consequence")
        constant_if = consequence is not None and self._short_constant(condition) is not None
        return constant_if and consequence is not None and self._leaves(consequence, depth - 1)

    def _let(self, node: Node) -> bool:
        """Record a let: a closure as an inner function, a plain let's value for its variable.

        Returns: Whether to visit its children, as `visit`.
        """
        pattern, value = node.child_by_field_name("pattern"), node.child_by_field_name("value")
        mutable = any(child.type == "mutable_specifier" for child in node.children)
        plain = pattern is not None and pattern.type == "identifier"
        if plain and value is not None and value.type == "closure_expression":
            self._inner(last_name(pattern), value)
            return False
        expanded = self._expand(self._tokens.texts(value)) if plain and value is not None and not mutable else []
        self._bind_patterns(node)
        if mutable:
            self._mutable |= self._tokens.names(pattern)
        if self._tokens.texts(value)[:2] == ["&", "mut"] or self._tokens.names(value) & SHARED:
            self._shared |= self._tokens.names(pattern)
        if 0 < len(expanded) <= MAX_VALUE:
            self._values[last_name(pattern)] = expanded
        return True

    def _inner(self, name: str, node: Node) -> None:
        """Read a function within this one."""
        block = node.child_by_field_name("body")
        self._body.hidden.add(name)
        if block is not None and self._depth < MAX_INNER:
            parameters = self._tokens.names(node.child_by_field_name("parameters"))
            self._body.inner[name] = read_body(block, self._tokens, parameters=parameters, depth=self._depth + 1)

    def _bind_patterns(self, node: Node) -> None:
        """Record the variables that a let, for or match binds, and the names that their values are made of."""
        value = self._tokens.names(node.child_by_field_name("value"))
        value |= self._tokens.names(node.child_by_field_name("type"))  # `let f: Fahrenheit = c.into()`
        patterns = [node.child_by_field_name("pattern")]
        if node.type == "match_expression":
            arms = node.child_by_field_name("body")
            patterns = [arm.child_by_field_name("pattern") for arm in (arms.children if arms else [])]
        for pattern in patterns:
            for name in self._tokens.names(pattern):
                if name not in value:  # `let area = area(2)` hides the function, but its value is made of it
                    self._body.hidden.add(name)
                self._flow(name, value)

    def _call(self, node: Node) -> None:
        """Record the names in a call's arguments, and as changed every variable that the call may change.

        Such a variable is the `mut` receiver of a method, an argument `&mut x`, or one in `_shared`.
        """
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None:
            return
        if function.type == "field_expression":
            receiver = _base(function)
            if receiver in self._mutable:
                self._flow(receiver, self._tokens.names(node))
        else:
            name = last_name(function)
            self._body.calls[name] = self._body.calls.get(name, frozenset()) | self._tokens.names(arguments)
        for argument in arguments.children:
            referred = argument.type == "reference_expression"
            name = _base(argument.child_by_field_name("value") if referred else argument)
            if name in self._shared or referred and any(c.type == "mutable_specifier" for c in argument.children):
                self._flow(name, self._tokens.names(node))

    def _flow(self, name: str, sources: frozenset[str]) -> None:
        """Record names whose values go into a variable; a plain let's value no longer replaces it."""
        if name:
            self._body.bound[name] = self._body.bound.get(name, frozenset()) | sources
            self._values.pop(name, None)

    def _expand(self, texts: list[str]) -> list[str]:
        """Tokens with the variables of plain lets replaced by their values."""
        expanded: list[str] = []
        for index, token in enumerate(texts):
            value = self._values.get(token) if not index or texts[index - 1] != "." else None
            expanded += [token] if value is None else value if len(texts) == 1 else ["(", *value, ")"]
        return expanded

    def _read_assert(self, macro: str, node: Node, reachable: bool) -> Assert:
        """Read an assert macro: its first two arguments for `_eq` and `_ne`, else its first.

        Arguments end at commas outside brackets and outside the generic arguments of `f::<A, B>`.
        """
        tree = next((child for child in node.children if child.type == "token_tree"), None)
        arguments: list[list[Node]] = [[]]
        generics = 0
        children = tree.children[1:-1] if tree else []
        for index, child in enumerate(children):
            if child.type == "<" and index and children[index - 1].type == "::":
                generics += 1
            elif child.type == ">" and generics:
                generics -= 1
            if child.type == "," and not generics:
                arguments.append([])
            elif child.type not in COMMENTS:
                arguments[-1].append(child)
        compared = arguments[: 2 if macro.endswith(("_eq", "_ne")) else 1]
        texts = [[token for part in argument for token in self._tokens.texts(part)] for argument in compared]
        names = frozenset().union(*(self._tokens.names(part) for argument in compared for part in argument))
        expanded = tuple(" ".join(self._expand(tokens)) for tokens in texts)
        return Assert(macro, tuple(map(" ".join, texts)), expanded, names, reachable)


def _base(node: Node | None) -> str:
    """The variable at the start of an expression: `x` of `x.items[0].len`; "" where it starts with none."""
    for _ in range(MAX_INNER):
        if node is None or node.type in ("identifier", "self"):
            break
        node = node.child_by_field_name("value") or (node.named_children[0] if node.named_children else None)
    return last_name(node) if node is not None and node.type == "identifier" else ""
