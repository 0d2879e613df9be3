"""Bugs of the controllers."""

from math import log

import torch
from torch import Tensor, nn

from nas_tutorial import spaces
from nas_tutorial.strategies import controller
from nas_tutorial.strategies.controller import (
    Attention,
    ChainController,
    Controller,
    MacroController,
    MicroController,
    Rollout,
)

from . import SLIP, Mutant

NNI = "NNI 2.x oneshot/pytorch/enas.py"


def opinionated(space) -> Controller:
    """A controller with weights large enough to prefer some answers."""
    policy = controller.for_space(space, hidden=8, seed=1)
    with torch.no_grad():
        for name, p in policy.named_parameters():
            p.mul_(1.0 if name == "head.bias" else 6.0)
    return policy


def without_opinions(space) -> Controller:
    """A macro controller whose every weight is zero."""
    policy = controller.for_space(space)
    nn.utils.vector_to_parameters(torch.zeros(sum(p.numel() for p in policy.parameters())), policy.parameters())
    return policy


def generator() -> torch.Generator:
    """A fresh generator of one seed."""
    return torch.Generator().manual_seed(0)


def reaction(space, decision: int, watched: int) -> float:
    """How much the distribution of one decision changes with the answer (0 or 1) to an earlier one."""
    choices = torch.zeros(2, len(space.decisions), dtype=torch.int64)
    choices[1, decision] = 1
    p = opinionated(space).distributions(choices)[watched].detach()
    return float((p[0] - p[1]).abs().max())


# --- checks ---
def check_probabilities_add_up_to_one():
    """exp(log_prob) over all 125 architectures of the tiny space."""
    everything = torch.tensor([a.choices for a in spaces.Tiny().enumerate()])
    total = float(opinionated(spaces.Tiny()).score(everything).log_prob.detach().double().exp().sum())
    assert abs(total - 1) < 1e-4, total


def check_scoring_repeats_sampling():
    """Told what was sampled, the policy reports the same log-probabilities."""
    policy = opinionated(spaces.Tiny())
    sample = policy.sample(8, generator())
    assert torch.allclose(policy.score(sample.choices).log_prob, sample.log_prob, atol=1e-5)


def check_entropy_of_a_uniform_policy_is_the_log_of_the_number_of_architectures():
    """12 ln 6 + 66 ln 2 for the macro space."""
    entropy = without_opinions(spaces.ENASMacro()).sample(1, generator()).entropy.detach()
    assert abs(float(entropy) - (12 * log(6) + 66 * log(2))) < 1e-3, float(entropy)


def check_skip_penalty_of_a_uniform_policy():
    """The mean over layers: 0.12247."""
    penalty = without_opinions(spaces.ENASMacro()).sample(1, generator()).skip_penalty.detach()
    assert abs(float(penalty) - 0.12247) < 1e-5, float(penalty)


def check_every_weight_of_the_macro_controller_gets_gradient():
    """From log π of a batch."""
    policy = opinionated(spaces.ENASMacro(layers=4))
    policy.sample(32, generator()).log_prob.sum().backward()
    untouched = [name for name, p in policy.named_parameters() if p.grad is None or not p.grad.any()]
    assert not untouched, untouched


def check_each_skip_moves_the_next_decision():
    """Layer 1 has one skip, bit 0; the operation of layer 2 (decision 3) depends on it, all else being equal."""
    assert reaction(spaces.ENASMacro(layers=3), decision=2, watched=3) > 1e-4


def check_the_memory_reaches_back_two_decisions():
    """The third distribution depends on the first answer, the second answer being equal."""
    assert reaction(spaces.Tiny(), decision=0, watched=2) > 1e-4


def check_the_reduction_cell_knows_the_normal_cell():
    """The reduction cell's first operation (decision 22) depends on the last one of the normal cell (19)."""
    assert reaction(spaces.ENASMicro(), decision=19, watched=22) > 1e-6


def check_samples_of_a_batch_are_independent():
    """Eight uniform draws from 125 architectures are not all the same."""
    choices = opinionated(spaces.Tiny()).sample(8, generator()).choices
    assert len(choices.unique(dim=0)) > 1


def check_samples_come_up_as_often_as_they_should():
    """The first answer of 4,000 walks, within five standard errors of its probability."""
    policy = opinionated(spaces.Tiny())
    choices = policy.sample(4000, generator()).choices
    p = policy.distributions(choices[:1])[0][0].detach()
    rates = choices[:, 0].bincount(minlength=5) / 4000
    assert ((rates - p).abs() < 5 * (p * (1 - p) / 4000).sqrt()).all(), (rates, p)


# --- bugs ---
def negated(monkeypatch):
    """A variable called log_prob holds −log p."""
    healthy = Rollout.sample
    monkeypatch.setattr(Rollout, "sample", lambda self: healthy(self)._replace(log_prob=-self.log_prob))


