"""`python -m benchmarks.retrain_step`: seconds of one training step of a stand-alone network, slow and fast path.

Slow is NCHW with torch's own depthwise convolutions. `tiny_table` is the step of all 125 cells of the tiny space
at 10×10, as in the table that comes with the package: slow one after the other, fast 25 laid side by side (`stacking`).
"""

from collections.abc import Iterator

import torch
from torch.nn.functional import cross_entropy

from benchmarks.frame import Case, Work, case, main
from benchmarks.search_step import RECIPE, batch, sizes
from nas_tutorial import spaces
from nas_tutorial.training import optimiser_step, stacking, to_device

TABLE_SPACE = spaces.Tiny(4, 1, nodes=3)
GROUP = 25


def retrain_step(space: spaces.Space, size: int, name: str | None, fast: bool, device: str) -> Work:
    """One step of SGD on random 32×32 pictures; name: an architecture of `space.named`, None for a random one."""
    torch.manual_seed(0)
    architecture = space.named[name] if name else space.sample(torch.Generator().manual_seed(0))
    network = space.network(architecture)
    network = to_device(network, device) if fast else network.to(device)
    images, labels = batch(size, device, fast, 0)
    optimiser = RECIPE.optimiser(network.parameters())

    def work() -> None:
        optimiser_step(cross_entropy(network(images), labels), optimiser, RECIPE.clip)

    return work


def table_step(fast: bool, device: str) -> Work:
    """One step of SGD for each of the 125 cells of the tiny space."""
    torch.manual_seed(0)
    networks = [TABLE_SPACE.network(a) for a in TABLE_SPACE.enumerate()]
    if not fast:
        return one_by_one([network.to(device) for network in networks], device)
    groups = [networks[i : i + GROUP] for i in range(0, len(networks), GROUP)]
    return together([stacking.stack(group).to(device) for group in groups], device)


def one_by_one(networks: list[torch.nn.Module], device: str) -> Work:
    """A step of every network in turn."""
    images, labels = batch(64, device, False, 0, 10)
    optimisers = [RECIPE.optimiser(network.parameters()) for network in networks]

    def work() -> None:
        for network, optimiser in zip(networks, optimisers, strict=True):
            optimiser_step(cross_entropy(network(images), labels), optimiser, RECIPE.clip)

    return work


def together(groups: list[torch.nn.Module], device: str) -> Work:
    """A step of every group of stacked networks in turn."""
    images, labels = batch(64, device, False, 0, 10)
    wide = stacking.widen(images, GROUP)
    optimisers = [RECIPE.optimiser(group.parameters()) for group in groups]

    def work() -> None:
        for group, optimiser in zip(groups, optimisers, strict=True):
            optimiser.zero_grad()
            stacking.count_losses(group(wide), labels).sum().backward()
            stacking.clip_each(group, GROUP, RECIPE.clip)
            optimiser.step()

    return work


def cases() -> Iterator[Case]:
    """All cases, slow and fast."""
    darts = [("C16L8B16", spaces.DARTS(16, 8), 16, "DARTS_V2"), ("C8L5B32", spaces.DARTS(8, 5), 32, "DARTS_V2")]
    others = [spaces.ENASMacro(36, 12), spaces.ENASMicro(20, 6), spaces.get("tiny"), spaces.get("nasbench201")]
    for name, space, size, named in darts + [(space.name, space, 64, None) for space in others]:
        for path in ("slow", "fast"):
            build = (retrain_step, space, size, named, path == "fast")
            yield case(f"retrain_step/{name}/{path}", *build, **sizes(space), batch=size)
    for path in ("slow", "fast"):
        yield case(f"tiny_table/{path}", table_step, path == "fast", **sizes(TABLE_SPACE), batch=64)


if __name__ == "__main__":
    main("benchmarks.retrain_step", cases())
