"""A Ray cluster as an executor: the machines of a laboratory or a cloud, or this one."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from functools import partial
from typing import Any

INSTALL = 'pip install "nas_tutorial[cluster]"'


class OnRay(Executor):
    """An executor whose jobs are tasks of Ray, one core each; one whose machine dies raises BrokenExecutor.

    workers: how many at once; None for as many as there is room for. address: of a cluster, on whose machines this
    package is installed; None for a Ray of this machine alone. A Ray that this process uses already is used, and left.
    Raises ValueError where Ray is not installed, or cannot be reached or started.
    """

    def __init__(self, workers: int | None = None, address: str | None = None):
        self._ray = _imported()
        self._own = not self._ray.is_initialized()
        if self._own:
            _connect(self._ray, workers, address)
        self.ahead = workers or 1000
        self._task = self._ray.remote(_call).options(num_cpus=1, max_retries=0)  # `running.run` counts the tries
        self._latest: tuple[Any, Any] = (None, None)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Hand a job to the cluster."""
        future = Future()
        future.ref = self._task.remote(self._function(fn), args, kwargs)
        future.ref.future().add_done_callback(partial(self._over, future))
        return future

    def _function(self, function: Callable[..., Any]) -> Any:
        """A function in the cluster's memory, once for many jobs: it may carry all pictures."""
        if self._latest[0] is not function:
            self._latest = function, self._ray.put(function)
        return self._latest[1]

    def _over(self, future: Future, done: Future) -> None:
        """Pass on what came of a task, with the error of the job itself, or of its worker's end."""
        if not future.set_running_or_notify_cancel():
            return
        match done.exception():
            case None:
                future.set_result(done.result())
            case self._ray.exceptions.RayTaskError(cause=cause):
                future.set_exception(cause)
            case error:
                future.set_exception(BrokenExecutor(str(error).strip().split("\n")[0]))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster, which ends the jobs that are not done; a Ray that was there before stays."""
        self._latest = (None, None)
        if self._own:
            self._ray.shutdown()


def _call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Do a job on some machine."""
    return function(*args, **kwargs)


def _imported() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else Ray reports to its makers
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise ValueError(f"The engine ray needs Ray, which is not installed: {INSTALL}.") from error
    return ray


def _connect(ray: Any, workers: int | None, address: str | None) -> None:
    """Join the cluster at an address, or begin one on this machine with so many workers."""
    quiet, before = {"log_to_driver": False, "logging_level": "ERROR"}, signal.getsignal(signal.SIGTERM)
    try:
        if address is None:
            ray.init(address="local", num_cpus=workers, include_dashboard=False, **quiet)
        else:
            ray.init(address=address, **quiet)
    except Exception as error:  # noqa: BLE001 - Ray raises many kinds, Exception itself among them
        why = " ".join(str(error).split())
        what = f"Ray cannot be reached at {address!r}" if address else "Ray could not be started on this machine"
        raise ValueError(
            f"{what} ({why}): begin one yourself, as docs/cluster.md shows, and give its --address."
        ) from error
    finally:
        with suppress(ValueError):  # only the main thread may
            signal.signal(signal.SIGTERM, before)  # Ray puts its own in place of the caller's
