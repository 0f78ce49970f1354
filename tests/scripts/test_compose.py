"""What a recipe says of the loss is what the trainer minimises: no setting is read and then forgotten."""

import dataclasses
import json
import math
from concurrent.futures import Future
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import torch

from grpo.config import ModelSection
from grpo.engines import Engine
from grpo.model.batching import TrainingSample
from grpo.model.policy import Policy
from grpo.objective import Mismatch
from grpo.optimizer import adamw
from grpo.rollout.records import Completion, Example
from grpo.rollout.rows import DataError
from grpo.schema import ConfigError, load
from grpo_rust.compose.engine import SYNC_BOUNDS, _cache_bytes, build_sync, takes_memory_at_sync
from grpo_rust.compose.graders import build_graders
from grpo_rust.compose.policy import load_starting_policy, load_trained_policy
from grpo_rust.compose.prompts import load_prompts
from grpo_rust.compose.updater import build_objective, build_updater
from grpo_rust.compose.watching import build_rehearsal, build_supervised_rehearsal, build_watch
from grpo_rust.memory_estimate import ACTIVATION_BYTES
from grpo_rust.recipe import DEFAULT_RECIPE, OWN_TESTS_RECIPE, Recipe
from rewards.rubric import Rubric
from sandbox.crossing.crossing import Crossed, Crossing
from sandbox.verdict import Outcome, Verdict
from sandbox.workers.pool import SandboxPool
from test_grader import FixedPool

ROOT = Path(__file__).parents[2]
ONE = torch.ones(1, 1, dtype=torch.bool)


def recipe(*overrides: str) -> Recipe:
    return load(Recipe, OWN_TESTS_RECIPE, [f"model.path={ROOT / 'assets/tiny-rust'}", "train.threads=1", *overrides])


@pytest.mark.parametrize(
    ("setting", "field", "value"),
    [
        ("kl_beta=0.5", "kl_beta", 0.5),
        ("kl_estimate=k2", "kl_estimate", "k2"),
        ("kl_ratio_weighted=true", "kl_ratio_weighted", True),
        ("mismatch=geometric", "mismatch", Mismatch("geometric", "truncate", 0.0, 3.0)),
        ("off_policy_max_kl=0.25", "off_policy_max_kl", 0.25),
        ("top_entropy_fraction=0.2", "top_entropy_fraction", 0.2),
        ("entropy_coefficient=0.01", "entropy_coefficient", 0.01),
        ("mask_truncated=true", "mask_truncated", True),
        ("aggregation=sum", "aggregation", "sum"),
    ],
)
def test_a_setting_reaches_the_objective(setting: str, field: str, value: object) -> None:
    assert getattr(build_objective(recipe(f"loss.{setting}")), field) == value
    assert getattr(build_objective(recipe()), field) != value, "and is not there without being asked for"


def test_settings_that_belong_together_arrive_together() -> None:
    bounds = ["loss.mismatch_bound=mask", "loss.mismatch_low=0.5", "loss.mismatch_high=2"]
    objective = build_objective(recipe("loss.mismatch=sequence", *bounds))
    assert objective.mismatch == Mismatch("sequence", "mask", 0.5, 2.0)
    charged = build_objective(recipe("loss.kl_beta=0.1", "loss.kl_in=reward"))
    assert charged.kl_in_reward and not charged.kl_in_loss and charged.needs_reference
    assert not build_objective(recipe("loss.kl_in=reward")).kl_in_reward, "without a weight there is no KL"


@pytest.mark.parametrize(
    ("settings", "loss"),
    [
        ([], -1.2),  # ratio 2, clipped at 1 + 0.2
        (["loss.clip_high=0.5"], -1.5),
        (["loss.name=cispo", "loss.max_ratio=1.5"], -1.5 * math.log(0.5)),
        (["loss.name=sapo", "loss.tau_positive=2"], -2 / (1 + math.exp(-2.0))),
    ],
)
def test_hyper_parameters_are_bound(settings: list[str], loss: float) -> None:
    logprobs, old = torch.tensor([[math.log(0.5)]]), torch.tensor([[math.log(0.25)]])
    found = build_objective(recipe(*settings)).policy_loss(logprobs, old, torch.tensor([1.0]), ONE)
    assert found.item() == pytest.approx(loss, abs=1e-5)


