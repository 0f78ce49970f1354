"""The lines for TRL in docs/extending.md, as they stand there: a real GRPOTrainer, the shipped model, real cargo."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.alone

pytest.importorskip("trl", reason="trl is not installed: pip install 'trl>=1.16'")
ROOT = Path(__file__).parents[2]
STEPS = 2


def documented_lines() -> str:
    """The program in docs/extending.md."""
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(# train_with_trl\.py\n.*?)```", page, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_lines_are_ten() -> None:
    lines = [line for line in documented_lines().splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) == 10


def test_the_documented_lines_import_reward_functions_that_there_are() -> None:
    [imports] = [line for line in documented_lines().splitlines() if line.startswith("from rewards import ")]
    offered: dict[str, object] = {}
    exec(imports, offered)
    del offered["__builtins__"]
    assert len(offered) == 3 and all(map(callable, offered.values()))


def test_the_documented_lines_train(tmp_path: Path) -> None:
    fewer = f'"{tmp_path}/out", max_steps={STEPS}, use_cpu=True, report_to=[],'
    program = documented_lines().replace('"runs/trl",', fewer).replace("assets/", f"{ROOT}/assets/")
    program += '    print("LOG", __import__("json").dumps(trainer.state.log_history))\n'
    (tmp_path / "train_with_trl.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "train_with_trl.py"], cwd=tmp_path, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    [line] = [line for line in done.stdout.splitlines() if line.startswith("LOG ")]
    logged = [entry for entry in json.loads(line[4:]) if "reward" in entry]
    assert logged
    for name in ("cargo_build_reward_func", "cargo_clippy_reward_func", "cargo_test_reward_func"):
        means = [entry[f"rewards/{name}/mean"] for entry in logged]
        assert all(0 <= mean <= 1 for mean in means), "a share of the completions"
    assert max(entry["rewards/cargo_build_reward_func/mean"] for entry in logged) > 0, "the shipped model can build"
