"""Trying prompts by hand: the completion, cargo's verdict, every reward with its reason, and the same prompt again."""

from __future__ import annotations

import io

import pytest

from eval_model import main
from evaluating.chatting import prompts_from
from scripted_api import scripted

GOOD = """Here:
```rust
fn add(a: i32, b: i32) -> i32 { a + b }
#[cfg(test)]
mod tests { use super::*; #[test] fn t() { assert_eq!(add(1, 2), 3); } }
```"""
ONE_CORE = ("train.threads=1", "sandbox.jobs=1")


def chat(monkeypatch: pytest.MonkeyPatch, lines: str, *words: str) -> int:
    """Talk to a model; returns the exit code."""
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    return main(["chat", *words, *ONE_CORE])


def test_a_prompt_gets_code_verdict_and_every_reward_with_its_reason(
    in_place: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with scripted("well", "cut", text=GOOD) as server:
        words = ["api:m", "--base-url", server.url, "rewards.weights.asserts=1", "data.system_prompt=rust"]
        assert chat(monkeypatch, "Write add\n\n/quit\nmore\n", *words) == 0
    said = capsys.readouterr().out
    first, second = said.split("no program", maxsplit=1)
    assert (
        "fn add" in first and "cargo: build passes, clippy passes, test passes; 1 tests pass, 0 fail (passed)" in first
    )
    assert "cargo_test            1.00" in first and "1 distinct asserts" in first
    assert "half" in first and "there is no closed ```rust block" in second
    assert [request["messages"][-1]["content"] for request in server.requests] == ["Write add", "Write add"]
    assert server.requests[0]["messages"][0]["role"] == "system"


def test_an_empty_line_asks_again_and_a_local_model_answers_otherwise(
    in_place: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prompt = "Write a Rust function `fn add_two(a: i32, b: i32) -> i32` that returns the sum. With tests."
    assert chat(monkeypatch, f"{prompt}\n\n", "assets/tiny-rust", "guard.mutation=false") == 0
    first, second, _ = capsys.readouterr().out.split("  total ")
    assert "fn " in first and "cargo" in second
    assert first.partition("cargo")[0] != second.partition("cargo")[0].partition("\n")[2]


def test_what_a_model_says_cannot_write_on_the_terminal(
    in_place: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with scripted("well", text="\x1b[2Jhello\x07") as server:
        assert chat(monkeypatch, "hi", "api:m", "--base-url", server.url) == 0
    said = capsys.readouterr().out
    assert "hello" in said and "\x1b" not in said and "\x07" not in said


@pytest.mark.parametrize(
    ("lines", "prompts"),
    [("\n\n", []), ("a", ["a"]), ("a\\\nb\n\n", ["a\nb", "a\nb"]), ("a\n\nb\n\n", ["a", "a", "b", "b"])],
)
def test_lines_become_prompts(lines: str, prompts: list[str]) -> None:
    assert list(prompts_from(io.StringIO(lines))) == prompts


def test_one_model_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["chat", "a", "b"])
    assert "one model at a time" in capsys.readouterr().err
