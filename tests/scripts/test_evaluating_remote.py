"""Models behind an API: what passes is tried again, what is wrong stops at once, and no answer is paid for twice."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow.parquet
import pytest

from eval_model import main
from evaluating.remote.journal import open_journal
from grpo.errors import BadInput
from remote_api.address import check_address
from remote_api.endpoint import Endpoint, EndpointFailed, Stopped
from remote_api.reply import Answer
from scripted_api import scripted

ROOT = Path(__file__).resolve().parents[2]
MESSAGES = [{"role": "user", "content": "hi"}]
HEADER = {
    "model": "m",
    "base_url": "http://x/v1",
    "body": {"temperature": 1.0},
    "protocol": {"name": "recipe", "settings": {}, "prompts": {"count": 1, "sha256": "a"}},
}
CODE = """```rust
fn f() -> u8 { 1 }
#[cfg(test)]
mod tests { use super::*; #[test] fn t() { assert_eq!(f(), 1); } }
```"""
ADDRESSES = {  # that no request can be sent to
    "http://[::1": "Invalid IPv6 URL",
    "http://a..b/v1": "'a..b' is no host",
    "http://x\u202ey/v1": "a space, or a character beyond ASCII",
    "http://x y/v1": "a space, or a character beyond ASCII",
    "http://x:99999/v1": "Port out of range",
    "http://x:a/v1": "Port could not be cast",
    "http://x:0/v1": "port 0",
    "http://": "'' is no host",
    "http://a%0ab/v1": "is no host",
    f"http://{'a' * 64}/v1": "is no host",
    "http://me:word@x/v1": "--api-key-env",
    "http://x/v1?a=b": "after ? or #",
}
FEW = ("eval.prompts=3", "eval.samples=2", "sandbox.jobs=1")


def endpoint(url: str, **changes: object) -> Endpoint:
    return Endpoint(url, "m", **{"first_wait_s": 0.01, "timeout_s": 5.0, "retries": 3, **changes})  # type: ignore


def ask(url: str, **changes: object) -> Answer:
    return endpoint(url, **changes).ask(MESSAGES, {"temperature": 0.5}, threading.Event())


def test_an_answer_is_text_with_its_tokens_and_the_request_says_who_asks_what() -> None:
    with scripted("well") as server:
        answer = ask(server.url, key="secret")
    assert (answer.text, answer.finish_reason, answer.prompt_tokens, answer.completion_tokens) == (
        "hello",
        "stop",
        10,
        20,
    )
    assert server.requests == [{"model": "m", "messages": MESSAGES, "temperature": 0.5}]
    assert server.keys == ["Bearer secret"]


@pytest.mark.parametrize(
    "trouble",
    [
        *("busy", "failing", "badly", "no json", "half way", "busy, in half a second", "token counts"),
        *("fewer than no tokens", "part of a token", "tokens as text", "deep", "rather deep", "no utf-8", "elsewhere"),
    ],
)
def test_what_passes_by_itself_is_tried_again(trouble: str) -> None:
    with scripted(trouble, trouble, "well") as server:
        assert ask(server.url).text == "hello"
    assert len(server.requests) == 3
    waited = server.arrived[2] - server.arrived[0]
    assert (waited >= 1.0) is ("half a second" in trouble)


def test_a_server_that_only_answers_nonsense_is_named_with_what_it_said() -> None:
    for trouble, said in (("token counts", "inf is no number of tokens"), ("deep", "RecursionError")):
        with scripted(trouble) as server, pytest.raises(EndpointFailed, match=said):
            ask(server.url, retries=1)


def test_silence_ends_a_try() -> None:
    with scripted("slowly", "well") as server:
        assert ask(server.url, timeout_s=0.2).text == "hello"
        assert len(server.requests) == 2


def test_a_model_that_says_nothing_has_answered() -> None:
    with scripted("no content") as server:
        assert ask(server.url).text == ""


def test_hope_ends_with_the_last_try_and_with_a_server_that_wants_another_day() -> None:
    with scripted("failing") as server, pytest.raises(EndpointFailed, match="no answer in 4 tries: status 500: oops"):
        ask(server.url)
    assert len(server.requests) == 4
    with scripted("busy, tomorrow") as server, pytest.raises(EndpointFailed, match="in 1 tries.*come back in 86400 s"):
        ask(server.url)
    with pytest.raises(EndpointFailed, match="URLError"):
        ask(server.url)  # nobody is there


def test_what_the_caller_did_wrong_stops_at_once_with_the_servers_words() -> None:
    with scripted("wrong key") as server, pytest.raises(BadInput, match='status 401: {"error": "no such key"}'):
        ask(server.url)
    assert len(server.requests) == 1


def test_a_stop_ends_the_wait_between_tries() -> None:
    stop = threading.Event()
    with scripted("busy") as server:
        threading.Timer(0.2, stop.set).start()
        started = time.monotonic()
        with pytest.raises(Stopped):
            endpoint(server.url, first_wait_s=60.0).ask(MESSAGES, {}, stop)
    assert time.monotonic() - started < 5


def test_a_journal_goes_on_after_a_line_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    one, two = Answer("a", "stop", 1, 2, {"x": 1}), Answer("b", "length", 3, 4)
    with open_journal(path, HEADER) as journal:
        journal.add(("p", 0), one)
    with open(path, "ab") as file:
        file.write(b'{"task_id": "p", "sam')
    with open_journal(path, HEADER) as journal:
        assert journal.answers == {("p", 0): one}
        journal.add(("p", 1), two)
    with open_journal(path, HEADER) as journal:
        assert journal.answers == {("p", 0): one, ("p", 1): two}


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"model": "n"}, "model: m and n"), ({"body": {"temperature": 0.0}}, "'temperature': 1.0"), (None, "no journal")],
)
def test_a_journal_of_something_else_is_refused(changes: dict[str, object] | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    if changes is None:
        path.write_text("{}\n")
    else:
        open_journal(path, HEADER).close()
    with pytest.raises(BadInput, match=said):
        open_journal(path, HEADER | (changes or {}))


def test_an_evaluation_that_was_stopped_goes_on_and_pays_for_nothing_twice(
    in_place: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "api.jsonl"
    with scripted("well", "cut", "wrong key", text=CODE) as server:
        words = ["api:vendor/model", "--base-url", server.url, *FEW, "--at-once", "1", "--out", str(out)]
        words += ["--usd-per-million-in", "1000", "--usd-per-million-out", "2000"]
        assert main(words) == 2
        said = capsys.readouterr().err
        assert "keeps 2 answers" in said and "no such key" in said and not out.exists()
        assert len(server.requests) == 3
        server.script = ["well"]
        assert main(words) == 0
        assert len(server.requests) == 3 + 4
    said = capsys.readouterr()
    assert "usd=0.3000" in said.err  # 6 answers of 10 and 20 tokens
    completions = [json.loads(line) for line in out.read_text().splitlines()]
    assert [completion["checks"]["test"] for completion in completions] == [1, 0, 1, 1, 1, 1]
    assert [completion["terminated"] for completion in completions] == [True, False, True, True, True, True]
    assert {completion["num_tokens"] for completion in completions} == {20}
    record = json.loads(out.with_suffix(".json").read_text())
    assert record["label"] == "model" and record["metrics"]["eval/length_mean"] == 20
    assert record["usage"] == {"prompt_tokens": 60, "completion_tokens": 120, "usd": pytest.approx(0.3)}
    assert server.requests[0].keys() == {"model", "messages", "temperature", "top_p", "max_tokens"}
    assert server.requests[0]["model"] == "vendor/model"


def test_ctrl_c_keeps_the_answers_that_are_on_their_way(tmp_path: Path) -> None:
    with scripted("slowly", text=CODE) as server:
        command = [sys.executable, "scripts/eval_model.py", "api:m", "--base-url", server.url, *FEW]
        command += ["--at-once", "2", "--out", str(tmp_path / "api.jsonl")]
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        while not server.requests:
            time.sleep(0.02)
            assert process.poll() is None
        time.sleep(0.2)
        process.send_signal(2)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130, said
    kept = (tmp_path / "api.journal").read_text().splitlines()
    assert len(kept) - 1 == len(server.requests) == 2
    assert "keeps 2 answers" in said


def test_signatures_that_prompts_do_not_show_are_said_as_for_a_model_of_ones_own(
    in_place: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "tasks.jsonl"
    source.write_text('{"prompt": "Write f.", "signature": "fn f() -> u8"}\n' * 2)
    few = [f"data.eval={source}", "eval.samples=1", "sandbox.jobs=1", "train.threads=1"]
    few.append("sampling.max_completion_tokens=4")
    assert main(["assets/tiny-rust", *few, "--out", str(tmp_path / "local.jsonl")]) == 0
    local = capsys.readouterr().out
    note = "2 (2 do not show the signature that gold tests call) prompts x 1"
    with scripted("well", text=CODE) as server:
        words = ["api:m", "--base-url", server.url, *few]
        assert main([*words, "--out", str(tmp_path / "hidden.jsonl")]) == 0
        assert note in capsys.readouterr().out and note in local
        assert main([*words, "data.show_signature=true", "--out", str(tmp_path / "shown.jsonl")]) == 0
    assert "m: 2 prompts x 1" in capsys.readouterr().out
    kept = json.loads((tmp_path / "hidden.json").read_text())["prompts_used"]
    assert kept == "2 (2 do not show the signature that gold tests call)"
    files = [str(tmp_path / f"{name}.jsonl") for name in ("hidden", "shown")]
    assert main(["compare", *files, "--mixed"]) == 0
    page = capsys.readouterr().out
    assert "the same 2 tasks, but their text differs" in page and "| other prompts |" not in page


def test_half_of_a_character_in_an_answer_stops_nothing(in_place: None, tmp_path: Path) -> None:
    """A server may end an answer between the two halves of a pair. A journal that an earlier version wrote has one."""
    out = tmp_path / "api.jsonl"
    with scripted("well", text=f"{CODE}\ud83d") as server:
        words = ["api:m", "--base-url", server.url, "eval.prompts=2", "eval.samples=1", "sandbox.jobs=1"]
        assert main([*words, "--out", str(out)]) == 0
        journal = out.with_suffix(".journal")
        for file in (out, out.with_suffix(".json"), out.with_suffix(".parquet")):
            file.unlink()
        assert "\\ud83d" not in journal.read_text() and "\\ufffd" in journal.read_text()
        journal.write_text(journal.read_text().replace("\\ufffd", "\\ud83d"))
        assert main([*words, "--out", str(out)]) == 0
        assert len(server.requests) == 2, "nothing is paid for twice"
    texts = [json.loads(line)["text"] for line in out.read_text().splitlines()]
    assert texts == [f"{CODE}\ufffd"] * 2
    assert pyarrow.parquet.read_table(out.with_suffix(".parquet"))["text"].to_pylist() == texts


@pytest.mark.parametrize("key", ["secret\nX-Other: 1", "secret ", "secret\u0142"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOME_KEY", key)
    words = ["api:m", "--base-url", "http://x/v1", "--api-key-env", "SOME_KEY", "--out", str(tmp_path / "a")]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "the key in SOME_KEY" in said and "secret" not in said


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/v1", "https://[::1]/v1", "http://a_b.example.org.", "http://x"])
def test_addresses_that_servers_have_are_taken(url: str) -> None:
    check_address(url)


def test_fields_of_ones_own_are_sent_and_make_another_protocol(
    in_place: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with scripted("well", text=CODE) as server:
        words = ["api:m", "--base-url", server.url, "eval.prompts=2", "eval.samples=1", "sandbox.jobs=1"]
        assert main([*words, "--out", str(tmp_path / "a.jsonl")]) == 0
        body = '{"max_tokens": 5, "temperature": null}'
        assert main([*words, "--out", str(tmp_path / "b.jsonl"), "--body", body]) == 0
        assert server.requests[-1]["max_tokens"] == 5 and "temperature" not in server.requests[-1]
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]) == 2
    assert "--body: None and {'max_tokens': 5, 'temperature': None}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give the address"),
        (["--base-url", "file:///etc"], "give the address"),
        *((["--base-url", url], said) for url, said in ADDRESSES.items()),
        (["--base-url", "http://x/v1", "--at-once", "0"], "1 or more"),
        (["--base-url", "http://x/v1", "--body", "[" * 100_000], "--body"),
        (["--base-url", "http://x/v1", "--body", "[]"], "give a JSON object"),
    ],
)
def test_flags_that_cannot_be_used_say_what_to_give(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["api:m", *words, "--out", str(tmp_path / "a")]) == 2
    assert message in capsys.readouterr().err
