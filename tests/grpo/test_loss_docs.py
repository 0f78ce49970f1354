"""What `grpo.loss` offers is documented: in docs/losses.md by name, and in docstrings with an example that runs."""

import inspect
from pathlib import Path

import pytest

from grpo import advantages, loss

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "losses.md").read_text(encoding="utf-8")
FUNCTIONS = {
    name: value
    for module in (loss, advantages)
    for name in module.__all__
    if inspect.isfunction(value := getattr(module, name))
}


def test_every_published_loss_stands_in_the_table_with_its_function_and_aggregation() -> None:
    for name, (function, aggregation) in loss.LOSSES.items():
        assert f"| {name} | `{function.__name__}` | `{aggregation}`" in DOCS


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
