"""The order in which `--help` explains the settings: what is used most first, then by subject."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["GROUPS", "MOST_USED", "grouped"]

MOST_USED = (
    "run.dir",
    "run.resume",
    "model.path",
    "data.train",
    "data.eval",
    "train.max_steps",
    "train.prompts_per_step",
    "sampling.group_size",
    "sampling.max_completion_tokens",
    "sampling.engine",
    "train.lr",
    "train.device",
    "lora.rank",
    "rewards.weights",
    "eval.every",
    "eval.prompts",
    "checkpoint.every",
    "train.usd_per_hour",
    "track.to",
)
GROUPS = {  # title -> sections
    "THE RUN": ("run", "data", "eval", "checkpoint", "track", "log"),
    "THE TRAINING": ("train", "loss", "watch"),
    "SAMPLING AND REWARDS": ("sampling", "rollout", "rewards", "guard", "sandbox"),
    "THE MODEL": ("model", "lora"),
}
OTHERS = "MORE"


def grouped(sections: Iterable[str]) -> dict[str, list[str]]:
    """Sections by the title of their group, in the order of the groups; those of no group come last.

    >>> grouped(["lora", "mine", "run"])
    {'THE RUN': ['run'], 'THE MODEL': ['lora'], 'MORE': ['mine']}
    """
    left = list(sections)
    found = {title: [name for name in names if name in left] for title, names in GROUPS.items()}
    known = {name for names in found.values() for name in names}
    found[OTHERS] = [name for name in left if name not in known]
    return {title: names for title, names in found.items() if names}
