"""Exercises of notebook 03, Solve a bilevel problem by hand.

For each exercise a table: what a known mistake is called, and the function that makes it.
"""

from nas_tutorial.exercises.frame import Exercise, compare


def check_cases(function, reference, wrong, *cases):
    """Hold a function against the reference on each case (its arguments), in the words of the table of mistakes."""
    for case in cases:
        names = reference.__code__.co_varnames
        where = "for " + ", ".join(f"{name} = {value:g}" for name, value in zip(names, case, strict=False))
        right = reference(*case)
        compare(function(*case), right, {what: answer(*case) for what, answer in wrong.items()}, where)


# --- differentiate through a step -------------------------------------------------------------------------------------
def new_hypergradient(alpha, w, xi):
    """dL_val(α, w')/dα for L_val = w² − 4w + α and L_train = (w − 3α)², with w' one step ahead."""
    ahead = w - xi * 2 * (w - 3 * alpha)
    direct, slope_in_w, follows = 1, 2 * ahead - 4, 6 * xi
    return direct + slope_in_w * follows


def stepped(alpha, w, xi):
    """w' of that problem."""
    return w - 2 * xi * (w - 3 * alpha)


NEW_HYPERGRADIENT = {
    "the slope of L_val in w belongs at w', where you stand after the step": lambda alpha, w, xi: (
        1 + (2 * w - 4) * 6 * xi
    ),
    "the direct part is missing: L_val contains α itself": lambda alpha, w, xi: (
        (2 * stepped(alpha, w, xi) - 4) * 6 * xi
    ),
    "w' follows by 6ξ, not by 2ξ: there is a 3 in front of α": lambda alpha, w, xi: (
        1 + (2 * stepped(alpha, w, xi) - 4) * 2 * xi
    ),
    "multiply the slope in w by dw'/dα: by how much w' follows": lambda alpha, w, xi: 1 + 2 * stepped(alpha, w, xi) - 4,
    "sign: w' goes down the slope of L_train, towards 3α": lambda alpha, w, xi: (
        1 + (2 * stepped(alpha, w, -xi) - 4) * 6 * xi
    ),
    "sign: the indirect part is added, because w' grows with α": lambda alpha, w, xi: (
        1 - (2 * stepped(alpha, w, xi) - 4) * 6 * xi
    ),
    "that is the first order: w follows α": lambda alpha, w, xi: 1,
}


def test_new_hypergradient(function):
    check_cases(function, new_hypergradient, NEW_HYPERGRADIENT, (2.0, 1.0, 0.3), (-1.0, 2.0, 0.1), (2.0, 1.0, 0.0))


# --- look further ahead -----------------------------------------------------------------------------------------------
def rest_after(xi, steps):
    """Where the toy's search comes to rest when α looks `steps` steps of size ξ ahead."""
    follows = 1 - (1 - 2 * xi) ** steps
    return 2 / (1 + follows)


REST_AFTER = {
    "a step makes w' follow by 2ξ, not by ξ": lambda xi, steps: 2 / (2 - (1 - xi) ** steps),
    "the two ends known are not joined by a straight line": lambda xi, steps: 2 - 2 * xi,
    "steps do not add up: each closes the part 2ξ of what is left of the gap": lambda xi, steps: (
        2 / (1 + 2 * xi * steps)
    ),
    "the number of steps makes no difference": lambda xi, steps: 2 / (1 + 2 * xi),
    "(1 − 2ξ)^steps is what is left of the gap; w' follows by the rest of it": lambda xi, steps: (
        2 / (1 + (1 - 2 * xi) ** steps)
    ),
}


def test_rest_after(function):
    check_cases(function, rest_after, REST_AFTER, (0.1, 3), (0.4, 1), (0.25, 2))


# --- take a step that is not taken ------------------------------------------------------------------------------------
def virtual_step(w, gradient, buffer, xi, momentum, decay):
    """The next weights of SGD: w' = w − ξ (momentum · buffer + gradient + decay · w)."""
    return w - xi * (momentum * buffer + gradient + decay * w)


