"""The command that starts a `vllm serve` for a run: what it needs beyond vLLM's defaults, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

__all__ = ["ENVIRONMENT", "serve_command"]

ENVIRONMENT = {
    "VLLM_SERVER_DEV_MODE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",  # the sandbox shares the cores
}
WORKER = "grpo.engines.served.worker.WeightsFromTrainer"


def serve_command(model: str, options: Sequence[str], *, on_gpu: bool) -> list[str]:
    """The command that starts a server; ENVIRONMENT goes with it.

    Args:
        model: Its directory or hub name.
        options: Of `vllm serve`; --dtype is "float32" where it is not given. They win over what is added here.
        on_gpu: Whether it samples on GPUs.

    >>> serve_command("tiny", ["--port", "8000"], on_gpu=True)[1:5]
    ['-m', 'vllm.entrypoints.cli.main', 'serve', 'tiny']
    """
    entry = ("-m", "vllm.entrypoints.cli.main", "serve", model)
    if not on_gpu:  # the command line asks for the version of `vllm`, and the CPU build's package is `vllm-cpu`
        entry = ("-m", "vllm.entrypoints.openai.api_server", "--model", model)
    added = [
        *("--tokens-only", "--worker-extension-cls", WORKER, "--load-format", "dummy"),
        *("--logprobs-mode", "processed_logprobs", "--generation-config", "vllm", "--disable-uvicorn-access-log"),
    ]
    if on_gpu:
        added += ["--weight-transfer-config", json.dumps({"backend": "nccl"})]
    else:
        added += ["--no-enable-chunked-prefill", "--enforce-eager"]
    dtype = _dtype(options)
    if not dtype:
        added += ["--dtype", "float32"]
    elif dtype != "float32":  # else its logits are rounded to half precision, and the trainer's are not
        added += ["--hf-overrides", json.dumps({"head_dtype": "float32"})]
    return [sys.executable, *entry, *added, *options]


def _dtype(options: Sequence[str]) -> str:
    """The value of --dtype; empty where it is not given.

    >>> _dtype(["--dtype", "bfloat16"]), _dtype(["--dtype=float16"]), _dtype([])
    ('bfloat16', 'float16', '')
    """
    words = [word for option in options for word in option.split("=", 1)]
    return next((value for name, value in zip(words, words[1:], strict=False) if name == "--dtype"), "")
