"""Rankings: against hand-computed cases, brute force over all draws, and each other."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_tutorial.measures import ranking

scores = st.lists(st.integers(0, 6), min_size=2, max_size=6)


def tau_b(x, y):
    """Kendall's τ-b, counted pair by pair."""
    pairs = list(itertools.combinations(range(len(x)), 2))
    sign = [(np.sign(x[i] - x[j]), np.sign(y[i] - y[j])) for i, j in pairs]
    untied = [sum(s[k] != 0 for s in sign) for k in (0, 1)]
    return sum(a * b for a, b in sign) / math.sqrt(untied[0] * untied[1]) if all(untied) else math.nan


@given(scores, st.data())
def test_kendall_equals_the_count_of_pairs(x, data):
    y = data.draw(st.lists(st.integers(0, 6), min_size=len(x), max_size=len(x)))
    assert ranking.kendall(x, y) == pytest.approx(tau_b(x, y), nan_ok=True)


def test_kendall_of_known_rankings():
    assert ranking.kendall([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx(1)
    assert ranking.kendall([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1)
    assert ranking.kendall([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx(4 / 6)  # 5 pairs agree, 1 does not


@given(scores, st.integers(1, 4), st.data())
def test_best_of_n_equals_the_mean_over_all_draws(x, n, data):
    truth = data.draw(st.lists(st.floats(0, 1), min_size=len(x), max_size=len(x)))

    def picked(draw):  # the mean truth over all architectures that share the best score among those drawn
        best = max(x[i] for i in draw)
        return np.mean([t for s, t in zip(x, truth, strict=True) if s == best])

    draws = list(itertools.product(range(len(x)), repeat=n))
    assert ranking.best_of_n(x, n, truth) == pytest.approx(np.mean([picked(draw) for draw in draws]))


def test_best_of_one_is_the_mean_and_of_many_the_best():
    x = [0.1, 0.5, 0.9]
    assert ranking.best_of_n(x, 1) == pytest.approx(0.5)
    assert ranking.best_of_n(x, 2) == pytest.approx((0.1 + 3 * 0.5 + 5 * 0.9) / 9)
    assert ranking.best_of_n(x, 200) == pytest.approx(0.9)


@given(scores, st.data())
def test_regret_is_what_is_missing_to_the_best(x, data):
    truth = data.draw(st.lists(st.floats(0, 1), min_size=len(x), max_size=len(x)))
    lost = ranking.regret(x, truth)
    assert lost >= 0 and ranking.regret(truth, truth) == 0
    assert truth[x.index(max(x))] + lost == pytest.approx(max(truth))


def test_top_k_overlap_by_hand():
    assert ranking.top_k_overlap([4, 3, 2, 1], [3, 4, 1, 2], 2) == 1
    assert ranking.top_k_overlap([4, 3, 2, 1], [3, 4, 1, 2], 1) == 0
    assert ranking.top_k_overlap([4, 3, 2, 1], [4, 1, 3, 2], 2) == 0.5


def test_band_of_a_mean_is_about_two_standard_errors_on_each_side():
    x = np.random.default_rng(0).normal(size=400)
    low, high = ranking.band(np.mean, x, draws=2000)
    assert (high - low) / (2 * 1.96 * x.std() / 20) == pytest.approx(1, abs=0.1)
    assert low < x.mean() < high
    assert ranking.band(np.mean, x, seed=3) == ranking.band(np.mean, x, seed=3) != ranking.band(np.mean, x, seed=4)


def test_band_keeps_pairs_together():
    x = np.arange(30.0)
    assert ranking.band(ranking.kendall, x, 2 * x, draws=20) == pytest.approx((1, 1))


def test_copies_make_a_band_narrower_although_they_say_nothing_new():
    x, y = np.random.default_rng(0).normal(size=(2, 60))
    value, widths = ranking.kendall(x, x + y), []
    for copies in (1, 4):
        columns = np.repeat(x, copies), np.repeat(x + y, copies)
        low, high = ranking.band(ranking.kendall, *columns)
        widths.append(high - low)
        assert ranking.kendall(*columns) == pytest.approx(value)
    assert widths[0] / widths[1] == pytest.approx(2, abs=0.25)  # √4


def every_resample(statistic, *columns):
    """The statistic of all Nᴺ resamples, each as probable as any other."""
    size = len(columns[0])
    picks = itertools.product(range(size), repeat=size)
    return np.array([statistic(*(np.asarray(column)[list(pick)] for column in columns)) for pick in picks])


@pytest.mark.parametrize(
    ("statistic", "columns"),
    [
        (np.mean, [[0.1, 0.2, 0.4, 0.8, 1.6]]),
        (ranking.regret, [[1, 2, 3, 4, 5], [0.4, 0.8, 0.2, 0.6, 0.1]]),
        (ranking.kendall, [[1, 2, 3, 4, 5], [2, 1, 3, 5, 4]]),  # nan for five of these resamples: all of one pair
    ],
)
def test_band_approaches_the_quantiles_of_all_resamples(statistic, columns):
    """The shares of resamples below and above the band, counted one by one, are those that were asked for."""
    values = every_resample(statistic, *columns)
    values = values[~np.isnan(values)]
    low, high = ranking.band(statistic, *columns, draws=4000, level=0.8)
    for below, above, bound in ((values < low, values <= low, 0.1), (values < high, values <= high, 0.9)):
        assert below.mean() - 0.02 <= bound <= above.mean() + 0.02  # 4 standard errors of a share of 4000 draws


def test_band_of_a_statistic_that_is_never_a_number():
    with pytest.warns(RuntimeWarning, match="All-NaN"):
        assert np.isnan(ranking.band(ranking.kendall, np.ones(5), np.arange(5), draws=20)).all()


def test_pairwise_takes_every_pair_once():
    assert ranking.pairwise(lambda a, b: b - a, [1, 10, 100]) == [9, 99, 90]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ranking.kendall([1, 2], [1, 2, 3]), "two rows of equal length"),
        (lambda: ranking.regret([1], [1]), "at least 2"),
        (lambda: ranking.kendall(np.ones((3, 2)), np.ones((3, 2))), "one number per architecture"),
        (lambda: ranking.top_k_overlap([1, 2], [1, 2], 3), "from 1 to 2, not for 3"),
        (lambda: ranking.best_of_n([1, 2], 0), "n ≥ 1, not for 0"),
        (lambda: ranking.band(ranking.kendall, [1, 2, 3], [1, 2]), "samples must have the same length"),
    ],
)
def test_errors_say_what_was_expected(call, message):
    with pytest.raises(ValueError, match=message):
        call()