VIRTUAL_STEP = {
    "nothing moves: return the new weight, not the old one": lambda w, g, b, xi, m, d: w,
    "sign: a step goes down the slope": lambda w, g, b, xi, m, d: w + xi * (m * b + g + d * w),
    "the momentum of earlier steps is missing": lambda w, g, b, xi, m, d: w - xi * (g + d * w),
    "the buffer counts only in part: multiply it by momentum": lambda w, g, b, xi, m, d: w - xi * (b + g + d * w),
    "weight decay is missing: it pulls w towards zero": lambda w, g, b, xi, m, d: w - xi * (m * b + g),
    "sign: the buffer holds gradients, treat it like one": lambda w, g, b, xi, m, d: w - xi * (g - m * b + d * w),
    "sign: weight decay makes the weight smaller": lambda w, g, b, xi, m, d: w - xi * (m * b + g - d * w),
    "ξ multiplies the whole bracket, the buffer too": lambda w, g, b, xi, m, d: w - m * b - xi * (g + d * w),
}


def test_virtual_step(function):
    check_cases(function, virtual_step, VIRTUAL_STEP, (2.0, 3.0, -2.0, 0.2, 0.4, 0.125), (0.0, 1.0, 0.0, 0.5, 0.9, 0.1))


# --- repair the second order ------------------------------------------------------------------------------------------
def second_order(direct, plus, minus, xi, epsilon):
    """The unrolled gradient from its parts: direct − ξ (plus − minus) / 2ε  (DARTS, eq. 8)."""
    return direct - xi * (plus - minus) / (2 * epsilon)


SECOND_ORDER = {
    "brackets: (plus - minus) / 2 * epsilon multiplies by ε, and the second part all but vanishes": (
        lambda direct, plus, minus, xi, epsilon: direct - xi * ((plus - minus) / 2.0 * epsilon)
    ),
    "the two points lie 2ε apart, not ε": lambda direct, plus, minus, xi, epsilon: (
        direct - xi * (plus - minus) / epsilon
    ),
    "sign: the second part, plus minus minus, is subtracted": lambda direct, plus, minus, xi, epsilon: (
        direct + xi * (plus - minus) / (2 * epsilon)
    ),
    "ξ is missing": lambda direct, plus, minus, xi, epsilon: direct - (plus - minus) / (2 * epsilon),
    "the direct part is missing": lambda direct, plus, minus, xi, epsilon: -xi * (plus - minus) / (2 * epsilon),
    "that is the first order: plus and minus are not used": lambda direct, plus, minus, xi, epsilon: direct,
}


def test_second_order(function):
    check_cases(function, second_order, SECOND_ORDER, (5.0, 3.0, 1.0, 0.25, 0.01), (0.0, 1.0, 4.0, 0.1, 0.5))


EXERCISES = (
    Exercise(
        new_hypergradient,
        test_new_hypergradient,
        title="Differentiate through a step",
        difficulty=2,
        minutes=6,
        hints=(
            "First write down w': one step of size ξ down the slope of (w − 3α)².",
            "w' = w − 2ξ(w − 3α). By how much does it move when α moves by one?",
            "Add the direct part, 1, and the product of the slope in w, 2w' − 4, with dw'/dα = 6ξ.",
        ),
        wrong=NEW_HYPERGRADIENT,
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
    ),
    Exercise(
        virtual_step,
        test_virtual_step,
        title="Take a step that is not taken",
        difficulty=1,
        minutes=3,
        hints=(
            "It is the step that SGD would take next; look at the formula above.",
            "The bracket has three parts: momentum times buffer, gradient, decay times w.",
        ),
        wrong=VIRTUAL_STEP,
    ),
    Exercise(
        second_order,
        test_second_order,
        title="Repair the second order",
        difficulty=1,
        minutes=3,
        hints=(
            "The line computes a slope: a difference of two values, divided by the distance of the two points.",
            "w⁺ and w⁻ lie 2ε apart. In Python, a / 2 * b means (a / 2) * b.",
        ),
        wrong=SECOND_ORDER,
    ),
)
