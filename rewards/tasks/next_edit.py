r"""The task `next_edit`: a file, the edits made last, the cursor -> the next edit of the change that has begun.

The file's lines are numbered in the prompt, and the answer is one ```rust block that begins with `// lines A-B`, with
the new text of these lines behind it. A number stands before every line, so nothing in a file can be taken for the
prompt's own text. An edit may be anywhere, since the next use of a name may be far from the cursor. Every range of
lines can be replaced, so what is read can be applied. `rewards.line_edits` says by what program it is judged.

Left out: columns within a line, several files, and deciding that there is nothing to edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rewards.builtin import cargo_build, gold
from rewards.completion import GradedCompletion, Score
from rewards.line_edits.edit import LineEdit, lines_of, with_edits
from rewards.line_edits.judging import MAX_LINES, finished, refusal, taken_away, way_made
from rewards.line_edits.reading import FoundEdit, read_edit
from rewards.registry import reward
from rewards.tasks.task import Block, Extracted, Row, Task

__all__ = ["TASK", "edit_applies", "edit_builds", "next_edit_prompt", "remaining_edits", "taken_edit"]

KINDS = ("rename", "type", "field", "variant")  # of the rows of make_dataset.py, in their column `kind`
APPLIED = 0.2  # of `edit_applies`: an edit that does nothing of the change
BLOCKS: tuple[Block, ...] = ("first", "last")
SYSTEM_PROMPT = f"""\
You complete changes of Rust files. A change has begun: you see its last edits and the file after them, with numbered
lines and > instead of | behind the number of the cursor's line. Find the edit that comes next, here or elsewhere in the
file. Answer with exactly one fenced code block, opened by ```rust and closed by ```. Its first line says which lines of
the file you replace, the others are what stands there instead, without numbers:

```rust
// lines 4-5
the new text of lines 4 to 5
```

Replace at most {MAX_LINES} lines by at most {MAX_LINES}. To insert, repeat a line and add to it. To delete, give no
new text. Make the one edit that comes next, and use no names but those that the finished file has."""


def remaining_edits(row: Row) -> list[LineEdit]:
    """What is still to be edited in a row's file, the next edit first."""
    return [LineEdit(one["first"], one["last"], one["text"]) for one in row["edits"]]


def taken_edit(text: str, row: Row, block: Block = "first") -> FoundEdit:
    """The edit of an answer that can be applied to its row's file, or why there is none."""
    found = read_edit(text, block)
    if found.edit is None:
        return found
    reason = refusal(row["file"], found.edit, remaining_edits(row))
    return FoundEdit(None, reason) if reason else found


@reward(task="next_edit")
def edit_applies(completion: GradedCompletion) -> Score:
    """How far an edit comes: 0.2 for one that can be applied, 1 for one that does what is left to do.

    It changes lines that are there, and has no names of its own. What is above 0.2 is the share of the way from there
    to the finished program, by tokens, and all of it where gold tests were run and pass.
    """
    edit, reason = taken_edit(completion.text, completion.row, completion.block)
    if edit is None:
        return Score(0.0, reason)
    where = f"replaces lines {edit.first}-{edit.last}"
    if gold(completion).value == 1.0:
        return Score(1.0, f"{where}, and the gold tests pass")
    way = way_made(completion.row["file"], edit, remaining_edits(completion.row)) or 0.0
    return Score(APPLIED + (1.0 - APPLIED) * way, f"{where}: {way:.0%} of what is left to do")


@reward(phase="build", reads_gold=True, pays="code", task="next_edit")
def edit_builds(completion: GradedCompletion) -> Score:
    """1 when the program with the edit builds and lacks nothing that the finished one has, or passes gold tests.

    The program has those edits of the change that the answer does not touch; an edit that deletes what they are about
    builds as well, and `cargo_build` pays for it.
    """
    builds = cargo_build(completion)
    if builds.value != 1.0 or gold(completion).value == 1.0:
        return builds
    edit, reason = taken_edit(completion.text, completion.row, completion.block)
    if edit is None:
        return Score(0.0, reason)
    announced = "\n".join(one["new"] for one in completion.row["recent"])
    lacking = taken_away(completion.row["file"], edit, remaining_edits(completion.row), announced=announced)
    return Score(0.0, f"it takes away {lacking}, or a part of it") if lacking else builds


