"""The contenders: this trainer as `scripts/train.py` composes it, and TRL's GRPOTrainer at its best settings."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bench.rewarding import PHASES, Trivial, Unique, published_rewards, trivial_reward, unique
from bench.turns import Turns
from sandbox import SandboxPool

__all__ = ["Work", "facts", "train_ours", "train_trl", "trl_passes"]

NEVER = 1_000_000  # steps
TRL_PASS = 16  # completions
LR = 1e-6  # both move, and neither gets far


@dataclass(frozen=True)
class Work:
    """The same for everyone."""

    model: str
    tasks: str
    prompts: int
    group: int
    max_tokens: int
    beta: float
    threads: int
    dtype: str


def train_ours(turns: Turns, *, work: Work, rewards: str, engine: str, overlap: int = 0) -> None:
    """Train with this project; rewards is "cargo" or "trivial"."""
    from grpo.run.directory import RunDirectory
    from grpo.schema import load
    from grpo_rust.build import PromptSet, load_prompt_set, load_trained_policy, make_engine, make_trainer, make_updater
    from grpo_rust.recipe import Recipe
    from rewards import Rubric

    overrides = [
        f"model.path={work.model}",
        f"model.dtype={work.dtype}",
        f"data.train={work.tasks}",
        f"sampling.engine={engine}",
        f"sampling.group_size={work.group}",
        f"sampling.max_completion_tokens={work.max_tokens}",
        f"rollout.overlap={overlap}",
        f"train.prompts_per_step={work.prompts}",
        f"train.max_steps={NEVER}",
        f"train.lr={LR}",
        "train.skip_zero_std=false",  # TRL trains on groups that teach nothing: the same work
        "train.schedule=constant",
        f"train.threads={work.threads}",
        f"loss.kl_beta={work.beta}",
        "eval.prompts=0",
        "log.completions=false",
        "sandbox.keep_verdicts=false",
    ]
    recipe = load(Recipe, None, [*overrides, *_weights()])
    rubric = Rubric(recipe.rewards.weights)
    with tempfile.TemporaryDirectory() as directory, recipe.sandbox.pool() as pool:
        policy = load_trained_policy(recipe, None)
        prompts = load_prompt_set(recipe, policy, work.tasks, split="train", gold=False)
        updater = make_updater(recipe, policy, prompts)
        run = RunDirectory.create(Path(directory) / "run", config_toml="", environment={}, completions=False)
        with run, closing(make_engine(recipe, policy, Path(directory) / "engine.log")) as sampler:
            trainer = make_trainer(recipe, rubric, pool, policy, sampler, updater, prompts, PromptSet([], {}), run)
            grader = Trivial() if rewards == "trivial" else Unique(trainer.pipeline.grader)
            trainer.pipeline.grader = grader
            turns.settle = lambda: _until_idle(pool)
            turns.facts = facts(policy.model, work.dtype)

            def on_step(step: int, metrics: Mapping[str, float]) -> None:
                completions = int(metrics["groups/total"]) * work.group
                phases = {
                    "decode": metrics["time/generate"],
                    "wait_engine": metrics["time/wait_engine"],
                    "wait_rewards": metrics["time/wait_rewards"],
                    "train": metrics["time/train"],
                    "sync": metrics.get("time/sync", 0.0),
                }
                note_device_memory(turns)
                turns.finish(round(metrics["completion/length_mean"] * completions), completions, phases)

            turns.begin()
            trainer.train(first_step=1, should_stop=lambda: False, on_step=on_step, say=lambda text: None)


def train_trl(turns: Turns, *, work: Work, rewards: str) -> None:
    """Train with TRL; rewards is "published", "ours" or "trivial"."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import datasets
    from transformers import TrainerCallback
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.grpo_trainer import GRPOTrainer

    torch.set_num_threads(work.threads)
    spent = {"decode": 0.0, "wait_rewards": 0.0}
    seen = {"tokens": 0, "completions": 0}

    class Timed(GRPOTrainer):
        """Notes how long its phases take."""

        def _generate(self, *arguments: Any, **settings: Any) -> Any:
            return _timed(spent, "decode", lambda: super(Timed, self)._generate(*arguments, **settings))

        def _calculate_rewards(self, *arguments: Any, **settings: Any) -> Any:
            return _timed(spent, "wait_rewards", lambda: super(Timed, self)._calculate_rewards(*arguments, **settings))

    class Handing(TrainerCallback):
        """Hands every step in."""

        def on_train_begin(self, *_: Any, **__: Any) -> None:
            turns.begin()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            total = time.perf_counter() - turns.started
            phases = {**spent, "train": total - sum(spent.values())}
            note_device_memory(turns)
            turns.finish(seen["tokens"], seen["completions"], phases)
            spent.update(dict.fromkeys(spent, 0.0))
            seen.update(dict.fromkeys(seen, 0))

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def reward(*, completion_ids: Any, **columns: Any) -> Any:
            seen["tokens"] += sum(map(len, completion_ids))
            seen["completions"] += len(completion_ids)
            return function(completion_ids=completion_ids, **columns)

        reward.__name__ = function.__name__
        return reward

    functions: list[Any] = _trl_rewards(rewards)
    functions[0] = counted(functions[0])
    tasks = datasets.load_dataset("json", data_files=work.tasks, split="train")
    tasks = tasks.map(lambda task: {"prompt": [{"role": "user", "content": task["prompt"]}]})
    with tempfile.TemporaryDirectory() as directory:
        settings = GRPOConfig(
            directory,
            **trl_passes(work.prompts * work.group),
            num_generations=work.group,
            max_completion_length=work.max_tokens,
            temperature=1.0,
            beta=work.beta,
            learning_rate=LR,
            lr_scheduler_type="constant",
            max_steps=NEVER,
            reward_weights=[1.0] if rewards == "trivial" else list(PHASES.values()),
            loss_type="dapo",
            scale_rewards="group",
            bf16=work.dtype == "bfloat16",
            gradient_checkpointing=False,
            use_cpu=not torch.cuda.is_available(),
            use_transformers_continuous_batching=torch.cuda.is_available(),
            report_to="none",
            logging_steps=NEVER,
            save_strategy="no",
            disable_tqdm=True,
        )
        model = _load(work)
        turns.facts = facts(model, work.dtype)
        Timed(
            model,
            reward_funcs=functions,
            args=settings,
            train_dataset=tasks,
            callbacks=[Handing()],
            **model_tokenizer(work),
        ).train()


