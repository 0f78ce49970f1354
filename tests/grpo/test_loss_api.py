"""What the loss modules offer is documented, sorted, and used by what ships.

Documented: in docs/reference/losses.md by name, and in docstrings with an example that runs. Used: some function of
grpo/ or scripts/ other than itself names it, so that no test guards code that a training run never reaches.
"""

import ast
import inspect
from pathlib import Path
from types import ModuleType

import pytest

from grpo import advantages, logprobs, loss
from grpo.loss import aggregation, corrections, entropy, kl, policy, ratio

ROOT = Path(__file__).resolve().parents[2]
DOCS = (ROOT / "docs" / "reference" / "losses.md").read_text(encoding="utf-8")
PARTS = (aggregation, corrections, entropy, kl, policy, ratio)


def functions(*modules: ModuleType) -> dict[str, object]:
    """The public functions of modules, by name."""
    return {name: v for m in modules for name in m.__all__ if inspect.isfunction(v := getattr(m, name))}


FUNCTIONS = functions(loss, advantages)


def names_used(text: str) -> set[str]:
    """Names that a module's code reads; imports, `__all__` and a definition's own name inside it do not count."""
    used: set[str] = set()
    for statement in ast.parse(text).body:
        nodes = list(ast.walk(statement))
        found = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        found |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        used |= found - {getattr(statement, "name", None)}
    return used


def test_every_published_loss_stands_in_the_table_with_its_function_and_aggregation() -> None:
    for name, (function, published) in loss.LOSSES.items():
        assert f"| {name} | `{function.__name__}` | `{published}`" in DOCS


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_says_what_it_returns_and_shows_it(name: str) -> None:
    text = inspect.getdoc(FUNCTIONS[name]) or ""
    assert ">>> " in text and "Returns" in text


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"log_ratio", "zero_std"}))
def test_every_function_is_named_in_the_docs_or_is_the_body_of_a_named_option(name: str) -> None:
    options = {function.__name__ for function in advantages.ADVANTAGES.values() if inspect.isfunction(function)}
    assert f"`{name}`" in DOCS or name in options


def test_everything_offered_can_be_imported_and_is_sorted() -> None:
    assert sorted(loss.__all__) == sorted(set(loss.__all__)) and all(hasattr(loss, name) for name in loss.__all__)


def test_every_public_function_is_used_by_what_ships() -> None:
    shipped = [path for folder in ("grpo", "scripts") for path in (ROOT / folder).rglob("*.py")]
    used: set[str] = set()
    for path in shipped:
        used |= names_used(path.read_text(encoding="utf-8"))
    offered = functions(*PARTS, advantages, logprobs)
    assert len(offered) > 20 and set(offered) <= used, sorted(set(offered) - used)


def test_a_name_that_is_only_imported_exported_or_recursive_is_not_used() -> None:
    text = 'from a import one, two\n__all__ = ["one", "three"]\ndef three(n):\n    return three(n - 1) + two(n)\n'
    assert {"one", "two", "three"} & names_used(text) == {"two"}
