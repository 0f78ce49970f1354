"""The engine of a `vllm serve` speaks its language, notices every way in which a server fails, and says what to do."""

from __future__ import annotations

import resource
from typing import Any

import pytest
import torch

from fake_vllm_server import FakeServer
from grpo.engines import EngineDied, SamplingParams
from grpo.engines.served.engine import prompt_seed
from grpo.engines.served.weights import SharedFolder
from grpo.engines.several import Several
from served_engines import PARAMS, PROMPTS, ask, connect, ready, weights


def test_a_group_is_one_request_with_a_seed_of_its_own_and_nothing_left_to_defaults(
    server: FakeServer, folder: SharedFolder
) -> None:
    completions = ask(ready(server, folder))
    assert [(made.prompt, made.sample) for made in completions] == [(p, k) for p in range(3) for k in range(2)]
    seeds = [prompt_seed(5, number) for number in range(3)]
    for made in completions:
        assert made.token_ids == (seeds[made.prompt] % 1000, made.sample, PROMPTS[made.prompt][0])
        assert made.logprobs == (-0.5, -0.5, -0.5) and made.terminated == bool(made.sample)
    assert len(server.requests) == 3 and all(request["stream"] for request in server.requests)
    assert server.requests[0]["sampling_params"] == {
        "n": 2,
        "temperature": 0.7,
        "top_p": 1.0,
        "max_tokens": 3,
        "seed": prompt_seed(5, PROMPTS.index(tuple(server.requests[0]["token_ids"]))),
        "stop_token_ids": [3, 7],
        "ignore_eos": True,
        "logprobs": 0,
        "detokenize": False,
        "stream_interval": 16,
    }


def test_the_seed_goes_by_the_number_in_the_whole_call(server: FakeServer, folder: SharedFolder) -> None:
    engine = ready(server, folder)
    part = SamplingParams(2, 3, 0.7, 5, numbers=(2,))
    assert [made.token_ids for made in engine.generate(PROMPTS[2:], part)] == [
        made.token_ids for made in ask(engine)[4:]
    ]


def test_what_is_interrupted_is_aborted_by_name_and_gives_what_there_is(
    server: FakeServer, folder: SharedFolder
) -> None:
    engine = ready(server, folder)
    server.waits, engine.on_step = True, lambda: engine.interrupt(len(server.requests) == 3)
    made = ask(engine)
    assert [(one.prompt, one.sample, one.finished) for one in made] == [
        (p, k, False) for p in range(3) for k in range(2)
    ]
    assert all(len(one.token_ids) == len(one.logprobs) == 2 and not one.terminated for one in made)
    assert server.aborted == {request["name"] for request in server.requests}
    assert ask(engine) == [] and len(server.requests) == 3, "nothing begins while it is interrupted"
    engine.interrupt(False)
    server.waits, engine.on_step = False, lambda: None
    assert len(list(engine.generate([PROMPTS[0] * 2], SamplingParams(1, 3, 0.7, 5, written=(2,))))) == 1
    assert server.requests[3]["sampling_params"]["max_tokens"] == 1


def test_there_may_be_a_connection_for_every_completion(server: FakeServer, folder: SharedFolder) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
    connect(server, folder)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)


def test_a_server_that_aborts_by_itself_or_cannot_be_asked_to_is_done_with(
    server: FakeServer, folder: SharedFolder
) -> None:
    engine = ready(server, folder)
    server.changes = {"finish_reason": "abort"}
    with pytest.raises(EngineDied, match="because of 'abort'"):
        ask(engine)
    server.changes, server.waits, server.abort_status = {}, True, 404
    engine.on_step = lambda: engine.interrupt(True)
    with pytest.raises(EngineDied, match="abort_requests.*status 404"):
        ask(engine)


def test_greedy_groups_are_one_completion_since_vllm_refuses_others(server: FakeServer, folder: SharedFolder) -> None:
    completions = ask(ready(server, folder), SamplingParams(3, 3, 0.0, 5))
    assert [request["sampling_params"]["n"] for request in server.requests] == [1, 1, 1]
    assert [(made.prompt, made.sample) for made in completions] == [(p, k) for p in range(3) for k in range(3)]
    assert len({made.token_ids for made in completions}) == 3


def test_of_several_copies_of_the_model_each_is_proved(server: FakeServer, folder: SharedFolder) -> None:
    server.copies = 2
    engine = ready(server, folder)
    found = engine.probe(PROMPTS, PARAMS)
    assert [name for name, _ in found] == ["copy 0", "copy 1"] and [len(made) for _, made in found] == [6, 6]
    assert sorted(server.ranks) == ["0"] * 3 + ["1"] * 3
    ask(engine)
    assert server.ranks[6:] == [None] * 3, "vLLM chooses"


