"""The parts of the endpoint alone: turns and bounds of its queue, tokens, and records from JSON."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from sandbox import PoolClosed
from sandbox.answers.calls import Calls
from sandbox.evidence.experiment import Mutant
from sandbox.service.access import find_token, is_authorized
from sandbox.service.admission import Admission, Full
from sandbox.service.command import listen
from sandbox.service.records import as_json, read_record
from sandbox.service.service_limits import ServiceLimits


class NotedPool:
    """A pool of one worker that does nothing by itself: 32 programs are handed to it at once."""

    jobs = 1

    def __init__(self) -> None:
        self.pending: dict[str, Future[Any]] = {}
        self.order: list[str] = []
        self.cancelled: list[Future[Any]] = []

    def sending(self, name: str) -> Callable[[], Future[Any]]:
        """How a program is sent; equal ones share a future, as in a real pool."""

        def send() -> Future[Any]:
            self.order.append(name)
            return self.pending.setdefault(name, Future())

        return send

    def cancel(self, future: Future[Any], reason: str) -> None:
        self.cancelled.append(future)
        future.set_result(reason)


def in_a_loop(test: Callable[[NotedPool], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test(NotedPool()))


def sendings(pool: NotedPool, client: str, count: int) -> list[Callable[[], Future[Any]]]:
    return [pool.sending(f"{client}{number}") for number in range(count)]


def test_a_name_with_several_addresses_is_listened_on_at_one(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = listen("127.0.0.1", 0)
    port = taken.getsockname()[1]

    def named(*addresses: tuple[socket.AddressFamily, str]) -> None:
        found = [(family, socket.SOCK_STREAM, 6, "", (host, port)) for family, host in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    with taken, pytest.raises(OSError, match="[Aa]ddress already in use"):
        listen("127.0.0.1", port)
    named((socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1"))
    with listen("localhost", port) as listening:
        assert listening.getsockname() == ("127.0.0.1", port), "IPv4 before IPv6"
    named((socket.AF_INET, "192.0.2.1"), (socket.AF_INET, "127.0.0.1"))  # the first is nobody's: RFC 5737
    with listen("localhost", port) as listening:
        assert listening.getsockname() == ("127.0.0.1", port)
    named((socket.AF_INET, "192.0.2.1"))
    with pytest.raises(OSError, match="Cannot assign requested address"):
        listen("localhost", port)


def test_clients_take_turns() -> None:
    async def test(pool: NotedPool) -> None:
        admission = Admission(pool, ServiceLimits(max_waiting=200))
        admission.accept("a", sendings(pool, "a", 40))
        admission.accept("b", sendings(pool, "b", 3))
        admission.accept("c", sendings(pool, "c", 1))
        assert pool.order == [f"a{number}" for number in range(32)]
        assert (admission.unanswered, admission.waiting) == (44, 12)
        for number in range(8):
            pool.pending[f"a{number}"].set_result(number)
        await asyncio.sleep(0.01)
        assert pool.order[32:] == ["a32", "b0", "c0", "a33", "b1", "a34", "b2", "a35"]
        assert (admission.unanswered, admission.waiting, admission.answered) == (36, 4, 8)

    in_a_loop(test)


def test_a_task_that_cannot_be_sent_is_its_own_clients_and_no_others_wait() -> None:
    def broken() -> Future[Any]:
        raise TypeError("not this one")

    async def test(pool: NotedPool) -> None:
        admission = Admission(pool, ServiceLimits(max_waiting=100))
        [lost] = admission.accept("a", [broken])
        [kept, late] = admission.accept("b", [pool.sending("b0"), pool.sending("b1")])
        pool.pending["b0"].set_result("verdict")
        pool.pending["b1"].set_exception(OSError("the pool's own"))
        await asyncio.sleep(0.01)
        assert isinstance(lost.result.exception(), TypeError) and kept.result.result() == "verdict"
        assert isinstance(late.result.exception(), OSError) and admission.unanswered == 0

    in_a_loop(test)


def test_the_queue_is_bounded_for_all_and_for_one() -> None:
    async def test(pool: NotedPool) -> None:
        admission = Admission(pool, ServiceLimits(max_waiting=100))
        admission.accept("a", sendings(pool, "a", 50))
        with pytest.raises(Full, match="50 programs of this client wait; 50 may, and this request has 1 more"):
            admission.accept("a", sendings(pool, "a", 1))
        admission.accept("b", sendings(pool, "b", 49))
        with pytest.raises(Full, match="99 programs wait; 100 may, and this request has 2 more") as full:
            admission.accept("c", sendings(pool, "c", 2))
        assert 1 <= full.value.retry_s <= 30
        admission.accept("c", sendings(pool, "c", 1))

    in_a_loop(test)


def test_a_program_is_cancelled_when_the_last_who_waits_has_gone() -> None:
    async def test(pool: NotedPool) -> None:
        admission = Admission(pool, ServiceLimits())
        first, second = (admission.accept(client, [pool.sending("same")])[0] for client in "ab")
        other = admission.accept("a", [pool.sending("other")])[0]
        admission.release(first)
        admission.release(first)
        assert pool.cancelled == [] and admission.unanswered == 2
        admission.release(second)
        assert pool.cancelled == [pool.pending["same"]] and admission.unanswered == 1
        pool.pending["other"].set_result("done")
        assert await other.result == "done"
        assert admission.unanswered == 0 and admission._waiters == {} == admission._held

    in_a_loop(test)


def test_a_program_that_is_done_while_its_client_goes_is_not_cancelled() -> None:
    async def test(pool: NotedPool) -> None:
        admission = Admission(pool, ServiceLimits())
        first, second = (admission.accept(client, [pool.sending("same")])[0] for client in "ab")
        pool.pending["same"].set_result("done")
        admission.release(first)
        assert await second.result == "done" and pool.cancelled == []
        assert admission.unanswered == 0 and admission._waiters == {}

    in_a_loop(test)


def test_what_waits_for_its_turn_is_given_up_without_the_pool() -> None:
    async def test(pool: NotedPool) -> None:
        admission = Admission(pool, ServiceLimits())
        tickets = admission.accept("a", sendings(pool, "a", 34))
        for ticket in tickets[32:]:
            admission.release(ticket)
        assert (admission.unanswered, admission.waiting, pool.cancelled) == (32, 0, [])
        for future in pool.pending.values():
            future.set_result(None)
        await asyncio.sleep(0.01)
        assert len(pool.order) == 32 and admission.unanswered == 0

    in_a_loop(test)


def test_a_pool_that_closes_leaves_nobody_waiting() -> None:
    def closed() -> Future[Any]:
        raise PoolClosed

    async def test(pool: NotedPool) -> None:
        admission = Admission(pool, ServiceLimits())
        (waits,) = admission.accept("a", [pool.sending("a")])
        pool.pending["a"].cancel()
        (late,) = admission.accept("b", [closed])
        await asyncio.wait([waits.result], timeout=5)
        assert waits.result.cancelled() and late.result.cancelled() and admission.unanswered == 0

    in_a_loop(test)


def test_a_token_is_taken_from_a_file_or_the_environment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "token"
    file.write_text("the-token-of-the-file\n")
    file.chmod(0o644)
    environment = {"SANDBOX_TOKEN": "the-token-of-the-environment"}
    assert find_token(str(file), environment) == "the-token-of-the-file" and environment == {}
    said = capsys.readouterr().err
    assert "chmod 600" in said and "the-token" not in said
    assert find_token(None, {}) is None
    file.write_text("two words of a token")
    with pytest.raises(ValueError, match="holds 20 characters that are no token") as refused:
        find_token(str(file), {})
    assert "two words" not in str(refused.value)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic the-only-token", "the-only-token", "Bearer THE-ONLY-TOKEN"]
)
def test_only_the_token_itself_is_one(header: str) -> None:
    assert not is_authorized(header, "the-only-token")
    assert is_authorized("bearer the-only-token", "the-only-token")


def test_records_keep_every_type() -> None:
    calls = Calls("\udcff", (), types=())
    assert as_json(calls) == b'{"source":"\\udcff","calls":[],"uses":["use super::*;"],"types":[]}'
    assert read_record(Mutant, [-1, "return"], "m") == Mutant(-1, "return", False)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (Mutant, [1], "m is a list of 1; it must be a list: function, kind, fragile"),
        (Mutant, [True, "return"], "m.function is true or false; it must be a whole number"),
        (Mutant, [1.0, "return"], "m.function is a number with a point; it must be a whole number"),
        (Mutant, [1, None], "m.kind is null; it must be a string"),
        (tuple[int, str], [1], "m is a list of 1; it must be a list of 2"),
        (Calls, [], "m is a list of 0; it must be an object"),
        (Calls, {"source": ""}, "m has no 'calls'; its fields are source, calls, uses, types"),
        (Mapping[int, tuple[int, ...]], {"a": []}, "m is an object of 1; it must be an object with numbers as keys"),
    ],
)
def test_another_type_is_refused_with_its_place(kind: Any, value: Any, words: str) -> None:
    with pytest.raises(ValueError) as refused:
        read_record(kind, value, "m")
    assert str(refused.value) == words
