"""The tiny model's tokenizer: a byte-level BPE behind Qwen2's own pre-tokenizer.

`transformers` loads a folder whose configuration says `qwen2` as a `Qwen2Tokenizer`, which has its own normalizer and
pre-tokenizer and silently drops any other. So the merges are learned behind that class's pre-tokenizer, and a test
checks that every loader of the saved folder encodes alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from tokenizers import AddedToken, Tokenizer, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import Qwen2Tokenizer

from tiny.idioms import IDIOMS

__all__ = ["CHAT_TEMPLATE", "SPECIAL_TOKENS", "train_tokenizer"]

SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")  # ids 0, 1, 2: padding, turn start, turn end
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> Qwen2Tokenizer:
    """A Qwen2 tokenizer: special tokens, bytes, idioms, and merges learned from the texts.

    Args:
        texts: What to learn merges from.
        vocab_size: The largest number of tokens.
    Raises:
        ValueError: `vocab_size` has no room for the special tokens, the bytes and the idioms.

    >>> tokenizer = train_tokenizer(["fn pick(a: i32)"] * 3, 400)
    >>> tokenizer.decode(tokenizer("fn pick")["input_ids"])
    'fn pick'
    """
    least = len(SPECIAL_TOKENS) + 256 + len(IDIOMS)
    if vocab_size < least:
        raise ValueError(f"vocab_size is {vocab_size}; special tokens, bytes and idioms alone are {least}")
    empty = Qwen2Tokenizer().backend_tokenizer
    learner = Tokenizer(BPE())
    learner.normalizer, learner.pre_tokenizer = empty.normalizer, empty.pre_tokenizer
    between = re.compile("|".join(map(re.escape, sorted(IDIOMS, key=len, reverse=True))))
    trainer = BpeTrainer(
        vocab_size=vocab_size - len(IDIOMS),
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    learner.train_from_iterator((part for text in texts for part in between.split(text)), trainer)
    model = json.loads(learner.to_str())["model"]
    end, turn_start, turn_end = SPECIAL_TOKENS
    tokenizer = Qwen2Tokenizer(
        vocab=model["vocab"],
        merges=[tuple(pair) for pair in model["merges"]],  # type: ignore[misc]  # annotated as strings, taken as pairs
        unk_token=end,
        pad_token=end,
        eos_token=turn_end,
        additional_special_tokens=[turn_start],
        chat_template=CHAT_TEMPLATE,
        model_max_length=1024,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.add_tokens([AddedToken(idiom, normalized=False) for idiom in IDIOMS])
    return tokenizer