def test_delta_bounds_the_ratio_of_bad_completions() -> None:
    logprobs, old = torch.tensor([[0.0]]), torch.tensor([[-math.log(8.0)]])
    losses = [
        build_objective(recipe(f"loss.delta={delta}")).policy_loss(logprobs, old, torch.tensor([-1.0]), ONE).item()
        for delta in (0, 4)
    ]
    assert losses == [pytest.approx(8.0), pytest.approx(4.0)]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["loss.delta=4", "loss.name=gspo"], 'loss.name = "gspo" has no such bound: use 0'),
        (["loss.delta=1.1"], "must be above 1 + loss.clip_high = 1.2"),
        (["loss.mismatch_low=3", "loss.mismatch_high=3"], "loss.mismatch_low must be below"),
        (["loss.kl_beta=1", "loss.kl_in=reward", "loss.advantages=gdpo"], "which gdpo does not compute"),
        (["loss.kl_beta=1", "loss.kl_in=reward", "loss.kl_ratio_weighted=true"], "corrects a gradient"),
        (["loss.name=vespo", "loss.mismatch=sequence"], 'use mismatch = "token"'),
    ],
)
def test_settings_that_exclude_each_other_are_refused(settings: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        recipe(*settings)
    assert said in str(refused.value)


def test_the_learning_rate_ends_with_the_last_update() -> None:
    """Three steps of two passes of two shares: twelve updates, and the thirteenth would have a rate of zero."""
    settings = recipe(
        "train.max_steps=3", "train.num_iterations=2", "train.num_minibatches=2", "train.warmup_fraction=0"
    )
    updater = build_updater(settings, load_trained_policy(settings), num_steps=3)
    rates = [updater._schedule(update) for update in range(13)]
    assert rates[0] == settings.train.lr and rates[11] > 0 and rates[12] == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([], None),
        (["sampling.engine=vllm"], "token"),
        (["sampling.engine=paged"], "token"),
        (["rollout.overlap=1"], "token"),
        (["rollout.overlap=1", "loss.mismatch=none"], None),
        (["loss.mismatch=sequence"], "sequence"),
    ],
)
def test_completions_of_another_engine_or_age_are_reweighted_unless_told_otherwise(
    settings: list[str], expected: str | None
) -> None:
    mismatch = build_objective(recipe(*settings)).mismatch
    assert (mismatch and mismatch.level) == expected


def test_the_cache_holds_a_batch_of_the_longest_completions() -> None:
    policy = load_trained_policy(recipe())
    config = policy.model.config
    width = 2 * config.num_hidden_layers * config.num_key_value_heads * config.hidden_size // config.num_attention_heads
    assert _cache_bytes(policy, rows=3, tokens=200) == (3 * 2 + 1) * 128 * width * 4


def test_checkpointing_is_switched_on() -> None:
    settings = recipe("train.gradient_checkpointing=true")
    policy = load_trained_policy(settings)
    assert len(policy.checkpointed_layers) == policy.model.config.num_hidden_layers


def test_layers_are_compiled_where_the_recipe_says_so() -> None:
    plain, compiled = (load_trained_policy(recipe(f"train.compile_layers={value}")) for value in ("false", "true"))
    layers = [policy.model.base_model.layers for policy in (plain, compiled)]
    assert ["forward" in vars(layer) for layer in layers[0]] == [False] * len(layers[0])
    assert ["forward" in vars(layer) for layer in layers[1]] == [True] * len(layers[1])


def test_updates_get_all_threads_unless_the_engine_samples_beside_them() -> None:
    policy = load_trained_policy(recipe())
    alone, beside = recipe("train.threads=3"), recipe("train.threads=3", "rollout.overlap=1")
    assert build_updater(alone, policy, num_steps=1).threads == 3
    assert build_updater(beside, policy, num_steps=1).threads == 0, "as many as in sampling"


def test_on_a_gpu_no_update_changes_the_threads_that_its_kernels_were_compiled_with() -> None:
    policy = load_trained_policy(recipe())
    policy.device = torch.device("cuda")
    assert build_updater(recipe("train.threads=3", "train.device=cpu"), policy, num_steps=1).threads == 0


@pytest.mark.parametrize("weight", [0, 1])
def test_gold_tests_of_training_prompts_are_checked_where_they_are_run(tmp_path: Path, weight: int) -> None:
    source = tmp_path / "prompts.jsonl"
    source.write_text('{"prompt": "x", "gold_tests": "assert_eq!(1, 1);"}\n')
    words = [f"data.train={source}", "eval.prompts=0"]
    policy = load_starting_policy(recipe())
    assert str(load_prompts(recipe(*words), policy).train) == "1", "no reward runs them"
    with pytest.raises(DataError, match="holds no #.test. function"):
        load_prompts(recipe(*words, f"rewards.weights.gold={weight}"), policy)


