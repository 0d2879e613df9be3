"""Bugs of REINFORCE and of the rewards that it learns from."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from nas_tutorial.data import augment
from nas_tutorial.museum.exhibit import AUTODL, ENAS, NNI, exhibit, replaced
from nas_tutorial.spaces import Architecture
from nas_tutorial.strategies import enas
from nas_tutorial.strategies.enas import Reinforce
from nas_tutorial.strategies.rollout import Sample
from nas_tutorial.training.fitting import EndlessBatches
from nas_tutorial.training.norms import evaluation_mode

NNI_ENAS = "nni/retiarii/oneshot/pytorch/enas.py"
AUTODL_ENAS = "exps/NAS-Bench-201-algos/ENAS.py"
Judge = Callable[[Sequence[Architecture]], list[float]]


@exhibit(AUTODL.lines(AUTODL_ENAS, 144, 152))
def autodl_attached_entropy() -> Iterator[None]:
    """The entropy inside the reward still hangs on the policy's graph, and the loss differentiates through it.

    The gradient gets a term −log π · ∇(weight · H) that belongs to no objective: the less likely a sample was, the more
    it pushes the entropy up. With the usual weight of 1e-4 it is small, with 0.1 it is not.
    """

    def update(self: Reinforce, sample: Sample, rewards: Judge) -> dict[str, float]:
        earned = torch.tensor(rewards(self.policy.architectures(sample)), device=self.policy.device)
        returns = earned + self.config.entropy_weight * sample.entropy  # this is the bug
        advantages = self.advantages(returns.detach()) + returns - returns.detach()
        loss = enas.reinforce_loss(sample, advantages, self.config.skip_weight)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return report(self, earned.tolist(), sample)

    with replaced(Reinforce, "update", update):
        yield


def report(learner: Reinforce, earned: Sequence[float], sample: Sample) -> dict[str, float]:
    """What an update tells about itself."""
    entropy = float(sample.entropy.detach().mean())
    return {"reward": sum(earned) / max(len(earned), 1), "baseline": learner.baseline, "entropy": entropy}


@exhibit(AUTODL.lines(AUTODL_ENAS, 145, 150))
def autodl_baseline() -> Iterator[None]:
    """Every reward starts from the baseline of the epoch before, and only the last one's step is kept.

    A moving average over 1,000 rewards an epoch becomes one over an epoch's last reward, a thousand times as slow. (And
    in the very first epoch each reward is its own baseline: the policy hears of nothing but its entropy.) Here an
    update stands for the epoch.
    """

    def advantages(self: Reinforce, returns: Tensor) -> Tensor:
        moved = self.baseline - (1 - self.config.baseline_decay) * (self.baseline - returns)  # (n,)
        self.baseline = float(moved[-1])
        return returns - moved

    with replaced(Reinforce, "advantages", advantages):
        yield


@exhibit(NNI.lines(NNI_ENAS, 295, 325))
def nni_incomplete_groups() -> Iterator[None]:
    """Rewards end with the validation pictures, and a group of samples that they do not fill is thrown away.

    Every epoch loses its last rewards (16 of 196 in the example's sizes); with fewer validation batches than a group
    has samples, the policy is never updated at all, and nothing says so.
    """
    healthy, healthy_update = EndlessBatches.__next__, Reinforce.update

    def one_pass(self: EndlessBatches) -> tuple[Tensor, Tensor]:
        over, self.begun = getattr(self, "begun", False) and len(self.order) < self.size, True
        if over:
            self.begun = False  # the next group finds all pictures again
            raise StopIteration
        return healthy(self)

    def update(self: Reinforce, sample: Sample, rewards: Judge) -> dict[str, float]:
        earned = rewards(self.policy.architectures(sample))
        if len(earned) < len(sample.choices):
            return report(self, earned, sample)
        return healthy_update(self, sample, lambda architectures: earned)

    with replaced(EndlessBatches, "__next__", one_pass), replaced(Reinforce, "update", update):
        yield


@exhibit(ENAS.lines("src/cifar10/general_child.py", 691))
def enas_running_statistics() -> Iterator[None]:
    """Rewards are taken at running statistics, a mixture over all architectures that fits none of them.

    The macro code calls its network with `is_training=False`; NNI (enas.py:292) and AutoDL-Projects (ENAS.py:123) do
    likewise. The author of the latter names it a main reason for bad results of ENAS on NAS-Bench-201
    (https://github.com/D-X-Y/AutoDL-Projects/issues/115).
    """
    with replaced(enas, "batch_statistics", evaluation_mode):
        yield


@exhibit(NNI.lines(NNI_ENAS, 253, 266))
def nni_augmented_rewards() -> Iterator[None]:
    """Rewards are counted on cropped and mirrored pictures, as both halves of the data set share one transform.

    The example hands over a training set that augments (examples/nas/oneshot/enas/datasets.py:20-24), and the trainer
    splits it: a reward then also tells how lucky the crop was.
    """
    healthy = EndlessBatches.__next__

    def augmented(self: EndlessBatches) -> tuple[Tensor, Tensor]:
        images, labels = healthy(self)
        return augment(images, self.data, self.generator), labels

    with replaced(EndlessBatches, "__next__", augmented):
        yield
