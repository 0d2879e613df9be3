"""Bugs of the policy of ENAS: what it reads, what it learns by, what it reports."""

from collections.abc import Iterator

import torch
from torch import Tensor

from nas_tutorial.museum.exhibit import ENAS, NNI, Repository, exhibit, replaced
from nas_tutorial.strategies.controller import Attention, ChainController, Controller, MacroController
from nas_tutorial.strategies.gradients import constant
from nas_tutorial.strategies.rollout import Rollout, Sample

NNI_ENAS = "nni/retiarii/oneshot/pytorch/enas.py"
ENAS_BEFORE_THE_REPAIR = Repository(ENAS.name, "08b2e0494c441ed28a100c2ebf4d2dcbe3fa2bbc")


@exhibit(ENAS.lines("src/cifar10/general_controller.py", 165, 167))
def enas_log_prob() -> Iterator[None]:
    """A variable called log_prob holds −log π, as a cross-entropy is what was at hand.

    The loss there is log_prob · (R − b) without a minus, so the sign comes out right, and it reads wrong: whoever
    writes the loss of the paper, −log π · (R − b), under this variable teaches the policy to avoid what is good. NNI
    inherited the name (enas.py:138 and 155).
    """
    healthy = Rollout.sample

    def sample(self: Rollout) -> Sample:
        right = healthy(self)
        return right._replace(log_prob=-right.log_prob)

    with replaced(Rollout, "sample", sample):
        yield


@exhibit(ENAS.lines("src/cifar10/general_controller.py", 168))
def enas_logged_entropy() -> Iterator[None]:
    """What is reported, and rewarded, as entropy is only the sampled answer's term of it, p · (−log p).

    A macro policy without opinions reports 26.46 where its entropy is 12 ln 6 + 66 ln 2 = 67.25. The figure is no
    estimate of the entropy: its mean is Σ p² · (−log p).
    """
    healthy = Rollout.answers

    def answers(self: Rollout, logits: Tensor) -> Tensor:
        before, choice = self.entropy, healthy(self, logits)
        log_p = logits.log_softmax(-1).gather(2, choice[..., None])  # (n, k, 1)
        self.entropy = before - (log_p.exp() * log_p).sum((1, 2))
        return choice

    with replaced(Rollout, "answers", answers):
        yield


@exhibit(NNI.lines(NNI_ENAS, 91, 93))
def nni_idle_attention() -> Iterator[None]:
    """The attention over earlier layers is built, handed to the optimiser, and never asked.

    Skips are answered by a linear layer instead, which sees nothing of what the earlier layers are. Here the
    attention's scores are cut off from its weights: the same silence in the gradient.
    """
    with replaced(Attention, "forward", torch.no_grad()(Attention.forward)):
        yield


@exhibit(NNI.lines(NNI_ENAS, 115))
def nni_frozen_start() -> Iterator[None]:
    """The trained start token is read through `.data`, and so is never trained.

    It stays the random vector that it was; the first decision depends on its luck.
    """
    healthy = Controller._run

    def run(self: Controller, rollout: Rollout, n: int) -> Rollout:
        with constant({"start": self.start}):
            return healthy(self, rollout, n)

    with replaced(Controller, "_run", run):
        yield


@exhibit(NNI.lines(NNI_ENAS, 148, 152))
def nni_sum_of_indices() -> Iterator[None]:
    """The sum of the chosen layers' *numbers* decides whether any was chosen, and is what their mean is divided by.

    A skip to layer 0 alone adds up to 0 and counts as none; a skip to layer 9 is divided by 10.
    """
    healthy = MacroController.skips

    def skips(self: MacroController, rollout: Rollout, anchors: Tensor, h: Tensor) -> Tensor:
        x = healthy(self, rollout, anchors, h)
        bits = rollout.choices[-1]  # (n, k)
        total = (bits * torch.arange(bits.shape[1], device=bits.device)).sum(1, keepdim=True)  # (n, 1)
        scaled = x * (1 + bits.sum(1, keepdim=True)) / (1 + total)
        return torch.where(total > 0, scaled, torch.zeros_like(x))

    with replaced(MacroController, "skips", skips):
        yield


@exhibit(ENAS_BEFORE_THE_REPAIR.lines("src/ptb/ptb_enas_controller.py", 100, 110))
def enas_forgetful_lstm() -> Iterator[None]:
    """The LSTM's state is computed and never carried on: each decision sees the last answer only.

    With zeros for memory an LSTM is a small feed-forward layer, and the third decision cannot depend on the first.
    A reader asked about it (https://github.com/melodyguan/enas/issues/27), and it was repaired the same day.
    """

    def decide(self: ChainController, rollout: Rollout, n: int) -> None:
        x, blank = self.begin(n)
        for head, embed in zip(self.heads, [*self.embeddings, None], strict=True):
            choice = rollout.answer(self.squash(head(self.lstm(x, blank)[0])))
            x = embed(choice) if embed else x

    with replaced(ChainController, "decide", decide):
        yield
