"""The formats taught to the tiny model: right rows that are not held out, tokens that keep what it knows, answers."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer, Qwen2ForCausalLM, Qwen2Tokenizer

import make_tiny_model
from grpo.engines import SamplingParams
from grpo.engines.hf import HFEngine
from grpo.model.fim import find_fim
from grpo.model.policy import Policy, load_policy
from grpo_rust.recipe import load_recipe
from grpo_rust.rows.files import read_row_file
from rewards.line_edits.reading import read_edit
from rewards.tasks.known import asked, task_of
from tiny.tasks import demonstrations
from tiny.tokenizer import train_tokenizer
from tiny.warmstart import Encoded, completion_loss, make_model
from tiny_formats import preparing
from tiny_formats import rows as format_rows
from tiny_formats.encoding import PROMPT_WEIGHT, WINDOW, encode_rows, mixed_batches
from tiny_formats.growing import frequent_words, grow
from tiny_formats.idioms import FIM_TOKENS, FORMAT_IDIOMS
from tiny_formats.renaming import renamed
from tiny_formats.rows import HELD_OUT, SHARES, drawn_rows, held_out_programs

ASSETS = Path(__file__).resolve().parents[2] / "assets"
TASKS, PLAIN = ASSETS / "tasks", ASSETS / "tiny-rust"
SIZES = {"width": 32, "layers": 1, "heads": 2, "mlp": 64}
IN_FORM = (
    0.35  # of the answers sampled by the model that a recipe starts from; of 200 to patch, which has least, 45 % apply
)
Row = Mapping[str, Any]


@pytest.fixture(scope="module")
def taught() -> Policy:
    """The quickstart's model with more tokens, before it has learned any."""
    policy = load_policy(str(PLAIN), device=torch.device("cpu"), compute_dtype="float32")
    grow(policy.model, policy.tokenizer, FORMAT_IDIOMS, FIM_TOKENS)  # type: ignore[arg-type]
    return policy


@pytest.fixture(scope="module")
def drawn() -> list[Row]:
    return drawn_rows(60, TASKS, seed=3)


@pytest.fixture
def small() -> tuple[Qwen2ForCausalLM, Qwen2Tokenizer]:
    tokenizer = train_tokenizer(["fn pick(a: i32)"], 400)
    return make_model(tokenizer, **SIZES, seed=0), tokenizer


def held_out(task: str, count: int) -> list[Row]:
    """The first held-out rows of a task, as training asks them."""
    form = "tokens" if task == "infill" else "chat"
    found = islice(read_row_file(TASKS / f"{task}-eval.jsonl"), count)
    return [asked(row, with_system=False, infill=form) for row in found]


def test_rows_come_in_their_shares_and_their_answers_are_read_as_programs(drawn: list[Row]) -> None:
    counts = Counter(task_of(row).name for row in drawn)
    assert counts == {task: round(60 * share) for task, share in SHARES.items()}
    assert all(task_of(row).extract(row["completion"], row, "first").code for row in drawn)
    assert {row.get("infill") for row in drawn if task_of(row).name == "infill"} == {"chat", "tokens"}


def test_a_row_with_the_program_of_a_held_out_one_is_never_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = [asked(row, with_system=False) for row in islice(read_row_file(TASKS / "repair-train.jsonl"), 3)]
    monkeypatch.setattr(format_rows, "SHARES", {"repair": 1.0})
    monkeypatch.setitem(format_rows.MAKERS, "repair", lambda wanted, shipped, rng: iter([held, *allowed] * 3))
    (held,) = held_out("repair", 1)
    found = {row["task_id"] for row in drawn_rows(6, TASKS, seed=0)}
    assert found == {row["task_id"] for row in allowed}
    assert len(held_out_programs(TASKS)) > 300 and len(HELD_OUT) == 4


def test_a_seed_draws_the_same_rows_again(drawn: list[Row]) -> None:
    assert drawn_rows(60, TASKS, seed=3) == drawn


