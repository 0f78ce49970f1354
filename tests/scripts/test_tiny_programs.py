"""Programs: every operation's reference, program and gold tests pass under real rustc, and gold tests refute rivals."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from sandbox.find_rust import find_toolchain
from tiny.catalogue import OPERATIONS, combinations, rivals
from tiny.programs import Check, Solution, draw_request, draw_solution, gold_tests, reference
from tiny.rust_types import ELEMENTS


def rustc_test(source: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Compile the source with its tests and run them."""
    (folder / "all.rs").write_text("#![allow(dead_code)]\n" + source, encoding="utf-8")
    compiler = [str(find_toolchain().bin / "rustc"), "--edition=2021", "--test", "all.rs", "-o", "all"]
    built = subprocess.run(compiler, cwd=folder, capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stderr[-3000:]
    return subprocess.run([str(folder / "all"), "--test-threads=1"], capture_output=True, text=True, timeout=60)


def test_one_reference_program_and_gold_of_every_operation_pass_under_rustc(tmp_path: Path) -> None:
    rng = random.Random(0)
    modules = []
    for number, operation in enumerate(OPERATIONS):
        element = rng.choice([item for item in ELEMENTS if operation.applies_to(item)])
        request = draw_request(operation, element, rng)
        solution = draw_solution(request, rng)
        modules.append(f"mod program{number} {{\n{solution.source()}}}\n")
        modules.append(f"mod reference{number} {{\n{reference(request)}\n{gold_tests(request, rng)}}}\n")
    run = rustc_test("".join(modules), tmp_path)
    assert run.returncode == 0, run.stdout[-3000:]
    assert f"{run.stdout.count('... ok')} passed" in run.stdout
    assert run.stdout.count("::gold::gold ... ok") == len(OPERATIONS)


def test_gold_tests_refute_a_rival_under_rustc(tmp_path: Path) -> None:
    rng = random.Random(1)
    modules = []
    for number, name in enumerate(("larger", "first", "contains", "or_else", "choose", "left")):
        operation = next(item for item in OPERATIONS if item.name == name)
        request = draw_request(operation, ELEMENTS[0], rng)
        body = rivals(operation, ELEMENTS[0])[0].body(0, request.names, request.setting)
        wrong = Solution(request.definition, request.signature(), body, request.name, ()).code()
        modules.append(f"mod wrong{number} {{\n{wrong}\n{gold_tests(request, rng)}}}\n")
    run = rustc_test("".join(modules), tmp_path)
    assert "0 passed; 6 failed" in run.stdout


def test_gold_tests_have_three_to_five_different_asserts_with_varied_results() -> None:
    rng = random.Random(2)
    for operation, element in combinations("eval"):
        gold = gold_tests(draw_request(operation, element, rng), rng)
        asserts = [line.strip() for line in gold.splitlines() if "assert" in line]
        assert 3 <= len(asserts) <= 5 and len(set(asserts)) == len(asserts)
        if operation.returns == "bool":
            assert any("assert!(!" in line for line in asserts) and any("assert!(!" not in line for line in asserts)


def test_a_completion_is_one_block_with_one_to_four_asserts() -> None:
    rng = random.Random(3)
    for operation, element in combinations("train")[::5]:
        text = draw_solution(draw_request(operation, element, rng), rng).completion()
        assert text.startswith("```rust\n") and text.endswith("}\n```") and text.count("```") == 2
        assert 1 <= text.count("assert") <= 4
        assert "#[cfg(test)]\nmod tests {\n    use super::*;\n" in text


@pytest.mark.parametrize(
    ("check", "line"),
    [
        (Check("1, 2", "true"), "assert!(f(1, 2));"),
        (Check("1, 2", "false"), "assert!(!f(1, 2));"),
        (Check("&[]", "None"), "assert_eq!(f(&[]), None);"),
    ],
)
def test_a_check_is_written_the_way_clippy_likes(check: Check, line: str) -> None:
    assert check.render("f") == line
