"""TRL's GRPOTrainer as a contender, at its best settings. Imports TRL, which takes seconds."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import datasets
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer

from bench.machine import model_facts, note_device_memory
from bench.rewarding import WEIGHTS, trl_rewards
from bench.settings import LR, NEVER, BenchSettings, trl_passes
from bench.turns import Turns

__all__ = ["train"]


def train(turns: Turns, *, shared: BenchSettings, rewards: str) -> None:
    """Train until there are no more turns.

    Args:
        turns: Keeps the time.
        shared: The settings of both sides.
        rewards: "published", "ours" or "trivial".
    """
    torch.set_num_threads(shared.threads)
    step = _StepRecord()
    first, *others = trl_rewards(rewards)
    tasks = datasets.load_dataset("json", data_files=shared.tasks, split="train")
    model = AutoModelForCausalLM.from_pretrained(shared.model, dtype=torch.float32)  # in fp32, as ours is
    turns.facts = model_facts(model, shared.dtype)
    with tempfile.TemporaryDirectory() as directory:
        trainer = _TimedTrainer(
            model,
            reward_funcs=[_counted(first, step), *others],
            args=_config(shared, rewards, directory),
            train_dataset=tasks.map(lambda task: {"prompt": [{"role": "user", "content": task["prompt"]}]}),
            callbacks=[_StepCallback(turns, step)],
            processing_class=AutoTokenizer.from_pretrained(shared.model, padding_side="left"),
        )
        trainer.step_record = step
        trainer.train()


@dataclass
class _StepRecord:
    """What the current step has done so far."""

    tokens: int = 0
    completions: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: {"decode": 0.0, "wait_rewards": 0.0})

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Add the time of a block to a phase."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] += time.perf_counter() - started

    def reset(self) -> None:
        """Begin the next step."""
        self.tokens = self.completions = 0
        self.seconds = dict.fromkeys(self.seconds, 0.0)


class _TimedTrainer(GRPOTrainer):
    """Records how long its phases take."""

    step_record: _StepRecord

    def _generate(self, *arguments: Any, **settings: Any) -> Any:
        with self.step_record.timed("decode"):
            return super()._generate(*arguments, **settings)

    def _calculate_rewards(self, *arguments: Any, **settings: Any) -> Any:
        with self.step_record.timed("wait_rewards"):
            return super()._calculate_rewards(*arguments, **settings)


class _StepCallback(TrainerCallback):
    """Hands in every step."""

    def __init__(self, turns: Turns, step: _StepRecord) -> None:
        self._turns, self._step = turns, step

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self._turns.begin()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        total = time.perf_counter() - self._turns.started
        phases = {**self._step.seconds, "train": total - sum(self._step.seconds.values())}
        note_device_memory(self._turns)
        self._turns.finish(self._step.tokens, self._step.completions, phases)
        self._step.reset()


def _counted(function: Callable[..., Any], step: _StepRecord) -> Callable[..., Any]:
    """The reward function, counting the completions that it is given and their tokens."""

    def reward(*, completion_ids: Any, **columns: Any) -> Any:
        step.tokens += sum(map(len, completion_ids))
        step.completions += len(completion_ids)
        return function(completion_ids=completion_ids, **columns)

    reward.__name__ = function.__name__
    return reward


def _config(shared: BenchSettings, rewards: str, directory: str) -> GRPOConfig:
    """TRL's settings."""
    on_gpu = torch.cuda.is_available()
    return GRPOConfig(
        directory,
        **trl_passes(shared.prompts * shared.group),
        num_generations=shared.group,
        max_completion_length=shared.max_tokens,
        temperature=1.0,
        beta=shared.beta,
        learning_rate=LR,
        lr_scheduler_type="constant",
        max_steps=NEVER,
        reward_weights=[1.0] if rewards == "trivial" else list(WEIGHTS.values()),
        loss_type="dapo",
        scale_rewards="group",
        bf16=shared.dtype == "bfloat16",
        fp16=shared.dtype == "float16",
        gradient_checkpointing=False,
        use_cpu=not on_gpu,
        use_transformers_continuous_batching=on_gpu,
        report_to="none",
        logging_steps=NEVER,
        save_strategy="no",
        disable_tqdm=True,
    )
