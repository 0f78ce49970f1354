"""Train the quickstart with several seeds and its control, evaluate every model on the same prompts, and write pages.

Usage:
    python scripts/evidence.py [--study gains|rewards|overlap|partial|pretrained|honest|costs|tasks] [--seeds N] ...

`--study gains` (the default) writes docs/evidence.md and docs/images/evidence.svg: three seeds of tiny.toml, and three
of the control whose advantages are shuffled. `--study rewards` writes docs/studies/rewards.md: other rewards and group
sizes on the same number of completions, one seed each. `--study overlap` writes docs/studies/overlap.md and
docs/images/overlap.svg: three seeds with every batch sampled by the weights that learn from it, and three with batches
sampled one update ahead. `--study pretrained` gets a real model, fine-tunes it, trains it with GRPO, and writes
docs/studies/real_model.md and docs/images/real_model.svg; its recipes say how many prompts and completions.
`--study honest` writes docs/honest_rewards.md and docs/images/honest_rewards.svg: rewards and settings against
completions that agree with their own tests and are wrong, on a family of tasks that it makes, or on `--data`. It takes
some arms and seeds (`--arms`, `--seeds`, `--first-seed`), keeps the figures of each run in docs/studies/, trains none
whose figures are there, and its page shows all of them.
`--study costs` times a few steps of that study's arms, in turns, and writes on the same page what each reaches in equal
time. `--study partial` writes the results in docs/scale/partial.md: batches sampled ahead, with and without new weights
in the middle of a completion.
`--study tasks` writes the results in docs/tasks.md: the recipes of repair, infill, patch and next_edit, whose names are
its arms.

Hours of work are kept in --runs: the same command continues where it was stopped, and does nothing twice. Runs go two
at once, each with one thread for torch and one for the sandbox, or one by one with all cores (`--at-once 1`). Exit
codes: 0 done, 2 bad input, 3 a run failed, 130 interrupted.

Example:
    python scripts/evidence.py --steps 2 --seeds 1 --prompts 10 --samples 2 --runs runs/try --docs runs/try
    python scripts/evidence.py --study honest --arms maxrl --first-seed 2 --seeds 1
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from grpo.errors import BadInput
from grpo_rust.cli import ExitCode, command
from sandbox.terminal import counted
from study.arms import CONTROL, DESIGNS, GRPO, HONEST, OVERLAP, PARTIAL, QUICKSTART
from study.comparisons import untrained_completions
from study.equal_time import keep_costs, kept_costs
from study.formats import TASKS, formats_page, recipe_of
from study.honest import (
    check_data,
    equal_time_page,
    evaluated_runs,
    family_data,
    honest_curves,
    honest_page,
    judged_data,
    training_data,
)
from study.kept import check_same_prompts, figures_of, keep, kept_runs, untrained_figures
from study.pages import curves, gains_page, how_made, overlap_page, partial_page, rewards_page
from study.pretrained import PretrainedRuns, commands, curves_svg, page
from study.running import Arm, Command, HeldOutSet, TrainingRun, evaluation, run_all, training

RECIPE = "scripts/recipes/tiny-own-tests.toml"  # which the arms change
UNTRAINED = "assets/tiny-rust"
SHIPPED = Path("assets/tasks")
END = "<!-- end -->"
ARMS = {"honest": HONEST, "costs": HONEST, "tasks": TASKS}
GOLD_GRADED = ("rewards.weights.gold=0.0",)  # in training batches too, and not paid
COSTED = 5  # steps of a run that is only timed
ONE_OF_TWO = ("train.threads=1", "sandbox.jobs=1")  # of the machine's cores: another run has the rest


@command("evidence", host_errors=(OSError,))
def main(argv: Sequence[str] | None = None) -> int:
    """Run what is not done yet, and write the pages; the exit code."""
    options = arguments(argv)
    STUDIES[options.study](options)
    return ExitCode.DONE


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line, with itself as `command`."""
    parser = argparse.ArgumentParser(description="Compare training runs and write what they show.")
    parser.add_argument("--study", choices=tuple(STUDIES), default="gains", help="what is compared")
    parser.add_argument("--seeds", type=int, default=0, help="runs of each arm; 0: three, for rewards one")
    parser.add_argument("--first-seed", type=int, default=0, help="the lowest seed")
    parser.add_argument("--arms", default="", metavar="NAME,NAME,...", help="honest, costs, tasks: these arms alone")
    parser.add_argument("--control-seeds", type=int, default=3, help="runs of the control; 0: none")
    parser.add_argument("--steps", type=int, default=0, help="steps of every run; 0: as many as the recipe says")
    parser.add_argument("--prompts", type=int, default=200, help="held-out prompts that every model is asked")
    parser.add_argument("--samples", type=int, default=8, help="completions to each")
    parser.add_argument("--at-once", type=int, default=2, help="runs at the same time, one core each; 1: with all")
    parser.add_argument("--data", type=Path, help="folder with train.jsonl and eval.jsonl; default: assets/tasks")
    parser.add_argument(
        "--model", default="", help="tasks: the model that all runs start from; default: their recipes'"
    )
    parser.add_argument("--runs", type=Path, help="where runs and completions are kept; default: in runs/")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="where the pages go")
    parser.add_argument("--only-report", action="store_true", help="run nothing, write the pages from what is there")
    options = parser.parse_args(argv)
    if options.prompts < 2 or options.samples < 1 or options.at_once < 1:
        parser.error("give at least 2 --prompts, 1 of --samples and 1 of --at-once")
    if options.seeds < 0 or options.first_seed < 0:
        parser.error("give seeds of at least 0")
    known = ARMS.get(options.study, ())
    names = [name for name in options.arms.split(",") if name]
    if unknown := set(names) - {arm.name for arm in known}:
        studies = [options.study] if known else ARMS
        arms = "; ".join(f"of --study {study}: {', '.join(arm.name for arm in ARMS[study])}" for study in studies)
        parser.error(f"--arms {options.arms}: {min(unknown)} is none of this study; give arms {arms}")
    options.arms = [arm for arm in known if not names or arm.name in names]
    folders = {"honest": "honest", "costs": "honest", "tasks": "tasks"}
    options.runs = options.runs or Path("runs") / folders.get(options.study, "evidence")
    options.command = shlex.join(["python", "scripts/evidence.py", *(sys.argv[1:] if argv is None else argv)])
    return options


