"""Durations as text: to the second, and roughly, for estimates."""

from __future__ import annotations

__all__ = ["duration", "rough_duration"]


def duration(seconds: float) -> str:
    """Seconds in hours, minutes and seconds.

    >>> duration(4.25), duration(75), duration(7260)
    ('4.25 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 10:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def rough_duration(seconds: float) -> str:
    """As it suits an estimate.

    >>> rough_duration(20), rough_duration(600), rough_duration(9000)
    ('20 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"
