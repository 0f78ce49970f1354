"""A stopped optimizer step once more, alone: the same loss, the same gradient, and who is to blame.

The policy and the optimizer come from the dump's checkpoint, and the same micro-batches go through them. On a CPU with
as many threads the numbers are equal to the last bit; a GPU adds in no fixed order.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from grpo.device import cpu_threads
from grpo.errors import BadInput
from grpo.loss.ratio import masked_mean
from grpo.model.batching import MicroBatch, TrainingSample
from grpo.model.minibatch import Logprobs, MiniBatch
from grpo.update import Updater
from grpo.watch.dump import BATCH, read_exact

__all__ = ["BlamedCompletion", "NoDump", "Replay", "read_batch", "replay", "samples_of"]

ON_GPU = 1e-2  # relative: half-precision products added in another order


class NoDump(BadInput):
    """A directory is no dump, or its batch is damaged."""


@dataclass(frozen=True)
class BlamedCompletion:
    """One completion of the minibatch, and how far its tokens are from what they were."""

    id: str
    text: str
    advantage: float  # the mean over its tokens where they differ
    first_bad: int | None  # the first token whose log-prob is NaN or infinite; None: all are finite
    largest_ratio: float  # exp(logprob - old_logprob); where the step makes the old ones itself, over the engine's

    @property
    def badness(self) -> tuple[bool, float]:
        """To sort by: numbers that are none first, then the largest ratio."""
        return self.first_bad is None and math.isfinite(self.advantage), -self.largest_ratio


@dataclass(frozen=True)
class Replay:
    """The step's numbers, then and now."""

    micro_batches: list[dict[str, float]]
    grad_norm: float
    gradients: list[tuple[str, float]]  # norm of each parameter's gradient, the largest or worst first
    blamed: list[BlamedCompletion]  # all completions, the worst first
    differences: list[str]  # empty where the step was made again

    @property
    def loss(self) -> float:
        """What was minimised."""
        return sum(part["total"] for part in self.micro_batches)


def read_batch(dump: Path) -> dict[str, Any]:
    """The batch of a dump. Raises: NoDump where it has none, or a damaged one."""
    try:
        record: dict[str, Any] = json.loads((dump / BATCH).read_text(encoding="utf-8"))
        if not {"step", "finding", "groups", "update"} <= record.keys():
            raise ValueError("a part is missing")
    except (OSError, ValueError, AttributeError) as error:
        raise NoDump(f"{dump / BATCH} cannot be read ({error}): give a directory below RUN/dumps") from error
    return record


def samples_of(record: Mapping[str, Any]) -> tuple[list[TrainingSample], list[tuple[str, str]]]:
    """What the update learned from, and the id and the text of each sample."""
    samples, names = [], []
    for group in record["groups"]:
        for made in group["completions"]:
            if made["reward"] is None or made["advantage"] is None:
                continue
            logprobs = tuple(map(read_exact, made["sampler_logprobs"]))
            advantage, truncated = read_exact(made["advantage"]), not made["terminated"]
            ids = (*group["prompt_ids"], *made.get("context", ())), tuple(made["token_ids"])
            by_token = (
                None if made.get("token_advantages") is None else tuple(map(read_exact, made["token_advantages"]))
            )
            samples.append(TrainingSample(*ids, logprobs, advantage, truncated=truncated, token_advantages=by_token))
            names.append((made["id"], made["text"]))
    return samples, names


