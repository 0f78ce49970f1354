"""What README and the pages of docs/ say is true: commands, flags, settings, files and links exist; README stays short.

Commands are read from code, fenced or between backticks, a line that ends in a backslash joined with the next one.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import importlib
import io
import re
import shlex
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import get_type_hints

import pytest

from grpo_rust.recipe import Recipe

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    page for folder in (".", "docs", "docs/*", "assets/*", "sandbox", "tests") for page in ROOT.glob(f"{folder}/*.md")
)
OF_THE_PAST = ("CHANGELOG.md", "EXPERIMENTS.md")  # they name what existed at their time
MAX_README_WORDS = 800
FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
SETTINGS = {
    section.name: {field.name for field in dataclasses.fields(get_type_hints(Recipe)[section.name])}
    for section in dataclasses.fields(Recipe)
}
PACKAGES = ("grpo", "rewards", "sandbox")
FILE_NAMES = ("csv", "html", "json", "jsonl", "log", "md", "parquet", "py", "rs", "svg", "toml")


# What a page says


def name_of(page: Path) -> str:
    """The page's path in the project."""
    return str(page.relative_to(ROOT))


def prose(text: str) -> str:
    """A page without its fenced code."""
    return FENCED.sub("", text)


def code(text: str) -> list[str]:
    """The lines of a page that are code: fenced, or between backticks."""
    fenced = [line for block in FENCED.findall(text) for line in block.replace("\\\n", " ").splitlines()[1:-1]]
    return [" ".join(line.split()) for line in [*fenced, *re.findall(r"(?<!`)`([^`]+)`(?!`)", prose(text))]]


def commands(text: str) -> list[list[str]]:
    """The commands of a page as words, without comments, assignments before them and the prompt."""
    found = []
    for line in code(text):
        with contextlib.suppress(ValueError):  # no shell: a quotation mark that is left open
            words = shlex.split(line, comments=True)
            while words and (words[0] == "$" or re.fullmatch(r"[A-Z_]+=.*", words[0])):
                words.pop(0)
            found.append(words)
    return [words for words in found if words]


# What there is


def targets() -> dict[str, str]:
    """The make targets, each with its recipe."""
    return dict(re.findall(r"^([a-z-]+):[^\n]*## [^\n]*\n((?:\t[^\n]*\n)*)", MAKEFILE, re.MULTILINE))


@cache
def help_of(command: str) -> str:
    """What `scripts/x.py verb` or `-m package verb` prints for --help; nothing if there is no such command."""
    script, _, verb = command.partition(" ")
    package = ""
    if script == "-m":
        package, _, verb = verb.partition(" ")
    file = ROOT / (package.replace(".", "/") + "/__main__.py" if package else script)
    if not file.exists():
        module = file.parent.with_suffix(".py")  # `python -m package.module`: it takes no flags
        return name_of(module) if package and module.exists() else ""
    main = importlib.import_module(f"{package}.__main__" if package else file.stem).main
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        main([*verb.split(), "--help"])
    return printed.getvalue()


def is_setting_or_module(name: str) -> bool:
    """Whether `section.key` is a setting, or a module or a name in one of a package that is called like the section."""
    section, key, *_ = name.split(".")
    if key in SETTINGS.get(section, ()):
        return True
    folder = ROOT / section
    if (folder / key).exists() or (folder / f"{key}.py").exists():
        return True
    file = folder / "__init__.py"
    return file.exists() and re.search(rf"\b{key}\b", file.read_text()) is not None


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ +(.*)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# The checks: each returns what is wrong with a page


def unknown_targets(text: str) -> list[str]:
    """`make` with a target that does not exist."""
    named = {words[1] for words in commands(text) if words[0] == "make" and words[1:]}
    return sorted(name for name in named if re.fullmatch("[a-z-]+", name) and name not in targets())


