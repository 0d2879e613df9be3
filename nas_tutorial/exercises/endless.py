"""A limit for functions that never come to an end, so that a loop without end stops no notebook."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SECONDS = 60.0  # of computing; waiting for a busy machine does not count


class Endless(BaseException):
    """Raised in a function that computes for too long; no `except Exception` of its own can hold it."""

    def __str__(self) -> str:
        return f"it was still running after {SECONDS:g} s of computing: is there a loop that never ends?"


@contextmanager
def limit() -> Iterator[None]:
    """Raise `Endless` in the block after `SECONDS` of computing.

    Without effect on Windows, which has no such clock, and in threads other than the main one.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise Endless

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
