"""A demonstration of a row of the data: the completion that a model is to imitate in supervised fine-tuning.

`completion` holds it as text, or as a list with one chat message of the assistant. A row of the published data has
`rust_code` and `rust_test_list` instead, whose code and tests are put together into one block, as a completion has it.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["DEMONSTRATION_COLUMNS", "demonstration", "one_block"]

DEMONSTRATION_COLUMNS = ("completion", "rust_code", "rust_test_list")


def demonstration(columns: Mapping[str, Any]) -> str:
    """The completion that a row demonstrates.

    Args:
        columns: The row.
    Raises: ValueError for a row without one; says which columns it may stand in.

    >>> demonstration({"completion": [{"role": "assistant", "content": "```rust\\nfn f() {}\\n```"}]})
    '```rust\\nfn f() {}\\n```'
    """
    given = columns.get("completion")
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], Mapping):
        given = given[0].get("content")
    if isinstance(given, str) and given.strip():
        return given
    code, tests = columns.get("rust_code"), columns.get("rust_test_list")
    try:
        tests = json.loads(tests) if isinstance(tests, str) else tests
    except json.JSONDecodeError:
        tests = None
    if isinstance(code, str) and code.strip() and isinstance(tests, list) and all(isinstance(t, str) for t in tests):
        return one_block(code, tests)
    raise ValueError(
        f"a row with the columns {', '.join(name for name in columns if columns[name])} demonstrates nothing: give a "
        "completion (text, or one message of the assistant), or rust_code with a rust_test_list of texts"
    )


def one_block(code: str, tests: Sequence[str]) -> str:
    """Code and its tests as one code block.

    Args:
        code: A Rust program without tests.
        tests: Statements, which become one test function; test functions; or a whole test module.

    >>> print(one_block("fn f() -> u8 { 1 }", ["assert_eq!(f(), 1);"]))
    ```rust
    fn f() -> u8 { 1 }
    <BLANKLINE>
    #[cfg(test)]
    mod tests {
        use super::*;
    <BLANKLINE>
        #[test]
        fn works() {
            assert_eq!(f(), 1);
        }
    }
    ```
    """
    modules = [test.strip() for test in tests if "mod " in test and "#[cfg(test)]" in test]
    functions = [test.strip() for test in tests if "#[test]" in test and test.strip() not in modules]
    statements = [test.strip().removesuffix(";") + ";" for test in tests if "#[test]" not in test]
    if statements:
        functions.insert(0, "#[test]\nfn works() {\n" + textwrap.indent("\n".join(statements), "    ") + "\n}")
    if functions:
        inside = "\n\n".join(["use super::*;", *functions])
        modules.insert(0, "#[cfg(test)]\nmod tests {\n" + textwrap.indent(inside, "    ") + "\n}")
    return "```rust\n" + "\n\n".join([code.strip(), *modules]) + "\n```"
