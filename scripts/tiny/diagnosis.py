"""Classifies the mistake that a graded completion shows, in the classes of `mistakes`, by what the toolchain reported.

The compiler's messages decide, not the text, so the same mistake is counted however a completion makes it. A planted
mistake that still compiles and passes does not count. Only the first mistake counts, and none is weighed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["CLASSES", "mistake_of"]

CLASSES = ("syntax", "types", "borrow", "scope", "name", "operator", "expected", "other")
_BORROW = {
    *("E0106", "E0261", "E0381", "E0382", "E0384", "E0499", "E0502", "E0505", "E0506", "E0507", "E0515", "E0594"),
    *("E0596", "E0597", "E0621", "E0716"),
}
_NOT_FOUND = {"E0412", "E0422", "E0425", "E0432", "E0433"}
_MACRO_AS_FUNCTION = "E0423"  # `assert_eq(...)`: a sign is missing


def mistake_of(record: Mapping[str, Any]) -> str | None:
    """The class of the first mistake that a graded completion shows.

    Args:
        record: A line of `completions.jsonl` or of an evaluation; its "checks" and "verdict" are read.
    Returns: One of `CLASSES`, "other" for what was never planted (no code block, a time limit, tests that cannot fail);
        None when the completion passes strictly and is right.
    """
    checks, verdict = record["checks"], record["verdict"]
    if checks["test_strict"] and checks["gold"] != 0.0:
        return None
    errors = [item for item in verdict.get("diagnostics", ()) if item["level"] == "error"]
    if not checks["build"]:
        return _of_errors(errors)
    if verdict["outcome"] == "test_build_error":
        code = verdict["code"] or ""
        return "scope" if "use super" not in code else _of_errors(errors)
    gold = verdict.get("gold", {})
    if checks["gold"]:
        return "expected" if verdict["outcome"] == "test_failed" else "other"
    gold_errors = [item for item in gold.get("diagnostics", ()) if item["level"] == "error"]
    if gold_errors:
        return _of_errors(gold_errors)
    return "operator" if verdict["outcome"] in ("test_failed", "passed") else "other"


def _of_errors(errors: Sequence[Mapping[str, Any]]) -> str:
    """The class of compiler errors: "syntax" if rustc cannot parse the program, else by the first error with a code."""
    codes = [error["code"] for error in errors if error["code"]]
    if not codes or codes[0] == _MACRO_AS_FUNCTION:
        return "syntax" if errors else "other"
    if any(code in _BORROW for code in codes):
        return "borrow"
    if codes[0] in _NOT_FOUND:
        return "name"
    return "types"
