"""What makes a model directory, or a model that was loaded from one, unusable as a policy: each check says it in words.

A check gives "" where nothing is wrong; `grpo.model.policy.load_policy` raises what it says. By itself
transformers loads weights that are NaN, builds an empty tokenizer where its file is missing, and says of sizes that do
not fit only that there are some.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from transformers import PreTrainedTokenizerBase

__all__ = ["directory_problem", "loading_problem", "stop_problem", "tokenizer_problem", "weights_problem"]

PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
SAMPLE = "fn main() { let x = 1; }"  # text of which any tokenizer of use makes tokens


def directory_problem(path: str) -> str:
    """What a local path lacks; names on the hub are not looked up."""
    place = Path(path)
    try:
        if not path.strip():
            return "it names no model"
        if place.is_file():
            return "it is a file: give the directory that it lies in"
        if not place.is_dir():
            return ""
    except (OSError, ValueError):  # a name that is too long, or holds a NUL: transformers says so
        return ""
    if (place / "adapter_config.json").is_file() and not any(place.glob("*.safetensors")):
        return "it holds an adapter alone: merge it into its base model first"
    if not (place / "config.json").is_file():
        return "there is no config.json in it"
    if any(place.glob("*.safetensors")):
        return next(filter(None, map(_file_problem, sorted(place.iterdir()))), "")
    if pickles := [file.name for pattern in PICKLES for file in place.glob(pattern)]:
        return (
            f"its weights are a pickle ({pickles[0]}), which may run code when read and is never loaded: save the "
            "model as safetensors where you trust it"
        )
    return "there are no weights (*.safetensors) in it"


def _file_problem(file: Path) -> str:
    """What is wrong with one file of a model, which its head shows: a weight's numbers are not read."""
    try:
        if file.suffix == ".safetensors":
            with safe_open(file, framework="pt"):
                return ""
        if file.suffix == ".json" and not isinstance(json.loads(file.read_bytes()), dict):
            return f"{file.name} holds no JSON object: get it again"
    except SafetensorError as error:
        return (
            f"{file.name} is damaged ({_one_line(error)}): get it again, whole; one of a few lines is a pointer of Git "
            "LFS, which `git lfs pull` replaces"
        )
    except (OSError, ValueError, RecursionError) as error:
        return f"{file.name} cannot be read ({_one_line(error)}): get it again"
    return ""


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(". ")


def loading_problem(error: BaseException) -> str:
    """What transformers said, on one line of at most 400 characters."""
    text = _one_line(error)
    if "ignore_mismatched_sizes" in text:
        return "its weights have other shapes than its config.json says: get both from the same checkpoint"
    if "trust_remote_code" in text:
        return "it needs code of its own, which is never run: use a model that transformers knows"
    if text.startswith("Unrecognized configuration class"):
        return f"{text.partition(' for this kind')[0]}: it is no causal language model"
    said = (
        text if isinstance(error, OSError | ValueError | RuntimeError) and text else f"{type(error).__name__}: {text}"
    )
    return said if len(said) <= 400 else said[:397] + "..."


def tokenizer_problem(tokenizer: PreTrainedTokenizerBase, num_embeddings: int) -> str:
    """Whether the tokenizer makes tokens of text, and only such as the model has embeddings for."""
    ids = tokenizer(SAMPLE, add_special_tokens=False)["input_ids"]
    if set(ids) <= {tokenizer.unk_token_id}:
        return "its tokenizer has no vocabulary: get its tokenizer files (tokenizer.json) too"
    highest = max(tokenizer.get_vocab().values())
    if highest >= num_embeddings:
        return (
            f"its tokenizer knows token {highest:,}, but the model has embeddings for {num_embeddings:,} only: get "
            "both from the same checkpoint, or resize the embeddings"
        )
    return ""


def stop_problem(stop_ids: Iterable[int], num_embeddings: int) -> str:
    """Whether the model can write a token that ends its turn."""
    ids = sorted(stop_ids)
    if not ids:
        return "neither its tokenizer nor its generation_config names an end-of-turn token"
    if ids[0] >= num_embeddings:
        return f"its end-of-turn token {ids[0]:,} is none of the {num_embeddings:,} that the model can write"
    return ""


def weights_problem(weights: Iterable[tuple[str, Tensor]]) -> str:
    """Whether all weights are finite numbers."""
    for name, weight in weights:
        if not weight.is_floating_point() or torch.isfinite(weight.sum()):
            continue  # a sum with NaN or infinity in it is neither
        wrong = int((~torch.isfinite(weight)).sum())
        if wrong:
            return f"{wrong:,} of the {weight.numel():,} numbers in {name} are NaN or infinite: get it again"
    return ""
