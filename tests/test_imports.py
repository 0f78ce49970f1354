"""The direction of imports: sandbox <- rewards, grpo knows neither, only scripts compose.

Imports inside functions count like those on top. What text cannot show, that importing one module does not load a heavy
one through others, fresh interpreters show.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STDLIB = sys.stdlib_module_names
FOLDERS = ("sandbox", "rewards", "grpo", "scripts")
REWARDS_MAY = {"sandbox", "rewards", "tree_sitter", "tree_sitter_rust", "numpy", "tqdm"}
LOSS = ("aggregation", "corrections", "entropy", "kl", "policy", "ratio")
TORCH_ONLY = ("advantages", "logprobs", "loss", *(f"loss.{name}" for name in LOSS))
RUN = ("directory", "json_values", "lock", "metrics", "provenance")
CONFIG = tuple(f"config.{path.stem}" for path in sorted((ROOT / "grpo" / "config").glob("[a-z]*.py")))
LIGHT = ("config", *CONFIG, "errors", "schema", "whole_file", "rollout.records", *(f"run.{name}" for name in RUN))
RAY = ("connect", "driver", "nodes")  # of sandbox/cluster/
FOR_SEVERAL = (  # machines or GPUs
    *("grpo.distributed.", "grpo.engines.served", "grpo.engines.several"),
    *("grpo.rollout.partial.interruptions", "grpo_rust.scaling", "sandbox.cluster", "ray"),
)
HEAVY = ("torch", "transformers", "datasets", "vllm", "matplotlib", "ray")


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Every module that a file imports, by its full name; relative ones resolved against the file's package."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*start, *([node.module] if node.module else [])])
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def file_of(module: str) -> Path:
    """The file of a module of grpo."""
    path = ROOT.joinpath("grpo", *module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def within(path: Path, modules: tuple[str, ...]) -> bool:
    """Whether all that a file imports from grpo are these modules, or names in them."""
    names = {name.removeprefix("grpo.") for name in imported(path) if name.startswith("grpo.")}
    return all(name in modules or name.rpartition(".")[0] in modules for name in names)


def roots(path: Path) -> set[str]:
    """The packages that a file imports from, the standard library left out."""
    return {name.partition(".")[0] for name in imported(path)} - STDLIB


def fresh(program: str) -> str:
    """What a program prints in a new interpreter that finds this repository."""
    search = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'scripts')!r}]\n"
    command = [sys.executable, "-c", search + program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_has_modules_to_look_at(folder):
    assert sources(folder)


def test_the_walk_sees_imports_of_every_form(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    path = tmp_path / "grpo" / "inner" / "x.py"
    path.parent.mkdir(parents=True)
    path.write_text("import a.b\nfrom c import d\nfrom . import e\nfrom ..f import g\ndef h():\n    import i\n")
    assert imported(path) == {"a.b", "c.d", "grpo.inner.e", "grpo.f.g", "i"}


@pytest.mark.parametrize("path", sources("sandbox"), ids=str)
def test_the_sandbox_imports_the_standard_library_only(path):
    """But for the process that talks to Ray: nothing of Ray is loaded elsewhere."""
    of_ray = path.parent.name == "cluster" and path.stem in RAY
    assert roots(path) <= {"sandbox", *(["ray"] if of_ray else [])}


def test_a_pool_on_ray_loads_no_ray():
    program = "import sys, sandbox.cluster.ray_pool, sandbox.cluster.node_pool"
    assert fresh(f"{program}; print('ray' in sys.modules)") == "False"


@pytest.mark.parametrize("path", sources("rewards"), ids=str)
def test_rewards_import_the_sandbox_and_never_torch_or_grpo(path):
    assert roots(path) <= REWARDS_MAY


@pytest.mark.parametrize("path", sources("grpo"), ids=str)
def test_the_algorithm_imports_neither_sandbox_nor_rewards_nor_scripts(path):
    scripts = {path.stem for path in (ROOT / "scripts").iterdir()} | {"scripts"}
    assert not roots(path) & ({"sandbox", "rewards"} | scripts)


@pytest.mark.parametrize("module", TORCH_ONLY)
def test_the_mathematics_imports_torch_and_itself_and_nothing_else(module):
    path = file_of(module)
    assert roots(path) <= {"torch", "grpo"}
    assert within(path, TORCH_ONLY)


@pytest.mark.parametrize("module", LIGHT)
def test_settings_records_and_logs_need_no_package(module):
    path = file_of(module)
    assert roots(path) <= {"grpo"}
    assert within(path, LIGHT)


@pytest.mark.parametrize("module", [*TORCH_ONLY, *LIGHT])
def test_a_researcher_gets_one_module_without_the_rest(module):
    unwanted = set(HEAVY) - ({"torch"} if module in TORCH_ONLY else set())
    assert fresh(f"import grpo.{module}; print(sorted({unwanted} & set(sys.modules)))") == "[]"


def test_sandbox_and_rewards_work_where_there_is_no_torch():
    blocked = [*HEAVY, "trl", "grpo"]
    program = f"sys.modules.update(dict.fromkeys({blocked}))\nimport sandbox, rewards\n"
    assert fresh(program + "print(bool(sandbox.__file__ and rewards.__file__))") == "True"


def test_recipe_and_plan_load_nothing_heavy():
    program = "from grpo_rust import arguments, plan, recipe; arguments.parse_arguments(['--dry-run'])"
    assert fresh(f"{program}; print(sorted({set(HEAVY)} & set(sys.modules)))") == "[]"


def test_a_run_on_one_machine_loads_nothing_for_several():
    """All that composes a training, and what samples for it; only whether torchrun started it is looked for."""
    program = (
        "import sys, pkgutil, importlib, train, grpo_rust.compose as compose\n"
        "for found in pkgutil.iter_modules(compose.__path__, 'grpo_rust.compose.'):\n"
        "    importlib.import_module(found.name)\n"
        "from types import SimpleNamespace\n"
        "from grpo.rollout.prefetch import Prefetcher\n"
        "settings = dict(seed=0, num_steps=1, prompts_per_step=1, ahead=0)\n"
        "for partial in (False, True):\n"
        "    Prefetcher(SimpleNamespace(engine=None), None, None, int, partial=partial, **settings)\n"
        f"    print([name for name in sys.modules if name.startswith({FOR_SEVERAL}) and not name.endswith('.place')])"
    )
    assert fresh(program).splitlines() == ["[]", "['grpo.rollout.partial.interruptions']"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_module_has_the_name_of_one_of_the_standard_library(folder):
    names = {path.stem for path in sources(folder)} | {folder}
    assert not (names - {"__init__", "__main__"}) & STDLIB


def test_no_script_or_folder_hides_an_installed_package():
    """`python scripts/x.py` puts scripts/ first on the path, so every name there is a top-level name."""
    names = {path.stem for path in (ROOT / "scripts").iterdir() if path.suffix == ".py" or path.is_dir()}
    names = {name for name in names if name.isidentifier()} - {"__init__", "__pycache__"}
    program = (
        "import importlib.util as u, sys\n"
        f"specs = [u.find_spec(name) for name in {sorted(names | set(FOLDERS))}]\n"
        "places = [s.origin or str(list(s.submodule_search_locations or [])) for s in specs if s]\n"
        f"print([place for place in places if {str(ROOT)!r} not in place])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
