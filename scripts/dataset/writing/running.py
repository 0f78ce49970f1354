"""Many prompts: drafts are graded in the sandbox while further answers arrive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from tqdm import tqdm

from dataset.writing.drafting import write_draft
from dataset.writing.drafts import Draft, Dropped, Written
from dataset.writing.grading import grade_draft
from dataset.writing.passes import PASSES
from dataset.writing.source_prompts import SourcePrompt
from remote_api.asking import Questioner, ask_all
from sandbox.workers.pool import SandboxPool

__all__ = ["without_repeats", "write_all"]

GRADED_PER_WORKER = 8  # drafts that wait in the sandbox: it grades several together where many wait


def write_all(
    prompts: Sequence[SourcePrompt], questioner: Questioner, pool: SandboxPool, *, at_once: int, min_asserts: int
) -> dict[str, Written | Dropped]:
    """Ask, grade, and say what became of every prompt, by its name and in order.

    Args:
        prompts: In Python.
        questioner: Who is asked.
        pool: Grades the drafts.
        at_once: Requests under way at the same time.
        min_asserts: So many the tests must have.
    Raises:
        As `ask_all`; SandboxError where the host cannot grade, which ends the asking too.
    """
    found: dict[str, Written | Dropped] = {}
    grades: dict[str, Future[Written | Dropped]] = {}
    graders = ThreadPoolExecutor(GRADED_PER_WORKER * pool.jobs)  # threads: they wait for the sandbox

    def write(prompt: SourcePrompt, questioner: Questioner) -> None:
        try:
            draft = write_draft(prompt, questioner, min_asserts=min_asserts)
        except Dropped as dropped:
            found[prompt.task_id] = dropped
        else:
            grades[prompt.task_id] = grade = graders.submit(_grade, draft, pool)
            grade.add_done_callback(partial(_stop_on_failure, questioner))

    try:
        jobs = [partial(write, prompt) for prompt in prompts]
        ask_all(questioner, jobs, num_answers=len(PASSES) * len(prompts), at_once=at_once)
        for name, future in tqdm(grades.items(), desc="grading", unit="", dynamic_ncols=True):
            found[name] = future.result()
    finally:
        graders.shutdown(wait=False, cancel_futures=True)  # closing the pool ends what these threads wait for
    return without_repeats({prompt.task_id: found[prompt.task_id] for prompt in prompts})


def without_repeats(found: Mapping[str, Written | Dropped]) -> dict[str, Written | Dropped]:
    """Of rows with one task the first: the model may write two tasks alike, and one would be in train, one in eval."""
    kept: dict[str, Written | Dropped] = {}
    seen: dict[str, str] = {}  # names by task
    for name, one in found.items():
        task = name if isinstance(one, Dropped) else " ".join(one[0].rust_prompt.lower().split())
        first = seen.setdefault(task, name)
        kept[name] = one if first == name else Dropped("repeats", "the same task as an earlier row", first)
    return kept


def _grade(draft: Draft, pool: SandboxPool) -> Written | Dropped:
    try:
        return draft, grade_draft(draft, pool)
    except Dropped as dropped:
        return dropped


def _stop_on_failure(questioner: Questioner, grade: Future[Written | Dropped]) -> None:
    """Ask nothing more where the host cannot grade."""
    if not grade.cancelled() and grade.exception() is not None:
        questioner.stop.set()
