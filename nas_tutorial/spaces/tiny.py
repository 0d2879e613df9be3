"""The tiny space: three edges with five operations each, 125 cells: small enough to train them all."""

from dataclasses import dataclass
from typing import ClassVar

from nas_tutorial.networks import ops
from nas_tutorial.spaces.base import Cells, Channels, Nodes
from nas_tutorial.spaces.nasbench201 import OneCellSpace


@dataclass(frozen=True)
class Tiny(OneCellSpace):
    """A cell of `nodes` nodes in a network of `cells` such cells, all equally wide and without a reduction.

    The stem is a 1×1 convolution: only the cell can see neighbouring pixels.
    """

    channels: Channels = 8
    cells: Cells = 1
    nodes: Nodes = 3
    operations: tuple[str, ...] = tuple(ops.TINY)

    fixed_kernel: ClassVar[int] = 1
    name: ClassVar[str] = "tiny"
    table: ClassVar[dict[str, ops.Builder]] = ops.TINY
    profiles: ClassVar[dict[str, dict[str, int]]] = {
        "small": {"channels": 8, "cells": 1},
        "colab": {"channels": 16, "cells": 2},
        "paper": {"channels": 16, "cells": 3},
    }

    @property
    def widths(self) -> tuple[int, ...]:
        return (self.channels,)

    @property
    def cells_per_stage(self) -> int:
        """All cells are in one stage."""
        return self.cells
