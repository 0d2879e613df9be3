"""`python -m benchmarks.search_step`: seconds of one search step (α and weights), textbook (slow) and ours (fast).

ENAS cases are one step of the shared weights (a child step) on one fixed architecture; `alone` is the same
architecture as a stand-alone network. Pictures are random, 32×32.
"""

from collections.abc import Callable, Iterator

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from benchmarks import textbook
from benchmarks.frame import Case, Work, case, main
from nas_tutorial import spaces
from nas_tutorial.strategies.gradients import Batch, Bilevel, VirtualStep, first_order, unrolled
from nas_tutorial.training import Recipe, optimiser_step, to_device

Prepare = Callable[[nn.Module], nn.Module]

RECIPE = Recipe(learning_rate=0.025)
PACKAGE = {1: first_order, 2: unrolled}
TEXTBOOK = {1: textbook.first_order, 2: textbook.second_order}


def batch(size: int, device: str, channels_last: bool, seed: int, side: int = 32) -> Batch:
    """Random pictures (size, 3, side, side), in this memory order, and labels (size,)."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(size, 3, side, side, generator=generator)
    labels = torch.randint(10, (size,), generator=generator)
    order = torch.channels_last if channels_last else torch.contiguous_format
    return images.to(device, memory_format=order), labels.to(device)


def bilevel(space: spaces.Space, prepare: Prepare | None, device: str) -> Bilevel:
    """A supernet with seeded weights, changed by `prepare`, and α."""
    torch.manual_seed(0)
    network = space.supernet().to(device)
    network = prepare(network) if prepare else network
    alphas = space.alphas(torch.Generator().manual_seed(0))
    return Bilevel(space, network, {k: a.detach().to(device).requires_grad_() for k, a in alphas.items()})


def search_step(space: spaces.Space, size: int, order: int, prepare: Prepare | None, device: str) -> Work:
    """One α step and one step of the weights; `size` pictures in each batch.

    prepare: makes the network fast; with it, each step computes only the gradients it uses. None is the textbook.
    """
    problem = bilevel(space, prepare, device)
    first = next(w for w in problem.weights.values() if w.ndim == 4 and w.shape[1] > 1)
    channels_last = first.is_contiguous(memory_format=torch.channels_last) and not first.is_contiguous()
    train, validation = (batch(size, device, channels_last, seed) for seed in (0, 1))
    weights = RECIPE.optimiser(problem.network.parameters())
    alpha = torch.optim.Adam(problem.alphas.values(), 3e-4, betas=(0.5, 0.999), weight_decay=1e-3)
    estimate = (PACKAGE if prepare else TEXTBOOK)[order]

    def work() -> None:
        for name, gradient in estimate(problem, train, validation, VirtualStep(0.025)).items():
            problem.alphas[name].grad = gradient
        alpha.step()
        used = {name: a.detach() for name, a in problem.alphas.items()} if prepare else problem.alphas
        loss = cross_entropy(problem.logits(train[0], alphas=used), train[1])
        optimiser_step(loss, weights, RECIPE.clip)

    return work


def child_step(space: spaces.Space, size: int, path: str, device: str) -> Work:
    """One weight step on one architecture: in the "slow" or "fast" supernet, or "alone" in its own (fast) network."""
    torch.manual_seed(0)
    architecture = space.sample(torch.Generator().manual_seed(0))
    network = space.network(architecture, evaluation=False) if path == "alone" else space.supernet()
    network = network.to(device) if path == "slow" else to_device(network, device)
    images, labels = batch(size, device, path != "slow", 0)
    optimiser = RECIPE.optimiser(network.parameters())

    def work() -> None:
        optimiser_step(cross_entropy(network(images, architecture), labels), optimiser, RECIPE.clip)

    return work


def cases() -> Iterator[Case]:
    """All cases: DARTS in two sizes and two orders, the two spaces of one cell, ENAS macro and micro."""
    searches = [("C16L8B16", spaces.DARTS(16, 8), 16, order) for order in (1, 2)]
    searches += [("C8L5B32", spaces.DARTS(8, 5), 32, order) for order in (1, 2)]
    searches += [("tiny", spaces.get("tiny"), 64, 1), ("nasbench201", spaces.get("nasbench201"), 64, 1)]
    for name, space, size, order in searches:
        for path in ("slow", "fast"):
            build = (search_step, space, size, order, to_device if path == "fast" else None)
            yield case(f"search_step/{name}/order {order}/{path}", *build, **sizes(space), batch=size, order=order)
    for space in (spaces.ENASMacro(36, 12), spaces.ENASMicro(20, 6)):
        for path in ("slow", "fast", "alone"):
            yield case(f"child_step/{space.name}/{path}", child_step, space, 64, path, **sizes(space), batch=64)


def sizes(space: spaces.Space) -> dict[str, int]:
    """Channels C and number of layers or cells of a space."""
    given = space.sizes
    return {
        "C": given["channels"],
        "layers": next(given[k] for k in ("layers", "cells", "cells_per_stage") if k in given),
    }


if __name__ == "__main__":
    main("benchmarks.search_step", cases())
