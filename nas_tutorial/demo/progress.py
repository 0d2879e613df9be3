"""Bars that move all the time, within an epoch too."""

from collections.abc import Iterator
from typing import Any

from tqdm import tqdm

from nas_tutorial.networks.costs import MultiplyAddCounter
from nas_tutorial.strategies.results import Event
from nas_tutorial.strategies.searching import Search

LOOK = "{desc} {percentage:3.0f}%|{bar}| {n:.0f}/{total} {unit} [{elapsed}<{remaining}{postfix}]"


class Bar:
    """A bar over epochs (or trainings) that creeps forward with each pass through a network.

    How many passes an epoch takes is learnt from the first one; until then the bar just counts them.
    """

    def __init__(self, total: int, label: str, unit: str = "epochs", done: int = 0, **more: Any):
        look = {"bar_format": LOOK, "mininterval": 0.3, "smoothing": 0}
        self.tqdm = tqdm(total=total, initial=done, desc=label, unit=unit, **look, **more)
        self.done, self.passes, self.passes_per_step = done, 0, 0

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self.tqdm.close()

    def tick(self, passes: int = 1) -> None:
        """Some passes through a network are over."""
        self.passes += passes
        self.tqdm.set_postfix_str(f"batch {self.passes}", refresh=False)
        part = min(self.passes / self.passes_per_step, 1) if self.passes_per_step else 0
        self.tqdm.update(min(self.done + part, self.tqdm.total) - self.tqdm.n)

    def step(self) -> None:
        """One epoch is over."""
        self.done, self.passes_per_step, self.passes = self.done + 1, self.passes, 0
        self.tqdm.update(self.done - self.tqdm.n)

    def restart(self) -> None:
        """All begins anew."""
        self.done, self.passes = 0, 0
        self.tqdm.update(-self.tqdm.n)


def followed(run: Search, bar: Bar, work: MultiplyAddCounter) -> Iterator[Event]:
    """The events of a search, each printed; `work` counts inside the search and ticks the bar."""
    while True:
        with work:
            event = next(run, None)
        if event is None:
            return
        bar.step()
        tqdm.write(str(event))
        yield event
