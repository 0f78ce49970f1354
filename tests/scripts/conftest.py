"""Training within the interpreter of the tests, for what does not depend on starting one: that takes seconds."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

import sft
import train

ROOT = Path(__file__).resolve().parents[2]

TrainHere = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def train_here(in_place: None, capsys: pytest.CaptureFixture[str]) -> TrainHere:
    """`scripts/train.py` as a function of its arguments."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        code = train.main(arguments)
        return subprocess.CompletedProcess(["train.py", *arguments], code, *capsys.readouterr())

    return run


@pytest.fixture
def sft_here(in_place: None, capsys: pytest.CaptureFixture[str]) -> TrainHere:
    """`scripts/sft.py` as a function of its arguments."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        code = sft.main(arguments)
        return subprocess.CompletedProcess(["sft.py", *arguments], code, *capsys.readouterr())

    return run


@pytest.fixture
def in_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In the project's folder, without a hub; afterwards signal handlers and threads are as before."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    threads = torch.get_num_threads()

    yield
    torch.set_num_threads(threads)
    for number, handler in handlers.items():
        signal.signal(number, handler)
