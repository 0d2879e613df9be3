"""The network of an architecture of the micro space that is trained from scratch; its supernet is in `enas_micro`.

What differs from the form that shares weights: reduction cells do not halve their input beforehand, but have stride 2
where they read an input; loose ends are concatenated and keep their channels; the second input of every cell goes
through a 1×1 convolution of its own; drop path grows with depth; there is an auxiliary head. With the published cells
and sizes (36 channels, 15 cells) it has 3,894,372 weights without that head, as many as the official code.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from nas_tutorial.networks import ops
from nas_tutorial.networks.edges import Candidates, DagCell, Edge
from nas_tutorial.spaces.base import Form, Space
from nas_tutorial.spaces.darts import KINDS, AuxiliaryHead, CellChain


class FinalMicroCell(DagCell):
    """Two inputs, nodes of two branches each; output: the loose ends side by side, `width` channels.

    inputs: channels of the inputs. after_reduction: whether the first input is twice as large as the second.
    drop_share: see `Edge`. In TensorFlow, windows of stride 2 lie one pixel further down and right.
    """

    def __init__(
        self,
        space: Space,
        kind: str,
        inputs: tuple[int, int],
        channels: int,
        after_reduction: bool,
        candidates: Candidates,
        drop_share: float,
    ):
        super().__init__()
        self.kind, self.incoming = kind, space.incoming
        self.calibrate = nn.ModuleList(
            [ops.calibration(inputs[0], channels, after_reduction), ops.calibration(inputs[1], channels, False)]
        )
        self.base = ops.relu_conv(channels, channels, 1)  # of the second input
        self.edges, self.loose = nn.ModuleDict(), nn.ModuleDict()
        for name, source in (branch for node in self.incoming for branch in node):
            for op in candidates(kind, name, space.operations):
                share = 0.0 if op == "skip_connect" else drop_share
                self.edges[name] = Edge({op: space.table[op](channels, self.stride(source), True)}, share)
        for state in range(space.nodes + 2):
            if candidates(kind, f"out<{state}", ("conv_1x1",)):
                self.loose[str(state)] = ops.plain_skip(channels, self.stride(state), True)
        self.width = len(self.loose) * channels

    def stride(self, state: int) -> int:
        """2 for what reads an input of a reduction cell, else 1."""
        return 2 if self.kind == "reduce" and state < 2 else 1

    def forward(self, inputs: list[Tensor], active: Mapping[str, str | Tensor]) -> Tensor:
        """Two tensors (B, ·, H, W) → (B, width, H, W), or half of H and W in a reduction cell."""
        before, last = (calibrate(x) for calibrate, x in zip(self.calibrate, inputs, strict=True))
        states = self.node_states([before, self.base(last)], active)  # (B, channels, H, W) each
        return torch.cat([end(states[int(state)]) for state, end in self.loose.items()], dim=1)


class FinalMicroNetwork(CellChain):
    """Stem of 3·channels → cells + 2 cells → ReLU, global average pool, dropout, linear without bias.

    The auxiliary head, behind the cell after the second reduction, is that of DARTS: the official one has no bias, and
    averages over 2×2 pixels where this one has a single pixel left.
    """

    def __init__(self, space: Space, candidates: Candidates, form: Form):
        super().__init__()
        reductions = space.cells // 3, 2 * (space.cells // 3) + 1
        channels, total, self.auxiliary_cell = space.channels, space.cells + 2, reductions[1] + 1
        self.stem = ops.conv_norm(form.image_channels, 3 * channels, 3)
        widths, self.cells = (3 * channels, 3 * channels), nn.ModuleList()
        for i in range(total):
            reduces = i in reductions
            channels *= 2 if reduces else 1
            sizes = widths, channels, i - 1 in reductions
            cell = FinalMicroCell(space, KINDS[reduces], *sizes, candidates, drop_share=(i + 1) / total)
            self.cells.append(cell)
            widths = widths[1], cell.width
            if i == self.auxiliary_cell:
                self.auxiliary = AuxiliaryHead(cell.width, form.classes)
        self.head = ops.classifier(widths[1], form.classes, form.dropout, bias=False, relu=nn.ReLU())
