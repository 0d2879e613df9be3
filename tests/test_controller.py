"""The LSTM controllers: every figure they report is recomputed step by step, one architecture at a time, in numpy."""

from math import log

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.stats import chi2, norm
from small import SMALL, TINY

from nas_tutorial import spaces
from nas_tutorial.strategies import controller

CHAINS = [space for name, space in SMALL.items() if name not in controller.CONTROLLERS]
SETTINGS = [{}, {"temperature": 5.0, "tanh_constant": 2.5}, {"temperature": 2.0, "tanh_constant": None}]
every_setting = pytest.mark.parametrize("settings", SETTINGS, ids=["official", "paper", "no tanh"])


def opinionated(space, scale=5.0, **settings):
    """A float64 controller with weights large enough to prefer some answers."""
    policy = controller.for_space(space, hidden=16, seed=3, **settings).double()
    with torch.no_grad():
        for name, p in policy.named_parameters():
            p.mul_(1.0 if name == "head.bias" else scale)
    return policy


def zeroed(policy):
    """All weights zero, but for the bias that the micro controller starts with."""
    with torch.no_grad():
        for name, p in policy.named_parameters():
            p.mul_(float(name == "head.bias"))
    return policy


# --- closed forms ---
def test_a_macro_controller_without_opinions_is_uniform():
    policy = zeroed(controller.MacroController(spaces.ENASMacro()).double())
    sample = policy.sample(5, torch.Generator().manual_seed(0))
    uniform = torch.full((5,), 12 * log(6) + 66 * log(2), dtype=torch.float64)
    assert round(float(uniform[0]), 4) == 67.2488
    torch.testing.assert_close(-sample.log_prob, uniform, rtol=1e-12, atol=0)
    torch.testing.assert_close(sample.entropy, uniform, rtol=1e-12, atol=0)
    per_skip = 0.5 * log(0.5 / 0.6) + 0.5 * log(0.5 / 0.4)
    mean_over_layers = sum(k * per_skip for k in range(1, 12)) / 11
    assert round(mean_over_layers, 5) == 0.12247
    torch.testing.assert_close(sample.skip_penalty, torch.full_like(uniform, mean_over_layers), rtol=1e-12, atol=0)


def test_a_micro_controller_without_opinions_favours_convolutions():
    policy = zeroed(controller.MicroController(spaces.ENASMicro()).double())
    sample = policy.sample(2, torch.Generator().manual_seed(0))
    met = dict(zip((d.name for d in policy.space.decisions), policy.distributions(sample.choices), strict=True))
    for kind, published in (("normal", [0.3153] * 2 + [0.1232] * 3), ("reduce", [0.2543] * 2 + [0.1638] * 3)):
        bias = 0.25 if kind == "normal" else 0.0
        logits = np.array([1.1 / 2.5 * np.tanh(10) + bias] * 2 + [-bias] * 3)
        p = np.exp(logits) / np.exp(logits).sum()
        for node in range(5):
            for branch in "ab":
                ops = met[f"{kind}.{node}.op_{branch}"][0].detach().numpy()
                np.testing.assert_allclose(ops, p, rtol=1e-12)
                np.testing.assert_allclose(ops, published, atol=5e-5)
                np.testing.assert_allclose(met[f"{kind}.{node}.input_{branch}"][0].detach(), 1 / (node + 2), rtol=1e-12)


@pytest.mark.parametrize("space", CHAINS, ids=lambda space: space.name)
def test_a_chain_controller_without_opinions_is_uniform(space):
    sample = zeroed(controller.for_space(space).double()).sample(3, torch.Generator().manual_seed(0))
    expected = torch.full((3,), log(space.size), dtype=torch.float64)
    torch.testing.assert_close(sample.entropy, expected, rtol=1e-12, atol=0)
    torch.testing.assert_close(-sample.log_prob, expected, rtol=1e-12, atol=0)
    assert sample.skip_penalty.tolist() == [0.0] * 3


