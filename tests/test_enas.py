"""ENAS: its policy gradient against the exact one by enumeration, its two phases, its rewards."""

from dataclasses import replace
from functools import partial
from math import exp

import pytest
import torch
from small import TINY
from torch import nn

from nas_tutorial import data, spaces
from nas_tutorial.strategies import controller, enas
from nas_tutorial.strategies.enas import Config, Reinforce, Rewards, accuracy_reward, reinforce_loss
from nas_tutorial.training import best_device

MACRO = spaces.ENASMacro(4, layers=2)
SMALL = {"tiny": TINY, "enas_macro": MACRO}
every_small_space = pytest.mark.parametrize("name", SMALL)
BARE = {"controller_rate": 0.0, "entropy_weight": 0.0, "skip_weight": 0.0}  # nothing but REINFORCE, and no step


@pytest.fixture(scope="module")
def strokes():
    """60 pictures each for training and validation."""
    return data.load("strokes", per_class=30, test_per_class=5)


def opinionated(space, scale=20.0):
    """A float64 policy that prefers some answers clearly."""
    policy = controller.for_space(space, hidden=4, seed=3).double()
    with torch.no_grad():
        for p in policy.parameters():
            p.mul_(scale)
    return policy


def flat_gradient(policy):
    """The gradient of all weights as one vector."""
    return torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in policy.parameters()])


def worth(architecture):
    """A made-up reward between 0 and 1 that depends on every decision."""
    return sum((i + 2) * (c + 1) ** 2 for i, c in enumerate(architecture.choices)) % 17 / 16


def worths(architectures):
    """The made-up reward of each."""
    return [worth(a) for a in architectures]


class Truth:
    """All architectures of a space: their probabilities, their rewards, and ∇ log π of each, (A, weights)."""

    def __init__(self, space, policy):
        self.architectures = list(space.enumerate())
        self.choices = torch.tensor([a.choices for a in self.architectures])
        self.rewards = torch.tensor(worths(self.architectures), dtype=torch.float64)
        score = policy.score(self.choices)
        self.p, self.entropy = score.log_prob.exp().detach(), score.entropy.detach()
        self.scores = torch.stack([self._gradient(policy, log_p) for log_p in score.log_prob])
        policy.zero_grad()
        (score.log_prob.exp() * self.rewards).sum().backward()
        self.gradient = flat_gradient(policy)  # of the expected reward, (weights,)
        policy.zero_grad()

    @staticmethod
    def _gradient(policy, log_p):
        policy.zero_grad()
        log_p.backward(retain_graph=True)
        return flat_gradient(policy)

    def index(self, sample):
        """Which of all architectures each sampled one is, (n,)."""
        row = {tuple(c): i for i, c in enumerate(self.choices.tolist())}
        return torch.tensor([row[tuple(c)] for c in sample.choices.tolist()])


# --- the estimate of the gradient ---
@every_small_space
@pytest.mark.parametrize("decay", [1.0, 0.99], ids=["no baseline", "moving baseline"])
def test_reinforce_is_unbiased(name, decay):
    """The mean over 40,000 samples lies within 4 standard errors of the exact sum over all architectures.

    A baseline that takes in R before it is used makes R − b = decay · (R − old b): the same direction, shortened.
    """
    policy, n = opinionated(SMALL[name]), 40_000
    truth, learner = Truth(SMALL[name], policy), Reinforce(policy, Config(**BARE, baseline_decay=decay))
    learner.baseline = 0.0 if decay == 1 else 0.5
    sample = policy.sample(n, torch.Generator().manual_seed(1))
    advantages = Reinforce(policy, learner.config)  # the same accounts, to know the spread
    advantages.baseline = learner.baseline
    index = truth.index(sample)
    terms = advantages.advantages(truth.rewards[index])[:, None] * truth.scores[index]  # (n, weights)
    learner.update(sample, worths)
    estimate, expected = -flat_gradient(policy), decay * truth.gradient
    standard_error = (terms.std(0) / n**0.5).clamp_min(1e-12)
    z, signal = (estimate - expected).abs() / standard_error, float((expected.abs() / standard_error).max())
    print(f"{name}, decay {decay}: worst of {len(z)} coordinates {float(z.max()):.2f} standard errors, signal {signal}")
    torch.testing.assert_close(estimate, terms.mean(0), rtol=1e-6, atol=1e-8)
    assert z.max() < 4
    assert signal > 10  # zero would be far off


