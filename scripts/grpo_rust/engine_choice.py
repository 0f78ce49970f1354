"""Which engine a recipe gets, decided in one place and without torch: a plan names it before anything is loaded."""

from __future__ import annotations

from pathlib import Path

__all__ = ["choose_engine", "expects_gpu"]


def choose_engine(setting: str, *, on_gpu: bool) -> str:
    """What samples the completions: "hf" (generation with the trained model itself), "paged" or "vllm".

    Args:
        setting: `sampling.engine` of the recipe. On a GPU, "hf" there means continuous batching, which is "paged".
        on_gpu: Whether the policy lives on a GPU.

    >>> choose_engine("hf", on_gpu=True), choose_engine("hf", on_gpu=False), choose_engine("vllm", on_gpu=True)
    ('paged', 'hf', 'vllm')
    """
    return "paged" if setting == "hf" and on_gpu else setting


def expects_gpu(device: str) -> bool:
    """Whether the policy is going to live on a GPU, as far as can be told without torch.

    Args:
        device: `train.device` of the recipe: "auto", "cpu" or "cuda".
    """
    return device == "cuda" or (device == "auto" and Path("/dev/nvidiactl").exists())