def run(words: list[str]) -> tuple[str, list[str]] | None:
    """The command that a line runs, as `help_of` takes it, and its words; None for a command of others."""
    if words[0] == "make" and words[1:]:
        script = re.search(r"scripts/\w+\.py( [a-z]+\b)?", targets().get(words[1], ""))
        passed = [word.removeprefix("ARGS=") for word in words if word.startswith("ARGS=")]
        return (script[0], shlex.split(passed[0])) if script and passed else None
    if not words[0].rpartition("/")[2].startswith("python") or not words[1:]:
        return None
    if words[1].startswith("scripts/"):
        verb = [word for word in words[2:3] if re.fullmatch(r"[a-z]+(-[a-z]+)*", word)]
        return " ".join([words[1], *verb]), words[2 + len(verb) :]
    if words[1] == "-m" and words[2:] and words[2].partition(".")[0] in PACKAGES:
        return " ".join(words[1:4]), words[4:]
    return None


def unknown_flags(text: str) -> list[str]:
    """Commands that do not exist, and flags that a command does not have."""
    found = []
    for command, words in filter(None, map(run, commands(text))):
        known = help_of(command)
        found += [] if known else [command]
        flags = {word.partition("=")[0].strip("[]") for word in words if word.lstrip("[").startswith("--")}
        found += [f"{command} {flag}" for flag in sorted(flags) if not re.search(rf"{flag}(?![\w-])", known)]
    return found


def unknown_settings(text: str) -> list[str]:
    """`section.key`, alone or with a value, where the section exists and the setting does not."""
    named = {
        name for line in code(text) for name in re.findall(r"(?<![\w./\"'-])([a-z]+\.[a-z_]+)\b(?=$|[=\s.,;'\"])", line)
    }
    return sorted(
        name
        for name in named
        if name.partition(".")[0] in SETTINGS
        and name.partition(".")[2] not in FILE_NAMES
        and not is_setting_or_module(name)
    )


def missing_files(text: str) -> list[str]:
    """Paths below one of the project's folders that do not exist."""
    pattern = r"(?<![\w./-])((?:grpo|rewards|sandbox|scripts|tests|docs|assets)/[\w./*-]*)"
    named = {path.rstrip(".") for line in code(text) for path in re.findall(pattern, line)}
    return sorted(path for path in named if not any(ROOT.glob(path.rstrip("/"))))


def broken_links(page: Path, text: str) -> list[str]:
    """Links to files and headings that do not exist."""
    found = []
    for link in re.findall(
        r"\]\(([^)\s]+)\)", re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", prose(text), flags=re.DOTALL)
    ):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            found.append(link)
    return found


def unnamed_folders(root: Path, text: str) -> list[str]:
    """Package folders that a page of docs/ has no link to.

    A part of a folder of scripts/ other than grpo_rust may be named in the docstring of that folder instead.
    """
    found = []
    for init in sorted(init for tree in (*PACKAGES, "scripts") for init in root.glob(f"{tree}/**/__init__.py")):
        folder = init.parent.relative_to(root)
        above = init.parent.with_name("__init__.py")
        is_part = folder.parts[0] == "scripts" and folder.parts[1:2] != ("grpo_rust",) and above.exists()
        if f"](../{folder})" not in text and not (is_part and folder.name in words_of(above)):
            found.append(str(folder))
    return found


def unnamed_modules(package: Path) -> list[str]:
    """Modules and folders of a package that its docstring does not name."""
    parts = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    return sorted(parts - {"__init__", "__main__"} - words_of(package / "__init__.py"))


def words_of(file: Path) -> set[str]:
    """The words of a module's docstring."""
    return set(re.findall(r"\w+", ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""))


def num_words(text: str) -> int:
    """The words outside of fenced code; the bars and lines of tables count too."""
    return len(prose(text).split())


# This project


