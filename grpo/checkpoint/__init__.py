"""Checkpoints: an ordinary Hugging Face directory, and what training needs to continue exactly where it was.

`checkpoints/step-000120/` loads in `transformers` as it is. Its `trainer_state/` holds Adam's moments (safetensors,
never pickle), a few numbers, in float16 the loss scale, the batches that are in flight with their grades, fingerprints
of the prompts, and the SHA-256 of every file. Sampling and shuffling are functions of seed and step.

    updater_state   copies policy and optimizer to memory, and gives an updater its state back
    snapshot        that copy, and how it is written
    writer          writes in the background, one checkpoint at a time, and removes those that are no longer kept
    random_state    the generators of the process as JSON and back
    latest          finds the newest checkpoint that is whole

Promises: a checkpoint appears under its name only when all of it is on the disk; one that was damaged later is never
resumed from; training stands still for a copy to memory, not for a disk.
"""

from grpo.errors import HostFailed

__all__ = ["CheckpointError"]


class CheckpointError(HostFailed):
    """A checkpoint is missing or damaged, or cannot be written; says which."""
