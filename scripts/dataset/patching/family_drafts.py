"""Drafts of the quickstart's family: mistakes, functions that are to return something else, and further functions.

Promises that no combination of operation and element type of the evaluation stands in a draft for training, neither as
what is asked for nor as what is given; drafts are functions of the seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from dataset.patching.drafts import PatchDraft
from dataset.patching.mutants import mutants
from dataset.patching.row_drafts import TRIED
from tiny.catalogue import OPERATIONS, Split, combinations, rivals, split_of
from tiny.operation import Operation
from tiny.programs import Request, Solution, draw_checks, draw_request, reference
from tiny.rust_types import Element

__all__ = ["family_drafts"]

CHECKS = 12  # asserts of a draft, of which a row takes some
KINDS = ("bug", "change", "addition")
CHANGES = (
    "`{name}` returns {old}. It should return {new}.",
    "Change `{name}`: instead of {old}, return {new}.",
    "Let `{name}` return {new}.",
)
ADDITIONS = (
    "Add a function `fn {signature}` that returns {new}.",
    "Write another function `fn {signature}`. It returns {new}. Leave `{name}` as it is.",
)


def family_drafts(split: Split, *, seed: int) -> Iterator[PatchDraft]:
    """Different drafts of a split's combinations, without end, each of another kind than the one before it."""
    rng = random.Random(f"patches {split} {seed}")
    seen: set[tuple[str, str]] = set()
    number, pairs = 0, combinations(split)
    while True:
        for operation, element in rng.sample(pairs, len(pairs)):
            kind = KINDS[number % len(KINDS)]
            make = {"bug": _bug, "change": _change, "addition": _addition}[kind]
            draft = make(draw_request(operation, element, rng), split, rng)
            number += 1
            if draft is not None and (draft.right, draft.request) not in seen:
                seen.add((draft.right, draft.request))
                yield replace(draft, name=f"patch-{split}-{len(seen) - 1:04d}")


def _bug(request: Request, split: Split, rng: random.Random) -> PatchDraft | None:
    """The body of an operation with the same types, or a small mistake, in place of the right one."""
    right = reference(request)
    wrong = [reference(replace(request, operation=other)) for other in _known(request, split)] + mutants(right)
    rng.shuffle(wrong)
    given = tuple(text for text in dict.fromkeys(wrong) if text != right)[:TRIED]
    wanted = request.operation.phrase(0, request.names, request.setting)
    text = f"`{request.name}` should return {wanted}."
    return PatchDraft("", "bug", right, given, _asserts(request, rng), text) if given else None


def _change(request: Request, split: Split, rng: random.Random) -> PatchDraft | None:
    """Another operation with the same types, under the same name."""
    if not (others := _known(request, split)):
        return None
    old = replace(request, operation=rng.choice(others))
    names = {"name": request.name, "old": _phrase(old, rng), "new": _phrase(request, rng)}
    text = rng.choice(CHANGES).format(**names)
    return PatchDraft("", "change", reference(request), (reference(old),), _asserts(request, rng), text)


def _addition(request: Request, split: Split, rng: random.Random) -> PatchDraft | None:
    """A function of the same element type stands there already."""
    element = request.setting.element
    others = [other for other in OPERATIONS if other.applies_to(element) and _is_shown(other, element, split)]
    there = draw_request(rng.choice(others), element, rng)
    there = replace(there, setting=request.setting)
    shapes = [(*one.operation.params, one.operation.returns) for one in (there, request)]
    definition = request.setting.definition(shapes[0])
    if there.name == request.name or definition != request.setting.definition((*shapes[0], *shapes[1])):
        return None
    given = reference(there)
    alone = Solution("", request.signature(), _body(request), request.name, ()).code()
    names = {"name": there.name, "signature": request.signature(), "new": _phrase(request, rng)}
    kept = _asserts(there, rng)[:3]
    asserts = (*kept, *_asserts(request, rng)[:4])
    text = rng.choice(ADDITIONS).format(**names)
    return PatchDraft("", "addition", f"{given}\n{alone}", (given,), asserts, text, num_kept=len(kept))


def _known(request: Request, split: Split) -> list[Operation]:
    """Operations with the same types that a draft of the split may show."""
    element = request.setting.element
    return [other for other in rivals(request.operation, element) if _is_shown(other, element, split)]


def _is_shown(operation: Operation, element: Element, split: Split) -> bool:
    """Whether a draft of the split may show a combination that it does not ask for."""
    return split_of(operation, element) in ("train", split)


def _asserts(request: Request, rng: random.Random) -> tuple[str, ...]:
    return tuple(check.render(request.name) for check in draw_checks(request, rng, CHECKS))


def _phrase(request: Request, rng: random.Random) -> str:
    return request.operation.phrase(rng.randrange(2), request.names, request.setting)


def _body(request: Request) -> str:
    return request.operation.body(0, request.names, request.setting)
