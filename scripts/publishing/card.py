"""The text of a model card: every figure is one of the run's files, and what they do not show is said.

Promises no path, user or machine name (`publishing.private` checks that of the whole folder), and the same text for the
same run. Left out: the YAML header (`publishing.header`).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grpo.schema import defaults
from grpo_rust.recipe import Recipe
from grpo_rust.report.reading import number
from grpo_rust.report.table import Row, by_task, rows
from publishing.finished import DataSet, FinishedRun
from publishing.header import NO_LICENSE, BaseModel
from publishing.private import nameless
from rewards.group_rewards import GROUP_REWARDS
from rewards.registry import REWARDS

__all__ = ["RECIPE_FILE", "card_text"]

RECIPE_FILE = "recipe.toml"  # in the folder: every setting of the run
TOLD_ELSEWHERE = {"run.name", "run.dir", "run.resume", "model.path", "data.train", "data.eval", "rewards.weights"}
FEW_PROMPTS = 200  # below it, intervals of rates are wider than 7 points


def card_text(run: FinishedRun, base: BaseModel, data: Sequence[DataSet], files: Sequence[str]) -> str:
    """The card below its header.

    Args:
        run: The run.
        base: What it began from.
        data: What it was trained and evaluated on.
        files: The names of the folder's files, which decide what is said of adapters and GGUF.
    """
    sections = [
        ("", [_summary(run, base)]),
        ("Base model", _base(base)),
        ("Data", _data(data)),
        ("Evaluations", _evaluations(run)),
        ("Reward" if not run.is_supervised else "Training signal", _reward(run)),
        ("Sandbox and isolation", _sandbox(run)),
        ("Settings that differ from the defaults", _settings(run)),
        ("Limits of what is shown", _limits(run, data)),
        ("How to repeat it", _repeating(run, base)),
        ("How to use it", _use(files)),
    ]
    parts = [f"# {run.name}"]
    for title, lines in sections:
        parts += [*([f"## {title}"] if title else []), "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _summary(run: FinishedRun, base: BaseModel) -> str:
    lora = f" with LoRA of rank {run.recipe.lora.rank}" if run.recipe.lora.rank else ""
    if run.is_supervised:
        how = f"fine-tuned{lora} on demonstrations"
    else:
        how = f"trained{lora} with GRPO (loss {run.recipe.loss.name}) on the verdicts of cargo"
    minutes = (number(run.summary.get("seconds")) or 0.0) / 60
    ended = f"Step {run.step} of {run.summary.get('steps')}"
    return f"{base.name}, {how}. {ended}; {minutes:,.1f} minutes on {_machine(run.environment)}."


def _machine(environment: Mapping[str, Any]) -> str:
    """Processor, memory and GPUs, as the run noted them."""
    machine = environment.get("machine") or {}
    gpus: list[str] = list(machine.get("gpus") or [])
    cpu = f"{machine.get('cores', '?')} cores ({machine.get('cpu', 'unknown')}), {machine.get('memory_gb', '?')} GB"
    return f"{', '.join(gpus)}; {cpu}" if gpus else f"{cpu}, no GPU"


def _base(base: BaseModel) -> list[str]:
    where = (
        f"[{base.name}](https://huggingface.co/{base.hub_name})" if base.hub_name else f"`{base.name}`, a local model"
    )
    lines = [f"{where}."]
    if base.sha256:
        lines.append(f"SHA-256 of the weights that training began from: `{base.sha256}`.")
    if base.license == NO_LICENSE:
        lines.append("Its licence was not found beside it; this model can be used only as that licence allows.")
    return lines


def _data(data: Sequence[DataSet]) -> list[str]:
    lines = ["| setting | source | prompts used | rows | SHA-256 of the file |", "|---|---|---|---|---|"]
    for one in data:
        counts = [f"{count:,}" if count is not None else "not known" for count in (one.prompts, one.rows)]
        lines.append(f"| {one.setting} | {one.name} | {counts[0]} | {counts[1]} | {_hash(one)} |")
    return lines


def _hash(one: DataSet) -> str:
    return f"`{one.sha256}`" if one.sha256 else one.problem


def _evaluations(run: FinishedRun) -> list[str]:
    found = rows(run.before, run.after)
    if not found:
        return [f"This checkpoint (step {run.step}) was not evaluated by its run."]
    last = run.after or run.before or {}
    recipe = run.recipe.eval
    lines = ["| | before | after | change |", "|---|---|---|---|"]
    found += [
        row._replace(label=f"{task}: {row.label}")
        for task, before, after in by_task(run.before, run.after)
        for row in rows(before, after)
    ]
    lines += [f"| {row.label} | {_shown(row, 'before')} | {_shown(row, 'after')} | {_change(row)} |" for row in found]
    lines += [
        "",
        f"{last.get('num_prompts', '?')} held-out prompts, {last.get('num_samples', '?')} completions each, "
        f"temperature {recipe.temperature:g}, top_p {recipe.top_p:g}. ± is half of the 95 % interval, in which "
        "all completions to a prompt count as one observation; where all prompts have the same rate there is none. The "
        "interval of a change takes both evaluations as independent, though they ask the same prompts. pass@k counts "
        f"completions that pass the check `{recipe.solved_by}`.",
    ]
    if run.after is None:
        lines.append(f"Step {run.step}, which is published here, was not evaluated.")
    return lines


def _shown(row: Row, which: str) -> str:
    mark = row.before if which == "before" else row.after
    if mark is None:
        return "not evaluated"
    half = f" ± {mark.half_width * row.scale:.1f}" if mark.half_width else ""  # 0: all prompts alike, it says nothing
    return f"{mark.y * row.scale:.1f}{half}{' %' if row.scale == 100 else ''}"


def _change(row: Row) -> str:
    if row.change is None:
        return ""
    value, half = row.change
    known = row.before and row.after and row.before.half_width and row.after.half_width
    return f"{value:+.1f}" + (f" ± {half:.1f}" if half and known else "") + (" points" if row.scale == 100 else "")


def _reward(run: FinishedRun) -> list[str]:
    if run.is_supervised:
        return ["Demonstrations were imitated; no reward was paid."]
    lines = ["The weighted sum of these scores, each from 0 to 1:", "", "| reward | weight | score |", "|---|---|---|"]
    for name, weight in run.recipe.rewards.weights.items():
        if weight:
            lines.append(f"| {nameless(name)} | {weight:g} | {_meaning(name)} |")
    credit = run.recipe.rewards.credit
    said = "every reward pays all tokens" if credit == "whole" else "rewards of one part pay only its tokens"
    return [*lines, "", f"`rewards.credit = {credit}`: {said}."]


def _meaning(name: str) -> str:
    """The first sentence of a reward's docstring."""
    known = REWARDS.get(name) or GROUP_REWARDS.get(name)
    if known is None:
        return "a function of the user's own, which is not in this folder"
    text = " ".join((known.scorer.__doc__ or "").split("\n\n")[0].split())
    return text.replace("|", "\\|")


