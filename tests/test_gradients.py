"""The three architecture gradients of DARTS, in float64, against differences of the loss itself and torch's own SGD."""

from copy import deepcopy
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from small import TINY
from torch import nn
from torch.nn.functional import cosine_similarity

from nas_tutorial import spaces
from nas_tutorial.strategies.darts import DARTS, Config
from nas_tutorial.strategies.gradients import Bilevel, VirtualStep, exact, first_order, gradient, moved, unrolled

XI = 0.1
THREE, FOUR = TINY.resized(channels=3), TINY


def smoothed(network):
    """The network with softplus for every ReLU."""
    for name, child in network.named_children():
        if isinstance(child, nn.ReLU):
            setattr(network, name, nn.Softplus())
        else:
            smoothed(child)
    return network


def problem_in(space, seed=0, smooth=True):
    """A bilevel problem in float64 with α far from uniform, and a batch each for training and validation."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    network = space.supernet(classes=4).double()
    alphas = {
        name: a.detach().double().requires_grad_() for name, a in space.alphas(torch.manual_seed(seed), 0.5).items()
    }
    batches = [
        (
            torch.randn(6, 3, 8, 8, generator=generator, dtype=torch.float64),
            torch.randint(4, (6,), generator=generator),
        )
        for _ in "tv"
    ]
    return Bilevel(space, smoothed(network) if smooth else network, alphas), *batches


def trained(problem, train, steps=3, **settings):
    """The optimiser of the weights after some steps, so that momentum buffers are full."""
    optimiser = Config(learning_rate=XI, **settings).optimiser(problem.network.parameters())
    for _ in range(steps):
        optimiser.zero_grad()
        problem.loss(train).backward()
        optimiser.step()
    return optimiser


def virtual_step(problem, optimiser):
    """The step that DARTS foresees for this optimiser."""
    return DARTS.virtual_step(SimpleNamespace(problem=problem, descent=SimpleNamespace(optimiser=optimiser)))


def setting(space=THREE, seed=0, smooth=True):
    """Everything an estimate takes: (problem, train, validation, step), momentum included."""
    problem, train, validation = problem_in(space, seed, smooth)
    return problem, train, validation, virtual_step(problem, trained(problem, train))


def flat(tensors):
    """All entries in one vector."""
    return torch.cat([t.detach().flatten() for t in tensors.values()])


def snapshot(problem):
    """Copies of weights, batch-norm statistics and α."""
    return {k: v.clone() for k, v in problem.network.state_dict().items()} | {
        f"alpha.{k}": v.detach().clone() for k, v in problem.alphas.items()
    }


def same(a, b):
    """Whether two dictionaries of tensors agree bit for bit."""
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def relative_error(estimate, truth):
    """‖estimate − truth‖ / ‖truth‖."""
    return float((flat(estimate) - flat(truth)).norm() / flat(truth).norm())


# --- against the loss itself ---
def loss_after_a_real_step(problem, train, validation, optimiser):
    """L_val(w'(α), α), the step made by torch's SGD on a copy of its state; weights are put back afterwards."""
    twin = torch.optim.SGD(list(problem.weights.values()), lr=1.0)
    twin.load_state_dict(deepcopy(optimiser.state_dict()))
    with moved(problem.weights, problem.weights):
        twin.zero_grad()
        problem.loss(train).backward()
        twin.step()
        return float(problem.loss(validation).detach())


def central_differences(problem, train, validation, optimiser, h):
    """The gradient in α by moving each entry by ±h and making the step anew."""
    differences = {}
    for name, alpha in problem.alphas.items():
        rows = torch.zeros(alpha.numel(), dtype=torch.float64)
        for i in range(alpha.numel()):
            values = []
            for sign in (1, -1):
                with torch.no_grad():
                    alpha.view(-1)[i] += sign * h
                values.append(loss_after_a_real_step(problem, train, validation, optimiser))
                with torch.no_grad():
                    alpha.view(-1)[i] -= sign * h
            rows[i] = (values[0] - values[1]) / (2 * h)
        differences[name] = rows.view_as(alpha)
    return differences


@pytest.mark.parametrize("steps", [0, 3], ids=["no momentum yet", "momentum"])
def test_exact_is_what_the_loss_does_when_alpha_moves(steps):
    problem, train, validation = problem_in(THREE)
    optimiser = trained(problem, train, steps)
    step = virtual_step(problem, optimiser)
    assert bool(step.buffers) == (steps > 0)
    truth = exact(problem, train, validation, step)
    errors = {
        h: relative_error(central_differences(problem, train, validation, optimiser, h), truth)
        for h in (1e-1, 1e-2, 1e-4)
    }
    print(f"exact against central differences: {errors}")
    assert errors[1e-4] < 1e-7
    assert 60 < errors[1e-1] / errors[1e-2] < 140  # a second-order difference, so h² / 100
    assert relative_error(first_order(problem, train, validation, step), truth) > 1e-3  # the step matters here


@pytest.mark.parametrize(
    "space", [THREE, THREE.resized(cells=2), spaces.NASBench201(2, 1, 1)], ids=["tiny", "two cells", "staged"]
)
def test_unrolled_converges_to_exact_as_the_square_of_r(space):
    problem, train, validation, step = setting(space)
    truth = exact(problem, train, validation, step)
    errors = [relative_error(unrolled(problem, train, validation, step, r), truth) for r in (1e-1, 1e-2, 1e-3)]
    print(f"{space}: relative errors at r = 1e-1, 1e-2, 1e-3: {errors}")
    assert all(60 < a / b < 140 for a, b in zip(errors[:-1], errors[1:], strict=True))
    assert errors[-1] < 1e-5 < 1e-2 < relative_error(first_order(problem, train, validation, step), truth)


def test_without_a_step_all_three_agree():
    problem, train, validation, step = setting()
    rest = VirtualStep(0.0, step.momentum, step.decay, step.buffers)
    first = first_order(problem, train, validation, rest)
    assert flat(first).abs().max() > 1e-3
    for estimate in (exact, unrolled):
        torch.testing.assert_close(
            flat(estimate(problem, train, validation, rest)), flat(first), rtol=1e-12, atol=1e-15
        )


def test_first_order_is_the_gradient_of_the_validation_loss_only():
    problem, train, validation, step = setting()
    estimate = first_order(problem, train, validation, step)
    for alpha in problem.alphas.values():
        alpha.grad = None
    problem.loss(validation).backward()
    torch.testing.assert_close(flat(estimate), flat({k: a.grad for k, a in problem.alphas.items()}), rtol=0, atol=0)
    other = (train[0].flip(0), train[1])
    assert same(estimate, first_order(problem, other, validation, step))
    assert not same(exact(problem, train, validation, step), exact(problem, other, validation, step))


# --- nothing is left behind ---
@pytest.mark.parametrize("estimate", [first_order, exact, unrolled])
def test_an_estimate_leaves_no_trace(estimate):
    problem, train, validation, step = setting()
    problem.network.zero_grad(set_to_none=True)
    before, buffers = snapshot(problem), {k: b.clone() for k, b in step.buffers.items()}
    assert any("running_mean" in k and v.any() for k, v in before.items())
    estimate(problem, train, validation, step)
    assert same(before, snapshot(problem))
    assert same(buffers, dict(step.buffers))
    assert all(p.grad is None for p in problem.network.parameters())
    assert all(m.track_running_stats for m in problem.network.modules() if isinstance(m, nn.BatchNorm2d))
    problem.loss(train)
    assert not same(before, snapshot(problem))  # outside of an estimate the statistics move again


def test_weights_come_back_even_after_an_error():
    problem, *_ = setting()
    before = snapshot(problem)
    with pytest.raises(RuntimeError, match="in the middle"):
        with moved(problem.weights, {k: w + 1 for k, w in problem.weights.items()}):
            assert not same(before, snapshot(problem))
            raise RuntimeError("in the middle")
    assert same(before, snapshot(problem))


# --- the virtual step ---
def test_the_virtual_step_has_the_length_it_should():
    problem, train, _, step = setting()
    w = {k: v.detach() for k, v in problem.weights.items()}
    (g,) = gradient(problem.loss(train), problem.weights)
    buffers = dict(step.buffers)
    assert buffers.keys() == w.keys() and flat(buffers).norm() > 0.1
    assert (step.xi, step.momentum, step.decay) == (XI, 0.9, 3e-4)
    expected = XI * float((0.9 * flat(buffers) + flat(g) + 3e-4 * flat(w)).norm())
    length = float((flat(step(w, g)) - flat(w)).norm())
    print(f"length of the virtual step: {length}, expected {expected}")
    assert length == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 4])
def test_the_virtual_step_is_the_next_step_of_sgd(steps, nesterov):
    problem, train, _ = problem_in(THREE)
    optimiser = trained(problem, train, steps, nesterov=nesterov)
    (g,) = gradient(problem.loss(train), problem.weights)
    foreseen = virtual_step(problem, optimiser)(problem.weights, g)
    before = flat(problem.weights).clone()
    optimiser.zero_grad()
    problem.loss(train).backward()
    optimiser.step()
    torch.testing.assert_close(flat(problem.weights), flat(foreseen), rtol=1e-12, atol=1e-14)
    assert (flat(problem.weights) - before).norm() > 1e-3


def test_unrolled_is_exact_with_the_momentum_of_nesterov():
    """The look-ahead moves by (1 + momentum) · ξ per unit of the gradient, and the second-order term with it."""
    problem, train, validation = problem_in(THREE, smooth=True)
    step = virtual_step(problem, trained(problem, train, nesterov=True))
    truth, found = exact(problem, train, validation, step), unrolled(problem, train, validation, step, r=1e-3)
    error = float((flat(found) - flat(truth)).norm() / flat(truth).norm())
    print(f"relative error {error:.1e}; reach {step.reach}, ξ {step.xi}")
    assert error < 1e-5 and step.reach == pytest.approx(1.9 * step.xi)


def test_the_virtual_step_follows_the_learning_rate_of_the_schedule():
    problem, train, _ = problem_in(THREE)
    optimiser = trained(problem, train)
    schedule = Config(epochs=2, final_rate=0.0).schedule(optimiser, 1)
    assert virtual_step(problem, optimiser).xi == XI
    optimiser.step()
    schedule.step()
    assert virtual_step(problem, optimiser).xi == pytest.approx(XI / 2)


def test_a_buffer_of_the_wrong_shape_is_an_error():
    problem, train, validation, step = setting()
    wrong = VirtualStep(step.xi, step.momentum, step.decay, {k: torch.ones(7, 7, 7, 7, 7) for k in problem.weights})
    for estimate in (exact, unrolled):
        with pytest.raises(RuntimeError, match="size"):
            estimate(problem, train, validation, wrong)


# --- the toy problem of the paper ---
@dataclass
class Toy(Bilevel):
    """L_train = w² − 2αw + α² on "train", L_val = αw − 2α + 1 on "validation"  (DARTS, fig. 2)."""

    def loss(self, batch, weights=None):
        w, alpha = (weights or self.weights)["w"], self.alphas["alpha"]
        return w**2 - 2 * alpha * w + alpha**2 if batch == "train" else alpha * w - 2 * alpha + 1


def toy(alpha):
    """The toy problem with its inner problem solved, w = α."""
    network = nn.Module()
    network.w = nn.Parameter(torch.tensor(alpha, dtype=torch.float64))
    return Toy(None, network, {"alpha": torch.tensor(alpha, dtype=torch.float64, requires_grad=True)})


@pytest.mark.parametrize("xi", [0.0, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("estimate", [exact, unrolled])
def test_the_toy_problem_ends_where_the_closed_form_says(estimate, xi):
    problem, step = toy(2.0), VirtualStep(xi, momentum=0.0, decay=0.0)
    for _ in range(400):
        g = estimate(problem, "train", "validation", step)["alpha"]
        problem.alphas["alpha"].data -= 0.05 * g
        problem.network.w.data.copy_(problem.alphas["alpha"])
    end = float(problem.alphas["alpha"].detach())
    print(f"{estimate.__name__}, ξ = {xi}: α = {end}, closed form {2 / (1 + 2 * xi)}")
    assert end == pytest.approx(2 / (1 + 2 * xi), abs=1e-6)


def test_the_toy_gradients_by_hand():
    problem, step = toy(2.0), VirtualStep(0.25, momentum=0.0, decay=0.0)
    problem.network.w.data.fill_(-2.0)
    # g_w = 2w − 2α = −8, w' = −2 + 0.25·8 = 0; dw'/dα = 2ξ = 0.5; dL_val/dα = w' − 2 + α·0.5 = −1
    assert float(exact(problem, "train", "validation", step)["alpha"]) == pytest.approx(-1)
    assert float(unrolled(problem, "train", "validation", step)["alpha"]) == pytest.approx(-1)
    assert float(first_order(problem, "train", "validation", step)["alpha"]) == pytest.approx(-4)


def test_a_validation_loss_without_slope_in_the_weights_does_no_harm():
    problem, step = toy(2.0), VirtualStep(0.25, momentum=0.0, decay=0.0)
    problem.loss = lambda batch, weights=None: (
        Toy.loss(problem, batch, weights) if batch == "train" else problem.alphas["alpha"] ** 2
    )
    assert float(unrolled(problem, "train", "validation", step)["alpha"]) == 4


# --- networks with kinks ---
def slope(problem, train, validation, optimiser, direction, h=1e-6):
    """The derivative of L_val(w'(α), α) along a direction in α, by a central difference."""
    values = []
    for sign in (1, -1):
        for name, alpha in problem.alphas.items():
            alpha.data += sign * h * direction[name]
        values.append(loss_after_a_real_step(problem, train, validation, optimiser))
        for name, alpha in problem.alphas.items():
            alpha.data -= sign * h * direction[name]
    return (values[0] - values[1]) / (2 * h)


def alpha_gradient_at(problem, weights, batch):
    """∂L/∂α in one vector, of a copy of the network that has these weights."""
    twin = deepcopy(problem.network)
    with torch.no_grad():
        for name, w in twin.named_parameters():
            w.copy_(weights[name])
    loss = Bilevel(problem.space, twin, problem.alphas).loss(batch)
    inputs = list(problem.alphas.values())
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, inputs)])


