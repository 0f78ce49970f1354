"""Every kind of change by name, with the programs that are made for it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from dataset.next_edits.change import Change
from dataset.next_edits.enums import enums
from dataset.next_edits.field import add_field
from dataset.next_edits.fields import structs
from dataset.next_edits.programs import MadeProgram, loops
from dataset.next_edits.rename import rename
from dataset.next_edits.retype import retype
from dataset.next_edits.variant import add_variant

__all__ = ["KINDS", "Kind"]


class Kind(NamedTuple):
    """A kind of change."""

    change: Callable[[str, Mapping[str, Any], random.Random], Change | None]  # of a program with its gold tests
    made: tuple[Callable[[random.Random], MadeProgram], ...]  # draw programs that it can change


KINDS: Mapping[str, Kind] = {
    "rename": Kind(rename, (loops, loops, structs)),
    "type": Kind(retype, (loops, structs)),
    "field": Kind(add_field, (structs,)),
    "variant": Kind(add_variant, (enums,)),
}
