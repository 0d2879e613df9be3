"""Where trials run: in this process, in several processes, or on a Ray cluster."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from nas_tutorial.settings import one_of, whole_number

ENGINES = ("serial", "processes", "ray")


class Here(Executor):
    """An executor that does each job in this process when it is handed over."""

    ahead = 1
    """So many jobs at once: the result of one is there, and kept, before the next one begins."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Do a job; Ctrl-C is not held back."""
        future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this job
            future.set_exception(error)
        return future


def engine(name: str, workers: int | None = None, address: str | None = None) -> Executor:
    """An executor by the name of an engine, to be used in a `with` block, which ends its workers.

    workers: how many jobs run at once; None for one a core (ray with an address: as many as the cluster has room for).
    address: of a Ray cluster, such as "auto" or "192.168.0.1:6379"; None for one on this machine, for this block.
    Raises ValueError for another name, and where the engine cannot be had.
    """
    one_of(ENGINES, name, "The engine")
    if workers is not None:
        workers = whole_number("The number of workers", workers, least=1, most=100_000)
    if address is not None and name != "ray":
        raise ValueError(f"The address {address!r} is for the engine ray, not for {name}: leave it out, or choose ray.")
    if name == "serial":
        if workers not in (None, 1):
            raise ValueError(f"The engine serial has one worker, not {workers}: choose processes or ray for more.")
        return Here()
    if name == "processes":
        from nas_tutorial.trials.processes import Processes

        return Processes(workers)
    from nas_tutorial.trials.on_ray import OnRay

    return OnRay(workers, address)
