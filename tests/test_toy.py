"""The toy bilevel problem: its formulas against autograd, its resting points against searches that run there."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nas_tutorial.strategies import toy

numbers = st.floats(-3, 3)
rates = st.floats(0, 1)


@given(numbers, numbers, rates)
def test_hypergradient_is_the_derivative_through_the_step(alpha, w, xi):
    a, b = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (alpha, w))
    (slope,) = torch.autograd.grad(toy.training_loss(a, b), b, create_graph=True)
    ahead = b - xi * slope
    (total,) = torch.autograd.grad(toy.validation_loss(a, ahead), a)
    assert toy.look_ahead(alpha, w, xi) == pytest.approx(float(ahead.detach()), abs=1e-12)
    assert toy.hypergradient(alpha, w, xi) == pytest.approx(float(total), abs=1e-12)


@given(numbers, numbers)
def test_the_weight_follows_alpha_and_the_best_alpha_is_one(alpha, w):
    assert toy.training_loss(alpha, w) >= toy.training_loss(alpha, alpha) - 1e-12
    assert toy.validation_loss(alpha, alpha) == pytest.approx((alpha - 1) ** 2, abs=1e-12)


@given(numbers, numbers)
def test_half_a_step_ahead_gives_the_true_slope_from_anywhere(alpha, w):
    assert toy.look_ahead(alpha, w, 0.5) == pytest.approx(alpha, abs=1e-12)
    assert toy.hypergradient(alpha, w, 0.5) == pytest.approx(2 * (alpha - 1), abs=1e-12)


@pytest.mark.parametrize(("xi", "rest"), [(0.0, 2.0), (0.1, 5 / 3), (0.3, 1.25), (0.5, 1.0)])
@pytest.mark.parametrize("rates", [(0.1, 0.2), (0.1, 0.5), (0.02, 0.3)])
def test_a_search_comes_to_rest_where_the_formula_says(xi, rest, rates):
    path = toy.search(xi, 2000, *rates)
    assert toy.resting_point(xi) == pytest.approx(rest)
    assert path[-1] == pytest.approx((rest, rest), abs=1e-6)
    assert path[0] == (2.0, -2.0) and len(path) == 2001


@pytest.mark.parametrize("rate", [0, 1, -0.1, 1.5])
def test_rates_with_which_the_weight_runs_away_are_refused(rate):
    with pytest.raises(ValueError, match="weight_rate is"):
        toy.search(0.1, weight_rate=rate)
