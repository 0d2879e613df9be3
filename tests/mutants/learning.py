"""Bugs of ENAS's two phases and of training."""

import contextlib

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts

from nas_tutorial import data, spaces, training
from nas_tutorial.data import Data
from nas_tutorial.strategies import controller, enas
from nas_tutorial.strategies.enas import Config, Reinforce, Rewards
from nas_tutorial.training import Recipe

from . import SLIP, Mutant
from .pictures import grey_pictures, picture_witness

TINY, MACRO = spaces.Tiny(4), spaces.ENASMacro(4, layers=3)
BARE = {"controller_rate": 0.0, "entropy_weight": 0.0, "skip_weight": 0.0, "baseline_decay": 1.0}


def policy_for(space):
    """A float64 policy with opinions."""
    policy = controller.for_space(space, hidden=8, seed=3).double()
    with torch.no_grad():
        for p in policy.parameters():
            p.mul_(20)
    return policy


def gradient_of(policy) -> torch.Tensor:
    """The gradient of all weights as one vector."""
    return torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in policy.parameters()])


def learnt(policy, choices, rewards, **settings) -> torch.Tensor:
    """The direction in which one update with these rewards would move the policy."""
    Reinforce(policy, Config(**{**BARE, **settings})).update(policy.score(choices), lambda architectures: rewards)
    return -gradient_of(policy)


def climbing(policy, choices, values) -> torch.Tensor:
    """The gradient of mean(values · log π)."""
    policy.zero_grad()
    (policy.score(choices).log_prob * values).mean().backward()
    return gradient_of(policy)


# --- checks of the policy ---
def check_a_good_sample_becomes_likelier():
    """After one step of the optimiser."""
    policy = controller.for_space(TINY, seed=0)
    sample = policy.score(torch.tensor([[4, 0, 2]]))
    Reinforce(policy, Config()).update(sample, lambda architectures: [1.0])
    assert policy.score(sample.choices).log_prob > sample.log_prob


def check_the_baseline_by_hand():
    """It starts at 0 and takes a return in before that return is compared with it."""
    learner = Reinforce(policy_for(TINY), Config(baseline_decay=0.99))
    advantages = learner.advantages(torch.tensor([1.0, 0.0, 0.5]))
    assert torch.allclose(advantages, torch.tensor([0.99, -0.0099, 0.485199]), rtol=1e-5)
    assert abs(learner.baseline - 0.014801) < 1e-8


def check_no_gradient_runs_through_the_entropy():
    """The update is that of log π times a number."""
    policy = policy_for(TINY)
    sample = policy.sample(5, torch.Generator().manual_seed(0))
    values = 0.5 + 3 * sample.entropy.detach()
    found = learnt(policy, sample.choices, [0.5] * 5, entropy_weight=3.0)
    assert torch.allclose(found, climbing(policy, sample.choices, values), rtol=1e-5, atol=1e-8)


def check_each_reward_moves_the_policy():
    """Also the last one of a sample."""
    policy = policy_for(TINY)
    choices = policy.sample(6, torch.Generator().manual_seed(0)).choices
    for i in range(6):
        only = torch.zeros(6, dtype=torch.float64)
        only[i] = 1
        expected = climbing(policy, choices, only)
        assert torch.allclose(learnt(policy, choices, only.tolist()), expected, rtol=1e-6, atol=1e-9)


def check_the_skip_penalty_counts():
    """With its weight, and downwards."""
    policy = policy_for(MACRO)
    choices = policy.sample(6, torch.Generator().manual_seed(0)).choices
    found = learnt(policy, choices, [0.0] * 6, skip_weight=0.8)
    policy.zero_grad()
    policy.score(choices).skip_penalty.mean().backward()
    assert torch.allclose(found, -0.8 * gradient_of(policy), rtol=1e-6, atol=1e-9)


# --- checks of the rewards ---
def rewards_on(pictures, supernet, reward=enas.accuracy_reward, batch=12) -> Rewards:
    """Rewards at the weights of a supernet."""
    return Rewards(supernet, pictures, Config(reward_batch=batch), reward, torch.Generator(), torch.device("cpu"))


def check_every_architecture_gets_a_reward():
    """However few pictures there are."""
    torch.manual_seed(0)
    cells = [TINY.architecture([4, 4, 4])] * 9
    assert len(rewards_on(grey_pictures(), TINY.supernet(4))(cells)) == 9


