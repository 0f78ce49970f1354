"""Tasks go to the node with the least work, a lost node's go elsewhere, and what kills nodes in turn is given up."""

from __future__ import annotations

import random

import pytest

from sandbox.cluster.dispatcher import ATTEMPTS, LATE, PER_JOB, Dispatcher


def filled(*jobs: int, tasks: int = 0) -> Dispatcher:
    """Nodes a, b, ... with so many workers each, and tasks that wait: 0, 1, ..."""
    dispatcher = Dispatcher()
    for name, number in zip("abcdefgh", jobs, strict=False):
        dispatcher.join(name, number)
    for number in range(tasks):
        dispatcher.add(number)
    return dispatcher


def test_tasks_are_shared_by_the_number_of_workers() -> None:
    assert list(filled(1, 2, tasks=6).assign()) == [("a", 0), ("b", 1), ("b", 2), ("a", 3), ("b", 4), ("b", 5)]


def test_a_node_gets_no_more_than_its_bound_and_one_that_is_done_gets_the_next() -> None:
    dispatcher = filled(1, tasks=PER_JOB + 2)
    assert len(list(dispatcher.assign())) == PER_JOB and dispatcher.waiting == 2
    assert [dispatcher.has("a", number) for number in range(PER_JOB + 2)] == [True] * PER_JOB + [False] * 2
    assert list(dispatcher.assign()) == []
    dispatcher.done("a", 5)
    assert list(dispatcher.assign()) == [("a", PER_JOB)]


def test_a_node_that_joins_takes_what_waits() -> None:
    dispatcher = filled(tasks=3)
    assert list(dispatcher.assign()) == [] and dispatcher.waiting == 3
    dispatcher.join("a", 1)
    assert [number for _, number in dispatcher.assign()] == [0, 1, 2]


def test_the_tasks_of_a_lost_node_come_first_and_in_their_order() -> None:
    dispatcher = filled(1, tasks=PER_JOB + 1)
    list(dispatcher.assign())
    assert dispatcher.leave("a") == []
    assert not dispatcher.has("a", 0), "what it answers now is nobody's"
    dispatcher.join("b", 2)
    assert [number for _, number in dispatcher.assign()] == list(range(PER_JOB + 1))


def test_what_kills_nodes_in_turn_is_given_up_and_takes_no_other_task_with_it() -> None:
    dispatcher, killer = filled(tasks=8), 3
    given_up: list[int] = []
    done: set[int] = set()
    for life in range(20):
        dispatcher.join(f"node{life}", 1)
        running = [number for _, number in dispatcher.assign()]
        for number in running:
            if number == killer:
                given_up += dispatcher.leave(f"node{life}")
                break
            if life >= ATTEMPTS - 1:  # before that everything dies together, at once
                dispatcher.done(f"node{life}", number)
                done.add(number)
        else:
            given_up += dispatcher.leave(f"node{life}", died=life < ATTEMPTS - 1)
    assert given_up == [killer] and done == set(range(8)) - {killer}


def test_a_node_that_is_closed_costs_its_tasks_no_attempt() -> None:
    dispatcher = filled(tasks=1)
    for life in range(2 * ATTEMPTS):
        dispatcher.join(f"node{life}", 1)
        assert list(dispatcher.assign()) == [(f"node{life}", 0)]
        assert dispatcher.leave(f"node{life}", died=False) == []


def test_a_hosts_failure_is_tried_on_each_other_node_once() -> None:
    dispatcher = filled(1, 1, tasks=1)
    [(first, _)] = dispatcher.assign()
    assert dispatcher.failed(first, 0)
    [(second, _)] = dispatcher.assign()
    assert {first, second} == {"a", "b"}
    assert not dispatcher.failed(second, 0), "nobody is left to try"


def test_at_most_three_hosts_try_a_task() -> None:
    dispatcher = filled(1, 1, 1, 1, 1, tasks=1)
    tried = []
    while assigned := list(dispatcher.assign()):
        tried.append(assigned[0][0])
        dispatcher.failed(tried[-1], 0)
    assert len(set(tried)) == len(tried) == ATTEMPTS


def test_where_all_who_did_not_fail_are_gone_one_that_did_tries_again() -> None:
    dispatcher = filled(1, 1, tasks=1)
    [(first, _)] = dispatcher.assign()
    dispatcher.failed(first, 0)
    dispatcher.leave("b" if first == "a" else "a")
    assert list(dispatcher.assign()) == [(first, 0)]


