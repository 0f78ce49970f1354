"""What the tests of several ranks compute, alone or as one of the ranks: gradients, three updates, checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import Qwen2Config, Qwen2ForCausalLM

import golden
from byte_tokenizer import byte_tokenizer
from grpo.checkpoint.places import STATE, checkpoint_path, unfinished
from grpo.checkpoint.snapshot import write_checkpoint
from grpo.checkpoint.updater_state import load_trainer_state, take_snapshot
from grpo.distributed.policy import ShardedPolicy
from grpo.distributed.team import Team
from grpo.distributed.updater import SharedUpdater
from grpo.errors import HostFailed
from grpo.loss import clipped_policy_loss
from grpo.model.batching import TrainingSample
from grpo.model.lora import Base, LoraPolicy, add_adapters, load_adapters
from grpo.model.policy import Policy, load_policy
from grpo.objective import Objective
from grpo.update import NonFiniteLoss, Updater
from grpo.watch.rehearsal import rehearse

__all__ = ["CASES", "Case", "batch", "checkpoint_case", "make_updater", "measured", "run_cases", "trace"]

LENGTHS = (9, 3, 12, 1, 7, 5, 2, 10, 4, 6)  # tokens of the completions of a batch


@dataclass(frozen=True)
class Case:
    """A training, and the batch of each of its updates."""

    objective: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    completions: int = len(LENGTHS)  # of a batch
    tied: bool = True
    lora: bool = False
    checkpointing: bool = False
    dtype: torch.dtype = torch.float32
    tokens: int = 40  # of a micro-batch
    hidden: int = 24


CASES = {
    "plain": Case(),
    "untied": Case(tied=False, tokens=1000),
    "idle rank": Case(completions=1),
    "kl and entropy": Case(objective={"kl_beta": 0.1, "entropy_coefficient": 0.01}),
    "quantile": Case(objective={"top_entropy_fraction": 0.5}),
    "minibatches and iterations": Case(settings={"num_minibatches": 2, "num_iterations": 2}),
    "lora": Case(lora=True, objective={"kl_beta": 0.1}),
    "checkpointing": Case(checkpointing=True),
    "bfloat16": Case(dtype=torch.bfloat16),
    "lora in bfloat16": Case(dtype=torch.bfloat16, lora=True),
}


def make_policy(case: Case, path: Path | None = None) -> Policy:
    """The policy to train, from a checkpoint where there is one."""
    if path is not None:
        policy = load_policy(str(path), device=torch.device("cpu"), compute_dtype="float32", needs_chat=False)
    else:
        tokenizer = byte_tokenizer()
        torch.manual_seed(0)
        config = Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=case.hidden,
            intermediate_size=20,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=64,
            tie_word_embeddings=case.tied,
            initializer_range=0.2,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
        model = Qwen2ForCausalLM(config).eval()
        stop_ids = frozenset({tokenizer.eos_token_id})
        policy = Policy(model, tokenizer, torch.device("cpu"), case.dtype, stop_ids)
    if case.checkpointing:
        policy.enable_gradient_checkpointing()
    return add_adapters(policy, rank=2, alpha=8, targets="all-linear", seed=1) if case.lora else policy


def make_updater(case: Case, team: Team | None, path: Path | None = None) -> Updater:
    """The updater of a case, of all ranks where there is a team."""
    policy = _shared(make_policy(case, path), team, case)
    reference: Any = None
    if case.objective.get("kl_beta"):
        reference = Base(policy) if isinstance(policy, LoraPolicy) else _shared(make_policy(case).frozen(), team, case)
    loss = partial(clipped_policy_loss, clip_low=0.2, clip_high=0.28)
    settings: dict[str, Any] = {"num_iterations": 1, "num_minibatches": 1, **case.settings}
    return (Updater if team is None else partial(SharedUpdater, team))(
        policy,
        reference,
        Objective(loss, "token", max_tokens=12, temperature=0.9, **case.objective),
        schedule=lambda update: 1e-3,
        betas=(0.9, 0.99),
        weight_decay=0.1,
        max_grad_norm=0.5,
        micro_batch_tokens=case.tokens,
        skip_zero_std=True,
        **settings,
    )


def _shared(policy: Policy, team: Team | None, case: Case) -> Policy:
    if team is None:
        return policy
    if case.lora:
        from grpo.distributed.lora import ShardedLoraPolicy

        return ShardedLoraPolicy.of(policy, team)
    return ShardedPolicy.of(policy, team)


def batch(number: int, completions: int = len(LENGTHS)) -> list[TrainingSample]:
    """Completions of unequal lengths to prompts that three of them share."""
    generator = torch.Generator().manual_seed(number)

    def ids(length: int) -> tuple[int, ...]:
        return tuple(torch.randint(0, 250, (length,), generator=generator).tolist())

    prompts = [ids(4), ids(6), ids(3), ids(5)]
    return [
        TrainingSample(prompts[k // 3], ids(length), (-3.0,) * length, (-1.0) ** k * (1 + k % 3))
        for k, length in enumerate(LENGTHS[:completions])
    ]


def measured(case: Case, team: Team | None = None) -> dict[str, Any]:
    """The gradient of the first batch, the metrics of three updates, and the weights after them."""
    updater = make_updater(case, team)
    minibatch = updater.minibatch(batch(0, case.completions))
    updater.prepare(minibatch)
    loss = sum(float(part["total"]) for part in updater.measure(minibatch))
    names = updater.policy.model.named_parameters()
    gradients = {name: whole(p.grad) for name, p in names if p.grad is not None}
    updater.optimizer.zero_grad()
    metrics = [updater.update(batch(number, case.completions)) for number in range(3)]
    penalties = updater.kl_penalties(batch(0))[0] if updater.objective.kl_beta else torch.zeros(())
    handed = {name: tensor.clone() for name, tensor in updater.policy.weights()}
    return {"loss": loss, "gradients": gradients, "metrics": metrics, "penalties": penalties, "weights": handed}


def whole(tensor: Any) -> Tensor:
    """A tensor, or all of one that is a shard here."""
    found: Tensor = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
    return found.detach().clone()


def run_cases(team: Team, names: list[str], root: Path) -> dict[str, Any]:
    """What is measured of each case, and how a rank goes on after refused steps; root gets a checkpoint."""
    found = {name: measured(CASES[name], team) for name in names}
    checkpoint_case(team, Case(), root, None, 1)
    return {**found, "refused": refusals(team), "rehearsed": rehearsal(team), "bytes": gathered_bytes(team)}


def refusals(team: Team) -> list[str]:
    """A step that rank 0 refuses, and one whose loss is no number; after both the weights are as they were."""
    updater = make_updater(Case(), team)
    before = [whole(parameter) for parameter in updater.policy.model.parameters()]

    def refuse(metrics: Any) -> None:
        raise HostFailed("no more steps")

    said = []
    updater.before_step = refuse if team.leads else None
    for samples in (batch(0), [TrainingSample((1,), (2,), (-1.0,), float("nan"))] * 2):
        try:
            updater.update(samples)
        except (HostFailed, NonFiniteLoss) as error:
            said.append(f"{error is team.agreed}, {error}")
        updater.optimizer.zero_grad()
        updater.before_step = None
    after = [whole(parameter) for parameter in updater.policy.model.parameters()]
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
    return said


def rehearsal(team: Team) -> list[int]:
    """The tokens of the micro-batches that are rehearsed: a whole one on every rank."""
    updater = make_updater(Case(), team)
    samples = batch(0)[:3]
    rehearse(updater, samples)
    return [len(one.input_ids) for one in updater.minibatch_to_rehearse(samples).batches]


def gathered_bytes(team: Team) -> list[float]:
    """The most bytes in use for each parameter while the weights are handed over, and while a snapshot is taken."""
    policy = ShardedPolicy.of(make_policy(Case(dtype=torch.bfloat16, hidden=256)), team)
    parameters = sum(parameter.numel() for parameter in policy.model.parameters())
    return [most_bytes(gather) / parameters for gather in (lambda: list(policy.weights()), policy.snapshot)]


def most_bytes(call: Callable[[], object]) -> int:
    """The most bytes of tensors that a call holds at one time beside what there was before."""
    with torch.profiler.profile(profile_memory=True, activities=[torch.profiler.ProfilerActivity.CPU]) as profiled:
        kept = call()
    assert kept is not None
    events = sorted(profiled.profiler.kineto_results.events(), key=lambda event: event.start_ns())
    return max(accumulate(event.nbytes() for event in events if event.name() == "[memory]"))


def trace(team: Team) -> list[dict[str, float]]:
    """The golden trace, made by all ranks."""
    return golden.trace(lambda policy: ShardedPolicy.of(policy, team), partial(SharedUpdater, team))


def checkpoint_case(team: Team | None, case: Case, root: Path, before: Path | None, step: int) -> dict[str, Any]:
    """Go on from a checkpoint, if there is one, make an update, and write the next checkpoint; moments and weights."""
    updater = make_updater(case, team, None if before is None or case.lora else before)
    if before is not None:
        if isinstance(updater.policy, LoraPolicy):
            load_adapters(updater.policy, before)
        load_trainer_state(before, updater)
    metrics = updater.update(batch(step))
    snapshot = take_snapshot(updater, step=step, progress={}, texts={})
    if team is None or team.leads:
        write_checkpoint(root, snapshot)
    else:
        assert updater.write_moments is not None
        updater.write_moments(unfinished(checkpoint_path(root, step)) / STATE)
    return metrics
