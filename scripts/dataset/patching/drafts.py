"""A draft: what a row may become, before the sandbox has proven it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["PatchDraft", "Kind"]

Kind = Literal["bug", "change", "addition"]


@dataclass(frozen=True)
class PatchDraft:
    """A right program, and the programs that it may be the change of; the first that fits its kind is taken."""

    name: str  # the row's task_id
    kind: Kind
    right: str
    given: tuple[str, ...]  # without tests
    asserts: tuple[str, ...]  # that the right program passes
    request: str  # in English; of a bug what the program should do, and a failing test is shown besides
    num_kept: int = 0  # of an addition: the first asserts, which the given program passes; the others do not compile