@every_small_space
def test_a_constant_baseline_changes_nothing_on_average(name):
    """Exactly, by enumeration: Σ π · b · ∇ log π = 0."""
    policy = opinionated(SMALL[name])
    truth = Truth(SMALL[name], policy)
    for b in (0.0, 0.5, 7.0):
        mean = (truth.p * (truth.rewards - b)) @ truth.scores
        torch.testing.assert_close(mean, truth.gradient, rtol=1e-9, atol=1e-12)


def spread(policy, decay, updates=150):
    """Total variance of the gradient estimates of updates of 10 samples, after the baseline has settled."""
    learner = Reinforce(policy, Config(**BARE, baseline_decay=decay))
    learner.baseline = 0.0 if decay == 1 else 0.55
    generator, estimates = torch.Generator().manual_seed(2), []
    for _ in range(updates):
        learner.update(policy.sample(10, generator), lambda found: [0.5 + 0.1 * worth(a) for a in found])
        estimates.append(flat_gradient(policy))
    return float(torch.stack(estimates).var(0).sum())


def test_the_baseline_makes_the_estimate_quieter():
    without, with_baseline = (spread(opinionated(TINY), decay) for decay in (1.0, 0.99))
    print(
        f"total variance without baseline {without:.4f}, with {with_baseline:.6f}: {without / with_baseline:.0f} times"
    )
    assert with_baseline < 0.05 * without


@every_small_space
@pytest.mark.parametrize(("reward", "baseline", "direction"), [(1.0, 0.0, 1), (0.2, 0.8, -1)])
def test_a_step_makes_good_samples_likelier_and_bad_ones_rarer(name, reward, baseline, direction):
    for choices in (
        [0] * len(SMALL[name].decisions),
        [d - 1 for d in map(len, (d.options for d in SMALL[name].decisions))],
    ):
        policy = controller.for_space(SMALL[name], seed=0)
        learner = Reinforce(policy, Config(skip_weight=0.0))
        learner.baseline = baseline
        sample = policy.score(torch.tensor([choices]))
        learner.update(sample, lambda architectures: [reward])
        change = float((policy.score(sample.choices).log_prob - sample.log_prob).detach())
        assert direction * change > 1e-4  # the first steps of the official rule are small


def test_the_baseline_by_hand():
    """It starts at 0, moves by a hundredth, and takes a return in before that return is compared with it."""
    learner = Reinforce(opinionated(TINY), Config(baseline_decay=0.99))
    assert learner.baseline == 0
    first = learner.advantages(torch.tensor([1.0, 0.0, 0.5], dtype=torch.float64))
    torch.testing.assert_close(first, torch.tensor([0.99, -0.0099, 0.485199], dtype=torch.float64), rtol=1e-12, atol=0)
    assert learner.baseline == pytest.approx(0.014801, rel=1e-12)
    second = learner.advantages(torch.tensor([1.0]))  # goes on where it was
    assert float(second) == pytest.approx(0.99 * (1 - 0.014801))


def test_updates_carry_the_baseline_on():
    policy = opinionated(TINY)
    learner = Reinforce(policy, Config(baseline_decay=0.5, entropy_weight=0.0))
    sample = policy.sample(2, torch.Generator().manual_seed(0))
    told = [learner.update(policy.score(sample.choices), lambda a: [1.0, 1.0])["baseline"] for _ in range(2)]
    assert told == [0.75, 0.9375]


