"""Fingerprints of prompts: whether a resumed run has the data that it began with, and what differs if not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from grpo.rollout.epochs import Share
from grpo.rollout.records import Example

__all__ = ["Fingerprint", "difference", "fingerprint", "fingerprints", "share_fingerprints"]

DIGITS = 16  # of the hash in hexadecimal: 64 bits tell a billion prompts apart


class Fingerprint(NamedTuple):
    """A prompt's id and the hash of everything that it gives to the policy and to the rewards."""

    id: str
    digest: str


def fingerprint(name: str, *content: Any) -> Fingerprint:
    """The fingerprint of a prompt of that id; the content is hashed as JSON, whatever JSON lacks by its `repr`."""
    text = json.dumps([name, *content], sort_keys=True, default=repr)
    return Fingerprint(name, hashlib.sha256(text.encode()).hexdigest()[:DIGITS])


def fingerprints(examples: Sequence[Example]) -> list[Fingerprint]:
    """One of every encoded example, in order: of id, tokens, messages and all columns: rewards may read any."""
    return [fingerprint(e.id, e.prompt_ids, [dict(m) for m in e.messages], dict(e.columns)) for e in examples]


def share_fingerprints(shares: Sequence[Share]) -> list[Fingerprint]:
    """One of every source of a mixture, with its weight, which decides the order; none of a source alone.

    >>> [one.id for one in share_fingerprints([Share(20, 1.0), Share(5, 0.5)])]
    ['source 1: 20 prompts of weight 1', 'source 2: 5 prompts of weight 0.5']
    """
    names = [f"source {n}: {one.size:,} prompts of weight {one.weight:g}" for n, one in enumerate(shares, start=1)]
    return [fingerprint(name, *one) for name, one in zip(names, shares, strict=True)] if len(shares) > 1 else []


def difference(was: Sequence[Fingerprint], now: Sequence[Fingerprint]) -> str:
    """What differs between two lists of prompts, for a person; "" for nothing.

    >>> difference([Fingerprint("a", "0"), Fingerprint("b", "1")], [Fingerprint("b", "2"), Fingerprint("c", "3")])
    "1 is gone ('a'), 1 is new ('c'), 1 has other content ('b')"
    """
    before, after = dict(was), dict(now)
    groups = {
        "gone": [name for name in before if name not in after],
        "new": [name for name in after if name not in before],
        "changed": [name for name in before if name in after and before[name] != after[name]],
    }
    words = {"gone": ("is gone", "are gone"), "new": ("is new", "are new")}
    parts = []
    for kind, names in groups.items():
        one, many = words.get(kind, ("has other content", "have other content"))
        if names:
            such = f"'{names[0]}'" if len(names) == 1 else f"'{names[0]}' and others"
            parts.append(f"{len(names):,} {one if len(names) == 1 else many} ({such})")
    if not parts and list(was) != list(now):
        return "the same prompts in another order"
    return ", ".join(parts)
