"""The documented sequence from raw prompts to the comparison's picture runs as it is written, with smaller numbers."""

from __future__ import annotations

import importlib
import json
import re
import shlex
from pathlib import Path

import pytest

from scripted_api import scripted

PAGE = Path(__file__).parents[2] / "docs" / "evaluation.md"
HEADING = "## From raw prompts to the picture\n"
FOLDER = "runs/experiment"
SMALLER = (("--python 300", "--python 40"), ("--split-sizes 200 60 0", "--split-sizes 16 6 0"))
SMALLER_RUN = (
    ("max_steps=40", "max_steps=2 train.prompts_per_step=2 sampling.group_size=4"),
    ("samples=4", "samples=2"),
)
PROGRAM = "fn f() -> i32 { 1 }\n#[cfg(test)]\nmod tests { #[test] fn t() { assert_eq!(super::f(), 1); } }"


def sequence() -> tuple[list[str], list[str]]:
    """The commands of the section, and those about a model behind an API."""
    section = PAGE.read_text(encoding="utf-8").split(HEADING)[1].split("\n## ")[0]
    blocks = [block.replace("\\\n", " ").splitlines() for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL)]
    assert len(blocks) == 2
    return blocks[0], blocks[1]


def run(line: str, folder: Path, *more: str) -> None:
    """A line of the page, within this process and in another folder."""
    for before, after in (*SMALLER, *SMALLER_RUN, (FOLDER, str(folder))):
        line = line.replace(before, after)
    python, script, *words = shlex.split(line, comments=True)
    assert python == ".venv/bin/python"
    assert importlib.import_module(Path(script).stem).main([*words, *more]) == 0


def test_raw_prompts_become_data_a_baseline_a_training_and_a_comparison(tmp_path: Path, in_place: None) -> None:
    folder = tmp_path / "experiment"
    lines, about_apis = sequence()
    for line in lines[:-1]:
        run(line, folder)
    with scripted("well", text=f"```rust\n{PROGRAM}\n```") as server:
        run(about_apis[0].replace("https://HOST/v1", server.url), folder)
    run(lines[-1], folder)
    run(about_apis[1], folder)
    data = json.loads((folder / "data" / "manifest.json").read_text())
    assert {name: file["rows"] for name, file in data["files"].items()} == {"train.parquet": 16, "eval.parquet": 6}
    written = [json.loads(line) for line in (folder / "run" / "completions.jsonl").read_text().splitlines()]
    trained = [row["task_id"] for row in written if row["phase"] == "train"]
    asked = {json.loads(line)["task_id"] for line in (folder / "before.jsonl").read_text().splitlines()}
    assert len(trained) == 2 * 2 * 4 and len(asked) == 6 and not asked & set(trained)
    page = (folder / "comparison.md").read_text()
    assert "| tiny-rust | 6 x 2 |" in page and "| run-step-000002 | 6 x 2 |" in page and "| other |" not in page
    assert "<svg" in (folder / "comparison.svg").read_text()
    assert "| other | 6 x 2 |" in (folder / "with_other.md").read_text()


@pytest.mark.parametrize("number", [0, 1])
def test_every_command_of_the_section_is_run(number: int) -> None:
    scripts = {line.split()[1] for line in sequence()[number]}
    assert scripts <= {f"scripts/{name}.py" for name in ("make_dataset", "eval_model", "train")}
