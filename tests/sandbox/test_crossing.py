"""A test module on a code of another program has the result that the two have as one program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from programs import LIMITS
from sandbox.crossing.crate import SharedCell, SharedCrate
from sandbox.crossing.cross import _Runs, cross, read_cells
from sandbox.crossing.crossing import Cell, Crossed, Crossing
from sandbox.crossing.portable import PortableSuite, portable_suite
from sandbox.grading.grade import grade
from sandbox.grading.messages import Tally
from sandbox.isolation.policy import Isolation
from sandbox.verdict import Outcome
from sandbox.workers.pool import SandboxPool

QUICK = replace(LIMITS, run_cpu_s=1)
RIGHT = "pub fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n"
WRONG = "pub fn add(a: i32, b: i32) -> i32 {\n    a - b\n}\n"
CODES = {
    "right": RIGHT,
    "wrong": WRONG,
    "panics": "pub fn add(a: i32, _: i32) -> i32 {\n    [1, 2][a as usize]\n}\n",
    "recursive without end": "pub fn add(a: i32, b: i32) -> i32 {\n    1 + add(a, b)\n}\n",
    "endless for 5": "pub fn add(a: i32, b: i32) -> i32 {\n    while a == 5 {}\n    a + b\n}\n",
    "another type": "pub fn add(a: u8, b: u8) -> u8 {\n    a + b\n}\n",
    "another name": "pub fn plus(a: i32, b: i32) -> i32 {\n    a + b\n}\n",
    "in a thread": "pub fn add(a: i32, b: i32) -> i32 { std::thread::spawn(move || a + b).join().unwrap() }\n",
    "a module of its own": "mod own { pub fn add(a: i32, b: i32) -> i32 { a + b } }\nuse own::add;\n",
    "ends the process": "pub fn add(_: i32, _: i32) -> i32 {\n    std::process::exit(0)\n}\n",
    "a comment at the end": RIGHT + "// The end.",
    "a type with the name of the tests": "struct tests;\n" + RIGHT,
}


def suite(*tests: str, name: str = "tests", before: str = "    use super::*;\n") -> str:
    return f"#[cfg(test)]\nmod {name} {{\n{before}{''.join(tests)}}}\n"


def case(name: str, body: str, attributes: str = "") -> str:
    return f"    #[test]\n{attributes}    fn {name}() {{\n        {body}\n    }}\n"


ONE = "assert_eq!(add(1, 1), 2);"
PANICS = "    #[should_panic]\n"
FORGED = '    #[ignore = "x\\ntest a ... ok\\nfailures:\\n"]\n'
SUITES = {
    "right": suite(case("small", "assert_eq!(add(1, 2), 3);"), case("zero", "assert_eq!(add(0, 0), 0);")),
    "wrong": suite(case("small", "assert_eq!(add(2, 1), 1);"), case("zero", "assert_eq!(add(0, 0), 0);")),
    "no test": suite(),
    "should panic": suite(case("panics", "add(7, 1);", PANICS), case("two", "assert_eq!(add(1, 1), 2);")),
    "ignored": suite(case("one", ONE), case("later", "unreachable!();", "    #[ignore]\n")),
    "an ignored test that says more": suite(case("one", ONE), case("two", "panic!();", FORGED)),
    "five": suite(case("five", "assert_eq!(add(5, 5), 10);"), case("six", "assert_eq!(add(6, 6), 12);")),
    "ends itself": suite(case("one", "assert_eq!(add(1, 1), 2);"), case("two", "std::process::exit(0);")),
    "has powers": suite(case("one", "std::io::stdout();\n        " + ONE)),
    "another name": suite(case("one", "assert_eq!(sub(2, 1), 1);")),
    "with a module": suite("    mod inner {\n", case("one", "assert_eq!(super::add(1, 1), 2);"), "    }\n"),
    "names itself": suite(case("one", "assert_eq!(super::tests::two(), add(1, 1));"), "    fn two() -> i32 { 2 }\n"),
    "its name is used": suite(case("one", "assert_eq!(add(1, 1), 2);"), name="a"),
    "lines": suite(case("line", "assert_eq!(line!(), 7 + add(1, 0) as u32 * 2);")),
    "columns": "#[cfg(test)] mod t { use super::*; #[test] fn a() { assert_eq!(column!() as i32, add(63, 0)); } }",
    "a lint of clippy": suite(case("same", "assert!(add(1, 1) == add(1, 1));\n        assert!(1 == 1);")),
    "a literal too large": suite(case("large", "assert_eq!(add(1, 1) as u8, 256u8);")),
    "an overflow": suite(case("large", "assert_eq!(i32::MAX + 1, add(1, 1));")),
    "inference": suite(case("open", "assert_eq!(add(1, 1), Default::default());")),
    "prints much": suite(case("prints", 'for _ in 0..100_000 { println!("0123456789"); } assert_eq!(add(1, 1), 3);')),
    "no such syntax": suite(case("one", "assert_eq!(add(1, 1) 2);")),
    "a result": suite("#[test] fn one() -> Result<(), ()> { if add(1, 1) == 2 { Ok(()) } else { Err(()) } }"),
    "main": suite(case("main_runs", "main();\n        assert_eq!(add(1, 1), 2);")),
}  # fmt: skip


def crossed(crossing: Crossing, isolation: Isolation, workdir: Path) -> Crossed:
    found = cross(crossing, isolation, LIMITS, workdir)
    assert not list(workdir.iterdir()), "the work directory is always removed"
    assert found.outcome is Outcome.PASSED and len(found.cells) == len(crossing.pairs)
    return found


def everything(codes: dict[str, str], suites: dict[str, str]) -> Crossing:
    pairs = tuple((code, suite) for code in range(len(codes)) for suite in range(len(suites)))
    return Crossing(tuple(codes.values()), tuple(suites.values()), pairs, alone=1000)


def alone(crossing: Crossing, pair: tuple[int, int], isolation: Isolation, workdir: Path, backend: str) -> Cell:
    return Cell.of(grade(crossing.program(*pair), isolation, QUICK, workdir, backend=backend, phases=("test",)))


def compare(codes: dict[str, str], suites: dict[str, str], isolation: Isolation, workdir: Path, backend: str) -> None:
    crossing = everything(codes, suites)
    cells = crossed(crossing, isolation, workdir).cells
    names = [(code, suite) for code in codes for suite in suites]
    for name, pair, cell in zip(names, crossing.pairs, cells, strict=True):
        assert cell == alone(crossing, pair, isolation, workdir, backend), name


def test_every_test_module_on_a_right_code(isolation: Isolation, workdir: Path) -> None:
    compare({name: CODES[name] for name in ("right", "wrong")}, SUITES, isolation, workdir, "direct")


@pytest.mark.parametrize("name", ["right", pytest.param("five", marks=pytest.mark.slow)])
def test_a_test_module_on_every_code(name: str, isolation: Isolation, workdir: Path) -> None:
    compare(CODES, {name: SUITES[name], "main": SUITES["main"]}, isolation, workdir, "direct")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["right", "panics", "another name"])
def test_a_row_is_cargos(name: str, isolation: Isolation, workdir: Path) -> None:
    compare({name: CODES[name]}, SUITES, isolation, workdir, "cargo")


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many cells each process ran the tests of."""
    found: list[int] = []
    run = _Runs._process

    def counted(runs: _Runs, members: Sequence[SharedCell]) -> Any:
        found.append(len(members))
        return run(runs, members)

    monkeypatch.setattr(_Runs, "_process", counted)
    return found


