"""The contract of `grpo.schema`, on a settings class of its own.

Settings are read from TOML and overrides, the later winning; whatever is wrong with them is told in one message with
origin, key, value, what is allowed and the nearest valid key; what `to_toml` writes loads back equal.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpo import config
from grpo.schema import ConfigError, load, option, to_toml


@dataclass(frozen=True)
class Fruit:
    """A section with one field of every kind."""

    count: int = option(3, "how many", unit="pieces", low=0, high=10)
    weight: float = option(0.5, "how heavy", unit="kg", low=0)
    name: str = option("apple", "what it is called")
    size: str = option("small", "how large", choices=("small", "large"))
    ripe: bool = option(True, "whether it can be eaten")
    prices: Mapping[str, float] = option({"market": 1.0}, "price by shop", low=0)

    def conflicts(self) -> list[str]:
        return ["fruit.size = large: fifty of them do not fit"] if self.size == "large" and self.count > 5 else []


@dataclass(frozen=True)
class Basket:
    """Settings of two sections."""

    fruit: Fruit = field(default_factory=Fruit)
    run: config.RunSection = field(default_factory=config.RunSection)


def write(directory: Path, text: str) -> Path:
    path = directory / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problem(path: Path | None, *overrides: str) -> str:
    """The message that settings are refused with."""
    with pytest.raises(ConfigError) as caught:
        load(Basket, path, overrides)
    return str(caught.value)


def test_no_file_and_no_overrides_give_the_defaults():
    assert load(Basket, None) == Basket()


def test_an_override_beats_the_file_and_the_file_beats_the_default(tmp_path):
    path = write(tmp_path, '[fruit]\ncount = 5\nname = "pear"\n')
    fruit = load(Basket, path, ["fruit.count=7", "fruit.count=8"]).fruit
    assert (fruit.count, fruit.name, fruit.weight) == (8, "pear", 0.5)


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("fruit.name=fig", "fig"),
        ('fruit.name="fig tree"', "fig tree"),
        ("fruit.name=a=b", "a=b"),
        ("fruit.name=7", "7"),  # text stays text, though TOML would read a number
        ("fruit.name=true", "true"),
        ("fruit.name=", ""),
        ("fruit.name=1\nripe = false", None),
        ("fruit.weight=2", 2.0),
        ("fruit.weight=1e3", 1000.0),
        ("fruit.ripe=false", False),
        ("fruit.prices={shop = 2}", {"shop": 2.0}),
        ("fruit.prices.shop=2", {"market": 1.0, "shop": 2.0}),
        ("fruit.prices.market=0", {"market": 0.0}),
        ("fruit.prices.my.prices:fair=3", {"market": 1.0, "my.prices:fair": 3.0}),
        ('fruit.prices."my.prices:fair"=3', {"market": 1.0, "my.prices:fair": 3.0}),
    ],
)
def test_an_override_is_read_as_toml_or_as_plain_text(override, value):
    if value is None:
        assert "must be printable text" in problem(None, override)
    else:
        key = override.partition("=")[0].split(".")[1]
        found = getattr(load(Basket, None, [override]).fruit, key)
        assert found == value and type(found) is type(value)


def test_an_entry_override_starts_from_the_files_table(tmp_path):
    path = write(tmp_path, "[fruit.prices]\nkiosk = 4\n")
    assert load(Basket, path, ["fruit.prices.shop=2"]).fruit.prices == {"kiosk": 4.0, "shop": 2.0}


def test_defaults_with_a_table_do_not_share_it():
    assert Fruit().prices is not Fruit().prices


@pytest.mark.parametrize(
    ("override", "allowed"),
    [
        ("fruit.count=11", "a whole number from 0 to 10"),
        ("fruit.count=-1", "a whole number from 0 to 10"),
        ("fruit.count=2.0", "a whole number from 0 to 10"),
        ("fruit.count=true", "a whole number from 0 to 10"),
        ("fruit.weight=-0.1", "a number of at least 0"),
        ("fruit.weight=nan", "a number of at least 0"),
        ("fruit.weight=inf", "a number of at least 0"),
        ("fruit.weight=1" + "0" * 400, "a number of at least 0"),
        ("fruit.weight=heavy", "a number of at least 0"),
        ("fruit.weight=" + "[" * 5000, "a number of at least 0"),
        ("fruit.weight=false", "a number of at least 0"),
        ("fruit.size=medium", "one of small, large"),
        ("fruit.ripe=1", "true or false"),
        ("fruit.ripe=True", "true or false"),
        ("fruit.name=a\x00b", "printable text"),
        ("fruit.name=a\udcffb", "printable text"),
        ("fruit.prices=3", "a table of names, each with a number of at least 0"),
        ("fruit.prices.shop=nan", "a number of at least 0; shop is nan"),
        ("fruit.prices.shop=-1", "a number of at least 0; shop is -1"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(override, allowed):
    name, _, text = override.partition("=")
    message = problem(None, override)
    section_and_key = ".".join(name.split(".")[:2])
    assert message.startswith(f"1 problem in the settings:\n  command line: {section_and_key} = ")
    assert message.endswith(f": must be {allowed}")
    assert message.isascii() and len(message) < 300


@pytest.mark.parametrize(
    ("override", "nearest"),
    [
        ("fruit.cuont=1", "fruit.count"),
        ("friut.count=1", "fruit.count"),
        ("count=1", "fruit.count"),
        ("run.ripe=true", "fruit.ripe"),
        ("fruit.count.x=1", "fruit.count"),
        ("fruit=1", "fruit."),
        ("", ""),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_valid_one(override, nearest):
    message = problem(None, override or "x.y.z=1")
    assert "unknown key; the nearest valid one is " + nearest in message


def test_an_override_without_a_value_is_refused_with_the_form():
    assert problem(None, "fruit.count").endswith("'fruit.count': an override looks like section.key=value")


def test_unknown_keys_of_a_file_are_refused_wherever_they_stand(tmp_path):
    path = write(tmp_path, "count = 1\n[fruit]\ncuont = 1\n[fruits]\nripe = true\n[empty]\n")
    lines = problem(path).splitlines()
    assert lines[0] == "4 problems in the settings:"
    assert [line.split(": ")[1] for line in lines[1:]] == ["count", "fruit.cuont", "fruits.ripe", "empty"]


def test_every_problem_of_file_and_overrides_comes_in_one_message(tmp_path):
    path = write(tmp_path, '[fruit]\ncount = "three"\ncolour = 1\n')
    message = problem(path, "fruit.weight=-1", "run.sead=0")
    assert message.startswith("4 problems in the settings:")
    assert f"{path}: fruit.count = 'three': must be a whole number from 0 to 10" in message
    assert f"{path}: fruit.colour: unknown key; the nearest valid one is fruit.count" in message
    assert "command line: fruit.weight = -1: must be a number of at least 0" in message
    assert "command line: run.sead: unknown key; the nearest valid one is run.seed" in message


def test_what_no_single_field_can_know_is_told_by_the_section():
    assert problem(None, "fruit.size=large", "fruit.count=6").endswith("fifty of them do not fit")
    assert load(Basket, None, ["fruit.size=large"]).fruit.size == "large"
    assert "do not fit" not in problem(
        None, "fruit.size=large", "fruit.count=6", "fruit.weight=-1"
    )  # values come first


@pytest.mark.parametrize("content", [b"[fruit\n", b"\xff\xfe", b"a = 1\na = 2\n", b"x = " + b"[" * 5000])
def test_a_file_that_is_no_toml_is_refused_by_name(tmp_path, content):
    path = tmp_path / "recipe.toml"
    path.write_bytes(content)
    assert problem(path).startswith(f"{path}: cannot be read as TOML in UTF-8: ")


def test_a_missing_file_is_refused_by_name(tmp_path):
    assert (
        problem(tmp_path / "none.toml")
        == f"{tmp_path / 'none.toml'}: cannot be read as TOML in UTF-8: No such file or directory"
    )


# The writer's inverse: any settings that can be loaded, written and loaded again.
printable = st.text(st.characters(exclude_categories=["Cs"])).filter(str.isprintable)
floats = st.floats(min_value=0, allow_nan=False, allow_infinity=False)
fruits = st.builds(
    Fruit,
    count=st.integers(0, 5),
    weight=floats,
    name=printable,
    size=st.sampled_from(["small", "large"]),
    ripe=st.booleans(),
    prices=st.dictionaries(printable.filter(bool), floats),
)


@given(fruit=fruits)
def test_what_is_written_loads_back_equal(fruit, tmp_path_factory):
    path = write(tmp_path_factory.getbasetemp(), to_toml(Basket(fruit=fruit)))
    assert load(Basket, path) == Basket(fruit=fruit)


@given(text=st.text(max_size=40))
def test_any_override_is_either_taken_or_refused_as_bad_settings(text):
    for key in ("count", "weight", "name", "prices", "prices.x"):
        try:
            load(Basket, None, [f"fruit.{key}={text}", text])
        except ConfigError as error:
            assert "\x1b" not in str(error)


def test_quotes_and_control_characters_are_escaped_in_toml():
    name = 'a"b\\c\x7f\u2028'
    assert tomllib.loads(to_toml(Basket(fruit=Fruit(name=name))))["fruit"]["name"] == name