def test_a_server_that_was_started_anew_is_noticed_by_its_first_completion(
    server: FakeServer, folder: SharedFolder
) -> None:
    engine = ready(server, folder)
    server.version = "default"
    with pytest.raises(EngineDied, match=r"from the weights \['default'\] .* it was started anew, or another run"):
        ask(engine)
    assert engine.restart() is False
    engine.load_weights(weights(1.0).items())
    assert ask(engine) and engine.restart() is True, "one that still has the weights needs none"


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"finish_reason": "abort"}, "because of 'abort'"),
        ({"logprobs": {"content": [{"logprob": -9999.0}]}}, "or one that is none"),
        ({"logprobs": None}, "3 tokens have 2 log-probs"),
        ({"index": 9}, "something else than completions"),
    ],
)
def test_what_is_no_completion_is_the_servers_death(
    server: FakeServer, folder: SharedFolder, changes: dict[str, Any], said: str
) -> None:
    engine = ready(server, folder)
    server.changes = changes
    with pytest.raises(EngineDied, match=said):
        ask(engine)


def test_errors_come_through_in_the_servers_own_words(server: FakeServer, folder: SharedFolder) -> None:
    engine = ready(server, folder)
    server.error = {"error": {"message": "the engine core is dead"}}
    with pytest.raises(EngineDied, match="the engine core is dead"):
        ask(engine)
    server.error = {"error": {"message": "the prompt is longer than the context", "code": 400}}
    with pytest.raises(ValueError, match="longer than the context"):
        ask(engine)
    server.bad_request = "the prompt is too long"
    with pytest.raises(ValueError, match=r"http://127.*status 400: .*the prompt is too long"):
        ask(engine)


def test_a_connection_that_breaks_off_is_a_death(server: FakeServer, folder: SharedFolder) -> None:
    engine = ready(server, folder)
    server.breaks_after = 5
    with pytest.raises(EngineDied):
        ask(engine)


def test_one_that_sends_no_token_is_stuck(server: FakeServer, folder: SharedFolder) -> None:
    engine = ready(server, folder, stuck_after_s=0.8)
    assert len(ask(engine)) == 6, "the first call may take six times as long"
    server.silent_after = 6 + 9
    stream = engine.generate(PROMPTS, PARAMS)
    with pytest.raises(EngineDied, match=r"no token for 0\.8 s \(sampling\.stuck_after_s\)"):
        list(stream)


def test_one_that_was_started_anew_may_compile_again(server: FakeServer, folder: SharedFolder) -> None:
    engine = ready(server, folder, stuck_after_s=0.3)
    ask(engine)
    assert engine.restart(), "the same process still has its weights, and has compiled"
    server.silent_after = 6 + 3
    with pytest.raises(EngineDied, match=r"no token for 0\.3 s"):
        ask(engine)
    server.version, server.silent_after = "default", -1
    assert not engine.restart()
    engine.load_weights(weights(1.0).items())
    server.silent_after = 0
    with pytest.raises(EngineDied, match=r"no token for 1\.8 s"):
        ask(engine)


@pytest.mark.parametrize("dead", [True, False], ids=["a dead engine", "no answer"])
def test_heartbeats_find_what_sends_nothing_and_says_nothing(
    server: FakeServer, folder: SharedFolder, monkeypatch: pytest.MonkeyPatch, dead: bool
) -> None:
    for name, value in {"BEAT_EVERY_S": 0.1, "BEAT_S": 0.2, "LOOK_EVERY_S": 0.05, "MISSED_BEATS": 2}.items():
        monkeypatch.setattr(f"grpo.engines.served.engine.{name}", value)
    engine = ready(server, folder)
    server.silent_after, server.healthy, server.answers_health = 3, not dead, dead
    with pytest.raises(EngineDied, match="its engine is dead: /health has status 503" if dead else "2 heartbeats"):
        ask(engine)


def test_one_that_is_given_up_ends_its_call(server: FakeServer, folder: SharedFolder) -> None:
    engine = ready(server, folder)
    server.silent_after = 4
    stream = engine.generate(PROMPTS, PARAMS)
    engine.abandon()
    with pytest.raises(EngineDied, match="it was given up"):
        list(stream)


def test_nobody_there(folder: SharedFolder) -> None:
    fake = FakeServer()
    fake.close()
    with pytest.raises(EngineDied, match=r"POST /collective_rpc: ConnectError"):
        connect(fake, folder)


def test_two_servers_share_a_batch_and_one_that_breaks_off_comes_back(folder: SharedFolder) -> None:
    first, second, said = FakeServer(), FakeServer(), list[str]()
    try:
        makers = {server.url: lambda server=server: connect(server, folder) for server in (first, second)}
        several = Several(makers, say=said.append)
        several.load_weights(weights(1.0).items())
        undisturbed = ask(several)
        assert len(first.requests) == 2 and len(second.requests) == 1
        second.breaks_after = 0
        assert ask(several) == undisturbed, "what the other samples has the same seeds"
        assert several.metrics()["engines/alive"] == 1 and second.url in said[0]
        second.breaks_after = -1
        several.load_weights(weights(2.0).items())
        assert several.metrics()["engines/alive"] == 2 and ask(several) == undisturbed
        assert torch.equal(second.taken["one"], weights(2.0)["one"])
    finally:
        first.close()
        second.close()
