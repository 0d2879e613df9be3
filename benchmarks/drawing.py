"""`python -m benchmarks.drawing`: seconds of one drawing, each in full by Graphviz (slow) and as a miniature (fast).

Only one-cell spaces have miniatures; the others have a slow case only, a network per drawing.
"""

from collections.abc import Iterator

import torch

from benchmarks.frame import Case, Work, case, main
from nas_tutorial import spaces
from nas_tutorial.pictures import drawing, miniature
from nas_tutorial.spaces import Architecture

SMALL = ("tiny", "nasbench201")
COUNT = 5


def drawn(space: spaces.Space, small: bool, device: str) -> Work:
    """Draw five random architectures of the space; the device plays no part."""
    generator = torch.Generator().manual_seed(0)
    architectures = [space.sample(generator) for _ in range(COUNT)]
    return lambda: [draw_one(architecture, small) for architecture in architectures]


def draw_one(architecture: Architecture, small: bool) -> str:
    """One drawing as SVG."""
    return miniature.miniature(architecture.cells["cell"]) if small else drawing.svg(architecture)


def cases() -> Iterator[Case]:
    """One case per space, two where there are miniatures."""
    for name, space in spaces.BY_NAME.items():
        for path in ("slow", "fast") if name in SMALL else ("slow",):
            yield case(f"drawing/{name}/{path}", drawn, space(), path == "fast", per=COUNT)


if __name__ == "__main__":
    main("benchmarks.drawing", cases())