# --- entropy and skip penalty ---
@every_small_space
def test_entropy_is_a_number_in_the_reward(name):
    """By enumeration: the estimate's mean is Σ ∇π · (R + weight · H) with H held fixed."""
    policy = opinionated(SMALL[name])
    truth, gradients = Truth(SMALL[name], policy), []
    for choices, reward in zip(truth.choices, truth.rewards.tolist(), strict=True):
        learner = Reinforce(policy, Config(**BARE | {"entropy_weight": 3.0}, baseline_decay=1.0))
        info = learner.update(policy.score(choices[None]), lambda architectures, reward=reward: [reward])
        gradients.append(-flat_gradient(policy))
        assert info["reward"] == pytest.approx(reward)  # what is reported is without the bonus
    fixed = (truth.p * (truth.rewards + 3 * truth.entropy)) @ truth.scores
    torch.testing.assert_close(truth.p @ torch.stack(gradients), fixed, rtol=1e-6, atol=1e-7)
    assert (fixed - truth.gradient).norm() > 0.1 * truth.gradient.norm()


@pytest.mark.parametrize("weight", [0.0, 0.8, 2.0])
def test_the_skip_penalty_is_added_with_its_weight(weight):
    policy = opinionated(spaces.ENASMacro(4, layers=4))
    choices = policy.sample(6, torch.Generator().manual_seed(0)).choices
    Reinforce(policy, Config(**BARE | {"skip_weight": weight})).update(policy.score(choices), lambda a: [0.0] * 6)
    learnt = flat_gradient(policy)
    policy.zero_grad()
    policy.score(choices).skip_penalty.mean().backward()
    penalty = flat_gradient(policy)
    assert penalty.norm() > 0.01
    torch.testing.assert_close(learnt, weight * penalty, rtol=1e-9, atol=1e-12)


def test_the_default_weights_are_those_of_the_official_code():
    config = Config()
    assert (config.skip_weight, config.entropy_weight, config.baseline_decay) == (0.8, 1e-4, 0.99)
    adam = Reinforce(opinionated(TINY), config).optimiser.param_groups[0]
    assert (adam["lr"], adam["betas"], adam["eps"]) == (1e-3, (0.0, 0.999), 1e-3)


# --- every reward counts ---
def test_each_reward_of_a_sample_moves_the_policy():
    policy, n = opinionated(TINY), 7
    sample = policy.sample(n, torch.Generator().manual_seed(0))
    for i in range(n):
        learner = Reinforce(policy, Config(**BARE, baseline_decay=1.0))
        learner.update(policy.score(sample.choices), lambda a, i=i: [float(j == i) for j in range(n)])
        learnt = -flat_gradient(policy)
        policy.zero_grad()
        policy.score(sample.choices[i : i + 1]).log_prob.sum().backward()
        torch.testing.assert_close(learnt, flat_gradient(policy) / n, rtol=1e-9, atol=1e-12)
        assert learnt.norm() > 0.01


def test_the_loss_by_hand():
    sample = controller.Sample(torch.zeros(2, 1), torch.tensor([-1.0, -2.0]), torch.zeros(2), torch.tensor([0.1, 0.3]))
    assert float(reinforce_loss(sample, torch.tensor([0.5, -1.0]))) == pytest.approx((0.5 - 2.0) / 2)
    assert float(reinforce_loss(sample, torch.tensor([0.5, -1.0]), 0.8)) == pytest.approx((0.58 - 1.76) / 2)


class Spy:
    """Watches a search: what each phase does to shared weights and policy, and every call of the reward."""

    def __init__(self, monkeypatch):
        self.trained, self.updates, self.rewards, self.made = 0, 0, [], {}
        train_paths, update, rewards = enas.train_paths, Reinforce.update, Rewards.__init__

        def spied_rewards(this, supernet, *rest):
            self.made["supernet"] = supernet
            rewards(this, supernet, *rest)

        def spied_training(supernet, *rest):
            before = self.state()
            meter = train_paths(supernet, *rest)
            self.trained += 1
            self.compare(before, frozen="policy", moved="supernet")
            return meter

        def spied_update(learner, *rest):
            before = self.state()
            info = update(learner, *rest)
            self.updates += 1
            self.compare(before, frozen="supernet", moved="policy")
            return info

        monkeypatch.setattr(enas, "train_paths", spied_training)
        monkeypatch.setattr(Reinforce, "update", spied_update)
        monkeypatch.setattr(Rewards, "__init__", spied_rewards)
        learner = Reinforce.__init__

        def spied_learner(this, policy, config):
            self.made["policy"] = policy
            learner(this, policy, config)

        monkeypatch.setattr(Reinforce, "__init__", spied_learner)

    def state(self):
        """Copies of everything that supernet and policy hold, statistics included."""
        return {k: {n: v.clone() for n, v in m.state_dict().items()} for k, m in self.made.items()}

    def compare(self, before, frozen, moved):
        """One of them is the same bit for bit, the other is not."""
        after = self.state()
        assert all(torch.equal(after[frozen][n], v) for n, v in before[frozen].items()), f"{frozen} moved"
        assert not all(torch.equal(after[moved][n], v) for n, v in before[moved].items()), f"{moved} did not move"

    def reward(self, logits, labels, architecture):
        """The default reward, written down."""
        self.rewards.append((logits.clone(), labels.clone(), architecture))
        return accuracy_reward(logits, labels, architecture)


