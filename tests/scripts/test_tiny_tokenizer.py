"""The tokenizer: Qwen's special tokens and chat format, byte-level round trips, one encoding through every loader."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer, Qwen2Tokenizer

from tiny.idioms import IDIOMS
from tiny.rust_types import ELEMENTS
from tiny.tasks import demonstrations
from tiny.tokenizer import SPECIAL_TOKENS, train_tokenizer

SHIPPED = Path(__file__).parents[2] / "assets" / "tiny-rust"
ODD = ["", " ", "\n\n\t x", "naïve λ 中文 🦀", "12345", "a\r\nb", "<|im_end|>", "fn f<'a>(x: &'a str) -> i32 { 1_000 }"]


@pytest.fixture(scope="module")
def trained() -> Qwen2Tokenizer:
    shown = demonstrations(400, mistaken=0.5, seed=1)
    return train_tokenizer((text for item in shown for text in (item.prompt, item.completion)), 600)


def texts() -> list[str]:
    return ODD + [text for item in demonstrations(100, mistaken=0.5, seed=2) for text in (item.prompt, item.completion)]


def test_the_saved_folder_encodes_like_the_trained_tokenizer_through_every_loader(
    trained: Qwen2Tokenizer, tmp_path: Path
) -> None:
    trained.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "qwen2"}', encoding="utf-8")  # what AutoTokenizer decides by
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    plain = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text in texts():
        ids = trained(text)["input_ids"]
        assert loaded(text)["input_ids"] == ids
        assert plain.encode(text).ids == ids


def test_text_survives_encoding_and_decoding(trained: Qwen2Tokenizer) -> None:
    for text in texts():
        assert trained.decode(trained(text)["input_ids"]) == text


def test_an_idiom_is_one_token_wherever_it_stands_and_no_other_text_changes(trained: Qwen2Tokenizer) -> None:
    for idiom in IDIOMS:
        token = trained.convert_tokens_to_ids(idiom)
        assert trained(f"x{idiom}x")["input_ids"].count(token) == 1
    assert trained.decode(trained("assert_eq(1, 2)\n#[test")["input_ids"]) == "assert_eq(1, 2)\n#[test"


def test_every_value_is_one_token(trained: Qwen2Tokenizer) -> None:
    for element in ELEMENTS:
        for value in element.pool:
            literal = element.literal(value).removeprefix("String::from(").removesuffix(")")
            assert len(trained(f"({literal})")["input_ids"]) == 3, literal


def test_idioms_keep_demonstrations_short(trained: Qwen2Tokenizer) -> None:
    completions = [item.completion for item in demonstrations(200, mistaken=0.5, seed=3)]
    assert sum(len(trained(text)["input_ids"]) for text in completions) / len(completions) < 80


def test_digits_stand_alone(trained: Qwen2Tokenizer) -> None:
    assert [trained.decode(token) for token in trained("409")["input_ids"]] == ["4", "0", "9"]


def test_special_tokens_are_the_first_three_and_end_the_turn(trained: Qwen2Tokenizer) -> None:
    assert [trained.convert_tokens_to_ids(token) for token in SPECIAL_TOKENS] == [0, 1, 2]
    assert (trained.pad_token_id, trained.eos_token_id, trained.bos_token_id) == (0, 2, None)
    assert 600 - 9 <= len(trained) <= 600  # brackets and the backtick are bytes that the vocabulary had


def test_the_chat_template_is_qwen_s_without_a_default_system_message(trained: Qwen2Tokenizer) -> None:
    chat = [{"role": "user", "content": "Hi"}]
    text = trained.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
    assert text == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    system = trained.apply_chat_template([{"role": "system", "content": "Be brief"}, *chat], tokenize=False)
    assert system.startswith("<|im_start|>system\nBe brief<|im_end|>\n<|im_start|>user")


def test_the_shipped_folder_encodes_alike_through_every_loader() -> None:
    loaded = AutoTokenizer.from_pretrained(SHIPPED)
    plain = Tokenizer.from_file(str(SHIPPED / "tokenizer.json"))
    assert loaded.eos_token == "<|im_end|>"
    for text in texts():
        assert loaded(text)["input_ids"] == plain.encode(text).ids
        assert loaded.decode(plain.encode(text).ids) == text


def test_a_vocabulary_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="vocab_size is 300; .* alone are"):
        train_tokenizer(["fn pick()"], 300)