def scoring_draws_again(monkeypatch):
    """The log-probability belongs to a fresh draw, not to the architecture that earned the reward."""
    monkeypatch.setattr(
        Controller, "score", lambda self, choices: self.sample(len(choices), generator().manual_seed(9))
    )


def sampled_entropy(monkeypatch):
    """Of each decision only the term p·(−log p) of the answer drawn is added."""
    healthy = Rollout.answers

    def answers(self, logits: Tensor) -> Tensor:
        before, choice = self.entropy, healthy(self, logits)
        log_p = logits.log_softmax(-1).gather(2, choice[..., None])
        self.entropy = before - (log_p.exp() * log_p).sum((1, 2))
        return choice

    monkeypatch.setattr(Rollout, "answers", answers)


def summed_penalty(monkeypatch):
    """The penalty grows with the number of layers."""

    def sample(self):
        return controller.Sample(torch.cat(self.choices, 1), self.log_prob, self.entropy, sum(self.skip_penalties))

    monkeypatch.setattr(Rollout, "sample", sample)


def attention_without_gradient(monkeypatch):
    """The attention's scores are cut off from its weights."""
    monkeypatch.setattr(Attention, "forward", torch.no_grad()(Attention.forward))


def frozen_start(monkeypatch):
    """The first input is a constant instead of a trained token."""
    healthy = Controller.initialise

    def initialise(self, seed):
        healthy(self, seed)
        self.start.requires_grad_(False)

    monkeypatch.setattr(Controller, "initialise", initialise)


def no_skip_by_sum_of_indices(monkeypatch):
    """Whether anything was skipped to is read off the sum of the chosen indices, and index 0 adds nothing."""
    healthy = MacroController.skips

    def skips(self, walk, anchors, h):
        x = healthy(self, walk, anchors, h)
        bits = walk.choices[-1]  # (n, k)
        total = (bits * torch.arange(bits.shape[1])).sum(1)
        return torch.where(total[:, None] > 0, x, torch.zeros_like(x))

    monkeypatch.setattr(MacroController, "skips", skips)


def forgetful(monkeypatch):
    """The state of the LSTM is never carried on: each decision sees the last answer only."""

    def walk(self, walk, n):
        x, blank = self.begin(n)
        for head, embed in zip(self.heads, [*self.embeddings, None], strict=True):
            choice = walk.answer(self.squash(head(self.lstm(x, blank)[0])))
            x = embed(choice) if embed else x

    monkeypatch.setattr(ChainController, "walk", walk)


def cells_apart(monkeypatch):
    """The reduction cell starts from a blank state."""

    def walk(self, walk, n):
        for bias in (self.normal_bias, torch.zeros_like(self.normal_bias)):
            self.cell(walk, n, self.begin(n)[1], bias)

    monkeypatch.setattr(MicroController, "walk", walk)


def answer_with(choose):
    """A patch that draws answers from probabilities (n, options) in another way."""

    def patch(monkeypatch):
        def draw(self, log_p: Tensor) -> Tensor:
            return choose(log_p.detach().exp().flatten(0, 1), self.generator).view(log_p.shape[:2])

        monkeypatch.setattr(Rollout, "_draw", draw)

    return patch


def one_for_all(p: Tensor, g: torch.Generator) -> Tensor:
    """One draw, handed to the whole batch."""
    return torch.multinomial(p[:1], 1, generator=g)[0].expand(len(p))


def always_the_likeliest(p: Tensor, g: torch.Generator) -> Tensor:
    """No exploration at all."""
    return p.argmax(-1)


EVERY_WEIGHT = check_every_weight_of_the_macro_controller_gets_gradient

MUTANTS = [
    Mutant("log_prob holds −log p", "many ports of ENAS", negated, check_probabilities_add_up_to_one),
    Mutant("scoring draws again", SLIP, scoring_draws_again, check_scoring_repeats_sampling),
    Mutant("entropy of the sampled answer only", "melodyguan/enas, logged entropy of the macro controller",
           sampled_entropy, check_entropy_of_a_uniform_policy_is_the_log_of_the_number_of_architectures),
    Mutant("skip penalty summed over layers", SLIP, summed_penalty, check_skip_penalty_of_a_uniform_policy),
    Mutant("attention without gradient", NNI, attention_without_gradient, EVERY_WEIGHT),
    Mutant("start token frozen", NNI, frozen_start, EVERY_WEIGHT),
    Mutant("no skip by sum of indices", NNI, no_skip_by_sum_of_indices, check_each_skip_moves_the_next_decision),
    Mutant("LSTM state not carried on", "melodyguan/enas before 2018-04-20, issue 27", forgetful,
           check_the_memory_reaches_back_two_decisions),
    Mutant("reduction cell starts afresh", SLIP, cells_apart, check_the_reduction_cell_knows_the_normal_cell),
    Mutant("one draw for the whole batch", SLIP, answer_with(one_for_all), check_samples_of_a_batch_are_independent),
    Mutant("the likeliest answer instead of a sample", SLIP, answer_with(always_the_likeliest),
           check_samples_come_up_as_often_as_they_should),
]  # fmt: skip
