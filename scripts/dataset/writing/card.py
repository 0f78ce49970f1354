"""The data set card: README.md with a head that the hub and `datasets` read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dataset.splits import RULE

__all__ = ["data_set_card"]

COLUMNS = """\
| column | what it holds |
|---|---|
| `task_id` | the name of the task in its source |
| `rust_prompt` | the task |
| `rust_code` | Rust code that solves it, without tests |
| `rust_test_list` | its tests: a list of assert statements |
| `signature`, `types` | what the tests call, and the code's own types in it; the prompt does not show them |
"""


def data_set_card(name: str, license: str, found: Mapping[str, Any]) -> str:
    """The card of a data set.

    Args:
        name: What the data set is called.
        license: As the hub names it, such as "cc-by-4.0".
        found: The manifest, and "made_from", the sources.
    """
    return f"{_head(license, found)}\n{_body(name, found)}"


def _head(license: str, found: Mapping[str, Any]) -> str:
    """The head, in YAML."""
    lines = ["---", f"license: {license}", "task_categories:", "- text-generation", "language:", "- en", "tags:"]
    lines += ["- code", "- rust", "- synthetic", "configs:", "- config_name: default", "  data_files:"]
    for file in found["files"]:
        lines += [f"  - split: {file.removesuffix('.parquet')}", f"    path: {file}"]
    return "\n".join([*lines, "---", ""])


def _body(name: str, found: Mapping[str, Any]) -> str:
    """What a reader has to know."""
    counts = "".join(f"| {step} | {count:,} |\n" for step, count in found["counts"].items())
    reasons = "".join(f"| {reason} | {count:,} |\n" for reason, count in found["skipped"].items())
    skipped = f"\n| left out | prompts |\n|---|---|\n{reasons}" if reasons else ""
    named = (source if source.startswith("hf:") else Path(source).name for source in found["made_from"])
    sources = ", ".join(f"`{source}`" for source in named)
    return f"""\
# {name}

Programming tasks in Rust with a solution and tests, made from Python tasks ({sources}) by the language model
`{found['model']}`, from {found['begun'][:10]} to {found['finished'][:10]}.

{COLUMNS}
## How it was made

The model was asked three times for each task: to write the task anew for Rust, to solve it, and to write asserts for
the solution. Kept is what passes in a sandbox with {found['versions']['rust']}, judged twice: the solution
with its tests as one program, whose tests must pass and must notice changes of the solution; and the asserts as gold
tests, which are put to any program that solves the task. Nobody read the rows: a solution and its tests may agree with
each other and not with the task. The licences of the sources and the terms of the model apply beside the licence above.

| step | rows |
|---|---|
{counts}{skipped}
{RULE}

`manifest.json` has the SHA-256 of sources, instructions and files, the settings of the requests, and why each missing
task was left out.
"""
