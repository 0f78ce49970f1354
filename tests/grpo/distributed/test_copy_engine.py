"""The engine for sharded weights on a CPU samples what the trained model itself would sample."""

from collections.abc import Callable
from pathlib import Path

import pytest

from grpo.engines import EngineDied, SamplingParams
from grpo.engines.hf import CopyEngine, HFEngine
from grpo.model.policy import Policy

PROMPTS, PARAMS = [(5, 6, 7), (8,)], SamplingParams(num_samples=2, max_tokens=6, temperature=1.0, seed=3)


def test_a_copy_samples_what_the_model_would(make_policy: Callable[..., Policy], tmp_path: Path) -> None:
    policy = make_policy(seed=0)
    make_policy(seed=1).save(tmp_path)
    engine = CopyEngine(str(tmp_path), stop_ids=policy.stop_ids, dtype="float32")
    wanted = list(HFEngine(policy).generate(PROMPTS, PARAMS))
    assert list(engine.generate(PROMPTS, PARAMS)) != wanted
    engine.load_weights(policy.weights())
    assert list(engine.generate(PROMPTS, PARAMS)) == wanted


def test_other_weights_than_the_copys_are_refused(make_policy: Callable[..., Policy], tmp_path: Path) -> None:
    policy = make_policy()
    policy.save(tmp_path)
    engine = CopyEngine(str(tmp_path), stop_ids=policy.stop_ids, dtype="float32")
    with pytest.raises(EngineDied, match="other weights than it was given: lm_head.weight"):
        engine.load_weights([*policy.weights(), ("lm_head.weight", policy.model.lm_head.weight)])
