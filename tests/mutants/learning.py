"""Slips of training and of its accounts."""

from contextlib import contextmanager

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts

from nas_tutorial.data import Data
from nas_tutorial.museum import replaced
from nas_tutorial.training import descent, fitting, randomness, recipes

from . import slip


def step(prepare):
    """Another step, whose gradients prepare(loss, optimiser, weights, clip) makes."""

    def optimiser_step(loss, optimiser, clip, scaler=None):
        prepare(loss, optimiser, [p for group in optimiser.param_groups for p in group["params"]], clip)
        optimiser.step()

    return replaced(descent, "optimiser_step", optimiser_step)


@slip("test_training.py::test_the_optimiser_never_sees_more_than_the_bound")
def tensors_clipped_one_by_one():
    """Each tensor is clipped by itself, which turns the gradient as a whole."""

    def prepare(loss, optimiser, weights, clip):
        optimiser.zero_grad()
        loss.backward()
        for p in weights:
            nn.utils.clip_grad_norm_([p], clip)

    with step(prepare):
        yield


@slip("test_training.py::test_each_step_starts_with_a_fresh_gradient")
def gradients_pile_up():
    """The gradient of the step before is still there."""

    def prepare(loss, optimiser, weights, clip):
        loss.backward()
        nn.utils.clip_grad_norm_(weights, clip)

    with step(prepare):
        yield


@slip("test_training.py::test_the_auxiliary_loss_counts_with_its_weight")
def auxiliary_loss_left_out():
    """The head is built, but its loss is not added."""
    healthy = fitting.loss_of
    with replaced(fitting, "loss_of", lambda network, images, labels, _: healthy(network, images, labels, 0.0)):
        yield


@slip("test_training.py::test_evaluation_leaves_network_and_generators_alone")
def evaluation_in_training_mode():
    """Nobody calls eval()."""
    with replaced(nn.Module, "eval", lambda self: self):
        yield


@slip("test_training.py::test_retraining_learns_from_all_but_the_test_pictures")
def training_on_test_pictures():
    """All pictures there are."""
    with replaced(Data, "full_train", property(lambda self: self.train + self.validation + self.test)):
        yield


@slip("test_training.py::test_cosine_restarts")
def restarts_without_doubling():
    """All periods are of one length."""

    def equal_periods(optimiser, first, T_mult, eta_min):
        return CosineAnnealingWarmRestarts(optimiser, first, 1, eta_min)

    with replaced(recipes, "CosineAnnealingWarmRestarts", equal_periods):
        yield


@slip("test_training.py::test_seeded_gives_the_generator_back")
def seed_leaks_to_the_caller():
    """The caller's generator is seeded, too."""

    @contextmanager
    def seeded(seed):
        torch.manual_seed(seed)
        yield torch.Generator().manual_seed(seed)

    with replaced(randomness, "seeded", seeded):
        yield