def check_rewards_neither_use_nor_move_running_statistics():
    """The logits are the same with any running statistics, and these stay as they are."""
    torch.manual_seed(0)
    supernet, seen = MACRO.supernet(4), []
    pictures = data.load("strokes", per_class=12, test_per_class=2)
    for mean in (0.0, 1e3):
        for norm in (m for m in supernet.modules() if isinstance(m, nn.BatchNorm2d)):
            norm.running_mean.fill_(mean)
        before = {name: value.clone() for name, value in supernet.state_dict().items()}
        rewards_on(pictures, supernet, lambda logits, *_: seen.append(logits) or 0.0)([MACRO.architecture([1] * 6)])
        assert all(torch.equal(value, before[name]) for name, value in supernet.state_dict().items())
    assert torch.equal(*seen)


def check_reward_pictures_are_not_augmented():
    """Nothing but training pictures is changed in any phase of ENAS."""
    with picture_witness() as (pictures, seen):
        list(enas.search(TINY, pictures, epochs=1, updates=2, samples=2, candidates=2, batch_size=12))
    assert seen - {("train", False)} == {("train", True), ("validation", False)}


def check_the_phases_leave_each_other_alone():
    """Phase 2 moves no shared weight."""
    torch.manual_seed(0)
    supernet, policy = TINY.supernet(4), controller.for_space(TINY)
    before = {name: value.clone() for name, value in supernet.state_dict().items()}
    rewarded = rewards_on(grey_pictures(), supernet)
    Reinforce(policy, Config()).update(policy.sample(3, torch.Generator()), rewarded)
    assert all(torch.equal(value, before[name]) for name, value in supernet.state_dict().items())
    assert all(p.grad is None for p in supernet.parameters())


# --- checks of training ---
class Watched(torch.optim.SGD):
    """Keeps the gradient that it follows."""

    def step(self, closure=None):
        """A step as always."""
        self.seen = torch.cat([p.grad.flatten() for group in self.param_groups for p in group["params"]])
        super().step(closure)


def check_the_optimiser_sees_a_clipped_gradient():
    """Of norm 5 at most, in the direction of the whole gradient, and afresh in each step."""
    a, b = nn.Parameter(torch.tensor([3.0])), nn.Parameter(torch.tensor([4.0]))
    optimiser = Watched([a, b], lr=0.0)
    for scale, expected in ((1000.0, [3.0, 4.0]), (0.01, [0.06, 0.08])):
        training.optimiser_step(scale * (a**2 + b**2).sum(), optimiser, clip=5.0)
        assert torch.allclose(optimiser.seen, torch.tensor(expected), rtol=1e-4)


class TwoHeads(nn.Module):
    """One classifier beside another."""

    def __init__(self):
        super().__init__()
        self.main, self.auxiliary = nn.Linear(3, 4), nn.Linear(3, 4)

    def forward(self, images):
        """(B, 3, H, W) → (B, 4)."""
        return self.main(images.mean((2, 3)))

    def with_auxiliary(self, images):
        """(B, 3, H, W) → two times (B, 4)."""
        return self(images), self.auxiliary(images.mean((2, 3)))


def check_the_auxiliary_head_learns():
    """An epoch of training moves it."""
    torch.manual_seed(0)
    network, pictures = TwoHeads(), grey_pictures()
    before = network.auxiliary.weight.detach().clone()
    list(training.fit(network, pictures.train, pictures, Recipe(1, 8, auxiliary=0.4), torch.Generator()))
    assert not torch.equal(before, network.auxiliary.weight)


def check_evaluation_is_in_evaluation_mode():
    """Accuracy rests on running statistics, which stay; the mode is given back."""
    torch.manual_seed(0)
    pictures = data.load("strokes", per_class=12, test_per_class=10)
    network = TINY.network(TINY.architecture([4, 1, 4]), 4)
    list(training.fit(network, pictures.train, pictures, Recipe(4, 8), torch.Generator().manual_seed(0)))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    for size in (3, 40):
        for mode in (True, False):
            network.train(mode)
            accuracy = training.evaluate(network, pictures.test, pictures, batch_size=size)
            assert network.training is mode
            assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
            logits = network.eval()(data.normalise(pictures.test.images, pictures))
            assert accuracy == float((logits.argmax(-1) == pictures.test.labels).sum()) / 40


def check_retraining_never_learns_from_test_pictures():
    """It learns from all others; test pictures are shown unchanged."""
    with picture_witness() as (pictures, seen):
        training.retrain(TINY.architecture([4, 4, 4]), pictures, seeds=(0,), epochs=2, batch_size=12)
    assert seen - {("train", False), ("validation", False)} == {("train", True), ("validation", True), ("test", False)}


def check_restarts_come_later_and_later():
    """After 10 epochs, then after 20 more."""
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.05)
    schedule = Recipe(learning_rate=0.05, final_rate=0.0005, restart=10).schedule(optimiser)
    rates = []
    for _ in range(31):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    assert [epoch for epoch, rate in enumerate(rates) if rate == 0.05] == [0, 10, 30]
    assert abs(rates[20] - 0.02525) < 1e-9


