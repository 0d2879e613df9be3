"""Slips of the controllers, and of how they learn."""

from contextlib import contextmanager

import torch

from nas_tutorial.museum import replaced
from nas_tutorial.strategies import enas
from nas_tutorial.strategies.controller import Controller, MicroController
from nas_tutorial.strategies.enas import Reinforce, Rewards
from nas_tutorial.strategies.rollout import Rollout

from . import slip

BASELINE = "test_enas.py::test_the_baseline_by_hand"
STATISTICS = "test_enas.py::test_rewards_use_the_statistics_of_the_batch"


# --- sampling ---
@slip("test_controller.py::test_scoring_what_was_sampled_gives_the_same_figures")
def scoring_draws_again():
    """The log-probability belongs to a fresh draw, not to the architecture that earned the reward."""

    def score(self, choices):
        return self.sample(len(choices), torch.Generator().manual_seed(9))

    with replaced(Controller, "score", score):
        yield


def drawing(choose):
    """Answers are drawn by choose(probabilities (n, options), generator) → (n,)."""

    def draw(self, probabilities):
        return choose(probabilities.detach().flatten(0, 1), self.generator).view(probabilities.shape[:2])

    return replaced(Rollout, "_draw", draw)


@slip("test_controller.py::test_samples_are_members_of_the_space_and_differ")
def one_draw_for_the_whole_batch():
    """The first architecture's answer is handed to all."""
    with drawing(lambda p, g: torch.multinomial(p[:1], 1, generator=g)[0].expand(len(p))):
        yield


@slip("test_controller.py::test_tiny_architectures_come_up_as_often_as_their_probability_says[batch]")
def likeliest_answer():
    """No exploration at all."""
    with drawing(lambda p, g: p.argmax(-1)):
        yield


@slip("test_controller.py::test_the_memory_reaches_past_the_last_answer")
def cells_apart():
    """The reduction cell starts from a blank state."""

    def decide(self, rollout, n):
        for bias in (self.normal_bias, torch.zeros_like(self.normal_bias)):
            self.cell(rollout, n, self.begin(n)[1], bias)

    with replaced(MicroController, "decide", decide):
        yield


@slip("test_controller.py::test_a_macro_controller_without_opinions_is_uniform")
def summed_penalty():
    """The skip penalty grows with the number of layers."""
    healthy = Rollout.sample

    def sample(self):
        return healthy(self)._replace(skip_penalty=sum(self.skip_penalties))

    with replaced(Rollout, "sample", sample):
        yield


# --- the loss ---
def loss(function):
    """Another `reinforce_loss`."""
    return replaced(enas, "reinforce_loss", function)


@slip("test_enas.py::test_the_loss_by_hand")
def flipped_sign():
    """The policy runs away from what is good."""
    with loss(lambda sample, a, w=0.0: (sample.log_prob * a + w * sample.skip_penalty).mean()):
        yield


@slip("test_enas.py::test_the_skip_penalty_is_added_with_its_weight")
def reward_for_skipping():
    """The penalty has the sign of a reward."""
    with loss(lambda sample, a, w=0.0: (-sample.log_prob * a - w * sample.skip_penalty).mean()):
        yield


@slip("test_enas.py::test_each_reward_of_a_sample_moves_the_policy")
def last_reward_lost():
    """The last architecture of every sample is left out."""
    with loss(lambda sample, a, w=0.0: (-sample.log_prob * a + w * sample.skip_penalty)[:-1].mean()):
        yield


def baseline(step):
    """Other accounts of the baseline: step(baseline, r, rate) → (advantage, next baseline)."""

    def advantages(self, returns):
        found = []
        for r in returns.tolist():
            advantage, self.baseline = step(self.baseline, r, 1 - self.config.baseline_decay)
            found.append(advantage)
        return returns.new_tensor(found)

    return replaced(Reinforce, "advantages", advantages)


@slip(BASELINE)
def baseline_used_before_its_update():
    """The return is compared with the baseline of those before it."""
    with baseline(lambda b, r, rate: (r - b, b + rate * (r - b))):
        yield


@slip(BASELINE)
def baseline_never_updated():
    """It stays where it started."""
    with baseline(lambda b, r, rate: (r - b, b)):
        yield


@slip(BASELINE)
def baseline_forgets():
    """Decay and rate are mixed up, so the baseline is nearly the last return."""
    with baseline(lambda b, r, rate: (rate * (r - b), r - rate * (r - b))):
        yield


# --- the rewards ---
@contextmanager
def training_mode(network):
    """The block finds the network in training mode."""
    before = network.training
    yield network.train()
    network.train(before)


@slip(STATISTICS)
def rewards_as_training():
    """Rewards are taken in training mode, and leave their mark in the statistics."""
    with replaced(enas, "batch_statistics", training_mode):
        yield


@slip("test_enas.py::test_the_two_phases_leave_each_other_alone[tiny]")
def rewards_teach_the_weights():
    """Shared weights take a step on each validation batch."""
    healthy = Rewards.__call__

    def call(self, architectures):
        for p in self.supernet.parameters():
            p.data -= 1e-3
        return healthy(self, architectures)

    with replaced(Rewards, "__call__", call):
        yield
