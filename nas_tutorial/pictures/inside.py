"""Looking inside a network: what becomes of one picture on its way through a cell."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

from nas_tutorial.data import Data, normalise
from nas_tutorial.networks.edges import DagCell, Edge
from nas_tutorial.pictures.plots import style
from nas_tutorial.training.norms import batch_statistics, evaluation_mode

PANEL = 1.25  # inches


class Maps(NamedTuple):
    """Feature maps of one picture in one cell, each (C, H, W).

    states: those of the cell's inputs, and then of its nodes; edges: by an edge's name, its operation ("blend" for a
    mixture) and what that makes of the source; incoming: for each node the edges that enter it, each with the number of
    the state it comes from.
    """

    states: list[Tensor]
    edges: dict[str, tuple[str, Tensor]]
    incoming: list[list[tuple[str, int]]]

    @property
    def inputs(self) -> int:
        """Number of the cell's inputs."""
        return len(self.states) - len(self.incoming)

    @property
    def used(self) -> list[list[tuple[str, int]]]:
        """`incoming`, without the edges that no operation runs on."""
        return [[(edge, source) for edge, source in entering if edge in self.edges] for entering in self.incoming]

    def name(self, state: int) -> str:
        """A state in words: "input", "node 1", "output"; in cells with two inputs "input 0", "input 1", "node 2"."""
        if self.inputs > 1:
            return f"{'node' if state >= self.inputs else 'input'} {state}"
        return {0: "input", len(self.states) - 1: "output"}.get(state, f"node {state}")

    def label(self, edge: str, source: int) -> str:
        """What stands above the map of an edge: where it comes from, and by which operation."""
        return f"{self.name(source)}\n{self.edges[edge][0]}"


def feature_maps(network: nn.Module, data: Data, images: Tensor, choice: Any = None, cell: int = 0) -> Maps:
    """The maps of the first of these pictures in a cell of a network.

    images: (B, C, H, W) uint8. choice: for a supernet, an architecture or `space.relax(alphas)`; batch norm then uses
    the statistics of these pictures, as the moving averages of a supernet belong to no architecture. cell: its number,
    from 0. Raises ValueError where the network has no such cell.
    """
    cells = [module for module in network.modules() if isinstance(module, DagCell)]
    if not 0 <= cell < len(cells):
        raise ValueError(f"There is no cell {cell}; this network has {len(cells)} with nodes to look at, from 0.")
    with torch.no_grad(), (evaluation_mode if choice is None else batch_statistics)(network):
        with recorded(cells[cell]) as (states, edges):
            network(normalise(images, data), choice)
    return Maps(states, edges, cells[cell].incoming)


@contextmanager
def recorded(cell: DagCell) -> Iterator[tuple[list[Tensor], dict[str, tuple[str, Tensor]]]]:
    """Collect, while the block runs, the states of a cell and what its edges make, of the first picture of a batch."""
    states: list[Tensor] = []
    edges: dict[str, tuple[str, Tensor]] = {}

    def keep_states(loop: nn.Module, given: tuple, made: list[Tensor]) -> None:
        states[:] = [state[0].cpu() for state in made]

    def keep_edge(name: str, given: tuple, made: Tensor) -> None:
        edges[name] = (given[1] if isinstance(given[1], str) else "blend", made[0].cpu())

    hooks = [cell.loop.register_forward_hook(keep_states)]
    for name, edge in cell.edges.items():
        if isinstance(edge, Edge):
            hooks.append(edge.register_forward_hook(lambda _, given, made, name=name: keep_edge(name, given, made)))
    try:
        yield states, edges
    finally:
        for hook in hooks:
            hook.remove()


def through_cell(
    network: nn.Module,
    data: Data,
    images: Tensor,
    choice: Any = None,
    cell: int = 0,
    channel: int | None = None,
    title: str | None = None,
) -> Figure:
    """One channel of one picture through a cell, from left to right: what the edges bring to a node, then their sum.

    All but the last two are those of `feature_maps`. channel: which; otherwise the one that differs most within the
    last node. Colours: purple below zero, orange above; every node has its own scale, so that its sum can be seen.
    """
    maps = feature_maps(network, data, images, choice, cell)
    if channel is None:
        channel = int(maps.states[-1].flatten(1).var(1).argmax())
    with style():
        inputs = [(maps.name(i), maps.states[i][channel]) for i in range(maps.inputs)]
        heights = [1 + len(inputs), *(height for entering in maps.used for height in (len(entering), 1))]
        figure, columns = stacks(heights)
        show_picture(columns[0][0], images[0])
        show_row(columns[0][1:], inputs)
        for node, entering in enumerate(maps.used, start=maps.inputs):
            terms = [(maps.label(edge, source), maps.edges[edge][1][channel]) for edge, source in entering]
            before, (total,) = columns[2 * (node - maps.inputs) + 1 :][:2]
            show_row([*before, total], [*terms, (f"= {maps.name(node)}", maps.states[node][channel])])
        figure.suptitle(title or f"Channel {channel}: what the edges bring adds up to a node", x=0.01, ha="left")
    return figure


def stacks(heights: Sequence[int]) -> tuple[Figure, list[list[Axes]]]:
    """A figure of square panels: columns of so many, from top to bottom, around one middle line."""
    across, down, top = PANEL * 1.12, PANEL + 0.45, 0.4  # inches: from panel to panel, and for the title
    width, height = across * len(heights), down * max(1, *heights) + top
    figure = Figure(figsize=(width, height), layout="none")

    def panel(column: int, place: int) -> Axes:
        bottom = (height - top) / 2 + (heights[column] / 2 - place - 1) * down + 0.03
        made = figure.add_axes(((across * (column + 0.06)) / width, bottom / height, PANEL / width, PANEL / height))
        made.axis("off")
        return made

    return figure, [[panel(column, place) for place in range(n)] for column, n in enumerate(heights)]


def show_picture(panel: Axes, image: Tensor) -> None:
    """Show a picture (C, H, W) as it is."""
    pixels = image.numpy().transpose(1, 2, 0)
    panel.imshow(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels, cmap="gray", vmin=0, vmax=255)
    panel.set_title("picture", size=12, loc="center")


def show_row(panels: Sequence[Axes], maps: Sequence[tuple[str, Tensor]]) -> None:
    """Show maps (H, W) on one scale, each under its words."""
    limit = max(float(values.abs().max()) for _, values in maps) or 1.0
    for panel, (words, values) in zip(panels, maps, strict=False):
        panel.imshow(np.asarray(values), cmap="PuOr_r", vmin=-limit, vmax=limit, interpolation="nearest")
        panel.set_title(words, size=12, loc="center")