def test_fresh_weights_lie_between_the_bounds(space):
    policy = controller.for_space(space, seed=1)
    weights = torch.cat([p.detach().flatten() for n, p in policy.named_parameters() if n != "head.bias"])
    assert weights.abs().max() <= 0.1 and weights.abs().max() > 0.099
    assert abs(float(weights.mean())) < 4 * 0.1 / (3 * len(weights)) ** 0.5
    if space.name == "enas_micro":
        assert policy.head.bias.tolist() == [10, 10, 0, 0, 0]


# --- an independent account, one architecture at a time ---
def sigmoid(x):
    """1 / (1 + exp(−x))."""
    return 1 / (1 + np.exp(-x))


class Account:
    """The policy's weights as numpy arrays, its LSTM written out, and the sums that it should report."""

    def __init__(self, policy, choices):
        self.w = {name: p.detach().numpy() for name, p in policy.named_parameters()}
        self.temperature, self.constant = policy.temperature or 1.0, policy.tanh_constant
        self.choices, self.log_prob, self.entropy, self.penalties = list(choices), 0.0, 0.0, []
        self.h = self.c = np.zeros(policy.hidden)

    def step(self, x):
        """One LSTM step without biases; the gates are stacked as input, forget, cell, output."""
        i, f, g, o = np.split(self.w["lstm.weight_ih"] @ x + self.w["lstm.weight_hh"] @ self.h, 4)
        self.c = sigmoid(f) * self.c + sigmoid(i) * np.tanh(g)
        self.h = sigmoid(o) * np.tanh(self.c)
        return self.h

    def squash(self, logits, divisor=1.0):
        """Temperature, then the scaled tanh."""
        logits = logits / self.temperature
        return logits if self.constant is None else self.constant / divisor * np.tanh(logits)

    def answer(self, logits):
        """Book the next choice under softmax(logits)."""
        p = np.exp(logits) / np.exp(logits).sum()
        choice = self.choices.pop(0)
        self.log_prob += np.log(p[choice])
        self.entropy -= (p * np.log(p)).sum()
        return choice

    def attention(self, anchor):
        """v · tanh(W₁·anchor + W₂·h)."""
        w1, w2, v = (self.w[f"attention.{part}.weight"] for part in ("anchor", "query", "score"))
        return float(v[0] @ np.tanh(w1 @ anchor + w2 @ self.h))

    def report(self):
        """log π, entropy, skip penalty."""
        assert not self.choices
        return self.log_prob, self.entropy, np.mean(self.penalties) if self.penalties else 0.0


def chain_account(policy, choices):
    """Read the last answer, give logits for the next."""
    account = Account(policy, choices)
    x = account.w["start"][0]
    for i in range(len(policy.space.decisions)):
        h = account.step(x)
        choice = account.answer(account.squash(account.w[f"heads.{i}.weight"] @ h))
        x = account.w[f"embeddings.{i}.weight"][choice] if f"embeddings.{i}.weight" in account.w else None
    return account.report()


def macro_account(policy, choices):
    """ENAS, §2.3: an operation, then skips by attention; the mean-like sum of the chosen anchors is read next."""
    account, anchors = Account(policy, choices), []
    x = account.w["start"][0]
    for k in range(policy.space.layers):
        h = account.step(x)
        op = account.answer(account.squash(account.w["head.weight"] @ h))
        account.step(account.w["embedding.weight"][op])
        chosen, penalty = [], 0.0
        for i in range(k):
            no, yes = account.squash(np.array([-1, 1]) * account.attention(anchors[i]))
            if account.answer(np.array([no, yes])):
                chosen.append(anchors[i])
            s_no, s_yes, rate = sigmoid(no), sigmoid(yes), policy.skip_target
            penalty += s_no * np.log(s_no / (1 - rate)) + s_yes * np.log(s_yes / rate)
        account.penalties += [penalty] if k else []
        x = sum(chosen, np.zeros(policy.hidden)) / (1 + len(chosen)) if k else account.w["start"][0]
        anchors.append(account.h)
    return account.report()


