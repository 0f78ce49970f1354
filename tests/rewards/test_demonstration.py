"""A row of the data gives the completion that it demonstrates; the published columns become one block that passes."""

import json
from typing import Any

import pytest

from rewards.demonstration import demonstration, one_block
from rewards.rust.parse import extract_code
from sandbox import SandboxPool

CODE = "fn twice(x: i32) -> i32 {\n    2 * x\n}\n"
FUNCTION = "#[test]\nfn four() {\n    assert_eq!(twice(2), 4);\n}"
MODULE = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn six() {\n        assert_eq!(super::twice(3), 6);\n    }\n}"


@pytest.mark.parametrize(
    ("tests", "count"),
    [
        (["assert_eq!(twice(2), 4);", "assert_eq!(twice(0), 0)"], 1),
        ([FUNCTION], 1),
        ([FUNCTION, "assert_eq!(twice(5), 10);"], 2),
        ([MODULE], 1),
    ],
)
def test_published_code_and_tests_become_one_block_that_passes(tests: list[str], count: int, pool: SandboxPool) -> None:
    text = demonstration({"rust_code": CODE, "rust_test_list": tests})
    assert text.startswith("```rust\nfn twice") and text.endswith("}\n```")
    verdict = pool.submit(extract_code(text)).result()
    assert (verdict.build, verdict.test, verdict.passed) == (True, True, count), verdict


def test_tests_may_be_json_text() -> None:
    tests = ["assert_eq!(twice(2), 4);"]
    row = {"rust_code": CODE, "rust_test_list": json.dumps(tests)}
    assert demonstration(row) == one_block(CODE, tests)


def test_a_completion_is_taken_as_it_is() -> None:
    assert demonstration({"completion": "as it is", "rust_code": CODE, "rust_test_list": []}) == "as it is"
    assert demonstration({"completion": [{"role": "assistant", "content": "said"}]}) == "said"


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "only a prompt"},
        {"prompt": "p", "completion": ""},
        {"prompt": "p", "completion": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
        {"prompt": "p", "rust_code": CODE},
        {"prompt": "p", "rust_code": CODE, "rust_test_list": "no JSON"},
        {"prompt": "p", "rust_code": "", "rust_test_list": ["assert!(true);"]},
    ],
)
def test_a_row_that_demonstrates_nothing_is_told(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="demonstrates nothing: give a completion"):
        demonstration(row)
