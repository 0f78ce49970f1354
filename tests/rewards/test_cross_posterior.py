"""The posterior is the one of the model, by brute force and by frequency; and what calibration can and cannot do."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from cross_groups import blocks, draw
from rewards.matrix.calibrated import MAX_CODES, Calibration, posterior
from rewards.matrix.gold_calibration import calibrate
from rewards.matrix.pass_matrix import PassMatrix

EXACT = 1e-9
FREQUENCY = 0.05  # between a bin's mean posterior and how often its codes are right
ESTIMATE = 0.06  # between a parameter and its estimate from 100 groups
MODEL = Calibration(0.4, 0.6, 0.3, 0.2, 0.1, 0.02)


# The oracle: loops over codes, suites and the shared results of the right codes


def cell(passed, code, suite, shared, model):
    """The probability of one result."""
    if code:
        rate = 1 - model.flake if suite or shared else model.flake
    else:
        rate = model.wrong_passes_right if suite else model.wrong_passes_wrong
    return rate if passed else 1 - rate


def brute_force(passes, model):
    """P(code right) and P(suite right) by the sum over everything that is not seen."""
    num_codes, num_suites = passes.shape
    total, by_code, by_suite = 0.0, np.zeros(num_codes), np.zeros(num_suites)
    bits = (0, 1)
    for codes in product(bits, repeat=num_codes):
        for suites in product(bits, repeat=num_suites):
            for shared in product(bits, repeat=num_suites):
                chance = 1.0
                for value in codes:
                    chance *= model.code_right if value else 1 - model.code_right
                for value, lucky in zip(suites, shared):
                    chance *= model.suite_right if value else 1 - model.suite_right
                    chance *= model.right_passes_wrong if lucky else 1 - model.right_passes_wrong
                for i, j in product(range(num_codes), range(num_suites)):
                    if not np.isnan(passes[i, j]):
                        chance *= cell(passes[i, j], codes[i], suites[j], shared[j], model)
                total += chance
                by_code += chance * np.array(codes)
                by_suite += chance * np.array(suites)
    return by_code / total, by_suite / total


@pytest.mark.parametrize("seed", [0, 2, 3])  # of which no suite or code has nothing but NaN
def test_the_posterior_is_the_sum_over_everything_that_is_not_seen(seed):
    rng = np.random.default_rng(seed)
    passes = rng.choice([0.0, 1.0, np.nan], (3, 3), p=[0.4, 0.4, 0.2])
    owners = np.array([0, 1, -1])  # the last is a tester's; the third code has no suite
    found = posterior(PassMatrix(passes, owners), MODEL)
    votes = np.where(owners == np.arange(3)[:, None], np.nan, passes)
    for i in range(3):
        seen = np.where(owners == i, np.nan, votes)  # without the suite of the code's author
        assert found.codes[i] == pytest.approx(brute_force(seen, MODEL)[0][i], abs=EXACT)
    assert found.codes[0] != pytest.approx(brute_force(passes, MODEL)[0][0], abs=EXACT)
    for j, owner in enumerate(owners):
        seen = np.where((np.arange(3) == owner)[:, None], np.nan, votes)  # without the code of the suite's author
        assert found.suites[j] == pytest.approx(brute_force(seen, MODEL)[1][j], abs=EXACT)


def largest_error(posteriors, truths):
    """The largest difference in a bin between the mean posterior and the frequency of what is right."""
    place = np.digitize(posteriors, [0.1, 0.3, 0.5, 0.7, 0.9])
    bins = [place == number for number in range(6)]
    return max(abs(posteriors[chosen].mean() - truths[chosen].mean()) for chosen in bins if chosen.sum() > 100)


def test_of_codes_with_posterior_p_a_share_p_is_right_and_likewise_of_suites():
    rng = np.random.default_rng(0)
    groups = [draw(rng, 5, MODEL) for _ in range(500)]
    found = [posterior(group.matrix, MODEL) for group in groups]
    misled = [posterior(group.matrix, replace(MODEL, code_right=0.8, suite_right=0.9)) for group in groups]
    codes, suites = (np.concatenate([group[number] for group in groups]) for number in (1, 2))
    assert largest_error(np.concatenate([each.codes for each in found]), codes) < FREQUENCY
    assert largest_error(np.concatenate([each.suites for each in found]), suites) < FREQUENCY
    assert largest_error(np.concatenate([each.codes for each in misled]), codes) > 2 * FREQUENCY
    assert largest_error(np.concatenate([each.suites for each in misled]), suites) > 2 * FREQUENCY


def test_four_right_codes_outscore_three_colluders_and_one_that_is_alone():
    codes, suites = posterior(blocks(4, 3, 1), Calibration())
    assert codes[:4].min() > 0.9 and codes[4:].max() < 0.01
    assert suites[:4].min() > 10 * suites[4:].max()


def test_colluders_in_the_majority_win_and_only_gold_prompts_with_colluders_change_it():
    """The matrix of five colluders and three right codes is that of five right codes and three colluders."""
    matrix, right = blocks(3, 5), np.array([1.0] * 3 + [0.0] * 5)
    codes, _ = posterior(matrix, Calibration())
    assert codes[:3].max() < 0.01 and codes[3:].min() > 0.9
    # Gold prompts whose codes are mostly wrong, but do not collude: the larger block is as convincing as before.
    rng = np.random.default_rng(1)
    apart = [draw(rng, 8, Calibration(0.1, 0.1, 0.1, 0.05)) for _ in range(10)]
    low = calibrate([group.matrix for group in apart], [group.codes for group in apart])
    assert low.code_right < 0.2
    codes, _ = posterior(matrix, low)
    assert codes[:3].max() < 0.01 and codes[3:].min() > 0.9
    # Ten gold prompts with the same collusion: wrong codes fit wrong suites, so agreement no longer proves much.
    high = calibrate([matrix] * 10, [right] * 10)
    assert high.wrong_passes_wrong > 0.9
    codes, _ = posterior(matrix, high)
    assert 0.6 < codes[:3].min() < 0.95 and codes[3:].max() < 0.4


def test_calibration_finds_the_parameters_and_needs_the_gold_results():
    model = Calibration(0.4, 0.6, 0.2, 0.6, 0.2, 0.02)
    rng = np.random.default_rng(2)
    groups = [draw(rng, 8, model) for _ in range(100)]
    matrices = [group.matrix for group in groups]
    start = Calibration(flake=model.flake)
    found = calibrate(matrices, [group.codes for group in groups], start=start)
    for name in ("code_right", "suite_right", "wrong_passes_right", "wrong_passes_wrong", "right_passes_wrong"):
        assert getattr(found, name) == pytest.approx(getattr(model, name), abs=ESTIMATE), name
    assert found.flake == start.flake
    misled = calibrate(matrices, [1 - group.codes for group in groups], start=start)
    assert abs(misled.code_right - model.code_right) > ESTIMATE


def test_calibration_leans_on_the_start_as_strongly_as_it_is_told():
    """Three of four known codes are right: (2 * 0.5 + 3) / (2 + 4), and (8 * 0.5 + 3) / (8 + 4)."""
    gold = [np.array([1, 1, 1, 0, np.nan])]
    assert calibrate([blocks(3, 2)], gold).code_right == pytest.approx(4 / 6)
    assert calibrate([blocks(3, 2)], gold, strength=8).code_right == pytest.approx(7 / 12)
    start = Calibration(0.3)
    assert calibrate([], [], start=start) == start
    unknown = calibrate([blocks(3, 2)], [np.full(5, np.nan)])
    assert np.allclose([*vars(unknown).values()], [*vars(Calibration()).values()])


def test_a_code_that_no_suite_was_run_on_says_nothing_about_those_that_are_scored():
    """Of three codes that meet suites two are right; three more do not compile: (2 * 0.5 + 2) / (2 + 3)."""
    passes = np.vstack([blocks(2, 1).passes, np.full((3, 3), np.nan)])
    matrix = PassMatrix(passes, np.arange(3))
    gold = np.array([1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    assert calibrate([matrix], [gold]).code_right == pytest.approx(3 / 5)
    passes = np.eye(2)  # a code whose own suite alone was run on it is not scored either
    passes[0, 1] = passes[1, 0] = np.nan
    assert calibrate([PassMatrix(passes, np.arange(2))], [np.ones(2)]).code_right == Calibration().code_right


def test_calibration_counts_copies_once_unless_they_are_to_count():
    ids = np.array([0, 0, 0, 1])
    matrix = PassMatrix(np.eye(4), np.arange(4), ids, np.arange(4))
    gold = [np.array([1.0, 1.0, np.nan, 0.0])]
    assert calibrate([matrix], gold).code_right == pytest.approx((1 + 1) / (2 + 2))
    assert calibrate([replace(matrix, count_copies=True)], gold).code_right == pytest.approx((1 + 2) / (2 + 3))


@pytest.mark.parametrize(
    ("gold", "message"),
    [
        ([], "1 matrices and 0 arrays of gold results; give one for each"),
        ([np.ones(2)], r"gold results have shape \(2,\) for a matrix of 3 codes"),
        ([np.full(3, 0.5)], "a gold result is 0.5; give 1 for right"),
    ],
)
def test_gold_results_that_do_not_fit_are_refused(gold, message):
    with pytest.raises(ValueError, match=message):
        calibrate([blocks(2, 1)], gold)


@pytest.mark.parametrize(
    "given", [{"code_right": 0.0}, {"suite_right": 1.0}, {"flake": 0.5}, {"flake": 0.0}, {"wrong_passes_wrong": np.nan}]
)
def test_a_parameter_out_of_range_is_refused(given):
    with pytest.raises(ValueError, match=f"{next(iter(given))} is"):
        Calibration(**given)


def test_more_codes_than_can_be_enumerated_are_refused_and_copies_do_not_count():
    size = MAX_CODES + 1
    with pytest.raises(ValueError, match=f"{size} distinct codes"):
        posterior(PassMatrix(np.ones((size, 1)), np.array([-1])), MODEL)
    copies = PassMatrix(np.ones((size, 1)), np.array([-1]), code_ids=np.zeros(size, int))
    one = PassMatrix(np.ones((1, 1)), np.array([-1]))
    assert posterior(copies, MODEL).codes == pytest.approx(np.repeat(posterior(one, MODEL).codes, size))


def test_nothing_is_said_where_nothing_of_the_others_was_run():
    alone = posterior(PassMatrix(np.ones((1, 1)), np.array([0])), MODEL)
    assert np.isnan([*alone.codes, *alone.suites]).all()
    assert posterior(PassMatrix(np.ones((1, 0)), np.array([], int)), MODEL).suites.shape == (0,)
    unknown = posterior(PassMatrix(np.array([[1, np.nan], [np.nan, 1], [1, 1.0]]), np.array([0, 1])), MODEL)
    assert np.isnan(unknown.codes[:2]).all() and unknown.codes[2] > MODEL.code_right
    assert (unknown.suites > MODEL.suite_right).all()
