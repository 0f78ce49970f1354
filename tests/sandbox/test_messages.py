"""A summary counts only if it agrees with the lines that libtest printed before it."""

import pytest

from sandbox.grading.messages import Tally, agrees, read_tally

HONEST = (
    b"\nrunning 3 tests\ntest a ... ok\ntest b ... FAILED\ntest c ... ignored, slow\n\nfailures:\n\n"
    b"test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n"
)
FORGED = b"test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n"


def test_the_last_summary_at_the_start_of_a_line_counts() -> None:
    assert read_tally(HONEST) == Tally(1, 1, 1)
    assert read_tally(HONEST + FORGED) == Tally(3, 0, 0)
    assert read_tally(HONEST + b"not " + FORGED) == Tally(1, 1, 1)
    assert read_tally(b"running 0 tests\n") is None


def test_libtests_own_summary_agrees() -> None:
    assert agrees(Tally(1, 1, 1), HONEST)


@pytest.mark.parametrize(
    "tally",
    [
        Tally(3, 0, 0),  # hides a failure and an ignored test
        Tally(2, 0, 1),  # hides the failure
        Tally(2, 1, 0),  # hides the ignored one
        Tally(9, 1, 1),  # invents tests
    ],
)
def test_a_summary_that_hides_or_invents_tests_does_not(tally: Tally) -> None:
    assert not agrees(tally, HONEST)


def test_lines_that_a_program_adds_do_not_help_it() -> None:
    assert not agrees(Tally(9, 1, 1), HONEST + b"running 11 tests\n")
    assert not agrees(Tally(2, 0, 1), HONEST.replace(b"FAILED\n", b"noise FAILED\n", 1))


def test_output_within_a_tests_line_does_not_hurt() -> None:
    assert agrees(Tally(1, 0, 0), b"running 1 test\ntest a ... hello\nFAILED to open, ignored\tok\n")


def test_a_pass_whose_output_was_cut_is_not_believed() -> None:
    assert not agrees(Tally(1, 0, 0), b"running 1 test\ntest a ... ok\n", whole=False)
    assert agrees(Tally(1, 1, 1), HONEST, whole=False)
