"""Every engine keeps one contract: distribution, stop tokens, seeds, streams, weights, restarts, refusals."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers.generation.continuous_batching import continuous_api

from engines import HAS_VLLM, KINDS, NEED_VLLM, OUT_OF_STEP, SLOW, Engines, paged_maker, vllm_maker
from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams
from grpo.engines.hf import HFEngine
from grpo.engines.loaded_weights import GivenWeights
from grpo.engines.process import EngineProcess
from grpo.engines.several import Several
from grpo.engines.vllm import VLLMEngine, on_gpu
from grpo.engines.weight_sync import SyncBounds, WeightsDiffer, WeightSync
from grpo.errors import BadInput
from grpo.model.batching import TrainingSample, micro_batches
from grpo.model.lora import add_adapters
from grpo.model.policy import Policy
from grpo.rollout.collect import sample
from grpo.rollout.partial.deadline import WithDeadline
from grpo.rollout.records import Example
from grpo.rollout.turns.playing import TurnRules
from letter_grader import LetterGrader

ROOT = Path(__file__).resolve().parents[2]
PROMPTS = [(5, 6, 7), (9,), tuple(range(30, 50))]
LONG = [tuple(index % 250 for index in range(3, 333))]  # more than two blocks of a CPU build's prefix cache
TOLERANCE = 1e-4  # nats: two fp32 forward passes, with and without a cache
BF16_TOLERANCE = 1.0  # 0.52 was seen: the random model's weights are large; other weights differ by 10
EXACT = SyncBounds(warn=3e-5, stop=1e-4, patience=1, tokens=48, max_tokens=16)
SETTINGS = {"num_samples": 4, "max_tokens": 12, "seed": 3}
WITHOUT_VLLM = pytest.mark.skipif(not HAS_VLLM, reason="vLLM is not installed: make test ENGINE=vllm")

MakePolicy = Callable[..., Policy]


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    started = Engines(tmp_path_factory.mktemp("engines"))
    yield started
    started.close()


def marks(kind: str) -> list[pytest.MarkDecorator]:
    without = [WITHOUT_VLLM, pytest.mark.alone] if kind in NEED_VLLM else []
    slow = [pytest.mark.slow] if kind in SLOW else []
    long = [pytest.mark.long] if kind == "served" else []  # a server for every shape: CI has test_served_by_vllm.py
    return [*without, *slow, *long]


@pytest.fixture(params=[pytest.param(kind, marks=marks(kind)) for kind in KINDS])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make_wide(make_policy: MakePolicy) -> MakePolicy:
    """Random policies with heads as wide as vLLM wants them; a fifth of all tokens end a completion."""

    def make(**changes: object) -> Policy:
        policy = make_policy(hidden=64, heads=2, **changes)
        policy.stop_ids = frozenset(range(0, len(policy.tokenizer), 5))
        return policy

    return make


@pytest.fixture
def wide(make_wide: MakePolicy) -> Policy:
    return make_wide()


def params(**changes: object) -> SamplingParams:
    return SamplingParams(**{"temperature": 1.0, **SETTINGS, **changes})


def ask(engine: Engine, **changes: object) -> list[GenerationOutput]:
    prompts = changes.pop("prompts", PROMPTS)
    return list(engine.generate(prompts, params(**changes)))


def in_order(completions: list[GenerationOutput]) -> list[GenerationOutput]:
    return sorted(completions, key=lambda completion: (completion.prompt, completion.sample))


def gap(
    policy: Policy, completions: list[GenerationOutput], prompts: list[tuple[int, ...]], temperature: float
) -> float:
    """The largest difference of a token's log-prob from the trainer's."""
    largest = 0.0
    for completion in completions:
        row = TrainingSample(prompts[completion.prompt], completion.token_ids, completion.logprobs, 0.0)
        (batch,) = micro_batches([row], max_tokens=10_000)
        with torch.no_grad():
            logprobs, _ = policy.completion_logprobs(batch, temperature=temperature)
        largest = max(largest, float((logprobs - batch.sampler_logprobs).abs().max()))
    return largest


def test_later_turns_of_a_conversation_are_sampled_from_all_that_is_before_them(
    engines: Engines, kind: str, wide: Policy
) -> None:
    grader, said = LetterGrader(), (40, 41, 42)
    rules = TurnRules(3, "final", lambda tickets: ["again"] * len(tickets), lambda message, ended: said, 400)
    examples = [Example(str(number), (), prompt_ids=prompt) for number, prompt in enumerate(PROMPTS)]
    names: dict[str, Any] = {"id_prefix": "s", "policy_version": 0, "turns": rules}
    made = sample(engines.of(kind, wide), grader, wide.decode, examples, params(), **names).completions
    prompts = [PROMPTS[slot[0]] + completion.context for slot, completion in made.items()]
    found = [
        GenerationOutput(number, 0, one.token_ids, one.sampler_logprobs, one.terminated)
        for number, one in enumerate(made.values())
    ]
    assert len(made) == 3 * 3 * 4 and max(map(len, prompts)) > 20 + 2 * 3
    assert gap(wide, found, prompts, 1.0) < TOLERANCE
    assert gap(wide, found, [prompt[:-1] or (1,) for prompt in prompts], 1.0) > 100 * TOLERANCE


def test_every_group_is_complete(engines: Engines, kind: str, wide: Policy) -> None:
    slots = [(completion.prompt, completion.sample) for completion in in_order(ask(engines.of(kind, wide)))]
    assert slots == [(prompt, k) for prompt in range(3) for k in range(4)]


def test_a_completion_ends_with_its_stop_token_or_is_truncated(engines: Engines, kind: str, wide: Policy) -> None:
    engine = engines.of(kind, wide)
    completions = ask(engine) + ask(engine, max_tokens=1)
    assert {completion.terminated for completion in completions} == {True, False}
    for completion in completions:
        *inner, last = completion.token_ids
        assert not wide.stop_ids & set(inner)
        assert (last in wide.stop_ids) == completion.terminated
        assert completion.terminated or len(completion.token_ids) in (1, 12)
        assert len(completion.logprobs) == len(completion.token_ids)
        assert all(-math.inf < logprob <= 0 for logprob in completion.logprobs)


def test_top_p_keeps_the_most_probable_tokens_and_no_others(engines: Engines, kind: str, wide: Policy) -> None:
    """So small a share is reached by the most probable token alone, at any temperature: as if greedy."""
    engine = engines.of(kind, wide)
    greedy = [completion.token_ids for completion in in_order(ask(engine, temperature=0.0))]
    assert [found.token_ids for found in in_order(ask(engine, temperature=2.0, top_p=1e-6))] == greedy
    assert [found.token_ids for found in in_order(ask(engine, temperature=2.0))] != greedy


@pytest.mark.parametrize("top_p", [0.0, 1.5])
def test_a_share_that_is_none_is_refused(engines: Engines, kind: str, wide: Policy, top_p: float) -> None:
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        ask(engines.of(kind, wide), top_p=top_p)


def test_completions_leave_the_moment_they_end(engines: Engines, kind: str, wide: Policy) -> None:
    lengths = [len(completion.token_ids) for completion in ask(engines.of(kind, wide))]
    if kind in OUT_OF_STEP:
        assert sum(lengths[:6]) < sum(lengths[6:])
    else:
        assert lengths == sorted(lengths) and lengths[0] < lengths[-1]


def test_completions_arrive_one_after_the_other(engines: Engines, kind: str, wide: Policy) -> None:
    """What keeps them all until the last has ended delivers them within a few milliseconds."""
    engine = engines.of(kind, wide)
    ask(engine)
    spreads = []
    for _ in range(3):  # a busy machine may delay the first completion of one try
        started, arrived = time.perf_counter(), []
        for _ in engine.generate(PROMPTS, params(max_tokens=100)):
            arrived.append(time.perf_counter() - started)
        spreads.append((arrived[-1] - arrived[0]) / arrived[-1])
    assert max(spreads) > 0.03, "of what all took: an engine that waits for the last needs less than a hundredth"


def test_the_first_completion_does_not_wait_for_the_last(wide: Policy) -> None:
    forwards = 0

    def count(*_: object) -> None:
        nonlocal forwards
        forwards += 1

    wide.model.register_forward_hook(count)
    stream = HFEngine(wide).generate(PROMPTS, params())
    next(stream)
    before = forwards
    assert list(stream) and forwards > before


def test_who_loses_interest_does_not_disturb_the_next(engines: Engines, kind: str, wide: Policy) -> None:
    engine = engines.of(kind, wide)
    expected = in_order(ask(engine))
    stream = engine.generate(PROMPTS, params(max_tokens=60))
    next(stream)
    stream.close()
    assert in_order(ask(engine)) == expected


@pytest.mark.parametrize("tied", [True, False])
def test_logprobs_equal_a_recomputation_at_the_same_temperature(
    engines: Engines, kind: str, make_wide: MakePolicy, tied: bool
) -> None:
    policy = make_wide(tied=tied)
    engine = engines.of(kind, policy)
    for temperature in (0.7, 1.0):
        completions = ask(engine, temperature=temperature)
        assert gap(policy, completions, PROMPTS, temperature) < TOLERANCE
        assert gap(policy, completions, PROMPTS, temperature + 0.1) > 100 * TOLERANCE
    assert gap(policy, ask(engine, temperature=0.0), PROMPTS, 1.0) < TOLERANCE


def test_bf16_logprobs_are_near_the_trainers(engines: Engines, kind: str, make_wide: MakePolicy) -> None:
    policy = make_wide(dtype=torch.bfloat16)
    completions = ask(engines.of(kind, policy))
    assert gap(policy, completions, PROMPTS, 1.0) < BF16_TOLERANCE
    assert gap(make_wide(dtype=torch.bfloat16, seed=1), completions, PROMPTS, 1.0) > BF16_TOLERANCE


def test_continuous_batching_in_bf16_does_not_round_its_logits(engines: Engines, make_wide: MakePolicy) -> None:
    policy = make_wide(dtype=torch.bfloat16)
    state, ids = {}, torch.tensor([PROMPTS[0]])
    model = engines.of("paged", policy)._model
    model.get_output_embeddings().register_forward_pre_hook(lambda _, inputs: state.update(hidden=inputs[0]))
    logits = model(input_ids=ids).logits
    assert logits.dtype == torch.float32 and model.dtype == torch.bfloat16
    exact = state["hidden"].double() @ policy.model.get_output_embeddings().weight.bfloat16().double().T
    assert (logits - exact).abs().max() < 1e-4 < (logits.bfloat16() - exact).abs().max()


def test_the_same_seed_gives_the_same_completions_and_another_seed_others(
    engines: Engines, kind: str, wide: Policy
) -> None:
    engine = engines.of(kind, wide)
    first, again, other = ask(engine), ask(engine), ask(engine, seed=4)
    assert first == again or kind in OUT_OF_STEP
    assert in_order(first) == in_order(again) != in_order(other)


def test_the_samples_of_a_group_differ(engines: Engines, kind: str, wide: Policy) -> None:
    completions = ask(engines.of(kind, wide), prompts=LONG, num_samples=8, max_tokens=20)
    assert len({completion.token_ids for completion in completions}) >= 4


def test_the_global_generator_is_left_alone(engines: Engines, kind: str, wide: Policy) -> None:
    engine = engines.of(kind, wide)
    state = torch.random.get_rng_state()
    ask(engine)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("prompts", [PROMPTS, LONG], ids=["short", "long"])
def test_greedy_completions_follow_the_weights(
    engines: Engines, kind: str, make_wide: MakePolicy, tied: bool, prompts: list[tuple[int, ...]]
) -> None:
    """Long prompts lie in the prefix cache, computed with the old weights."""
    greedy = {"temperature": 0.0, "num_samples": 1, "prompts": prompts, "max_tokens": 24}
    one, other = make_wide(seed=0, tied=tied), make_wide(seed=1, tied=tied)
    engine = engines.of(kind, one)
    before, wanted = in_order(ask(engine, **greedy)), in_order(ask(HFEngine(other), **greedy))
    assert [a.token_ids for a in before] == [a.token_ids for a in in_order(ask(HFEngine(one), **greedy))]
    assert [a.token_ids for a in before] != [a.token_ids for a in wanted]
    engine.load_weights(other.weights())
    if kind == "hf":
        one.model.load_state_dict(other.model.state_dict())
    assert [a.token_ids for a in in_order(ask(engine, **greedy))] == [a.token_ids for a in wanted]


def test_what_is_interrupted_goes_on_under_new_weights(
    engines: Engines, kind: str, make_wide: MakePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No token is lost, none too many are sampled, and log-probs are those of the weights that sampled the token."""
    monkeypatch.setattr("grpo.engines.paged.WAIT_S", 0.001)
    monkeypatch.setattr("grpo.engines.served.engine.HEAR_EVERY_S", 0.001)
    one, other = make_wide(seed=0), make_wide(seed=1)
    samples, most = (32, 100) if kind == "served" else (8, 6)  # a server goes on until it is told
    engine, settings = engines.of(kind, one), {"max_tokens": most}
    with _interrupted(engine, monkeypatch):
        begun = ask(engine, num_samples=samples, **settings)
    assert gap(one, begun, PROMPTS, 1.0) < TOLERANCE
    heads = [output for output in begun if not output.finished]
    assert heads and len({(output.prompt, output.sample) for output in begun}) == len(begun)
    assert len(begun) == 3 * samples or kind in ("paged", "several", "served"), "which may have begun fewer"
    for head in heads:
        assert 0 < len(head.token_ids) < most and not one.stop_ids & set(head.token_ids) and not head.terminated
    engine.load_weights(other.weights())
    if kind == "hf":
        one.model.load_state_dict(other.model.state_dict())
    contexts, written = zip(*[(PROMPTS[head.prompt] + head.token_ids, len(head.token_ids)) for head in heads])
    tails = in_order(ask(engine, prompts=contexts, written=written, num_samples=1, **settings))
    assert gap(other, tails, contexts, 1.0) < TOLERANCE and len(tails) == len(heads)
    for done, tail in zip(written, tails, strict=True):
        total = done + len(tail.token_ids)
        assert tail.finished and total <= most and (tail.terminated or total == most)
        assert tail.terminated == (tail.token_ids[-1] in other.stop_ids)


