"""Translations mean the same: solutions that were written by hand for the signatures pass their gold cases."""

from __future__ import annotations

import pytest

from dataset.compiling import compile_problems, unwritten
from dataset.rows import RustTask
from dataset.sources import PythonTask
from dataset.translating.translate import translate
from dataset_tasks import SPECIMENS, Specimen
from rewards.gold.rows import gold_kind, gold_problem
from rewards.gold.run import GoldResult, gold_result, gold_run, submit_gold
from sandbox import SandboxPool

IDS = [specimen.signature.partition("(")[0] for specimen in SPECIMENS]


def translated(specimen: Specimen) -> RustTask:
    return translate(PythonTask("t", "other", specimen.text, specimen.asserts, specimen.python))


def result(task: RustTask, body: str, pool: SandboxPool) -> GoldResult:
    run = gold_run(unwritten(task).replace("todo!()", body), {"gold_cases": task.gold_cases})
    assert run is not None
    return gold_result(run, submit_gold(run, pool).result())


@pytest.mark.parametrize("specimen", SPECIMENS, ids=IDS)
def test_a_right_solution_passes_and_a_wrong_one_does_not(specimen: Specimen, pool: SandboxPool) -> None:
    task = translated(specimen)
    assert task.signature == specimen.signature and f"`{specimen.signature}`" in task.prompt
    assert gold_problem({"gold_cases": task.gold_cases}) == "" and gold_kind({"gold_cases": task.gold_cases}) == "cases"
    right = result(task, specimen.body, pool)
    assert right.ok, right.reason
    assert specimen.wrong[0] in specimen.body
    assert not result(task, specimen.body.replace(*specimen.wrong), pool).ok


def test_signatures_and_calls_compile(pool: SandboxPool) -> None:
    assert compile_problems([translated(specimen) for specimen in SPECIMENS], pool) == {}


def test_a_call_that_does_not_fit_the_signature_is_found(pool: SandboxPool) -> None:
    task = RustTask("t", "p", "t", "fn f(x: i32) -> i32", [{"call": 'f("1")', "expected": "1"}], "other")
    assert list(compile_problems([task], pool)) == ["t"]