def micro_account(policy, choices):
    """ENAS, §2.4: two inputs by attention, then two operations, for each node; normal cell first."""
    account = Account(policy, choices)
    start, embedding = account.w["start"][0], account.w["embedding.weight"]
    for bias in (np.array([0.25, 0.25, -0.25, -0.25, -0.25]), np.zeros(5)):
        keys = [account.step(start), account.step(start)]
        memory = [np.zeros(policy.hidden)] * 2
        for _ in range(policy.space.nodes):
            x = start
            for _ in range(2):
                account.step(x)
                x = memory[account.answer(account.squash(np.array([account.attention(key) for key in keys])))]
            for _ in range(2):
                h = account.step(x)
                logits = account.w["head.weight"] @ h + account.w["head.bias"]
                x = embedding[account.answer(account.squash(logits, 2.5) + bias)]
            keys.append(account.step(x))
            memory.append(keys[-1])
    return account.report()


ACCOUNTS = {"enas_macro": macro_account, "enas_micro": micro_account}


@every_setting
def test_every_figure_equals_the_account_kept_by_hand(space, settings):
    policy = opinionated(space, **settings)
    sample = policy.sample(4, torch.Generator().manual_seed(0))
    assert sample.skip_penalty.any() == (space.name == "enas_macro")
    for row in range(4):
        by_hand = ACCOUNTS.get(space.name, chain_account)(policy, sample.choices[row].tolist())
        reported = [float(figure[row].detach()) for figure in (sample.log_prob, sample.entropy, sample.skip_penalty)]
        np.testing.assert_allclose(reported, by_hand, rtol=1e-10, atol=1e-12)


@every_setting
def test_temperature_and_tanh_bound_the_logits(settings):
    policy = opinionated(TINY, scale=100.0, **settings)
    p = policy.distributions(torch.zeros(1, 3, dtype=torch.int64))
    spread = max(float((d.max() / d.min()).log().detach()) for d in p)
    if (bound := policy.tanh_constant) is not None:
        assert bound < spread <= 2 * bound + 1e-9
    else:
        assert spread > 5


@pytest.mark.parametrize("temperature", [0, -1.0, float("nan")])
def test_a_temperature_that_is_none_is_refused(temperature):
    with pytest.raises(ValueError, match="temperature is .*; give a number above 0"):
        controller.for_space(TINY, temperature=temperature)


# --- sampling and scoring ---
def test_scoring_what_was_sampled_gives_the_same_figures(space):
    policy = opinionated(space)
    sample = policy.sample(6, torch.Generator().manual_seed(1))
    score = policy.score(sample.choices)
    assert torch.equal(score.choices, sample.choices)
    for field in ("log_prob", "entropy", "skip_penalty"):
        torch.testing.assert_close(getattr(score, field), getattr(sample, field), rtol=1e-12, atol=1e-14)
    assert (sample.log_prob < 0).all() and (sample.entropy > 0).all()


def test_log_probability_and_entropy_follow_from_the_distributions(space):
    policy = opinionated(space)
    sample = policy.sample(6, torch.Generator().manual_seed(1))
    met = policy.distributions(sample.choices)
    assert [p.shape for p in met] == [(6, len(d.options)) for d in space.decisions]
    assert all(torch.allclose(p.sum(1), torch.ones(6, dtype=p.dtype)) for p in met)
    log_prob = sum(p[torch.arange(6), c].log() for p, c in zip(met, sample.choices.T, strict=True))
    torch.testing.assert_close(sample.log_prob, log_prob, rtol=1e-10, atol=0)
    torch.testing.assert_close(sample.entropy, sum(-(p * p.log()).sum(1) for p in met), rtol=1e-10, atol=0)


@pytest.mark.parametrize("space", [TINY, spaces.ENASMacro(layers=3)])
def test_probabilities_of_all_architectures_add_up_to_one(space):
    everything = torch.tensor([a.choices for a in space.enumerate()])
    p = opinionated(space).score(everything).log_prob.exp().detach()
    assert abs(float(p.sum()) - 1) < 1e-12
    assert p.max() > 2 * p.min()  # it has opinions


