"""Processes that work for this one: a dead one takes a single job with it, and none outlives this one."""

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, suppress
from functools import lru_cache
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any


# --- one process ------------------------------------------------------------------------------------------------------
class Worker:
    """A process that does one job at a time, and ends with this one, however that ends.

    begin: what it does first, with these arguments.
    """

    def __init__(self, begin: Callable[..., None] | None = None, *arguments: Any):
        context = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold
        other_end, self._link = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(1, context, initializer=_first, initargs=(other_end, begin, arguments))

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future:
        """Begin a job; where the process dies, the future raises BrokenProcessPool."""
        return self._pool.submit(work, *arguments)

    def end(self, at_once: bool = False) -> None:
        """End the process, at once or after its job."""
        if at_once:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._link.close()
        self._pool.shutdown()
        self._link.close()


def _first(link: Connection, begin: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    end_with(link)
    if begin:
        begin(*arguments)


def end_with(link: Connection) -> None:
    """Let this process end when the other end of a pipe is closed, as it is when the first process is gone.

    Ctrl-C is left to the first process, which closes that end.
    """

    def watch() -> None:
        with suppress(EOFError, OSError):
            link.recv()
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True).start()


# --- several processes ------------------------------------------------------------------------------------------------
class Processes(Executor):
    """An executor of several processes; one that dies is replaced, and only its job raises BrokenProcessPool.

    workers: how many; None for one a core. A `with` block waits for its jobs, but is left at once after an error or
    Ctrl-C.
    """

    def __init__(self, workers: int | None = None):
        workers = workers or os.cpu_count() or 1
        self.ahead = 2 * workers
        self._threads = ThreadPoolExecutor(workers)  # each of them waits for a process
        self._all: set[Worker] = set()
        self._free: SimpleQueue[Worker | None] = SimpleQueue()
        self._latest: tuple[Any, bytes] = (None, b"")
        for _ in range(workers):
            self._free.put(None)  # a process begins with its first job

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Queue a job; ValueError where it cannot be sent to another process."""
        try:  # by value: multiprocessing would share tensors as open files, of which there may be few
            packed = self._function(fn), pickle.dumps((args, kwargs))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise ValueError(
                f"{fn!r} and its arguments cannot be sent to another process ({error}): define the function at the top "
                "of a module, or use the engine serial."
            ) from error
        return self._threads.submit(self._carried_out, packed)

    def _function(self, function: Callable[..., Any]) -> bytes:
        """A function as bytes, made once for many jobs: it may carry all pictures."""
        if self._latest[0] is not function:
            self._latest = function, pickle.dumps(function)
        return self._latest[1]

    def _carried_out(self, packed: tuple[bytes, bytes]) -> Any:
        worker = self._free.get() or Worker()
        self._all.add(worker)
        try:
            return worker.submit(_unpacked, *packed).result()
        except BrokenProcessPool:
            self._all.discard(worker)
            worker.end(at_once=True)
            worker = None
            raise
        finally:
            self._free.put(worker)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End all processes, after their jobs or, with `cancel_futures` and without `wait`, at once."""
        at_once = cancel_futures and not wait
        self._threads.shutdown(wait=not at_once, cancel_futures=cancel_futures)
        with ExitStack() as ends:  # a Ctrl-C in the midst of one leaves none of the others out
            for worker in list(self._all):
                ends.callback(worker.end, at_once)

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        self.shutdown(wait=not failure, cancel_futures=bool(failure))


_loads = lru_cache(maxsize=1)(pickle.loads)
"""A function from its bytes, made once in a process for many jobs."""


def _unpacked(function: bytes, arguments: bytes) -> Any:
    """Do a job in a working process; both come from the process that began this one."""
    args, kwargs = pickle.loads(arguments)
    return _loads(function)(*args, **kwargs)