def replay(updater: Updater, record: Mapping[str, Any]) -> Replay:
    """Make a dump's optimizer step again, up to the gradient. The weights stay as they are.

    Args:
        updater: With the dump's policy and moments.
        record: From `read_batch`, with an update in it.
    """
    update = record["update"]
    samples, names = samples_of(record)
    places = slice(update["start"], update["start"] + update["size"])
    if updater.loss_scale is not None and update["loss_scale"] is not None:
        updater.loss_scale.value = read_exact(update["loss_scale"])
    with cpu_threads(updater.threads):
        minibatch = updater.minibatch(samples[places])
        minibatch.old = _old(minibatch, update["old"])
        given_old = bool(minibatch.old)
        parts = updater.measure(minibatch)
        gradients = _gradients(updater)
        numbers, norm = updater.read(parts)
        updater.optimizer.zero_grad()
        blamed = list(_completions(updater, minibatch, names[places], given_old=given_old))
    tolerance = ON_GPU if updater.policy.device.type == "cuda" else 0.0
    return Replay(
        numbers,
        norm,
        gradients,
        sorted(blamed, key=lambda one: one.badness),
        list(_differences(update, numbers, norm, tolerance)),
    )


def _old(minibatch: MiniBatch, old: Sequence[Mapping[str, Sequence[Any]]]) -> list[Logprobs]:
    """The log-probs and entropies that the step began with, as tensors [B, T]; none where it makes them itself."""

    def padded(batch: MicroBatch, name: str) -> Tensor:
        values = [read_exact(value) for row in batch.rows.tolist() for value in old[row][name]]
        return batch.pad(torch.tensor(values, device=batch.mask.device))

    batches = minibatch.batches if old else ()
    return [Logprobs(padded(batch, "logprobs"), padded(batch, "entropy")) for batch in batches]


def _gradients(updater: Updater) -> list[tuple[str, float]]:
    """Each trained parameter's gradient norm before clipping, the largest first, those that are no number before."""
    scale = 1.0 if updater.loss_scale is None else updater.loss_scale.value
    norms = [
        (name, float(parameter.grad.norm()) / scale)
        for name, parameter in updater.policy.model.named_parameters()
        if parameter.grad is not None
    ]
    return sorted(norms, key=lambda item: -item[1] if math.isfinite(item[1]) else -math.inf)


@torch.no_grad()
def _completions(
    updater: Updater, minibatch: MiniBatch, names: Sequence[tuple[str, str]], *, given_old: bool
) -> Iterator[BlamedCompletion]:
    """Every completion of a minibatch with its largest ratio."""
    for index, batch in enumerate(minibatch.batches):
        logprobs, _ = updater.policy.completion_logprobs(batch, temperature=updater.objective.temperature)
        before = minibatch.old[index].logprobs if given_old else batch.sampler_logprobs
        moved = (logprobs - before).cpu()
        advantages = batch.advantages if batch.advantages.ndim == 1 else masked_mean(batch.advantages, batch.mask)
        for row, sample, mask in zip(range(len(batch.rows)), batch.rows.tolist(), batch.mask.cpu(), strict=True):
            name, text = names[minibatch.kept[sample]]
            bad = (~logprobs[row].cpu().isfinite() & mask).nonzero().flatten().tolist()
            known = moved[row][mask & moved[row].isfinite()]
            largest = float(known.exp().max()) if len(known) else math.nan
            yield BlamedCompletion(name, text, float(advantages[row]), bad[0] if bad else None, largest)


def _differences(
    update: Mapping[str, Any], numbers: Sequence[Mapping[str, float]], norm: float, tolerance: float
) -> Iterator[str]:
    """What the step's numbers were, where they are not the same now."""
    then = update["micro_batches"]
    if len(then) != len(numbers):
        yield f"{len(then)} micro-batches then, {len(numbers)} now: the settings are not the run's"
        return
    pairs = [("gradient norm", update["grad_norm"], norm)]
    for index, (before, now) in enumerate(zip(then, numbers, strict=True)):
        pairs += [(f"micro-batch {index}, {name}", before.get(name, "nan"), value) for name, value in now.items()]
    for name, text, value in pairs:
        before = read_exact(text)
        if not _same(before, value, tolerance):
            yield f"{name}: {before!r} then, {value!r} now"


def _same(one: float, other: float, tolerance: float) -> bool:
    """Whether two numbers are equal, NaN being equal to itself."""
    if not (math.isfinite(one) and math.isfinite(other)):
        return one == other or math.isnan(one) and math.isnan(other)
    return math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance * 1e-3)
