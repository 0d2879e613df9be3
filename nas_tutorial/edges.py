"""An edge of a network: a shelf of operations, and a pick that says which of them are used.

| on the shelf | the pick | the network it makes | used by |
| --- | --- | --- | --- |
| one operation | its name | stand-alone | training from scratch |
| all operations | one name | single-path supernet | ENAS, random search with shared weights |
| all operations | weights over them | blended supernet | DARTS |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:  # spaces are built on edges, so edges import them for the reader only
    from nas_tutorial.spaces.base import Architecture, Picks


def blend(x: Tensor, ops: Iterable[Callable[[Tensor], Tensor]], weights: Tensor) -> Tensor:
    """Mix the outputs of all operations: ō(x) = Σ_o p_o · o(x)  (DARTS, eq. 2, with p = softmax(α)).

    x: (B, C, H, W); weights: (O,); returns (B, C, H', W').
    """
    return sum(p * op(x) for p, op in zip(weights, ops, strict=True))


class Edge(nn.Module):
    """Operations between two nodes; `pick` is the name of one of them, or one weight for each."""

    def __init__(self, ops: Mapping[str, nn.Module]):
        super().__init__()
        self.ops = nn.ModuleDict(ops)
        self.drop_path = DropPath()

    def forward(self, x: Tensor, pick: str | Tensor) -> Tensor:
        if not isinstance(pick, str):
            return blend(x, self.ops.values(), pick)
        op = self.ops[pick]
        return op(x) if isinstance(op, nn.Identity) else self.drop_path(op(x))


class DropPath(nn.Module):
    """Drop an edge for some pictures of a batch, and scale it up for the rest so that its mean stays  (DARTS, §A.2).

    The idea is FractalNet's. `probability` is set from outside, see `set_drop_path`; the mask comes from torch's
    default generator.
    """

    probability = 0.0

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) → the same shape."""
        if not self.training or self.probability == 0:
            return x
        keep = 1 - self.probability
        mask = torch.empty(x.shape[0], 1, 1, 1, device=x.device, dtype=x.dtype).bernoulli_(keep)
        return x * mask / keep


def set_drop_path(network: nn.Module, probability: float) -> None:
    """Let every edge of `network` be dropped with this probability in training."""
    for module in network.modules():
        if isinstance(module, DropPath):
            module.probability = probability


class Skeleton(nn.Module):
    """A network that is told which operations to use: by its own architecture, by a sampled one, or by weights."""

    own_picks: Picks | None = None

    def forward(self, x: Tensor, choice: Architecture | Picks | None = None) -> Tensor:
        """x: (B, C, H, W) → logits (B, classes); `choice` may be left out in a stand-alone network."""
        return self.head(self.features(x, self.picks_of(choice)))

    def picks_of(self, choice: Any) -> Picks:
        """Picks of an architecture, of `space.relax(alphas)`, or the network's own; ValueError where there are none."""
        picks = getattr(choice, "picks", choice) or self.own_picks
        if picks is None:
            raise ValueError(
                "A supernet needs to know what to run: give an architecture or space.relax(alphas) "
                "as the second argument."
            )
        return picks


def node_sum(
    edges: nn.ModuleDict, states: list[Tensor], picks: Mapping[str, Any], names: Iterable[tuple[str, int]]
) -> Tensor:
    """The sum of the edges in use that enter one node, x_j = Σ_i o_ij(x_i)  (DARTS, eq. 1).

    names: pairs of an edge's name and the index of its source.
    """
    return sum(edges[name](states[source], picks[name]) for name, source in names if name in picks)


class DagCell(nn.Module):
    """Nodes that add up edges from earlier states; subclasses say what goes in and what comes out.

    incoming: for each node the names of its edges, each with the index of the state it comes from.
    """

    edges: nn.ModuleDict
    incoming: list[list[tuple[str, int]]]

    def grow(self, states: Sequence[Tensor], picks: Mapping[str, Any]) -> list[Tensor]:
        """The states given, (B, C, H, W) each, and behind them one for each node."""
        states = list(states)
        for names in self.incoming:
            states.append(node_sum(self.edges, states, picks, names))
        return states


@torch.no_grad()
def copy_weights(supernet: nn.Module, network: nn.Module) -> nn.Module:
    """Let a stand-alone network inherit the weights (and batch-norm statistics) that a supernet shares.

    Both come from the same space with the same sizes. Affine batch-norm weights of a supernet that has none become the
    identity; parts that only the network has (an auxiliary head) stay as they are. Returns `network`.
    Raises ValueError where shapes differ or the supernet lacks a part.
    """
    shared = supernet.state_dict()
    for name, tensor in network.state_dict().items():
        if name in shared:
            _copy(name, shared[name], tensor)
        elif f"{name.rpartition('.')[0]}.running_mean" in shared:
            tensor.fill_(float(name.endswith("weight")))
        elif not name.startswith("auxiliary."):
            raise ValueError(f"The supernet has no {name}; make both from one space with the same sizes.")
    return network


def _copy(name: str, source: Tensor, target: Tensor) -> None:
    if source.shape != target.shape:
        raise ValueError(
            f"{name} is {tuple(source.shape)} in the supernet but {tuple(target.shape)} in the network; "
            "make both from one space with the same sizes and number of classes."
        )
    target.copy_(source)
