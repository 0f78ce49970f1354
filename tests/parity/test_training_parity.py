"""TRL trains for real, and every optimizer step has the gradient that our loss gives on the same tokens.

Only the sampling of completions and the rewards are replaced: TRL pads on the left, shuffles, reads log-probs with its
own chunked head, accumulates and steps. We pad on the right, read log-probs with `Policy`, and compare the
gradient of every parameter, at every step of a run whose weights move.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from torch import Tensor
from transformers import Qwen2ForCausalLM
from trl import GRPOConfig, GRPOTrainer

from agreement import GRADIENT_TOLERANCE, LOSS_TOLERANCE, TABLE, relative
from grpo.loss import kl_to_reference, log_ratio, ratio_weighted_kl
from grpo.model.batching import TrainingSample, micro_batches
from grpo.model.policy import Policy
from oracle import FILLER, number_tokenizer, tiny_config, zero_reward
from ours import policy_loss_of
from trl_forms import trl_weights

TEMPERATURE = 0.8


@dataclass
class Step:
    """One optimizer step of TRL: weights before it, the inputs and loss of its micro-batches, its gradient."""

    weights: dict[str, Tensor] = field(default_factory=dict)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    gradient: Tensor = field(default_factory=lambda: torch.empty(0))
    drift: float = 0.0  # largest log ratio


class Recorded(GRPOTrainer):
    """GRPOTrainer that is given random completions and rewards, and remembers what it did."""

    def start(self) -> None:
        self.generator = torch.Generator().manual_seed(0)
        self.steps: list[Step] = []

    def _generate(self, prompts: list[Any]) -> tuple[Any, ...]:
        def ids(shortest: int, longest: int) -> list[int]:
            length = int(torch.randint(shortest, longest + 1, (), generator=self.generator))
            return torch.randint(1, FILLER, (length,), generator=self.generator).tolist()

        completions = [ids(1, 9) for _ in prompts]
        ended = [row + [self._tokenizer.eos_token_id] if index % 3 else row for index, row in enumerate(completions)]
        return [ids(1, 5) for _ in prompts], ended, None, [""] * len(prompts), None, {}, None, None

    def _calculate_rewards(self, inputs: list[Any], *_: Any) -> Tensor:
        rewards = torch.randint(0, 5, (len(inputs), 1), generator=self.generator) / 2
        rewards[1] = torch.nan
        return rewards

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Tensor:
        if not self.steps or len(self.steps[-1].inputs) == self.args.gradient_accumulation_steps:
            self.steps.append(Step(copy.deepcopy(model.state_dict())))
        loss: Tensor = super()._compute_loss(model, inputs)
        self.steps[-1].inputs.append(inputs)
        self.steps[-1].losses.append(loss.item())
        return loss

    def create_optimizer(self, *arguments: Any) -> torch.optim.Optimizer:
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self.optimizer.register_step_pre_hook(self.remember_gradient)
        return self.optimizer

    def remember_gradient(self, *_: Any) -> None:
        self.steps[-1].gradient = gradient_of(self.model)


def gradient_of(model: torch.nn.Module) -> Tensor:
    """All gradients, one after the other."""
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters()])


def train_with_trl(folder: Path, **options: Any) -> tuple[Recorded, Qwen2ForCausalLM]:
    """Three steps of TRL; the trainer with what it recorded, and the reference, which TRL loads from the folder."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model, reference = Qwen2ForCausalLM(tiny_config()), Qwen2ForCausalLM(tiny_config()).eval()
    reference.save_pretrained(folder)
    model.config._name_or_path = str(folder)
    config = GRPOConfig(
        str(folder / "run"),
        num_generations=4,
        max_completion_length=16,
        max_steps=3,
        temperature=TEMPERATURE,
        max_grad_norm=0.0,
        report_to=[],
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        **options,
    )
    trainer = Recorded(
        model=model,
        reward_funcs=[zero_reward],
        args=config,
        train_dataset=Dataset.from_dict({"prompt": [str(index) for index in range(64)]}),
        processing_class=number_tokenizer(),
    )
    trainer.start()
    trainer.train()
    return trainer, reference


def samples_of(inputs: dict[str, Any]) -> list[TrainingSample]:
    """TRL's padded micro-batch as completions."""
    rows = zip(
        inputs["prompt_ids"],
        inputs["prompt_mask"].bool(),
        inputs["completion_ids"],
        inputs["completion_mask"].bool(),
        inputs["advantages"].tolist(),
        strict=True,
    )
    return [
        TrainingSample(tuple(prompt[real].tolist()), tuple(ids[kept].tolist()), (0.0,) * int(kept.sum()), advantage)
        for prompt, real, ids, kept, advantage in rows
    ]


