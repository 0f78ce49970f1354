"""`RemotePool` stands in for `SandboxPool`: equal results, and no failure between the two is a program's failure."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from completions import HONEST, fenced
from programs import GOOD, in_test
from rewards import trl_functions
from rewards.gold.run import gold_run, submit_gold
from rewards.grader import RustGrader
from rewards.rubric import Rubric
from rewards.strictness.instrument import experiment
from rewards.strictness.submit import Submission
from sandbox import Outcome, PoolClosed, SandboxPool, Verdict
from sandbox.crossing.crossing import Crossing
from sandbox.errors import ServiceError
from sandbox.evidence.experiment import Experiment
from sandbox.limits import Limits
from sandbox.service import client
from sandbox.service.client import RemotePool
from sandbox.service.records import as_json, read_record
from serving import TOKEN, Served, serving

PASSED = Verdict(Outcome.PASSED, True, True, True, True, 2)
PROGRAMS = {
    "passes": GOOD,
    "fails": in_test("assert_eq!(add(1, 2), 4);"),
    "does not build": "fn",
    "is empty": "",
    "has half a surrogate pair": "// \udcff\n" + GOOD,
    "is larger than the pool allows": "// " + "x" * 300_000,
    "warns": "fn unused() { let x = 1; }",
}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving("--jobs", "1") as server:
        yield server


@pytest.fixture(scope="module")
def remote(served: Served) -> Iterator[RemotePool]:
    with RemotePool(served.url, TOKEN) as pool:
        yield pool


@pytest.fixture(scope="module")
def local() -> Iterator[SandboxPool]:
    with SandboxPool(jobs=1) as pool:
        yield pool


def timeless(verdict: Verdict) -> Verdict:
    """A verdict without what differs from run to run."""
    output = re.sub(r"finished in [\d.]+s|\(\d+\) panicked", "", verdict.test_output)
    evidence = None if verdict.evidence is None else replace(verdict.evidence, cpu_ms=0.0)
    return replace(verdict, ms={}, cpu_ms=0.0, peak_memory_mb=0.0, test_output=output, evidence=evidence)


def test_verdicts_are_those_of_a_local_pool(remote: RemotePool, local: SandboxPool) -> None:
    asked = [*((source, {}) for source in PROGRAMS.values()), (GOOD, {"phases": ("test",)})]
    near, far = ([pool.submit(source, **options) for source, options in asked] for pool in (local, remote))
    found = [(timeless(one.result()), timeless(two.result())) for one, two in zip(near, far, strict=True)]
    assert [one for one, _ in found] == [two for _, two in found]
    outcomes = ["passed", "test_failed", "build_error", "no_tests", "build_error", "build_error", "no_tests", "passed"]
    assert [str(two.outcome) for _, two in found] == outcomes


def test_evidence_answers_and_crossings_are_those_of_a_local_pool(remote: RemotePool, local: SandboxPool) -> None:
    code, row = "fn double(n: u8) -> u8 { n + n }", {"rust_test_list": ["assert_eq!(double(2), 4);"]}
    crossing = Crossing(
        (code,), ("#[cfg(test)] mod t { #[test] fn a() { assert_eq!(super::double(1), 2); } }",), ((0, 0),)
    )
    run = gold_run(code, row)
    assert run is not None
    evidence = [timeless(Submission(pool, HONEST["a plain call"]).future.result()) for pool in (local, remote)]
    assert evidence[0] == evidence[1] and evidence[1].evidence is not None and evidence[1].evidence.runs
    answers = [submit_gold(run, pool).result() for pool in (local, remote)]
    assert answers[0].terms == answers[1].terms != () and answers[1].outcome is Outcome.PASSED
    crossed = [pool.submit_crossing(crossing).result() for pool in (local, remote)]
    assert crossed[0].cells == crossed[1].cells and crossed[1].cells[0].passed == 1


@pytest.mark.parametrize("code", HONEST.values(), ids=list(HONEST))
def test_an_experiment_travels_unchanged(code: str) -> None:
    made = experiment(code, thorough=True)
    if made is not None:
        read = read_record(Experiment, json.loads(as_json(made)), "x")
        assert read == made and repr(read) == repr(made), "the cache's key is made of it"


def test_a_grader_knows_what_the_server_is_and_how_busy_it_was(
    remote: RemotePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    grader = RustGrader(Rubric({"cargo_build": 1.0}), remote)
    before = grader.busy()
    remote.submit(in_test("std::thread::sleep(std::time::Duration::from_millis(400));")).result()
    until = time.monotonic() + 20
    while not 0.4 <= (spent := grader.busy() - before):  # noted just after the verdict
        assert time.monotonic() < until
    assert spent < 20
    assert (remote.jobs, remote.backend, remote.limits) == (1, "batch", asdict(Limits()))
    assert remote.toolchain.version.startswith("rustc 1.") and str(remote.isolation)
    monkeypatch.setattr(client.Link, "ask", unreachable)
    assert remote.busy_s == grader.busy() > 0, "a server that does not answer ends no step"


def unreachable(*_: object) -> None:
    raise ConnectionRefusedError("nobody is there")


def test_a_task_is_given_up_at_once_and_stops_on_the_server(remote: RemotePool, served: Served) -> None:
    future = remote.submit(in_test("std::thread::sleep(std::time::Duration::from_millis(4500));"))
    until = time.monotonic() + 20
    while served.queue()["unanswered"] != 1:
        assert time.monotonic() < until
    remote.cancel(future, "late")
    verdict = future.result(timeout=0)
    assert (verdict.outcome, verdict.reason) == (Outcome.HOST_ERROR, "late"), "what may never have run is not scored"
    started = time.monotonic()
    while served.queue()["unanswered"]:
        assert time.monotonic() - started < 4
    assert remote.submit("fn after() {}").result().build and remote.unfinished == 0


def test_closing_cancels_what_has_no_verdict(served: Served) -> None:
    with RemotePool(served.url, TOKEN, connections=1) as pool:
        futures = [pool.submit(in_test(f"std::thread::sleep(std::time::Duration::from_secs({n}));")) for n in (3, 4)]
        time.sleep(0.3)
    assert all(future.cancelled() for future in futures)
    with pytest.raises(PoolClosed, match="closed"):
        pool.submit(GOOD)


def test_trl_functions_use_the_server_that_the_environment_names(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX_URL", served.url)
    monkeypatch.setenv("SANDBOX_TOKEN", TOKEN)
    monkeypatch.setattr(trl_functions, "_pools", [])
    texts = [fenced(HONEST["a plain call"]), fenced("fn")]
    assert trl_functions.cargo_test_reward_func(completions=texts) == [1.0, 0.0]
    (pool,) = trl_functions._pools
    assert isinstance(pool, RemotePool)
    pool.close()
    inherited = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout
    assert f"SANDBOX_URL={served.url}" in inherited and TOKEN not in inherited
    again = trl_functions.named_pool()
    assert again is not None, "the token is still known"
    again.close()
    monkeypatch.setenv("SANDBOX_TOKEN", "another-token-of-tests")
    with pytest.raises(ServiceError, match=r"refuses \(401\): a wrong token"):
        trl_functions.named_pool()
    monkeypatch.setenv("SANDBOX_URL", "ftp://x")
    with pytest.raises(ServiceError, match="SANDBOX_URL: 'ftp://x' is no address"):
        trl_functions.named_pool()


def test_where_no_server_is_named_nothing_of_it_is_loaded() -> None:
    program = "import sys, sandbox.__main__, rewards.__main__, rewards; rewards.cargo_test_reward_func\n"
    program += "print({'http.client', 'sandbox.service.client', 'sandbox.service.endpoint'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# A server that says what a test wants

HEALTH = {"jobs": 1, "version": "other"}
Script = list[tuple[int, Any]]


@contextmanager
def scripted(*script: tuple[int, Any]) -> Iterator[tuple[str, list[Any]]]:
    """A server that gives these answers to POST in turn, status 0 for a broken connection; and what it was sent."""
    left, sent = list(script), []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.say(200, HEALTH)

        def do_POST(self) -> None:
            sent.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            status, payload = left.pop(0)
            if not status:
                self.close_connection = True
            else:
                self.say(status, payload)

        def say(self, status: int, payload: Any) -> None:
            body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving_thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    serving_thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", sent
    finally:
        server.shutdown()
        server.server_close()
        serving_thread.join()


FULL = (429, {"error": "full"})
STOPPING = (503, {"error": "stopping"})
LOST = (0, None)
FAILED = (503, {"verdicts": [{"status": 503, "error": "no room on the disk"}]})
RIGHT = (200, {"verdicts": [PASSED.to_json()]})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(client, "LONGEST_PAUSE_S", 0.02)


@pytest.mark.usefixtures("quick")
def test_what_passes_by_is_asked_again() -> None:
    with scripted(STOPPING, LOST, LOST, FAILED, FULL, FULL, FAILED, RIGHT) as (url, sent):
        with RemotePool(url, TOKEN) as pool:
            assert pool.submit(GOOD).result(timeout=20) == PASSED
    assert sent == [{"programs": [{"source": GOOD, "phases": ["build", "clippy", "test"], "backend": ""}]}] * 8


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ([FAILED] * 3, "no room on the disk"),
        ([(413, {"error": "too long"})], "the server refused it (413): too long"),
        ([(200, {"verdicts": [{"outcome": "excellent"}]})], "another version's words"),
        ([(200, {"verdicts": [{**PASSED.to_json(), "new": 1}]})], "another version's words"),
        ([(200, {"verdicts": []})], "another version's words"),
    ],
)
def test_what_stays_is_the_hosts_failure(script: Script, reason: str) -> None:
    with scripted(*script) as (url, sent), RemotePool(url, TOKEN) as pool:
        verdict = pool.submit(GOOD).result(timeout=20)
    assert verdict.outcome is Outcome.HOST_ERROR and reason in verdict.reason
    assert len(sent) == len(script)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("answer", [LOST, STOPPING, (200, b"no JSON"), (502, b"<html>")])
def test_a_server_that_fails_for_long_is_the_hosts_failure(answer: tuple[int, Any]) -> None:
    with scripted(*[answer] * 1000) as (url, _), RemotePool(url, TOKEN, patience_s=0.3) as pool:
        verdict = pool.submit(GOOD).result(timeout=20)
    assert verdict.outcome is Outcome.HOST_ERROR and "for 0.3 s" in verdict.reason


def test_another_version_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with scripted() as (url, _), RemotePool(url, TOKEN):
        pass
    assert "another version" in caplog.text


def test_what_cannot_be_a_server_is_refused_in_words() -> None:
    with pytest.raises(ServiceError, match="no sandbox server answers at http://127.0.0.1:1 .*sandbox serve"):
        RemotePool("http://127.0.0.1:1", TOKEN)
    with pytest.raises(ValueError, match="one like http://127.0.0.1:8321"):
        RemotePool("127.0.0.1:8321", TOKEN)
    with pytest.raises(ServiceError, match="the token has 3 characters and is none") as refused:
        RemotePool("http://127.0.0.1:1", "a\nb")
    assert "a\nb" not in str(refused.value)
