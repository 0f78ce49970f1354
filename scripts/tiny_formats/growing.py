"""A model and its tokenizer with more tokens, whose embeddings begin as the mean of what spelled them before."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from tokenizers import AddedToken
from transformers import Qwen2ForCausalLM, Qwen2Tokenizer

__all__ = ["frequent_words", "grow"]

_WORD = re.compile(r" ?[A-Za-z]{2,}")


def frequent_words(
    texts: Iterable[str], known: Iterable[str], tokenizer: Qwen2Tokenizer, idioms: Sequence[str], most: int
) -> list[str]:
    """The words that make texts longest, as they are spelled by several tokens; the longest first.

    Args:
        texts: With these words, each with the space before it.
        known: Texts whose spelling is to stay as it is: a word that stands anywhere in them is passed over.
        tokenizer: Spells the words.
        idioms: Parts of texts that are not looked at, as they are going to be one token each.
        most: How many words.
    """
    between = re.compile("|".join(map(re.escape, sorted(idioms, key=len, reverse=True))))
    counts = Counter(word for text in texts for part in between.split(text) for word in _WORD.findall(part))
    together = "\n".join(known)
    tokens = {word: len(tokenizer(word)["input_ids"]) - 1 for word in counts if word not in together}
    return sorted(filter(tokens.get, tokens), key=lambda word: (-counts[word] * tokens[word], word))[:most]


def grow(
    model: Qwen2ForCausalLM, tokenizer: Qwen2Tokenizer, texts: Sequence[str], control_tokens: Sequence[str]
) -> None:
    """Add tokens in place: those that are there keep their ids and their embeddings.

    Args:
        model: With tied embeddings.
        tokenizer: The model's.
        texts: Each is one token from now on, wherever it stands.
        control_tokens: Tokens that no text is read as (`grpo.model.plain_text`).
    """
    num_before = len(tokenizer)
    spelled = {text: tokenizer(text)["input_ids"] for text in (*texts, *control_tokens)}
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in texts])
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in control_tokens], special_tokens=True)
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    weight, ids_of = model.model.embed_tokens.weight, tokenizer.get_vocab()
    with torch.no_grad():
        for text, ids in spelled.items():
            if ids_of[text] >= num_before:
                weight[ids_of[text]] = weight[ids].mean(0)
