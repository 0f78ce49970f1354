"""The architecture, measured from the sources: short chains of imports, small folders, short functions, clear names.

Each check is a function from a tree to a list of problems, which is empty for this project. Further tests give each
check a tree that breaks its rule, and see it reported.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("grpo", "rewards", "sandbox", "scripts")
MAX_CHAIN = 12  # modules
MAX_FILES = 15  # in a folder
MAX_COMMANDS = 20  # in scripts, where every file is a command and knows none of the others
MAX_FILE_LINES = 400
MEDIAN_LINES, P90_LINES, MAX_LINES = 10, 30, 80  # of a function
OLD_WORDS = (  # also as a part of a name: `dull` finds `is_dull` and `groups/dull`
    *("Anatomy", "Attendant", "HOLLOW", "Proof", "Sample", "Sampled", "Sampling", "Told"),
    *("astray", "blind", "checkpoint_activations", "dissect", "dull", "earned_asserts", "left_out"),
    *("updates_per_batch", "zero_spread"),
)


# What there is


def sources(root: Path, *packages: str) -> Iterator[Path]:
    """The Python files of packages, in order."""
    for package in packages or PACKAGES:
        yield from sorted((root / package).rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def modules(root: Path) -> dict[str, Path]:
    """Modules by the name they are imported by; `scripts` is a folder on the path and not a package."""
    found = {}
    for path in sources(root):
        parts = path.relative_to(root).with_suffix("").parts
        parts = parts[1:] if parts[0] == "scripts" else parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(root: Path) -> dict[str, set[str]]:
    """What each module imports from the tree, at the top or within functions."""
    known = modules(root)
    graph: dict[str, set[str]] = {name: set() for name in known}
    for name, path in known.items():
        package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
        for node in ast.walk(tree(path)):
            for candidates in imported(node, package):
                graph[name] |= {next((item for item in candidates if item in known), name)}
        graph[name].discard(name)
    return graph


def imported(node: ast.AST, package: list[str]) -> Iterator[tuple[str, ...]]:
    """For each name in an import statement the modules that it may refer to, the most specific first."""
    if isinstance(node, ast.Import):
        yield from ((alias.name,) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        start = package[: len(package) - node.level + 1] if node.level else []
        module = ".".join([*start, *([node.module] if node.module else [])])
        yield from ((f"{module}.{alias.name}", module) for alias in node.names)


# The checks: each returns its problems


def circles(root: Path) -> list[str]:
    """A circle of imports, if there is one."""
    try:
        TopologicalSorter(imports(root)).prepare()
    except CycleError as error:
        return [" <- ".join(error.args[1])]
    return []


def longest_chain(graph: Mapping[str, set[str]]) -> list[str]:
    """The longest chain of modules that import each other, the importing one first."""
    chains: dict[str, list[str]] = {}
    for name in TopologicalSorter(graph).static_order():
        chains[name] = [name, *max((chains[other] for other in sorted(graph[name])), key=len, default=[])]
    return max(chains.values(), key=len)


def long_chains(root: Path) -> list[str]:
    """The longest chain of imports, if it is too long."""
    chain = longest_chain(imports(root))
    return [f"{len(chain)} modules: {' -> '.join(chain)}"] if len(chain) > MAX_CHAIN else []


def full_folders(root: Path) -> list[str]:
    """Folders with too many files. Recipes are data, as many as there are experiments."""
    counts: defaultdict[Path, int] = defaultdict(int)
    for folder in (*PACKAGES, "docs"):
        for path in (root / folder).rglob("*"):
            if path.is_file() and path.parent.name not in ("__pycache__", "recipes"):
                counts[path.parent.relative_to(root)] += 1
    most = defaultdict(lambda: MAX_FILES, {Path("scripts"): MAX_COMMANDS})
    return [f"{folder}: {count} files" for folder, count in sorted(counts.items()) if count > most[folder]]


def long_files(root: Path) -> list[str]:
    """Sources in Python and Rust with too many lines. Specimens are data: programs to grade."""
    paths = [
        path for folder in PACKAGES for path in sorted((root / folder).rglob("*")) if path.suffix in (".py", ".rs")
    ]
    lengths = {
        path.relative_to(root): len(path.read_text(encoding="utf-8").splitlines())
        for path in paths
        if "specimens" not in path.parts
    }
    return [f"{path}: {length} lines" for path, length in lengths.items() if length > MAX_FILE_LINES]


def function_lengths(root: Path) -> dict[str, int]:
    """The lines of every function, docstring included, by its place and name."""
    return {
        f"{path.relative_to(root)}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in sources(root)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def long_functions(root: Path) -> list[str]:
    """Functions with too many lines, and a median or a 90th percentile that is too high."""
    lengths = function_lengths(root)
    ordered = sorted(lengths.values())
    half, most = median(ordered), ordered[int(0.9 * len(ordered))]
    return [
        *(f"{name}: {length} lines" for name, length in lengths.items() if length > MAX_LINES),
        *([f"median: {half} lines"] if half > MEDIAN_LINES else []),
        *([f"90th percentile: {most} lines"] if most > P90_LINES else []),
    ]


def silent_packages(root: Path) -> list[str]:
    """Packages whose `__init__` has no docstring, or is missing."""
    folders = {path.parent for path in sources(root)} - {root / "scripts"}
    files = [folder / "__init__.py" for folder in sorted(folders)]
    return [str(file.relative_to(root)) for file in files if not (file.exists() and ast.get_docstring(tree(file)))]


def ambiguous_types(root: Path) -> list[str]:
    """Public classes that share a name."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in sources(root):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(f"{path.relative_to(root)}:{node.lineno}")
    return [f"{name}: {', '.join(found)}" for name, found in sorted(places.items()) if len(found) > 1]


