"""A run directory as a training run would leave it, made of arithmetic and a seeded generator; no test lives here."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["REWARDS", "write_lines", "write_run"]

REWARDS = {
    "cargo_build": 1.0,
    "cargo_clippy": 1.0,
    "cargo_test": 2.0,
    "non_empty": 1.0,
    "code_block": 0.5,
    "asserts": 1.0,
}
_CODE = """fn {name}(values: &[i64]) -> i64 {{
    let mut total = 0;
    for value in values {{
        total {op} *value;
    }}
    {tail}
}}

#[cfg(test)]
mod tests {{
    use super::*;

    #[test]
    fn adds_what_it_is_given() {{
        assert_eq!({name}(&[1, 2, 3]), 6);
    }}

    #[test]
    fn empty_is_zero() {{
        assert_eq!({name}(&[]), 0);
    }}
}}
"""
_STAGES = ("build_error", "test_build_error", "test_failed", "lint_error", "passed")
_MISMATCH = "mismatched types: expected `i64`, found `()`\n  expected due to the return type of `sum_all`"
_FAILED = """
running 2 tests
test tests::empty_is_zero ... ok
test tests::adds_what_it_is_given ... FAILED

---- tests::adds_what_it_is_given stdout ----
thread 'tests::adds_what_it_is_given' panicked at src/main.rs:15:9:
assertion `left == right` failed
  left: -6
 right: 6

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out
"""


def write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def _verdict(stage: str) -> dict[str, Any]:
    """A sandbox verdict at one stage of success."""
    rank = _STAGES.index(stage)
    code = _CODE.format(name="sum_all", op="-=" if stage == "test_failed" else "+=", tail="total" if rank else "total;")
    diagnostics = []
    if rank == 0:
        diagnostics = [{"level": "error", "code": "E0308", "message": _MISMATCH, "line": 1}]
    if rank == 3:
        lint = {
            "level": "error",
            "code": "clippy::needless_range_loop",
            "message": "this loop could be `sum`",
            "line": 3,
        }
        diagnostics = [lint, {"level": "warning", "code": None, "message": "unused variable: `x`", "line": 2}]
    return {
        "outcome": stage,
        "build": rank > 0,
        "clippy": rank > 0 and rank != 3,
        "test": rank > 2,
        "genuine": rank > 1,
        "diagnostics": diagnostics,
        "test_output": _FAILED if stage == "test_failed" else "",
        "reason": "",
        "strict_reason": "" if rank > 2 else "the tests did not pass",
        "code": code,
    }


def _completion(phase: str, step: int, slot: int, number: int, skill: float, draw: random.Random) -> dict[str, Any]:
    """One graded completion; the more skill, the later the stage that it reaches."""
    rank = sum(draw.random() < skill for _ in range(4))
    verdict = _verdict(_STAGES[rank])
    checks = {
        "build": float(rank > 0),
        "clippy": float(rank > 0 and rank != 3),
        "test": float(rank > 2),
        "test_strict": float(rank > 2),
        "gold": None,
        "asserts": 2.0,
    }
    rewards = {
        "cargo_build": checks["build"],
        "cargo_clippy": checks["clippy"],
        "cargo_test": checks["test"],
        "non_empty": 1.0,
        "code_block": 1.0,
        "asserts": 0.5,
    }
    reward = sum(REWARDS[name] * (value or 0.0) for name, value in rewards.items())
    return {
        "id": f"{'e' if phase == 'eval' else 's'}{step}-p{slot:02d}-c{number}",
        "step": step,
        "phase": phase,
        "task_id": f"sum-{slot if phase == 'eval' else step * 100 + slot}",
        "prompt": "Write a function `sum_all` that adds the numbers of a slice.\nAdd unit tests.",
        "text": f"Here is the function:\n```rust\n{verdict['code']}```\nIt adds each value.",
        "terminated": draw.random() < 0.8 + 0.2 * skill,
        "num_tokens": 120 + int(40 * draw.random()),
        "reward": reward,
        "advantage": (reward - 3.5) / 1.7 if phase == "train" else None,
        "rewards": rewards,
        "checks": checks,
        "verdict": verdict,
    }


def _mean(values: Iterable[float | None]) -> float:
    """The mean of what is there."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known)


