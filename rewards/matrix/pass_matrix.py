"""The pass matrix of a group: which code passes which test suite, who wrote the suite, and which texts are copies.

Promises that nobody votes for itself. A suite votes on a code if at least one author of the suite did not write that
code: a tester, or a completion of another text. Copies are where groups of a small model go wrong: half of the
completions can be the same text, and one completion must not elect itself by being sampled four times.

    count_copies=False  Every distinct text counts once, as a code and as a suite, and a copy of a code's author is no
    (the default)       other author. Equal texts get equal rewards, and sampling the same completion more often pays
                        nothing. The price: the most frequent completion is often the right one, and its frequency is
                        not heard; a right text of four copies among four wrong ones is judged by the wrong ones' suites
                        alone, and a group of equal completions has no reward at all (it has no advantage either).
    count_copies=True   Every completion is an author, and copies vote for each other. This rewards what the policy
                        samples most, right or wrong, as a majority vote over final answers does: it finds the right
                        text of the example above, and it sharpens a policy whose favourite is wrong.

Suites are compared as suites: the same suite beside two different codes has two authors, so it votes on both codes.
A text is a completion's code with its tests: equal code beside other tests is another author, and votes. A mistake that
is sampled often, each time with tests of its own, is heard as often, as in any majority. (To take equal codes for one
in `rewards.matrix.calibrated` told right ones from wrong ones worse: EXPERIMENTS.md, 2026-11-30.) Left out: what makes
two texts equal. The caller numbers them, and can number equal token streams or syntax trees alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ROW", "TESTER", "DistinctTexts", "PassMatrix"]

TESTER = -1  # the owner of a tester's suite
ROW = -2  # the owner of a suite that the data has for the prompt: it judges, whether or not it fits a code


@dataclass(frozen=True, eq=False)
class PassMatrix:
    """The results of C codes on S suites.

    Args:
        passes: [C, S]; 1 the code passes the whole suite, 0 it fails, NaN not run, not applicable or unknown.
        owners: [S] int; the code that the suite was written with, -1 for the suite of an independent tester, or -2 for
            one of the data. A completion without tests owns no suite.
        code_ids: [C] int; equal numbers are equal texts, of the code with its tests. None: all differ.
        suite_ids: [S] int, likewise.
        count_copies: Whether copies vote, each as an author of its own; the module's docstring has the trade-off.
    Raises: ValueError for shapes that do not fit, results other than 0, 1 and NaN, and owners that are not there.

    >>> matrix = PassMatrix(np.array([[1, 0], [1, 1]]), owners=np.array([0, 1]))
    >>> matrix.others().tolist()
    [[nan, 0.0], [1.0, nan]]
    """

    passes: NDArray[np.float64]
    owners: NDArray[np.int64]
    code_ids: NDArray[np.int64] | None = None
    suite_ids: NDArray[np.int64] | None = None
    count_copies: bool = False

    def __post_init__(self) -> None:
        passes = np.array(self.passes, dtype=np.float64)
        passes.flags.writeable = False
        if passes.ndim != 2 or not len(passes):
            raise ValueError(f"passes has shape {passes.shape}; give [codes, suites] with at least one code")
        if strange := sorted({float(value) for value in passes[~np.isnan(passes)]} - {0.0, 1.0}):
            raise ValueError(f"passes has {strange[0]}; give 1 for a pass, 0 for a failure, NaN for neither")
        num_codes, num_suites = passes.shape
        owners = _integers("owners", self.owners, num_suites)
        if len(outside := owners[(owners < ROW) | (owners >= num_codes)]):
            raise ValueError(
                f"owners has {outside[0]}; give a code from 0 to {num_codes - 1}, -1 for a tester, or -2 for the data"
            )
        object.__setattr__(self, "passes", passes)
        object.__setattr__(self, "owners", owners)
        for name, count in (("code_ids", num_codes), ("suite_ids", num_suites)):
            if (given := getattr(self, name)) is not None:
                object.__setattr__(self, name, _integers(name, given, count))

    def others(self) -> NDArray[np.float64]:
        """The passes [C, S] that count as votes: NaN where the suite's only author wrote that code."""
        texts = self.distinct()
        return np.where(texts.votes[texts.code_of][:, texts.suite_of], self.passes, np.nan)

    def distinct(self) -> DistinctTexts:
        """The matrix with one row for each distinct code and one column for each distinct suite.

        Copies whose results differ (a flaky suite) have the result NaN.

        >>> three = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
        >>> ids = np.array([7, 7, 8])  # the first two completions are the same text
        >>> PassMatrix(three, np.arange(3), ids, ids).distinct().others().tolist()
        [[nan, 0.0], [0.0, nan]]
        """
        code_of, suite_of = self._number("code_ids", 0), self._number("suite_ids", 1)
        in_code = (code_of == np.arange(code_of.max() + 1)[:, None]).astype(np.float64)  # [U, C]
        in_suite = (suite_of[:, None] == np.arange(suite_of.max(initial=-1) + 1)).astype(np.float64)  # [S, V]
        known = in_code @ ~np.isnan(self.passes) @ in_suite  # [U, V]
        passed = in_code @ np.nan_to_num(self.passes) @ in_suite
        agreed = np.where(passed == 0, 0.0, 1.0)
        passes = np.where((known > 0) & ((passed == 0) | (passed == known)), agreed, np.nan)
        written_with = code_of[np.maximum(self.owners, 0)]
        authors = np.where(self.owners < 0, TESTER, written_with)  # [S], the text of the author's code
        votes = (authors != np.arange(len(in_code))[:, None]) @ in_suite > 0
        of_row = (self.owners == ROW) @ in_suite > 0
        return DistinctTexts(passes, votes, of_row, code_of, suite_of)

    def _number(self, name: str, axis: int) -> NDArray[np.int64]:
        """The number of each text, from 0."""
        given: NDArray[np.int64] | None = getattr(self, name)
        if given is None or self.count_copies:
            return np.arange(self.passes.shape[axis])
        return np.unique(given, return_inverse=True)[1].reshape(-1)