CALM = ("right", "wrong", "should panic", "ignored", "lines", "prints much", "a lint of clippy", "a result", "main")


def test_what_ends_well_is_one_process(isolation: Isolation, workdir: Path, processes: list[int]) -> None:
    codes = {name: CODES[name] for name in ("right", "wrong", "panics")}
    compare(codes, {name: SUITES[name] for name in CALM}, isolation, workdir, "direct")
    assert processes == [len(codes) * len(CALM)]


def test_what_ends_the_process_is_taken_out(isolation: Isolation, workdir: Path, processes: list[int]) -> None:
    codes = {name: CODES[name] for name in ("right", "recursive without end", "wrong")}
    compare(codes, {name: SUITES[name] for name in ("right", "wrong")}, isolation, workdir, "direct")
    assert processes[0] == 6 and processes[-1] == 4 and sum(processes) < 6 + 2 * 2 + 1 + 4


def test_a_code_that_does_not_build_harms_no_other(isolation: Isolation, workdir: Path) -> None:
    crossing = everything({"right": RIGHT, "broken": RIGHT.replace("a + b", '"x"')}, {"right": SUITES["right"]})
    crate = SharedCrate(crossing, isolation, LIMITS, workdir, lambda pid: None)
    assert [cell.code for cell in crate.compile()] == [0] and not crate.failed and not crate.apart()