def study_gains(options: argparse.Namespace) -> None:
    """Does it learn: the quickstart with several seeds, and the control."""
    held_out = held_out_set(options)
    harder = HeldOutSet("harder", "assets/tasks/harder.jsonl", options.prompts, min(4, options.samples))
    runs = runs_of([QUICKSTART], options.seeds or 3, options)
    control = runs_of([CONTROL], options.control_seeds, options)
    train_and_evaluate([*runs, *control], held_out, options)
    train_and_evaluate(runs, harder, options)
    write(options.docs / "images" / "evidence.svg", curves(runs, control, "shuffled"))
    page = gains_page(runs, control, held_out, harder, made=made(runs, held_out, options))
    write(options.docs / "evidence.md", page)


def study_rewards(options: argparse.Namespace) -> None:
    """What to pay for: other rewards and group sizes on the same number of completions."""
    held_out = held_out_set(options)
    runs = runs_of(DESIGNS, options.seeds or 1, options)
    train_and_evaluate(runs, held_out, options)
    write(options.docs / "studies" / "rewards.md", rewards_page(runs, held_out, made=made(runs, held_out, options)))


def study_overlap(options: argparse.Namespace) -> None:
    """Does sampling ahead hurt: own tests paid, with and without a batch sampled ahead."""
    held_out = held_out_set(options)
    runs, ahead = (runs_of([arm], options.seeds or 3, options) for arm in (GRPO, OVERLAP))
    train_and_evaluate([*runs, *ahead], held_out, options)
    write(options.docs / "images" / "overlap.svg", curves(runs, ahead, "1 ahead"))
    write(
        options.docs / "studies" / "overlap.md", overlap_page(runs, ahead, held_out, made=made(runs, held_out, options))
    )


def study_partial(options: argparse.Namespace) -> None:
    """What do new weights in the middle of a completion cost: against no batch ahead, and one."""
    held_out = held_out_set(options)
    arms = [runs_of([arm], options.seeds or 1, options) for arm in PARTIAL]
    runs = [run for same in arms for run in same]
    train_and_evaluate(runs, held_out, options, settings=GOLD_GRADED)
    write_results(
        options.docs / "scale" / "partial.md",
        "# Sampling that new weights interrupt",
        "<!-- results -->",
        partial_page(arms, held_out, made=made(runs, held_out, options)),
    )


