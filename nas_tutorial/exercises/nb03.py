"""Exercises of notebook 03, Solve a bilevel problem by hand; its build is in `nb03_build.py`.

For each exercise a table: what a known mistake is called, and the function that makes it.
"""

import random

import torch

from nas_tutorial.exercises.cases import judge
from nas_tutorial.exercises.frame import Exercise


# --- add the two parts ------------------------------------------------------------------------------------------------
def total_slope(alpha):
    """dL_val(α, w*(α))/dα for L_val = w² − 4w + α and L_train = (w − 3α)²."""
    w = 3 * alpha  # the trained weight
    direct, slope_in_w, follows = 1, 2 * w - 4, 3
    return direct + slope_in_w * follows


TOTAL_SLOPE = {
    "that is the direct part alone: the weight follows α, too": lambda alpha: 1,
    "the direct part is missing: L_val contains α itself": lambda alpha: (6 * alpha - 4) * 3,
    "w* is 3α, so it moves 3 when α moves 1: multiply the slope in w by 3": lambda alpha: 1 + 6 * alpha - 4,
    "(w − 3α)² is smallest at w = 3α, not at w = α": lambda alpha: 1 + (2 * alpha - 4) * 3,
    "here w* is 3α, not α: that changes the place, and dw*/dα": lambda alpha: 1 + 2 * alpha - 4,
    "that is the loss L_val(α, w*(α)); its slope is wanted": lambda alpha: 9 * alpha**2 - 11 * alpha,
    "the two parts are added": lambda alpha: 1 - (6 * alpha - 4) * 3,
    "that is the α at which the slope is zero; the slope at any α is wanted": lambda alpha: 11 / 18,
    "it returns 2 numbers; return a single one": lambda alpha: (1, (6 * alpha - 4) * 3),
}


def total_slope_by_differences(alpha):
    def loss(a):
        return (3 * a) ** 2 - 4 * 3 * a + a

    return (loss(alpha + 0.5) - loss(alpha - 0.5)) / 1.0


def test_total_slope(function):
    draw = random.Random(0)
    cases = [(round(draw.uniform(-3, 3), 2),) for _ in range(4)]
    judge(function, total_slope, TOTAL_SLOPE, [(0.3,), *cases, (2,)], parts_of_total_slope)


def parts_of_total_slope(alpha):
    """The way to `total_slope`."""
    w = 3 * alpha
    return f"w* is {w:.4g}; ∂L/∂α with w held still is 1, ∂L/∂w at w* is {2 * w - 4:.4g}, and dw*/dα is 3"


# --- differentiate through a step -------------------------------------------------------------------------------------
def slope_one_step_ahead(alpha, w, xi):
    """dL_val(α, w'(α))/dα for L_val = w² − 4w + α and L_train = (w − 3α)², with w' one step ahead."""
    ahead = w - xi * 2 * (w - 3 * alpha)
    direct, slope_in_w, follows = 1, 2 * ahead - 4, 6 * xi
    return direct + slope_in_w * follows


def stepped(alpha, w, xi):
    """w' of that problem."""
    return w - 2 * xi * (w - 3 * alpha)


SLOPE_ONE_STEP_AHEAD = {
    "ξ may be larger than ½: use it as it is": lambda alpha, w, xi: slope_one_step_ahead(alpha, w, min(xi, 0.5)),
    "the slope of L_val in w belongs at w', where you stand after the step": lambda alpha, w, xi: (
        1 + (2 * w - 4) * 6 * xi
    ),
    "the direct part is missing: L_val contains α itself": lambda alpha, w, xi: (
        (2 * stepped(alpha, w, xi) - 4) * 6 * xi
    ),
    "w' follows by 6ξ, not by 2ξ: there is a 3 in front of α": lambda alpha, w, xi: (
        1 + (2 * stepped(alpha, w, xi) - 4) * 2 * xi
    ),
    "w' follows by 6ξ, not by 3: one step does not go all the way": lambda alpha, w, xi: (
        1 + (2 * stepped(alpha, w, xi) - 4) * 3
    ),
    "multiply the slope in w by dw'/dα: by how much w' follows": lambda alpha, w, xi: 1 + 2 * stepped(alpha, w, xi) - 4,
    "sign: w' goes down the slope of L_train, towards 3α": lambda alpha, w, xi: (
        1 + (2 * stepped(alpha, w, -xi) - 4) * 6 * xi
    ),
    "sign: the part through the weights is added, because w' grows with α": lambda alpha, w, xi: (
        1 - (2 * stepped(alpha, w, xi) - 4) * 6 * xi
    ),
    "that is the true slope, of a weight that is trained to the end: here it goes one step of size ξ": (
        lambda alpha, w, xi: total_slope(alpha)
    ),
    "that is the loss at w'; its slope is wanted": lambda alpha, w, xi: (
        stepped(alpha, w, xi) ** 2 - 4 * stepped(alpha, w, xi) + alpha
    ),
    "that is the first order: w follows α": lambda alpha, w, xi: 1,
}


def slope_by_double_backward(alpha, w, xi):
    alpha, w = (torch.tensor(float(x), dtype=torch.float64, requires_grad=True) for x in (alpha, w))
    (slope,) = torch.autograd.grad((w - 3 * alpha) ** 2, w, create_graph=True)
    ahead = w - xi * slope
    return torch.autograd.grad(ahead**2 - 4 * ahead + alpha, alpha)[0]


