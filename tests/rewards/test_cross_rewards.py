"""The rewards from a pass matrix: hand-computed numbers, copies, and groups that are out to be paid for nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cross_groups import blocks
from rewards.matrix.calibrated import Calibration, posterior
from rewards.matrix.majority import acceptance, codet, majority, majority_without, unanimous
from rewards.matrix.pass_matrix import PassMatrix
from rewards.matrix.worth import discrimination, suite_worth, validity

NAN = np.nan
CLOSE = 1e-9
CODE_SCORES = {
    "majority": majority,
    "codet": codet,
    "posterior": lambda matrix: posterior(matrix, Calibration()).codes,
}
SUITE_SCORES = {
    "acceptance": acceptance,
    "posterior": lambda matrix: posterior(matrix, Calibration()).suites,
    "worth": lambda matrix: suite_worth(matrix, majority_without(matrix), tau=1),
}


def same(found, expected):
    return np.allclose(found, expected, atol=CLOSE, rtol=0, equal_nan=True)


# The matrix


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"passes": np.ones(3)}, r"passes has shape \(3,\)"),
        ({"passes": np.ones((0, 2))}, "at least one code"),
        ({"passes": np.full((2, 2), 0.5)}, "passes has 0.5; give 1 for a pass, 0 for a failure, NaN for neither"),
        ({"owners": np.array([0])}, r"owners has shape \(1,\); give 2 numbers"),
        ({"owners": np.array([0, 2])}, "owners has 2; give a code from 0 to 1, -1 for a tester"),
        ({"owners": np.array([-3, 0])}, "owners has -3"),
        ({"owners": np.array([0, 0.5])}, "owners has 0.5; give whole numbers"),
        ({"code_ids": np.zeros(3, int)}, "code_ids has shape"),
        ({"suite_ids": np.zeros((2, 1), int)}, "suite_ids has shape"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_given(given, message):
    with pytest.raises(ValueError, match=message):
        PassMatrix(**{"passes": np.eye(2), "owners": np.arange(2)} | given)


def test_the_matrix_keeps_its_own_numbers():
    passes = np.eye(2)
    matrix = PassMatrix(passes, np.arange(2))
    passes[0, 0] = 0
    assert matrix.passes[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        matrix.passes[0, 0] = 0


def test_a_suite_votes_on_every_code_but_its_author_s():
    """The second suite is a tester's; the third and fourth were written with code 1."""
    matrix = PassMatrix(np.ones((2, 4)), np.array([0, -1, 1, 1]))
    assert same(matrix.others(), [[NAN, 1, 1, 1], [1, 1, NAN, NAN]])
    assert matrix.distinct().sole_authors().tolist() == [0, -1, 1, 1]


def test_one_suite_beside_two_codes_has_two_authors_and_votes_on_both_once():
    matrix = PassMatrix(np.array([[1, 1, 0], [0, 0, 1], [0, 0, 1]]), np.arange(3), suite_ids=np.array([5, 5, 3]))
    assert same(matrix.distinct().others(), [[0, 1], [1, 0], [NAN, 0]])  # the columns: text 3, text 5
    assert same(majority(matrix), [0.5, 0.5, 0.5])


def test_copies_whose_results_differ_are_unknown_and_one_that_was_not_run_is_as_the_other():
    ids = np.array([0, 0, 1])
    matrix = PassMatrix(np.array([[1, 1, 1], [1, 1, 0], [NAN, 1, 1]]), np.arange(3), ids, ids)
    assert same(matrix.distinct().passes, [[1, NAN], [1, 1]])


# Copies


def copied(favourite_is_right, count_copies):
    """Four copies of one completion, and four completions whose suites accept their own codes only.

    With `favourite_is_right` false, four different right completions agree with each other, not with the copies.
    """
    matrix = blocks(4, 1, 1, 1, 1) if favourite_is_right else blocks(4, 4)
    ids = np.array([0, 0, 0, 0, 1, 2, 3, 4])
    return PassMatrix(matrix.passes, matrix.owners, ids, ids, count_copies)


def test_copies_do_not_elect_themselves_unless_they_are_to_count():
    assert same(majority(copied(False, False)), [0] * 4 + [4 / 5] * 4)
    assert same(majority(copied(False, True)), [4 / 8] * 8)
    codes, _ = posterior(copied(False, False), Calibration())
    assert codes[:4].max() < 0.01 and codes[4:].min() > 0.9
    tie, _ = posterior(copied(False, True), Calibration())
    assert same(tie, np.full(8, tie[0])) and tie[0] < 0.02, "each block lacks one suite where its codes are judged"


