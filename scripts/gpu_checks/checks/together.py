"""Sampling, training and grading alone and at the same time: what each loses, without MPS and with it.

Each measurement has a process of its own, since MPS is chosen by the environment before CUDA starts. Grading is real
where Rust is installed, else its place is taken by processes that only count.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from gpu_checks.checks.cpu_load import CpuLoad
from gpu_checks.models import (
    make_updater,
    policy_to_sample,
    random_prompts,
    real_samples,
    use_device,
    with_adapters,
)
from gpu_checks.mps import mps_environment, start_daemon
from gpu_checks.outcome import CheckFailed, CheckSettings, Figures, Skipped, write_json
from gpu_checks.sampling import engine_maker, installed_engines, start_engine
from grpo.engines import Engine, SamplingParams
from grpo.errors import GrpoError, HostFailed
from grpo.model.batching import TrainingSample
from grpo.update import Updater

__all__ = ["together"]

KINDS = ("decode", "train", "grade")
PHASE_S, SMALL_PHASE_S = 4.0, 0.6
ROWS, SMALL_ROWS = 64, 4
GROUP = 4
COMPLETIONS, SMALL_COMPLETIONS = 32, 8  # of an update
MPS_NEEDS_S = 35.0
SPARE_S = 5.0  # of the limit, to say that a measurement came to no end
SHOWN = 300  # characters of an error
RATES = "rates.json"


def together(settings: CheckSettings) -> Figures:
    """Measure without MPS, then with it if there is a daemon and time."""
    if find_spec("peft") is None:
        raise Skipped("peft is not installed")
    plain = _in_process(settings, {}, alone=True)
    settings.note(grading=plain.pop("grading"), engine=plain.pop("engine"), **plain, **_slowdowns(plain, plain, ""))
    if settings.device != "cuda":
        return {"mps": "not tried: without a GPU there is none"}
    if settings.left_s < MPS_NEEDS_S:
        return {"mps": "not tried: no time left"}
    problem = start_daemon(settings.folder)  # ended by `gpu_checks.running`, whatever happens here
    if problem:
        return {"mps": f"not tried: {problem}"}
    try:
        shared = _in_process(settings, mps_environment(settings.folder), alone=False)
    except (CheckFailed, HostFailed) as error:  # many containers have the program, and no way to use it
        return {"mps": f"started, and not usable here: {error}"[:SHOWN]}
    return {"mps": "tried", **_slowdowns(plain, shared, "mps_")}


def _slowdowns(alone: Mapping[str, Any], shared: Mapping[str, Any], prefix: str) -> Figures:
    """How many times slower each kind of work is beside the others."""
    return {
        f"{prefix}{kind}_slowdown": round(alone[f"{kind}_alone_per_s"] / max(1e-9, shared[f"{kind}_together_per_s"]), 3)
        for kind in KINDS
    }


def _in_process(settings: CheckSettings, environment: Mapping[str, str], *, alone: bool) -> Figures:
    """`_measure` in a process that has these variables in its environment."""
    path = settings.folder / RATES
    path.unlink(missing_ok=True)
    os.environ.update(environment)
    plain = replace(settings, figures={})
    process = get_context("spawn").Process(target=_measure_or_say, args=(plain, alone, path))
    process.start()
    process.join(max(0.0, settings.left_s - SPARE_S))
    if process.is_alive():  # its engine notices that it has gone
        process.kill()
        process.join()
    if not path.exists():
        way = "with MPS" if environment else "without MPS"
        raise CheckFailed(f"no measurement {way}", "read the end of the output in the JSON file")
    rates: Figures = json.loads(path.read_text(encoding="utf-8"))
    if "error" in rates:
        raise HostFailed(rates["error"])
    return rates


def _measure_or_say(settings: CheckSettings, alone: bool, path: Path) -> None:
    """`_measure` as a process: an error of the project's own is handed to the parent."""
    try:
        _measure(settings, alone, path)
    except GrpoError as error:
        write_json(path, {"error": f"{type(error).__name__}: {error}"})


def _measure(settings: CheckSettings, alone: bool, path: Path) -> None:
    """Write the rate of each kind of work alone, where asked for, and of all at the same time."""
    device = use_device(settings)
    base, directory = policy_to_sample(settings, device)
    policy = with_adapters(base)
    rows, phase_s = (SMALL_ROWS, SMALL_PHASE_S) if settings.small else (ROWS, PHASE_S)
    samples = real_samples(
        settings, policy.model.config.vocab_size, completions=SMALL_COMPLETIONS if settings.small else COMPLETIONS
    )
    updater = make_updater(policy)
    name = installed_engines()[0]
    tokens = 64 if settings.small else 512
    with (
        closing(
            start_engine(engine_maker(name, policy, directory, rows=rows, tokens=tokens), policy, settings)
        ) as engine,
        CpuLoad() as load,
    ):
        engine.load_weights(policy.weights())
        decoding = _Decoding(
            engine, random_prompts(rows // GROUP, tokens // 4, policy.model.config.vocab_size), tokens // 8
        )
        decoding.run(time.monotonic())  # warm-up: once
        updater.update(samples)
        rates: Figures = {"engine": name, "grading": load.kind}
        if alone:
            rates["decode_alone_per_s"] = decoding.run(time.monotonic() + phase_s)
            rates["train_alone_per_s"] = _train(updater, samples, time.monotonic() + phase_s)
            rates["grade_alone_per_s"] = load.rate(phase_s)
        rates |= _all_at_once(updater, samples, decoding, load, phase_s)
    write_json(path, rates)


def _all_at_once(
    updater: Updater, samples: list[TrainingSample], decoding: _Decoding, load: CpuLoad, phase_s: float
) -> Figures:
    """The rates while all three kinds of work run."""
    ends = time.monotonic() + phase_s
    found: dict[str, float] = {}

    def decode() -> None:
        found["decode_together_per_s"] = decoding.run(ends)

    def grade() -> None:
        found["grade_together_per_s"] = load.rate(phase_s)

    threads = [threading.Thread(target=work) for work in (decode, grade)]
    for thread in threads:
        thread.start()
    found["train_together_per_s"] = _train(updater, samples, ends)
    for thread in threads:
        thread.join()
    return dict(found)


class _Decoding:
    """Batches of completions, one after the other."""

    def __init__(self, engine: Engine, prompts: list[tuple[int, ...]], max_tokens: int) -> None:
        self._engine, self._prompts = engine, prompts
        self._params = SamplingParams(num_samples=GROUP, max_tokens=max_tokens, temperature=1.0, seed=5)

    def run(self, ends: float) -> float:
        """Tokens a second of whole batches, at least one, until a time of `time.monotonic`."""
        started, tokens = time.monotonic(), 0
        while True:
            tokens += sum(len(c.token_ids) for c in self._engine.generate(self._prompts, self._params))
            if time.monotonic() >= ends:
                return round(tokens / (time.monotonic() - started), 2)


def _train(updater: Updater, samples: list[TrainingSample], ends: float) -> float:
    """Trained tokens a second of whole updates, at least one, until a time of `time.monotonic`."""
    per_update = sum(len(sample.completion_ids) for sample in samples)
    started, updates = time.monotonic(), 0
    while True:
        updater.update(samples)
        updates += 1
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        if time.monotonic() >= ends:
            return round(updates * per_update / (time.monotonic() - started), 2)