def _extract(text: str, row: Row, block: Block) -> Extracted:
    edit, reason = taken_edit(text, row, block)
    return Extracted(None, reason) if edit is None else Extracted(finished(row["file"], edit, remaining_edits(row)))


def next_edit_prompt(row: Row) -> str:
    """The user's message: the last edits as small diffs, then the file."""
    parts = ["Make the next edit of this file. Last edits:"]
    for one in row["recent"]:
        parts.append(f"@ line {one['line']}")
        parts += [
            f"{sign}{line.rstrip()}" for sign, name in (("-", "old"), ("+", "new")) for line in lines_of(one[name])
        ]
    parts.append("File, > marks the cursor:")
    for number, line in enumerate(lines_of(row["file"]), start=1):
        parts.append(f"{number}{'>' if number == row['cursor'] else '|'}{line.rstrip()}")
    parts.append("Answer with one ```rust block: `// lines A-B`, then the new text of these lines.")
    return "\n".join(parts)


def _facts(text: str, row: Row, code: str | None) -> Mapping[str, float | None]:
    """Whether the edit leaves the file as the right one does, and whether it changes a line that the right one does."""
    file, remaining = row["file"], remaining_edits(row)
    taken = (taken_edit(text, row, block).edit for block in BLOCKS)
    edit = next((one for one in taken if one is not None and finished(file, one, remaining) == code), None)
    if edit is None:
        return {"exact_match": 0.0, "on_place": 0.0}
    same = _plain(with_edits(file, [edit])) == _plain(with_edits(file, remaining[:1]))
    return {"exact_match": float(same), "on_place": float(same or edit.touches(remaining[0]))}


def _plain(text: str) -> list[str]:
    """A text without space at the ends of lines."""
    return [line.rstrip() for line in lines_of(text)]


def _problem(row: Row) -> str:
    """What is wrong with a row besides a missing file, in words; "" for nothing."""
    num_lines = len(lines_of(row["file"]))
    if not _is_count(row.get("cursor")) or not 1 <= row["cursor"] <= num_lines:
        return f"has no line of its file in column 'cursor', but {str(row.get('cursor'))[:40]!r}"
    if not _are(row.get("recent"), {"line": _is_count, "old": _is_text, "new": _is_text}):
        return "has no list of objects with line, old and new in column 'recent'"
    if not _are(row.get("edits"), {"first": _is_count, "last": _is_count, "text": _is_text}) or not row["edits"]:
        return "has no list of objects with first, last and text in column 'edits'"
    edits = remaining_edits(row)
    for number, edit in enumerate(edits):
        if any(edit.touches(other) for other in edits[:number]):
            return f"has edits in column 'edits' that both replace a line, the second of them from line {edit.first}"
        if edit.text and not edit.text.endswith("\n") and edit.last < num_lines:
            return f"has an edit of line {edit.first} in column 'edits' whose text does not end with a newline"
        if reason := refusal(row["file"], edit, edits):
            return f"has an edit in column 'edits' that cannot be taken: {reason}"
    return ""


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are(values: Any, fields: Mapping[str, Any]) -> bool:
    """Whether values are a list of objects with these fields, each of which holds what it should."""
    return isinstance(values, list) and all(
        isinstance(one, dict) and all(holds(one.get(name)) for name, holds in fields.items()) for one in values
    )


TASK = Task(
    name="next_edit",
    gives=frozenset({"program", "block"}),
    extract=_extract,
    columns={"file": "the file as it is after the last edits"},
    prompt=next_edit_prompt,
    system_prompt=SYSTEM_PROMPT,
    problem=_problem,
    facts=_facts,
    kind=lambda row: row["kind"] if row.get("kind") in KINDS else "",
)