def test_the_price_is_that_a_right_favourite_is_not_heard():
    assert same(majority(copied(True, False)), np.zeros(8))
    assert same(majority(copied(True, True)), [4 / 8] * 4 + [0] * 4)


def test_a_group_of_one_text_has_no_reward_and_with_copies_counted_the_highest():
    ids = np.zeros(8, int)
    equal = PassMatrix(np.ones((8, 8)), np.arange(8), ids, ids)
    for score in [*CODE_SCORES.values(), *SUITE_SCORES.values()]:
        assert np.isnan(score(equal)).all()
    assert same(majority(replace(equal, count_copies=True)), np.ones(8))
    tester = PassMatrix(np.ones((8, 9)), np.array([*range(8), -1]), ids, np.array([*ids, 0]))
    assert same(majority(tester), np.ones(8)), "a tester is an author of its own, whatever it writes"


# Invariances


@st.composite
def matrices(draw):
    """Groups of up to four codes and suites, with copies, testers and unknown results."""
    num_codes, num_suites = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    cells = st.lists(st.sampled_from([0.0, 1.0, NAN]), min_size=num_suites, max_size=num_suites)
    passes = draw(st.lists(cells, min_size=num_codes, max_size=num_codes))
    owners = draw(st.lists(st.integers(-1, num_codes - 1), min_size=num_suites, max_size=num_suites))
    ids = [
        draw(st.lists(st.integers(0, 2), min_size=count, max_size=count) | st.none())
        for count in (num_codes, num_suites)
    ]
    return PassMatrix(np.array(passes), np.array(owners), *(None if of is None else np.array(of) for of in ids))


@settings(max_examples=40, deadline=None)
@given(matrices(), st.randoms(use_true_random=False))
def test_scores_are_from_0_to_1_and_move_with_their_codes_and_suites(matrix, random):
    num_codes, num_suites = matrix.passes.shape
    codes, suites = random.sample(range(num_codes), num_codes), random.sample(range(num_suites), num_suites)
    place = np.array([*np.argsort(codes), -1])  # of each code after the move; -1 stays
    moved = PassMatrix(
        matrix.passes[codes][:, suites],
        place[matrix.owners[suites]],
        None if matrix.code_ids is None else matrix.code_ids[codes],
        None if matrix.suite_ids is None else matrix.suite_ids[suites],
    )
    for scores, order in ((CODE_SCORES, codes), (SUITE_SCORES, suites)):
        for name, score in scores.items():
            before = score(matrix)
            assert same(score(moved), before[order]), name
            assert ((before >= 0) & (before <= 1) | np.isnan(before)).all(), name
    assert same(majority_without(moved), majority_without(matrix)[codes][:, suites])


@settings(max_examples=60, deadline=None)
@given(matrices(), st.integers(0, 3))
def test_no_result_on_a_completion_s_own_suite_changes_its_code_s_score(matrix, code):
    """Turn round the code's results on the suites that only its author wrote, and what others did on them too."""
    texts = matrix.distinct()
    place = texts.code_of[code % len(matrix.passes)]
    own = (texts.sole_authors() == place)[texts.suite_of]
    alone = own & (texts.code_of == place)[:, None]
    for name, score in CODE_SCORES.items():
        turned = np.broadcast_to(own, alone.shape) if name == "posterior" else alone
        other = replace(matrix, passes=np.where(turned, 1 - matrix.passes, matrix.passes))
        assert same(score(matrix)[code % len(matrix.passes)], score(other)[code % len(matrix.passes)]), name


# CodeT


def test_codet_is_the_size_of_the_agreement_times_what_it_passes():
    """Of eight codes four agree, and pass 3 of the 7 suites of the others and their own."""
    matrix = blocks(4, 3, 1)
    four, three = (4 / 8) * (4 / 8), (3 / 8) * (3 / 8)
    assert same(codet(matrix, exponent=1), [four] * 4 + [three] * 3 + [0])
    assert same(codet(matrix)[:1], [(4 / 8) ** 0.5 * (4 / 8)])
    assert same(codet(blocks(5)), np.ones(5))


