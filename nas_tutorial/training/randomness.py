"""torch's default generators, used for a while and given back as they were."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

RandomState = tuple[Tensor, list[Tensor]]
"""States of torch's default generators: on the CPU, and on every GPU."""


@contextmanager
def seeded(seed: int) -> Iterator[torch.Generator]:
    """Seed torch's default generator inside the block, and hand out one more generator for the data.

    Behind the block the default generator is as it was.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield torch.Generator().manual_seed(seed)


def random_state() -> RandomState:
    """The present state of torch's default generators."""
    return torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []


def set_random_state(state: RandomState) -> None:
    """Put torch's default generators into this state; states of GPUs that this machine lacks are left out."""
    cpu, gpus = state
    torch.set_rng_state(cpu)
    for device, gpu in zip(range(torch.cuda.device_count()), gpus, strict=False):
        torch.cuda.set_rng_state(gpu, device)