@dataclass(frozen=True, eq=False)
class DistinctTexts:
    """The results of U distinct codes on V distinct suites, and where the completions' texts are among them.

    Args:
        passes: [U, V]; 1, 0 or NaN.
        votes: [U, V] bool; whether the suite has an author who did not write the code.
        of_row: [V] bool; whether the data has the suite.
        code_of: [C] int; the row of each completion's code. `values[code_of]` gives each completion its row's value.
        suite_of: [S] int; the column of each suite.
    """

    passes: NDArray[np.float64]
    votes: NDArray[np.bool_]
    of_row: NDArray[np.bool_]
    code_of: NDArray[np.int64]
    suite_of: NDArray[np.int64]

    def others(self) -> NDArray[np.float64]:
        """The passes [U, V] that count as votes, NaN elsewhere."""
        return np.where(self.votes, self.passes, np.nan)

    def sole_authors(self) -> NDArray[np.int64]:
        """[V] the code that a suite's only author wrote, -1 where a suite has several authors or a tester."""
        return np.where(self.votes.all(axis=0), TESTER, self.votes.argmin(axis=0))

    def own(self) -> NDArray[np.bool_]:
        """[U, V] whether only the code's author wrote the suite."""
        own: NDArray[np.bool_] = self.sole_authors() == np.arange(len(self.passes))[:, None]
        return own

    def refusing(self) -> NDArray[np.bool_]:
        """[V] whether a suite of one author ran on codes of others, and none of them passes it."""
        others = self.others()
        ran, passed = (~np.isnan(others)).any(axis=0), (others == 1).any(axis=0)
        refusing: NDArray[np.bool_] = (self.sole_authors() >= 0) & ran & ~passed
        return refusing


def _integers(name: str, given: NDArray[Any], count: int) -> NDArray[np.int64]:
    """A read-only copy of whole numbers, one for each of `count` things."""
    values = np.asarray(given)
    if values.shape != (count,):
        raise ValueError(f"{name} has shape {values.shape}; give {count} numbers")
    whole = values.astype(np.int64)
    if (whole != values).any():
        raise ValueError(f"{name} has {values[whole != values][0]}; give whole numbers")
    whole.flags.writeable = False
    return whole
