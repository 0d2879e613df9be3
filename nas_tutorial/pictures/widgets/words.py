"""What the line below a picture says of an architecture: notation, size, work, and what a table knows of it."""

import html
from collections.abc import Callable
from functools import lru_cache

import torch

from nas_tutorial import training
from nas_tutorial.measures import tables
from nas_tutorial.measures.tables import Table
from nas_tutorial.networks.costs import MultiplyAddCounter
from nas_tutorial.spaces import Architecture, Space

SIDE, SMALL_SIDE = 32, 8  # pixels


def count_parameters(architecture: Architecture) -> int:
    """Number of weights of the architecture's network for 10 classes, without the auxiliary head.

    Nothing is allocated or drawn at random.
    """
    with torch.device("meta"):
        return training.count_parameters(architecture.space.network(architecture))


def size_and_work(architecture: Architecture) -> tuple[int, int]:
    """Number of parameters, and multiply-adds of one 32×32 picture, of the network for 10 classes.

    Nothing is drawn at random.
    """
    return _measured(architecture.space, architecture.choices)


@lru_cache(maxsize=1024)
def _measured(space: Space, choices: tuple[int, ...]) -> tuple[int, int]:
    """See `size_and_work`; measured on a picture of 8×8, where all but the last layer does 1/16 of the work."""
    with torch.device("meta"):  # what the weights are does not matter, and drawing them would move torch's generator
        network = space.network(space.architecture(choices)).eval()
    network._apply(lambda weight: torch.zeros(weight.shape, dtype=weight.dtype))
    with torch.no_grad(), MultiplyAddCounter(network=network) as work:
        network(torch.zeros(1, 3, SMALL_SIDE, SMALL_SIDE))
    (last,) = (layer.weight.numel() for layer in network.head.modules() if isinstance(layer, torch.nn.Linear))
    grown = (work.multiply_adds - last) * (SIDE // SMALL_SIDE) ** 2 + last
    return training.count_parameters(network), grown


def in_notation(architecture: Architecture) -> str:
    """The architecture's notation as HTML, which may be wrapped after every node."""
    return f"<code>{html.escape(str(architecture)).replace('+', '+<wbr>')}</code>"


def in_words(
    architecture: Architecture, parameters: Callable[[Architecture], int] | None = count_parameters, work: bool = False
) -> str:
    """Notation, number of parameters and, where due, a warning, as HTML; work: with multiply-adds."""
    count = "" if parameters is None or work else f" {parameters(architecture):,} parameters."
    if work:
        size, multiply_adds = size_and_work(architecture)
        count = f" {size:,} parameters, {multiply_adds:,} multiply-adds for a picture of {SIDE}×{SIDE}."
    warning = f" {html.escape(architecture.warning)}" if architecture.warning else ""
    return f"{in_notation(architecture)}.{count}{warning}"


def table_of(space: Space) -> Table | None:
    """The table that comes with the package for this space; None where there is none."""
    return _tiny() if space.asks_like(tables.TINY_SPACE) else None


@lru_cache(maxsize=1)
def _tiny() -> Table:
    return tables.tiny()


def standing(table: Table, architecture: Architecture) -> str:
    """What a table says of an architecture: accuracy when trained alone, and rank; nothing where it is not in there."""
    if architecture not in table.index:
        return ""
    accuracy, means = table.accuracy(architecture), table.mean()
    rank, seeds = 1 + int((means > accuracy).sum()), table.runs().shape[1]
    return f" Trained alone: {100 * accuracy:.1f} % (mean of {seeds} seeds), rank {rank} of {len(table)}."
