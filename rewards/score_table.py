"""The scores of one completion as a table for a terminal: every reward with its weight and its reason."""

from __future__ import annotations

from collections.abc import Mapping

from rewards.completion import Score
from sandbox.terminal import plain

__all__ = ["score_table", "total_score"]


def total_score(scores: Mapping[str, Score], weights: Mapping[str, float]) -> float | None:
    """The weighted sum over scores that are not None; None when a reward with a weight has no score."""
    if any(score.value is None and weights[name] for name, score in scores.items()):
        return None
    return sum(weights[name] * (score.value or 0.0) for name, score in scores.items())


def score_table(name: str, scores: Mapping[str, Score], weights: Mapping[str, float]) -> str:
    """The scores of one completion for a person to read."""
    width = max(map(len, scores))
    lines = [plain(name).replace("\n", " "), f"  {'reward':{width}}  score  weight  reason"]
    for reward, score in scores.items():
        reason = plain(score.reason).replace("\n", " ")
        lines.append(f"  {reward:{width}}  {_number(score.value)}  {weights[reward]:6.2f}  {reason}")
    total, most = total_score(scores, weights), sum(weights.values())
    return "\n".join([*lines, f"  {'total':{width}}  {_number(total)}  of {most:.2f}"])


def _number(value: float | None) -> str:
    """A score in five columns; a dash for one that does not apply."""
    return "    -" if value is None else f"{value:5.2f}"
