"""Drawings for widgets: everything in the fixed place of its space, so that nothing jumps from one to the next."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from nas_tutorial.pictures import drawing
from nas_tutorial.spaces import Architecture, Space


def picture(architecture: Architecture) -> str:
    """The drawing of an architecture; kept, as a reader goes back and forth."""
    return _picture(architecture.space, architecture.choices)


@lru_cache(maxsize=256)
def _picture(space: Space, choices: tuple[int, ...]) -> str:
    return drawing.svg(space.architecture(choices))


def mixture(
    space: Space,
    probabilities: Mapping[str, Sequence[Sequence[float]]],
    architecture: Architecture,
    layer: int | None = None,
) -> str:
    """The drawing of an epoch's probabilities, with an architecture emphasised."""
    return drawing.mixture(space, probabilities, architecture, layer).svg
