"""Texts, their diffs, and diffs with a mistake in them, for the tests of `rewards.edits`: all from a seed."""

from __future__ import annotations

import difflib
import random

from rewards.edits.edited import lines_of
from rewards.edits.writing import NO_NEWLINE, diff_of

__all__ = ["FILE", "draw_diff", "mutated"]

FILE = "src/lib.rs"
WORDS = (
    "a",
    "b",
    "c",
    "d",
    "}",
    "",
    "  x",
    "    y;",
    "-- z",
    "++ w",
    "@@ -1 +1 @@",
    "\\ No",
    "\u2028q",
    "r\r",
    "v\x0c",
)


def draw_diff(rng: random.Random) -> tuple[str, str]:
    """A text and a right diff of it, with 0 to 4 lines of context."""
    words = rng.sample(WORDS, rng.randint(2, len(WORDS)))
    text = _text(rng, words, rng.randint(0, 24))
    lines = lines_of(text)
    for _ in range(rng.randint(1, 5)):
        place = rng.randint(0, len(lines))
        lines[place : place + rng.choice((0, 0, 1, 1, 2, 4))] = lines_of(_text(rng, words, rng.choice((0, 1, 1, 3))))
    after = "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
    after = after if rng.random() < 0.8 else after.removesuffix("\n")
    if rng.random() < 0.6:
        return text, diff_of(text, after, FILE)
    context = rng.choice((0, 1, 2, 4))
    found = difflib.unified_diff(lines_of(text), lines_of(after), f"a/{FILE}", f"b/{FILE}", n=context)
    return text, "".join(line if line.endswith("\n") else f"{line}\n{NO_NEWLINE}\n" for line in found)


def _text(rng: random.Random, words: list[str], num_lines: int) -> str:
    text = "".join(f"{rng.choice(words)}\n" for _ in range(num_lines))
    return text if rng.random() < 0.8 else text.removesuffix("\n")


def mutated(diff: str, rng: random.Random) -> str:
    """The diff with one to three changes that a model may make by mistake."""
    lines = diff.split("\n")
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(lines))
        kind = rng.randrange(10)
        headers = [n for n, line in enumerate(lines) if line.startswith("@@ -")]
        if kind == 0:
            del lines[place]
        elif kind == 1:
            lines.insert(place, rng.choice(lines))
        elif kind == 2:
            lines[place] = rng.choice((" ", "+", "-", "", "\\", "@")) + lines[place][1:]
        elif kind == 3 and headers:  # a number of a header
            header = rng.choice(headers)
            parts = lines[header].split(" ")
            which = rng.choice((1, 2))
            parts[which] = parts[which][:1] + str(rng.choice((0, 1, 2, 3, 5, 9, 40))) + parts[which][2:]
            lines[header] = " ".join(parts)
        elif kind == 4 and len(headers) > 1:  # hunks in another order
            start, end = sorted(rng.sample([*headers[1:], len(lines) - 1], 1) + [headers[0]])
            lines[headers[0] :] = [*lines[end:-1], *lines[start:end], ""]
        elif kind == 5:
            lines.insert(place, rng.choice((NO_NEWLINE, "", "text", "--- a/x", "+++ b/x", "diff --git a/x b/x")))
        elif kind == 6:
            lines[place] = lines[place].rstrip() + rng.choice(("", " ", "x", "\r"))
        elif kind == 7 and headers:  # without lengths
            lines[rng.choice(headers)] = rng.choice(("@@ -1 +1 @@", "@@ -0,0 +1 @@", "@@ -2 +2 @@ fn f()", "@@ @@"))
        elif kind == 8 and headers:  # a hunk twice
            start = rng.choice(headers)
            end = next((n for n in headers if n > start), len(lines) - 1)
            lines[end:end] = lines[start:end]
        elif kind == 9 and rng.random() < 0.3:
            name = rng.choice(("/dev/null", "a/../src/lib.rs", "src/lib.rs", "/src/lib.rs", f"a/{FILE}\t2026-01-01"))
            lines[:2] = [f"--- {name}", *lines[1:2]]
        lines = lines if lines else [""]
    return "\n".join(lines)
