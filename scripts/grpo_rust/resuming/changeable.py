"""The settings that a resumed run may change, and why; every other setting decides what the run learns."""

from __future__ import annotations

__all__ = ["CHANGEABLE", "why_changeable"]

DIGITS = "changes late digits only: what is lowered after memory ran out"
VERDICTS = "changes no verdict"
COMPARED = "the prompts themselves are compared, wherever they lie"
MIXED = "the prompts and weights themselves are compared, wherever they lie"
LIMIT = "decides when the run stops, and not what it does until then"
ELSEWHERE = "changes where completions are sampled, and late digits; from or to none their seeds too"
LENGTH = "makes the run longer or shorter; the learning rate follows the new length from here on"

CHANGEABLE = {  # section.key, or section.* for all of a section
    "run.name": "is a name",
    "run.dir": "the run may have been moved",
    "run.resume": "asks for all this",
    "data.train": COMPARED,
    "data.train_mix": MIXED,
    "data.eval": COMPARED,
    "data.eval_mix": COMPARED,
    "data.long_prompts": COMPARED,
    "sampling.own_process": "changes where the engine runs",
    "sampling.sleep": "changes when the engine has memory",
    "sampling.kv_cache_gb": "changes the engine's memory and speed; with vLLM late digits too",
    "sampling.cuda_graphs": "changes the engine's speed; with vLLM late digits too",
    "sampling.max_sync_gap": "is what the run puts up with",
    "sampling.stuck_after_s": "is what the run puts up with",
    "sampling.servers": ELSEWHERE,
    "sampling.weights_folder": "is a way for weights, which are compared",
    "sampling.straggler": "is what the run puts up with",
    "sampling.wait_for_servers_s": "is what the run puts up with",
    "sampling.tensor_parallel": ELSEWHERE,
    "sampling.data_parallel": ELSEWHERE,
    "rewards.deadline_s": "is what the run puts up with: it counts where the sandbox is too slow",
    "rewards.max_unscored": "is what the run puts up with",
    "rewards.function_s": "is what the run puts up with: it counts where a reward function is too slow",
    "sandbox.pool": VERDICTS,
    "sandbox.ray_address": VERDICTS,
    "sandbox.jobs": VERDICTS,
    "sandbox.nice": VERDICTS,
    "sandbox.keep_verdicts": VERDICTS,
    "sandbox.backend": "all backends give the same verdicts",
    "train.threads": "changes late digits only",
    "train.micro_batch_tokens": DIGITS,
    "train.gradient_checkpointing": DIGITS,
    "train.compile_layers": "changes late digits only",
    "train.max_steps": LENGTH,
    "train.epochs": LENGTH,
    "train.rehearse": "changes nothing of the run",
    "train.max_hours": LIMIT,
    "train.max_cost": LIMIT,
    "train.usd_per_hour": LIMIT,
    "train.stuck_after_s": "is what the run puts up with",
    "eval.every": "evaluations do not touch the training",
    "watch.*": "is what the run puts up with",
    "checkpoint.*": "changes what is kept",
    "log.*": "changes what is kept",
    "track.*": "changes who follows the run",
}


def why_changeable(name: str) -> str:
    """Why a setting (`section.key`) may be another one in a resumed run; "" where it may not.

    >>> why_changeable("checkpoint.every"), why_changeable("train.lr")
    ('changes what is kept', '')
    """
    return CHANGEABLE.get(name) or CHANGEABLE.get(f"{name.partition('.')[0]}.*", "")
