"""Idioms of the formats: texts of prompts and answers that are one token each, as those of `tiny.idioms` are.

A prompt of these tasks has some sixty tokens of fixed words if they are spelled, and a model of four layers has to look
past all of them. The indentation of a line is a token too, so that the code behind it is spelled as it is in a program
whose first line it follows; else nothing could be copied token by token. Left out: what compilers say, but for the
frame around it.
"""

from __future__ import annotations

import re

from dataset.patching.family_drafts import ADDITIONS, CHANGES
from rewards.edits.search_replace import DIVIDER, REPLACE, SEARCH
from rewards.repairing.wording import ANSWER
from rewards.tasks.patch import ASKED, FILE

__all__ = ["FIM_TOKENS", "FORMAT_IDIOMS"]

FIM_TOKENS = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")  # as Qwen2.5-Coder spells them
_RUST = (
    *("    ", "let ", "mut ", ".clone()", "// ", " #[cfg(test)]\n"),
    *("#[derive(Debug, Clone, Copy, PartialEq)]", "#[derive(Debug, Clone, PartialEq)]"),
)
_REPAIR = (
    "This Rust program has to be repaired:\n\n",
    "```\n\nThe compiler says:\n\n```text\nsrc/main.rs:",
    ": error[E",
    "```\n\n" + ANSWER,
)
_INFILL = (
    "A part of this Rust program is missing at <MIDDLE>.\n\n",
    "<MIDDLE>",
    "```\n\nWrite the part that belongs there, and nothing of what stands around it, in one ```rust block.",
)
_PATCH = (
    *(f"\n\n{words}" for words in ASKED.values()),
    "```\n\n`",
    "` should return ",
    f"This test fails:\n\n```\n---- tests::works stdout ----\n\nthread 'tests::works' panicked at {FILE}:",
    "assertion `left == right` failed\n  left: ",
    "\n right: ",
    "assertion failed: ",
    "```\n\nRepair the program.",
    f"```diff\n--- a/{FILE}\n+++ b/{FILE}\n@@ -",
    " @@\n",
    *(f"{line}\n" for line in (SEARCH, DIVIDER, REPLACE)),
)
_REQUESTS = tuple(
    part.strip()
    for template in (*CHANGES, *ADDITIONS)
    for part in re.split(r"`?\{\w+\}`?", template)
    if len(part.strip()) > 2
)
_NEXT_EDIT = (
    "Make the next edit of this file. Last edits:\n",
    "@ line ",
    "File, > marks the cursor:\n",
    "Answer with one ```rust block: `// lines A-B`, then the new text of these lines.",
    "// lines ",
)
FORMAT_IDIOMS: tuple[str, ...] = tuple(dict.fromkeys((*_RUST, *_REPAIR, *_INFILL, *_PATCH, *_REQUESTS, *_NEXT_EDIT)))
