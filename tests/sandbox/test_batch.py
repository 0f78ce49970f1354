"""In a batch every program gets the verdict that it gets alone, whichever other programs are in it."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from programs import GOOD, LIMITS, facts, in_test
from sandbox.grading.batch import Batch
from sandbox.grading.grade import grade
from sandbox.grading.together import grade_together
from sandbox.isolation.policy import Isolation
from sandbox.limits import Limits
from sandbox.verdict import Outcome, Verdict
from sandbox.workers.pool import SandboxPool
from test_direct import PROGRAMS


def together(sources: list[str], isolation: Isolation, workdir: Path) -> list[Verdict]:
    answers = list(grade_together(sources, isolation, LIMITS, workdir))
    assert not list(workdir.iterdir()), "the work directory is always removed"
    graded = {number: verdict for number, verdict in answers if verdict}
    assert sorted(graded) == list(range(len(sources))) and len(answers) == 2 * len(sources)
    return [graded[number] for number in range(len(sources))]


def batches() -> list[object]:
    """All names, in random order, by sixteen; the fast tests take the first sixteen."""
    names = sorted(PROGRAMS)
    random.Random(3).shuffle(names)
    groups = [names[start : start + 16] for start in range(0, len(names), 16)]
    return [groups[0], *(pytest.param(group, marks=pytest.mark.slow) for group in groups[1:])]


@pytest.mark.parametrize("names", batches())
def test_in_any_company_a_program_is_what_it_is_alone(
    names: list[str], isolation: Isolation, workdir: Path, by_cargo: Callable[..., Verdict]
) -> None:
    verdicts = together([PROGRAMS[name] for name in names], isolation, workdir)
    for name, verdict in zip(names, verdicts, strict=True):
        assert facts(verdict) == facts(by_cargo(PROGRAMS[name], LIMITS)), name


def test_a_batch_costs_less(isolation: Isolation, workdir: Path) -> None:
    sources = [GOOD.replace("assert_eq!(add(1, 2), 3);", f"assert_eq!(add({i}, 2), {i + 2});") for i in range(8)]
    verdicts = together(sources, isolation, workdir)
    alone = grade(sources[0], isolation, LIMITS, workdir, backend="direct")
    assert {verdict.outcome for verdict in verdicts} == {Outcome.PASSED}
    assert sum(verdict.cpu_ms for verdict in verdicts) < 8 * alone.cpu_ms / 2


def test_a_program_that_an_error_points_at_leaves_and_the_rest_stays(isolation: Isolation, workdir: Path) -> None:
    bad = [GOOD.replace("a + b", '"x"'), GOOD.replace("a + b", "a.none()"), GOOD.replace("fn add", "fn fn")]
    batch = Batch([GOOD, bad[0], "// 2\n" + GOOD, bad[1], bad[2]], isolation, LIMITS, workdir)
    assert [member.number for member in batch.members] == [0, 1, 2, 3, 4]
    assert [member.number for member in batch.compile()] == [0, 2]
    assert batch.members[1].cpu_ms > 0, "a program that left has its share of the cost"


SIBLINGS = {
    "inference that a sibling's implementation breaks": (
        "struct Own;\nimpl PartialEq<Own> for u8 {\n    fn eq(&self, _: &Own) -> bool {\n        true\n    }\n}\n",
        'fn f(x: u8) -> bool {\n    x == "3".parse().unwrap()\n}\n',
    ),
    "macros of a sibling": (
        "macro_rules! twice {\n    ($x:expr) => {\n        $x * 2\n    };\n}\n",
        "fn f() -> u8 {\n    twice!(1)\n}\n",
    ),
    "names of a sibling": ("pub fn shared() -> u8 {\n    1\n}\n", "fn f() -> u8 {\n    super::shared()\n}\n"),
    "the siblings' parent": ("pub fn shared() {}\n", "use super::*;\nfn f() {\n    main();\n}\n"),
}


QUICK = ("inference that a sibling's implementation breaks", "names of a sibling")


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in SIBLINGS])
def test_siblings_neither_help_nor_harm(
    name: str, isolation: Isolation, workdir: Path, by_cargo: Callable[..., Verdict]
) -> None:
    sources = [part + GOOD for part in SIBLINGS[name]] + [GOOD]
    for source, verdict in zip(sources, together(sources, isolation, workdir), strict=True):
        assert facts(verdict) == facts(by_cargo(source, LIMITS))


def test_output_names_what_the_program_would_name(isolation: Isolation, workdir: Path) -> None:
    failing = in_test("assert_eq!(add(1, 2), 4);")
    verdict = together([failing, GOOD], isolation, workdir)[0]
    assert "test tests::one ... FAILED" in verdict.test_output and "src/main.rs:" in verdict.test_output


def test_a_program_that_never_ends_holds_up_only_itself(isolation: Isolation, workdir: Path) -> None:
    sources = [GOOD, in_test("loop {}"), "// 2\n" + GOOD]
    assert len(Batch(sources, isolation, LIMITS, workdir).members) == 3, "all of them fit a batch"
    outcomes = [verdict.outcome for verdict in together(sources, isolation, workdir)]
    assert outcomes == [Outcome.PASSED, Outcome.TIMEOUT, Outcome.PASSED]


def test_a_compilation_that_never_ends_is_graded_alone(isolation: Isolation, workdir: Path) -> None:
    endless = GOOD.replace("fn add", "const N: u64 = { let mut n = 0; while n < u64::MAX { n += 1; } n };\nfn add")
    endless = "#![allow(long_running_const_eval)]\n" + endless
    limits = Limits(compile_cpu_s=2, run_cpu_s=2, wall_s=60)
    answers = [v for _, v in grade_together([GOOD, endless, "// 2\n" + GOOD], isolation, limits, workdir) if v]
    assert sorted(verdict.outcome for verdict in answers) == ["passed", "passed", "timeout"]


def test_a_pool_grades_together_what_waits(tmp_path: Path) -> None:
    sources = [f"// {i}\n" + GOOD for i in range(12)]
    mixed = [in_test("assert_eq!(add(1, 2), 4);"), GOOD.replace("a + b", '"x"'), "", "fn f() {}", in_test("loop {}")]
    with SandboxPool(jobs=1, limits=Limits(run_cpu_s=1)) as pool:
        futures = [pool.submit(source) for source in (*sources, *mixed)]
        outcomes = [future.result().outcome for future in futures]
        cost = sum(future.result().cpu_ms for future in futures[: len(sources)])
    assert outcomes[: len(sources)] == [Outcome.PASSED] * len(sources)
    expected = [Outcome.TEST_FAILED, Outcome.BUILD_ERROR, Outcome.NO_TESTS, Outcome.NO_TESTS, Outcome.TIMEOUT]
    assert outcomes[len(sources) :] == expected
    with SandboxPool(jobs=1, backend="direct") as pool:
        assert cost < sum(future.result().cpu_ms for future in [pool.submit(source) for source in sources]) * 0.7