@pytest.mark.parametrize("check", [unknown_targets, unknown_flags, unknown_settings, missing_files])
@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in OF_THE_PAST], ids=name_of)
def test_a_page_names_only_what_exists(page: Path, check: Callable[[str], list[str]]) -> None:
    assert check(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_links_only_to_what_exists(page: Path) -> None:
    assert broken_links(page, page.read_text(encoding="utf-8")) == []


def test_readme_names_the_two_commands_and_is_read_in_five_minutes() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {"make train", "make test"} <= {" ".join(words[:2]) for words in commands(text)}
    assert num_words(text) <= MAX_README_WORDS


def test_the_architecture_names_every_folder() -> None:
    assert unnamed_folders(ROOT, (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("package", ["scripts/grpo_rust", "scripts/grpo_rust/compose"])
def test_a_package_that_lists_its_modules_lists_them_all(package: str) -> None:
    assert unnamed_modules(ROOT / package) == []


# Pages that are wrong


WRONG_COMMANDS = """
`make test-some ARGS=x`, `make test-all` and `make`
```sh
$ OMP_NUM_THREADS=1 make tset  # `make trian`
.venv/bin/python scripts/make_dataset.py generate --out x \\
    --sed 1
make equality ARGS='--count 3 --cuont 4'
```
`python scripts/make_task.py`, `python -m sandbox grade --json --xml FILE`, `python -m rewards.none`
"""
WRONG_SETTINGS = """
`train.max_steps=2 train.max_step=3`, `loss.nme`, `run.json`, `grpo.loss`
`rewards.weights."my.py:f"=1 sandbox.grading sandbox.Verdict sandbox.verdikt`
"""
WRONG_FILES = "`tests/test_docs.py`, `tests/test_*.py`, `sandbox/`, `tests/none.py`, `docs/none*.md`"


@pytest.mark.parametrize(
    ("check", "text", "found"),
    [
        (unknown_targets, WRONG_COMMANDS, ["test-some", "tset"]),
        (
            unknown_flags,
            WRONG_COMMANDS,
            [
                "scripts/make_dataset.py generate --sed",
                "scripts/check_sandbox.py equality --cuont",
                "scripts/make_task.py",
                "-m sandbox grade --xml",
                "-m rewards.none",
            ],
        ),
        (unknown_settings, WRONG_SETTINGS, ["loss.nme", "sandbox.verdikt", "train.max_step"]),
        (missing_files, WRONG_FILES, ["docs/none*.md", "tests/none.py"]),
    ],
)
def test_what_does_not_exist_is_found(check: Callable[[str], list[str]], text: str, found: list[str]) -> None:
    assert check(text) == found


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("# One\n## The `second` heading, here\n")
    page = tmp_path / "a.md"
    good = "[x](b.md) ![x](b.md) [y](b.md#the-second-heading-here) [z](https://x.y/z) `[v](w)`\n# A\n[u](#a)\n"
    assert broken_links(page, page.write_text(good) and good) == []
    assert broken_links(page, "[x](c.md) [y](b.md#two) [z](#b)") == ["c.md", "b.md#two", "#b"]
    assert broken_links(page, "a ```` ```rust ```` block and ![x](d.png), `[v](w)`") == ["d.png"]


def test_a_folder_and_a_module_that_nobody_names_are_found(tmp_path: Path) -> None:
    for folder in ("grpo/loss", "scripts/grpo_rust/rows", "scripts/bench/loss", "scripts/bench/more"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "scripts" / "bench" / "__init__.py").write_text('"""Measures: loss."""')
    (tmp_path / "scripts" / "grpo_rust" / "__init__.py").write_text('"""Composes: rows."""')
    page = "[grpo/loss/](../grpo/loss) [grpo_rust/](../scripts/grpo_rust) [bench/](../scripts/bench)"
    assert unnamed_folders(tmp_path, page) == ["scripts/bench/more", "scripts/grpo_rust/rows"]
    (tmp_path / "scripts" / "grpo_rust" / "plan.py").touch()
    assert unnamed_modules(tmp_path / "scripts" / "grpo_rust") == ["plan"]


def test_words_are_counted_outside_of_fenced_code() -> None:
    assert num_words("One [two three](http://x.y), 4 `five` |\n|---|\n```sh\nnot counted\n```\n- six") == 9