@pytest.mark.parametrize("space", [TINY, spaces.ENASMacro(4, 3), spaces.ENASMicro(4, 1)], ids=lambda s: s.name)
def test_the_two_phases_leave_each_other_alone(space, strokes, monkeypatch):
    """Bit for bit; and every reward is earned: epochs × updates × samples of them, however few pictures there are."""
    spy = Spy(monkeypatch)
    few = replace(strokes, validation=data.Split(strokes.validation.images[:9], strokes.validation.labels[:9]))
    settings = {"updates": 2, "samples": 5, "reward_batch": 64, "candidates": 3, "batch_size": 30}
    events = list(enas.search(space, few, epochs=2, reward=spy.reward, **settings))
    assert (spy.trained, spy.updates, len(spy.rewards)) == (2, 4, 20)
    for logits, labels, architecture in spy.rewards:
        assert logits.shape == (9, 4) and sorted(labels.tolist()) == sorted(few.validation.labels.tolist())
        assert architecture.space == space and not logits.requires_grad
    assert [set(e.info) for e in events] == [{"reward", "baseline", "entropy"}] * 2
    assert events[0].info["reward"] == pytest.approx(sum(accuracy_reward(*r) for r in spy.rewards[:10]) / 10)


# --- rewards ---
def rewards_of(supernet, strokes, reward=accuracy_reward, size=60):
    """The rewards of a supernet on batches of validation pictures."""
    generator = torch.Generator().manual_seed(0)
    return Rewards(supernet, strokes, Config(reward_batch=size), reward, generator, best_device("cpu"))


def test_accuracy_is_the_fraction_of_hits():
    logits = torch.tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    assert accuracy_reward(logits, torch.tensor([1, 0, 0, 1]), TINY.architecture([0, 0, 0])) == 0.5


def test_rewards_use_the_statistics_of_the_batch(strokes):
    torch.manual_seed(0)
    supernet, seen = TINY.supernet(4), []
    architectures = [TINY.parse("|conv_3x3~0|+|conv_1x1~0|skip~1|"), TINY.parse("|skip~0|+|zero~0|conv_3x3~1|")]

    def record(logits, labels, architecture):
        seen.append(logits)
        return 0.0

    for garbage in (0.0, 1e3):
        for m in supernet.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.running_mean.fill_(garbage)
        before = {k: v.clone() for k, v in supernet.state_dict().items()}
        rewards_of(supernet, strokes, record)(architectures)
        assert all(torch.equal(before[k], v) for k, v in supernet.state_dict().items())
    assert torch.equal(seen[0], seen[2]) and torch.equal(seen[1], seen[3])
    images = rewards_of(supernet.train(), strokes).batches
    torch.testing.assert_close(supernet(next(images)[0], architectures[0]), seen[0])  # as in training mode


