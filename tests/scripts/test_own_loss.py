"""The loss of one's own in docs/extending.md, as it stands there, trains through the script."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from grpo.config.loss import LOSS_NAMES
from grpo.loss import LOSSES
from grpo.schema import ConfigError, load
from grpo_rust.compose.updater import build_objective
from grpo_rust.recipe import DEFAULT_RECIPE, Recipe

ROOT = Path(__file__).parents[2]
TrainHere = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def own_loss(tmp_path: Path) -> Path:
    """The program of docs/extending.md in a file."""
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n# my_loss\.py\n(.*?)```", page, re.DOTALL)
    assert found is not None
    path = tmp_path / "my_loss.py"
    path.write_text(found[1])
    return path


def recipe(*overrides: str) -> Recipe:
    return load(Recipe, DEFAULT_RECIPE, overrides)


def test_it_computes_what_it_says(own_loss: Path) -> None:
    objective = build_objective(recipe(f"loss.name={own_loss}:topr", "loss.max_ratio=0.5"))
    logprobs, old = torch.tensor([[-1.0, -1.0], [-2.0, -9.0]]), torch.tensor([[-1.0, -1.0], [-1.0, -9.0]])
    mask = torch.tensor([[True, True], [True, False]])
    loss = objective.policy_loss(logprobs, old, torch.tensor([2.0, -1.0]), mask)
    ratio = torch.tensor(-1.0).exp().item()  # exp(-2 - -1), below the bound
    assert loss.tolist() == [[2.0, 2.0], [pytest.approx(-2.0 * ratio), 0.0]]
    by_token = objective.policy_loss(logprobs, old, torch.tensor([[2.0, 0.0], [-1.0, 3.0]]), mask)
    assert by_token.tolist() == [[2.0, 0.0], [pytest.approx(-2.0 * ratio), 0.0]]


def test_it_trains_as_it_stands(own_loss: Path, tmp_path: Path, train_here: TrainHere) -> None:
    run = tmp_path / "run"
    small = ["train.max_steps=2", "train.prompts_per_step=2", "sampling.group_size=4", "eval.prompts=0"]
    small += ["train.threads=1", "sampling.max_completion_tokens=100"]
    done = train_here(f"loss.name={own_loss}:topr", f"run.dir={run}", *small)
    assert done.returncode == 0, done.stderr[-2000:]
    steps = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [step["step"] for step in steps] == [1, 2]


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        ("{file}:missing", "AttributeError"),
        ("nowhere.py:loss", "no Python file nowhere.py"),
        ("grpo", None),
        ("ppo", "must be one of grpo, bnpo"),
    ],
)
def test_a_loss_that_cannot_be_used_is_said_in_words(loss: str, said: str | None, own_loss: Path) -> None:
    name = f"loss.name={loss.format(file=own_loss)}"
    if said is None:
        assert build_objective(recipe(name)).aggregation == "sequence"
        return
    with pytest.raises(ConfigError, match=re.escape(said)):
        build_objective(recipe(name))


def test_a_function_of_other_arguments_is_refused_before_there_is_a_run(tmp_path: Path, train_here: TrainHere) -> None:
    (tmp_path / "other.py").write_text("def loss(logprobs):\n    return logprobs\n")
    settings = [f"loss.name={tmp_path / 'other.py'}:loss", f"run.dir={tmp_path / 'run'}", "eval.prompts=0"]
    done = train_here(*settings)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "loss takes 1 tensors (logprobs); a loss takes 4 (logprobs, old_logprobs, advantages, mask)" in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", LOSS_NAMES)
def test_every_published_loss_can_be_named_and_uses_no_setting_of_another(name: str) -> None:
    objective = build_objective(recipe(f"loss.name={name}"))
    logprobs, mask = torch.zeros(1, 1), torch.ones(1, 1, dtype=torch.bool)
    assert objective.policy_loss(logprobs, logprobs, torch.tensor([1.0]), mask).isfinite().all()
    assert objective.aggregation == LOSSES[name][1]
