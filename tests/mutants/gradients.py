"""Slips of the architecture gradients of DARTS."""

from contextlib import nullcontext

from nas_tutorial.museum import replaced
from nas_tutorial.museum.gradients import unrolled_by
from nas_tutorial.strategies import gradients
from nas_tutorial.strategies.gradients import VirtualStep

from . import slip

CONVERGENCE = "test_gradients.py::test_unrolled_converges_to_exact_as_the_square_of_r[tiny]"
BY_HAND = "test_gradients.py::test_the_toy_gradients_by_hand"


@slip(CONVERGENCE)
def flipped_second_order():
    """The correction is added instead of taken away."""
    with replaced(gradients, "unrolled", unrolled_by(lambda direct, p, n, xi, eps: direct + xi * (p - n) / (2 * eps))):
        yield


@slip(CONVERGENCE)
def one_sided_scale():
    """A central difference is divided by ε."""
    with replaced(gradients, "unrolled", unrolled_by(lambda direct, p, n, xi, eps: direct - xi * (p - n) / eps)):
        yield


@slip(CONVERGENCE)
def both_levels_on_validation():
    """The validation batch takes the place of the training batch."""
    healthy = gradients.unrolled

    def unrolled(problem, train, validation, step, r=0.01):
        return healthy(problem, validation, validation, step, r)

    with replaced(gradients, "unrolled", unrolled):
        yield


@slip("test_gradients.py::test_the_virtual_step_has_the_length_it_should")
def step_without_momentum():
    """The optimiser's buffers are not asked."""
    with replaced(VirtualStep, "velocity", lambda self, name: 0.0):
        yield


@slip("test_gradients.py::test_the_virtual_step_is_the_next_step_of_sgd")
def step_without_decay():
    """Weight decay belongs to the step as well."""

    def call(self, weights, g):
        return {name: w - self.xi * self.move(name, g[name]) for name, w in weights.items()}

    with replaced(VirtualStep, "__call__", call):
        yield


@slip("test_gradients.py::test_an_estimate_leaves_no_trace[unrolled]")
def weights_stay_moved():
    """The virtual step is not taken back."""

    def moved(weights, to):
        gradients._write(weights, to)
        return nullcontext()

    with replaced(gradients, "moved", moved):
        yield


@slip(BY_HAND)
def exact_without_graph():
    """The step of the weights is a constant, so only its first-order part is differentiated."""
    healthy = gradients.gradient
    with replaced(gradients, "gradient", lambda *groups, create_graph=False: healthy(*groups)):
        yield


@slip(BY_HAND)
def alpha_learns_from_training_pictures():
    """Both levels of the problem look at the same loss."""
    healthy = gradients.first_order
    with replaced(gradients, "first_order", lambda problem, train, _, step: healthy(problem, train, train, step)):
        yield
