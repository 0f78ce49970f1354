"""A seeded plan: which mistake goes into which program, so that the codes are as equal as the programs allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from random import Random

from dataset.repairing.mistakes import Pair, plant
from dataset.repairing.program import RightProgram
from dataset.repairing.source_rows import SourceProgram

__all__ = ["Planted", "planted"]


@dataclass(frozen=True)
class Planted:
    """A program with a mistake in it."""

    source: SourceProgram
    code: str  # that the mistake aims at
    pair: Pair


def planted(
    programs: Iterable[SourceProgram], codes: Collection[str], *, per_program: int, seed: int
) -> Iterator[Planted]:
    """Programs with one mistake each, as many different ones of a program as are asked for.

    The code that has been planted least is tried first. What one program gets depends on the seed and on the programs
    before it, and on nothing else.

    Args:
        programs: Right ones.
        codes: Of `dataset.repairing.mistakes.CODES`.
        per_program: Broken programs of each at most, each by another code.
        seed: Decides everything that is drawn.
    """
    counts: Counter[str] = Counter()
    for number, source in enumerate(programs):
        rng = Random(f"repair {seed} {number} {source.key}")
        program = RightProgram(source.text)
        shuffled = rng.sample(sorted(codes), len(codes))
        left = per_program
        for code in sorted(shuffled, key=lambda one: counts[one]):
            if not left:
                break
            if (pair := plant(code, program, rng)) is not None:
                counts[code] += 1
                left -= 1
                yield Planted(source, code, pair)
