"""`python -m benchmarks.sampling`: seconds per architecture, one by one (slow) and 64 at once (fast).

Sampled by the LSTM policies of ENAS (temperature and tanh as published), log-probabilities and entropies included.
"""

from collections.abc import Iterator

import torch

from benchmarks.frame import Case, Work, case, main
from nas_tutorial import spaces
from nas_tutorial.strategies import controller

COUNT = 64
SPACES = (spaces.ENASMacro(36, 12), spaces.ENASMicro(20, 6), spaces.Tiny())


def sampling(space: spaces.Space, at_once: int, device: str) -> Work:
    """Draw 64 architectures, `at_once` at a time."""
    policy = controller.for_space(space).to(device)
    generator = torch.Generator().manual_seed(0)

    @torch.no_grad()
    def work() -> None:
        for _ in range(COUNT // at_once):
            policy.architectures(policy.sample(at_once, generator))

    return work


def cases() -> Iterator[Case]:
    """Two cases per space."""
    for space in SPACES:
        for path, at_once in (("slow", 1), ("fast", COUNT)):
            yield case(f"sampling/{space.name}/{path}", sampling, space, at_once, batch=at_once, per=COUNT)


if __name__ == "__main__":
    main("benchmarks.sampling", cases())
