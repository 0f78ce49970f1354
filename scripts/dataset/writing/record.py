"""What was written, how, and what became of every prompt: the manifest, and the counts for people."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dataset.making import own_version
from dataset.published.extracting import NoSignature, Signature, signature_of
from dataset.sources import file_of
from dataset.splits import RULE, SPLITS
from dataset.writing.drafts import Draft, Dropped, Written
from dataset.writing.passes import PASSES
from grpo.checkpoint.checksums import sha256_of
from grpo.whole_file import whole_file
from remote_api.asking import Prices, usage_of
from remote_api.journal import Journal

__all__ = ["COLUMNS", "Outcomes", "manifest", "table", "write_splits"]

COLUMNS = ("task_id", "rust_prompt", "rust_code", "rust_test_list", "signature", "types")  # the published ones first
STEPS = {  # what a prompt has done that comes through it
    "rewrite": "rewritten for Rust",
    "code": "with Rust code",
    "tests": "with tests",
    "grading": "code passes its tests",
    "repeats": "with a task that no earlier row has",
}


@dataclass(frozen=True)
class Outcomes:
    """What became of the prompts, step by step."""

    chosen: Mapping[str, int]  # rows by step, before any model was asked
    digest: str  # of the prompts
    found: Mapping[str, Written | Dropped]  # by name
    splits: Mapping[str, Sequence[Draft]]
    surplus: int  # rows that pass, of splits that are full

    @property
    def kept(self) -> list[Written]:
        return [one for one in self.found.values() if not isinstance(one, Dropped)]

    @property
    def dropped(self) -> dict[str, Dropped]:
        return {name: one for name, one in self.found.items() if isinstance(one, Dropped)}

    @property
    def reasons(self) -> Counter[str]:
        """How many prompts were dropped, by reason."""
        return Counter(one.reason for one in self.dropped.values())

    @property
    def counts(self) -> dict[str, int]:
        """How many there were at each step, in order."""
        counts, left = {**self.chosen, "prompts": len(self.found)}, len(self.found)
        lost = Counter(one.step for one in self.dropped.values())
        for step, name in STEPS.items():
            left -= lost[step]
            counts[name] = left
        written = {name: len(rows) for name, rows in self.splits.items()}
        return {**counts, "left over, as their split is full": self.surplus, **written}


def write_splits(splits: Mapping[str, Sequence[Draft]], folder: Path) -> list[Path]:
    """Write a parquet file for each split that has rows, and remove those of an earlier session that has none now."""
    import pyarrow  # only here: it takes a moment to load
    from pyarrow import parquet

    texts, strings = pyarrow.string(), pyarrow.list_(pyarrow.string())
    schema = pyarrow.schema([(name, strings if name == "rust_test_list" else texts) for name in COLUMNS])
    written = []
    for name, rows in splits.items():
        path = folder / f"{name}.parquet"
        if rows:
            with whole_file(path) as unfinished:
                parquet.write_table(pyarrow.Table.from_pylist([_row(draft) for draft in rows], schema), unfinished)
            written.append(path)
        else:
            path.unlink(missing_ok=True)
    return written


def _row(draft: Draft) -> dict[str, Any]:
    """The row of a draft, with the signature that its tests call; empty where that cannot be said."""
    try:
        found = signature_of(draft.rust_code, draft.rust_test_list)
    except NoSignature:
        found = Signature("", "")
    return {**asdict(draft), "signature": found.text, "types": found.types}


def manifest(
    outcomes: Outcomes, files: Sequence[Path], journal: Journal, prices: Prices, more: Mapping[str, Any]
) -> dict[str, Any]:
    """The manifest, as plain JSON values.

    Args:
        outcomes: What became of the prompts.
        files: That were written.
        journal: Has all answers, those to rows that the sources had once too.
        prices: Of tokens.
        more: {"made_by", "sources", "sizes", "finished", "selection", "rust"} of this session.
    """
    by_pass = {name: [answer for slot, answer in journal.answers.items() if slot[1] == name] for name in PASSES}
    header = journal.header
    return {
        "made_by": more["made_by"],
        "versions": {"python": platform.python_version(), "grpo-rust": own_version(), "rust": more["rust"]},
        "sources": {one: sha256_of(file_of(one)) for one in more["sources"] if file_of(one).is_file()},
        "prompts_sha256": outcomes.digest,
        **{name: header[name] for name in ("model", "base_url", "body", "instructions", "begun")},
        "finished": more["finished"],
        "selection": more["selection"],
        "counts": outcomes.counts,
        "skipped": dict(outcomes.reasons.most_common()),
        "gold_tests": dict(Counter(kind for _, kind in outcomes.kept)),
        "asserts": sum(len(draft.rust_test_list) for draft, _ in outcomes.kept),
        "split": {"sizes": dict(zip(SPLITS, more["sizes"], strict=True)), "rule": " ".join(RULE.split())},
        "files": {path.name: {"rows": len(outcomes.splits[path.stem]), "sha256": sha256_of(path)} for path in files},
        "columns": list(COLUMNS),
        "answers": {name: {"count": len(found), **asdict(usage_of(found))} for name, found in by_pass.items()},
        "usd": prices.usd(usage_of(journal.answers.values())),
        "usd_per_million_tokens": asdict(prices),
        "skipped_tasks": {name: str(dropped) for name, dropped in outcomes.dropped.items()},
    }


def table(outcomes: Outcomes) -> str:
    """The counts, for people."""
    lines = [(str(count), name) for name, count in outcomes.counts.items()]
    lines += [(str(count), f"left out: {reason}") for reason, count in outcomes.reasons.most_common()]
    width = max(len(count) for count, _ in lines)
    return "\n".join(f"{count:>{width}}  {text}" for count, text in lines)