def _sandbox(run: FinishedRun) -> list[str]:
    settings = run.recipe.sandbox
    isolation = run.environment.get("isolation")
    if not isolation:
        return ["No program was run."]
    lines = [
        f"{run.environment.get('rust', 'an unknown rustc')}, backend `{settings.backend}`; isolation of the programs: "
        f"{isolation}.",
        f"Limits of a program: {settings.compile_cpu_s} s of CPU to compile, {settings.run_cpu_s} s to run, "
        f"{settings.wall_s} s in all, {settings.memory_mb:,} MB of memory, {settings.disk_mb:,} MB of disk.",
    ]
    examined = "tests that pass must also notice changes of the code" if run.recipe.guard.mutation else "not examined"
    return [*lines, f"Strict passes: {examined}."]


def _settings(run: FinishedRun) -> list[str]:
    lines = []
    for default in defaults(Recipe):
        name = f"{default.section}.{default.key}"
        value = getattr(getattr(run.recipe, default.section), default.key)
        if name not in TOLD_ELSEWHERE and default.section != "track" and value != default.value:
            lines.append(f"| `{name}` | {_value(value)} | {_value(default.value)} |")
    if not lines:
        return [f"None. `{RECIPE_FILE}` has them all."]
    return ["| setting | here | default |", "|---|---|---|", *lines, "", f"`{RECIPE_FILE}` has all settings."]


