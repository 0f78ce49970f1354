"""The grader's checks that decide whether a program passes, in the order in which a program earns them."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CHECK_LABELS", "PASS_CHECKS"]

PASS_CHECKS: Mapping[str, str] = {  # name in records and metrics -> label for a reader
    "build": "build",
    "clippy": "clippy",
    "test": "tests",
    "test_strict": "strict tests",
    "gold": "gold tests",
}
CHECK_LABELS: Mapping[str, str] = {  # and what is a rate too, but no pass
    **PASS_CHECKS,
    "gold_applicable": "gold tests apply",
}
