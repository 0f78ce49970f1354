"""AdamW, with moments of float32 or of 8 bits: made, stepped, and its state as plain tensors and back.

Moments of 8 bits come from torchao. A block of 256 values shares a float32 scale, and each value is one of 256 numbers
between -1 and 1 that lie densely near 0; the step itself is computed in float32. Parameters with fewer than 4,096
values, or with a number of them that 256 does not divide, keep float32 moments: biases and norms mostly.
Source: Dettmers et al., "8-bit Optimizers via Block-wise Quantization" (arXiv 2110.02861).

Left out: moments on the CPU beside a model on a GPU, and torchao's optimizers with 4 bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from grpo.schema import ConfigError

__all__ = ["make_adamw", "named_state", "require_optimizer", "restored_state", "set_rate", "step"]

BLOCK, SMALLEST = 256, 4096  # values: torchao's own defaults


def require_optimizer(name: str) -> None:
    """Check that the package of an optimizer is installed, without importing it.

    Raises: ConfigError, which names the extra.
    """
    if name == "adamw8bit" and find_spec("torchao") is None:
        raise ConfigError(
            'train.optimizer = "adamw8bit", but torchao is not installed: pip install "grpo-rust[adam8bit]", or use '
            "train.optimizer=adamw"
        )


def make_adamw(
    name: str,
    matrices: Sequence[Tensor],
    vectors: Sequence[Tensor],
    *,
    lr: float,
    betas: tuple[float, float],
    decay: float,
) -> Optimizer:
    """The optimizer that a name stands for.

    Args:
        name: "adamw", or "adamw8bit", which needs torchao.
        matrices, vectors: fp32 parameters; only the first are decayed.
        lr: The first learning rate; `set_rate` changes it.
        betas, decay: Of AdamW.
    """
    groups: list[dict[str, Any]] = [
        {"params": matrices, "weight_decay": decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    if name == "adamw":
        return torch.optim.AdamW(groups, lr=lr, betas=betas)
    require_optimizer(name)
    from torchao.optim import AdamW8bit

    made: Optimizer = AdamW8bit(groups, lr=lr, betas=betas, block_size=BLOCK)
    return made


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Give all parameters a learning rate; torchao's is a tensor, so that its compiled step takes every value."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def step(optimizer: Optimizer) -> None:
    """One step. torchao compiles its own for every shape; on a CPU it runs uncompiled, without a C++ compiler."""
    on_cpu = all(p.device.type == "cpu" for group in optimizer.param_groups for p in group["params"])
    uncompiled = torch.compiler.set_stance("force_eager") if on_cpu and _has_8_bits(optimizer) else nullcontext()
    with uncompiled:
        optimizer.step()


def named_state(optimizer: Optimizer) -> dict[str, Tensor]:
    """Adam's state as plain tensors: "12.exp_avg" belongs to parameter 12, and of 8 bits "12.exp_avg.codes" and others.

    The grid of a moment with 8 bits is among them ("qmap", 1 KB), so that its values depend on no version of torchao.
    """
    found = {}
    for index, entry in optimizer.state_dict()["state"].items():
        for name, tensor in entry.items():
            parts = {f".{part}": getattr(tensor, part) for part in getattr(tensor, "tensor_attrs", ())}
            for part, content in (parts or {"": tensor}).items():
                found[f"{index}.{name}{part}"] = content.contiguous()
    return found


def restored_state(tensors: Mapping[str, Tensor], optimizer: Optimizer) -> dict[int, dict[str, Tensor]]:
    """The inverse of `named_state`, as the part "state" of the optimizer's `state_dict`.

    Raises:
        ValueError: For moments of the other optimizer or of another model, or a name that is none.
        KeyError: Where a part of a moment is missing.
    """
    state: dict[int, dict[str, Tensor]] = {}
    parts: dict[tuple[int, str], dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, name, *part = key.split(".")
        if part:
            parts.setdefault((int(index), name), {})[part[0]] = tensor
        else:
            state.setdefault(int(index), {})[name] = tensor
    eight = _has_8_bits(optimizer)
    plain = any(t.numel() >= SMALLEST and t.numel() % BLOCK == 0 for entry in state.values() for t in entry.values())
    if parts and not eight or eight and plain:
        written = "adamw8bit" if parts else "adamw"
        raise ValueError(f'the moments were written with train.optimizer = "{written}", which a run has to keep')
    for (number, name), content in parts.items():
        state.setdefault(number, {})[name] = _eight_bits(content, signed=name == "exp_avg")
    _check_sizes(state, [p for group in optimizer.param_groups for p in group["params"]])
    return state


def _check_sizes(state: Mapping[int, Mapping[str, Tensor]], parameters: Sequence[Tensor]) -> None:
    """Refuse moments of a model with other weights: torch would take them and fail in the first step."""
    for number, entry in state.items():
        if not 0 <= number < len(parameters):
            raise ValueError(f"there are moments of weight {number}, and the model has {len(parameters)}")
        for name, tensor in entry.items():
            if name != "step" and tensor.shape != parameters[number].shape:
                raise ValueError(
                    f"{name} of weight {number} has the shape {list(tensor.shape)}, and the weight "
                    f"{list(parameters[number].shape)}: they are of another model"
                )


def _has_8_bits(optimizer: Optimizer) -> bool:
    """Whether the optimizer is torchao's."""
    return not isinstance(optimizer, torch.optim.AdamW)


def _eight_bits(parts: Mapping[str, Tensor], *, signed: bool) -> Tensor:
    """A moment out of its codes [shape] uint8, scale [blocks] fp32 and grid [256] fp32."""
    from torchao.optim.subclass_8bit import OptimState8bit

    made: Tensor = OptimState8bit(parts["codes"], parts["scale"], parts["qmap"], signed, torch.float32)
    return made