@contextmanager
def _interrupted(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Interrupt an engine after its first step, inside."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1

    with monkeypatch.context() as patch:
        at_once = isinstance(engine, EngineProcess | Several)
        if at_once:
            engine.interrupt(True)
        else:
            patch.setattr(engine, "on_step", step)
            patch.setattr(engine, "interrupted", lambda: count > 0)
        yield
        if at_once:
            engine.interrupt(False)


def test_a_deadline_cuts_what_has_no_end_and_loses_nothing(
    engines: Engines, kind: str, wide: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grpo.engines.served.engine.HEAR_EVERY_S", 0.001)
    samples, most = (32, 100) if kind == "served" else (8, 60)
    engine = engines.of(kind, wide)
    cut = in_order(ask(WithDeadline(engine, 0.001), num_samples=samples, max_tokens=most))
    assert [(output.prompt, output.sample) for output in cut] == [(p, s) for p in range(3) for s in range(samples)]
    assert gap(wide, cut, PROMPTS, 1.0) < TOLERANCE
    assert all(output.terminated == (output.token_ids[-1] in wide.stop_ids) for output in cut)
    assert all(output.finished == (output.terminated or len(output.token_ids) == most) for output in cut)
    assert any(not output.terminated and len(output.token_ids) < most for output in cut)
    whole = ask(engine, num_samples=samples, max_tokens=most)
    assert all(output.terminated or len(output.token_ids) == most for output in whole), "it is interrupted no longer"


@pytest.mark.parametrize(
    ("written", "said"), [((3, 0), "2 numbers for 3 prompts"), ((3, 0, 0), "3 of a prompt's 3"), ((0, 0, 12), "12 of")]
)
def test_more_written_than_there_may_be_is_refused(
    engines: Engines, kind: str, wide: Policy, written: tuple[int, ...], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        ask(engines.of(kind, wide), written=written)


def test_a_sleeper_wakes_with_new_weights(engines: Engines, kind: str, make_wide: MakePolicy) -> None:
    one, other = make_wide(seed=0), make_wide(seed=1)
    expected = in_order(ask(engines.of(kind, other)))
    engine = engines.of(kind, one)
    for _ in range(2):
        engine.sleep()
        engine.sleep()  # nothing happens twice
        if kind in ("vllm", "process"):
            with pytest.raises(EngineDied, match="asleep"):
                ask(engine)
        engine.load_weights(other.weights())
        assert in_order(ask(engine if kind != "hf" else HFEngine(other))) == expected


def test_continuous_batching_does_not_let_cudnn_plan_for_every_shape(wide: Policy, tmp_path: Path) -> None:
    before = torch.backends.cuda.cudnn_sdp_enabled()
    try:
        torch.backends.cuda.enable_cudnn_sdp(True)
        paged_maker(wide, tmp_path)().close()
        assert not torch.backends.cuda.cudnn_sdp_enabled()
    finally:
        torch.backends.cuda.enable_cudnn_sdp(before)


def test_continuous_batching_in_fp32_takes_no_flash_kernel_although_there_is_one(
    wide: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("is_flash_attn_2_available", "is_flash_attn_3_available"):
        monkeypatch.setattr(continuous_api, name, lambda **_: True)
    engine = paged_maker(wide, tmp_path)()
    engine.load_weights(wide.weights())
    for _ in range(2):
        assert len(list(engine.generate(PROMPTS[:1], params()))) == SETTINGS["num_samples"]
    engine.close()


def test_continuous_batching_wants_every_weight_and_no_other(engines: Engines, make_wide: MakePolicy) -> None:
    assert "lm_head.weight" not in dict(make_wide().weights()), "tied to the embeddings: one weight, one name"
    policy = make_wide(tied=False)
    engine, weights = engines.of("paged", policy), dict(policy.weights())
    lost = min(weights)
    with pytest.raises(EngineDied, match=f"1 weights were not handed over .{lost}"):
        engine.load_weights((name, tensor) for name, tensor in weights.items() if name != lost)
    with pytest.raises(EngineDied, match="no weight value_head"):
        engine.load_weights([*weights.items(), ("value_head", torch.ones(1))])


def test_adapters_arrive_merged(engines: Engines, kind: str, make_wide: MakePolicy) -> None:
    policy = add_adapters(make_wide(), rank=4, alpha=8, targets="all-linear", seed=1)
    policy.stop_ids = make_wide().stop_ids
    with torch.no_grad():
        for name, parameter in policy.model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.1, generator=torch.Generator().manual_seed(2))
    completions = ask(engines.of(kind, policy))
    assert gap(policy, completions, PROMPTS, 1.0) < TOLERANCE
    assert gap(make_wide(), completions, PROMPTS, 1.0) > 100 * TOLERANCE, "and they change something"


def test_a_model_that_asks_for_top_p_and_a_penalty_is_not_obeyed(
    engines: Engines, kind: str, make_wide: MakePolicy
) -> None:
    asking = make_wide()
    asking.stop_ids |= {1}  # an engine of its own, started with this config
    asking.model.generation_config.update(top_k=1, top_p=0.1, repetition_penalty=1.5, do_sample=True)
    completions = ask(engines.of(kind, asking), num_samples=8)
    for prompt in range(len(PROMPTS)):
        assert len({a.token_ids for a in completions if a.prompt == prompt}) > 2, "top-k 1 would make them all the same"
    assert gap(asking, completions, PROMPTS, 1.0) < TOLERANCE


@pytest.mark.parametrize("temperature", [0.7, 1.0])
def test_sampling_follows_the_distribution(engines: Engines, kind: str, wide: Policy, temperature: float) -> None:
    count = 3000
    many = {"prompts": [(5, 6, 7)] * (count // 30), "num_samples": 30, "max_tokens": 1}  # a server refuses one of 3000
    completions = ask(engines.of(kind, wide), **many, temperature=temperature)
    found = torch.bincount(torch.tensor([a.token_ids[0] for a in completions]), minlength=len(wide.tokenizer)) / count
    (batch,) = micro_batches([TrainingSample((5, 6, 7), (0,), (0.0,), 0.0)], max_tokens=100)
    with torch.no_grad():
        chances = (wide.model(batch.input_ids[None]).logits[0, 2] / temperature).softmax(dim=-1)
    top = chances.topk(5).indices
    sigma = (chances * (1 - chances) / count).sqrt()
    assert ((found - chances)[top].abs() < 4.5 * sigma[top]).all()


@pytest.mark.parametrize("change", [{"prompts": [()]}, {"num_samples": 0}, {"max_tokens": 0}])
def test_nothing_to_sample_is_refused(engines: Engines, kind: str, wide: Policy, change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        ask(engines.of(kind, wide), **change)


def test_threads_of_torch_can_still_be_set(engines: Engines, kind: str, wide: Policy) -> None:
    engines.of(kind, wide)
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    assert torch.get_num_threads() == before + 1
    torch.set_num_threads(before)


@WITHOUT_VLLM
@pytest.mark.alone
def test_weights_that_did_not_arrive_stop_the_run(engines: Engines, make_wide: MakePolicy) -> None:
    policy = make_wide()
    sync = WeightSync(policy, engines.of("vllm", policy), PROMPTS, EXACT)
    assert sync(print)["sync/gap"] < 1e-5
    with torch.no_grad():
        policy.model.model.layers[0].mlp.down_proj.weight.mul_(1.05)
    assert sync._worst()[1] > 1e-4, "the engine still has the old ones"
    assert sync(print)["sync/gap"] < 1e-5
    engine = engines.of("vllm", policy)
    engine.load_weights(make_wide(seed=1).weights())
    lost = WeightSync(policy, _Deaf(engine), PROMPTS, EXACT)
    with pytest.raises(WeightsDiffer, match="samples from other weights"):
        lost(print)


@WITHOUT_VLLM
@pytest.mark.alone
def test_one_missed_update_of_the_quickstart_shows(engines: Engines, make_wide: MakePolicy) -> None:
    """Adam's first step moves every weight by the learning rate; this model's weights are fifteen times larger."""
    policy = make_wide()
    sync = WeightSync(policy, engines.of("vllm", policy), PROMPTS, EXACT)
    sync(print)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in policy.model.parameters():
            parameter += 8e-4 * torch.randn(parameter.shape, generator=generator).sign()
    assert sync._worst()[1] > 1e-4


class _Deaf(Engine):
    """An engine that takes no weights."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def generate(self, prompts: Any, params: SamplingParams) -> Iterator[GenerationOutput]:
        return self._engine.generate(prompts, params)

    def load_weights(self, weights: object) -> None: ...


@WITHOUT_VLLM
@pytest.mark.alone
def test_a_killed_engine_says_so_and_starts_again(engines: Engines, wide: Policy, tmp_path: Path) -> None:
    engine = engines.process(vllm_maker(wide, tmp_path), torch.float32)
    try:
        engine.load_weights(wide.weights())
        expected = ask(engine)
        stream = engine.generate(PROMPTS, params(max_tokens=300))
        next(stream)
        os.kill(engine.pid, 9)
        with pytest.raises(EngineDied, match=r"was killed by SIGKILL; the end of .*engine\.log"):
            list(stream)
        with pytest.raises(EngineDied):
            ask(engine)
        engine.restart()
        engine.load_weights(wide.weights())
        assert ask(engine) == expected
    finally:
        engine.close()
    assert not Path(f"/proc/{engine.pid}").exists()


def _refuses_to_start() -> Engine:
    raise OSError("there is no such model")


class _Refuser(Engine):
    """An engine that refuses to sample after one completion, or to take weights, in its own library's words."""

    def generate(self, prompts: object, params: object) -> Iterator[GenerationOutput]:
        yield GenerationOutput(0, 0, (1,), (-1.0,), True)
        raise ValueError("the prompt is longer than I allow")

    def load_weights(self, weights: object) -> None:
        raise ValueError("there is no such parameter")


def test_an_engine_that_refuses_in_the_middle_can_be_asked_again(tmp_path: Path) -> None:
    engine = EngineProcess(_Refuser, dtype=torch.float32, log=tmp_path / "engine.log")
    try:
        for _ in range(2):
            stream = engine.generate([(1, 2)], SamplingParams(2, 3, 1.0, seed=0))
            assert next(stream).token_ids == (1,)
            with pytest.raises(ValueError, match="longer than I allow"):
                next(stream)
        with pytest.raises(EngineDied, match="ValueError: there is no such parameter"):
            engine.load_weights([("weight", torch.zeros(2))])
    finally:
        engine.close()


@pytest.mark.alone
def test_a_child_that_neither_answers_nor_ends_is_described(tmp_path: Path) -> None:
    engine = EngineProcess.__new__(EngineProcess)
    engine._log = tmp_path / "engine.log"
    engine._process = SimpleNamespace(join=lambda timeout: None, exitcode=None)
    assert "the engine's process does not answer and does not end" in str(engine._death())


def _slow_to_start() -> _Refuser:
    time.sleep(2)
    return _Refuser()


@pytest.mark.alone
def test_ctrl_c_does_not_reach_an_engine_that_is_starting(tmp_path: Path) -> None:
    """The whole process group gets it, as from a terminal."""
    program = (
        f"import sys; sys.path[:0] = {[str(ROOT), str(Path(__file__).parent)]}\n"
        "import os, signal, threading, torch; from pathlib import Path\n"
        "from test_engine import EngineProcess, _slow_to_start\n"
        "if __name__ == '__main__':\n"
        "    asked = []\n"
        "    signal.signal(signal.SIGINT, lambda *_: asked.append(1))\n"
        "    for delay in (0.05, 0.5, 1.5, 3, 5): threading.Timer(delay, os.killpg, (0, signal.SIGINT)).start()\n"
        f"    engine = EngineProcess(_slow_to_start, dtype=torch.float32, log=Path({str(tmp_path / 'engine.log')!r}))\n"
        "    engine.close(); print('started', len(asked))\n"
    )
    (tmp_path / "starts.py").write_text(program)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "starts.py")], capture_output=True, text=True, start_new_session=True
    )
    assert done.returncode == 0, done.stderr
    assert re.match(r"started [2-5]", done.stdout)


def _ends_at_once() -> Engine:
    print("the library's last words")
    os._exit(3)


@pytest.mark.parametrize(
    ("make", "said"),
    [(_refuses_to_start, "there is no such model"), (_ends_at_once, r"ended with code 3.*\n.*last words|code 3")],
)
def test_an_engine_that_cannot_start_is_reported(make: Callable[[], Engine], said: str, tmp_path: Path) -> None:
    with pytest.raises(EngineDied, match=said):
        EngineProcess(make, dtype=torch.float32, log=tmp_path / "engine.log")


def test_vllm_is_told_what_a_gpu_needs() -> None:
    assert on_gpu("bfloat16", max_rows=20, can_sleep=True, runner="v1", cuda_graphs=True) == {
        "enforce_eager": False,
        "async_scheduling": False,
        "compilation_config": {"cudagraph_capture_sizes": [1, 2, 4, 8, 16, 20]},
        "gpu_memory_utilization": 0.05,
        "enable_sleep_mode": True,
        "max_num_batched_tokens": 8192,
        "hf_overrides": {"head_dtype": "float32"},
    }
    half = on_gpu("float16", max_rows=20, can_sleep=True, runner="v1", cuda_graphs=True)
    assert half["hf_overrides"] == {"head_dtype": "float32"}
    wide = on_gpu("float32", max_rows=10_000, can_sleep=False, runner="v2", cuda_graphs=False)
    assert wide["enforce_eager"] and wide["async_scheduling"] and "compilation_config" not in wide
    assert wide["max_num_batched_tokens"] == 10_000 and "hf_overrides" not in wide, "its rows fit into one pass"


def test_memory_that_cannot_be_shared_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setenv("PYTORCH_CUDA_ALLOC_CONF", "garbage_collection_threshold:0.8,expandable_segments:True")
    with pytest.raises(BadInput, match="unset PYTORCH_CUDA_ALLOC_CONF, or use sampling.own_process=false"):
        EngineProcess(_refuses_to_start, dtype=torch.float32, log=tmp_path / "engine.log")


@WITHOUT_VLLM
@pytest.mark.alone
def test_close_gives_the_memory_back(wide: Policy, tmp_path: Path) -> None:
    """600 MB of cache come and go."""

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    make = vllm_maker(wide, tmp_path)
    make().close()  # what libraries keep for good
    before = resident()
    engine = VLLMEngine(**{**make.keywords, "kv_cache_bytes": 600_000_000, "model": make.args[0]})
    engine.load_weights(wide.weights())
    ask(engine, prompts=LONG)
    assert resident() > before + 300_000_000
    engine.close()
    assert resident() < before + 100_000_000


@WITHOUT_VLLM
@pytest.mark.alone
@pytest.mark.parametrize("tied", [True, False])
def test_vllm_is_asked_whether_it_holds_what_it_was_given(engines: Engines, make_wide: MakePolicy, tied: bool) -> None:
    policy = make_wide(tied=tied)
    engine = engines.of("vllm", policy)
    given = GivenWeights(policy.weights(), torch.float32)
    assert set(dict(given)) == set(given.sums) and "lm_head.weight" not in given.sums or not tied
    assert engine._engine.apply_model(given.compare) == [[]]
    other = make_wide(seed=1, tied=tied)
    with torch.no_grad():
        other.model.model.layers[0].self_attn.k_proj.bias[3] = 1.0
    engine.load_weights(other.weights())
    wrong = engine._engine.apply_model(given.compare)[0]
    assert "model.embed_tokens.weight" in wrong and ("lm_head.weight" in wrong) != tied
    assert "model.layers.0.self_attn.qkv_proj.bias" in wrong, "three weights of the checkpoint, fused"


@WITHOUT_VLLM
@pytest.mark.alone
def test_vllm_that_takes_another_weight_than_it_was_given_is_noticed(
    engines: Engines, make_wide: MakePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = make_wide()
    engine = engines.of("vllm", policy)

    def spoiled(model: Any) -> None:
        model.model.norm.weight.data[3] += 2**-20

    monkeypatch.setattr("grpo.engines.vllm.renew_head", spoiled)
    with pytest.raises(EngineDied, match=r"other weights than it was given: 1 differ .model\.norm\.weight"):
        engine.load_weights(policy.weights())
