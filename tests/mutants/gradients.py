"""Bugs of the architecture gradients of DARTS and of its search."""

import torch
from torch import nn

from nas_tutorial import data, spaces
from nas_tutorial.strategies import darts, gradients
from nas_tutorial.strategies.darts import Config, Optimisers
from nas_tutorial.strategies.gradients import Bilevel, VirtualStep

from . import SLIP, Mutant
from .pictures import picture_witness

TINY = spaces.Tiny(3)


def smoothed(network: nn.Module) -> nn.Module:
    """The network with softplus for every ReLU."""
    for name, child in network.named_children():
        if isinstance(child, nn.ReLU):
            setattr(network, name, nn.Softplus())
        else:
            smoothed(child)
    return network


def setting():
    """(problem, train, validation, optimisers) in float64 on a smooth network whose momentum buffers are full."""
    torch.manual_seed(0)
    alphas = {name: a.detach().double().requires_grad_() for name, a in TINY.alphas(torch.Generator(), 0.5).items()}
    problem = Bilevel(TINY, smoothed(TINY.supernet(4)).double(), alphas)
    train, validation = ((torch.randn(6, 3, 8, 8).double(), torch.randint(4, (6,))) for _ in "tv")
    optimisers = Optimisers(problem.network.parameters(), alphas, Config(learning_rate=0.1))
    for _ in range(3):
        step_of_sgd(problem, train, optimisers)
    return problem, train, validation, optimisers


def step_of_sgd(problem, train, optimisers) -> None:
    """The weights move down the gradient of the training loss."""
    optimisers.weights.zero_grad()
    problem.loss(train).backward()
    optimisers.weights.step()


def flat(tensors) -> torch.Tensor:
    """All entries in one vector."""
    return torch.cat([t.detach().flatten() for t in tensors.values()])


def state_of(network):
    """Copies of weights and statistics."""
    return {name: value.clone() for name, value in network.state_dict().items()}


# --- checks ---
def check_unrolled_converges_to_exact():
    """Ten times smaller steps, a hundred times smaller error."""
    problem, train, validation, optimisers = setting()
    step = optimisers.virtual_step(list(problem.weights))
    truth = flat(gradients.exact(problem, train, validation, step))
    errors = [
        (flat(gradients.unrolled(problem, train, validation, step, r)) - truth).norm() / truth.norm()
        for r in (1e-1, 1e-2)
    ]
    assert 60 < errors[0] / errors[1] < 140 and errors[1] < 1e-4, errors


def check_the_virtual_step_has_its_length():
    """‖w' − w‖ = ξ · ‖0.9 · buffer + g + decay · w‖."""
    problem, train, _, optimisers = setting()
    w, group = flat(problem.weights), optimisers.weights.param_groups[0]
    buffers = torch.cat([optimisers.weights.state[p]["momentum_buffer"].flatten() for p in group["params"]])
    (g,) = gradients.gradient(problem.loss(train), problem.weights)
    moved = flat(optimisers.virtual_step(list(problem.weights))(problem.weights, g)) - w
    assert torch.isclose(moved.norm(), 0.1 * (0.9 * buffers + flat(g) + 3e-4 * w).norm(), rtol=1e-9)


def check_the_virtual_step_is_the_next_step_of_sgd():
    """torch's own optimiser is the judge."""
    problem, train, _, optimisers = setting()
    (g,) = gradients.gradient(problem.loss(train), problem.weights)
    foreseen = flat(optimisers.virtual_step(list(problem.weights))(problem.weights, g))
    step_of_sgd(problem, train, optimisers)
    assert torch.allclose(flat(problem.weights), foreseen, rtol=1e-9, atol=1e-12)


def check_an_estimate_leaves_no_trace():
    """Weights and batch-norm statistics are the same bit for bit."""
    problem, train, validation, optimisers = setting()
    before, step = state_of(problem.network), optimisers.virtual_step(list(problem.weights))
    for estimate in (gradients.first_order, gradients.exact, gradients.unrolled):
        estimate(problem, train, validation, step)
        assert all(torch.equal(value, before[name]) for name, value in problem.network.state_dict().items())


class Toy(Bilevel):
    """L_train = w² − 2αw + α², L_val = αw − 2α + 1  (DARTS, fig. 2)."""

    def loss(self, batch, weights=None):
        """The loss of that name."""
        w, alpha = (weights or self.weights)["w"], self.alphas["alpha"]
        return w**2 - 2 * alpha * w + alpha**2 if batch == "train" else alpha * w - 2 * alpha + 1


def check_the_toy_gradients():
    """At w = −2, α = 2, ξ = 0.25: w' = 0, dw'/dα = 0.5, so dL_val/dα = 0 − 2 + 2 · 0.5 = −1; first order −2 − 2."""
    network = nn.Module()
    network.w = nn.Parameter(torch.tensor(-2.0))
    toy = Toy(None, network, {"alpha": torch.tensor(2.0, requires_grad=True)})
    step = VirtualStep(0.25, momentum=0.0, decay=0.0)
    for estimate, expected in ((gradients.exact, -1), (gradients.unrolled, -1), (gradients.first_order, -4)):
        assert abs(float(estimate(toy, "train", "validation", step)["alpha"]) - expected) < 1e-4


