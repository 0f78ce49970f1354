"""What is assumed of a GPU, each figure with its source. Nothing here was measured by this project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grpo.schema import ConfigError

__all__ = ["GPUS", "GPU", "one_kind"]


@dataclass(frozen=True)
class GPU:
    """One GPU of a machine that has several, all connected to each other.

    Peaks are those of NVIDIA's datasheets (SXM, dense bfloat16, one direction of a link); the shares say how much of a
    peak is assumed to be reached.
    """

    name: str
    memory_bytes: float
    flops: float  # bfloat16, a second
    memory_bytes_per_s: float
    link_bytes_per_s: float  # to the GPUs of its machine
    network_bytes_per_s: float = 50e9  # to other machines: 400 Gbit/s a GPU (DGX H100 user guide)
    per_machine: int = 8
    # torchtitan, docs/performance.md: 33 to 39 % for Llama 3.1 8B under FSDP2 on 8 and on 128 H100.
    training_share: float = 0.33
    # LoRA, estimated in docs/h100.md: 3 to 4 s for 121,000 tokens of the 1.5B, 4 operations a parameter.
    adapter_share: float = 0.22
    decoding_share: float = 0.7  # of memory bandwidth and, with many rows, of the operations; estimated
    link_share: float = 0.8  # of a link, in collectives; estimated
    host_bytes_per_s: float = 10e9  # to the host's memory and back, which is not pinned; estimated
    iteration_s: float = 0.004  # of the host, for one decoding step of vLLM; estimated, as in docs/h100.md

    def bytes_per_s(self, ranks: int) -> float:
        """What a collective over so many ranks moves in a second from each of them."""
        within = ranks <= self.per_machine
        return self.link_share * (self.link_bytes_per_s if within else self.network_bytes_per_s)


GPUS = {
    "a100": GPU("A100", 80e9, 312e12, 2.04e12, 300e9, network_bytes_per_s=25e9),
    "h100": GPU("H100", 80e9, 989e12, 3.35e12, 450e9),
    "h200": GPU("H200", 141e9, 989e12, 4.8e12, 450e9),
}


def one_kind(names: Sequence[str]) -> GPU:
    """The GPU that all of these are.

    Raises:
        ConfigError: For a kind that is not known, and for several kinds.

    >>> one_kind(["h100", "h100"]).name
    'H100'
    """
    if unknown := sorted(set(names) - set(GPUS)):
        raise ConfigError(f"no figures are known of the GPU {', '.join(unknown)}: there are {', '.join(GPUS)}")
    if len(set(names)) != 1:
        given = [f"{GPUS[name].name} with {GPUS[name].memory_bytes / 1e9:.0f} GB" for name in sorted(set(names))]
        raise ConfigError(
            f"GPUs of different sizes ({', '.join(given)}): every rank holds as much and waits for the slowest, so "
            "plan for one kind"
        )
    return GPUS[names[0]]
