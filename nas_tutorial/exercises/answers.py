"""What a student's function did while a test ran it: whether the fault is in it, or in what it returned."""

import inspect
import traceback
from collections.abc import Callable, Iterator
from functools import update_wrapper
from types import CodeType
from typing import Any

from nas_tutorial.settings import shown

NOTHING = object()


class Watched:
    """A function that remembers what it returned last; else it is the same."""

    def __init__(self, function: Callable[..., Any]):
        update_wrapper(self, function)
        self.function, self.returned = function, NOTHING

    def __call__(self, *args: Any, **named: Any) -> Any:
        self.returned = NOTHING
        self.returned = self.function(*args, **named)
        return self.returned

    def fault(self, error: BaseException, reference: Callable[..., Any]) -> str:
        """What went wrong in words: the function stopped, or it returned what a test could not go on with."""
        raised = f"{type(error).__name__}: {error}"
        if self.returned is NOTHING or self.is_in(error):
            return f"it stops with {raised}{self.line_of(error)}"
        kind = inspect.signature(reference).return_annotation
        expected = "" if kind is inspect.Signature.empty else f", but {inspect.formatannotation(kind)} is expected"
        if self.returned is None:
            return f"it returns nothing{expected}; is there a `return`?"
        got = f"{shown(self.returned)}, which is of the type {type(self.returned).__name__}"
        return f"it returns {got}{expected} ({raised})"

    def line_of(self, error: BaseException) -> str:
        """In which line of the function, or of one written in it, an error was raised; nothing where it is unknown."""
        lines = [line for line in self.lines_in(error) if line]
        return f" (in your line `{lines[-1]}`)" if lines else ""

    def is_in(self, error: BaseException) -> bool:
        """Whether an error was raised while code of the function, or of a function written in it, was running."""
        return bool(self.lines_in(error))

    def lines_in(self, error: BaseException) -> list[str | None]:
        """The lines of the function, and of those written in it, through which an error came."""
        own = set(codes(getattr(self.function, "__code__", None)))
        frames = traceback.walk_tb(error.__traceback__), traceback.extract_tb(error.__traceback__)
        return [text.line for (frame, _), text in zip(*frames, strict=True) if frame.f_code in own]


def codes(code: CodeType | None) -> Iterator[CodeType]:
    """A function's code, and that of the functions written in it."""
    if code is not None:
        yield code
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                yield from codes(constant)
