"""A DARTS search so small that it can be stopped and gone on with a hundred times: one edge, 24 points."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from nas_tutorial.training.randomness import seeded

POINTS, BATCH = 24, 8


class Blend(nn.Module):
    """Three operations on points in the plane, blended and told apart in three classes: (N, 2) → (N, 3)."""

    def __init__(self) -> None:
        super().__init__()
        self.ops = nn.ModuleList([nn.Identity(), nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2), nn.Tanh())])
        self.head = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 3))

    def forward(self, x: Tensor, shares: Tensor) -> Tensor:
        """shares: (3,), one for each operation."""
        return self.head(sum(p * op(x) for p, op in zip(shares, self.ops, strict=True)))


class OneEdge:
    """First-order DARTS on one edge.

    network, alpha: the weights, and the α of three operations; sgd, schedule: of the weights; adam: of α; generator:
    draws the order of the points, and noise on them; order: the numbers of the points that are still to come in this
    epoch; done: how many steps were made.
    """

    def __init__(self, seed: int = 0) -> None:
        with seeded(0) as fixed:
            self.points = torch.randn(2, POINTS, 2, generator=fixed, dtype=torch.float64)  # train, validation
        self.labels = torch.arange(POINTS) % 3
        with seeded(seed) as self.generator:
            self.network = Blend().double()
            self.alpha = (0.1 * torch.randn(3, generator=self.generator, dtype=torch.float64)).requires_grad_()
        self.sgd = torch.optim.SGD(self.network.parameters(), 0.1, momentum=0.9)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.sgd, 40)
        self.adam = torch.optim.Adam([self.alpha], 0.05)
        self.order: list[int] = []
        self.done = 0

    def step(self) -> None:
        """A step of α on the next validation points, then a step of the weights on the next training points."""
        if not self.order:
            self.order = torch.randperm(POINTS, generator=self.generator).tolist()
        now, self.order = self.order[:BATCH], self.order[BATCH:]
        noise = 0.1 * torch.randn(BATCH, 2, generator=self.generator, dtype=torch.float64)
        train, validation = self.points[:, now]
        self.adam.zero_grad()
        self.loss(validation, now).backward(inputs=[self.alpha])
        self.adam.step()
        self.sgd.zero_grad()
        self.loss(train + noise, now).backward(inputs=list(self.network.parameters()))
        self.sgd.step()
        self.schedule.step()
        self.done += 1

    def loss(self, x: Tensor, numbers: list[int]) -> Tensor:
        """Mean cross-entropy of the blend at points of these numbers."""
        return cross_entropy(self.network(x, self.alpha.softmax(0)), self.labels[numbers])
