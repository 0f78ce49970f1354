"""What a test prints, part by part: writing a value may run code of the program, which must not panic."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from tree_sitter import Node

from rewards.gold.computing.nodes import parse_expression
from rewards.gold.terms import NotEvaluable
from rewards.rust.tokens import node_text

__all__ = ["Printed", "printed_parts"]

PLACE = re.compile(r"\{([A-Za-z_]\w*)?(?::([#0-9.+<>^]*\??))?\}")
LITERALS = ("string_literal", "raw_string_literal")


class Printed(NamedTuple):
    """A value that is written."""

    value: Node
    how: str  # such as `:?`


def printed_parts(name: str, arguments: Sequence[Node]) -> list[Printed]:
    """What a macro such as `println!` writes. Raises: NotEvaluable for a format that is not simple.

    >>> from rewards.gold.computing.nodes import arguments_of
    >>> [(node_text(part.value), part.how) for part in printed_parts("print", arguments_of('"{} {n:?}", f(1)'))]
    [('f(1)', ''), ('n', ':?')]
    """
    if name == "dbg":
        return [Printed(argument, ":?") for argument in arguments]
    if not arguments:
        return []
    text = node_text(arguments[0]).replace("{{", "").replace("}}", "")
    places = [found.groups() for found in PLACE.finditer(text)]
    if arguments[0].type not in LITERALS or PLACE.sub("", text).count("{"):
        raise NotEvaluable(text)
    given = list(arguments[1:])
    parts = []
    for named, how in places:
        if named is None and not given:
            raise NotEvaluable(text)
        value = given.pop(0) if named is None else parse_expression(named)
        parts.append(Printed(value, f":{how}" if how else ""))
    if given:
        raise NotEvaluable(text)
    return parts
