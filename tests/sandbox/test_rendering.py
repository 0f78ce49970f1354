"""rustc's rendering of an error in a verdict: the program's own lines, and nothing of the host."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from sandbox.limits import Limits
from sandbox.rendering import own_rendering, shortened
from sandbox.verdict import Diagnostic, Verdict
from sandbox.workers.pool import SandboxPool

MOVED = "fn f(v: Vec<u8>) -> usize {\n" + "    // a line\n" * 7 + "    let other = v;\n    v.len() + other.len()\n}\n"
RENDERED = """\
error[E0382]: borrow of moved value: `v`
  --> src/main.rs:10:5
   |
 1 | fn f(v: Vec<u8>) -> usize {
"""


def test_an_error_is_rendered_in_the_lines_of_the_program(by_cargo: Callable[..., Verdict], pool: SandboxPool) -> None:
    (error,) = by_cargo(MOVED, Limits(), ("build",)).diagnostics
    assert (error.code, error.line) == ("E0382", 10) and error.rendered.startswith(RENDERED)
    assert "\n 9 |     let other = v;\n" in error.rendered and "value borrowed here after move" in error.rendered
    direct = pool.submit(MOVED, phases=("build",)).result().diagnostics[0].rendered  # by clippy's driver, in colours
    assert direct.replace("std::vec::Vec", "Vec") == error.rendered  # which writes paths whole


def test_nothing_of_the_host_is_in_a_rendering(pool: SandboxPool) -> None:
    program = 'fn f() -> u8 {\n    1u8 + 1.5\n}\nconst S: &str = include_str!("there.txt");\nmod m;\n'
    found = pool.submit(program, phases=("build",)).result()
    said = "\n".join(error.rendered for error in found.diagnostics)
    assert "E0583" in said and not re.search(r"/tmp|/home|/root|/rustc/|rustlib|[0-9a-f]{16}|\x1b", said)


def test_warnings_and_equality_have_no_part_in_it(pool: SandboxPool) -> None:
    assert Diagnostic("error", None, "x", 1, "one") == Diagnostic("error", None, "x", 1, "another")
    found = pool.submit("fn f() {\n    let x = 1;\n}\n", phases=("clippy",)).result()
    assert found.warnings and not any(one.rendered for one in found.diagnostics)
    record = found.to_json()
    for one in record["diagnostics"]:
        del one["rendered"]  # as verdicts were kept before
    assert Verdict.from_json(record) == found


@pytest.mark.parametrize(
    "given, own",
    [
        ("\x1b[1merror\x1b[0m: x\n\n", "error: x"),
        ("e\n10 | a\n11 ~ b\n", "e\n 9 | a\n10 ~ b"),
        ("closure@src/main.rs:3:9: 3:11", "closure@src/main.rs:2:9: 2:11"),
        ("at /rustc/" + "0a" * 20 + "/library/core/src/ops.rs:5:1", "at library/core/src/ops.rs:5:1"),
        ("at /opt/rust/lib/rustlib/src/rust/library/core/src/ops.rs", "at library/core/src/ops.rs"),
        ("written to '/w/target/a.long-type-17.txt'", "written to 'a file'"),
        ("9" * 5000 + " | x", "9" * 5000 + " | x"),
        ("src/main.rs:" + "9" * 5000 + ":1", "src/main.rs:" + "9" * 5000 + ":1"),
    ],
)
def test_lines_are_counted_and_paths_are_cut(given: str, own: str) -> None:
    assert own_rendering(given, drop_lines=1, hidden=("/opt/rust/",)) == own


def test_long_renderings_are_left_out_whole() -> None:
    assert list(shortened(["a" * 10, "b" * 10, "c"], 15)) == ["a" * 10, "", ""]
    assert list(shortened(["ab\ncd\nef", "g"], 5)) == ["ab\n...", ""]
    assert len(own_rendering("x" * 100_000, drop_lines=1)) == 20_000
