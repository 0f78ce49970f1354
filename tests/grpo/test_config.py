"""Every setting of the algorithm explains itself, accepts its own default, and refuses what cannot be used."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import pytest

from grpo import config
from grpo.schema import ConfigError, defaults, load


@dataclass(frozen=True)
class Everything:
    """All sections of the algorithm."""

    run: config.RunSection
    model: config.ModelSection
    lora: config.LoraSection
    data: config.DataSection
    sampling: config.SamplingSection
    rollout: config.RolloutSection
    train: config.TrainSection
    loss: config.LossSection
    eval: config.EvalSection
    checkpoint: config.CheckpointSection
    log: config.LogSection
    watch: config.WatchSection
    track: config.TrackSection


def test_every_setting_of_the_algorithm_explains_itself_and_accepts_its_own_default():
    assert {field.type for field in dataclasses.fields(Everything)} == {f"config.{name}" for name in config.__all__}
    rows = defaults(Everything)
    assert len({(row.section, row.key) for row in rows}) == len(rows) > 40
    for row in rows:
        assert len(row.meaning) > 10 and row.allowed, row
    everything = load(Everything, None)
    assert load(Everything, None, [f"{r.section}.{r.key}={_as_toml(r.value)}" for r in rows]) == everything
    assert all(dataclasses.fields(getattr(everything, f.name)) for f in dataclasses.fields(everything))


def _as_toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_units_ranges_and_sources_reach_the_description():
    row = next(row for row in defaults(Everything) if row.key == "max_prompt_tokens")
    assert row[:3] == ("data", "max_prompt_tokens", 256)
    assert (row.unit, row.allowed, row.source) == ("tokens", "a whole number from 1 to 1,000,000", "published recipe")


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", ".hidden", "-x", "a b"])
def test_a_run_name_that_is_no_file_name_is_refused(name):
    with pytest.raises(ConfigError, match="run.name"):
        load(Everything, None, [f"run.name={name}"])


def test_resuming_needs_to_know_which_run():
    with pytest.raises(ConfigError, match="run.dir or run.name"):
        load(Everything, None, ["run.resume=true"])
    assert load(Everything, None, ["run.resume=true", "run.dir=runs/a"]).run.resume


@pytest.mark.parametrize(
    ("max_steps", "epochs", "prompts_per_step", "num_prompts", "steps"),
    [
        (5, 1.0, 16, 100, 5),
        (0, 1.0, 16, 96, 6),
        (0, 1.0, 16, 97, 7),
        (0, 0.5, 10, 100, 5),
        (0, 0.1, 1, 30, 3),
        (0, 1, 8, 1, 1),
    ],
)
def test_steps_follow_from_epochs_unless_given(max_steps, epochs, prompts_per_step, num_prompts, steps):
    section = config.TrainSection(max_steps=max_steps, epochs=epochs, prompts_per_step=prompts_per_step)
    assert section.num_steps(num_prompts) == steps
    assert max_steps or math.isclose(steps, num_prompts * epochs / prompts_per_step, abs_tol=1)