def test_other_names_are_the_same_in_code_and_between_backticks_and_nowhere_else() -> None:
    code = "fn pick_item<'a>(list: &[&'a str], flag: bool) {\n    let first = list.first();\n    self.rest(flag)\n}"
    row = {"code": code, "text": "expected first, found `&first` of `list` in pick_item", "other": "list"}
    found = renamed(row, random.Random(1), code=("code",), text=("text",))
    new = re.findall(r"\w+", found["code"])
    function, values, flag, first = (new[place] for place in (1, 3, 6, 9))
    assert new == [
        *("fn", function, "a", values, "a", "str", flag, "bool"),
        *("let", first, values, "first", "self", "rest", flag),
    ]
    assert len({function, values, flag, first, "pick_item", "list", "flag", "first", "rest"}) == 9
    assert found["text"] == f"expected first, found `&{first}` of `{values}` in {function}"
    assert found["other"] == "list"


def test_a_name_that_a_field_has_is_kept() -> None:
    row = {"code": "struct S { rest: u8 }\nfn f(rest: u8, item: S) -> bool { rest == item.rest }"}
    found = renamed(row, random.Random(0), code=("code",), text=())["code"]
    assert found.count("rest") == 4 and "item" not in found


def test_every_idiom_stands_in_a_prompt_or_an_answer_of_the_shipped_rows() -> None:
    texts = []
    for name in HELD_OUT:
        for row in islice(read_row_file(TASKS / name), 90):
            one = asked(row, with_system=False)
            texts += [one["prompt"][-1]["content"], one["completion"]]
    together = "\0".join(texts)
    assert [idiom for idiom in FORMAT_IDIOMS if idiom not in together] == []


def test_words_are_counted_outside_of_idioms_and_known_texts(small: tuple[Qwen2ForCausalLM, Qwen2Tokenizer]) -> None:
    texts = ["borrow the borrow", "The compiler says: borrow", "pick moved", "a moved"]
    found = frequent_words(texts, ["the"], small[1], ["The compiler says: "], 3)
    # saved are 2 x 5 tokens (a space and 5 letters), 2 x 5 (6 letters) and 6; "pick" is one token already
    assert found == [" moved", "borrow", " borrow"]


def test_new_tokens_begin_as_the_mean_of_what_spelled_them(small: tuple[Qwen2ForCausalLM, Qwen2Tokenizer]) -> None:
    model, tokenizer = small
    before, pieces = model.get_input_embeddings().weight.detach().clone(), tokenizer("borrowed")["input_ids"]
    old = tokenizer("fn pick(a: i32) <|fim_prefix|>")["input_ids"]
    grow(model, tokenizer, ["borrowed", "("], FIM_TOKENS)
    weight = model.get_input_embeddings().weight
    assert len(pieces) > 1 and len(weight) == len(tokenizer) == len(before) + 4 and model.lm_head.weight is weight
    assert torch.equal(weight[: len(before)], before)
    assert torch.allclose(weight[tokenizer.convert_tokens_to_ids("borrowed")], before[pieces].mean(0))
    assert tokenizer("x borrowed(")["input_ids"].count(tokenizer.convert_tokens_to_ids("borrowed")) == 1
    fim = find_fim(tokenizer)
    assert fim and fim.end == 0 and tokenizer("fn pick(a: i32) <|fim_prefix|>")["input_ids"] != old


def test_demonstrations_are_tokens_as_training_asks_for_them(taught: Policy) -> None:
    (infill,), (repair,) = held_out("infill", 1), held_out("repair", 1)
    limits = {"max_prompt_tokens": 400, "max_completion_tokens": 128}
    middle, whole = encode_rows([infill, repair], taught, **limits)
    assert middle.token_ids[-1] == 0 and whole.token_ids[-1] == taught.tokenizer.eos_token_id == 2
    assert (
        taught.encode_infill(infill["prefix"], infill["suffix"])
        == middle.token_ids[: -len(taught.encode_middle(infill["middle"]))]
    )
    num_answer = len(taught.encode_completion(repair["completion"]))
    assert whole.weights == (PROMPT_WEIGHT,) * (len(whole.token_ids) - num_answer - 1) + (1.0,) * num_answer
    assert torch.isfinite(completion_loss(taught.model, [middle, whole]))  # type: ignore[arg-type]
    assert list(encode_rows([repair], taught, max_prompt_tokens=20, max_completion_tokens=128)) == []
    assert list(encode_rows([repair], taught, max_prompt_tokens=400, max_completion_tokens=20)) == []


