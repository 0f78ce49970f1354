"""A model family's own tokens for filling in the middle (FIM): found in its tokenizer, never guessed.

    start prefix-token PREFIX suffix-token SUFFIX middle-token -> MIDDLE end

The order is prefix, suffix, middle (PSM), in which all of these families were trained. Left out: families that put the
suffix first and have no token for the middle (Codestral), and names of files and repositories before the prefix.
Source: Bavarian et al., "Efficient Training of Language Models to Fill in the Middle" (arXiv 2207.14255), section 3;
the spellings are those of the families' own model cards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["FAMILIES", "FimFamily", "FimTokens", "find_fim"]


class FimFamily(NamedTuple):
    """How families spell their tokens."""

    names: str
    prefix: str
    suffix: str
    middle: str
    ends: tuple[str, ...]  # what may end a middle, those that the vocabulary has; the first is what training puts there


FAMILIES = (
    FimFamily(
        "Qwen2.5-Coder, Qwen3-Coder, CodeGemma, Granite 4",
        "<|fim_prefix|>",
        "<|fim_suffix|>",
        "<|fim_middle|>",
        ("<|endoftext|>", "<|file_separator|>", "<|file_sep|>", "<|fim_pad|>", "<|repo_name|>", "<|end_of_text|>"),
    ),
    FimFamily(
        "StarCoder, StarCoder2, Granite Code, Stable Code",
        "<fim_prefix>",
        "<fim_suffix>",
        "<fim_middle>",
        ("<|endoftext|>", "<file_sep>", "<fim_pad>", "<repo_name>", "<filename>"),
    ),
    FimFamily("SantaCoder", "<fim-prefix>", "<fim-suffix>", "<fim-middle>", ("<|endoftext|>", "<fim-pad>")),
    FimFamily(
        "DeepSeek-Coder, DeepSeek-Coder-V2",
        "<｜fim▁begin｜>",
        "<｜fim▁hole｜>",
        "<｜fim▁end｜>",
        ("<｜end▁of▁sentence｜>", "<|EOT|>"),
    ),
    FimFamily("CodeLlama", "▁<PRE>", "▁<SUF>", "▁<MID>", ("▁<EOT>",)),
)
EXACT = ("  fn f() {\n", " x", "\n\n\ty ")  # texts that a middle may begin with


@dataclass(frozen=True)
class FimTokens:
    """The tokens of one model, as ids."""

    start: tuple[int, ...]  # what its sequences begin with
    prefix: int
    suffix: int
    middle: int
    end: int  # what a middle is taught to end with
    stop_ids: frozenset[int]  # what ends a middle: no middle has any of them inside
    spellings: frozenset[str]  # of all of these
    is_exact: bool  # whether decoding gives back the white space that a text begins with

    def prompt(self, prefix: tuple[int, ...], suffix: tuple[int, ...]) -> tuple[int, ...]:
        """The prompt of what stands before and after, both as tokens."""
        return (*self.start, self.prefix, *prefix, self.suffix, *suffix, self.middle)


def find_fim(tokenizer: Any) -> FimTokens | None:
    """The tokens for filling in the middle that a tokenizer has as single tokens; None where it has none.

    Args:
        tokenizer: Of transformers.
    """
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    for family in FAMILIES:
        own = (family.prefix, family.suffix, family.middle)
        if not all(spelling in vocabulary for spelling in own):
            continue
        ends = [spelling for spelling in family.ends if spelling in vocabulary]
        if tokenizer.eos_token_id is not None:
            ends.append(str(tokenizer.eos_token))
        if not ends:
            continue  # a middle would never end
        prefix, suffix, middle = (vocabulary[spelling] for spelling in own)
        return FimTokens(
            start=_start(tokenizer),
            prefix=prefix,
            suffix=suffix,
            middle=middle,
            end=vocabulary[ends[0]],
            stop_ids=frozenset(vocabulary[spelling] for spelling in (*own, *ends) if spelling in vocabulary),
            spellings=frozenset((*own, *ends)),
            is_exact=_is_exact(tokenizer),
        )
    return None


def _start(tokenizer: Any) -> tuple[int, ...]:
    """The token that a tokenizer puts before every sequence, if it does."""
    first = tokenizer("")["input_ids"][:1]
    return tuple(first) if first and first[0] == tokenizer.bos_token_id else ()


def _is_exact(tokenizer: Any) -> bool:
    """Whether a text that begins with white space is the same after it was encoded and decoded after another one.

    A decoder that drops a space at the start of every text (CodeLlama's) cannot tell ` x` from `x`.
    """
    for text in EXACT:
        before, both = (tokenizer(part, add_special_tokens=False)["input_ids"] for part in ("a;", f"a;{text}"))
        if both[: len(before)] == before and tokenizer.decode(both[len(before) :]) != text:
            return False
    return True
