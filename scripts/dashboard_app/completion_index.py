"""Where each completion of a run lies in `completions.jsonl`, and the few columns that it is looked for by.

The table is sqlite in memory: some 200 bytes a completion, while the texts, kilobytes each, stay on the disk. After a
resume the last record of a completion counts. Texts in the table are `visible`: half surrogates cannot be stored, and
what hides or reorders characters is a sign. Several threads may use one index.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from grpo_rust.report.reading import CompletionIndex, Record, index_entry
from grpo_rust.report.visible import shortened, visible

__all__ = ["ORDERS", "CompletionTable", "Wanted", "error_codes", "steps_of"]

UNCODED = "no code"  # of an error that rustc gives no code, such as a syntax error
_MOST_CODES = 20  # of one completion
_NAME_CHARACTERS = 1_000
ORDERS = {  # what a reader chooses -> how rows are sorted
    "newest first": "step DESC, rowid DESC",
    "oldest first": "step, rowid",
    "highest reward": "reward DESC, rowid",
    "lowest reward": "reward IS NULL, reward, rowid",
}
_COLUMNS = 'id, "group", step, phase, task, reward, passed, outcome, offset'
_SCHEMA = """
CREATE TABLE completion (phase TEXT, id TEXT, "group" TEXT, step INTEGER, task TEXT, reward REAL, passed REAL,
    outcome TEXT, offset INTEGER, kind TEXT, PRIMARY KEY (phase, id));
