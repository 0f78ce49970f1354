"""Which engine a recipe gets, decided in one place and without torch: a plan names it before anything is loaded."""

from __future__ import annotations

from pathlib import Path

from grpo.config import SamplingSection
from grpo.schema import ConfigError

__all__ = ["choose_engine", "expects_gpu", "refuse_idle_engines"]


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


def refuse_idle_engines(sampling: SamplingSection, prompts: int) -> None:
    """Check that each engine has a prompt in every step.

    Args:
        sampling: Of the recipe.
        prompts: Of a step.
    Raises:
        ConfigError: For more engines than prompts.
    """
    engines = max(sampling.data_parallel, len(sampling.addresses()))
    if engines > prompts:
        raise ConfigError(
            f"{engines} engines for {prompts} prompts of a step: an engine samples all completions of a prompt, so "
            "some would have none. Give fewer engines, or a larger train.prompts_per_step"
        )