def test_slope_one_step_ahead(function):
    draw = random.Random(0)
    cases = [tuple(round(draw.uniform(*ends), 2) for ends in ((-2, 2), (-2, 2), (0.05, 0.45))) for _ in range(4)]
    cases = [(2.0, 1.0, 0.3), *cases, (-1, 2, 0.5), (2, 1, 0), (1.5, -1, 0.8)]
    judge(function, slope_one_step_ahead, SLOPE_ONE_STEP_AHEAD, cases, parts_of_slope_ahead)


def parts_of_slope_ahead(alpha, w, xi):
    """The way to `slope_one_step_ahead`."""
    ahead = stepped(alpha, w, xi)
    return (
        f"w' is {ahead:.4g}; ∂L/∂α with w' held still is 1, ∂L/∂w at w' is {2 * ahead - 4:.4g}, and dw'/dα is "
        f"{6 * xi:.4g}"
    )


# --- look further ahead -----------------------------------------------------------------------------------------------
def rest_after(xi, steps):
    """Where the toy's search comes to rest when α looks `steps` steps of size ξ ahead."""
    follows = 1 - (1 - 2 * xi) ** steps
    return 2 / (1 + follows)


REST_AFTER = {
    "a step makes w' follow by 2ξ, not by ξ": lambda xi, steps: 2 / (2 - (1 - xi) ** steps),
    "steps do not add up: each closes the part 2ξ of what is left of the gap": lambda xi, steps: (
        2 / (1 + 2 * xi * steps)
    ),
    "1 − 2ξ is negative for ξ above ½, and so is an odd power of it": lambda xi, steps: (
        2 / (2 - abs(1 - 2 * xi) ** steps)
    ),
    "the number of steps makes no difference": lambda xi, steps: 2 / (1 + 2 * xi),
    "(1 − 2ξ)^steps is what is left of the gap; w' follows by the rest of it": lambda xi, steps: (
        2 / (1 + (1 - 2 * xi) ** steps)
    ),
    "that is how far w' follows α, not yet where α rests": lambda xi, steps: 1 - (1 - 2 * xi) ** steps,
    "(2ξ)^steps is too little: look at what is left of the gap, 1 − 2ξ, after each step": lambda xi, steps: (
        2 / (1 + (2 * xi) ** steps)
    ),
    "that is the best α, which only endless steps reach": lambda xi, steps: 1.0,
}


def rest_after_in_a_loop(xi, steps):
    follows = 0.0
    for _ in range(steps):
        follows += 2 * xi * (1 - follows)
    return 2 / (1 + follows)


def rest_after_a_search(xi, steps):
    """By trying: α descends the slope while w is trained to the end."""
    alpha = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    for _ in range(300):
        ahead = alpha.detach()
        for _ in range(steps):
            ahead = ahead - 2 * xi * (ahead - alpha)
        (slope,) = torch.autograd.grad(alpha * ahead - 2 * alpha + 1, alpha)
        alpha = (alpha - 0.3 * slope).detach().requires_grad_()
    return alpha.detach()


def test_rest_after(function):
    draw = random.Random(0)
    cases = [(round(draw.uniform(0.05, 0.45), 2), draw.randint(2, 6)) for _ in range(4)]
    judge(function, rest_after, REST_AFTER, [(0.1, 3), *cases, (0.4, 1), (0.8, 3)], gap_left)


def gap_left(xi, steps):
    """The way to `rest_after`."""
    gap = (1 - 2 * xi) ** steps
    return (
        f"of the gap between w and α {1 - 2 * xi:.4g} is left after one step and {gap:.4g} after all, so w' follows α "
        f"by {1 - gap:.4g}"
    )


EXERCISES = (
    Exercise(
        total_slope,
        test_total_slope,
        title="Add the two parts",
        difficulty=1,
        minutes=4,
        hints=(
            "First the lower problem: which w makes (w − 3α)² zero?",
            "w* = 3α. The direct part is the slope of L_val in α, with w held still.",
            "The part through the weights is the slope of L_val in w, 2w − 4, times dw*/dα = 3.",
        ),
        wrong=TOTAL_SLOPE,
        right=(lambda alpha: 18 * alpha - 11, total_slope_by_differences),
    ),
    Exercise(
        slope_one_step_ahead,
        test_slope_one_step_ahead,
        title="Differentiate through a step",
        difficulty=2,
        minutes=6,
        hints=(
            "First write down w': one step of size ξ down the slope of (w − 3α)².",
            "w' = w − 2ξ(w − 3α). By how much does it move when α moves by one?",
            "Add the direct part, 1, and the product of the slope in w, 2w' − 4, with dw'/dα = 6ξ.",
        ),
        wrong=SLOPE_ONE_STEP_AHEAD,
        right=(
            lambda alpha, w, xi: 1 + 12 * xi * (w - 2 * xi * (w - 3 * alpha)) - 24 * xi,
            slope_by_double_backward,
        ),
    ),
    Exercise(
        rest_after,
        test_rest_after,
        title="Look further ahead",
        difficulty=3,
        minutes=6,
        hints=(
            "With one step and w = α, the slope is α − 2 + 2ξα. Here 2ξ says how far w' follows α.",
            "A step leaves the part 1 − 2ξ of the gap between w and α. What do several steps leave?",
            "Call what is followed f = 1 − (1 − 2ξ)^steps, and set α − 2 + fα to zero.",
        ),
        wrong=REST_AFTER,
        right=(rest_after_in_a_loop, rest_after_a_search),
    ),
)
