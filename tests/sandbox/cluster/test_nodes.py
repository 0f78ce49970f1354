"""Which nodes grade, by a Ray that is written by hand: they are compared, watched and left to rest."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest

from ray_nodes import FIRST
from sandbox.cluster.facts import NodeFacts
from sandbox.cluster.messages import NODE_S, NodeSettings
from sandbox.cluster.resting import Resting
from sandbox.limits import Limits
from sandbox.workers.hanging import LONGEST_STEP_S

pytest.importorskip("ray", reason="ray is not installed: it is in the extra `ray`")
from sandbox.cluster import nodes as nodes_module  # noqa: E402
from sandbox.cluster.nodes import SILENT_S, Nodes  # noqa: E402

A, B = "a" * 56, "b" * 56


class Method:
    """A method of an actor; `future` of what it returns has the answer, if there is one."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.calls = answer, 0
        self.asked: list[Future[Any]] = []

    def remote(self, *_: Any) -> Method:
        self.calls += 1
        return self

    def future(self) -> Future[Any]:
        done: Future[Any] = Future()
        self.asked.append(done)
        if self.answer is not None:
            done.set_result(self.answer)
        return done


class HandActor:
    """A pool on a node: it starts as `facts` say, None for not yet, and answers as long as it `lives`."""

    def __init__(self, facts: NodeFacts | str | None, *, lives: bool) -> None:
        self.start, self.close, self.busy_s = Method(facts), Method(0), Method(1.0 if lives else None)


class HandRay:
    """Stands for the package: makes the actors that a test names, by node."""

    def __init__(self) -> None:
        self.facts: dict[str, NodeFacts | str | None] = {A: FIRST, B: replace(FIRST, name="two")}
        self.silent: set[str] = set()
        self.actors: dict[str, HandActor] = {}
        self.killed: list[HandActor] = []

    def remote(self, _: type) -> HandRay:
        return self

    def options(self, *, scheduling_strategy: Any, **_: Any) -> Any:
        id = scheduling_strategy.node_id

        class Made:
            @staticmethod
            def remote() -> HandActor:
                self.actors[id] = HandActor(self.facts[id], lives=id not in self.silent)
                return self.actors[id]

        return Made

    def kill(self, actor: HandActor) -> None:
        self.killed.append(actor)


class Watched:
    """Nodes with what they say, a clock that a test moves, and the thread that calls them."""

    def __init__(self, ray: HandRay) -> None:
        self.now, self.ray = 1000.0, ray
        self.said: list[str] = []
        self.events: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.nodes: Nodes

    def time(self) -> float:
        return self.now

    def make(self) -> Nodes:
        asked = NodeSettings(1, Limits(), "batch", "auto", 0)
        calls: dict[str, Any] = {"join": lambda *_: None, "leave": lambda *_, **__: None, "say": self.said.append}
        self.nodes = Nodes(asked, "c0de", None, post=self.events.put, **calls)
        return self.nodes

    def look(self, *ids: str) -> list[str]:
        """One look at a cluster of these nodes. Returns: The names of those that grade afterwards."""
        rows = [{"NodeID": id, "Alive": True, "Resources": {"CPU": 1.0}, "NodeName": id[0]} for id in ids]
        self.nodes.look(rows, tasks=1, waiting=0)
        while not self.events.empty():
            self.events.get()()
        return [node.name[0] for node in self.nodes.grading]


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    ray = HandRay()
    watched = Watched(ray)
    monkeypatch.setattr(nodes_module, "ray", ray)
    monkeypatch.setattr(nodes_module, "request_resources", lambda **_: None)
    monkeypatch.setattr(nodes_module, "Resting", lambda: Resting(watched.time))
    monkeypatch.setattr("time.monotonic", watched.time)
    yield watched


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (replace(FIRST, code="0ld"), "it has another version of this project than the run"),
        (replace(FIRST, limits=Limits(run_cpu_s=1)), "its programs get run_cpu_s = 1 of 10"),
    ],
)
def test_a_first_node_that_is_not_what_the_run_asks_for_is_left_out_and_decides_nothing(
    wrong: NodeFacts, said: str, watched: Watched
) -> None:
    watched.make()
    watched.ray.facts[A] = wrong
    assert watched.look(A) == [] and watched.nodes.first is None
    assert f"the node a (aaaaaaaa) is left out: {said}" in watched.nodes.hopeless
    assert watched.look(A, B) == ["b"] and watched.nodes.first == watched.ray.facts[B]


def test_a_node_that_isolates_as_no_other_does_is_left_out(watched: Watched) -> None:
    watched.make()
    watched.ray.facts[B] = replace(FIRST, isolation=replace(FIRST.isolation, kind="none"))
    assert watched.look(A, B) == ["a"] and "b (bbbbbbbb) is left out: it isolates by" in watched.said[0]


def test_a_node_that_graded_for_long_is_tried_again_at_once_however_often_it_was_lost(watched: Watched) -> None:
    """Lost every hour of a long run, it rests for a second each time; lost at once, for ever longer."""
    watched.make()
    for _ in range(12):
        assert watched.look(A) == ["a"]
        watched.now += 3600.0
        assert watched.look() == []
        watched.now += 1.0
    assert watched.look(A) == ["a"]
    for rest in (2.0, 4.0, 8.0):
        assert watched.look() == [] and watched.look(A) == []
        watched.now += rest
        assert watched.look(A) == ["a"]


def test_a_node_is_given_up_for_its_own_silence_and_not_for_that_of_who_looks(watched: Watched) -> None:
    watched.make()
    watched.ray.silent.add(B)
    assert watched.look(A, B) == ["a", "b"]
    watched.now += 3600.0  # stopped, as by Ctrl-Z
    assert watched.look(A, B) == ["a", "b"]
    looks = 0
    while watched.look(A, B) != ["a"]:
        watched.now += 1.0
        looks += 1
    assert SILENT_S - LONGEST_STEP_S <= looks <= SILENT_S + 1
    assert "b (bbbbbbbb) is lost (it has not answered for" in watched.said[0] and watched.ray.actors[A].busy_s.calls > 1


def test_a_node_whose_cpus_others_hold_is_named_once_with_what_to_do(watched: Watched) -> None:
    """Ray lets its actor wait without a word; the seconds in which this process stood still are not its own."""
    watched.make()
    watched.ray.facts[B] = None
    assert watched.look(A, B) == ["a"]
    watched.now += 3600.0  # stopped, as by Ctrl-Z
    assert watched.look(A, B) == ["a"] and watched.said == []
    for looks in range(int(NODE_S) + 60):
        watched.now += 1.0
        assert watched.look(A, B) == ["a"]
        if not watched.said:
            quiet = looks + 1
    assert NODE_S - LONGEST_STEP_S - 1 <= quiet <= NODE_S
    (said,) = watched.said
    assert said.startswith("the node b (bbbbbbbb) has not begun to grade within 300 s") and "sandbox.jobs" in said
    (start,) = watched.ray.actors[B].start.asked
    start.set_result(FIRST)  # they are free
    assert watched.look(A, B) == ["a", "b"] and watched.look(A, B) == ["a", "b"], "the wait was no silence of its own"
