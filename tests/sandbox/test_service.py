"""`python -m sandbox serve`: a real server, real programs, and clients of every bad kind. None hangs or ends it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from programs import GOOD, in_test
from sandbox import PHASES, Verdict
from serving import TOKEN, Served, answers, everything, last, request, serving

FLAGS = {
    **{"--jobs": 2, "--max-connections": 12, "--max-waiting": 16, "--max-programs": 6, "--max-program-kb": 300},
    **{"--max-body-kb": 400, "--max-header-kb": 4, "--header-s": 1, "--body-s": 1, "--answer-s": 1, "--idle-s": 3},
}
CHUNKED = request("/verdicts", None, "Transfer-Encoding: chunked", "Connection: close", method="POST")
DEEP = b'{"programs":' + b"[" * 100_000


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(*(str(part) for flag in FLAGS.items() for part in flag)) as server:
        yield server
        assert TOKEN not in server.stderr() + "".join(server.said), "the token is never logged"
        assert "Traceback" not in server.stderr(), server.stderr()


def sleeping(seconds: float, name: str = "x") -> str:
    """A program that passes after a while."""
    return in_test(f"std::thread::sleep(std::time::Duration::from_millis({int(1000 * seconds)})); // {name}")


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def posted(asked: object, *headers: str) -> bytes:
    return request("/verdicts", json.dumps(asked).encode(), "Connection: close", *headers)


# What is right


def test_one_program_gets_its_verdict_and_nothing_else(served: Served) -> None:
    status, record = served.ask("/verdicts", {"source": GOOD})
    verdict = Verdict.from_json(record)
    assert status == 200 and json.loads(json.dumps(verdict.to_json())) == record
    assert (verdict.outcome, verdict.passed, verdict.genuine) == ("passed", 2, True)


def test_several_programs_share_options_and_have_their_own(served: Served) -> None:
    programs = ["fn", {"source": GOOD, "phases": ["build", "test"]}, {"source": GOOD, "backend": "cargo"}]
    status, found = served.ask("/verdicts", {"programs": programs, "phases": ["build"]})
    assert status == 200 and list(found) == ["verdicts"]
    facts = [tuple(record[phase] for phase in PHASES) for record in found["verdicts"]]
    assert facts == [(False, None, None), (True, None, True), (True, None, None)]


def test_health_says_what_the_server_is(served: Served) -> None:
    status, found = served.ask("/health")
    assert status == 200 and found["status"] == "serving" and found["toolchain"].startswith("rustc ")
    assert (found["backend"], found["jobs"], found["workers"]) == ("batch", 2, 2)
    assert found["isolation"] and found["queue"]["max"] == 16 and found["limits"]["run_cpu_s"] == 10
    assert found["service_limits"]["max_programs"] == 6


def test_pipelined_requests_are_answered_in_their_order(served: Served) -> None:
    asked = [request("/verdicts", json.dumps({"source": source}).encode()) for source in (sleeping(0.7), "fn")]
    found = answers(served.raw(asked[0] + asked[1] + request("/health", None, "Connection: close")))
    assert [status for status, _ in found] == [200, 200, 200]
    assert [record.get("outcome", "health") for _, record in found] == ["passed", "build_error", "health"]


def test_a_body_in_chunks_is_one_body(served: Served) -> None:
    body = json.dumps({"source": "fn chunked() {}"}).encode()
    pieces = b"".join(b"%x;note=1\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:8], body[8:]))
    status, record = last(served.raw(CHUNKED + pieces + b"0\r\nTrailer: yes\r\n\r\n"))
    assert (status, record["outcome"]) == (200, "no_tests")


def test_a_client_that_waits_for_100_continue_gets_it(served: Served) -> None:
    body = b'{"source": "fn chunked() {}"}'
    with served.open() as connection:
        connection.sendall(request("/verdicts", body, "Expect: 100-continue", "Connection: close")[: -len(body)])
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert last(everything(connection))[0] == 200


def test_http_1_0_gets_an_answer_and_the_end(served: Served) -> None:
    read = served.raw(request("/health").replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"Host: test\r\n", b""))
    assert read.startswith(b"HTTP/1.1 200 OK") and b"Connection: close" in read


# Clients that end early


def test_a_client_that_sends_no_more_still_gets_its_answer(served: Served) -> None:
    read = served.raw(posted({"source": sleeping(1.5, "half closed")}), ends=True)
    assert b"100 Continue" in read and last(read)[1]["outcome"] == "passed"


def test_programs_of_a_client_that_has_gone_are_stopped(served: Served) -> None:
    sources = [sleeping(4.5, f"gone {number}") for number in range(6)]
    with served.open() as connection:
        connection.sendall(posted({"programs": sources}))
        eventually(lambda: served.queue()["unanswered"] == 6)
    started = time.monotonic()
    eventually(lambda: served.queue()["unanswered"] == 0)
    assert time.monotonic() - started < 4.0
    assert served.ask("/verdicts", {"source": GOOD})[0] == 200


def test_one_of_two_who_wait_for_a_program_may_go(served: Served) -> None:
    asked = posted({"source": sleeping(2.5, "shared")})
    with served.open() as stays, served.open() as goes:
        for connection in (stays, goes):
            connection.sendall(asked)
        eventually(lambda: served.queue()["unanswered"] == 2)
        goes.close()
        eventually(lambda: served.queue()["unanswered"] == 1)
        assert last(everything(stays))[1]["outcome"] == "passed"


# Limits


def test_a_full_queue_is_told_with_the_time_to_come_back(served: Served) -> None:
    held = []
    try:
        for number in range(2):
            held.append(served.open())
            held[-1].sendall(posted({"programs": [sleeping(4, f"full {number}.{one}") for one in range(6)]}))
        eventually(lambda: served.queue()["unanswered"] == 12)
        read = served.raw(posted({"programs": ["fn a() {}"] * 6}))
        status, found = last(read)
        assert status == 429 and found["error"] == "12 programs wait; 16 may, and this request has 6 more"
        assert 1 <= int(read.split(b"Retry-After: ")[1].split(b"\r\n")[0]) <= 30
        with served.open() as greedy:
            greedy.sendall(posted({"programs": ["fn a() {}"] * 3}, "Sandbox-Client: me"))
            assert last(served.raw(posted({"programs": ["fn b() {}"] * 6}, "Sandbox-Client: me")))[0] == 429
            held.append(greedy)
    finally:
        for connection in held:
            connection.close()
    eventually(lambda: served.queue()["unanswered"] == 0)


def test_more_connections_than_allowed_are_told_so(served: Served) -> None:
    eventually(lambda: served.ask("/health")[1]["connections"] == 1)
    held = [served.open() for _ in range(13)]
    status, found = last(everything(held[12]))
    assert status == 503 and found["error"] == "12 connections are open, as many as are allowed"
    for connection in held:
        connection.close()
    eventually(lambda: served.raw(request("/health", None, "Connection: close")).startswith(b"HTTP/1.1 200"))


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, "is no request"),  # TLS
        (b"GET /health\r\n\r\n", 400, "is no request"),
        (b"GET http://x/health HTTP/1.1\r\n\r\n", 400, "is no request"),
        (b"GET /health HTTP/2.0\r\n\r\n", 505, "use HTTP/1.1"),
        (request("/health").replace(b"Host: test\r\n", b""), 400, "host is missing"),
        (request("/health", None, "A" * 5000 + ": b"), 431, "4 KiB"),
        (request("/health", None, *["A: b"] * 1000), 431, "4 KiB"),
        (request("/health", None, " folded: yes"), 400, "is no header"),
        (request("/health", None, "Name : value"), 400, "is no header"),
        (request("/health", None, "A: b\nC: d"), 400, "is no header"),
        (request("/health", None, "A: b\0"), 400, "is no header"),
        (request("/health", None, "A: \xff"), 400, "is no header"),
        (request("/health", None, "Authorization: Bearer second-token-here"), 400, "authorization is there twice"),
        (request("/verdicts", b"{}", "Content-Length: 3"), 400, "content-length is there twice"),
        (request("/verdicts", b"{}", "Transfer-Encoding: chunked"), 400, "either a content-length or"),
        (request("/verdicts", None, "Transfer-Encoding: gzip", method="POST"), 501, "use chunked"),
        (request("/verdicts", None, "Content-Length: -1", method="POST"), 400, "whole number"),
        (request("/verdicts", None, "Content-Length: +2", method="POST"), 400, "whole number"),
        (request("/verdicts", None, "Content-Length: 9" + "9" * 30, method="POST"), 400, "whole number"),
        (request("/verdicts", None, "Content-Length: 9999999", method="POST"), 413, "9,999,999 bytes; 409,600 are"),
        (CHUNKED + b"zz\r\n", 400, "hexadecimal"),
        (CHUNKED + b"-1\r\n", 400, "hexadecimal"),
        (CHUNKED + b"1" * 9000, 400, "hexadecimal"),
        (CHUNKED + b"2\r\nabc\r\n", 400, "more than its 2 bytes"),
        (CHUNKED + b"ffffffff\r\n", 413, "409,600 are allowed"),
        (CHUNKED + b"0\r\n" + b"A: b\r\n" * 1000, 431, "what follows the chunks"),
        (request("/none"), 404, "/health, /verdicts"),
        (request("/health", b"", method="DELETE"), 405, "takes GET"),
        (request("/verdicts"), 405, "takes POST"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else str(value),
)
def test_a_request_that_is_wrong_is_told_what_is(served: Served, sent: bytes, status: int, words: str) -> None:
    started = time.monotonic()
    found, said = last(served.raw(sent))
    assert (found, words in said["error"]) == (status, True), said
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "is not JSON"),
        (b"[]", 400, "no JSON object"),
        (b'{"source": "\xff"}', 400, "not UTF-8: byte 12 is 0xff"),
        (DEEP, 400, "nested too deep"),
        (b'{"source": ' + b"1" * 10_000 + b"}", 400, "is not JSON"),
        (b'{"source": NaN}', 400, "NaN is no number"),
        (b'{"source": 1}', 400, "no string 'source'"),
        (b'{"programs": []}', 400, "or it is empty"),
        (b'{"programs": {"a": 1}}', 400, "no list 'programs'"),
        (b'{"programs": [1]}', 400, "programs[0] has no string"),
        (json.dumps({"programs": [""] * 7}).encode(), 413, "7 programs; 6 are allowed"),
        (json.dumps({"source": "x" * 307_201}).encode(), 413, "307,201 bytes of text; 307,200 are allowed"),
        (b'{"source": "", "phases": ["bild"]}', 400, "some of build, clippy, test"),
        (b'{"source": "", "phases": []}', 400, "some of build, clippy, test"),
        (b'{"source": "", "phases": [[]]}', 400, "some of build, clippy, test"),
        (b'{"source": "", "backend": "direct"}', 400, "has 'batch' and 'cargo'"),
        (b'{"source": "", "phase": ["test"]}', 400, "known are source, phases, backend"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else str(value),
)
def test_a_body_that_is_wrong_is_told_what_is_and_the_connection_goes_on(
    served: Served, body: bytes, status: int, words: str
) -> None:
    found = answers(served.raw(request("/verdicts", body) + request("/health", None, "Connection: close")))
    assert [one for one, _ in found] == [status, 200]
    assert words in found[0][1]["error"]


@pytest.mark.parametrize(
    ("path", "asked", "words"),
    [
        ("/evidence", {"experiments": [{"parts": []}]}, "experiments[0] has no 'mutants'"),
        ("/answers", {"calls": [{"source": "", "calls": [{"value": 1}]}]}, "calls[0].calls[0].value is a whole number"),
        ("/answers", {"calls": [{"source": "", "calls": []}]}, "1 to 4,096 are allowed"),
        ("/answers", {"calls": [{"source": "", "calls": [], "__class__": "os"}]}, "has '__class__'"),
        ("/crossed", {"crossings": [{"codes": [], "suites": [], "pairs": [[0, 0]]}]}, "names none"),
        ("/crossed", {"crossings": [{}], "phases": ["test"]}, "knows 'crossings' only"),
    ],
)
def test_a_record_that_is_wrong_is_told_what_is(served: Served, path: str, asked: object, words: str) -> None:
    status, found = served.ask(path, asked)
    assert (status, words in found["error"]) == (400, True), found


@pytest.mark.parametrize(
    ("token", "words"), [(TOKEN + "x", "a wrong token"), ("é", "is no header"), ("", "a wrong token")]
)
def test_a_wrong_token_is_refused_before_the_body_is_read(served: Served, token: str, words: str) -> None:
    sent = request("/verdicts", None, "Content-Length: 100", method="POST", token=token)
    status, found = last(served.raw(sent))
    assert status in (400, 401) and words in found["error"] and TOKEN not in str(found)
    missing = b"\r\n".join(line for line in sent.split(b"\r\n") if not line.startswith(b"Authorization"))
    read = served.raw(missing)
    assert last(read)[0] == 401 and "no token" in last(read)[1]["error"] and b"WWW-Authenticate: Bearer" in read


# Clients that are slow


@pytest.mark.parametrize(
    ("begun", "status"),
    [
        (b"", None),
        (b"GET /health HTTP/1.1\r\nA: ", 408),
        (request("/verdicts", None, "Content-Length: 100", method="POST"), 408),
        (CHUNKED + b"64\r\n", 408),
        (CHUNKED, 408),
    ],
)
def test_a_client_that_drips_is_ended(served: Served, begun: bytes, status: int | None) -> None:
    with served.open() as connection:
        started = time.monotonic()
        connection.sendall(begun)
        done = threading.Event()

        def drip() -> None:
            while not done.wait(0.15):
                try:
                    connection.sendall(b"1")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        if begun:
            dripping.start()
        read = everything(connection)
        done.set()
    if begun:
        dripping.join()
    assert time.monotonic() - started < 8
    assert [one for one, _ in answers(read)] == ([] if status is None else [status])


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (request("/verdicts", b"{}")[:-1], "ends after 1 of 2 bytes"),
        (CHUNKED + b"5\r\nab", "the middle of a chunk"),
        (request("/health")[:-2], "the headers end in the middle"),
    ],
)
def test_a_request_that_ends_early_is_told_so(served: Served, sent: bytes, words: str) -> None:
    status, found = last(served.raw(sent, ends=True))
    assert status == 400 and words in found["error"]


def test_a_client_that_takes_no_answers_is_ended(served: Served) -> None:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", served.port))
        connection.sendall(request("/health") * 500)
        eventually(lambda: served.ask("/health")[1]["connections"] == 2)
        eventually(lambda: served.ask("/health")[1]["connections"] == 1, 8)
        read = everything(connection)
        assert 0 < read.count(b"HTTP/1.1 200 OK") < 400


# The host


def test_a_worker_that_is_killed_costs_no_verdict(served: Served) -> None:
    found: list[tuple[int, dict]] = []
    asking = threading.Thread(target=lambda: found.append(served.ask("/verdicts", {"source": sleeping(1.5, "killed")})))
    asking.start()
    eventually(lambda: served.queue()["unanswered"] == 1)
    time.sleep(0.7)
    victims = served.workers()
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    asking.join()
    assert victims
    assert found[0][0] == 200 and found[0][1]["outcome"] == "passed"


def test_a_program_that_the_host_cannot_grade_is_a_503_and_no_verdict(served: Served) -> None:
    found: list[tuple[int, dict]] = []
    asked = {"programs": ["fn", sleeping(4.5, "kills")]}
    asking = threading.Thread(target=lambda: found.append(served.ask("/verdicts", asked)))
    asking.start()
    while asking.is_alive():
        time.sleep(0.1)
        for pid in served.workers() if served.queue()["unanswered"] == 1 else ():
            os.kill(pid, signal.SIGKILL)
    status, records = found[0]
    first, second = records["verdicts"]
    assert status == 200 and first["outcome"] == "build_error"
    assert second["status"] == 503 and "workers died" in second["error"] and "outcome" not in second
    assert served.ask("/verdicts", {"source": GOOD})[1]["outcome"] == "passed"


def test_an_experiment_that_breaks_its_worker_costs_itself_alone(served: Served) -> None:
    made_up = {
        **{
            "parts": [["fn f() {}", 7, ""]],
            "mutants": [[9, "return"]],
            "functions": [],
            "asserts": [],
            "guards": {"3": 9},
        },
        **{"named": [5], "hidden": [], "test_lines": [], "tests": [], "equality": 0, "salt": 1, "plan": {"4": [8]}},
        **{"catches": False, "portable": False},
    }
    status, found = served.ask("/evidence", {"experiments": [made_up]})
    assert status in (200, 503) and len(found["evidence"]) == 1
    assert served.ask("/verdicts", {"source": GOOD})[1]["outcome"] == "passed"


def test_workers_do_not_inherit_the_token(served: Served) -> None:
    assert served.ask("/verdicts", {"source": "fn starts_a_worker() {}"})[0] == 200
    environments = [Path(f"/proc/{pid}/environ").read_bytes() for pid in served.workers()]
    assert environments and all(TOKEN.encode() not in environment for environment in environments)


def test_a_signal_lets_what_was_accepted_be_answered() -> None:
    with serving("--jobs", "1", token=None) as server:
        assert len(server.token) == 32 and "127.0.0.1" in server.said[0]
        with server.open() as waits, server.open() as late:
            waits.sendall(request("/verdicts", json.dumps({"source": sleeping(2)}).encode(), token=server.token))
            eventually(lambda: server.queue()["unanswered"] == 1)
            server.process.send_signal(signal.SIGTERM)
            eventually(lambda: "stopping; 1 request " in server.stderr())
            late.sendall(request("/verdicts", b'{"source": "fn"}', token=server.token))
            status, said = last(everything(late))
            assert status == 503 and "stopping" in said["error"]
            assert last(everything(waits))[1]["outcome"] == "passed"
        assert server.process.wait(30) == 0
        assert server.token not in server.stderr()


def test_a_second_signal_ends_it_at_once() -> None:
    with serving("--jobs", "1") as server, server.open() as waits:
        waits.sendall(posted({"source": sleeping(4.5, "never")}))
        eventually(lambda: server.queue()["unanswered"] == 1)
        for _ in range(2):
            server.process.send_signal(signal.SIGINT)
            eventually(lambda: "stopping" in server.stderr())
        assert server.process.wait(10) == 130
        assert "Traceback" not in server.stderr() and everything(waits) == b""


@pytest.mark.parametrize(
    ("flags", "token", "words"),
    [
        (["--host", "0.0.0.0"], None, "no loopback address; give --token-file or SANDBOX_TOKEN"),
        (["--host", "0.0.0.0", "--isolation", "none"], TOKEN, "unprotected"),
        ([], "short", "SANDBOX_TOKEN holds 5 characters that are no token"),
        (["--token-file", "/nowhere/token"], None, "/nowhere/token"),
        (["--max-waiting", "0"], None, "max_waiting is 0"),
        (["--port", "70000"], None, "--port is 70000"),
    ],
)
def test_what_does_not_fit_is_refused_at_the_start(flags: list[str], token: str | None, words: str) -> None:
    environment = {**os.environ, **({"SANDBOX_TOKEN": token} if token else {})}
    command = [sys.executable, "-m", "sandbox", "serve", *flags]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
    assert token is None or token == "short" or token not in done.stderr
