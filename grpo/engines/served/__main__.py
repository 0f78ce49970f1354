"""Start a `vllm serve` that samples for a run.

Usage:
    python -m grpo.engines.served MODEL [--dtype DTYPE] [--host HOST] [--port PORT]
        [--max-model-len TOKENS] [--max-num-seqs COMPLETIONS] [whatever `vllm serve` takes]

MODEL is the model of the run, of which only the config is read: the weights come from the trainer. --dtype is that of
the run (float32 where it is not given), --max-model-len at least data.max_prompt_tokens +
sampling.max_completion_tokens, --max-num-seqs at least sampling.group_size. What is added:

    VLLM_SERVER_DEV_MODE=1      opens the endpoints that take weights. They ask for no key: in a trusted network only
    --tokens-only               token ids in and out
    --worker-extension-cls      what takes weights from a shared folder, and compares what is held with what was given
    --weight-transfer-config    on GPUs: what takes weights by NCCL
    --load-format dummy         weights come from the trainer
    --logprobs-mode, --generation-config, --hf-overrides, and on a CPU --no-enable-chunked-prefill, --enforce-eager

Example:
    python -m grpo.engines.served Qwen/Qwen2.5-Coder-3B-Instruct --dtype bfloat16 --port 8000 --max-model-len 1216
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from grpo.engines.served.command import ENVIRONMENT, serve_command

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Become the server; returns only where there is nothing to start."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if "--help" in arguments or not arguments or arguments[0].startswith("-"):
        print(__doc__)
        return 0 if "--help" in arguments else 2
    from grpo.engines.vllm import require_vllm

    require_vllm()
    import torch

    command = serve_command(arguments[0], arguments[1:], on_gpu=torch.cuda.is_available())
    os.execve(command[0], command, {**os.environ, **ENVIRONMENT})


if __name__ == "__main__":
    sys.exit(main())
