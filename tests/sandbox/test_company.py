"""Programs whose text could show in which company they are compiled have the same verdict in it, in every field."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from programs import GOOD, LIMITS, in_test
from sandbox.grading.grade import grade
from sandbox.grading.together import grade_together
from sandbox.isolation.policy import Isolation
from sandbox.verdict import Verdict


def fields(verdict: Verdict) -> dict[str, Any]:
    """All that a verdict says but times, memory and the numbers of threads."""
    record = replace(verdict, ms={}, cpu_ms=0.0, peak_memory_mb=0.0).to_json()
    output = re.sub(r"finished in [\d.]+s", "finished", record["test_output"])
    record["test_output"] = re.sub(r"(thread '[^']*') \(\d+\)", r"\1", output)
    return record


def first(sources: list[str], isolation: Isolation, workdir: Path) -> dict[str, Any]:
    """The first program's verdict in the company of the others."""
    answers = list(grade_together(sources, isolation, LIMITS, workdir))
    assert len(answers) == 2 * len(sources), "each program starts once and has one verdict"
    graded = {number: verdict for number, verdict in answers if verdict}
    return fields(graded[0])


def asks(item: str, answer: str) -> str:
    """A program with an item, and with a test that the item's `asked` gives an answer."""
    return item + in_test(f"assert_eq!(asked(), {answer});")


PLACES = {
    "a macro behind a suffix of a string": asks(
        'fn asked() -> &\'static str {\n    let _ = stringify!("a"r"\\""); return file!(); // ");\n}\n',
        '"src/main.rs"',
    ),
    "a macro behind a suffix of a character": asks(
        'fn asked() -> &\'static str {\n    let _ = stringify!(\'a\'r"\\""); return file!(); // ");\n}\n',
        '"src/main.rs"',
    ),
    "a macro behind a suffix of a raw string": asks(
        'fn asked() -> &\'static str {\n    let _ = stringify!(r"a"r"\\""); return file!(); // ");\n}\n',
        '"src/main.rs"',
    ),
    "a macro by another name": asks(
        "use std::file as place;\nfn asked() -> &'static str {\n    place!()\n}\n", '"src/main.rs"'
    ),
    "a macro by another name, in a list": asks(
        "use std::{cmp::max, file as place};\nfn asked() -> usize {\n    max(1, place!().len())\n}\n", "11"
    ),
    "the path of a type, printed": asks(
        "use std::marker::PhantomData;\nstruct Own;\n"
        'fn asked() -> String {\n    format!("{:?}", PhantomData::<Own>)\n}\n',
        '"PhantomData<rust_program::Own>"',
    ),
    "the parent in a list": in_test("use super::{super::*};\n        assert_eq!(add(1, 2), 3);"),
    "the parent by another name": in_test("use super::{super as up};\n        assert_eq!(up::main(), ());"),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_program_cannot_see_that_it_has_company(name: str, isolation: Isolation, workdir: Path) -> None:
    alone = grade(PLACES[name], isolation, LIMITS, workdir, backend="direct")
    assert first([PLACES[name], GOOD, "// 2\n" + GOOD], isolation, workdir) == fields(alone)


HELPED = {
    "Extend<Own> for i32": "fn f(mut n: i32) -> i32 {\n    n.extend([]);\n    n\n}\n",
    "AsRef<Own> for i32": "fn f(n: i32) -> i32 {\n    let _ = n.as_ref();\n    n\n}\n",
    "std::ops::Add<Own> for bool": "fn f() {\n    let _ = true + Default::default();\n}\n",
    "std::ops::Mul<bool> for &Own": "fn f() {\n    let _ = std::ops::Mul::mul(&Default::default(), true);\n}\n",
    "std::ops::Mul<bool> for Box<Own>": "fn f() {\n    std::ops::Mul::mul(Box::new(Default::default()), true)\n}\n",
}
BODIES = {
    "Extend": "fn extend<I: IntoIterator<Item = Own>>(&mut self, _: I) {}",
    "AsRef": "fn as_ref(&self) -> &Own { &Own }",
    "Add": "type Output = bool; fn add(self, _: Own) -> bool { self }",
    "Mul": "type Output = (); fn mul(self, _: bool) {}",
}


@pytest.mark.parametrize("head", HELPED)
def test_no_implementation_helps_a_program_that_does_not_build(head: str, isolation: Isolation, workdir: Path) -> None:
    body = next(text for trait, text in BODIES.items() if trait in head)
    company = f"#[derive(Default)]\nstruct Own;\nimpl {head} {{ {body} }}\n" + GOOD
    program = HELPED[head] + GOOD
    alone = grade(program, isolation, LIMITS, workdir, backend="direct")
    assert alone.outcome == "build_error"
    assert first([program, company, GOOD], isolation, workdir) == fields(alone)
    assert grade(company, isolation, LIMITS, workdir, backend="direct").outcome == "passed"


OUTPUTS = {
    "short": "assert_eq!(add(1, 2), 4);",
    "longer than a verdict keeps": 'for n in 0..2000 { println!("{n}"); } assert_eq!(add(1, 2), 4);',
    "longer than the limit": 'for n in 0..200_000 { println!("{n}"); } assert_eq!(add(1, 2), 4);',
    "another summary": 'println!("test result: ok. 9 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out; x"); '
    "assert_eq!(add(1, 2), 4);",
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_output_is_what_it_is_alone(name: str, isolation: Isolation, workdir: Path) -> None:
    program = in_test(OUTPUTS[name])
    alone = grade(program, isolation, LIMITS, workdir, backend="direct")
    found = first([program, GOOD, "// 2\n" + GOOD], isolation, workdir)
    assert _tail(found) == _tail(fields(alone))
    assert "0 measured; 0 filtered out; finished" in found["test_output"]


def test_output_keeps_the_names_that_the_limit_drops_from_longer_ones(isolation: Isolation, workdir: Path) -> None:
    names = [f"a_test_of_many_{n}" for n in range(60)]
    tests = "".join(f"    #[test]\n    fn {name}() {{ assert_eq!(add(1, 2), 3); }}\n" for name in names)
    program = GOOD.replace("    #[test]\n", tests + "    #[test]\n", 1)
    limits = replace(LIMITS, output_kb=3)
    alone = grade(program, isolation, limits, workdir, backend="direct")
    together = [v for n, v in grade_together([program, GOOD], isolation, limits, workdir) if v and n == 0]
    assert alone.outcome == "passed" and [fields(verdict) for verdict in together] == [fields(alone)]


def _tail(found: dict[str, Any]) -> dict[str, Any]:
    """Fields without the first line of the output, which numbers of threads shorten."""
    return found | {"test_output": found["test_output"].partition("\n")[2]}
