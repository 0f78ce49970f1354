"""The tables of docs/h100.md say what the file says: the card, how checks ended, and nothing that was not measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from check_gpu import main
from gpu_checks.page import BEGIN, END, PAGE, RESULTS, ROWS, block, write_page
from gpu_checks.record import read_record
from grpo.errors import BadInput
from grpo_rust.cli import ExitCode


def content(**changed: Any) -> dict[str, Any]:
    """What a run on a GPU with two checks has written."""
    head = {"status": "passed", "seconds": 3.0, "figures": {"ours_frozen_ms": 41.26, "ours_waits": 0}}
    failed = {"status": "failed", "seconds": 1.0, "figures": {"update_s": 4321.0}, "reason": "a | b\nc", "advice": "d"}
    return {
        "started": "2026-12-01T10:00:00+0000",
        "commit": {"id": "0123456789abcdef", "dirty": False},
        "packages": {"transformers": "5.17.0"},
        "machine": {"device": "cuda", "card": "A Card 80GB", "driver": "580.1", "cores": 16, "torch": "2.11.0+cu130"},
        "small": False,
        "checks": {"head": head, "update_lora": failed},
        **changed,
    }


def cells(text: str) -> dict[str, str]:
    """The table of figures as {label: cell}."""
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    return {row[0].strip(): row[1].strip() for row in rows if len(row) == 2}


def test_the_page_shows_the_committed_file_and_without_one_nothing() -> None:
    text = PAGE.read_text(encoding="utf-8")
    committed = read_record(RESULTS) if RESULTS.exists() else None
    assert block(committed) in text and text.count(BEGIN) == text.count(END) == 1


def test_cells_that_were_not_measured_are_empty() -> None:
    empty = cells(block(None))
    assert set(ROWS) <= set(empty) and not any(empty[label] for label in ROWS)
    filled = cells(block(content()))
    measured = {label: cell for label, cell in filled.items() if label in ROWS and cell}
    assert measured == {
        "head, frozen": "41.3 ms",
        "head: the host waits for the card": "0 times",
        "update, LoRA": "4,321 s",
    }
    assert filled[""] == "A Card 80GB"


def test_the_page_says_where_it_was_measured_and_what_failed() -> None:
    text = block(content())
    assert "2026-12-01, 16 cores: driver 580.1, torch 2.11.0+cu130, transformers 5.17.0, commit 0123456789ab" in text
    assert "| update_lora | failed | a / b c |" in text


def test_only_the_marked_part_of_a_page_changes(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_page(page, content())
    written = page.read_text()
    assert written == f"before\n{block(content())}\nafter\n" and "old" not in written
    write_page(page, content())
    assert page.read_text() == written


@pytest.mark.parametrize("changed", [{"small": True}, {"machine": {"device": "cpu"}}])
def test_figures_of_a_try_are_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="run without --small"):
        write_page(PAGE, content(**changed))


def test_a_page_without_marks_and_a_file_of_something_else_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{END} {BEGIN}")
    with pytest.raises(BadInput, match="no part between"):
        write_page(page, content())
    file = tmp_path / "other.json"
    for other in ({"checks": []}, {"machine": {"device": "cuda"}, "checks": {"head": 3}}):
        file.write_text(json.dumps(other))
        assert main(["--write-docs", str(file)]) == ExitCode.BAD_INPUT
        assert "is no file of check_gpu.py" in capsys.readouterr().err


def test_what_is_no_number_stays_empty() -> None:
    figures = {"ours_frozen_ms": float("nan"), "full_frozen_ms": "many", "ours_waits": None}
    head = {"status": "passed", "seconds": 3.0, "figures": figures}
    filled = cells(block(content(checks={"head": head})))
    assert not any(filled[label] for label in ROWS)


def test_every_row_names_a_check_and_no_figure_stands_twice() -> None:
    assert len({place[:2] for place in ROWS.values()}) == len(ROWS)