def study_pretrained(options: argparse.Namespace) -> None:
    """Does a real model learn: SmolLM2's warm start, then GRPO."""
    runs = PretrainedRuns(options.runs)
    steps = (f"train.max_steps={options.steps}",) if options.steps else ()
    ways = commands(runs, model=options.runs / "smollm2", data=options.runs / "data", overrides=steps)
    for way in [] if options.only_report else ways:
        run_all([way()], at_once=1, say=say)
    write(options.docs / "images" / "real_model.svg", curves_svg(runs))
    write(options.docs / "studies" / "real_model.md", page(runs, command=options.command))


def study_honest(options: argparse.Namespace) -> None:
    """Which rewards and settings keep completions from agreeing with their own wrong tests."""
    variant = take_family(options)
    held_out = held_out_set(options)
    figures = Path("studies") / f"honest{variant}"  # of all runs, below the pages
    kept = kept_runs(HONEST, options.docs / figures)
    names = {run.name for run in kept}
    runs = [run for run in runs_of(options.arms, options.seeds or 3, options) if run.name not in names]
    train_and_evaluate(runs, held_out, options, settings=GOLD_GRADED)
    evaluated = evaluated_runs(HONEST, held_out, options.runs)
    check_data(evaluated, options.data, options.runs)
    new = [figures_of(run, held_out, options.data / "train.jsonl") for run in evaluated]
    check_same_prompts([*kept, *new])
    if new:
        new.append(untrained_figures(untrained_completions(held_out, options.runs)))
    for one in new:
        keep(one, options.docs / figures)
    done = kept_runs(HONEST, options.docs / figures)
    if not done:
        raise BadInput(f"{options.runs} has no evaluated run of this study: give the command without --only-report")
    untrained, *trained = done
    image = Path("images") / f"honest_rewards{variant}.svg"
    write(options.docs / image, honest_curves(trained))
    num_steps = max(len(values) for run in trained for values in run.steps.values())
    commits = (run.commit for run in trained)
    how = how_made(commits, num_steps, held_out, command=options.command, at_once=options.at_once)
    how += f" It is the last command of several; [the figures of each run]({figures}) are kept, with their commits."
    results = honest_page(untrained, trained, held_out, image=str(image), made=how)
    write_results(options.docs / "honest_rewards.md", "# Honest rewards", f"<!-- results{variant} -->", results)


def study_costs(options: argparse.Namespace) -> None:
    """What a step of the honest arms costs, and what each of them reaches in equal time."""
    variant = take_family(options)
    figures = options.docs / "studies" / f"honest{variant}"
    if not options.only_report:
        first, folder = options.first_seed, options.runs / "costs"
        turns = range(first, first + (options.seeds or 2))
        runs = [TrainingRun(arm, turn, folder) for turn in turns for arm in options.arms]  # one turn after the other
        options.steps = options.steps or COSTED
        train(runs, options, settings=(*GOLD_GRADED, "sandbox.keep_verdicts=false"), at_once=1)
        keep_costs(runs, figures / "costs.json")
    commits, costs = kept_costs(figures / "costs.json")
    trained = [run for run in kept_runs(HONEST, figures) if run.commit]
    results = equal_time_page(costs, trained, commits=commits, command=options.command)
    write_results(options.docs / "honest_rewards.md", "# Honest rewards", f"<!-- costs{variant} -->", results)


def take_family(options: argparse.Namespace) -> str:
    """Make the collusion family's prompts, unless others are given: what is appended to the names of their results."""
    if options.data:
        return "" if options.data == options.runs / "data" else f"_{options.data.name}"
    options.data = options.runs / "data"
    run_all([] if options.only_report else [family_data(options.data)], at_once=1, say=say)
    return ""


def study_tasks(options: argparse.Namespace) -> None:
    """What GRPO gains on each task beyond one function."""
    steps = (f"train.max_steps={options.steps}",) if options.steps else ()
    model = (f"model.path={options.model}",) if options.model else ()
    settings = (*cores(options.at_once), *model, *steps)
    runs = runs_of(options.arms, options.seeds or 3, options)
    trainings = [training(run, recipe_of(run), settings, evaluates=True) for run in runs]
    run_all([] if options.only_report else trainings, at_once=options.at_once, say=say)
    done = [run for run in runs if run.finished]
    if not done:
        raise BadInput(f"{options.runs} has no finished run of this study: give the command without --only-report")
    results = formats_page(done, command=options.command)
    write_results(options.docs / "tasks.md", "# Tasks beyond one function", "<!-- results -->", results)


