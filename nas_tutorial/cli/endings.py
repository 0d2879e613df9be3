"""What happens to a command from outside: nobody reads its output any more, or a signal asks it to end."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any, TextIO

ASKED_TO_END = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Lasting:
    """A stream that a command outlives: what is written when nobody reads any more, as after `| head -1`, is dropped.

    So a search is not ended by the end of its reader.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or drop."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._drop()
            return len(text)

    def flush(self) -> None:
        """Flush, or drop."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._drop()

    def _drop(self) -> None:
        """Let everything from here on go nowhere, what Python writes when it ends included."""
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def lasting_streams() -> Iterator[None]:
    """Within the block stdout and stderr may lose their readers."""
    with redirect_stdout(Lasting(sys.stdout)), redirect_stderr(Lasting(sys.stderr)):
        try:
            yield
        finally:
            sys.stdout.flush()


@contextmanager
def signals_like_ctrl_c() -> Iterator[list[int]]:
    """Within the block a signal that asks for the end raises KeyboardInterrupt, so that what is kept is said.

    Yields the list of those that came. What was ignored before, as under nohup, is still ignored.
    """
    came: list[int] = []

    def stop(number: int, _: Any) -> None:
        came.append(number)
        raise KeyboardInterrupt

    before = {}
    for number in ASKED_TO_END:
        if signal.getsignal(number) == signal.SIG_DFL:
            with suppress(ValueError):  # only the main thread may
                before[number] = signal.signal(number, stop)
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
