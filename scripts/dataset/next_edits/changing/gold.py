"""The gold tests of a row, changed as the program is that they test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["rewritten", "with_asserts"]


def rewritten(gold: Mapping[str, Any], rewrite: Callable[[str], str]) -> dict[str, Any]:
    """Gold tests with every Rust text in them rewritten.

    >>> rewritten({"gold_cases": [{"call": "f(1u8)", "tolerance": 0.5}]}, lambda text: text.replace("u8", "u16"))
    {'gold_cases': [{'call': 'f(1u16)', 'tolerance': 0.5}]}
    """
    return {name: _rewritten(value, rewrite) for name, value in gold.items()}


def _rewritten(value: Any, rewrite: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return rewrite(value)
    if isinstance(value, Mapping):
        return {name: _rewritten(one, rewrite) for name, one in value.items()}
    return [_rewritten(one, rewrite) for one in value] if isinstance(value, list) else value


def with_asserts(gold: Mapping[str, Any], calls: Sequence[tuple[str, str]]) -> dict[str, Any] | None:
    r"""Gold tests that also want these calls to have these values; None where they are in a form that takes no more.

    >>> with_asserts({"rust_test_list": ["assert!(f(0) < 1);"]}, [("f(1)", "2")])["rust_test_list"][1]
    'assert_eq!(f(1), 2);'
    """
    if isinstance(given := gold.get("gold_cases"), list):
        return {"gold_cases": [*given, *({"call": call, "expected": value} for call, value in calls)]}
    if isinstance(given := gold.get("rust_test_list"), list):
        return {"rust_test_list": [*given, *(f"assert_eq!({call}, {value});" for call, value in calls)]}
    module = gold.get("gold_tests")
    if not isinstance(module, str) or "mod " not in module:
        return None
    lines = "".join(f"        assert_eq!({call}, {value});\n" for call, value in calls)
    inside, _, end = module.rpartition("}")
    return {"gold_tests": f"{inside}\n    #[test]\n    fn gold_of_change() {{\n{lines}    }}\n}}{end}"}
