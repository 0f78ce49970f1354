"""Tests in Python, read as calls of one function with what is compared, and rewritten so that they can be recorded.

An assert is known by its form: `f(x) == y`, `f(x)`, `not f(x)`, `f(x) is True`, `math.isclose(f(x), y)`,
`abs(f(x) - y) < eps`, and those with `set`, `sorted`, `list` or `tuple` around the call. Statements between asserts,
loops among them, stay as they are. An assert of another form is counted and never recorded.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

__all__ = ["BIND", "CASE", "VALUE", "Form", "Instrumented", "first_called", "instrument", "python_tree"]

BIND, CASE, VALUE = "__bind__", "__case__", "__value__"  # names that the recorder defines
WRAPPERS = ("set", "frozenset", "sorted", "list", "tuple", "Counter", "bool", "float")
CLOSE_BY_DEFAULT = 1e-9  # the relative tolerance of math.isclose


@dataclass(frozen=True)
class Form:
    """What an assert compares."""

    kind: str  # "equal", "true", "false" or "close"
    wrapper: str = ""  # the function around the call
    relative: float = 0.0  # tolerance, as a part of the expected value
    absolute: float = 0.0  # tolerance


@dataclass(frozen=True)
class Instrumented:
    """Tests that record calls instead of asserting."""

    program: str  # Python, in which every known assert calls the recorder
    forms: tuple[Form, ...]  # of the known asserts, by the number that they record
    num_other: int  # asserts of another form, or about another function


@dataclass(frozen=True)
class _Read:
    """One assert, as its parts."""

    form: Form
    call: ast.Call
    other: ast.expr | None  # what the result is compared with


class _Unknown(Exception):
    """An assert of another form."""


def python_tree(text: str) -> ast.Module:
    """A text as Python: an empty module, where it is none or nested too deep.

    >>> [len(python_tree(text).body) for text in ("a = 1", "a =", "\\0", "\\ud800")]
    [1, 0, 0, 0]
    """
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def first_called(tests: list[str]) -> str:
    """The function that asserts are about: the first name that is called and is no wrapper; "" without one.

    >>> first_called(["assert set(similar([1], [2])) == set()", "assert similar([], []) == []"])
    'similar'
    """
    for test in tests:
        asserts = [node.test for node in ast.walk(python_tree(test.strip())) if isinstance(node, ast.Assert)]
        for node in (found for one in asserts for found in ast.walk(one)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in _IGNORED:
                return node.func.id
    return ""


_IGNORED = (*WRAPPERS, "abs", "isclose", "len", "round", "str", "int", "dict", "sum", "all", "any", "max", "min", "map")


def instrument(text: str, name: str) -> Instrumented:
    """Rewrite tests.

    Args:
        text: Python statements with asserts, or with functions that have some.
        name: The function that is tested.
    Raises: SyntaxError.

    >>> instrument("assert f(1) == 2", "f").program
    '__case__(0, __bind__(1), lambda __value__: __value__ == 2, lambda: 2)'
    >>> instrument("assert f(1) > 2", "f").num_other
    1
    """
    rewriter = _Rewriter(name)
    module = ast.fix_missing_locations(rewriter.visit(ast.parse(text)))
    return Instrumented(ast.unparse(module), tuple(rewriter.forms), rewriter.num_other)


class _Rewriter(ast.NodeTransformer):
    """Replaces asserts."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.forms: list[Form] = []
        self.num_other = 0

    def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
        """The statements that stand for an assert."""
        if not _calls(node.test, self.name):
            self.num_other += any(isinstance(child, ast.Call) for child in ast.walk(node.test))
            return [ast.Pass()]
        parts = node.test.values if _is_and(node.test) else [node.test]  # type: ignore[attr-defined]
        try:
            read = [_read(part, self.name) for part in parts]
        except _Unknown:
            self.num_other += 1
            return [ast.Pass()]
        return [self._recorded(part, one) for part, one in zip(parts, read, strict=True)]

    def _recorded(self, test: ast.expr, read: _Read) -> ast.stmt:
        """The statement that records an assert."""
        self.forms.append(read.form)
        bound = ast.Call(ast.Name(BIND, ast.Load()), read.call.args, read.call.keywords)
        holds = _Replace(read.call).visit(test)
        arguments = [ast.Constant(len(self.forms) - 1), bound, _function(holds, VALUE)]
        if read.other is not None:
            arguments.append(_function(read.other))
        return ast.Expr(ast.Call(ast.Name(CASE, ast.Load()), arguments, []))


