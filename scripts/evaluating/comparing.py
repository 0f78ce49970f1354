"""Several evaluations side by side: rates with intervals, differences paired by prompt, and published figures.

Promises that figures of different protocols are not mixed unless that is wanted, and then that what differs is said.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from evaluating.agreement import differences, same_tasks
from evaluating.files import read_lines, read_record
from evaluating.intervals import rate_interval
from evaluating.references import PUBLISHED_FIGURES, Reference
from grpo.errors import BadInput
from grpo_rust.checks import CHECK_LABELS
from study.completions import ByPrompt, by_prompt
from study.gains import Gain, paired_gain

__all__ = ["Comparison", "Measured", "compare", "read_measured", "sign_flip_p", "table"]

DRAWS = 10_000  # of the paired test


@dataclass(frozen=True)
class Measured:
    """An evaluation that was read: its record, and by check the values of every completion by prompt."""

    label: str
    record: dict[str, Any]
    values: dict[str, ByPrompt]

    def rate(self, check: str) -> tuple[float, float]:
        """The rate of a check, and the half width of its interval, clustered by prompt."""
        return rate_interval(list(self.values[check].values()))


@dataclass(frozen=True)
class Comparison:
    """Evaluations to be compared with the first of them."""

    measured: tuple[Measured, ...]
    checks: tuple[str, ...]  # that all of them have
    mixed: tuple[str, ...]  # what their protocols disagree about; empty where they agree
    references: tuple[Reference, ...] = ()

    def paired(self, other: Measured, check: str) -> tuple[Gain, float] | None:
        """How a check differs from the first evaluation, and how probable that is by chance; None without pairs.

        Pairs are completions to the same task, whether or not its prompt shows the signature.
        """
        before, after = self.measured[0].values[check], other.values[check]
        if len(before.keys() & after.keys()) < 2 or not _paired(self.measured[0], other):
            return None
        gain = paired_gain(before, [after])
        shared = [prompt for prompt in before if prompt in after]
        return gain, sign_flip_p([fmean(after[prompt]) - fmean(before[prompt]) for prompt in shared])


def read_measured(file: Path) -> Measured:
    """Read an evaluation by its .jsonl file, or by its record.

    Raises:
        BadInput: Where there is no such evaluation, or its files are not whole.
    """
    record, completions = read_record(file), read_lines(file)
    values = {name: by_prompt(completions, _check(name)) for name in CHECK_LABELS}
    if not record["protocol"]["settings"].get("guard.mutation", True):
        del values["test_strict"]  # nobody examined it
    return Measured(record["label"], record, {name: found for name, found in values.items() if found})


def compare(files: Sequence[Path], *, mixed: bool) -> Comparison:
    """Read evaluations and see whether they can be compared.

    Args:
        files: Of at least two evaluations, or of one by the published protocol.
        mixed: Whether protocols may differ.
    Raises:
        BadInput: For protocols that differ, with what differs, unless `mixed`; for nothing to compare.
    """
    measured = _with_own_labels([read_measured(file) for file in files], files)
    first = measured[0]
    found = [
        f"{first.label} and {other.label}: {difference}"
        for other in measured[1:]
        for difference in differences(first.record["protocol"], other.record["protocol"])
    ]
    if found and not mixed:
        raise BadInput(
            f"these were not measured alike: {'; '.join(found)}. Evaluate by one protocol, or give --mixed to see them "
            "side by side with what differs"
        )
    published = any(one.record["protocol"]["name"] == "published" for one in measured)
    references = PUBLISHED_FIGURES if published or mixed else ()
    if len(measured) < 2 and not references:
        raise BadInput(f"{files[0]} alone: give several files, or one by --protocol published")
    checks = tuple(name for name in CHECK_LABELS if all(name in one.values for one in measured))
    return Comparison(tuple(measured), checks, tuple(found), references)


def sign_flip_p(differences: Sequence[float]) -> float:
    """How probable a mean at least as far from 0 is, if each difference were as likely with the other sign.

    The paired permutation test: `p = (1 + #{|mean(s * d)| >= |mean(d)|}) / (1 + draws)` over random signs s. The draws
    have a fixed seed, so the same differences give the same p.

    >>> sign_flip_p([0.0, 0.0, 0.0]), sign_flip_p([1.0] * 20) < 0.001
    (1.0, True)
    """
    moved = [difference for difference in differences if difference]
    if not moved:
        return 1.0
    generator, least = random.Random(0), abs(sum(moved)) - 1e-9
    extreme = sum(
        abs(sum(one if bits >> place & 1 else -one for place, one in enumerate(moved))) >= least
        for bits in (generator.getrandbits(len(moved)) for _ in range(DRAWS))
    )
    return (1 + extreme) / (1 + DRAWS)


def table(comparison: Comparison) -> str:
    """The comparison as Markdown."""
    checks = comparison.checks
    lines = [_row("evaluation", "prompts", *(CHECK_LABELS[check] for check in checks)), _rule(len(checks) + 2)]
    for one in comparison.measured:
        size = f"{one.record['num_prompts']} x {one.record['num_samples']}"
        lines.append(_row(one.label, size, *(_rate(*one.rate(check)) for check in checks)))
    for reference in comparison.references:
        lines.append(_row(f"{reference.label} (published, not measured)", "", *_published(reference, checks)))
    first, *others = comparison.measured
    if others:
        lines += ["", f"Difference from {first.label} in points, paired by prompt; p by random signs:", ""]
        lines += [_row("evaluation", *(CHECK_LABELS[check] for check in checks)), _rule(len(checks) + 1)]
        for other in others:
            lines.append(_row(other.label, *(_difference(comparison.paired(other, check)) for check in checks)))
    lines += ["", *_notes(comparison)]
    return "\n".join(lines) + "\n"


def _notes(comparison: Comparison) -> list[str]:
    """What a reader has to know."""
    notes = ["± is half of a 95 % interval; all completions to a prompt are one observation."]
    edges = [one.rate(check)[0] in (0, 1) for one in comparison.measured for check in comparison.checks]
    if any(edges):
        notes.append("At 0 % and 100 %, ≤ and ≥ are the other end of Wilson's 95 % interval, prompts as observations.")
    if comparison.references:
        notes.append("Published figures are of other prompts, by the protocol `published`, and have no interval here.")
    if "gold_applicable" in comparison.checks:
        notes.append(
            "Gold tests count where they apply; differences are of prompts with such completions on both sides."
        )
    if comparison.mixed:
        notes.append("**Not measured alike**: " + "; ".join(comparison.mixed) + ".")
    for one in comparison.measured:
        asked, used = one.record["protocol"]["prompts"]["count"], one.record["num_prompts"]
        if asked != used:
            notes.append(f"{one.label}: {asked - used} of {asked} prompts were too long for it, and do not count.")
    return notes


def _check(name: str) -> Callable[[Any], float | None]:
    """A check of a completion; None where it is not known or not there."""
    return lambda completion: completion["checks"].get(name)


def _paired(one: Measured, other: Measured) -> bool:
    return same_tasks(one.record["protocol"], other.record["protocol"])


def _with_own_labels(measured: Sequence[Measured], files: Sequence[Path]) -> list[Measured]:
    """Evaluations whose labels are not all different: by their files, with as much of the paths as tells them apart."""
    paths = [file.with_suffix("") for file in files]
    candidates = [
        [one.label for one in measured],
        [path.name for path in paths],
        [f"{path.parent.name}/{path.name}" for path in paths],
    ]
    labels = next((found for found in candidates if len(set(found)) == len(found)), list(map(str, paths)))
    return [Measured(label, one.record, one.values) for label, one in zip(labels, measured, strict=True)]


def _rate(mean: float, half_width: float) -> str:
    """A rate with its interval, which has one end at 0 % and at 100 %."""
    rate = f"{100 * mean:.1f} %"
    if mean == 0:
        return f"{rate} (≤ {100 * half_width:.1f})"
    if mean == 1:
        return f"{rate} (≥ {100 * (1 - half_width):.1f})"
    return rate if math.isnan(half_width) else f"{rate} ± {100 * half_width:.1f}"


def _published(reference: Reference, checks: Sequence[str]) -> list[str]:
    """The cells of a published row."""
    cells = []
    for check in checks:
        rate = reference.rates.get(check)
        count = f" ({rate * reference.num_programs:.0f} of {reference.num_programs})" if rate else ""
        cells.append("" if rate is None else f"{100 * rate:.3g} %{count if reference.num_programs else ''}")
    return cells


def _difference(found: tuple[Gain, float] | None) -> str:
    if found is None:
        return "other prompts"
    gain, p = found
    chance = "< 0.001" if p < 0.001 else f"{p:.3f}"
    spread = f" ± {100 * gain.half_width:.1f}" if gain.half_width else ""  # no prompt differs: that is no interval
    return f"{100 * gain.points:+.1f}{spread} (p {chance})".replace("-", "−")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(columns: int) -> str:
    return "|" + "---|" * columns
