"""How settings are read, checked, written and explained. Which settings there are: `grpo.config`, `grpo_rust.recipe`.

A settings class is a frozen dataclass with one field per section; a section is a frozen dataclass whose fields are made
by `option`: default, meaning, unit, range or choices, and the source of the default.

    load        reads a TOML file and `section.key=value` overrides and checks them; one message lists every problem
    to_toml     writes settings so that `load` reads them back as equal
    defaults    lists every setting, for `--help` and the documentation

A settings class or a section may have a method `conflicts() -> list[str]` that reports settings which exclude each
other. Left out: nesting below a section (except one table of numbers), environment variables, includes.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_origin, get_type_hints

from grpo.errors import BadInput

__all__ = ["ConfigError", "Default", "defaults", "load", "option", "to_toml"]

Settings = TypeVar("Settings")
COMMAND_LINE = "command line"
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


class ConfigError(BadInput):
    """The settings cannot be used; the message lists every problem, with what is allowed."""


class Default(NamedTuple):
    """One setting as its class defines it. `allowed` is a phrase: "a number from 0 to 1"."""

    section: str
    key: str
    value: Any
    meaning: str
    unit: str
    allowed: str
    source: str  # where the default comes from; "" where there is nothing to cite


class _Given(NamedTuple):
    """A value from a file or an override; `origin` is the file's name, or the command line."""

    value: Any
    origin: str


def option(
    default: Any,
    meaning: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[str] = (),
    source: str = "",
) -> Any:
    """A dataclass field with meaning, unit, range or choices, and the source of its default.

    Args:
        default: The default; a mapping is a table of numbers and is copied per instance.
        meaning: What the setting does, for `--help`.
        unit: Unit of the value.
        low: Lowest value allowed; in a table, of each number.
        high: Highest value allowed; in a table, of each number.
        choices: The values allowed, of a text.
        source: Where the default comes from.
    Returns: the field; its metadata has the keys doc, unit, low, high, choices, source.

    >>> @dataclasses.dataclass(frozen=True)
    ... class Train:
    ...     lr: float = option(0.1, "peak learning rate", low=0, high=1)
    >>> Train().lr
    0.1
    """
    metadata = {"doc": meaning, "unit": unit, "low": low, "high": high, "choices": tuple(choices), "source": source}
    if isinstance(default, Mapping):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def load(cls: type[Settings], path: str | Path | None, overrides: Sequence[str] = ()) -> Settings:
    """Settings from a TOML file and overrides; the later ones win.

    Args:
        cls: The settings class.
        path: The TOML file, or None for the defaults alone.
        overrides: Each `section.key=value`. The value is read as TOML, or as plain text where it is not TOML;
            `section.key.name=number` sets one entry of a table.
    Returns: The settings, complete with defaults.
    Raises:
        ConfigError: With origin, key, value, what is allowed and the nearest valid key, for every problem.
    """
    problems: list[str] = []
    options = _options(cls)
    given: dict[tuple[str, str], _Given] = {}
    if path is not None:
        _collect_file(_read(Path(path)), str(path), options, given, problems)
    for override in overrides:
        _collect_override(override, options, given, problems)
    values: dict[str, dict[str, Any]] = {}
    for (section, key), (value, origin) in given.items():
        field, hint = options[section, key]
        try:
            values.setdefault(section, {})[key] = _convert(value, hint, field.metadata)
        except ValueError as error:
            problems.append(f"{origin}: {section}.{key} = {_shown(value)}: must be {error}")
    if not problems:
        settings = cls(**{name: section(**values.get(name, {})) for name, section in _sections(cls).items()})
        problems += [f"{path or COMMAND_LINE}: {conflict}" for conflict in _conflicts(settings)]
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ConfigError("\n  ".join([f"{count} in the settings:", *problems]))
    return settings


def to_toml(settings: Any) -> str:
    """The settings as TOML that `load` reads back as equal; every key is written, defaults included."""
    lines: list[str] = []
    for section in dataclasses.fields(settings):
        values = vars(getattr(settings, section.name))
        tables = {key: value for key, value in values.items() if isinstance(value, Mapping)}
        lines += [f"[{section.name}]", *(f"{key} = {_toml(values[key])}" for key in values if key not in tables), ""]
        for key, table in tables.items():
            lines += [f"[{section.name}.{key}]", *(f"{_toml_key(name)} = {_toml(table[name])}" for name in table), ""]
    return "\n".join(lines)


def defaults(cls: type[Any]) -> list[Default]:
    """Every setting of a class, in order, for `--help` and the documentation."""
    sections = {name: section() for name, section in _sections(cls).items()}
    return [
        Default(
            section,
            key,
            getattr(sections[section], key),
            field.metadata["doc"],
            field.metadata.get("unit", ""),
            _allowed(hint, field.metadata),
            field.metadata.get("source", ""),
        )
        for (section, key), (field, hint) in _options(cls).items()
    ]


def _sections(cls: type[Any]) -> dict[str, type[Any]]:
    """The section classes of a settings class, by name."""
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _options(cls: type[Any]) -> dict[tuple[str, str], tuple[dataclasses.Field[Any], Any]]:
    """Field and type of every setting, by section and key."""
    options = {}
    for name, section in _sections(cls).items():
        hints = get_type_hints(section)
        options.update({(name, field.name): (field, hints[field.name]) for field in dataclasses.fields(section)})
    return options


def _conflicts(settings: Any) -> list[str]:
    """Settings that exclude each other, by the sections' and the class's own `conflicts`."""
    parts = [getattr(settings, section.name) for section in dataclasses.fields(settings)]
    return [conflict for part in [*parts, settings] if hasattr(part, "conflicts") for conflict in part.conflicts()]