def by_the_formula(problem, train, validation, step, r):
    """Eq. 8 of DARTS, written out on copies of the network."""
    weights = problem.weights
    slopes = torch.autograd.grad(problem.loss(train), list(weights.values()))
    ahead = {k: w.detach().requires_grad_() for k, w in step(weights, dict(zip(weights, slopes, strict=True))).items()}
    slopes = torch.autograd.grad(problem.loss(validation, ahead), list(ahead.values()))
    epsilon = r / torch.cat([g.flatten() for g in slopes]).norm()
    plus, minus = (
        alpha_gradient_at(
            problem, {k: w + s * epsilon * g for (k, w), g in zip(weights.items(), slopes, strict=True)}, train
        )
        for s in (1, -1)
    )
    return alpha_gradient_at(problem, ahead, validation) - step.xi * (plus - minus) / (2 * epsilon)


KINKED = pytest.mark.parametrize("space", [FOUR, spaces.DARTS(2, 3)], ids=["tiny", "darts"])


@KINKED
@pytest.mark.parametrize("r", [1e-1, 1e-2])
def test_unrolled_is_its_formula_even_across_kinks(space, r):
    problem, train, validation, step = setting(space, smooth=False)
    estimate, formula = (f(problem, train, validation, step, r) for f in (unrolled, by_the_formula))
    torch.testing.assert_close(flat(estimate), formula, rtol=1e-9, atol=1e-12)
    assert (formula - flat(first_order(problem, train, validation, step))).norm() > 1e-3 * formula.norm()


