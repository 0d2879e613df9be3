"""What each edge of an architecture is and does, in figures: weights, work, and how far it sees."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nas_tutorial.networks.costs import MultiplyAddCounter
from nas_tutorial.networks.edges import Edge
from nas_tutorial.spaces import Architecture

SIDE = 16  # of the picture that is sent through, large enough for all that an operation sees


@dataclass(frozen=True)
class EdgeFigures:
    """One edge, where it first occurs in the network.

    cell, name: as in `Architecture.active_ops`. shape: (channels, height, width) of what it gives out, for a picture of
    32×32. parameters: weights. multiply_adds: of that picture. sees: width in pixels of what one of its output pixels
    depends on, 0 where it gives out zeros.
    """

    cell: str
    name: str
    operation: str
    shape: tuple[int, int, int]
    parameters: int
    multiply_adds: int
    sees: int


def edge_figures(architecture: Architecture, side: int = 32) -> list[EdgeFigures]:
    """All edges with an operation, in the order in which a picture comes by; draws no random numbers that count."""
    with torch.random.fork_rng():
        network = architecture.space.network(architecture).eval()
    return list(_on_the_way(network, architecture, side))


def _on_the_way(network: nn.Module, architecture: Architecture, side: int) -> Iterator[EdgeFigures]:
    """Each edge of each kind of cell, as soon as a picture comes by for the first time."""
    named = {module: name for name, module in network.named_modules() if isinstance(module, Edge)}
    met: list[tuple[Edge, Tensor]] = []
    hooks = [edge.register_forward_pre_hook(lambda edge, inputs: met.append((edge, inputs[0]))) for edge in named]
    with torch.no_grad():
        network(torch.zeros(1, 3, side, side))
    for hook in hooks:
        hook.remove()
    (first, *_), done = architecture.active_ops, set()
    for edge, x in met:
        place, _, name = named[edge].rpartition(".edges.")
        cell = getattr(network.get_submodule(place), "kind", first)
        if (cell, name) not in done:
            done.add((cell, name))
            yield _measured(edge, x, cell, name)


def _measured(edge: Edge, x: Tensor, cell: str, name: str) -> EdgeFigures:
    """One edge, by sending its own input through it."""
    ((operation, module),) = edge.ops.items()
    with torch.no_grad(), MultiplyAddCounter(network=module) as work:
        shape = tuple(module(x).shape[1:])
    parameters = sum(weight.numel() for weight in module.parameters())
    return EdgeFigures(cell, name, operation, shape, parameters, work.multiply_adds, _sees(module, x.shape[1]))


def _sees(module: nn.Module, channels: int) -> int:
    """The width of what an output pixel depends on: the columns from which NaN reaches it; 0 of zeros."""
    pictures, row = torch.ones(SIDE + 1, channels, SIDE, SIDE), torch.arange(SIDE)
    pictures[row, :, :, row] = torch.nan  # picture i: column i; the last picture is whole
    with torch.no_grad():
        out = module(pictures)
    middle = out[:SIDE, 0, out.shape[2] // 2, out.shape[3] // 2]
    reached = row[middle.isnan()].tolist() if out[SIDE].any() else []
    return max(reached) - min(reached) + 1 if reached else 0
