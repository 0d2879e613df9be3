"""`python -m benchmarks.drawing`: seconds of one drawing, as after a step of a slider.

For each space an architecture in its places, a mixture with what is kept of it, a PNG of the former for a notebook, and
a miniature where the space has one cell; and the map of the toy problem, as a figure and as SVG over a ready map.
"""

from collections.abc import Callable, Iterator

import torch

from benchmarks.frame import Case, Work, case, main
from nas_tutorial import spaces
from nas_tutorial.pictures import drawing, miniature, plots, toy_map
from nas_tutorial.spaces import Architecture

COUNT = 5
XIS = (0.05, 0.2, 0.35, 0.5, 0.65)

DRAWERS: dict[str, Callable[[Architecture], object]] = {
    "architecture": drawing.svg,
    "png": lambda architecture: drawing.draw(architecture).printed("png", 96),
    "miniature": lambda architecture: miniature.miniature(architecture.cells["cell"]),
}


def drawn(space: spaces.Space, kind: str, device: str) -> Work:
    """Draw five random architectures of the space; the device plays no part."""
    generator = torch.Generator().manual_seed(0)
    architectures = [space.sample(generator) for _ in range(COUNT)]
    return lambda: [DRAWERS[kind](architecture) for architecture in architectures]


def mixed(space: spaces.Space, device: str) -> Work:
    """Draw five random mixtures, each with the architecture that is derived from it."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        tables = [space.probabilities(space.alphas(generator, 1.0)) for _ in range(COUNT)]
    return lambda: [drawing.mixture(space, table, space.derive(table)) for table in tables]


def mapped(kind: str, device: str) -> Work:
    """Draw the path of the toy search for five ξ."""
    draw = {
        "figure": lambda xi: plots.html(toy_map.paths([xi], "A path"), "A path."),
        "svg": lambda xi: toy_map.moving(xi, "A path", "A path."),
    }[kind]
    return lambda: [draw(xi) for xi in XIS]


def cases() -> Iterator[Case]:
    """One case per space and kind of drawing."""
    for name, space in spaces.BY_NAME.items():
        for kind in DRAWERS if name in ("tiny", "nasbench201") else ("architecture", "png"):
            yield case(f"drawing/{name}/{kind}", drawn, space(), kind, per=COUNT)
        yield case(f"drawing/{name}/mixture", mixed, space(), per=COUNT)
    for kind in ("figure", "svg"):
        yield case(f"drawing/toy map/{kind}", mapped, kind, per=COUNT)


if __name__ == "__main__":
    main("benchmarks.drawing", cases())