def test_codes_that_pass_as_many_but_other_suites_do_not_agree_and_the_unknown_does_not_divide():
    tester = np.array([-1, -1])
    assert same(codet(PassMatrix(np.array([[1, 0], [0, 1]]), tester), exponent=1), [0.25, 0.25])
    assert same(codet(PassMatrix(np.array([[1, 0], [1, NAN]]), tester), exponent=1), [0.5, 1])
    assert same(codet(PassMatrix(np.array([[1, NAN], [NAN, 1]]), tester), exponent=1), [0.5, 0.5])


# Groups that are out to be paid for nothing


def with_suite(column):
    """Three right codes with right suites, two wrong ones; the last code's suite has these results."""
    passes = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1.0]])
    passes[:, 4] = column
    return PassMatrix(passes, np.arange(5))


RIGHT = np.array([1.0, 1, 1, 0, 0])


def test_right_codes_score_higher_than_fewer_colluders_and_one_that_is_alone():
    """Four right codes pass 3 of the others' 7 suites and their own, three colluders 2 and theirs."""
    assert same(majority(blocks(4, 3, 1)), [4 / 8] * 4 + [3 / 8] * 3 + [0])
    assert same(acceptance(blocks(4, 3, 1)), [3 / 7] * 4 + [2 / 7] * 3 + [0])


def test_colluders_in_the_majority_score_higher_which_no_vote_can_see():
    codes = majority(blocks(3, 5))
    assert same(codes, [3 / 8] * 3 + [5 / 8] * 5)


def test_a_suite_that_accepts_everything_is_accepted_and_tells_nothing_apart():
    empty = with_suite(np.ones(5))
    assert acceptance(empty)[4] == validity(empty, RIGHT, tau=0)[4] == 1
    assert discrimination(empty, RIGHT, tau=1)[4] == suite_worth(empty, RIGHT, tau=1)[4] == 0
    assert same(suite_worth(empty, RIGHT, tau=1)[:3], np.ones(3))


def test_a_suite_that_fails_everything_tells_all_apart_and_is_worth_nothing():
    failing = with_suite(np.zeros(5))
    assert acceptance(failing)[4] == validity(failing, RIGHT, tau=0)[4] == 0
    assert discrimination(failing, RIGHT, tau=1)[4] == 1
    assert suite_worth(failing, RIGHT, tau=1, mutation=np.ones(5))[4] == 0
    assert posterior(failing, Calibration()).suites[4] < 0.1


def test_a_suite_that_refuses_everything_does_not_put_its_author_first():
    """Eight right codes; the last one's suite passes its own code alone."""
    passes = np.ones((8, 8))
    passes[:7, 7] = 0
    refused = PassMatrix(passes, np.arange(8))
    assert same(majority(refused), [7 / 8] * 8) and same(codet(refused), [7 / 8] * 8)
    assert same(unanimous(refused), np.zeros(8)), "its author fails it too"
    first, last = posterior(refused, Calibration()).codes[[0, 7]]
    assert 0 < last - first < 0.01, "one more suite votes on it: evidence, not much"
    copies = replace(refused, code_ids=np.array([0, 0, 0, 0, 0, 0, 0, 7]))
    assert same(majority(copies), [7 / 8] * 8), "on seven copies it votes alone"
    passes[0, 7] = 1
    assert same(majority(PassMatrix(passes, np.arange(8))), [1] + [7 / 8] * 6 + [1]), "one of the others passes it"


def test_a_suite_that_ran_on_nobody_else_says_nothing_and_no_code_is_judged_by_its_own_alone():
    unfit = np.array([[1, 1, NAN], [1, 1, NAN], [1, 1, 0]])  # the third suite fits its own code alone
    assert same(majority(PassMatrix(unfit, np.arange(3))), [2 / 2, 2 / 2, 2 / 2])
    unjudged = np.array([[1, 1], [NAN, 1]])  # the first code has the second suite, the second code none
    assert same(majority(PassMatrix(unjudged, np.arange(2))), [1, NAN])


def test_a_code_that_is_alone_passes_nothing_and_its_suite_is_accepted_by_nobody():
    """The only right code among wrong ones is paid nothing: agreement cannot find it."""
    alone = PassMatrix(np.array([[1, 0, 0], [0, 1, 1], [0, 1, 1]]), np.arange(3))
    assert majority(alone)[0] == acceptance(alone)[0] == 0
    truth = np.array([1.0, 0.0, 0.0])
    assert same(validity(alone, truth, tau=0), [NAN, 0, 0])
    assert same(suite_worth(alone, truth, tau=1), [0, 0, 0])


