"""Gains as Markdown: tables, and the quickstart's targets with whether the numbers reach them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from study.gains import Gain

__all__ = ["TARGETS", "by_seed_table", "design_table", "gains_table", "verdicts"]

RATES = ("build", "clippy", "test_strict", "gold", "strict_but_wrong")
TARGETS = {"build": 0.20, "test_strict": 0.25, "gold": 0.20}  # points of gain that the quickstart is to reach
ASSERTS_KEPT = 0.90  # share of the asserts a completion had that it must keep
LABELS = {
    "build": "build",
    "clippy": "clippy",
    "test": "own tests",
    "test_strict": "own tests, strict",
    "gold": "gold tests",
    "strict_but_wrong": "own tests strict, gold tests not",
    "asserts": "asserts a completion",
    "tokens": "tokens a completion",
}


def gains_table(
    gains: Mapping[str, Gain], *, percent: bool = True, head: str = "", sides: tuple[str, str] = ("before", "after")
) -> str:
    """One row a quantity: both sides, and the difference with its interval.

    Args:
        gains: The quantities by name.
        percent: Whether rates are shown in percent; asserts and tokens never are.
        head: The text above the names.
        sides: The texts above both sides.
    """
    lines = [f"| {head} | {' | '.join(sides)} | difference |", "|---|---|---|---|"]
    for name, gain in gains.items():
        rate = percent and name not in ("asserts", "tokens")
        lines.append(f"| {LABELS.get(name, name)} | {_value(gain.before, rate)} | {_value(gain.after, rate)} |"
                     f" {_difference(gain, rate)} |")  # fmt: skip
    return "\n".join(lines)


def by_seed_table(gains: Mapping[str, Gain], seeds: Sequence[int]) -> str:
    """One row a rate: the gain of every seed, in points."""
    lines = ["| points | " + " | ".join(f"seed {seed}" for seed in seeds) + " |", "|---|" + "---|" * len(seeds)]
    for name in RATES:
        lines.append(f"| {LABELS[name]} | " + " | ".join(_signed(100 * value) for value in gains[name].by_seed) + " |")
    return "\n".join(lines)


def design_table(designs: Mapping[str, tuple[str, Mapping[str, Gain], float]]) -> str:
    """One row a reward design: what it is, its gains, and asserts, tokens and entropy at the end."""
    lines = ["| design | | build | strict | gold | asserts | tokens | entropy |", "|---|---|---|---|---|---|---|---|"]
    for name, (meaning, gains, entropy) in designs.items():
        rates = " | ".join(_difference(gains[rate], True) for rate in ("build", "test_strict", "gold"))
        ends = " | ".join(f"{gains[amount].after:.{digits}f}" for amount, digits in (("asserts", 2), ("tokens", 0)))
        lines.append(f"| `{name}` | {meaning} | {rates} | {ends} | {entropy:.3f} |")
    return "\n".join(lines)


def verdicts(gains: Mapping[str, Gain], control: Mapping[str, Gain] | None) -> str:
    """Each target of the quickstart, and whether these numbers reach it.

    Args:
        gains: What the recipe gained.
        control: What the control gained; None where there is no control.
    """
    lines = []
    for name, target in TARGETS.items():
        gain = gains[name]
        lines.append(
            f"- {LABELS[name]}: {_signed(100 * gain.points)} points of {100 * target:.0f} wanted:"
            f" {_reached(gain.points >= target)}; the interval excludes zero: {_reached(gain.excludes_zero)}"
        )
    asserts = gains["asserts"]
    kept = asserts.after / asserts.before
    lines.append(f"- asserts a completion: {100 * kept:.0f} % kept of {100 * ASSERTS_KEPT:.0f} wanted:"
                 f" {_reached(kept >= ASSERTS_KEPT)}")  # fmt: skip
    for name in TARGETS if control else ():
        gain = (control or {})[name]
        lines.append(
            f"- control, {LABELS[name]}: {_difference(gain, True)}; its interval includes zero or lies below:"
            f" {_reached(gain.points - gain.half_width <= 0)}"
        )
    return "\n".join(lines)


def _reached(yes: bool) -> str:
    return "**reached**" if yes else "**not reached**"


def _value(value: float, rate: bool) -> str:
    """A mean as it is shown."""
    return f"{100 * value:.1f} %" if rate else f"{value:.2f}"


def _difference(gain: Gain, rate: bool) -> str:
    """The difference with its interval: points for rates."""
    scale, digits = (100, 1) if rate else (1, 2)
    return f"{_signed(scale * gain.points, digits)} ± {scale * gain.half_width:.{digits}f}"


def _signed(value: float, digits: int = 1) -> str:
    """A number with its sign."""
    return f"{value:+.{digits}f}".replace("-", "−")