def repeat_step(
    step: Step, trainer: Recorded, reference: Policy, options: dict[str, Any]
) -> tuple[float, float, Tensor]:
    """Loss, the sum of its absolute terms, and gradient of a recorded step: its tokens, our forward pass and loss."""
    model = Qwen2ForCausalLM(tiny_config()).eval()
    model.load_state_dict(step.weights)
    policy = Policy(model, number_tokenizer(), torch.device("cpu"), torch.float32, frozenset())
    total, size = 0.0, 0.0
    for inputs in step.inputs:
        (batch,) = micro_batches(samples_of(inputs), max_tokens=10_000)
        logprobs, _ = policy.completion_logprobs(batch, temperature=TEMPERATURE)
        old = logprobs.detach()
        if "old_per_token_logps" in inputs:
            old = inputs["old_per_token_logps"][batch.rows][:, : batch.mask.shape[1]]
        step.drift = max(step.drift, log_ratio(logprobs.detach(), old, batch.mask).abs().max().item())
        per_token = policy_loss_of(options)(logprobs, old, batch.advantages, batch.mask)
        if beta := options["beta"]:
            with torch.no_grad():
                ref_logprobs, _ = reference.completion_logprobs(batch, temperature=TEMPERATURE)
            kl = kl_to_reference(logprobs, ref_logprobs, batch.mask)
            per_token = per_token + beta * ratio_weighted_kl(kl, logprobs, old, batch.mask)
        weights = trl_weights(
            batch.mask.sum(dim=1),
            loss_type=options["loss_type"],
            max_tokens=16,
            generation_tokens=int(inputs["num_items_in_batch"]),
            accumulation_steps=trainer.args.gradient_accumulation_steps,
            steps_per_generation=trainer.args.steps_per_generation,
        )
        terms = per_token * weights[:, None]
        terms.sum().backward()
        total, size = total + terms.sum().item(), size + terms.abs().sum().item()
    return total, size, gradient_of(model)


CUTS = {
    "one micro-batch": {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 1},
    "accumulated": {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 4},
    "two iterations": {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 1, "num_iterations": 2},
    "half a generation": {
        "per_device_train_batch_size": 4,
        "gradient_accumulation_steps": 2,
        "steps_per_generation": 4,
    },
    "two generations": {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 4, "steps_per_generation": 2},
}


FAST, *OTHERS = [*((cut, 0.1) for cut in CUTS), ("accumulated", 0.0)]


@pytest.mark.parametrize(("cut", "beta"), [FAST, *(pytest.param(*other, marks=pytest.mark.slow) for other in OTHERS)])
@pytest.mark.parametrize("loss_type", ["grpo", "bnpo", "dr_grpo", "dapo", "luspo", "cispo", "sapo", "vespo"])
def test_every_step_of_a_run_has_our_gradient(loss_type: str, cut: str, beta: float, tmp_path: Path) -> None:
    options = {"loss_type": loss_type, "beta": beta, **({"epsilon": 2.0} if loss_type == "cispo" else {})}
    trainer, reference_model = train_with_trl(tmp_path, **options, **CUTS[cut])
    reference = Policy(reference_model, number_tokenizer(), torch.device("cpu"), torch.float32, frozenset())
    assert len(trainer.steps) == 3
    for step in trainer.steps:
        loss, size, gradient = repeat_step(step, trainer, reference, options)
        # Of the terms' size, not the loss's: on policy the losses of a group add up to nearly nothing.
        loss_error, gradient_error = abs(loss - sum(step.losses)) / size, relative(gradient, step.gradient)
        TABLE[f"trained: {cut}"].append((loss_error, gradient_error))
        assert loss_error <= LOSS_TOLERANCE and gradient_error <= GRADIENT_TOLERANCE
        assert relative(gradient * (1 + 3 * GRADIENT_TOLERANCE), step.gradient) > GRADIENT_TOLERANCE
    assert (trainer.steps[0].gradient - trainer.steps[2].gradient).abs().max() > 1e-3
    off_policy = max(step.drift for step in trainer.steps) > 1e-3
    assert off_policy == (cut in ("two iterations", "half a generation"))
