"""An edge of a network: candidate operations, and what is active says which of them are used.

| candidates | active | the network it makes | used by |
| --- | --- | --- | --- |
| one operation | its name | stand-alone | training from scratch |
| all operations | one name | single-path supernet | ENAS, random search with shared weights |
| all operations | weights over them | continuous supernet | DARTS |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

ActiveOps = dict[str, dict[str, Any]]
"""What each edge shall compute: {cell: {edge: operation name, or a vector of weights over the operations}}."""

HEIRS_OF_ENAS = "In the spaces of ENAS, make the network with evaluation=False."


class Candidates:
    """Which operations are built on an edge: all of them (supernet), the active one (stand-alone), or none."""

    def __init__(self, active_ops: ActiveOps | None):
        self.active_ops = active_ops

    def __call__(self, cell: str, edge: str, names: Sequence[str]) -> tuple[str, ...]:
        if self.active_ops is None:
            return tuple(names)
        active = self.active_ops[cell].get(edge)
        return (active,) if active else ()


def mixed_op(x: Tensor, ops: Iterable[Callable[[Tensor], Tensor]], weights: Tensor) -> Tensor:
    """Mix the outputs of all operations: ō(x) = Σ_o p_o · o(x)  (DARTS, eq. 2, with p = softmax(α)).

    x: (B, C, H, W); weights: (O,); returns (B, C, H', W').
    """
    return sum(p * op(x) for p, op in zip(weights, ops, strict=True))


class Edge(nn.Module):
    """Operations between two nodes; `active` is the name of one of them, or one weight for each.

    drop_share: which share of drop path's probability applies to this edge (0: never dropped), see `set_drop_path`.
    """

    def __init__(self, ops: Mapping[str, nn.Module], drop_share: float = 1.0):
        super().__init__()
        self.ops, self.drop_share = nn.ModuleDict(ops), drop_share
        self.drop_path: nn.Module = nn.Identity()

    def forward(self, x: Tensor, active: str | Tensor) -> Tensor:
        """x: (B, C, H, W) → (B, C, H', W')."""
        if not isinstance(active, str):
            return mixed_op(x, self.ops.values(), active)
        op = self.ops[active]
        return op(x) if isinstance(op, nn.Identity) else self.drop_path(op(x))


def set_drop_path(network: nn.Module, probability: float) -> None:
    """Let every edge of `network` be dropped for a picture of a batch with this probability in training  (DARTS, §A.2).

    What is left is scaled up so that its mean stays; identities are never dropped, and edges with a `drop_share` only
    with that share of the probability. The mask comes from torch's default generator.
    """
    for edge in (module for module in network.modules() if isinstance(module, Edge)):
        edge.drop_path = drop_path(probability * edge.drop_share).train(edge.training)


def drop_path(probability: float) -> nn.Module:
    """Stochastic depth for single pictures; torchvision, which takes a second to load, is loaded when it is needed."""
    if probability == 0:
        return nn.Identity()
    from torchvision.ops import StochasticDepth

    return StochasticDepth(probability, mode="row")


class Skeleton(nn.Module):
    """A network that is told which operations to use: by its own architecture, by a sampled one, or by weights.

    half: the type of 16 bits in which convolutions and products are computed, None for that of the weights. Each pass
    casts the weights anew: between two passes a search may move them.
    """

    own_ops: ActiveOps | None = None
    half: torch.dtype | None = None

    def forward(self, x: Tensor, choice: Any = None) -> Tensor:
        """x: (B, C, H, W) → logits (B, classes); `choice` may be left out in a stand-alone network.

        choice: an architecture, or `space.relax(alphas)`.
        """
        with self.mixed_precision(x):
            logits = self.head(self.features(x, self.active_ops_of(choice)))
        return self.whole(logits)

    def mixed_precision(self, x: Tensor) -> AbstractContextManager:
        """Inside this context, operations that can run in 16 bits do so."""
        return torch.autocast(x.device.type, self.half) if self.half else nullcontext()

    def whole(self, logits: Tensor) -> Tensor:
        """Logits in float32 where they were computed in 16 bits."""
        return logits.float() if self.half else logits

    def active_ops_of(self, choice: Any) -> ActiveOps:
        """Those of an architecture, of `space.relax(alphas)`, or the network's own; ValueError where there are none."""
        active_ops = getattr(choice, "active_ops", choice) or self.own_ops
        if active_ops is None:
            raise ValueError(
                "A supernet needs to know what to run: give an architecture or space.relax(alphas) "
                "as the second argument."
            )
        return active_ops


def node_sum(
    edges: nn.ModuleDict, states: Sequence[Tensor], active: Mapping[str, Any], names: Iterable[tuple[str, int]]
) -> Tensor:
    """The sum of the edges in use that enter one node, x_j = Σ_i o_ij(x_i)  (DARTS, eq. 1).

    names: pairs of an edge's name and the index of its source.
    """
    return sum(edges[name](states[source], active[name]) for name, source in names if name in active)


class NodeLoop(nn.Module):
    """The nodes of a cell, one after the other; without weights of its own, so that a faster one may take its place."""

    def forward(
        self,
        edges: nn.ModuleDict,
        incoming: Sequence[Sequence[tuple[str, int]]],
        states: Sequence[Tensor],
        active: Mapping[str, Any],
    ) -> list[Tensor]:
        """See `DagCell.node_states`."""
        states = list(states)
        for names in incoming:
            states.append(node_sum(edges, states, active, names))
        return states


class DagCell(nn.Module):
    """Nodes that add up edges from earlier states; subclasses say what goes in and what comes out.

    incoming: for each node the names of its edges, each with the index of the state it comes from.
    """

    edges: nn.ModuleDict
    incoming: list[list[tuple[str, int]]]

    def __init__(self) -> None:
        super().__init__()
        self.loop = NodeLoop()

    def node_states(self, states: Sequence[Tensor], active: Mapping[str, Any]) -> list[Tensor]:
        """The states given, (B, C, H, W) each, and behind them one for each node."""
        return self.loop(self.edges, self.incoming, states, active)


@torch.no_grad()
def copy_weights(supernet: nn.Module, network: nn.Module) -> nn.Module:
    """Let a stand-alone network inherit the weights (and batch-norm statistics) that a supernet shares.

    Both come from the same space with the same sizes; in the spaces of ENAS, whose networks for evaluation have other
    parts than their supernets, `network` is made with `evaluation=False`. Affine batch-norm weights of a supernet that
    has none become the identity; parts that only the network has (an auxiliary head) stay as they are. Returns
    `network`.
    Raises ValueError where shapes differ or the supernet lacks a part.
    """
    shared = supernet.state_dict()
    for name, tensor in network.state_dict().items():
        if name in shared:
            _copy(name, shared[name], tensor)
        elif f"{name.rpartition('.')[0]}.running_mean" in shared:
            tensor.fill_(float(name.endswith("weight")))
        elif not name.startswith("auxiliary."):
            raise ValueError(
                f"The supernet has no {name}; make both from one space with the same sizes. {HEIRS_OF_ENAS}"
            )
    return network


def _copy(name: str, source: Tensor, target: Tensor) -> None:
    if source.shape != target.shape:
        raise ValueError(
            f"{name} is {tuple(source.shape)} in the supernet but {tuple(target.shape)} in the network; "
            f"make both from one space with the same sizes and number of classes. {HEIRS_OF_ENAS}"
        )
    target.copy_(source)
