"""Figures of the contenders' steps: rows, ratios, rates, and hours for the published experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.turns import Step
from grpo_rust.known_sizes import COMPLETIONS, COMPLETIONS_PER_STEP

__all__ = ["SIDES", "compared", "projection", "rates", "row", "table"]

SIDES = {
    "ours": "",
    "ahead": "_ahead",
    "vllm": "_vllm",
}  # contenders of this project, and the ending of a comparison's name
FLOPS = 6  # a parameter and token: two forward, two for the gradient of the layer's input, two for that of its weights
FLOPS_LORA = 4  # of frozen weights, which have no gradient; the adapters' own work is about a hundredth and not counted
COLUMNS = {
    "step_s": "step s",
    "tokens_per_s": "tokens/s",
    "completions_per_s": "completions/s",
    "decode_s": "decode s",
    "wait_engine_s": "waiting for completions s",
    "wait_rewards_s": "waiting for rewards s",
    "train_s": "train s",
    "sync_s": "sync s",
    "settle_s": "end of turns s",
    "first_step_s": "first step s",
    "peak_mb": "peak MB",
    "device_mb": "GPU MB",
    "mfu": "MFU",
}


def row(steps: Sequence[Step], facts: Mapping[str, float]) -> dict[str, float]:
    """A contender's figures; the first step is apart, since it warms up.

    `mfu` is `6 * parameters * trained tokens / seconds of training` over the machine's speed, where the facts have it;
    4 in place of 6 with LoRA. Prompts and attention are work that is not counted.

    Args:
        steps: At least two.
        facts: Those of a `bench.turns.Contender`.

    Returns: seconds a step, rates, seconds by phase, memory.
    """
    first, *rest = steps
    seconds = sum(step.seconds for step in rest)
    tokens = sum(step.tokens for step in rest)
    phases = {f"{name}_s": sum(step.phases[name] for step in rest) / len(rest) for name in rest[0].phases}
    figures = {
        "step_s": seconds / len(rest),
        "tokens_per_s": tokens / seconds,
        "completions_per_s": sum(step.completions for step in rest) / seconds,
        "tokens_per_completion": tokens / sum(step.completions for step in rest),
        "tokens_per_step": tokens / len(rest),
        "first_step_s": first.seconds,
        **phases,
        **facts,
    }
    if "matmul_tflops" in facts:
        flops = FLOPS_LORA if facts.get("lora_rank") else FLOPS
        figures["train_tflops"] = flops * facts["parameters"] * figures["tokens_per_step"] / phases["train_s"] / 1e12
        figures["mfu"] = figures["train_tflops"] / facts["matmul_tflops"]
    return figures


def compared(rows: Mapping[str, dict[str, float]], name: str) -> dict[str, Any]:
    """The peer's row, ours by its name, and their ratio in trained tokens per second; without a peer only ours."""
    if "trl" not in rows:
        return {"ours": rows[name]}
    ratio = rows[name]["tokens_per_s"] / rows["trl"]["tokens_per_s"]
    return {"trl": rows["trl"], "ours": rows[name], "ratio": ratio}


def rates(figures: Mapping[str, Any], *, device: str, dtype: str) -> dict[str, list[dict[str, Any]]]:
    """What `grpo_rust.time_estimate.read_rates` reads: our completion tokens per second of sampling and of training.

    Args:
        figures: The comparisons by name.
        device: What the model was trained on.
        dtype: The type of the matrix products.

    Returns: by engine, one entry for each size of step.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for engine, ending in (("hf", SIDES["ours"]), ("vllm", SIDES["vllm"])):
        for name in ("cargo", "published_step", "trivial"):
            if name + ending in figures:
                ours = figures[name + ending]["ours"]
                found.setdefault(engine, []).append(
                    {
                        "device": device,
                        "dtype": dtype,
                        "parameters": int(ours["parameters"]),
                        "lora_rank": int(ours.get("lora_rank", 0)),
                        "completions_per_step": round(ours["tokens_per_step"] / ours["tokens_per_completion"]),
                        "sampled_tokens_per_s": ours["tokens_per_step"] / ours["decode_s"],
                        "trained_tokens_per_s": ours["tokens_per_step"] / ours["train_s"],
                        "tokens_per_completion": ours["tokens_per_completion"],
                    }
                )
    return found


def projection(figures: Mapping[str, Any], *, completions_per_step: int) -> dict[str, Any]:
    """Hours that the published number of completions would take, if each step were like the measured ones.

    The result has the keys `published_step` and `our_step`, the step of `cargo`, where these were measured.
    """
    steps = (("published_step", "published_step", COMPLETIONS_PER_STEP), ("our_step", "cargo", completions_per_step))
    return {
        "completions": COMPLETIONS,
        "assumes": "this model, machine, prompts and lengths; every step like the measured ones; no evaluation",
        **{
            key: {"completions_per_step": completions, "hours": _hours(figures, scenario)}
            for key, scenario, completions in steps
            if any(scenario + ending in figures for ending in SIDES.values())
        },
    }


def _hours(figures: Mapping[str, Any], scenario: str) -> dict[str, float]:
    """Hours by contender."""
    names = {side: scenario + ending for side, ending in SIDES.items() if scenario + ending in figures}
    speeds = {side: figures[name]["ours"] for side, name in names.items()}
    peers = [figures[name]["trl"] for name in names.values() if "trl" in figures[name]]
    if peers:
        speeds = {"trl": peers[0], **speeds}
    return {side: COMPLETIONS / speed["completions_per_s"] / 3600 for side, speed in speeds.items()}


def table(figures: Mapping[str, Any]) -> str:
    """The figures and the projection as Markdown; the peer's row stands once for all contenders compared with it."""
    rows: list[tuple[str, str, Mapping[str, float], str]] = []
    endings = tuple(filter(None, SIDES.values()))
    for name, figure in figures.items():
        if "ours" in figure:
            comparison = next((name.removesuffix(end) for end in endings if name.endswith(end)), name)
            if "trl" in figure and (comparison, "trl") not in [row[:2] for row in rows]:
                rows.append((comparison, "trl", figure["trl"], ""))
            rows.append((name, "ours", figure["ours"], f"{figure['ratio']:.2f}" if "ratio" in figure else ""))
    shown = [key for key in COLUMNS if any(key in figure for _, _, figure, _ in rows)]
    lines = ["| | | " + " | ".join(COLUMNS[key] for key in shown) + " | ratio |", "|---" * (len(shown) + 3) + "|"]
    for name, side, figure, ratio in rows:
        cells = [f"{figure[key]:.4g}" if key in figure else "" for key in shown]
        lines.append(f"| {name} | {side} | {' | '.join(cells)} | {ratio} |")
    for key in ("published_step", "our_step"):
        if part := figures["projection"].get(key):
            hours = ", ".join(f"{side} {value:.2f}" for side, value in part["hours"].items())
            total = figures["projection"]["completions"]
            lines.append(f"\n{total:,} completions, {part['completions_per_step']} a step, hours: {hours}")
    return "\n".join(lines)