def check_training_leaves_the_callers_generator_alone():
    """What the caller draws next does not depend on it."""
    torch.manual_seed(5)
    before, pictures = torch.get_rng_state(), grey_pictures()
    training.train_from_scratch(TINY.architecture([4, 4, 4]), pictures.train, pictures, Recipe(1, 24))
    assert torch.equal(before, torch.get_rng_state())


# --- bugs of the policy ---
def update_with(monkeypatch, change):
    """Put in an update whose (sample, returns with gradient) go through `change` first."""

    def update(self, sample, rewards):
        earned = torch.tensor(rewards(self.policy.architectures(sample)))
        log_prob, returns = change(sample.log_prob, earned + self.config.entropy_weight * sample.entropy)
        self.optimiser.zero_grad()
        (-log_prob * (returns - self.baseline)).mean().backward()
        self.optimiser.step()
        return {}

    monkeypatch.setattr(Reinforce, "update", update)


def attached_entropy(monkeypatch):
    """The reward still hangs on the graph of the policy."""
    update_with(monkeypatch, lambda log_prob, returns: (log_prob, returns))


def last_reward_lost(monkeypatch):
    """What does not fill a group is thrown away."""
    update_with(monkeypatch, lambda log_prob, returns: (log_prob[:-1], returns[:-1].detach()))


def flipped_sign(monkeypatch):
    """The policy runs away from what is good."""
    monkeypatch.setattr(enas, "reinforce_loss", lambda sample, advantages, _=0.0: (sample.log_prob * advantages).mean())


def advantages_with(monkeypatch, step):
    """Put in other accounts of the baseline: step(baseline, r, rate) → (advantage, next baseline)."""

    def advantages(self, returns):
        found = []
        for r in returns.tolist():
            advantage, self.baseline = step(self.baseline, r, 1 - self.config.baseline_decay)
            found.append(advantage)
        return returns.new_tensor(found)

    monkeypatch.setattr(Reinforce, "advantages", advantages)


def baseline_used_before_its_update(monkeypatch):
    """The return is compared with the baseline of those before it."""
    advantages_with(monkeypatch, lambda b, r, rate: (r - b, b + rate * (r - b)))


def baseline_never_updated(monkeypatch):
    """It stays where it started."""
    advantages_with(monkeypatch, lambda b, r, rate: (r - b, b))


def baseline_is_the_last_return(monkeypatch):
    """Decay and rate are mixed up."""

    def step(b, r, rate):
        b += (1 - rate) * (r - b)
        return r - b, b

    advantages_with(monkeypatch, step)


def reward_for_skipping(monkeypatch):
    """The penalty has the sign of a reward."""
    monkeypatch.setattr(
        enas,
        "reinforce_loss",
        lambda sample, advantages, w=0.0: (-sample.log_prob * advantages - w * sample.skip_penalty).mean(),
    )


# --- bugs of the rewards ---
def validation_runs_dry(monkeypatch):
    """One pass over the validation pictures per epoch, and no rewards behind its end."""

    def init(self, supernet, pictures, config, reward, generator, device):
        self.supernet, self.reward = supernet, reward
        self.batches = enas.batches(pictures.validation, pictures, config.reward_batch, generator=generator)

    monkeypatch.setattr(Rewards, "__init__", init)


@contextlib.contextmanager
def in_mode(network, training_mode):
    """The block runs in this mode."""
    before = network.training
    yield network.train(training_mode)
    network.train(before)


def running_statistics(monkeypatch):
    """Rewards are taken in evaluation mode, at statistics that belong to no architecture."""
    monkeypatch.setattr(enas, "batch_statistics", lambda network: in_mode(network, False))


def rewards_as_training(monkeypatch):
    """Rewards are taken in training mode, and leave their mark in the statistics."""
    monkeypatch.setattr(enas, "batch_statistics", lambda network: in_mode(network, True))


def augmented_rewards(monkeypatch):
    """The transform for training is used for validation pictures too."""
    healthy = enas.batches
    monkeypatch.setattr(enas, "prepared", lambda *args, augmented=False, **rest: healthy(*args, augmented=True, **rest))


def rewards_teach_the_weights(monkeypatch):
    """Shared weights take a step on each validation batch."""
    healthy = Rewards.__call__

    def call(self, architectures):
        for p in self.supernet.parameters():
            p.data -= 1e-3
        return healthy(self, architectures)

    monkeypatch.setattr(Rewards, "__call__", call)


# --- bugs of training ---
def descend_with(monkeypatch, prepare):
    """Put in a step before which `prepare(loss, optimiser, weights, clip)` makes the gradients."""

    def optimiser_step(loss, optimiser, clip):
        weights = [p for group in optimiser.param_groups for p in group["params"]]
        prepare(loss, optimiser, weights, clip)
        optimiser.step()

    monkeypatch.setattr(training.fitting, "optimiser_step", descend)