class _Replace(ast.NodeTransformer):
    """Puts the value in the place of a call."""

    def __init__(self, call: ast.Call) -> None:
        self.call = call

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """The value for that call, any other as it is."""
        if node is self.call:
            return ast.Name(VALUE, ast.Load())
        self.generic_visit(node)
        return node


def _function(body: ast.expr, *names: str) -> ast.Lambda:
    given = [ast.arg(name) for name in names]
    return ast.Lambda(ast.arguments(posonlyargs=[], args=given, kwonlyargs=[], kw_defaults=[], defaults=[]), body)


def _is_and(node: ast.expr) -> bool:
    return isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And)


def _calls(node: ast.AST, name: str) -> list[ast.Call]:
    """The calls of the function in an expression."""
    found = (child for child in ast.walk(node) if isinstance(child, ast.Call))
    return [call for call in found if isinstance(call.func, ast.Name) and call.func.id == name]


def _read(test: ast.expr, name: str) -> _Read:
    """An assert's parts. Raises: _Unknown."""
    if len(_calls(test, name)) != 1:
        raise _Unknown
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return _Read(Form("false"), _call(inner, name)[0], None)
        case ast.Compare(left=left, ops=[ast.Eq() | ast.Is()], comparators=[right]):
            return _equality(left, right, name)
        case ast.Compare(
            left=left, ops=[ast.Lt() | ast.LtE()], comparators=[ast.Constant(value=float() | int() as eps)]
        ):
            return _distance(left, float(eps), name)
        case ast.Call(func=function, args=[left, right, *others], keywords=given) if _last(function) == "isclose":
            return _close(left, right, [*others, *given], name)
    call, wrapper = _call(test, name)
    if wrapper not in ("", "bool"):
        raise _Unknown
    return _Read(Form("true"), call, None)


def _equality(left: ast.expr, right: ast.expr, name: str) -> _Read:
    if _calls(right, name):
        left, right = right, left
    if isinstance(right, ast.Call) and _last(right.func) == "approx" and right.args:
        return _close(left, right.args[0], list(right.keywords), name)
    call, wrapper = _call(left, name)
    return _Read(Form("equal", wrapper), call, right)


def _distance(left: ast.expr, eps: float, name: str) -> _Read:
    """abs(f(x) - y) < eps"""
    match left:
        case ast.Call(func=function, args=[ast.BinOp(left=one, op=ast.Sub(), right=other)]) if _last(function) in (
            "abs",
            "fabs",
        ):
            one, other = (other, one) if _calls(other, name) else (one, other)
            return _Read(Form("close", absolute=eps), _call(one, name)[0], other)
    raise _Unknown


def _close(left: ast.expr, right: ast.expr, settings: list[ast.expr | ast.keyword], name: str) -> _Read:
    """math.isclose(f(x), y, rel_tol=1e-3, abs_tol=0)"""
    left, right = (right, left) if _calls(right, name) else (left, right)
    given = {"rel_tol": CLOSE_BY_DEFAULT, "abs_tol": 0.0}
    for place, setting in enumerate(settings):
        key = setting.arg if isinstance(setting, ast.keyword) else ("rel_tol", "abs_tol")[min(place, 1)]
        value = setting.value if isinstance(setting, ast.keyword) else setting
        if not isinstance(value, ast.Constant) or not isinstance(value.value, int | float):
            raise _Unknown
        name_of = {"rel": "rel_tol", "abs": "abs_tol", "rtol": "rel_tol", "atol": "abs_tol"}
        given[name_of.get(str(key), str(key))] = float(value.value)
    return _Read(Form("close", relative=given["rel_tol"], absolute=given["abs_tol"]), _call(left, name)[0], right)


def _call(node: ast.expr, name: str) -> tuple[ast.Call, str]:
    """The call, and the function around it."""
    match node:
        case ast.Call(func=ast.Name(id=found)) if found == name:
            return node, ""
        case ast.Call(func=function, args=[ast.Call(func=ast.Name(id=found)) as inner], keywords=[]) if found == name:
            if _last(function) in WRAPPERS:
                return inner, _last(function)
    raise _Unknown


def _last(function: ast.expr) -> str:
    """The last name of a path: `isclose` of `math.isclose`."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
