"""The YAML at the top of a model card, as the hub reads it: base model, licence, data sets, tags, evaluations.

Promises a header that huggingface_hub reads back to the same values, and only names that exist on the hub: a local base
model or file of data is described in the text instead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from grpo.checkpoint.checksums import sha256_of
from grpo_rust.checks import PASS_CHECKS
from grpo_rust.report.reading import number
from publishing.finished import DataSet, FinishedRun
from publishing.private import nameless

__all__ = ["BaseModel", "base_model_of", "header_yaml"]

HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
NO_LICENSE = "unknown"  # the hub's own word


@dataclass(frozen=True)
class BaseModel:
    """What training began from."""

    name: str  # to show: a hub name, or a folder's last name
    hub_name: str  # empty for a model that is only a folder here
    license: str
    sha256: str = ""  # of a folder's weights, where they are one file


def base_model_of(run: FinishedRun, *, hub_name: str = "", license: str = "") -> BaseModel:
    """The base model of a run.

    Args:
        run: The run.
        hub_name: Its name on the hub, where the run began from a copy.
        license: The licence, where the base's own card does not say it.
    """
    source = run.recipe.model.path
    folder = Path(source)
    weights = folder / "model.safetensors"
    known = hub_name or ("" if folder.is_dir() or not HUB_NAME.fullmatch(source) else source)
    return BaseModel(
        name=known or nameless(str(source)),
        hub_name=known,
        license=license or _license_of(folder / "README.md") or NO_LICENSE,
        sha256=sha256_of(weights) if weights.is_file() else "",
    )


def _license_of(card: Path) -> str:
    """The licence that a model card declares in its header; empty where there is none."""
    if not card.is_file():
        return ""
    header = re.match(r"---\n(.*?)\n---\n", card.read_text(encoding="utf-8", errors="replace"), re.DOTALL)
    found = re.search(r"^license: *['\"]?([\w.-]+)", header[1], re.MULTILINE) if header else None
    return found[1] if found else ""


def header_yaml(run: FinishedRun, base: BaseModel, data: Sequence[DataSet]) -> str:
    """The header, without its lines of dashes."""
    tags = ["rust", "code", "grpo-rust", "sft" if run.is_supervised else "grpo"]
    tags += [] if run.is_supervised else ["reinforcement-learning"]
    tags += ["lora"] if run.recipe.lora.rank else []
    further: dict[str, Any] = {"base_model_relation": "finetune"} if base.hub_name else {}
    header = ModelCardData(
        base_model=base.hub_name or None,
        datasets=[one.hub_name for one in data if one.hub_name] or None,
        license=base.license,
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=tags,
        model_name=run.name,
        eval_results=_results(run, data) or None,
        **further,
    )
    return str(header.to_yaml()).strip()


def _results(run: FinishedRun, data: Sequence[DataSet]) -> list[EvalResult]:
    """The pass rates of the published checkpoint, in percent."""
    evaluated = [one for one in data if one.setting == "data.eval"]
    if run.after is None or not evaluated:
        return []
    name = " + ".join(one.hub_name or Path(one.name).name for one in evaluated)
    return [
        EvalResult(
            task_type="text-generation",
            task_name="Rust programs with tests",
            dataset_type=evaluated[0].hub_name or Path(name).stem,
            dataset_name=name,
            metric_type=check,
            metric_name=f"{label}, % of completions",
            metric_value=round(100 * rate, 2),
            metric_args={"temperature": run.recipe.eval.temperature, "top_p": run.recipe.eval.top_p},
        )
        for check, label in PASS_CHECKS.items()
        if (rate := number(run.after.get(f"eval/{check}"))) is not None
    ]
