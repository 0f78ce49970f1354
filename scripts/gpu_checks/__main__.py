"""The process of one check: `python -m gpu_checks FOLDER`, started by `gpu_checks.running`.

Reads FOLDER/settings.json and writes FOLDER/result.json: the figures, how the check ended, and what torch knows of the
card. It ends itself when the process that started it is gone.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gpu_checks.mps import quit_daemon
from gpu_checks.outcome import RESULT, CheckFailed, CheckSettings, Figures, Skipped, write_json
from grpo.errors import GrpoError

OURS = ("grpo", "rewards", "sandbox", "grpo_rust", "gpu_checks", "bench")
NEEDED = ("torch", "transformers", "numpy", "safetensors")  # without others some check is skipped
WATCH_S = 0.5


def main(folder: Path) -> int:
    """Run the check that the folder describes; the exit code is 0 even if it fails: it has said so."""
    asked: dict[str, Any] = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    threading.Thread(target=_end_with_parent, args=(int(asked.pop("parent")), folder), daemon=True).start()
    module, _, name = str(asked.pop("function")).partition(":")
    settings = CheckSettings(**asked, folder=folder)
    ending = _run(lambda: getattr(importlib.import_module(module), name)(settings), settings)
    write_json(folder / RESULT, {"figures": settings.figures, "torch": _torch_facts(), **ending})
    return 0


def _run(check: Callable[[], Figures], settings: CheckSettings) -> dict[str, str]:
    """How the check ended; any other exception ends the process with a traceback."""
    try:
        settings.figures.update(check())
    except Skipped as reason:
        return {"status": "skipped", "reason": str(reason)}
    except CheckFailed as failure:
        return {"status": "failed", "reason": failure.what, "advice": failure.advice}
    except GrpoError as error:  # the project's own errors say what to do
        traceback.print_exc()
        return {"status": "failed", "reason": f"{type(error).__name__}: {error}", "advice": "as the message says"}
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in OURS or not package:
            raise
        if package in NEEDED:
            advice = "pip install -e '.[train]'"
            return {
                "status": "failed",
                "reason": f"{package} is not installed, and nothing trains without",
                "advice": advice,
            }
        return {"status": "skipped", "reason": f"{package} is not installed"}
    return {"status": "passed"}


def _torch_facts() -> dict[str, Any]:
    """What torch knows of itself and the card, if the check has loaded it; does not wake up a card."""
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return {}
    facts = {"torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        card = torch.cuda.get_device_properties(0)
        facts |= {
            "card": card.name,
            "card_memory_mb": card.total_memory >> 20,
            "capability": f"{card.major}.{card.minor}",
        }
    return facts


def _end_with_parent(parent: int, folder: Path) -> None:
    """End this process and all it started once its parent has gone; a GPU would stay in use."""
    while os.getppid() == parent:
        time.sleep(WATCH_S)
    quit_daemon(folder)  # it has left this process's group
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