def _metrics(step: int, batch: list[dict[str, Any]], progress: float, draw: random.Random) -> dict[str, Any]:
    """The line of `metrics.jsonl` that belongs to a batch."""
    wobble = draw.random()
    record: dict[str, Any] = {"step": step, "reward/mean": _mean(c["reward"] for c in batch), "reward/std": 1.5}
    record |= {f"reward/{name}": _mean(c["rewards"][name] for c in batch) for name in REWARDS}
    record |= {"reward/unscored": 0, "groups/total": 16, "groups/zero_std": 0.1 + 0.3 * progress * wobble}
    record |= {f"check/{n}": _mean(c["checks"][n] for c in batch) for n in ("build", "clippy", "test", "test_strict")}
    record |= {"check/asserts": 1.2 + progress + 0.2 * wobble}
    record |= {"completion/length_mean": 140 - 20 * progress + 9 * wobble, "completion/length_max": 192}
    record |= {"completion/truncated": 0.2 * (1 - progress) * wobble, "advantage/std": 0.9}
    record |= {"loss/total": 0.02 * (wobble - 0.5), "loss/policy": 0.02 * (wobble - 0.5)}
    record |= {"kl/reference": 0.08 * progress + 0.01 * wobble, "policy/entropy": 0.9 - 0.5 * progress + 0.05 * wobble}
    record |= {
        "policy/ratio_max": 1.3 + wobble,
        "policy/clipped_low": 0.004 * wobble,
        "policy/clipped_high": 0.011 * wobble,
    }
    record |= {"policy/sampler_gap": 1.1e-6, "policy/staleness": 0.0, "optim/updates": step}
    record |= {"optim/lr": 1e-4 * 0.5 * (1 + math.cos(math.pi * progress)), "optim/grad_norm": 0.4 + wobble**6}
    record |= {
        "time/generate": 3 + wobble,
        "time/wait_engine": 3 + wobble,
        "time/sync": 0.1,
        "time/wait_rewards": 0.4 * wobble,
        "time/train": 2.6,
        "time/step": 6.5 + wobble,
    }
    return record | {"throughput/tokens_per_s": 2500 + 300 * wobble, "throughput/completions_per_s": 19 + 2 * wobble}


def _evaluation(step: int, completions: list[dict[str, Any]]) -> dict[str, Any]:
    """The line of `evals.jsonl` that belongs to an evaluation."""
    record: dict[str, Any] = {"step": step, "num_prompts": len(completions) // 2, "num_samples": 2}
    record["time/eval"] = 21.0
    for name in ("build", "clippy", "test", "test_strict"):
        rate = _mean(completion["checks"][name] for completion in completions)
        half = 1.96 * math.sqrt(rate * (1 - rate) / len(completions))
        record |= {f"eval/{name}": rate, f"eval/{name}_ci95": half}
    record |= {
        "eval/asserts": 2.0,
        "eval/length_mean": 140.0 - step / 4,
        "eval/reward_mean": _mean(a["reward"] for a in completions),
    }
    return record


def write_run(folder: Path, *, steps: int = 6, prompts: int = 3, group_size: int = 4, eval_prompts: int = 6) -> Path:
    """Write a finished run in which the build rate rises.

    Args:
        folder: Created; must not exist.
        steps: Training steps; there are evaluations before the first, in the middle and after the last.
        prompts: Prompts of a training batch.
        group_size: Completions to each of them.
        eval_prompts: Prompts of an evaluation, two completions each.

    Returns: the folder.
    """
    draw = random.Random(0)
    folder.mkdir(parents=True)
    metrics, evals, completions = [], [], []
    for step in range(steps + 1):
        progress = step / max(1, steps)
        skill = 0.35 + 0.5 * progress
        if step:
            batch = [
                _completion("train", step, p, c, skill * (0.7 + 0.6 * (p % 2)), draw)
                for p in range(prompts)
                for c in range(group_size)
            ]
            completions += batch
            metrics.append(_metrics(step, batch, progress, draw))
        if step in (0, steps // 2, steps):
            evaluated = [_completion("eval", step, p, c, skill, draw) for p in range(eval_prompts) for c in range(2)]
            completions += evaluated
            evals.append(_evaluation(step, evaluated))
    write_lines(folder / "metrics.jsonl", metrics)
    write_lines(folder / "evals.jsonl", evals)
    write_lines(folder / "completions.jsonl", completions)
    scores = [{"time": 1.7e9 + 7 * c["step"], "step": c["step"]} for c in completions if c["phase"] == "train"]
    write_lines(folder / "rewards" / "cargo_build.jsonl", scores)
    halves = [{k.removeprefix("eval/"): v for k, v in record.items() if k.startswith("eval/")} for record in evals]
    ends = {"before": halves[0], "after": halves[-1], "steps": steps, "seconds": 7.0 * steps + 63}
    summary = ends | {"num_prompts": eval_prompts, "num_samples": 2}
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    weights = "".join(f"{name} = {weight}\n" for name, weight in REWARDS.items())
    config = (
        '[run]\nname = "tiny-synthetic"\nseed = 0\n\n[model]\npath = "assets/tiny-rust"\n\n'
        f"[rewards.weights]\n{weights}\n"
        f"[train]\nprompts_per_step = {prompts}\nlr = 1e-4\n\n"
        f"[sampling]\ngroup_size = {group_size}\ntemperature = 1.0\n"
    )
    (folder / "config.toml").write_text(config, encoding="utf-8")
    (folder / "environment.json").write_text(
        json.dumps({"started": "2023-11-14T22:13:00+0000", "python": "3.11.2"}), encoding="utf-8"
    )
    return folder
