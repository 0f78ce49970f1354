"""How a group is crossed, and what that gave."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Self

from rewards.matrix.calibrated import Calibration
from rewards.matrix.pass_matrix import PassMatrix
from sandbox.verdict import Outcome

__all__ = ["OTHERS_ALONE", "CrossResult", "CrossSettings", "partners_conflict"]

OTHERS_ALONE = -1  # as a number of partners
JUDGED_BY_ALL = ("cross_all", "cross_test_thorough")  # rewards that ask every code the same suites


@dataclass(frozen=True)
class CrossSettings:
    """How the completions of a group are compared."""

    partners: int = 0  # how many of the others' suites each code is given: `rewards.cross.plan.plan`; 0: all, -1: none
    tau: float = 1.0  # how many wrong codes a suite must tell apart for full pay: `rewards.matrix.worth`
    calibration: Calibration = field(default_factory=Calibration)

    @classmethod
    def of(cls, numbers: Mapping[str, float]) -> Self:
        """The settings from a table of numbers, of which each may be missing: partners, tau, those of `Calibration`.

        Raises: ValueError for a name or a number that is not allowed.

        >>> CrossSettings.of({"partners": 3, "code_right": 0.6}).calibration.code_right
        0.6
        """
        known = ["partners", "tau", *(one.name for one in fields(Calibration))]
        if unknown := sorted(set(numbers) - set(known)):
            raise ValueError(f"{unknown[0]} is no setting of a crossing; there are {', '.join(known)}")
        rest = dict(numbers)
        partners, tau = rest.pop("partners", 0), rest.pop("tau", 1.0)
        if not (math.isfinite(partners) and partners == int(partners) >= -1 and 0 <= tau < math.inf):
            raise ValueError(
                f"partners is {partners:g} and tau {tau:g}; give a whole number (0: all, -1: none), and 0 or more"
            )
        return cls(int(partners), tau, Calibration(**rest))


def partners_conflict(name: str, partners: float) -> str:
    """Why a reward of groups makes nothing of a number of partners; "" where it does.

    >>> partners_conflict("cross_agreement", 2), partners_conflict("cross_all", 0)
    ('', '')
    """
    if partners < 0 and name == "cross_tests":
        return (
            "partners = -1: cross_tests says what a suite tells apart in its group, and none of the group's is run: "
            "use partners = 0 or more"
        )
    if partners > 0 and name in JUDGED_BY_ALL:
        return (
            f"partners = {partners:g}: {name} asks for all suites that judge a group, and each code would be given "
            "others: use -1 for those of the data or of testers, or 0 for the group's too"
        )
    return ""


@dataclass(frozen=True)
class CrossResult:
    """What a group's crossing gave."""

    matrix: PassMatrix | None  # None where nothing is known
    outcome: Outcome = Outcome.PASSED  # HOST_ERROR where the sandbox failed
    reason: str = ""
    cpu_ms: float = 0.0