def test_prompts_for_tests_alone_are_the_prompt_and_an_answer_that_has_begun(tmp_path: Path) -> None:
    source = tmp_path / "prompts.jsonl"
    rows = ['{"prompt": "Write `fn f() -> u8`.", "signature": "fn f() -> u8"}', '{"prompt": "Write something."}']
    source.write_text("\n".join(rows) + "\n")
    words = [f"data.train={source}", "eval.prompts=0", "rewards.weights.cross_agreement=1"]
    policy = load_starting_policy(recipe())
    train = load_prompts(recipe(*words, "rollout.testers=2"), policy).train
    asked, other = train.examples
    assert policy.decode(asked.tester_ids[len(asked.prompt_ids) :]) == "```rust\nfn f() -> u8 {\n    todo!()"
    assert asked.tester_ids[: len(asked.prompt_ids)] == asked.prompt_ids and other.tester_ids == ()
    assert str(train) == "2 (1 without testers)"
    assert not any(example.tester_ids for example in load_prompts(recipe(*words), policy).train.examples)
    source.write_text(rows[1] + "\n")
    with pytest.raises(DataError, match="no row of .* says what function it asks for"):
        load_prompts(recipe(*words, "rollout.testers=2"), policy)


def test_somebody_judges_a_group_that_is_judged_by_others_alone(tmp_path: Path) -> None:
    source = tmp_path / "prompts.jsonl"
    words = [f"data.train={source}", "eval.prompts=0", "rewards.weights.cross_agreement=1", "rewards.cross.partners=-1"]
    policy = load_starting_policy(recipe())
    nobody = "there is nobody to judge: no row of"
    for suites, problem in (("null", nobody), ('["fn f() {}"]', nobody), ('["a", 1]', "give a list of Rust")):
        source.write_text(f'{{"prompt": "x", "suites": {suites}}}\n')
        with pytest.raises(DataError, match=problem):
            load_prompts(recipe(*words), policy)
        assert str(load_prompts(recipe(*words[:2]), policy).train) == "1", "no reward reads them"
    source.write_text('{"prompt": "x"}\n')
    with pytest.raises(DataError, match=nobody):
        load_prompts(recipe(*words, "rewards.weights.cross_test_thorough=1"), policy)
    judged = load(Recipe, DEFAULT_RECIPE, words[:2])
    assert str(load_prompts(judged, policy).train) == "1 (1 without suites)", "whose own tests judge"
    suite = "fn f() -> u8 { todo!() } #[cfg(test)] mod tests { #[test] fn t() { assert_eq!(super::f(), 1); } }"
    source.write_text(json.dumps({"prompt": "x", "suites": [suite]}) + '\n{"prompt": "y", "suites": []}\n')
    assert str(load_prompts(recipe(*words), policy).train) == "2 (1 without suites)"
    source.write_text('{"prompt": "x", "signature": "fn f()"}\n')
    assert len(load_prompts(recipe(*words, "rollout.testers=1"), policy).train.examples) == 1


def test_a_group_is_compared_when_its_testers_are_there() -> None:
    """What a recipe says of testers and of the group's size reaches the grader."""
    crossings: list[Crossing] = []

    class NotingPool(FixedPool):
        def submit_crossing(self, crossing: Crossing) -> Future[Crossed]:
            crossings.append(crossing)
            return Future()

    words = ["rollout.testers=1", "rewards.weights.cross_agreement=1", "sampling.group_size=2", "guard.mutation=false"]
    asked = recipe(*words)
    pool = cast(SandboxPool, NotingPool(Verdict(Outcome.PASSED, build=True, clippy=True, test=True, genuine=True)))
    training = build_graders(asked, Rubric(asked.rewards.weights), pool).training
    example = Example("p", ({"role": "user", "content": "Write add"},), tester_ids=(1,))
    tests = "#[cfg(test)] mod t { #[test] fn f() { assert_eq!(super::add(1), 2); } }"
    program = f"```rust\nfn add(a: i32) -> i32 {{ a + NUMBER }}\n{tests}\n```"
    for number in (0, 1):
        training.start(
            example, Completion(f"g-c{number}", (1,), (0.0,), program.replace("NUMBER", f"{number}"), True, 0)
        )
    assert not crossings
    training.add_tests(example, Completion("g-t0", (1,), (0.0,), program.replace("a + NUMBER", "todo!()"), True, 0))
    assert len(crossings) == 1 and len(crossings[0].codes) == 2


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([], True),  # on a GPU hf means continuous batching
        (["sampling.engine=paged"], True),
        (["sampling.engine=vllm"], False),
        (["sampling.engine=vllm", "sampling.sleep=true"], True),
    ],
)
def test_cached_memory_is_freed_for_engines_that_take_it_again(settings: list[str], expected: bool) -> None:
    on_gpu = cast(Policy, SimpleNamespace(device=torch.device("cuda")))
    assert takes_memory_at_sync(recipe(*settings), on_gpu) == expected
    assert not takes_memory_at_sync(recipe(*settings), cast(Policy, SimpleNamespace(device=torch.device("cpu"))))


