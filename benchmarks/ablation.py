"""`python -m benchmarks.ablation`: what each part of the fast path brings to one first-order DARTS step.

Every case adds one thing to the case before it: textbook; only the gradients that a step uses; channels-last order; the
node loop (shared ReLUs and pools, scaled norms, sums in place, no zero); depthwise and pointwise convolutions in one
step, which is the fast path as searches use it.
"""

from collections.abc import Callable, Iterator

import torch
from torch import nn

from benchmarks.frame import Case, Work, case, main
from benchmarks.search_step import search_step, sizes
from nas_tutorial import spaces
from nas_tutorial.networks import fast
from nas_tutorial.networks.edges import NodeLoop

SIZES = [("C16L8B16", spaces.DARTS(16, 8), 16), ("C8L5B32", spaces.DARTS(8, 5), 32)]


def as_it_is(network: nn.Module) -> nn.Module:
    """Nothing is changed."""
    return network


def in_channels_last(network: nn.Module) -> nn.Module:
    """Weights in channels-last order."""
    return network.to(memory_format=torch.channels_last)


def with_node_loop(network: nn.Module) -> nn.Module:
    """The fast loop over nodes, with depthwise and pointwise convolutions one after the other."""
    fast.is_separable = lambda *_: False  # in the process of this case only
    for module in list(network.modules()):
        if type(getattr(module, "loop", None)) is NodeLoop:
            module.loop = fast.FastNodeLoop()
    return in_channels_last(network)


def whole(network: nn.Module) -> nn.Module:
    """The fast path."""
    return fast.speed_up(in_channels_last(network))


PARTS: dict[str, Callable[[nn.Module], nn.Module] | None] = {
    "1 textbook": None,
    "2 needed gradients": as_it_is,
    "3 channels last": in_channels_last,
    "4 node loop": with_node_loop,
    "5 depthwise and pointwise in one": whole,
}


def step(space: spaces.Space, size: int, part: str, device: str) -> Work:
    """One search step with the parts up to this one."""
    return search_step(space, size, 1, PARTS[part], device)


def cases() -> Iterator[Case]:
    """Every part in two sizes."""
    for name, space, size in SIZES:
        for part in PARTS:
            yield case(f"ablation/{name}/{part}", step, space, size, part, **sizes(space), batch=size, order=1)


if __name__ == "__main__":
    main("benchmarks.ablation", cases())