# What suites are worth


def test_worth_is_weighted_by_belief_and_bounded_by_tau():
    """Suite 0 votes on codes 1 (weight 0.8, passes), 2 (0.5, passes) and 3 (0.1, fails)."""
    passes = np.array([[1, NAN], [1, NAN], [1, NAN], [0, 1]])
    matrix = PassMatrix(passes, np.array([0, 3]))
    belief = np.array([0.9, 0.8, 0.5, 0.1])
    assert same(validity(matrix, belief, tau=0), [1.3 / 1.4, NAN])
    assert same(validity(matrix, belief, tau=2), [1.3 / 2, NAN])
    assert same(discrimination(matrix, belief, tau=0), [0.9 / 1.6, NAN])
    assert same(discrimination(matrix, belief, tau=3), [0.9 / 3, NAN])
    assert same(suite_worth(matrix, belief, tau=2), [1.3 / 2 * 0.9 / 2, NAN])
    unknown = np.array([0.9, 0.8, NAN, 0.1])
    assert same(validity(matrix, unknown, tau=0), [0.8 / 0.9, NAN])


def test_copies_of_a_wrong_code_are_one_wrong_code():
    ids = np.array([0, 1, 1, 1])
    matrix = PassMatrix(np.array([[1], [0], [0], [0]]), np.array([-1]), ids)
    belief = np.array([1.0, 0.0, 0.0, 0.0])
    assert same(discrimination(matrix, belief, tau=2), [0.5])
    assert same(discrimination(replace(matrix, count_copies=True), belief, tau=2), [1])


def test_among_right_codes_only_mutants_pay():
    matrix, right = blocks(4), np.ones(4)
    assert same(suite_worth(matrix, right, tau=1), np.zeros(4))
    assert same(discrimination(matrix, right, tau=0), np.full(4, NAN))
    kills = np.array([1.0, 0.5, 0.0, NAN])
    assert same(suite_worth(matrix, right, tau=1, mutation=kills), [0.5, 0.25, 0, 0])
    assert same(suite_worth(matrix, right, tau=0, mutation=kills), [1, 0.5, 0, NAN])
    assert same(suite_worth(matrix, right, tau=1, mutation=kills, mutation_weight=1)[:3], [1, 0.5, 0])


def test_a_suite_has_no_say_in_the_belief_by_which_it_is_paid():
    """The second suite passes code 2 alone: with `majority` it makes code 2 righter, and is paid for that."""
    passes = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 1]])
    matrix = PassMatrix(passes, np.array([0, 1, -1]))
    assert same(majority_without(matrix)[2], [0.5 * 2, 0.5, 0.5])
    assert majority(matrix)[2] == pytest.approx(2 / 3)
    assert same(majority_without(matrix)[:, 1], [0, 0, 0.5])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"right": np.ones(3)}, r"right has shape \(3,\); give \[2\] or \[2, 2\]"),
        ({"right": np.array([0, 1.5])}, "a belief in `right` is not from 0 to 1"),
        ({"tau": -1}, "tau is -1; give a number of codes"),
        ({"tau": NAN}, "tau is nan"),
        ({"mutation": np.ones(3)}, r"mutation has shape \(3,\); give 2 scores"),
        ({"mutation": np.full(2, -0.1)}, "a mutation score is not from 0 to 1"),
        ({"mutation": np.ones(2), "mutation_weight": 2}, "mutation_weight is 2; give a number from 0 to 1"),
    ],
)
def test_beliefs_and_scores_that_do_not_fit_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        suite_worth(PassMatrix(np.eye(2), np.arange(2)), **{"right": np.ones(2), "tau": 1} | given)


# Nothing to say


@pytest.mark.parametrize("passes", [np.ones((1, 1)), np.full((3, 3), NAN), np.ones((2, 0))])
def test_where_no_other_was_run_there_is_no_score(passes):
    matrix = PassMatrix(passes, np.arange(passes.shape[1]))
    for score in CODE_SCORES.values():
        assert np.isnan(score(matrix)).all() and score(matrix).shape == passes.shape[:1]
    for score in SUITE_SCORES.values():
        assert np.isnan(score(matrix)).all() and score(matrix).shape == passes.shape[1:]
