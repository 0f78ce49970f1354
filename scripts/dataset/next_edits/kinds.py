"""Every kind of change by name, with the programs that are made for it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from dataset.next_edits.changing.change import Change
from dataset.next_edits.changing.field import add_field
from dataset.next_edits.changing.rename import rename
from dataset.next_edits.changing.retype import retype
from dataset.next_edits.changing.variant import add_variant
from dataset.next_edits.own_programs.enums import enums
from dataset.next_edits.own_programs.loops import loops
from dataset.next_edits.own_programs.program import MadeProgram
from dataset.next_edits.own_programs.structs import structs

__all__ = ["KINDS", "ChangeKind"]


class ChangeKind(NamedTuple):
    """A kind of change."""

    change: Callable[[str, Mapping[str, Any], random.Random], Change | None]  # of a program with its gold tests
    made: tuple[Callable[[random.Random], MadeProgram], ...]  # draw programs that it can change


KINDS: Mapping[str, ChangeKind] = {
    "rename": ChangeKind(rename, (loops, loops, structs)),
    "type": ChangeKind(retype, (loops, structs)),
    "field": ChangeKind(add_field, (structs,)),
    "variant": ChangeKind(add_variant, (enums,)),
}