def test_a_batch_is_scored_as_its_rows_are(space):
    policy = opinionated(space)
    choices = policy.sample(5, torch.Generator().manual_seed(2)).choices
    batch = policy.score(choices)
    for row in range(5):
        single = policy.score(choices[row : row + 1])
        for field in ("log_prob", "entropy", "skip_penalty"):
            torch.testing.assert_close(getattr(single, field)[0], getattr(batch, field)[row], rtol=1e-12, atol=1e-14)


def chi_square(drawn, p):
    """p-value for the drawn indices to come from the probabilities p."""
    counts = np.bincount(drawn, minlength=len(p))
    assert (p * len(drawn)).min() >= 5  # the test's rule of thumb
    return chi2.sf(((counts - p * len(drawn)) ** 2 / (p * len(drawn))).sum(), len(p) - 1)


@pytest.mark.parametrize("one_by_one", [False, True], ids=["batch", "one by one"])
def test_tiny_architectures_come_up_as_often_as_their_probability_says(one_by_one):
    space = TINY
    policy, generator = opinionated(space, scale=6.0), torch.Generator().manual_seed(4)
    everything = torch.tensor([a.choices for a in space.enumerate()])
    p = policy.score(everything).log_prob.exp().detach().numpy()
    n = 3_000
    draws = [policy.sample(1, generator) for _ in range(n)] if one_by_one else [policy.sample(n, generator)]
    drawn = torch.cat([draw.choices for draw in draws]) @ torch.tensor([25, 5, 1])
    assert chi_square(drawn.numpy(), p) > 1e-3
    assert chi_square(drawn.numpy(), np.full(125, 1 / 125)) < 1e-6  # the test can tell


def surplus(policy, choices):
    """z-score of every option of every decision: given the answers before it, indicator − probability has mean zero."""
    z_scores = []
    for p, chosen in zip(policy.distributions(choices), choices.T, strict=True):
        p = p.detach()
        if p.shape[1] > 1:
            difference = torch.nn.functional.one_hot(chosen, p.shape[1]) - p  # (n, options)
            z_scores.append(difference.sum(0) / (p * (1 - p)).sum(0).sqrt())
    return torch.cat(z_scores)


@pytest.mark.parametrize("space", [SMALL[name] for name in ("enas_macro", "enas_micro", "darts")], ids=lambda s: s.name)
def test_each_answer_comes_up_as_often_as_its_distribution_says(space):
    policy = opinionated(space, scale=8.0)
    choices = policy.sample(2_000, torch.Generator().manual_seed(5)).choices
    z = surplus(policy, choices)
    limit = norm.isf(0.5e-3 / len(z))  # Bonferroni
    assert z.abs().max() < limit
    assert surplus(opinionated(space, scale=2.0), choices).abs().max() > limit  # the test can tell


def test_samples_are_members_of_the_space_and_differ(space):
    policy = controller.for_space(space)
    sample = policy.sample(8, torch.Generator().manual_seed(0))
    architectures = policy.architectures(sample)
    assert [list(a.choices) for a in architectures] == sample.choices.tolist()
    assert all(space.parse(str(a)) == a for a in architectures) and len(set(architectures)) > 1
    again = controller.for_space(space).sample(8, torch.Generator().manual_seed(0))
    assert torch.equal(again.choices, sample.choices) and torch.equal(again.log_prob, sample.log_prob)


# --- what depends on what ---
def test_the_next_decision_depends_on_the_one_before(space):
    policy = opinionated(space)
    choices = policy.sample(1, torch.Generator().manual_seed(6)).choices.repeat(2, 1)
    first = next(i for i, d in enumerate(policy.space.decisions) if len(d.options) > 2)
    choices[:, first] = torch.tensor([0, 2])
    met = policy.distributions(choices)
    assert torch.equal(met[first][0], met[first][1])
    assert (met[first + 1][0] - met[first + 1][1]).abs().max() > 1e-3


def test_the_memory_reaches_past_the_last_answer(space):
    """The last distribution changes with the first answer, all answers between being equal."""
    policy = opinionated(space)
    choices = policy.sample(1, torch.Generator().manual_seed(6)).choices.repeat(2, 1)
    first = next(i for i, d in enumerate(policy.space.decisions) if len(d.options) > 2)
    choices[:, first] = torch.tensor([0, 2])
    last = policy.distributions(choices)[-1]
    assert (last[0] - last[1]).abs().max() > 1e-12


