"""Batch norm under control: its running statistics kept as they are, or the statistics of each batch used."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def frozen_statistics(network: nn.Module) -> Iterator[None]:
    """Passes inside the block leave no trace in the running statistics of batch norm."""
    norms = [m for m in network.modules() if isinstance(m, _BatchNorm)]
    tracked = [norm.track_running_stats for norm in norms]
    try:
        for norm in norms:
            norm.track_running_stats = False
        yield
    finally:
        for norm, before in zip(norms, tracked, strict=True):
            norm.track_running_stats = before


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """Batch norm uses the statistics of each batch and learns nothing from it; everything else is as in evaluation."""
    before = network.training
    network.eval()
    for module in network.modules():
        module.training = isinstance(module, _BatchNorm)
    try:
        with frozen_statistics(network):
            yield
    finally:
        network.train(before)


@contextmanager
def evaluation_mode(network: nn.Module) -> Iterator[None]:
    """Batch norm uses its moving averages, and nothing is dropped out; the mode is given back."""
    before = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(before)