def trl_passes(completions: int) -> dict[str, Any]:
    """How TRL splits a batch of so many completions: passes of at most 16 pad less than one over all."""
    size = max(size for size in range(1, TRL_PASS + 1) if completions % size == 0)
    return {"per_device_train_batch_size": size, "gradient_accumulation_steps": completions // size}


def facts(model: Any, dtype: str) -> dict[str, float]:
    """The size of a model, and what a large product of matrices of this type reaches where it is to be trained.

    On a CPU the second is measured with as many threads as torch has now.
    """
    device, size = ("cuda", 8192) if torch.cuda.is_available() else ("cpu", 1024)
    left, right = (torch.randn(size, size, device=device, dtype=getattr(torch, dtype)) for _ in range(2))
    seconds = []
    for _ in range(10):
        started = time.perf_counter()
        left @ right
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    return {"parameters": model.num_parameters(), "matmul_tflops": 2 * size**3 / min(seconds) / 1e12}


def note_device_memory(turns: Turns) -> None:
    """The GPU's memory in use after a step: allocators keep what they once had, so that is the most so far."""
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        turns.facts["device_mb"] = max(turns.facts.get("device_mb", 0.0), (total - free) / 2**20)


def model_tokenizer(work: Work) -> dict[str, Any]:
    """The tokenizer, as TRL takes it."""
    from transformers import AutoTokenizer

    return {"processing_class": AutoTokenizer.from_pretrained(work.model, padding_side="left")}


def _load(work: Work) -> Any:
    """The model, in fp32 as ours is."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(work.model, dtype=torch.float32)


def _trl_rewards(kind: str) -> list[Callable[..., Any]]:
    """Reward functions for TRL."""
    if kind == "trivial":

        def trivial(*, completions: Any, **_: Any) -> list[float]:
            return [trivial_reward(completion[0]["content"]) for completion in completions]

        return [trivial]
    if kind == "published":
        return list(published_rewards())
    from rewards import cargo_build_reward_func, cargo_clippy_reward_func, cargo_test_reward_func

    last: dict[str, Any] = {"completions": None}

    def marking(function: Callable[..., Any]) -> Callable[..., Any]:
        """The same marks for all three functions of a batch: one verdict serves them."""

        def reward(*, completions: Any, **columns: Any) -> Any:
            if completions is not last["completions"]:
                marked = [[{**c[0], "content": unique(c[0]["content"])}] for c in completions]
                last.update(completions=completions, marked=marked)
            return function(completions=last["marked"], **columns)

        reward.__name__ = function.__name__
        return reward

    return [marking(f) for f in (cargo_build_reward_func, cargo_clippy_reward_func, cargo_test_reward_func)]


def _weights() -> list[str]:
    """The rewards of our side: the published three and no others."""
    others = ("non_empty", "code_block", "test_block", "asserts")
    paid = [f"rewards.weights.cargo_{phase}={weight}" for phase, weight in PHASES.items()]
    return paid + [f"rewards.weights.{name}=0" for name in others]


def _timed(spent: dict[str, float], name: str, work: Callable[[], Any]) -> Any:
    """Do something and add what it took."""
    started = time.perf_counter()
    try:
        return work()
    finally:
        spent[name] += time.perf_counter() - started


def _until_idle(pool: SandboxPool) -> None:
    """Wait until every program has its verdict."""
    while pool.unfinished:
        time.sleep(0.002)
