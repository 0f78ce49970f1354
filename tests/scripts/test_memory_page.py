"""docs/h100.md: every figure of its two tables of memory is the one that a dry run of its settings prints."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest

from grpo_rust.arguments import parse_arguments
from grpo_rust.known_sizes import known_config
from grpo_rust.plan import plan

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "h100.md").read_text(encoding="utf-8")
HALF_A_DIGIT, HALF_A_GB = 0.05, 0.55  # GB; a dry run prints one digit, so a figure without one is rounded twice
VERDICTS = {"": "yes", "barely": "barely", "does not fit": "NO"}


class Cell(NamedTuple):
    """A figure of the page, and the words of the command that it is from; without a figure it only does not fit."""

    name: str
    text: str
    words: list[str]


def table(header: str) -> list[list[str]]:
    """The cells of a table's rows, the header and the rule under it left out."""
    (start,) = (match.end() for match in re.finditer(rf"^\| {re.escape(header)}.*\n\|[-|]+\n", PAGE, re.MULTILINE))
    return [
        [cell.strip() for cell in row.strip("|").split("|")] for row in PAGE[start:].partition("\n\n")[0].split("\n")
    ]


def commands_after(text: str) -> list[list[str]]:
    """The arguments of each command in the first block of commands after a text, without its interpreter and script."""
    block = PAGE.partition(text)[2].partition("```sh\n")[2].partition("```")[0].replace("\\\n", " ")
    return [shlex.split(line, comments=True)[2:] for line in block.splitlines()]


def cells_by_settings() -> list[Cell]:
    """The first table: settings beside a command, where `...` stands for those of the row above.

    With "(in place of ...)" the dots leave out what the row above added.
    """
    (command,) = re.findall(r"Estimated by `scripts/train\.py (.*) SETTINGS`", PAGE)
    cells: list[Cell] = []
    above: list[str] = []
    added: list[str] = []
    for name, cell, memory in table("| settings | memory |"):
        dots, *words = (re.findall(r"`(.*)`", cell) or [""])[0].split() or [""]
        kept = [word for word in above if "in place of" not in cell or word not in added] if dots == "..." else []
        added = words if dots == "..." else [word for word in (dots, *words) if word]
        above = [*kept, *added]
        cells.append(Cell(name, memory, [*command.split(), *above]))
    return cells


def cells_by_size() -> list[Cell]:
    """The second table: the page's first three commands with each row's model, or the recipe for that model."""
    *three, for_3b, for_8b = commands_after("### Beside the published table")
    own = {"Qwen2.5-Coder-3B": for_3b, "Llama-3.1-8B": for_8b}
    cells = []
    for size, _, *memories in table("size | published, LoRA"):
        (model,) = re.findall(r"\((.*)\)", size)
        assert known_config(model), "a model that has a plan without a download"
        for number, (memory, words) in enumerate(zip(memories, three, strict=True)):
            words = [*words, f"model.path={model}-Instruct"]
            cells.append(Cell(f"{size}, column {number}", memory, own.get(model, words) if number == 2 else words))
    return cells


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Away from data that may be here, without a hub, whatever GPU there is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("grpo_rust.resources._device_bytes", lambda device: ("its GPU", None))


def planned(words: list[str]) -> tuple[float, str]:
    """The GB of a dry run, and whether one H100 has them: yes, barely or NO."""
    text = plan(parse_arguments([*words, "run.dir=none"]).recipe)
    memory = re.search(r"^memory +about ([\d.]+) GB", text, re.MULTILINE)
    fits = re.search(r"^fits +(NO|one H100 has 80\.0 GB: (yes|barely)$)", text, re.MULTILINE)
    assert memory and fits
    return float(memory[1]), fits[2] or "NO"


def test_the_tables_are_read_whole() -> None:
    assert (len(cells_by_settings()), len(cells_by_size())) == (9, 12)
    assert cells_by_settings()[3].words[3:] == ["lora.rank=0", "loss.kl_beta=0.04", "train.optimizer=adamw8bit"]


@pytest.mark.parametrize("cell", [*cells_by_settings(), *cells_by_size()], ids=lambda cell: cell.name)
def test_a_figure_of_the_page_is_what_the_dry_run_prints(cell: Cell) -> None:
    found = re.fullmatch(r"(?:([\d.]+) GB)?(?:: )?(barely|does not fit)?(, vLLM's cache 8 GB)?", cell.text)
    assert found, "a figure, a verdict, or both"
    figure, verdict, _ = found.groups(default="")
    memory, fits = planned(cell.words)
    assert fits == VERDICTS[verdict]
    if figure:
        assert memory == pytest.approx(float(figure), abs=HALF_A_DIGIT if "." in figure else HALF_A_GB)


def test_a_reference_takes_nothing_where_adapters_are_trained() -> None:
    (cell,) = (cell for cell in cells_by_settings() if cell.name == "3B, LoRA, with or without a reference")
    assert planned(cell.words) == planned([*cell.words, "loss.kl_beta=0.04"])
