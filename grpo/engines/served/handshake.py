"""Whether a server can sample for a policy: the same model, a vLLM that was tried, and settings that keep the promises.

A server that cannot is the user's mistake, and every reason is said at once. That its weights are the trainer's is
proved later, after each hand-over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grpo.errors import BadInput

__all__ = ["Needed", "refuse_unfit", "shape_of"]

SHAPE = (  # what of a model's config decides which weights it has, and what they compute
    "model_type",
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "tie_word_embeddings",
    "rms_norm_eps",
    "hidden_act",
)


SAID = (  # by `grpo_describe` of its worker
    *("vllm", "model", "dtype", "head_dtype", "logprobs_mode", "generation_config", "max_model_len", "max_num_seqs"),
    *("chunked_prefill", "device", "transfer"),
)


@dataclass(frozen=True)
class Needed:
    """What a run needs of a server."""

    vllm: str  # the versions that were tried: "0.32" is 0.32.0, 0.32.1 ...
    model: Mapping[str, Any]  # as `shape_of`
    dtype: str  # of weights and matrix products
    max_tokens: int  # of prompt and completion together
    group_size: int  # completions of one request


def shape_of(config: Any) -> dict[str, Any]:
    """What of a model's config has to agree; what it does not have, or is None, is left out.

    >>> from types import SimpleNamespace
    >>> shape_of(SimpleNamespace(model_type="qwen2", hidden_size=64, head_dim=None))
    {'model_type': 'qwen2', 'hidden_size': 64}
    """
    return {name: value for name in SHAPE if (value := getattr(config, name, None)) is not None}


def refuse_unfit(url: str, found: Any, needed: Needed) -> None:
    """Check what a server says of itself.

    Args:
        url: Its address, for the message.
        found: As `grpo_describe` of its worker.
        needed: What the run needs.
    Raises:
        BadInput: With everything that is wrong, and what to do.
    """
    if missing := [name for name in SAID if not isinstance(found, Mapping) or name not in found]:
        raise BadInput(
            f"the server {url} cannot sample for this run: it does not say its {', '.join(missing)}, so another "
            "revision of this project runs there: install the trainer's, and start the server again"
        )
    problems = [
        *([] if f"{found['vllm']}.".startswith(f"{needed.vllm}.") else [_wrong("vLLM", found["vllm"], needed.vllm)]),
        *(
            _wrong(f"its model's {name}", found["model"].get(name), value)
            for name, value in needed.model.items()
            if found["model"].get(name, value) != value
        ),
        *([] if found["dtype"] == needed.dtype else [_wrong("--dtype", found["dtype"], needed.dtype)]),
        *_settings(found, needed),
    ]
    if problems:
        raise BadInput(
            f"the server {url} cannot sample for this run:\n  "
            + "\n  ".join(problems)
            + "\n  start it with the command of docs/scale/engines.md, for the same model and dtype"
        )


def _settings(found: Mapping[str, Any], needed: Needed) -> list[str]:
    """What is wrong with how a server was started."""
    problems = []
    for option, name, value in (
        ("--logprobs-mode", "logprobs_mode", "processed_logprobs"),
        ("--generation-config", "generation_config", "vllm"),
    ):
        if found[name] != value:
            problems.append(_wrong(option, found[name], value))
    if needed.dtype != "float32" and found["head_dtype"] != "float32":
        problems.append("its logits are rounded to half precision: --hf-overrides must set head_dtype to float32")
    for option, name, least in (
        ("--max-model-len", "max_model_len", needed.max_tokens),
        ("--max-num-seqs", "max_num_seqs", needed.group_size),
    ):
        if found[name] < least:
            problems.append(f"{option} is {found[name]}: the run needs at least {least}")
    if found["device"] == "cpu" and found["chunked_prefill"]:
        problems.append("on a CPU requests cannot have seeds with chunked prefill: --no-enable-chunked-prefill")
    return problems


def _wrong(what: str, found: Any, needed: Any) -> str:
    return f"{what} is {found}, and has to be {needed}"
