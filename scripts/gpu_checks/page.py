"""The tables of docs/h100.md, made from a file that `check_gpu.py` wrote. What was not measured stays empty."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grpo.errors import BadInput

__all__ = ["PAGE", "RESULTS", "block", "write_page"]

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "h100.md"
RESULTS = ROOT / "docs" / "studies" / "gpu_check.json"  # what the page shows, where it is committed
BEGIN, END = "<!-- check_gpu: begin -->", "<!-- check_gpu: end -->"
ROWS = {  # what the page calls a figure: the check, the figure, and its unit
    "matrix products, bf16": ("machine", "matmul_tflops", "TFLOP/s"),
    "copy within the card": ("machine", "copy_gb_per_s", "GB/s"),
    "attention: a new shape, first pass": ("attention", "new_shape_first_s", "s"),
    "attention: the same shape again": ("attention", "new_shape_second_s", "s"),
    "attention: error of the gradient": ("attention", "gradient_error", "relative"),
    "head, frozen": ("head", "ours_frozen_ms", "ms"),
    "head, frozen, by full logits": ("head", "full_frozen_ms", "ms"),
    "head, frozen: peak": ("head", "ours_frozen_peak_allocated_mb", "MB"),
    "head, frozen, by full logits: peak": ("head", "full_frozen_peak_allocated_mb", "MB"),
    "head: the host waits for the card": ("head", "ours_waits", "times"),
    "head: largest error": ("head", "ours_max_error_nats", "nats"),
    "update, LoRA": ("update_lora", "update_s", "s"),
    "update, LoRA: trained tokens": ("update_lora", "trained_tokens_per_s", "tokens/s"),
    "update, LoRA: MFU of trained tokens": ("update_lora", "mfu_trained", ""),
    "update, LoRA: MFU of computed tokens": ("update_lora", "mfu_computed", ""),
    "update, LoRA: peak": ("update_lora", "peak_reserved_mb", "MB"),
    "update, LoRA: peak by estimate": ("update_lora", "estimated_peak_mb", "MB"),
    "update, all weights": ("update_full", "update_s", "s"),
    "update, all weights: trained tokens": ("update_full", "trained_tokens_per_s", "tokens/s"),
    "update, all weights: MFU of trained tokens": ("update_full", "mfu_trained", ""),
    "update, all weights: peak": ("update_full", "peak_reserved_mb", "MB"),
    "update, all weights: peak by estimate": ("update_full", "estimated_peak_mb", "MB"),
    "weights to the engine": ("engine", "load_s", "s"),
    "engine killed and started again": ("engine", "restart_s", "s"),
    "decoding, vLLM, 64 rows": ("decode", "vllm_64_rows_tokens_per_s", "tokens/s"),
    "decoding, vLLM, 256 rows": ("decode", "vllm_256_rows_tokens_per_s", "tokens/s"),
    "decoding, vLLM: gap to the trainer": ("decode", "vllm_gap_mean_nats", "nats a token"),
    "decoding, continuous batching, 64 rows": ("decode", "paged_64_rows_tokens_per_s", "tokens/s"),
    "decoding, continuous batching, 256 rows": ("decode", "paged_256_rows_tokens_per_s", "tokens/s"),
    "decoding, continuous batching: gap": ("decode", "paged_gap_mean_nats", "nats a token"),
    "all at once: decoding slower by": ("together", "decode_slowdown", "times"),
    "all at once: training slower by": ("together", "train_slowdown", "times"),
    "all at once: grading slower by": ("together", "grade_slowdown", "times"),
    "all at once, MPS: decoding slower by": ("together", "mps_decode_slowdown", "times"),
    "all at once, MPS: training slower by": ("together", "mps_train_slowdown", "times"),
    "quickstart's recipe: gap after new weights": ("recipe", "sync_gap_nats", "nats a token"),
}


def write_page(page: Path, content: Mapping[str, Any]) -> None:
    """Replace the part of a page between its two marks.

    Raises:
        BadInput: For figures of --small or of a CPU, which the page is not about, and a page without the marks.
    """
    if content.get("small") or content["machine"].get("device") != "cuda":
        raise BadInput("these figures are of --small or of a CPU, and the page is about GPUs: run without --small")
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BadInput(f"{page} has no part between {BEGIN} and {END}")
    page.write_text(before + block(content) + after, encoding="utf-8")


def block(content: Mapping[str, Any] | None) -> str:
    """The marked part: which machine, how every check ended, and the figures; with None a table of empty cells."""
    checks: Mapping[str, Any] = content["checks"] if content else {}
    head = [BEGIN, "", _machine(content), ""]
    ends = [f"| {name} | {result['status']} | {_reason(result)} |" for name, result in checks.items()]
    if ends:
        head += ["| check | result | why |", "|---|---|---|", *ends, ""]
    figures = [f"| {label} | {_cell(checks, *place)} |" for label, place in ROWS.items()]
    return "\n".join([*head, f"| | {_column(content)} |", "|---|---|", *figures, "", END])


def _machine(content: Mapping[str, Any] | None) -> str:
    """A sentence about where and when."""
    if content is None:
        return "Not measured yet."
    machine, commit = content["machine"], (content.get("commit") or {}).get("id", "")[:12]
    facts = [("driver", machine.get("driver")), ("CUDA", machine.get("cuda")), ("torch", machine.get("torch"))]
    facts += [("transformers", content.get("packages", {}).get("transformers")), ("commit", commit)]
    known = ", ".join(f"{name} {value}" for name, value in facts if value)
    return f"Measured on {str(content.get('started', ''))[:10]}, {machine.get('cores')} cores: {known}."


def _column(content: Mapping[str, Any] | None) -> str:
    """The card's name."""
    return str(content["machine"].get("card", "unknown card")) if content else ""


def _reason(result: Mapping[str, Any]) -> str:
    """Why a check did not pass, on one line that no table is broken by."""
    return str(result.get("reason", "")).replace("|", "/").replace("\n", " ")[:160]


def _cell(checks: Mapping[str, Any], check: str, figure: str, unit: str) -> str:
    """A figure to three digits with its unit; "" where it was not measured, or is no number."""
    value = checks.get(check, {}).get("figures", {}).get(figure)
    if not isinstance(value, int | float) or not math.isfinite(value):
        return ""
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    return f"{text} {unit}".strip()