CREATE INDEX by_step ON completion (phase, step, outcome);
CREATE INDEX by_group ON completion (phase, "group");
CREATE TABLE mistake (phase TEXT, id TEXT, code TEXT, step INTEGER, PRIMARY KEY (phase, id, code)) WITHOUT ROWID;
CREATE INDEX by_code ON mistake (phase, step, code);
"""


@dataclass(frozen=True)
class Wanted:
    """What to look for; a field that is None, empty or 0 wants nothing in particular."""

    phase: str = ""  # "train" or "eval"
    first_step: int | None = None
    last_step: int | None = None
    task: str = ""  # a part of the task's id, whatever its case, or its kind: "repair"
    outcomes: tuple[str, ...] = ()
    code: str = ""  # of a compiler's or linter's error

    def condition(self) -> tuple[str, list[Any]]:
        """The condition in SQL, and the values of its question marks.

        >>> Wanted(task="Sum", outcomes=("passed", "timeout")).condition()
        ('(instr(lower(task), lower(?)) OR kind = lower(?)) AND outcome IN (?,?)', ['Sum', 'Sum', 'passed', 'timeout'])
        """
        parts: list[tuple[str, list[Any]]] = []
        if self.phase:
            parts.append(("phase = ?", [self.phase]))
        if self.first_step is not None:
            parts.append(("step >= ?", [self.first_step]))
        if self.last_step is not None:
            parts.append(("step <= ?", [self.last_step]))
        if self.task:
            parts.append(("(instr(lower(task), lower(?)) OR kind = lower(?))", [visible(self.task)] * 2))
        if self.outcomes:
            parts.append((f"outcome IN ({','.join('?' * len(self.outcomes))})", list(self.outcomes)))
        if self.code:
            same = "mistake.phase = completion.phase AND mistake.id = completion.id AND mistake.code = ?"
            parts.append((f"EXISTS (SELECT 1 FROM mistake WHERE {same})", [visible(self.code)]))
        return " AND ".join(text for text, _ in parts) or "1", [value for _, values in parts for value in values]


class CompletionTable:
    """The index of one run's completions.

    >>> table = CompletionTable()
    >>> table.add([(0, {"id": "s1-p0-c0", "step": 1, "task_id": "sum", "reward": 2.0})])
    >>> table.count(Wanted(task="SU")), table.find(Wanted())[0].group
    (1, 's1-p0')
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._sql = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._sql.executescript(_SCHEMA)

    def clear(self) -> None:
        """Forget everything: the file became another one."""
        with self._lock:
            self._sql.executescript("DELETE FROM completion; DELETE FROM mistake;")

    def add(self, lines: Iterable[tuple[int, Record]]) -> None:
        """Take lines of `completions.jsonl`: the byte offset and the record of each."""
        rows, codes = [], {}
        for offset, record in lines:
            entry = index_entry(offset, record)
            phase, name = _name(entry.phase), _name(entry.id)
            told = (_name(entry.group), entry.step, _name(entry.task_id), entry.reward, entry.passed)
            rows.append((phase, name, *told, _name(entry.outcome), offset, _name(str(record.get("task") or ""))))
            codes[phase, name] = [(phase, name, _name(code), entry.step) for code in error_codes(record)]
        with self._lock:
            self._sql.execute("BEGIN")
            self._sql.executemany("DELETE FROM mistake WHERE phase = ? AND id = ?", [row[:2] for row in rows])
            self._sql.executemany("INSERT OR REPLACE INTO completion VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
            self._sql.executemany("INSERT OR REPLACE INTO mistake VALUES (?,?,?,?)", chain(*codes.values()))
            self._sql.execute("COMMIT")

    def count(self, wanted: Wanted) -> int:
        """How many completions there are of what is wanted."""
        condition, values = wanted.condition()
        return int(self._rows(f"SELECT count(*) FROM completion WHERE {condition}", values)[0][0])

    def find(self, wanted: Wanted, order: str = "oldest first", most: int = 25, skip: int = 0) -> list[CompletionIndex]:
        """One page of what is wanted.

        Args:
            wanted: The filter.
            order: A key of `ORDERS`.
            most: Completions of a page.
            skip: Completions on the pages before it.
        """
        condition, values = wanted.condition()
        text = f"SELECT {_COLUMNS} FROM completion WHERE {condition} ORDER BY {ORDERS[order]} LIMIT ? OFFSET ?"
        return [CompletionIndex(*row) for row in self._rows(text, [*values, most, skip])]

    def groups(self, phase: str, step: int) -> dict[str, str]:
        """The groups of a step, in the order of the file, each with its task."""
        text = 'SELECT "group", task FROM completion WHERE phase = ? AND step = ? ORDER BY rowid'
        return dict(self._rows(text, [phase, step]))

    def group(self, phase: str, group: str) -> list[CompletionIndex]:
        """The completions of a group, in the order of the file."""
        text = f'SELECT {_COLUMNS} FROM completion WHERE phase = ? AND "group" = ? ORDER BY rowid'
        return [CompletionIndex(*row) for row in self._rows(text, [phase, group])]

    def steps(self, phase: str) -> list[int]:
        """The steps that have completions."""
        return [
            row[0] for row in self._rows("SELECT DISTINCT step FROM completion WHERE phase = ? ORDER BY 1", [phase])
        ]

    def outcomes(self, phase: str = "train") -> dict[int, Counter[str]]:
        """Completions by outcome, for each step."""
        text = "SELECT step, outcome, count(*) FROM completion WHERE phase = ? GROUP BY step, outcome"
        return _counters(self._rows(text, [phase]))

    def mistakes(self, phase: str = "train") -> dict[int, Counter[str]]:
        """Completions with an error of each code, for each step; a completion may have several."""
        text = "SELECT step, code, count(*) FROM mistake WHERE phase = ? GROUP BY step, code"
        return _counters(self._rows(text, [phase]))

    def _rows(self, text: str, values: Sequence[Any]) -> list[Any]:
        with self._lock:
            return self._sql.execute(text, values).fetchall()


def error_codes(record: Record) -> list[str]:
    """The distinct codes of the errors in a completion's verdict; warnings are none.

    >>> error_codes({"verdict": {"diagnostics": [{"level": "error", "code": "E0308"}, {"level": "error"}]}})
    ['E0308', 'no code']
    """
    verdict = record.get("verdict")
    listed = verdict.get("diagnostics") if isinstance(verdict, dict) else None
    found = (item for item in (listed if isinstance(listed, list) else ()) if isinstance(item, dict))
    codes = [item.get("code") for item in found if item.get("level") == "error"]
    return list(dict.fromkeys(code if isinstance(code, str) and code else UNCODED for code in codes))[:_MOST_CODES]


def steps_of(text: str) -> tuple[int | None, int | None]:
    """The first and the last step that a reader asks for; None for no limit, and both for what is no such range.

    >>> steps_of("12"), steps_of("10-20"), steps_of("10-"), steps_of("")
    ((12, 12), (10, 20), (10, None), (None, None))
    """
    match = re.fullmatch(r"\s*(\d{0,15})\s*(-?)\s*(\d{0,15})\s*", text, re.ASCII)
    if match is None:
        return None, None
    first, last = (int(part) if part else None for part in (match[1], match[3] if match[2] else match[1]))
    return first, last


def _name(text: str) -> str:
    """Text as the table holds it."""
    return visible(shortened(text, _NAME_CHARACTERS)[0])


def _counters(rows: Sequence[tuple[int, str, int]]) -> dict[int, Counter[str]]:
    """Counts of names by step."""
    found: dict[int, Counter[str]] = {}
    for step, name, count in rows:
        found.setdefault(step, Counter())[name] = count
    return found