def _value(value: Any) -> str:
    """A setting's value without this machine's folders."""
    if isinstance(value, Mapping):
        return ", ".join(f"{nameless(str(name))} {number:g}" for name, number in value.items()) or "none"
    return nameless(str(value)).replace("|", "\\|") or "(empty)"


def _limits(run: FinishedRun, data: Sequence[DataSet]) -> list[str]:
    prompts = number((run.after or {}).get("num_prompts")) or 0
    said = [f"One run with one seed ({run.recipe.run.seed}): another seed gives other figures."]
    if 0 < prompts < FEW_PROMPTS:
        said.append(f"{prompts:,.0f} prompts were evaluated; differences within the intervals may be chance.")
    if run.after is not None:
        said.append("The evaluation is of the run's own held-out prompts. It says nothing of other kinds of task.")
    if run.before is None:
        said.append("There is no evaluation before training to compare with.")
    if (
        any(weight for name, weight in run.recipe.rewards.weights.items() if "gold" not in name)
        and not run.is_supervised
    ):
        said.append(
            "Rewards that read a completion's own tests can be earned by tests that ask little; gold tests, where the "
            "evaluation has them, are the stronger figure."
        )
    said += [f"{one.setting}: {one.problem}, so there is no hash of it." for one in data if one.problem]
    if (run.environment.get("commit") or {}).get("dirty"):
        said.append("Files of the code differed from its commit when the run began.")
    said.append("Programs that a model writes can do harm: run them in a sandbox.")
    return [f"- {line}" for line in said]


def _repeating(run: FinishedRun, base: BaseModel) -> list[str]:
    commit = (run.environment.get("commit") or {}).get("id")
    command = [str(word) for word in run.environment.get("command") or []]
    script = f"scripts/{Path(command[0]).stem}.py" if command else "scripts/train.py"
    words = [word for word in command[1:] if not word.startswith(("run.dir=", "run.name=", "run.resume=", "track."))]
    first = shlex.join([script, *map(nameless, words)])
    lines = ["```sh"]
    lines += [f"git checkout {commit}"] if commit else []
    lines += [f"python {script} {RECIPE_FILE} run.dir=runs/again", "```", ""]
    lines += [f"`{RECIPE_FILE}` is the run's resolved settings; put the data of the table above"]
    lines[-1] += f" and {base.name} where it names them." if not base.hub_name else " where it names them."
    if command:
        lines.append(f"The run began with `python {first}` (folders of the machine left out).")
    if not commit:
        lines.append("The commit of the code is not known: the run was not started from a checkout.")
    packages = run.environment.get("packages") or {}
    versions = ", ".join(f"{name} {version}" for name, version in sorted(packages.items()))
    lines.append(f"Python {run.environment.get('python', '?')}; {versions}." if versions else "Versions were not kept.")
    return lines


def _use(files: Sequence[str]) -> list[str]:
    lines = [
        "```python",
        "from transformers import AutoModelForCausalLM, AutoTokenizer",
        'model, tokenizer = (kind.from_pretrained("THIS FOLDER OR ITS NAME ON THE HUB") for kind in '
        "(AutoModelForCausalLM, AutoTokenizer))",
        "```",
        "",
        "`vllm serve` takes the same name.",
    ]
    if any(name.startswith("adapter/") for name in files):
        lines.append("The weights are merged; `adapter/` holds the LoRA adapters alone, for peft.")
    lines += [f"`{name}` is the same model for llama.cpp." for name in files if name.endswith(".gguf")]
    return lines