STUDIES: Mapping[str, Callable[[argparse.Namespace], None]] = {
    "gains": study_gains,
    "rewards": study_rewards,
    "overlap": study_overlap,
    "partial": study_partial,
    "pretrained": study_pretrained,
    "honest": study_honest,
    "costs": study_costs,
    "tasks": study_tasks,
}


def with_results(page: str, mark: str, results: str) -> str:
    """A page that is written by hand, with results between a mark and the next end; at its end where it has no mark.

    >>> with_results("# Title\\n<!-- results -->\\nold\\n<!-- end -->\\nMore.\\n", "<!-- results -->", "new\\n")
    '# Title\\n<!-- results -->\\nnew\\n<!-- end -->\\nMore.\\n'
    """
    before, found, rest = page.partition(mark)
    after = rest.partition(END)[2] if found else "\n"
    return f"{before}{mark}\n{results}{END}{after}"


def held_out_set(options: argparse.Namespace) -> HeldOutSet:
    """The evaluation's prompts."""
    return HeldOutSet("eval", str((options.data or SHIPPED) / "eval.jsonl"), options.prompts, options.samples)


def runs_of(arms: Sequence[Arm], seeds: int, options: argparse.Namespace) -> list[TrainingRun]:
    """Each arm with so many seeds."""
    first = options.first_seed
    return [TrainingRun(arm, seed, options.runs) for arm in arms for seed in range(first, first + seeds)]


def made(runs: Sequence[TrainingRun], held_out: HeldOutSet, options: argparse.Namespace) -> str:
    """The paragraph about how a page was made."""
    commits, num_steps = (run.commit for run in runs), runs[0].num_steps
    return how_made(commits, num_steps, held_out, command=options.command, at_once=options.at_once)


def train_and_evaluate(
    runs: Sequence[TrainingRun], held_out: HeldOutSet, options: argparse.Namespace, *, settings: Sequence[str] = ()
) -> None:
    """Train the runs that are not trained, with settings that all have, then evaluate what is not evaluated."""
    if options.only_report or not runs:
        return
    say(f"{held_out.name}: {counted(len(runs), 'run')}, {sum(run.finished for run in runs)} of them trained before")
    untrained = untrained_completions(held_out, options.runs)
    before = evaluation("warm", untrained, UNTRAINED, held_out, RECIPE, cores(options.at_once))
    train(runs, options, settings=settings, at_once=options.at_once, beside=[before])
    evaluations = [
        evaluation(run.name, run.completions(held_out), str(run.checkpoint()), held_out, RECIPE, cores(options.at_once))
        for run in runs
    ]
    run_all(evaluations, at_once=options.at_once, say=say)


def train(
    runs: Sequence[TrainingRun],
    options: argparse.Namespace,
    *,
    settings: Sequence[str],
    at_once: int,
    beside: Sequence[Command] = (),
) -> None:
    """Train the runs that are not trained, so many at the same time; the commands beside them begin first."""
    data = options.data or SHIPPED
    check_data(runs, data, options.runs)
    steps = (f"train.max_steps={options.steps}",) if options.steps else ()
    settings = (*cores(at_once), *steps, *settings)
    if any(not run.finished and not training_data(run, data, options.runs).exists() for run in runs if run.arm.judged):
        run_all(judged_data(data, options.runs, UNTRAINED, RECIPE, cores(1)), at_once=1, say=say)
    trainings = [
        training(run, RECIPE, (f"data.train={training_data(run, data, options.runs)}", *settings)) for run in runs
    ]
    run_all([*beside, *trainings], at_once=at_once, say=say)


def cores(at_once: int) -> Sequence[str]:
    """The settings of a run's share of the machine, where so many go at once: all of it for one that is alone."""
    return ONE_OF_TWO if at_once > 1 else ()


def say(text: str) -> None:
    """Print a line with the time of day."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def write_results(page: Path, title: str, mark: str, results: str) -> None:
    """Write results into a page that is written by hand, which has only a title where it is not there."""
    text = page.read_text(encoding="utf-8") if page.exists() else f"{title}\n\n"
    write(page, with_results(text, mark, results))


def write(path: Path, text: str) -> None:
    """Write a page and print its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(path)


if __name__ == "__main__":
    sys.exit(main())
