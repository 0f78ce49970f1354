"""Sampling with transformers' continuous batching: a paged cache, and a new completion as soon as another one ends.

What "hf" means on a GPU without vLLM. It has weights of its own in the type of the matrix products, as vLLM has, so it
can also run in a process of its own. The cache exists during a call only: between calls the trainer has that memory.
Left out: graphs and compiled kernels that outlive a call, speculative decoding.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig
from transformers.generation.configuration_utils import ContinuousBatchingConfig

from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams

__all__ = ["PagedEngine"]

PAGE_TOKENS = 256
BATCH_TOKENS = 1024  # in one forward pass, at least: without flash attention its mask has this many rows
MEMORY_SHARE = 0.97  # of what is free when a call begins: a bound on the cache, which has its own size
WAIT_S = 0.1


class PagedEngine(Engine):
    """Samples with transformers' continuous batching from weights of its own."""

    def __init__(
        self, model: str, *, stop_ids: Iterable[int], dtype: str, device: str, max_tokens: int, max_rows: int
    ) -> None:
        """
        Args:
            model: A checkpoint's directory or hub name, of which only the config is read.
            stop_ids: Any of these token ids ends a completion.
            dtype: "float32", "bfloat16" or "float16", of weights and matrix products.
            device: "cpu" or "cuda".
            max_tokens: Of prompt and completion together.
            max_rows: Completions sampled at once.
        Raises:
            EngineDied: For a model without continuous batching.
        """
        self._stop_ids = sorted(stop_ids)
        self._pages = max_rows * math.ceil(max_tokens / PAGE_TOKENS) + 1
        self._rows = max_rows
        torch.backends.cuda.enable_cudnn_sdp(False)  # every iteration has a new shape, and cuDNN plans for each of them
        with torch.random.fork_rng(), torch.device(device):
            config = AutoConfig.from_pretrained(model)
            made = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype), attn_implementation="sdpa")
        if not hasattr(made, "init_continuous_batching"):
            raise EngineDied(f"{type(made).__name__} has no continuous batching: use sampling.engine=hf on the CPU")
        if made.dtype != torch.float32:
            _widen_head(made)
        self._model: Any = made.eval().requires_grad_(False)  # None once closed

    def generate(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Iterator[GenerationOutput]:
        """As `Engine.generate`; until its end torch's global generator is in use."""
        params.check(prompts)
        with torch.random.fork_rng():
            manager = self._manager(params)
            slots = {f"{p}-{k}": (p, k) for p in range(len(prompts)) for k in range(params.num_samples)}
            for name, (prompt, _) in slots.items():
                manager.add_request(
                    list(prompts[prompt]),
                    request_id=name,
                    max_new_tokens=params.limit(prompt),
                    eos_token_id=self._stop_ids,
                )
            manager.start()  # with every request there, so that what is computed together depends on them alone
            try:
                steps = 0
                while slots:
                    result = manager.get_result(timeout=WAIT_S)
                    if steps != (steps := getattr(manager, "current_batch", 0)):  # its thread makes it when it begins
                        self.on_step()
                    if result is not None:
                        yield self._sampled(slots.pop(result.request_id), result)
                    elif not manager.is_running():
                        reason = manager.background_thread_status.fatal_error
                        raise EngineDied(
                            f"continuous batching ended before its completions did: {reason!r}"
                        ) from reason
                    if steps and self.interrupted():  # before its first step it would drop what it was given
                        break
            finally:
                manager.stop(hard_stop=True)
                manager.destroy()
        yield from self._interrupted(manager, slots)

    def load_weights(self, weights: Iterable[tuple[str, Tensor]]) -> None:
        """As `Engine.load_weights`.

        Raises:
            EngineDied: When a weight is missing or unknown.
        """
        own = self._model.state_dict()
        missing = set(own)
        names: dict[int, set[str]] = {}  # by the place in memory: a tied weight comes by one of its names
        for name, tensor in own.items():
            names.setdefault(tensor.data_ptr(), set()).add(name)
        for name, tensor in weights:
            if name not in own:
                raise EngineDied(f"the engine's model has no weight {name}")
            own[name].copy_(tensor)
            missing -= names[own[name].data_ptr()]
        if missing:
            raise EngineDied(f"{len(missing)} weights were not handed over ({min(missing)}, ...)")

    def close(self) -> None:
        """Give the weights' memory back."""
        self._model = None

    def _manager(self, params: SamplingParams) -> Any:
        """Transformers' manager for the requests of one call; nothing of the model's generation_config is used."""
        flash = self._model.dtype == torch.bfloat16 and self._model.device.type == "cuda"
        if not flash and "auto_switch_to_flash" not in _known_settings():
            self._model.set_attn_implementation("paged|sdpa")  # 5.17 takes flash for "sdpa", whatever dtype and device
        greedy = params.temperature == 0
        sampling = {"do_sample": False} if greedy else {"do_sample": True, "temperature": params.temperature}
        return self._model.init_continuous_batching(
            generation_config=GenerationConfig(
                **sampling, top_k=0, top_p=params.top_p, eos_token_id=self._stop_ids, pad_token_id=self._stop_ids[0]
            ),
            continuous_batching_config=ContinuousBatchingConfig(
                num_blocks=self._pages,
                max_memory_percent=MEMORY_SHARE,
                max_batch_tokens=max(BATCH_TOKENS, self._rows),
                max_requests_per_batch=self._rows,
                return_logprobs=True,
                seed=params.seed,
                **_by_version(flash=flash),
            ),
        )

    def _interrupted(self, manager: Any, slots: dict[str, tuple[int, int]]) -> Iterator[GenerationOutput]:
        """What a stopped manager has of the requests that are left. Raises: EngineDied."""
        while slots and (result := manager.get_result(timeout=WAIT_S)) is not None:
            slot, token_ids = slots.pop(result.request_id), tuple(result.generated_tokens)
            if result.error is None:
                yield self._sampled(slot, result)
            elif token_ids:
                yield GenerationOutput(*slot, token_ids, tuple(result.logprobs), terminated=False, finished=False)
        if (reason := manager.background_thread_status.fatal_error) is not None:
            raise EngineDied(f"continuous batching failed: {reason!r}") from reason
        if slots:  # sampling them again while shorter ones are kept would favour short completions
            raise EngineDied(f"continuous batching was stopped and lost {len(slots)} completions: update transformers")

    def _sampled(self, slot: tuple[int, int], result: Any) -> GenerationOutput:
        """A finished request. Raises: EngineDied."""
        if result.error is not None:
            raise EngineDied(f"continuous batching failed: {result.error}")
        token_ids = tuple(result.generated_tokens)
        return GenerationOutput(*slot, token_ids, tuple(result.logprobs), token_ids[-1] in self._stop_ids)


def _known_settings() -> set[str]:
    """The names of the settings that this version of transformers has."""
    return {field.name for field in dataclasses.fields(ContinuousBatchingConfig)}


def _by_version(*, flash: bool) -> dict[str, Any]:
    """Settings that transformers 5.17 names otherwise than 5.19, or lacks."""
    known = _known_settings()
    size = {"page_size" if "page_size" in known else "block_size": PAGE_TOKENS}
    return size | ({"auto_switch_to_flash": flash} if "auto_switch_to_flash" in known else {})


def _widen_head(model: Any) -> None:
    """Let a model in half precision compute logits in float32, as the trainer does: rounded ones are another policy."""
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
