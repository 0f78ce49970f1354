"""What training on CUDA needs beside torch: looked for, switched and compiled before a run does anything else.

The head's kernels (`grpo.logprobs`) are compiled on the machine, by Triton, which builds a small C extension: it needs
the headers of Python and a C compiler. Without them a run would stop at its first update, after an evaluation that may
have taken an hour. Attention in half precision needs torch's flash kernel (`grpo.model.attention`), which exists for
GPUs from Ampere on. In fp32 attention is padded, and nothing but Triton is needed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import torch

from grpo.errors import BadInput
from grpo.logprobs import linear_logprobs

__all__ = ["CudaMachine", "c_compiler", "compile_head", "prepare_cuda", "python_headers"]

AMPERE = (8, 0)


def python_headers() -> Path:
    """The directory where Triton expects Python.h; not that of packages, which Debian names by default."""
    scheme = sysconfig.get_default_scheme()
    return Path(sysconfig.get_paths(scheme="posix_prefix" if scheme == "posix_local" else scheme)["include"])


def c_compiler() -> str | None:
    """The path of the C compiler that Triton takes: CC, else gcc, else clang."""
    named = os.environ.get("CC")
    return shutil.which(named) if named else shutil.which("gcc") or shutil.which("clang")


@dataclass(frozen=True)
class CudaMachine:
    """What was found on a machine with CUDA."""

    python_headers: Path  # the directory that should hold Python.h
    compiler: str | None  # path of the C compiler that Triton takes
    has_triton: bool
    has_flash: bool  # whether torch was built with its flash kernel
    capability: tuple[int, int]  # of the GPU

    @classmethod
    def found(cls, device: torch.device) -> CudaMachine:
        """Look where Triton looks."""
        return cls(
            python_headers=python_headers(),
            compiler=c_compiler(),
            has_triton=find_spec("triton") is not None,
            has_flash=torch.backends.cuda.is_flash_attention_available(),
            capability=torch.cuda.get_device_capability(device),
        )

    def problems(self, compute_dtype: torch.dtype) -> list[str]:
        """What is missing for training with this dtype, each with what to do."""
        python, (major, minor) = f"python3.{sys.version_info.minor}", self.capability
        found = []
        if not (self.python_headers / "Python.h").is_file():
            found.append(
                f"{self.python_headers} has no Python.h, which Triton compiles with: install the headers of this "
                f"Python ({python}-dev or python3-dev on Debian and Ubuntu, {python}-devel on Fedora)"
            )
        if self.compiler is None:
            found.append(
                "there is no C compiler, which Triton needs: install gcc, or let the environment variable CC name one"
            )
        if not self.has_triton:
            found.append("the package triton is missing, which torch's builds for CUDA depend on: pip install triton")
        if compute_dtype == torch.float32:
            return found
        if not self.has_flash:
            found.append(
                "this torch was built without its flash attention kernel, which half precision needs: install a build "
                'of pytorch.org, or set model.dtype = "float32"'
            )
        if self.capability < AMPERE:
            found.append(
                f"the GPU has compute capability {major}.{minor}; attention in half precision needs 8.0 (Ampere) or "
                'newer: set model.dtype = "float32"'
            )
        return found


def prepare_cuda(device: torch.device, compute_dtype: torch.dtype) -> None:
    """Check the machine, switch cuDNN's attention off, and compile the head's kernels; a second call costs nothing.

    cuDNN comes first among the kernels of `scaled_dot_product_attention` on Hopper. It builds a plan for every new
    shape, which packed micro-batches have all the time, and gradients that are NaN have been reported of it.

    Args:
        device: A CUDA device.
        compute_dtype: The dtype of the matrix products.
    Raises: BadInput, which names everything that is missing.
    """
    if problems := CudaMachine.found(device).problems(compute_dtype):
        raise BadInput("training on CUDA is not possible here:\n  " + "\n  ".join(problems))
    torch.backends.cuda.enable_cudnn_sdp(False)
    compile_head(device, compute_dtype)


@cache
def compile_head(device: torch.device, compute_dtype: torch.dtype) -> None:
    """Run the head on tiny tensors, forward and backward: on CUDA that compiles its kernels for every size.

    Left out is the kernel for a gradient of the entropy: most runs have none.

    Raises: BadInput where they cannot be compiled.
    """
    hidden, weight = (torch.zeros(rows, 32, device=device, requires_grad=True) for rows in (16, 64))
    token_ids = torch.zeros(16, dtype=torch.int64, device=device)
    try:
        with torch.autocast(device.type, dtype=compute_dtype, enabled=compute_dtype != torch.float32):
            logprobs, _ = linear_logprobs(hidden, weight, token_ids, temperature=1.0)
        logprobs.sum().backward()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        raise BadInput(
            f"the kernels of the loss cannot be compiled here: {error}. They need the headers of Python, a C "
            "compiler, a driver as new as this torch, and a cache directory (TRITON_CACHE_DIR) that allows execution"
        ) from error