def test_no_decision_depends_on_a_later_one(space):
    policy = opinionated(space)
    choices = policy.sample(2, torch.Generator().manual_seed(7)).choices
    half = choices.shape[1] // 2
    choices[1, :half] = choices[0, :half]
    met = policy.distributions(choices)
    assert all(float((p[0] - p[1]).detach().abs().max()) < 1e-12 for p in met[: half + 1])


def test_every_weight_gets_gradient(space):
    policy = opinionated(space)
    sample = policy.sample(64, torch.Generator().manual_seed(8))
    sample.log_prob.sum().backward()
    decided = {f"heads.{i}.weight" for i, d in enumerate(space.decisions) if len(d.options) == 1}  # nothing to decide
    second = len(space.decisions) // 2  # where the reduction cell's decisions begin
    assert space.name != "darts" or decided == {"heads.0.weight", f"heads.{second}.weight"}
    for parameter, p in policy.named_parameters():
        assert p.grad is not None, parameter
        moves = (p.grad.flatten(1).abs().sum(1) > 0).all() if p.dim() > 1 else p.grad.all()
        assert bool(moves) != (parameter in decided), parameter


def test_the_skip_penalty_alone_moves_the_attention():
    policy = opinionated(spaces.ENASMacro(layers=4))
    policy.sample(16, torch.Generator().manual_seed(9)).skip_penalty.sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in policy.attention.parameters())
    assert policy.head.weight.grad is None


# --- where the skip penalty leads ---
@pytest.mark.parametrize("target", [0.4, 0.2])
def test_the_penalty_is_least_where_sigmoid_of_yes_is_the_target(target):
    """The logits are ±q, so the sigmoids are s and 1 − s: the sum is a true KL, zero only at s = target."""
    policy = controller.MacroController(spaces.ENASMacro(layers=3), skip_target=target)

    def penalty(q):
        return float(policy.skip_divergence(torch.tensor([[[-q, q]]], dtype=torch.float64)))

    q = minimize_scalar(penalty, bounds=(-3, 3), method="bounded", options={"xatol": 1e-9}).x
    assert abs(sigmoid(q) - target) < 1e-6 and abs(penalty(q)) < 1e-12
    assert all(penalty(q + shift) > 0 for shift in (-1.0, -0.1, 0.1, 1.0))


@pytest.mark.parametrize("target, rate", [(0.4, 4 / 13), (0.3, 9 / 58)])
def test_the_skip_rate_goes_where_the_penalty_alone_sends_it(target, rate):
    """sigmoid(yes) → target; but skips are drawn from softmax([−q, q]) = sigmoid(2q): 4/13 for 0.4."""
    policy = controller.MacroController(spaces.ENASMacro(layers=4), hidden=16, skip_target=target)
    optimiser, generator = torch.optim.Adam(policy.parameters(), lr=0.02), torch.Generator().manual_seed(10)
    for _ in range(250):
        optimiser.zero_grad()
        policy.sample(4, generator).skip_penalty.mean().backward()
        optimiser.step()
    sample = policy.sample(500, generator)
    met = zip(policy.space.decisions, policy.distributions(sample.choices), strict=True)
    yes = torch.cat([p[:, 1] for d, p in met if "skip" in d.name]).detach()
    assert np.abs(sigmoid(yes.logit().numpy() / 2) - target).max() < 0.02  # yes.logit() = 2q
    assert abs(float(yes.mean()) - rate) < 0.01
    skips = ["skip" in d.name for d in policy.space.decisions]
    bits = sample.choices[:, skips]  # (500, 6)
    assert abs(float(bits.double().mean()) - rate) < 4 * (rate * (1 - rate) / bits.numel()) ** 0.5 + 0.01


# --- which controller ---
def test_each_space_gets_its_controller():
    kinds = {name: type(controller.for_space(space)) for name, space in SMALL.items()}
    chains = dict.fromkeys(kinds, controller.ChainController)
    assert kinds == chains | {"enas_macro": controller.MacroController, "enas_micro": controller.MicroController}