def strokes():
    """80 small pictures."""
    return data.load("strokes", per_class=20, test_per_class=5)


def check_the_result_holds_alpha():
    """The architecture can be derived again from what was saved."""
    result = darts.search(TINY, strokes(), epochs=1).result
    alphas = {name.removeprefix("alpha."): w for name, w in result.weights.items() if name.startswith("alpha.")}
    assert alphas.keys() == TINY.alpha_shapes.keys()
    assert TINY.derive(alphas) == result.architecture


def check_validation_pictures_are_not_augmented():
    """Neither those that α learns from nor those that it is judged by."""
    with picture_witness() as (pictures, seen):
        list(darts.search(TINY, pictures, epochs=1, batch_size=12))
    assert ("train", True) in seen and ("validation", False) in seen
    assert ("validation", True) not in seen and not {name for name, _ in seen} - {"train", "validation"}


def check_the_step_of_the_weights_leaves_alpha_alone():
    """A step of the weights leaves no gradient in α, and does not move it."""
    problem, train, _, optimisers = setting()
    before = flat(problem.alphas).clone()
    for alpha in problem.alphas.values():
        alpha.grad = None
    darts._step_weights(problem, optimisers, train, 5.0, darts.Meter())
    assert all(alpha.grad is None for alpha in problem.alphas.values())
    assert torch.equal(before, flat(problem.alphas))


# --- bugs ---
def unrolled_with(monkeypatch, combine, direct_at_w=False, difference_on_validation=False):
    """Put in a second-order estimate made from (direct, plus, minus, ξ, ε) in another way, or at other places."""

    def unrolled(problem, train, validation, step, r=0.01):
        with gradients.frozen_statistics(problem.network):
            (g,) = gradients.gradient(problem.loss(train), problem.weights)
            there = problem.weights if direct_at_w else step(problem.weights, g)
            with gradients.moved(problem.weights, there):
                direct, d = gradients.gradient(problem.loss(validation), problem.alphas, problem.weights)
            epsilon, batch = r / gradients.norm(d), validation if difference_on_validation else train
            plus, minus = (gradients._alpha_gradient_at(problem, batch, d, s * epsilon) for s in (1, -1))
        return {n: combine(direct[n], plus[n], minus[n], step.xi, epsilon) for n in direct}

    monkeypatch.setattr(gradients, "unrolled", unrolled)


def healthy_combination(direct, plus, minus, xi, epsilon):
    """DARTS, eq. 8."""
    return direct - xi * (plus - minus) / (2 * epsilon)


def forgotten_brackets(monkeypatch):
    """(p − n) / 2. * eps: divided by two, multiplied by ε."""
    unrolled_with(monkeypatch, lambda direct, p, n, xi, eps: direct - xi * ((p - n) / 2.0 * eps))


def flipped_second_order(monkeypatch):
    """The correction is added instead of taken away."""
    unrolled_with(monkeypatch, lambda direct, p, n, xi, eps: direct + xi * (p - n) / (2 * eps))


def one_sided_scale(monkeypatch):
    """A central difference divided by ε."""
    unrolled_with(monkeypatch, lambda direct, p, n, xi, eps: direct - xi * (p - n) / eps)


def direct_term_at_the_old_weights(monkeypatch):
    """The validation gradient is taken before the virtual step."""
    unrolled_with(monkeypatch, healthy_combination, direct_at_w=True)


def difference_on_the_validation_batch(monkeypatch):
    """Both losses of the finite difference are of the wrong split."""
    unrolled_with(monkeypatch, healthy_combination, difference_on_validation=True)


def step_that_moves_nothing(monkeypatch):
    """w = w − lr · … binds a local name."""

    def call(self, weights, gradient):
        for name, w in weights.items():
            w = w - self.xi * (self.velocity(name) + gradient[name] + self.decay * w)
        return dict(weights)

    monkeypatch.setattr(VirtualStep, "__call__", call)


def step_without_momentum(monkeypatch):
    """The buffers of the optimiser are not asked."""
    monkeypatch.setattr(VirtualStep, "velocity", lambda self, name: 0.0)


def step_without_decay(monkeypatch):
    """Weight decay belongs to the step as well."""
    monkeypatch.setattr(
        VirtualStep,
        "__call__",
        lambda self, weights, g: {n: w - self.xi * (self.velocity(n) + g[n]) for n, w in weights.items()},
    )


