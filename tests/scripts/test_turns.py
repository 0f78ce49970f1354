"""Recipes with turns: what is refused, planned and compared; and a run of them with a real model and real cargo."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval_model import main as eval_main
from evaluating.arguments import parse_request
from evaluating.files import read_lines, write_evaluation
from evaluating.protocol import protocol_record
from evaluating.turns import TurnFigures, turn_figures, turn_table
from grpo.errors import BadInput
from grpo.evaluate import Evaluation, pass_at_k
from grpo.rollout.in_flight import StoredGrade
from grpo.rollout.records import Completion, Example, Group, History
from grpo.rollout.rows import DataError
from grpo.rollout.turns.conversations import peers_of
from grpo.schema import ConfigError
from grpo_rust.compose.prompts import read_held_out, read_rewarded_sources
from grpo_rust.plan import plan
from grpo_rust.recipe import load_recipe
from study.completions import read_completions
from test_train import SMALL, lines, train

EXAMPLE = Example("t", ({"role": "user", "content": "do it"},))


def completion(name: str, tokens: int, follows: str = "") -> Completion:
    history = History(follows, "It does not build.", (1,)) if follows else None
    return Completion(name, (7,) * tokens, (-0.1,) * tokens, name, True, 0, history=history)


def grade(solved: bool | None) -> StoredGrade:
    return StoredGrade(
        {"r": 1.0}, {"gold": None if solved is None else float(solved)}, solved, {}, {"outcome": "passed"}
    )


def conversations() -> Group:
    """Four first completions of 10 tokens, one solved; two go on, with 20 tokens each, one of which then is solved."""
    made = [completion(f"e-p00-c{k}", 10) for k in range(4)]
    made += [completion("e-p00-c1.2", 20, "e-p00-c1"), completion("e-p00-c2.2", 20, "e-p00-c2")]
    grades = tuple(map(grade, (True, False, False, None, True, False)))
    return Group(EXAMPLE, tuple(made), grades, (1.0,) * 6, peers=peers_of(made, "each"))


def test_turns_are_compared_with_as_many_tokens_of_independent_completions() -> None:
    one, two = turn_figures([conversations()], most=2)
    # of the conversations whose outcome is known: 1 of 3 is solved by its first turn, 2 of 3 by the second
    assert one == TurnFigures(1, pytest.approx(1 / 3), 10.0, 1.0, pytest.approx(pass_at_k(3, 1, 1)))
    assert (two.solved, two.tokens, two.samples) == (pytest.approx(2 / 3), 20.0, 2.0)
    assert two.pass_at_samples == pytest.approx(pass_at_k(3, 1, 2)) == pytest.approx(2 / 3)
    longer = replace(
        conversations(), completions=(*conversations().completions[:5], completion("e-p00-c2.2", 30, "e-p00-c2"))
    )
    [_, between] = turn_figures([longer], most=2)  # 2.25 completions: a quarter of the way from pass@2 to pass@3 = 1
    assert (between.samples, between.pass_at_samples) == (2.25, pytest.approx(2 / 3 + 1 / 12))
    longer = replace(longer, completions=(*longer.completions[:5], completion("e-p00-c2.2", 70, "e-p00-c2")))
    assert turn_figures([longer], most=2)[1].pass_at_samples is None, "3.25 completions, and 3 are known"
    assert "too few samples" in turn_table(turn_figures([longer], most=2))


def test_what_compares_evaluations_reads_first_completions_alone(tmp_path: Path) -> None:
    out = tmp_path / "e.jsonl"
    write_evaluation(Evaluation((conversations(),), {}, {}, 1.0), {"label": "x"}, out)
    assert len(out.read_text().splitlines()) == 6
    assert len(read_lines(out)) == len(read_completions(out)) == 4


def test_a_protocol_has_turns_only_where_there_are_some() -> None:
    def settings(*words: str) -> dict[str, Any]:
        return dict(protocol_record("recipe", load_recipe(None, words), [EXAMPLE], "x")["settings"])

    assert settings("rollout.turns=2") == {**settings(), "rollout.turns": 2, "rollout.max_conversation_tokens": 0}


def test_what_turns_exclude_is_refused() -> None:
    words = ["loss.kl_beta=0.1", "loss.kl_in=reward"]
    load_recipe(None, words)
    with pytest.raises(ConfigError, match="would charge a conversation for its last turn alone"):
        load_recipe(None, ["rollout.turns=2", *words])


def test_a_group_that_is_compared_has_no_turns_to_learn_from() -> None:
    compared = load_recipe(None, ["rollout.turns=2", "rewards.weights.cross_agreement=1"])
    for refuses in (read_rewarded_sources, plan):
        with pytest.raises(DataError, match=r"cross_\* compare completions to one prompt, .*tiny-own-tests.toml"):
            refuses(compared)
    assert read_held_out(compared), "an evaluation compares nothing"


def test_a_model_behind_an_api_has_no_turns() -> None:
    with pytest.raises(BadInput, match="a model behind an API is asked each prompt once"):
        parse_request(["api:x", "--base-url", "http://127.0.0.1:1/v1", "rollout.turns=2", "--out", "o"], "")


def test_a_sequence_is_as_long_as_its_conversation() -> None:
    def longest(*words: str) -> int:
        return load_recipe(
            None, ["data.max_prompt_tokens=100", "sampling.max_completion_tokens=50", *words]
        ).longest_sequence()

    assert longest() == longest("rollout.max_conversation_tokens=1000") == 150
    assert longest("rollout.turns=3") == 100 + 3 * 50 + 2 * 512
    assert longest("rollout.turns=3", "rollout.max_conversation_tokens=400") == 400
    assert longest("rollout.turns=3", "rollout.max_conversation_tokens=80") == 150, "the first turn always fits"


def test_a_plan_counts_every_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.jsonl").write_text('{"prompt": "a"}\n' * 32)
    words = [
        "data.train=t.jsonl",
        "data.eval=t.jsonl",
        "model.path=none/of-mine",
        "rollout.turns=3",
        "train.device=cpu",
    ]
    said = plan(load_recipe(None, words))
    assert "128 completions a step (conversations of at most 3)" in said
    row = 256 + 3 * 192 + 2 * 512
    assert f"at most {128 * 3 * row:,} a step ({row:,} a completion with its prompt)" in said


@pytest.mark.slow
def test_the_shipped_model_trains_and_is_evaluated_in_turns(tmp_path: Path) -> None:
    """It has never seen a verdict and hardly repairs anything; what is shown here is that everything holds together."""
    run = tmp_path / "run"
    words = [
        "rollout.turns=2",
        "rollout.max_conversation_tokens=600",
        "data.max_prompt_tokens=200",
        "loss.advantages=none",
    ]
    done = train("scripts/recipes/tiny-own-tests.toml", *SMALL, *words, "train.max_steps=2", f"run.dir={run}")
    assert done.returncode == 0, done.stderr
    told = [line for line in lines(run / "completions.jsonl") if "follows" in line]
    assert told and all("```rust" in str(line["message"]) for line in told)
    ids = {line["id"] for line in lines(run / "completions.jsonl")}
    assert all(line["follows"] in ids and line["id"] == f"{line['follows']}.2" for line in told)
    assert all(1 <= line["rollout/turns_mean"] <= 2 for line in lines(run / "metrics.jsonl"))  # type: ignore[operator]
    out = tmp_path / "e.jsonl"
    few = ["eval.prompts=2", "eval.samples=2", "train.threads=1", "sampling.max_completion_tokens=120"]
    assert eval_main(["assets/tiny-rust", *words, *few, "--out", str(out)]) == 0
    record = json.loads(out.with_suffix(".json").read_text())
    assert [row["turns"] for row in record["turns"]] == [1, 2]
    assert record["metrics"]["eval/solved_turn_1"] == record["metrics"]["eval/pass_at_1"]
