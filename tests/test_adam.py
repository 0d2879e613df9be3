"""Adam by TensorFlow's rule: against the rule written out by hand, and how far torch's is from it for the policy."""

from dataclasses import replace

import pytest
import torch

from nas_tutorial import spaces
from nas_tutorial.strategies.adam import ADAM_RULES, TensorFlowAdam
from nas_tutorial.strategies.enas import MICRO_PAPER, PROFILES, Reinforce


def gradients(steps):
    """Two weights' gradients in float64, of which the sizes range from far below to far above epsilon."""
    generator = torch.Generator().manual_seed(0)
    for i in range(steps):
        size = 10.0 ** (i % 7 - 5)
        yield [size * torch.randn(shape, dtype=torch.float64, generator=generator) for shape in ((3, 2), (4,))]


def fresh_weights():
    """Two weights that begin at 1."""
    return [torch.ones(shape, dtype=torch.float64, requires_grad=True) for shape in ((3, 2), (4,))]


def step(optimiser, weights, grads):
    """One step with these gradients."""
    for w, g in zip(weights, grads, strict=True):
        w.grad = g.clone()
    optimiser.step()


@pytest.mark.parametrize("betas", [(0.0, 0.999), (0.9, 0.99)])
def test_steps_are_those_of_tensorflow(betas):
    """rate_t = rate·√(1 − β₂ᵗ)/(1 − β₁ᵗ); m and v are moving averages; w ← w − rate_t · m/(√v + ε̂)."""
    weights, rate, hat = fresh_weights(), 0.01, 1e-3
    optimiser = TensorFlowAdam(weights, rate, betas=betas, eps=hat)
    by_hand, m, v = ([start * torch.ones_like(w) for w in weights] for start in (1.0, 0.0, 0.0))
    for t, grads in enumerate(gradients(80), start=1):
        step(optimiser, weights, grads)
        for i, g in enumerate(grads):
            m[i] = betas[0] * m[i] + (1 - betas[0]) * g
            v[i] = betas[1] * v[i] + (1 - betas[1]) * g**2
            rate_t = rate * (1 - betas[1] ** t) ** 0.5 / (1 - betas[0] ** t)
            by_hand[i] = by_hand[i] - rate_t * m[i] / (v[i] ** 0.5 + hat)
            torch.testing.assert_close(weights[i].detach(), by_hand[i], rtol=1e-12, atol=1e-14)


def test_the_state_is_adams_and_going_on_from_it_changes_no_bit():
    through, stopped = fresh_weights(), fresh_weights()
    a, b = (TensorFlowAdam(w, 0.01, betas=(0.0, 0.999), eps=1e-3) for w in (through, stopped))
    for i, grads in enumerate(gradients(20)):
        step(a, through, grads)
        step(b, stopped, grads)
        if i == 9:
            state, b = b.state_dict(), TensorFlowAdam(stopped, 0.5, eps=7.0)
            b.load_state_dict(state)
    assert all(torch.equal(x, y) for x, y in zip(through, stopped, strict=True))
    assert a.param_groups[0]["eps"] == 1e-3
    plain = torch.optim.Adam(fresh_weights())
    step(plain, plain.param_groups[0]["params"], next(gradients(1)))
    assert a.state_dict().keys() == plain.state_dict().keys()
    assert a.state_dict()["param_groups"][0].keys() == plain.state_dict()["param_groups"][0].keys()


def test_a_step_that_fails_leaves_epsilon_as_it_was(monkeypatch):
    weights = fresh_weights()
    optimiser = TensorFlowAdam(weights, 0.01, eps=1e-3)
    monkeypatch.setattr(torch.optim.Adam, "step", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        step(optimiser, weights, next(gradients(1)))
    assert optimiser.param_groups[0]["eps"] == 1e-3


def first_update(space, config):
    """How far the first update of an official policy moves its weights, at the rewards of an untrained network."""
    policy, generator = config.controller(space, seed=0), torch.Generator().manual_seed(0)
    before = torch.nn.utils.parameters_to_vector(policy.parameters()).detach().clone()
    sample = policy.sample(config.samples, generator)
    hits = torch.bernoulli(torch.full((config.samples, config.reward_batch), 0.3), generator=generator)
    Reinforce(policy, config).update(sample, lambda architectures: hits.mean(1).tolist())
    return float((torch.nn.utils.parameters_to_vector(policy.parameters()).detach() - before).norm())


@pytest.mark.parametrize(
    ("space", "config", "low", "high"),
    [(spaces.ENASMacro(), PROFILES["paper"], 12, 20), (spaces.ENASMicro(), MICRO_PAPER, 5, 11)],
    ids=["macro", "micro"],
)
def test_torchs_rule_begins_with_far_larger_steps(space, config, low, high):
    ratio = first_update(space, replace(config, adam_rule="torch")) / first_update(space, config)
    print(f"{space.name}: torch's first update is {ratio:.1f} times TensorFlow's")
    assert low < ratio < high


def test_the_policy_follows_the_official_rule_unless_told_otherwise():
    policy = PROFILES["paper"].controller(spaces.Tiny(), seed=0)
    for config in (PROFILES["paper"], MICRO_PAPER):
        assert type(Reinforce(policy, config).optimiser) is TensorFlowAdam
    torchs = Reinforce(policy, replace(MICRO_PAPER, adam_rule="torch")).optimiser
    assert type(torchs) is ADAM_RULES["torch"] is torch.optim.Adam


def test_an_unknown_rule_is_a_clear_error():
    with pytest.raises(ValueError, match="adam_rule.*'tf'.*tensorflow, torch"):
        replace(MICRO_PAPER, adam_rule="tf")
