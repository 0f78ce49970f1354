"""Sampling with transformers' continuous batching: a paged cache, and a new completion the moment another one ends.

What "hf" means on a GPU, where there is no vLLM. It has weights of its own in the type of the matrix products, as vLLM
has, so it can also live in a process of its own. The cache is there during a call only: between calls the trainer has
that memory. Left out: graphs and compiled kernels that outlive a call, speculative decoding.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig
from transformers.generation.configuration_utils import ContinuousBatchingConfig

from grpo.engines import EngineDied, GenerationOutput, check_request

__all__ = ["PagedEngine"]

PAGE_TOKENS = 256
BATCH_TOKENS = 1024  # in one forward pass, at least: without flash attention its mask has this many rows
MEMORY_SHARE = 0.97  # of what is free when a call begins: a bound on the cache, which has its own size
WAIT_S = 0.1


class PagedEngine:
    """Samples with transformers' continuous batching from weights of its own."""

    concurrent = False  # see `grpo.engines.process`

    def __init__(
        self, model: str, *, stop_ids: Iterable[int], dtype: str, device: str, max_tokens: int, max_rows: int
    ) -> None:
        """Args: model, a checkpoint's directory or hub name, of which only the config is read; stop_ids, any of which
        ends a completion; dtype, "float32" or "bfloat16", of weights and products; device, "cpu" or "cuda"; max_tokens of
        prompt and completion together; max_rows, completions written at once.

        Raises: EngineDied for a model without continuous batching.
        """
        self._stop_ids = sorted(stop_ids)
        self._pages = max_rows * math.ceil(max_tokens / PAGE_TOKENS) + 1
        self._rows = max_rows
        with torch.random.fork_rng(), torch.device(device):
            config = AutoConfig.from_pretrained(model)
            made = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype), attn_implementation="sdpa")
        if not hasattr(made, "init_continuous_batching"):
            raise EngineDied(f"{type(made).__name__} has no continuous batching: use sampling.engine=hf on the CPU")
        if made.dtype != torch.float32:
            _widen_head(made)
        self._model: Any = made.eval().requires_grad_(False)  # None once closed

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        num_samples: int,
        max_tokens: int,
        temperature: float,
        seed: int,
    ) -> Iterator[GenerationOutput]:
        """As `grpo.engines.Engine.generate`; until its end torch's global generator is in use."""
        check_request(prompts, num_samples=num_samples, max_tokens=max_tokens)
        with torch.random.fork_rng():
            manager = self._manager(temperature, seed)
            slots = {f"{p}-{k}": (p, k) for p in range(len(prompts)) for k in range(num_samples)}
            for name, (prompt, _) in slots.items():
                manager.add_request(
                    list(prompts[prompt]), request_id=name, max_new_tokens=max_tokens, eos_token_id=self._stop_ids
                )
            manager.start()  # with every request there, so that what is computed together depends on them alone
            try:
                while slots:
                    result = manager.get_result(timeout=WAIT_S)
                    if result is not None:
                        yield self._sampled(slots.pop(result.request_id), result)
                    elif not manager.is_running():
                        reason = manager.background_thread_status.fatal_error
                        raise EngineDied(
                            f"continuous batching ended before its completions did: {reason!r}"
                        ) from reason
            finally:
                manager.stop(hard_stop=True)
                manager.destroy()

    def load_weights(self, weights: Iterable[tuple[str, Tensor]]) -> None:
        """As `grpo.engines.Engine.load_weights`. Raises: EngineDied when one is missing or unknown."""
        own = self._model.state_dict()
        missing = set(own)
        for name, tensor in weights:
            if name not in own:
                raise EngineDied(f"the engine's model has no weight {name}")
            own[name].copy_(tensor)
            missing.discard(name)
        if missing:
            raise EngineDied(f"{len(missing)} weights were not handed over ({min(missing)}, ...)")

    def sleep(self) -> None:
        """Nothing to do: there is no cache between calls, and the weights stay."""

    def restart(self) -> None:
        """Nothing to do: a call leaves no state behind."""

    def close(self) -> None:
        """Give the weights' memory back."""
        self._model = None

    def _manager(self, temperature: float, seed: int) -> Any:
        """What runs the requests of one call; nothing of the model's generation_config is used."""
        sampling = {"do_sample": True, "temperature": temperature} if temperature else {"do_sample": False}
        return self._model.init_continuous_batching(
            generation_config=GenerationConfig(
                **sampling, top_k=0, top_p=1.0, eos_token_id=self._stop_ids, pad_token_id=self._stop_ids[0]
            ),
            continuous_batching_config=ContinuousBatchingConfig(
                page_size=PAGE_TOKENS,
                num_blocks=self._pages,
                max_memory_percent=MEMORY_SHARE,
                max_batch_tokens=max(BATCH_TOKENS, self._rows),
                max_requests_per_batch=self._rows,
                return_logprobs=True,
                seed=seed,
                auto_switch_to_flash=self._model.dtype == torch.bfloat16 and self._model.device.type == "cuda",
            ),
        )

    def _sampled(self, slot: tuple[int, int], result: Any) -> GenerationOutput:
        """A finished request. Raises: EngineDied."""
        if result.error is not None:
            raise EngineDied(f"continuous batching failed: {result.error}")
        token_ids = tuple(result.generated_tokens)
        return GenerationOutput(*slot, token_ids, tuple(result.logprobs), token_ids[-1] in self._stop_ids)


def _widen_head(model: Any) -> None:
    """Let a model in bfloat16 compute its logits in float32, as the trainer does: rounded ones are another policy's."""
    head = model.get_output_embeddings()

    def logits(hidden: Tensor) -> Tensor:
        rows = hidden.flatten(0, -2)
        if hidden.is_cuda:
            product: Tensor = torch.mm(rows, head.weight.T, out_dtype=torch.float32)
        else:
            product = rows.float() @ head.weight.float().T
        if head.bias is not None:
            product += head.bias
        return product.view(*hidden.shape[:-1], -1)

    head.forward = logits