def test_rewards_may_use_the_moving_statistics(strokes):
    """As the official code does in the macro space: a reward is then what evaluation mode gives."""
    torch.manual_seed(0)
    supernet, seen = TINY.supernet(4), []
    for m in supernet.modules():
        if isinstance(m, nn.BatchNorm2d):
            nn.init.normal_(m.running_mean)
    cell, generator = TINY.parse("|conv_3x3~0|+|conv_1x1~0|skip~1|"), torch.Generator().manual_seed(0)
    config = Config(reward_batch=60, reward_statistics="moving")
    note = lambda logits, labels, a: seen.append(logits) or 0.0  # noqa: E731
    before = {k: v.clone() for k, v in supernet.state_dict().items()}
    Rewards(supernet.train(), strokes, config, note, generator, best_device("cpu"))([cell])
    assert supernet.training and all(torch.equal(before[k], v) for k, v in supernet.state_dict().items())
    images, _ = next(rewards_of(supernet, strokes).batches)
    with torch.no_grad():
        assert torch.equal(seen[0], supernet.eval()(images, cell))
        rewards_of(supernet, strokes, note)([cell])
    assert not torch.allclose(seen[0], seen[1], atol=0.01)


def test_unknown_statistics_are_a_clear_error(strokes):
    with pytest.raises(ValueError, match="reward_statistics.*'running'.*batch, moving"):
        enas.search(TINY, strokes, reward_statistics="running")


@pytest.mark.parametrize("training", [True, False])
def test_rewards_give_the_mode_back_and_drop_nothing_out(strokes, training):
    """The macro network has dropout in front of its classifier; a reward must not depend on it."""
    space, seen = spaces.ENASMacro(8, 3), []
    supernet, architecture = space.supernet(4).train(training), space.sample(torch.Generator().manual_seed(0))
    for _ in range(2):
        rewards_of(supernet, strokes, lambda logits, *_: seen.append(logits) or 0.0)([architecture])
    assert torch.equal(*seen)
    assert all(m.training is training for m in supernet.modules())


def test_each_architecture_gets_its_own_batch_and_batches_never_end(strokes):
    supernet, seen = TINY.supernet(4), []
    rewarded = rewards_of(supernet, strokes, lambda logits, labels, a: seen.append(labels.tolist()) or 0.0, size=25)
    cell = TINY.architecture([4, 4, 4])
    assert len(rewarded([cell] * 3) + rewarded([cell] * 4)) == 7
    assert len({tuple(labels) for labels in seen}) == 7


def test_a_reward_of_ones_own_steers_the_policy(strokes):
    def skips(logits, labels, architecture):
        return str(architecture).count("skip") / 3

    settings = {"epochs": 4, "updates": 10, "samples": 10, "candidates": 2, "controller_rate": 0.02}
    result = enas.search(TINY, strokes, reward=skips, seed=0, **settings).result
    policy = result_policy(result)
    drawn = policy.architectures(policy.sample(200, torch.Generator().manual_seed(0)))
    rate = sum(skips(None, None, a) for a in drawn) / 200
    most = 1 / (1 + 4 * exp(-2 * 1.5))  # with logits between ±1.5
    print(f"skips on an edge: {rate:.2f}, at first {1 / 5}, at most {most:.2f}")
    assert 0.7 < rate < most + 4 * (most * (1 - most) / 600) ** 0.5
    assert result.history[-1].info["reward"] > 0.7 > 0.4 > result.history[0].info["reward"]


def result_policy(result):
    """The policy that a result holds."""
    policy = Config(**result.config).controller(result.space, seed=99)
    policy.load_state_dict(
        {k.removeprefix("controller."): w for k, w in result.weights.items() if k.startswith("controller.")}
    )
    return policy


# --- settings ---
def test_the_settings_of_the_papers_text_are_reachable(strokes, monkeypatch):
    spy = Spy(monkeypatch)
    paper = {"temperature": 5.0, "tanh_constant": 2.5, "controller_rate": 3.5e-4, "entropy_weight": 0.1}
    run = enas.search(MACRO, strokes, epochs=1, updates=1, samples=2, candidates=2, **paper)
    assert len(list(run)) == 1
    assert (spy.made["policy"].temperature, spy.made["policy"].tanh_constant) == (5.0, 2.5)
    assert {k: run.result.config[k] for k in paper} == paper


@pytest.mark.parametrize(("space", "tanh"), [(spaces.ENASMacro(), 1.5), (spaces.ENASMicro(), 1.1), (TINY, 1.5)])
def test_left_alone_the_controller_keeps_its_own_constants(space, tanh):
    policy = Config().controller(space, seed=0)
    assert (policy.temperature, policy.tanh_constant, policy.hidden) == (None, tanh, 64)


