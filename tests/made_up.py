"""Recordings of searches that never were: every kind of number that a page or a widget reads, in no time."""

import torch

from nas_tutorial.strategies.recordings import Recording
from nas_tutorial.strategies.results import Event, Sampled

SAMPLES = 4


def recording(space, strategy="enas", epochs=3, seed=0, **facts):
    """A recording with random architectures and numbers; `enas` has samples, `random` has no probabilities."""
    generator = torch.Generator().manual_seed(seed)
    events = tuple(_event(space, strategy, i + 1, epochs, generator) for i in range(epochs))
    known = {"seed": seed, "config": {"epochs": epochs}, "data": "strokes, 40 pictures", "command": "nas-tutorial …"}
    return Recording(strategy, space, events, **{**known, **facts})


def _event(space, strategy, epoch, epochs, generator):
    loss, train, validation = (_number(generator) for _ in range(3))
    return Event(
        epoch,
        epochs,
        loss,
        train,
        validation,
        space.sample(generator),
        seconds=float(epoch),
        probabilities=None if strategy == "random" else _tables(space, strategy, generator),
        info={"reward": _number(generator)} if strategy == "enas" else {},
        samples=tuple(_sample(space, generator) for _ in range(SAMPLES)) if strategy == "enas" else (),
    )


def _tables(space, strategy, generator):
    """softmax(α) of random α, or the random policy of random logits, rounded as a recording is."""
    if strategy == "darts":
        tables = space.probabilities(space.alphas(generator, scale=2.0))
        return {name: _rounded(table.tolist()) for name, table in tables.items()}
    rows = [(2 * torch.randn(len(d.options), generator=generator)).softmax(0).tolist() for d in space.decisions]
    return {name: _rounded(table) for name, table in space.tabulate(rows).items()}


def _sample(space, generator):
    numbers = {name: _number(generator) for name in ("reward", "accuracy", "entropy")}
    return Sampled(space.sample(generator).choices, log_prob=-5 * _number(generator), **numbers)


def _number(generator):
    return float(f"{float(torch.rand((), generator=generator)):.4g}")


def _rounded(table):
    return [[float(f"{p:.4g}") for p in row] for row in table]