def test_cancelling_says_who_has_a_task() -> None:
    dispatcher = filled(1, tasks=PER_JOB + 1)
    list(dispatcher.assign())
    assert dispatcher.cancel(0) == ["a"]
    assert dispatcher.cancel(PER_JOB) == [] and dispatcher.waiting == 0


def late(*jobs: int, tasks: int) -> Dispatcher:
    """A node a that has had tasks for long, and others that have just come."""
    dispatcher = filled(jobs[0], tasks=tasks)
    list(dispatcher.assign())
    for _ in range(LATE):
        assert list(dispatcher.assign()) == []
        dispatcher.tick()
    for name, number in zip("bcdefgh", jobs[1:], strict=False):
        dispatcher.join(name, number)
    return dispatcher


def test_idle_nodes_run_what_another_one_has_had_for_long_and_the_first_result_counts() -> None:
    dispatcher = late(1, 1, 1, tasks=4)
    assert list(dispatcher.assign()) == [("b", 0), ("c", 1), ("b", 2), ("c", 3)]
    assert [dispatcher.holders(number) for number in range(4)] == [["a", "b"], ["a", "c"], ["a", "b"], ["a", "c"]]
    assert list(dispatcher.assign()) == [], "each of them once"
    assert dispatcher.done("b", 0) == ["a"] and not dispatcher.has("a", 0)
    assert dispatcher.done("a", 1) == ["c"] and dispatcher.cancel(2) == ["a", "b"]
    assert dispatcher.leave("a") == [] and dispatcher.waiting == 0, "what b and c have is not begun a third time"
    assert dispatcher.failed("b", 2) and [number for _, number in dispatcher.assign()] == [2]


def test_nodes_with_something_to_do_take_no_late_tasks_and_a_new_one_no_more_than_a_batch() -> None:
    dispatcher = late(1, 1, tasks=PER_JOB)
    dispatcher.add(PER_JOB)
    assert list(dispatcher.assign()) == [("b", PER_JOB)]
    assert dispatcher.done("b", PER_JOB) == []
    assert [number for _, number in dispatcher.assign()] == list(range(PER_JOB // 2))


def test_a_task_under_which_a_node_died_is_run_by_one_node_at_a_time() -> None:
    dispatcher = late(1, tasks=1)
    dispatcher.leave("a")
    dispatcher.join("b", 1)
    assert list(dispatcher.assign()) == [("b", 0)]
    for _ in range(LATE):
        dispatcher.tick()
    dispatcher.join("c", 1)
    assert list(dispatcher.assign()) == []


@pytest.mark.parametrize("seed", range(20))
def test_each_task_ends_once_whatever_happens_to_nodes(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.cluster.dispatcher.LATE", 1)
    draw = random.Random(seed)
    dispatcher, nodes, ended, names = Dispatcher(), {"first"}, [], iter(range(10_000))
    dispatcher.join("first", 1)
    for number in range(300):
        dispatcher.add(number)
    held: set[tuple[str, int]] = set()
    while len(ended) < 300:
        held |= set(dispatcher.assign())
        assert all(sum(node == name for node, _ in held) <= 2 * PER_JOB for name in nodes)
        match draw.choice(("done", "done", "done", "failed", "leave", "join", "tick")):
            case "join" if len(nodes) < 4:
                nodes.add(name := f"node{next(names)}")
                dispatcher.join(name, draw.choice((1, 2)))
            case "leave" if len(nodes) > 1:
                nodes.discard(name := draw.choice(sorted(nodes)))
                ended += dispatcher.leave(name, died=draw.random() < 0.5)
                held = {pair for pair in held if pair[0] != name}
            case "done" | "failed" as what if held:
                for pair in draw.sample(sorted(held), min(len(held), 5)):
                    if not dispatcher.has(*pair):
                        continue  # another one was first
                    held.discard(pair)
                    if what == "done":
                        held -= {(other, pair[1]) for other in dispatcher.done(*pair)}
                        ended.append(pair[1])
                    elif not dispatcher.failed(*pair):
                        ended.append(pair[1])
            case "tick":
                dispatcher.tick()
    assert sorted(ended) == list(range(300)) and dispatcher.waiting == 0
    assert not any(dispatcher.holders(number) for number in range(300))