def unclipped(monkeypatch):
    """A clipped copy is made, and the unclipped gradient is followed."""

    def prepare(loss, optimiser, weights, clip):
        optimiser.zero_grad()
        loss.backward()
        [p.grad * min(1.0, clip / float(p.grad.norm())) for p in weights]

    descend_with(monkeypatch, prepare)


def clipped_one_by_one(monkeypatch):
    """Each tensor is clipped by itself, which turns the gradient as a whole."""

    def prepare(loss, optimiser, weights, clip):
        optimiser.zero_grad()
        loss.backward()
        for p in weights:
            nn.utils.clip_grad_norm_([p], clip)

    descend_with(monkeypatch, prepare)


def gradients_pile_up(monkeypatch):
    """The gradient of the step before is still there."""

    def prepare(loss, optimiser, weights, clip):
        loss.backward()
        nn.utils.clip_grad_norm_(weights, clip)

    descend_with(monkeypatch, prepare)


def auxiliary_loss_left_out(monkeypatch):
    """The head is built and computed, but its loss is not added."""
    healthy = training.loss_of
    monkeypatch.setattr(training, "loss_of", lambda network, images, labels, _: healthy(network, images, labels, 0.0))


def evaluation_in_training_mode(monkeypatch):
    """Nobody calls eval()."""
    monkeypatch.setattr(nn.Module, "eval", lambda self: self)


def all_pictures_in_training(monkeypatch):
    """All pictures there are."""
    monkeypatch.setattr(Data, "full_train", property(lambda self: self.train + self.validation + self.test))


def equal_periods(monkeypatch):
    """Restarts without doubling."""
    monkeypatch.setattr(
        training,
        "CosineAnnealingWarmRestarts",
        lambda optimiser, first, T_mult, eta_min: CosineAnnealingWarmRestarts(optimiser, first, 1, eta_min),
    )


def leaking_seed(monkeypatch):
    """The caller's generator is seeded, too."""

    @contextlib.contextmanager
    def seeded(seed):
        torch.manual_seed(seed)
        yield torch.Generator().manual_seed(seed)

    monkeypatch.setattr(training, "seeded", seeded)


NNI = "NNI 2.x oneshot/pytorch/enas.py"
BASELINE, CLIPPING = check_the_baseline_by_hand, check_the_optimiser_sees_a_clipped_gradient
STATISTICS = check_rewards_neither_use_nor_move_running_statistics

MUTANTS = [
    Mutant("entropy attached to the reward", "many ports of ENAS", attached_entropy,
           check_no_gradient_runs_through_the_entropy),
    Mutant("last reward thrown away", NNI, last_reward_lost, check_each_reward_moves_the_policy),
    Mutant("sign of REINFORCE flipped", SLIP, flipped_sign, check_a_good_sample_becomes_likelier),
    Mutant("baseline used before its update", SLIP, baseline_used_before_its_update, BASELINE),
    Mutant("baseline never updated", SLIP, baseline_never_updated, BASELINE),
    Mutant("baseline forgets everything", SLIP, baseline_is_the_last_return, BASELINE),
    Mutant("skip penalty rewarded", SLIP, reward_for_skipping, check_the_skip_penalty_counts),
    Mutant("no rewards from few pictures", NNI, validation_runs_dry, check_every_architecture_gets_a_reward),
    Mutant("rewards at running statistics", "AutoDL-Projects, issue 115", running_statistics, STATISTICS),
    Mutant("rewards move the statistics", SLIP, rewards_as_training, STATISTICS),
    Mutant("augmented validation pictures in ENAS", "many ports", augmented_rewards,
           check_reward_pictures_are_not_augmented),
    Mutant("rewards move the shared weights", SLIP, rewards_teach_the_weights, check_the_phases_leave_each_other_alone),
    Mutant("unclipped gradient followed", "melodyguan/enas utils.py:141-150", unclipped, CLIPPING),
    Mutant("tensors clipped one by one", SLIP, clipped_one_by_one, CLIPPING),
    Mutant("gradients pile up", SLIP, gradients_pile_up, CLIPPING),
    Mutant("auxiliary loss left out", SLIP, auxiliary_loss_left_out, check_the_auxiliary_head_learns),
    Mutant("evaluation in training mode", SLIP, evaluation_in_training_mode, check_evaluation_is_in_evaluation_mode),
    Mutant("test pictures in training", SLIP, all_pictures_in_training,
           check_retraining_never_learns_from_test_pictures),
    Mutant("restarts without doubling", SLIP, equal_periods, check_restarts_come_later_and_later),
    Mutant("seed leaks to the caller", SLIP, leaking_seed, check_training_leaves_the_callers_generator_alone),
]  # fmt: skip