def _read(path: Path) -> dict[str, Any]:
    """A TOML file as nested dicts. Raises: ConfigError where it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # some editors write a byte order mark
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{path}: cannot be read as TOML in UTF-8: {reason}") from error


def _collect_file(
    table: Mapping[str, Any],
    origin: str,
    options: Mapping[tuple[str, str], Any],
    given: dict[tuple[str, str], _Given],
    problems: list[str],
) -> None:
    """Add a file's values to `given`, and its unknown keys to `problems`."""
    for section, body in table.items():
        if not isinstance(body, Mapping) or not body and section not in {name for name, _ in options}:
            problems.append(_unknown(section, origin, options))
            continue
        for key, value in body.items():
            if (section, key) in options:
                given[section, key] = _Given(value, origin)
            else:
                problems.append(_unknown(f"{section}.{key}", origin, options))


def _collect_override(
    override: str,
    options: Mapping[tuple[str, str], tuple[dataclasses.Field[Any], Any]],
    given: dict[tuple[str, str], _Given],
    problems: list[str],
) -> None:
    """Add one override to `given`, or its problem to `problems`."""
    name, equals, text = override.partition("=")
    section, key, entry = [*(part.strip() for part in name.split(".", 2)), "", ""][:3]
    entry = str(_parse(entry)) if entry.startswith(('"', "'")) else entry  # quoted, as in a file
    if not equals or not name.strip():
        problems.append(f"{COMMAND_LINE}: {_shown(override)}: an override looks like section.key=value")
    elif (section, key) not in options:
        problems.append(_unknown(name, COMMAND_LINE, options))
    elif entry:
        field, hint = options[section, key]
        before = given[section, key].value if (section, key) in given else _default(field)
        if get_origin(hint) is None or not isinstance(before, Mapping):
            problems.append(_unknown(name, COMMAND_LINE, options))
        else:
            given[section, key] = _Given({**before, entry: _parse(text)}, COMMAND_LINE)
    else:
        value = _parse(text)
        wants_text = options[section, key][1] is str
        given[section, key] = _Given(text if wants_text and not isinstance(value, str) else value, COMMAND_LINE)


def _parse(text: str) -> Any:
    """An override's value as TOML, or else as plain text."""
    try:
        table = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return table["value"] if len(table) == 1 else text


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _unknown(name: str, origin: str, options: Mapping[tuple[str, str], Any]) -> str:
    """The problem of an unknown key, with the nearest valid one."""

    def similarity(section: str, key: str) -> float:
        whole = SequenceMatcher(None, name, f"{section}.{key}").ratio()
        return max(whole, SequenceMatcher(None, name.rsplit(".", 1)[-1], key).ratio() * 0.99)

    nearest = ".".join(max(options, key=lambda option: similarity(*option)))
    return f"{origin}: {_shown(name, quotes=False)}: unknown key; the nearest valid one is {nearest}"


def _shown(value: Any, *, quotes: bool = True) -> str:
    """A value for a message: one line of at most 80 characters, without control characters."""
    text = repr(value) if quotes or not str(value).isprintable() else str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _convert(value: Any, hint: Any, metadata: Mapping[str, Any]) -> Any:
    """The value as the field's type. Raises: ValueError whose text says what is allowed."""
    if get_origin(hint) is not None:  # Mapping[str, float]
        if not isinstance(value, Mapping) or not all(name and name.isprintable() for name in value):
            raise ValueError(_allowed(hint, metadata))
        return {name: _convert_entry(name, number, metadata) for name, number in value.items()}
    accepted = {bool: isinstance(value, bool), str: isinstance(value, str) and value.isprintable()}
    accepted |= {int: type(value) is int, float: type(value) in (int, float) and _is_finite(value)}
    if hint is str and isinstance(value, bool) and _toml(value) in metadata.get("choices", ()):
        return _toml(value)  # `true` beside other words
    if hint is int and type(value) is int and not -(2**63) <= value < 2**63:
        raise ValueError(f"{_allowed(hint, metadata)} that fits in 64 bits")
    choices, low, high = (metadata.get(name) for name in ("choices", "low", "high"))
    if (
        not accepted[hint]
        or (choices and value not in choices)
        or (low is not None and value < low)
        or (high is not None and value > high)
    ):
        raise ValueError(_allowed(hint, metadata))
    return float(value) if hint is float else value


def _convert_entry(name: str, number: Any, metadata: Mapping[str, Any]) -> Any:
    """One entry of a table of numbers; the error names it."""
    try:
        return _convert(number, float, metadata)
    except ValueError as error:
        raise ValueError(f"{error}; {name} is {_shown(number)}") from None


def _is_finite(value: float) -> bool:
    """Whether a number fits in a float and is finite."""
    try:
        return math.isfinite(value)
    except OverflowError:  # an int beyond the range of floats
        return False


def _allowed(hint: Any, metadata: Mapping[str, Any]) -> str:
    """What a field accepts, as a phrase."""
    if hint is bool:
        return "true or false"
    if metadata.get("choices"):
        return "one of " + ", ".join(metadata["choices"])
    if hint is str:
        return "printable text"
    low, high = (None if bound is None else f"{bound:,}" for bound in (metadata.get("low"), metadata.get("high")))
    span = f" from {low} to {high}" if low and high else f" of at least {low}" if low else ""
    span = f" of at most {high}" if high and not low else span
    if get_origin(hint) is not None:
        return f"a table of names, each with a number{span}"
    return ("a whole number" if hint is int else "a number") + span


def _toml(value: Any) -> str:
    """A scalar in TOML."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)


def _toml_key(name: str) -> str:
    """A key in TOML, quoted where TOML requires it."""
    return name if BARE_KEY.fullmatch(name) else _toml(name)