def names(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Every name in a module, and every string that may be a key, with its line."""
    for node in ast.walk(module):
        line = getattr(node, "lineno", 0)
        for field in ("id", "attr", "arg", "name", "asname"):
            if isinstance(name := getattr(node, field, None), str):
                yield line, name
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[\w./]+", node.value):
            yield line, node.value


def old_words(root: Path) -> list[str]:
    """Names with a word that the project has replaced. The names of tests are sentences and may have any word."""
    old = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(OLD_WORDS)})(?![A-Za-z0-9])")
    return [
        f"{path.relative_to(root)}:{line} {name}"
        for path in sources(root, *PACKAGES, "tests")
        if path.name != Path(__file__).name
        for line, name in names(tree(path))
        if old.search(name) and not name.startswith("test_")
    ]


# This project


@pytest.mark.parametrize(
    "problems",
    [
        circles,
        long_chains,
        full_folders,
        long_files,
        long_functions,
        silent_packages,
        ambiguous_types,
        old_words,
    ],
)
def test_the_project_has_no(problems: Callable[[Path], list[str]]) -> None:
    found = problems(ROOT)
    assert not found, "\n".join(found)


# Trees that break a rule

Grow = Callable[[dict[str, str]], Path]


@pytest.fixture
def grow(tmp_path: Path) -> Grow:
    """Writes files into an otherwise empty tree, and returns its root."""

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def function(lines: int, name: str = "f") -> str:
    """The source of a function of so many lines."""
    return f"def {name}():\n" + "    pass\n" * (lines - 1)


def test_a_chain_counts_every_form_of_import(grow: Grow) -> None:
    root = grow(
        {
            "scripts/verb.py": "from package import inner",
            "scripts/package/inner.py": "import grpo.a",
            "grpo/a.py": "from grpo.b import name",
            "grpo/b.py": "def f():\n    import grpo.c.d as e",
            "grpo/c/d.py": "from .. import f",
            "grpo/f.py": "from .c import g",
            "grpo/c/g.py": "from . import h",
            "grpo/c/h.py": "import os, torch",
        }
    )
    chain = ["verb", "package.inner", "grpo.a", "grpo.b", "grpo.c.d", "grpo.f", "grpo.c.g", "grpo.c.h"]
    assert longest_chain(imports(root)) == chain
    assert long_chains(root) == circles(root) == []


def test_a_chain_that_is_too_long_is_reported_with_its_modules(grow: Grow) -> None:
    steps = [f"step{number}" for number in range(MAX_CHAIN + 1)]
    root = grow({f"scripts/{one}.py": f"import {other}" for one, other in pairwise([*steps, "os"])})
    assert long_chains(root) == [f"{MAX_CHAIN + 1} modules: {' -> '.join(steps)}"]
    (root / "scripts" / "step3.py").write_text("")
    assert long_chains(root) == []


def test_a_circle_through_a_package_and_a_function_is_reported(grow: Grow) -> None:
    root = grow(
        {
            "grpo/__init__.py": "from grpo.a import f",
            "grpo/a.py": "def f():\n    from grpo.b import g",
            "grpo/b.py": "import grpo",
        }
    )
    (circle,) = circles(root)
    assert set(circle.split(" <- ")) == {"grpo", "grpo.a", "grpo.b"}


def test_a_full_folder_is_reported_and_one_of_recipes_is_not(grow: Grow) -> None:
    root = grow({f"{folder}/{number}": "" for folder in ("docs", "scripts/recipes") for number in range(MAX_FILES)})
    assert full_folders(root) == []
    grow({"docs/one_more.svg": "", "scripts/recipes/one_more.toml": ""})
    assert full_folders(root) == [f"docs: {MAX_FILES + 1} files"]
    grow({f"scripts/{number}.py": "" for number in range(MAX_COMMANDS + 1)})
    assert full_folders(root)[1:] == [f"scripts: {MAX_COMMANDS + 1} files"]


def test_a_long_file_is_reported_and_a_long_specimen_is_not(grow: Grow) -> None:
    long = "\n" * (MAX_FILE_LINES + 1)
    root = grow({"grpo/a.py": long[1:], "sandbox/launcher/main.rs": long, "sandbox/specimens/lints/a.rs": long})
    assert long_files(root) == [f"sandbox/launcher/main.rs: {MAX_FILE_LINES + 1} lines"]


def test_long_functions_are_reported_alone_and_in_the_mass(grow: Grow) -> None:
    short = function(MEDIAN_LINES) * 8
    root = grow({"grpo/a.py": short + function(P90_LINES) + function(MAX_LINES)})
    assert long_functions(root) == [f"90th percentile: {MAX_LINES} lines"]
    grow({"grpo/a.py": short * 2 + function(P90_LINES) + function(MAX_LINES + 1, "g")})
    assert long_functions(root) == [f"grpo/a.py:{16 * MEDIAN_LINES + P90_LINES + 1} g: {MAX_LINES + 1} lines"]
    grow({"grpo/a.py": function(MEDIAN_LINES + 1)})
    assert long_functions(root) == [f"median: {MEDIAN_LINES + 1} lines"]


def test_a_package_without_a_docstring_is_reported(grow: Grow) -> None:
    root = grow(
        {"grpo/__init__.py": '"""Learns."""', "grpo/a/__init__.py": "x = 1", "scripts/b/c.py": "", "scripts/d.py": ""}
    )
    assert silent_packages(root) == ["grpo/a/__init__.py", "scripts/b/__init__.py"]


def test_two_public_classes_of_one_name_are_reported(grow: Grow) -> None:
    root = grow(
        {
            "grpo/a.py": "class Answer: ...\nclass _Private: ...",
            "rewards/b.py": "class _Private: ...\nclass B:\n    class Answer: ...",
        }
    )
    assert ambiguous_types(root) == ["Answer: grpo/a.py:1, rewards/b.py:3"]


@pytest.mark.parametrize(
    "text",
    [
        "def is_dull(): ...",
        "from a import b as dull",
        "f(dull=1)",
        "x.dull",
        'row["groups/dull"]',
        "def f(dull): ...",
        "class Told: ...",
    ],
)
def test_an_old_word_is_reported_in_names_and_keys(grow: Grow, text: str) -> None:
    assert len(old_words(grow({"grpo/a.py": text}))) == 1


def test_an_old_word_in_prose_or_within_another_word_is_none(grow: Grow) -> None:
    assert old_words(grow({"grpo/a.py": 'dullness = "Told as a dull story, blind to it"\nclass Samples: ...'})) == []