A, B = (
    SharedCell(number, 0, PortableSuite("t", "", 0, 0), "m" + "0" * 16, f"t{number}" + "0" * 15) for number in (0, 1)
)
LINES = f"test {A.filter}a ... ok\ntest {A.filter}b - should panic ... ok\ntest {B.filter}a ... FAILED\n"


@pytest.mark.parametrize(
    ("more", "tally", "expected"),
    [
        ("", Tally(2, 1, 0), {0: Cell(Outcome.PASSED, 2), 1: Cell(Outcome.TEST_FAILED, 0, 1)}),
        (
            f"test {B.filter}c ... ignored, why\n",
            Tally(2, 1, 1),
            {0: Cell(Outcome.PASSED, 2), 1: Cell(Outcome.TEST_FAILED, 0, 1, 1)},
        ),
        (
            f"\nfailures:\n\n{LINES}",  # what a test printed
            Tally(2, 1, 0),
            {0: Cell(Outcome.PASSED, 2), 1: Cell(Outcome.TEST_FAILED, 0, 1)},
        ),
        ("", Tally(3, 1, 0), {}),  # a line is missing
        ("", Tally(2, 0, 1), {}),
        (f"test {A.filter}a ... ok\n", Tally(3, 1, 0), {}),  # a test twice
        (f"test {A.filter.replace('t0', 't9')}a ... ok\n", Tally(3, 1, 0), {}),  # of nobody
    ],
)
def test_lines_have_to_add_up(more: str, tally: Tally, expected: dict[int, Cell]) -> None:
    assert read_cells((LINES + more).encode(), tally, [A, B]) == expected


def test_the_outcomes_are_all_there(isolation: Isolation, workdir: Path) -> None:
    chosen = ("right", "no test", "ends itself", "another name", "five")
    crossing = everything({"endless": CODES["endless for 5"]}, {name: SUITES[name] for name in chosen})
    result = crossed(crossing, isolation, workdir)
    found = [cell.outcome for cell in result.cells if cell]
    assert "1 s to run" in result.reason
    expected = [Outcome.PASSED, Outcome.NO_TESTS, Outcome.UNTRUSTED, Outcome.TEST_BUILD_ERROR, Outcome.TIMEOUT]
    assert found == expected


def test_where_more_than_two_do_not_end_the_processes_are_counted(
    isolation: Isolation, workdir: Path, processes: list[int]
) -> None:
    slow = [suite(case(f"five_{number}", "assert_eq!(add(5, 5), 10);")) for number in range(5)]
    codes = (CODES["endless for 5"], RIGHT)
    crossing = Crossing(codes, tuple(slow), tuple((c, s) for c in (0, 1) for s in range(5)), alone=16)
    cells = crossed(crossing, isolation, workdir).cells
    assert [cell.outcome for cell in cells[:5] if cell] == [Outcome.TIMEOUT] * 2, "nothing is known of the others"
    assert {cell.outcome for cell in cells[5:] if cell} == {Outcome.PASSED} and None not in cells[5:]
    assert [number for number in processes if number < 5] == [1, 4, 1, 3, 2]


