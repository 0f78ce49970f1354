"""Completions that the host failed to grade: counted by reason, and above a share a stop before anything is learned.

A completion counts where its grade has no reward at all and its verdict, or a part of it, has the outcome
"host_error". One whose rewards do not apply, or that is too old to be trained on, is no failure of the host.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grpo.errors import HostFailed
from grpo.rollout.records import Grade, Group

__all__ = ["GradingFailed", "count_failures", "failure_of", "refuse_failures"]

LONGEST_REASON = 100  # characters
SHOWN = 5  # reasons in a message


class GradingFailed(HostFailed):
    """More completions than `rewards.max_unscored` allows have no reward because the host could not grade them."""


def failure_of(grade: Grade) -> str | None:
    """Why the host gave a completion no reward, in one short line; None where it has one, or none applies."""
    if any(reward is not None for reward in grade.rewards.values()):
        return None
    for part in _parts(grade.verdict):
        if part.get("outcome") == "host_error":
            text = " ".join(str(part.get("reason") or "no reason given").split())
            return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 3] + "..."
    return None


def count_failures(groups: Sequence[Group]) -> Counter[str]:
    """How many completions the host failed to grade, by reason."""
    reasons = (failure_of(grade) for group in groups for grade in group.grades)
    return Counter(reason for reason in reasons if reason is not None)


def refuse_failures(failures: Mapping[str, int], total: int, *, max_share: float, where: str, then: str) -> None:
    """Check that few enough completions went ungraded.

    Args:
        failures: Their numbers, by reason.
        total: All completions that were graded or should have been.
        max_share: The largest share allowed.
        where: What the completions belong to, for the message: "step 3".
        then: What happens when the cause is gone, for the message.
    Raises:
        GradingFailed: With the counts by reason.

    >>> refuse_failures({"no space left": 1}, 64, max_share=0.1, where="step 3", then="")
    """
    failed = sum(failures.values())
    if not failed or failed <= max_share * total:
        return
    counts = Counter(failures).most_common()
    reasons = [f"{count} x {reason}" for reason, count in counts[:SHOWN]]
    if len(counts) > SHOWN:
        reasons.append(f"{sum(count for _, count in counts[SHOWN:])} x other reasons")
    raise GradingFailed(
        f"{where}: {failed} of {total} completions could not be graded ({failed / total:.0%}; rewards.max_unscored "
        f"allows {max_share:.0%}): {'; '.join(reasons)}. They count for nothing. Repair the sandbox, then {then}"
    )


def _parts(verdict: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A verdict and the verdicts in it: on its gold tests, on what its tests depend on."""
    yield verdict
    for part in verdict.values():
        if isinstance(part, Mapping):
            yield from _parts(part)