def test_a_round_of_batches_has_every_demonstration_once_and_lengths_near_each_other() -> None:
    encoded = [Encoded(tuple(range(length)), ()) for length in random.Random(0).sample(range(1000), 4 * WINDOW * 2 + 3)]
    found = list(islice(mixed_batches(encoded, 4, 0), 2 * WINDOW + 1))
    assert sorted(len(one.token_ids) for batch in found for one in batch) == sorted(len(o.token_ids) for o in encoded)
    spans = [len(batch[-1].token_ids) - len(batch[0].token_ids) for batch in found[: 2 * WINDOW]]
    assert sum(spans) / len(spans) < 1000 / WINDOW


def test_the_tokenizer_spells_what_the_model_knew_as_before_and_texts_come_back(taught: Policy) -> None:
    before, grown = AutoTokenizer.from_pretrained(PLAIN), taught.tokenizer
    for item in demonstrations(150, mistaken=0.0, seed=8):
        for text in (item.prompt, item.completion):
            assert grown(text)["input_ids"] == before(text)["input_ids"]
    for task in SHARES.keys() - {"function"}:
        for row in held_out(task, 20):
            for text in (row["prompt"][-1]["content"], row["completion"]):
                assert grown.decode(grown(text)["input_ids"]) == text
    assert find_fim(grown) is not None and find_fim(before) is None


def test_preparing_puts_it_together(monkeypatch: pytest.MonkeyPatch, drawn: list[Row]) -> None:
    monkeypatch.setattr(preparing, "drawn_rows", lambda count, shipped, seed: drawn)
    monkeypatch.setattr(preparing, "KNOWN", 50)
    found = preparing.prepare(PLAIN, TASKS, 60, seed=0)
    assert len(found.model.get_input_embeddings().weight) == len(found.tokenizer) > 1017 + len(FIM_TOKENS) + 60
    assert len(found.encoded) == len(drawn) and {one.token_ids[-1] for one in found.encoded} == {0, 2}
    assert torch.isfinite(completion_loss(found.model, found.encoded[:4], torch.float32))


def test_the_verb_saves_a_checkpoint_that_is_asked_in_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ASSETS.parent)
    monkeypatch.setattr(make_tiny_model, "BATCH_SIZE", 8)
    make_tiny_model.main(["--formats", "--steps", "1", "--out", str(tmp_path)])
    policy = load_policy(str(tmp_path), device=torch.device("cpu"), compute_dtype="float32")
    policy.enable_infill()
    (row,) = held_out("infill", 1)
    prompt = policy.encode_infill(row["prefix"], row["suffix"])
    assert max(prompt) < policy.model.config.vocab_size == len(policy.tokenizer)
    assert policy.decode(policy.encode_middle(row["middle"])) == row["middle"]
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in PLAIN.iterdir()} - {"README.md"}


@pytest.mark.parametrize("task", ["repair", "patch", "next_edit", "infill"])
def test_the_model_that_a_recipe_starts_from_answers_in_the_form_of_its_task(task: str) -> None:
    recipe = load_recipe(ASSETS.parent / "scripts" / "recipes" / f"tiny-{task}.toml")
    shipped = load_policy(str(ASSETS.parent / recipe.model.path), device=torch.device("cpu"), compute_dtype="float32")
    shipped.enable_infill()
    rows = held_out(task, 24)
    in_tokens = recipe.data.infill == "tokens" and task == "infill"
    prompts = [
        shipped.encode_infill(r["prefix"], r["suffix"]) if in_tokens else shipped.encode(r["prompt"]) for r in rows
    ]
    params = SamplingParams(1, recipe.sampling.max_completion_tokens, temperature=1.0, seed=0)
    answers = {one.prompt: shipped.decode(one.token_ids) for one in HFEngine(shipped).generate(prompts, params)}
    assert sum(has_form(row, answers[number]) for number, row in enumerate(rows)) >= IN_FORM * len(rows)


def has_form(row: Row, answer: str) -> bool:
    """Whether an answer is read as a program; a next edit, whose names are mostly wrong, whether it is one at all."""
    if task_of(row).name == "next_edit":
        return read_edit(answer, "first").edit is not None
    return task_of(row).extract(answer, row, "first").code is not None