def test_two_that_do_not_end_take_no_result_from_the_others(
    isolation: Isolation, workdir: Path, processes: list[int]
) -> None:
    endless = {str(number): suite(case("waits", f"while add(5, 5) != {number} {{}}")) for number in (1, 2)}
    quick = {name: SUITES[name] for name in ("right", "wrong", "should panic", "ignored")}
    crossing = replace(everything({"right": RIGHT}, endless | quick), alone=16)
    found = [cell and cell.outcome for cell in crossed(crossing, isolation, workdir).cells]
    assert found[:2] == [Outcome.TIMEOUT] * 2, "it is known who does not end"
    assert found[2:] == [Outcome.PASSED, Outcome.TEST_FAILED, Outcome.TEST_FAILED, Outcome.PASSED]
    assert processes == [6, 1, 5, 1, 4]


def test_a_limit_that_depends_on_the_load_is_told(isolation: Isolation, workdir: Path) -> None:
    body = (
        "let lock = std::sync::Mutex::new(add(1, 1));\n        let _one = lock.lock();\n        let _two = lock.lock();"
    )
    crossing = everything({"right": RIGHT}, {"deadlock": suite(case("waits", body)), "right": SUITES["right"]})
    found = crossed(crossing, isolation, workdir)
    assert [cell and cell.outcome for cell in found.cells] == [Outcome.TIMEOUT, Outcome.PASSED]
    assert "every thread waits" in found.reason, "by this the pool knows that it must not keep the result"


def test_a_whole_matrix_is_cheaper_than_its_cells(isolation: Isolation, workdir: Path) -> None:
    codes = {str(n): RIGHT.replace("a + b", f"a + b + {n} - {n}") for n in range(6)}
    suites = {str(n): suite(case("some", f"assert_eq!(add({n}, 2), {n + 2});")) for n in range(6)}
    crossing = everything(codes, suites)
    one = grade(crossing.program(0, 0), isolation, QUICK, workdir, backend="direct", phases=("test",))
    found = crossed(crossing, isolation, workdir)
    assert {cell.outcome for cell in found.cells if cell} == {Outcome.PASSED}
    assert found.cpu_ms < len(crossing.pairs) * one.cpu_ms / 3


def test_a_code_whose_errors_point_at_nothing_costs_no_other_code_its_crate(
    isolation: Isolation, workdir: Path
) -> None:
    too_big = (
        "pub fn add<T: std::ops::Add<Output = T>>(a: T, b: T) -> T {\n"
        "    let _ = std::mem::size_of::<[T; usize::MAX / 2]>();\n    a + b\n}\n"
    )
    crossing = everything({"right": RIGHT, "too big": too_big}, {"right": SUITES["right"], "five": SUITES["five"]})
    shared = SharedCrate(crossing, isolation, QUICK, workdir, lambda pid: None)
    assert not shared.compile() and {member.code for member in shared.unclear} == {0, 1}
    compiled = [[member.number for member in crate.compile()] for crate in shared.apart()]
    assert compiled == [[0, 1], []] and not shared.failed


def test_a_body_keeps_its_lines_and_columns() -> None:
    found = portable_suite("\n\n#[cfg(test)]\nmod t {\n    fn a() {}\n}\n", LIMITS)
    assert found is not None and found.name == "t" and found.at(2) == "\n" * 5 + " " * 7 + "\n    fn a() {}\n"


@pytest.mark.parametrize(
    "text", ["", "fn f() {}", "mod t {}", SUITES["right"] * 2, "#[cfg(test)]\nmod t {", SUITES["names itself"]]
)
def test_what_is_no_single_test_module_shares_nothing(text: str) -> None:
    assert portable_suite(text, LIMITS) is None


def test_pairs_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match=r"the pair \(0, 1\) names none: there are 1 code and 1 test module"):
        Crossing(("",), ("",), ((0, 1),))
    with pytest.raises(ValueError, match="twice"):
        Crossing(("",), ("",), ((0, 0), (0, 0)))


def test_a_pool_crosses_and_remembers(pool: SandboxPool) -> None:
    crossing = everything({"right": RIGHT, "wrong": WRONG}, {"right": SUITES["right"]})
    found = pool.submit_crossing(crossing).result()
    assert [cell and cell.outcome for cell in found.cells] == [Outcome.PASSED, Outcome.TEST_FAILED]
    assert pool.submit_crossing(crossing).result() is found
    assert Crossed.from_json(found.to_json()) == found