def test_an_optimizer_without_its_package_is_refused_before_a_model_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adamw, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match='train.optimizer = "adamw8bit".*adam8bit'):
        load_trained_policy(recipe("train.optimizer=adamw8bit", "model.path=nowhere"))


@pytest.mark.skipif(find_spec("torchao") is None, reason="torchao is not installed")
def test_the_optimizer_is_the_recipes() -> None:
    for name, kind in (("adamw", "AdamW"), ("adamw8bit", "AdamW8bit")):
        asked = recipe(f"train.optimizer={name}")
        assert type(build_updater(asked, load_trained_policy(asked), num_steps=1).optimizer).__name__ == kind


def test_the_proof_after_a_sync_is_as_the_dtype_and_the_setting_say() -> None:
    policy, engine = load_trained_policy(recipe()), cast(Engine, None)  # not asked for anything here
    examples = load_prompts(recipe("eval.prompts=0"), policy).train.examples

    def bounds(*settings: str) -> tuple[int, float, float, int]:
        sync = build_sync(recipe("sampling.engine=paged", *settings), policy, engine, examples)
        assert sync is not None
        return len(sync.probes), sync.bounds.warn, sync.bounds.stop, sync.bounds.patience

    assert bounds() == (4, 3e-5, 1e-4, 1)
    assert bounds("model.dtype=bfloat16") == (16, 0.03, 0.1, 3)
    assert bounds("model.dtype=bfloat16", "sampling.max_sync_gap=0.5") == (16, pytest.approx(0.15), 0.5, 3)
    short = build_sync(recipe("sampling.engine=vllm", "sampling.max_completion_tokens=9"), policy, engine, examples)
    assert short is not None and short.bounds.max_tokens == 9, "an engine takes no longer ones"
    assert build_sync(recipe(), policy, engine, examples) is None, "it samples with the policy's own weights"
    assert bounds("model.dtype=float16") == (16, 0.004, 0.015, 3)
    choices = {field.name: field.metadata["choices"] for field in dataclasses.fields(ModelSection)}["dtype"]
    assert set(SYNC_BOUNDS) == set(ACTIVATION_BYTES) == set(choices)


@pytest.mark.parametrize(
    ("setting", "field"),
    [
        ("max_ratio=7", "max_ratio"),
        ("min_entropy=0.5", "min_entropy"),
        ("max_zero_std_steps=7", "max_zero_std_steps"),
        ("max_sampler_gap=0.5", "max_sampler_gap"),
    ],
)
def test_a_limit_reaches_what_watches_the_run(setting: str, field: str) -> None:
    found, usual = build_watch(recipe(f"watch.{setting}"), None), build_watch(recipe(), None)
    assert found is not None and usual is not None
    assert getattr(found.thresholds, field) == float(setting.partition("=")[2]) != getattr(usual.thresholds, field)
    assert build_watch(recipe("watch.enabled=false"), None) is None


def test_the_longest_prompt_and_the_longest_completions_are_rehearsed_unless_switched_off() -> None:
    policy = load_starting_policy(recipe())
    updater = build_updater(recipe(), policy, num_steps=1)
    examples = [Example(str(size), (), prompt_ids=(5,) * size) for size in (3, 20, 7)]
    small = ["sampling.group_size=2", "sampling.max_completion_tokens=30", "train.prompts_per_step=3"]
    demonstrations = [TrainingSample((5,) * 3, (6,) * size, (0.0,) * size, 1.0) for size in (4, 40, 9)]
    for build, data, text in (
        (build_rehearsal, examples, "rehearsed the longest micro-batch: 2 completions, 60 tokens"),
        (build_supervised_rehearsal, demonstrations, "rehearsed the longest micro-batch: 3 completions, 53 tokens"),
    ):
        said: list[str] = []
        rehearsal = build(recipe(*small, "train.micro_batch_tokens=80"), updater, data)
        assert rehearsal is not None
        rehearsal(said.append)
        assert said[0].startswith(text), said
        for off in ("train.rehearse=false", "watch.enabled=false"):
            assert build(recipe(*small, off), updater, data) is None
