"""Every check: its name, what it asks, how long it may take, and the function that does it.

The order is that of risk: what fails most likely, and what everything else depends on, comes first. A limit is what a
check may take where caches are cold, libraries are read from a slow disk and every kernel is compiled for the first
time. Most need less, so the limits add up to more than the ten minutes of `--minutes`, which bounds all of them.
Functions are named and not imported, so that a list of the checks loads nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CHECKS", "GpuCheck"]


@dataclass(frozen=True)
class GpuCheck:
    """One check."""

    name: str
    meaning: str  # one line
    limit_s: float
    function: str  # module:function; takes `CheckSettings`, returns figures
    takes_rest: bool = False  # whether it may use all the time that is left

    @property
    def title(self) -> str:
        """A line of the list.

        >>> GpuCheck("head", "Is the head right?", 40, "a:b").title
        'head           40 s  Is the head right?'
        """
        return f"{self.name:12} {self.limit_s:4.0f} s  {self.meaning}"


_FOLDER = "gpu_checks.checks"
CHECKS = (
    GpuCheck(
        "machine", "Is there what training needs: driver, compiler, memory, cores?", 60, f"{_FOLDER}.host:machine"
    ),
    GpuCheck(
        "attention",
        "Does packed attention run on the flash kernel, with the right gradient, at any length?",
        90,
        f"{_FOLDER}.attention:attention",
    ),
    GpuCheck(
        "head",
        "Does the head compute log-probs without logits: right, fast, without waiting for the GPU?",
        60,
        f"{_FOLDER}.head:head",
    ),
    GpuCheck(
        "update_lora",
        "What does an update of a 1.5B model with LoRA take: seconds, memory, kernels?",
        90,
        f"{_FOLDER}.updating:update_lora",
    ),
    GpuCheck(
        "engine",
        "Do weights reach an engine's process bit for bit, and does it survive a kill?",
        90,
        f"{_FOLDER}.engine:engine",
    ),
    GpuCheck(
        "decode",
        "How fast does every installed engine sample, and how far are its log-probs from the trainer's?",
        100,
        f"{_FOLDER}.decode:decode",
    ),
    GpuCheck(
        "update_full", "The same update with all weights trained: does it fit?", 60, f"{_FOLDER}.updating:update_full"
    ),
    GpuCheck(
        "together",
        "How much do sampling, training and grading slow each other down, with and without MPS?",
        120,
        f"{_FOLDER}.together:together",
    ),
    GpuCheck(
        "recipe",
        "Does the quickstart's recipe train on the GPU, write a checkpoint, and go on from it?",
        100,
        f"{_FOLDER}.recipe:recipe",
    ),
    GpuCheck(
        "pretrained",
        "With --model: does a real model learn, for as many steps as there is time?",
        30,
        f"{_FOLDER}.recipe:pretrained",
        takes_rest=True,
    ),
)
