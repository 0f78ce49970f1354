"""Rows in the published formats of the benchmarks, written for the tests, and files of them. No test lives here."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

HEAD = "use std::collections::{HashMap, HashSet};\nuse rand::Rng;\nuse regex::Regex;\nuse md5;\n\n"
COUNT = "fn count(words: Vec<String>) -> HashMap<String, usize>{\n"
COUNTING = (
    "    let mut found = HashMap::new();\n    for w in words { *found.entry(w).or_insert(0) += 1; }\n    found\n}\n"
)
BUGGY = COUNTING.replace("+= 1", "+= 2")
TESTS = """
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_count() {
        let mut expected = HashMap::new();
        expected.insert(String::from("a"), 2);
        assert_eq!(count(vec![String::from("a"), String::from("a")]), expected);
    }
}
"""
PACK = {
    "task_id": "Rust/0",
    "prompt": f"fn main(){{}}\n\n{HEAD}/*\n Count words.\n*/\n{COUNT}",
    "declaration": f"\n{HEAD}{COUNT}",
    "canonical_solution": COUNTING,
    "buggy_solution": BUGGY,
    "test": TESTS,
    "entry_point": "count",
    "instruction": "Write a Rust function `count` to solve the following problem:\nCount words.",
}
NEEDS_RAND = {**PACK, "task_id": "Rust/1", "test": TESTS.replace("let mut", "let x: u8 = rand::random(); let mut")}
NEEDS_MD5 = {**PACK, "task_id": "Rust/2", "canonical_solution": "    md5::compute(text)\n}\n"}
MULTIPL_E = {
    "name": "HumanEval_0_add",
    "language": "rs",
    "prompt": "/// Add two numbers.\nfn add(a: isize, b: isize) -> isize {\n",
    "doctests": "transform",
    "original": "x.py",
    "prompt_terminology": "reworded",
    "tests": "}\n\nfn main() {\n    let candidate = add;\n    assert_eq!(candidate(1, 2), 3);\n}\n",
    "stop_tokens": ["\n}"],
}
RUSTEVO = {
    "task_idx": 7,
    "query": "How long is a text?",
    "function_signature": "fn length(text: &str) -> usize",
    "code": "fn length(text: &str) -> usize {\n    text.len()\n}",
    "test_program": "#[cfg(test)]\nmod tests {\n    use super::length;\n"
    '    #[test]\n    fn t() { assert_eq!(length("ab"), 2); }\n}',
}
SOLVED = {name: PACK[name] for name in ("task_id", "prompt", "canonical_solution", "test")}
HUMANEVAL_X = {
    **SOLVED,
    "prompt": "\n/*\n Count words.\n*/\n",
    "declaration": PACK["declaration"],
    "example_test": None,
}
HUMAN_EVAL_RUST = {**SOLVED, "task_id": "CodeGen/1", "prompt": HEAD + COUNT, "entry_point": "count"}
MCEVAL = {
    **SOLVED,
    "prompt": f"/*\n Count words.\n*/\n{HEAD}{COUNT}",
    "entry_point": "count",
    "instruction": "Count words.",
    "level": "easy",
}
ROWS: dict[str, list[dict[str, Any]]] = {
    "humanevalpack": [PACK, NEEDS_RAND, NEEDS_MD5],
    "humanevalpack-fix": [PACK],
    "humanevalpack-infill-single-line": [PACK],
    "humanevalpack-infill-multi-line": [PACK],
    "humanevalpack-infill-random-span": [PACK],
    "humaneval-x": [HUMANEVAL_X],
    "human-eval-rust": [
        HUMAN_EVAL_RUST,
        {**HUMAN_EVAL_RUST, "task_id": "CodeGen/2", "test": "mod tests {\n // BEGIN"},
    ],
    "humaneval-rs": [MULTIPL_E],
    "mbpp-rs": [{**MULTIPL_E, "name": "mbpp_0_add"}],
    "mceval": [MCEVAL],
    "rustevo2": [RUSTEVO, {**RUSTEVO, "task_idx": 8, "code": "use libc::c_int;\n"}],
}


def file_of(name: str, folder: Path, rows: list[dict[str, Any]]) -> Path:
    """The rows in a file of the kind that the benchmark comes in."""
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    if name in ("humaneval-rs", "mbpp-rs"):
        path = folder / "test.parquet"
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    elif name == "humaneval-x":
        path = folder / "rows.jsonl.gz"
        path.write_bytes(gzip.compress(lines.encode()))
    elif name == "rustevo2":
        path = folder / "rows.json"
        path.write_text(json.dumps(rows))
    else:
        path = folder / "rows.jsonl"
        path.write_text(lines)
    return path
