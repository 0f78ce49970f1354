"""Several sources of prompts in one run: ids that no two of them share, and which part of the whole each one is.

Promises that a source alone is left as it is. Left out: reading them (`compose.signatures`), and whose turn it is when
(`grpo.rollout.epochs`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import PurePath

from grpo.rollout.records import Example

__all__ = ["named_sources", "with_unique_ids"]


def with_unique_ids(sources: Mapping[str, Sequence[Example]]) -> dict[str, list[Example]]:
    """The examples of each source; where one has an id that an earlier one has, the source's name begins all its ids.

    >>> rows = [Example("0", ()), Example("1", ())]
    >>> found = with_unique_ids({"a.jsonl": rows, "b.jsonl": rows[:1], "c/b.jsonl": rows[:1]})
    >>> [[example.id for example in examples] for examples in found.values()]
    [['0', '1'], ['b/0'], ['b-2/0']]
    """
    taken: set[str] = set()
    found: dict[str, list[Example]] = {}
    for source, examples in sources.items():
        start = next(start for start in _starts(source) if taken.isdisjoint(start + example.id for example in examples))
        found[source] = [replace(example, id=start + example.id) if start else example for example in examples]
        taken.update(example.id for example in found[source])
    return found


def named_sources(sources: Iterable[str]) -> str:
    """Sources in words.

    >>> named_sources({"a.jsonl": 1.0, "b.jsonl": 0.5})
    'a.jsonl + b.jsonl'
    """
    return " + ".join(sources)


def _starts(source: str) -> Iterator[str]:
    """What the ids of a source may begin with: nothing, its name, and its name with a number."""
    name = PurePath(source).stem or source
    yield from ("", f"{name}/")
    yield from (f"{name}-{number}/" for number in count(2))