def bare_except(monkeypatch):
    """The buffer is looked for under a wrong name, and whatever goes wrong counts as "no step so far"."""

    def virtual_step(self, names):
        group = self.weights.param_groups[0]
        try:
            pairs = zip(names, group["params"], strict=True)
            buffers = {name: self.weights.state[w]["momentum"] for name, w in pairs}
        except:  # noqa: E722 - this is the bug
            buffers = None
        return VirtualStep(group["lr"], group["momentum"], group["weight_decay"], buffers)

    monkeypatch.setattr(Optimisers, "virtual_step", virtual_step)


def weights_stay_away(monkeypatch):
    """The step is not taken back."""

    def moved(weights, to):
        gradients._write(weights, to)
        return gradients.frozen_statistics(nn.Module())  # any context

    monkeypatch.setattr(gradients, "moved", moved)


def steps_taken_back_by_subtraction(monkeypatch):
    """w + d − d is not always w."""

    def moved(weights, to):
        steps = {name: (to[name] - w).detach() for name, w in weights.items()}

        @gradients.contextmanager
        def block():
            gradients._write(weights, {name: w + steps[name] for name, w in weights.items()})
            yield
            gradients._write(weights, {name: w - steps[name] for name, w in weights.items()})

        return block()

    monkeypatch.setattr(gradients, "moved", moved)


def moving_statistics(monkeypatch):
    """The four passes of an estimate count as training."""
    monkeypatch.setattr(gradients, "frozen_statistics", lambda network: torch.enable_grad())


def exact_without_graph(monkeypatch):
    """The step of the weights is a constant, so only its first-order part is differentiated."""
    monkeypatch.setattr(gradients, "gradient", lambda *args, create_graph=False: healthy_gradient(*args))


healthy_gradient = gradients.gradient


def alpha_learns_from_training_pictures(monkeypatch):
    """Both levels of the problem look at the same loss."""

    def first_order(problem, train, validation, step):
        return healthy_gradient(problem.loss(train), problem.alphas)[0]

    monkeypatch.setattr(gradients, "first_order", first_order)


def alpha_is_not_saved(monkeypatch):
    """α belongs to no module, and so to no state dictionary."""
    healthy = darts._steps

    def steps(*args):
        weights = yield from healthy(*args)
        return {name: w for name, w in weights.items() if not name.startswith("alpha.")}

    monkeypatch.setattr(darts, "_steps", steps)


def validation_is_augmented(monkeypatch):
    """One transform for all pictures."""
    healthy = darts.batches

    def batches(*args, augmented=False, **rest):
        return healthy(*args, augmented=True, **rest)

    monkeypatch.setattr(darts, "prepared", prepared)


def attached_alpha(monkeypatch):
    """The step of the weights differentiates through α as well, and its gradient is added to α's."""
    monkeypatch.setattr(darts, "_detached", dict)


CONVERGENCE = check_unrolled_converges_to_exact
NEXT_STEP = check_the_virtual_step_is_the_next_step_of_sgd
NO_TRACE = check_an_estimate_leaves_no_trace

MUTANTS = [
    Mutant("half the difference times epsilon", "pt.darts architect.py:108", forgotten_brackets, CONVERGENCE),
    Mutant("second-order term added", SLIP, flipped_second_order, CONVERGENCE),
    Mutant("central difference over epsilon", SLIP, one_sided_scale, CONVERGENCE),
    Mutant("direct term at the old weights", SLIP, direct_term_at_the_old_weights, CONVERGENCE),
    Mutant("finite difference on validation", SLIP, difference_on_the_validation_batch, CONVERGENCE),
    Mutant("virtual step that moves nothing", "NNI 2.x oneshot/pytorch/darts.py:239-241", step_that_moves_nothing,
           check_the_virtual_step_has_its_length),
    Mutant("virtual step without momentum", SLIP, step_without_momentum, check_the_virtual_step_has_its_length),
    Mutant("virtual step without weight decay", SLIP, step_without_decay, NEXT_STEP),
    Mutant("bare except hides the momentum", "quark0/darts architect.py:25", bare_except, NEXT_STEP),
    Mutant("weights not restored", SLIP, weights_stay_away, NO_TRACE),
    Mutant("weights restored by subtraction", SLIP, steps_taken_back_by_subtraction, NO_TRACE),
    Mutant("estimates move the statistics", SLIP, moving_statistics, NO_TRACE),
    Mutant("exact without second derivatives", SLIP, exact_without_graph, check_the_toy_gradients),
    Mutant("alpha learns from training pictures", SLIP, alpha_learns_from_training_pictures, check_the_toy_gradients),
    Mutant("alpha not saved", "quark0/darts: α is in no state_dict", alpha_is_not_saved, check_the_result_holds_alpha),
    Mutant("augmented validation pictures in DARTS", "many ports", validation_is_augmented,
           check_validation_pictures_are_not_augmented),
    Mutant("weight step differentiates through alpha", SLIP, attached_alpha,
           check_the_step_of_the_weights_leaves_alpha_alone),
]  # fmt: skip