@KINKED
def test_with_relu_and_max_pool_exact_is_still_exact(space):
    problem, train, validation = problem_in(space, smooth=False)
    optimiser = trained(problem, train)
    gradients = exact(problem, train, validation, virtual_step(problem, optimiser))
    for name, truth in gradients.items():  # along the gradient itself, cell by cell
        direction = {k: g / truth.norm() * (k == name) for k, g in gradients.items()}
        assert slope(problem, train, validation, optimiser, direction) == pytest.approx(float(truth.norm()), rel=1e-4)


@KINKED
def test_with_relu_and_max_pool_unrolled_points_nearer_to_exact_than_first_order(space):
    """A finite difference across kinks of L_train need not converge: at small r nothing is demanded."""
    problem, train, validation, step = setting(space, smooth=False)
    truth = flat(exact(problem, train, validation, step))
    found = {r: flat(unrolled(problem, train, validation, step, r)) for r in (1e-1, 1e-2, 1e-3)}
    found["first order"] = flat(first_order(problem, train, validation, step))
    cosines = {name: float(cosine_similarity(estimate, truth, dim=0)) for name, estimate in found.items()}
    print(f"{space.name} with ReLU: cosines with the exact gradient {cosines}")
    assert min(cosines[1e-1], cosines[1e-2]) > cosines["first order"] > 0.5
    assert cosines[1e-1] > 0.9


def test_noise_is_the_same_in_both_passes_of_the_difference():
    """With dropout, what differs between two seeds is of the size of first order's, not that over 2ε."""
    torch.manual_seed(0)
    space = spaces.ENASMicro(4, 1, nodes=2)
    network, alphas = space.supernet(4, dropout=0.3).double(), space.alphas(torch.Generator().manual_seed(0), 0.1)
    problem = Bilevel(space, network, {name: a.detach().double().requires_grad_() for name, a in alphas.items()})
    train, validation = ((torch.randn(8, 3, 8, 8).double(), torch.randint(4, (8,))) for _ in "tv")
    spread = {}
    for estimate in (first_order, unrolled):
        found = []
        for seed in (1, 2):
            torch.manual_seed(seed)
            gradient = estimate(problem, train, validation, VirtualStep(0.025))
            found.append(torch.cat([gradient[name].flatten() for name in sorted(gradient)]))
        spread[estimate] = float((found[0] - found[1]).norm())
    print(spread)
    assert 0 < spread[unrolled] < 3 * spread[first_order]