@pytest.mark.parametrize(
    ("space", "expected", "l2"),
    [(spaces.ENASMacro(), (310, 128, 50, 20, 1e-3), 2.5e-4), (spaces.ENASMicro(), (150, 160, 30, 10, 3.5e-3), 1e-4)],
    ids=["macro", "micro"],
)
def test_the_paper_profile_fits_the_space(space, expected, l2, strokes):
    """The official code adds l2·‖w‖² to the loss."""
    c = enas.search(space, strokes, profile="paper").config
    assert (c["epochs"], c["batch_size"], c["updates"], c["samples"], c["controller_rate"]) == expected
    assert (c["learning_rate"], c["final_rate"], c["restart"]) == (0.05, 0.0005, 10)
    w = torch.tensor([3.0, -2.0], dtype=torch.float64, requires_grad=True)
    (l2 * w.square().sum()).backward()
    torch.testing.assert_close(c["weight_decay"] * w.detach(), w.grad)
    assert (c["nesterov"], c["momentum"]) == (True, 0.9)


def test_an_unknown_setting_is_a_clear_error(strokes):
    with pytest.raises(ValueError, match="'temprature'.*temperature"):
        enas.search(TINY, strokes, temprature=5)


# --- the end of a search ---
def test_the_result_is_the_best_of_the_candidates(strokes, monkeypatch):
    asked = []
    best_of = enas.best_of

    def spy(supernet, candidates, pictures):
        asked.append((len(candidates), best_of(supernet, candidates, pictures)))
        return asked[-1][1]

    monkeypatch.setattr(enas, "best_of", spy)
    result = enas.search(TINY, strokes, epochs=2, updates=1, samples=3, candidates=11).result
    assert [n for n, _ in asked] == [3, 11]
    assert [(e.architecture, e.validation_accuracy) for e in result.history] == [best for _, best in asked]
    assert result.architecture == asked[-1][1][0]


# --- what the events keep of the policy ---
def test_events_keep_the_probabilities_of_the_policy(space, strokes):
    """A row for each decision, in the table that it names; rows add up to 1, options that there are not get 0."""
    few = {"epochs": 1, "updates": 1, "samples": 2, "candidates": 2, "batch_size": 60, "reward_batch": 10}
    tables = enas.search(space, strokes, **few).result.history[-1].probabilities
    assert list(tables) == list(dict.fromkeys(d.table for d in space.decisions))
    for name, table in tables.items():
        options = [len(d.options) for d in space.decisions if d.table == name]
        assert len(table) == len(options)
        for row, count in zip(table, options, strict=True):
            assert len(row) == max(options) and sum(row) == pytest.approx(1, abs=1e-5)
            assert min(row[:count]) > 0 and not any(row[count:])


def test_probabilities_are_means_over_the_earlier_answers(strokes):
    strategy = enas.ENAS(TINY, strokes, Config(), 0, torch.device("cpu"))
    with torch.no_grad():
        for p in strategy.policy.parameters():
            p.mul_(20)
    sample = strategy.sample(50)
    table = strategy.mean_probabilities(sample)["cell"]
    met = strategy.policy.distributions(sample.choices)
    for row, distribution in zip(table, met, strict=True):
        assert row == pytest.approx([float(column.mean()) for column in distribution.detach().T], abs=1e-6)
    assert met[1].std(0).max() > 0.01  # the earlier answer matters here


class SkipReward:
    """A reward that is an object with settings of its own."""

    def __call__(self, logits, labels, architecture):
        """The fraction of skips."""
        return str(architecture).count("skip") / 3


@pytest.mark.parametrize("reward", [SkipReward(), partial(accuracy_reward)], ids=["object", "partial"])
def test_a_reward_may_be_anything_that_can_be_called(reward, strokes):
    result = enas.search(TINY, strokes, reward=reward, epochs=1, updates=1, samples=2, candidates=2).result
    assert 0 <= result.history[-1].info["reward"] <= 1
