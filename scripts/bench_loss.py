"""Measure the head without logits beside full logits and TRL's head, and a training step in four layouts.

Usage:
    python scripts/bench_loss.py [--json FILE] [--only logprobs|step] [--repeats N] [--tokens N] ...

Everything that is compared takes turns in one run. Speeds are medians; memory is the peak above that of the inputs.
The file: {"logprobs": {"full"|"trl"|"ours": {"peak_mb", "seconds", "cpu_seconds", "max_error"}},
"step": {"trl_padded"|"sorted_padded"|"packed"|"shared": {"tokens_per_s", "seconds", "computed_tokens", "gradient"}}};
on a GPU also "mfu", the share of --peak-tflops that useful arithmetic reached.

Example:
    python scripts/bench_loss.py --tokens 256 --vocabulary 8192 --hidden 256 --prompts 2 --repeats 2
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from bench.loss.heads import HeadProblem, bench_heads
from bench.loss.steps import StepModel, bench_steps, draw_samples
from grpo_rust.cli import ExitCode, command

__all__ = ["main"]


@command("bench_loss")
def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print two tables and write the file; the exit code."""
    options = arguments(argv)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if options.threads:
        torch.set_num_threads(options.threads)
    figures: dict[str, dict[str, dict[str, float]]] = {}
    if options.only in ("", "logprobs"):
        problem = HeadProblem(options.tokens, options.hidden, options.vocabulary, device, options.entropy_gradient)
        figures["logprobs"] = bench_heads(problem, repeats=options.repeats)
        add_mfu(figures["logprobs"], problem.flops, options.peak_tflops if device == "cuda" else 0)
        show("logprobs", figures["logprobs"])
    if options.only in ("", "step"):
        vocabulary = options.step_vocabulary
        model = StepModel(hidden=options.step_hidden, layers=options.step_layers, vocabulary=vocabulary, device=device)
        samples = draw_samples(
            prompts=options.prompts, group=options.group, prompt_mean=150, completion_mean=200, vocabulary=vocabulary
        )
        figures["step"] = bench_steps(model, samples, max_tokens=options.micro_batch_tokens, repeats=options.repeats)
        flops = model.flops_per_token * sum(len(sample.token_ids) for sample in samples)
        add_mfu(figures["step"], flops, options.peak_tflops if device == "cuda" else 0)
        show("step", figures["step"])
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return ExitCode.DONE


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--only", choices=("", "logprobs", "step"), default="", help="one part of the measurement")
    parser.add_argument("--repeats", type=int, default=3, help="turns of everything that is compared")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of the step; 0: torch's own choice")
    parser.add_argument("--tokens", type=int, default=4 * 512, help="tokens that the head scores")
    parser.add_argument("--hidden", type=int, default=1536, help="size of a hidden state")
    parser.add_argument("--vocabulary", type=int, default=151_936, help="size of the head's vocabulary")
    parser.add_argument("--entropy-gradient", action="store_true", help="the entropy is a term of the loss, no metric")
    parser.add_argument("--prompts", type=int, default=8, help="groups of the step")
    parser.add_argument("--group", type=int, default=4, help="completions to each prompt")
    parser.add_argument("--step-hidden", type=int, default=256, help="size of the step's model")
    parser.add_argument("--step-layers", type=int, default=4, help="its layers")
    parser.add_argument("--step-vocabulary", type=int, default=8192, help="its vocabulary")
    parser.add_argument(
        "--micro-batch-tokens", type=int, default=4096, help="tokens of a forward pass, padding counted"
    )
    parser.add_argument(
        "--peak-tflops", type=float, default=989.0, help="of the GPU, for mfu; 989: an H100 SXM in bf16"
    )
    options = parser.parse_args(argv)
    if min(options.repeats, options.tokens, options.vocabulary, options.prompts, options.group) < 1:
        parser.error("--repeats, --tokens, --vocabulary, --prompts and --group must be at least 1")
    return options


def add_mfu(figures: Mapping[str, dict[str, float]], flops: float, peak_tflops: float) -> None:
    """Add the share of the peak that useful arithmetic reached; recomputation and padding do not count."""
    for row in figures.values() if peak_tflops else ():
        row["mfu"] = flops / row["seconds"] / (peak_tflops * 1e12)


def show(title: str, figures: Mapping[str, Mapping[str, float]]) -> None:
    """Print a table."""
    columns = list(next(iter(figures.values())))
    print(f"| {title} | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns))
    for name, row in figures.items():
        print(f"| {name} | " + " | ".join(f"{row[column]:.4g}" for column in columns) + " |")


if __name__ == "__main__":
    sys.exit(main())
