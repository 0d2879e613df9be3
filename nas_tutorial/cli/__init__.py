"""The command line: `nas-tutorial demo`, `search`, `retrain`, `table`, `draw`, `describe`, `replay`, `report`."""

import os
import sys
import warnings
from argparse import Namespace
from collections.abc import Sequence

from nas_tutorial.cli.arguments import parser
from nas_tutorial.cli.endings import lasting_streams, signals_like_ctrl_c

__all__ = ["main"]

OK, FAULT, STOPPED = 0, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code.

    0, 2 after an error (one line on stderr), 3 where a search or a training has diverged, 130 after Ctrl-C, 128 + its
    number after another signal. Where nobody reads the output any more, the command goes on without.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that knows ASCII only gets "\u03b1" for α, and no traceback
            stream.reconfigure(errors="backslashreplace")
    with lasting_streams():
        options = parser().parse_args(argv)
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # torch reads it when it is loaded, which the commands do
        with signals_like_ctrl_c() as signals:
            return carried_out(options, signals)


def carried_out(options: Namespace, signals: Sequence[int]) -> int:
    """Run a command, and tell in one line what ended it early; returns the exit code."""
    try:
        return run(options) or OK
    except KeyboardInterrupt as stop:
        print(f"\nStopped. {str(stop) or 'What was there before is unchanged.'}", file=sys.stderr)
        return 128 + signals[0] if signals else STOPPED
    except (ValueError, OSError) as error:
        print(f"nas-tutorial: error: {' '.join(str(error).split())}", file=sys.stderr)
        return getattr(error, "exit_status", FAULT)
    except Exception as error:  # of the program, not of what was typed
        if sys.flags.dev_mode:
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"nas-tutorial: error: {what} (unexpected; python -X dev -m nas_tutorial shows where)", file=sys.stderr)
        return FAULT


def run(options: Namespace) -> int | None:
    """Load torch and the commands, and run the one that was asked for."""
    from nas_tutorial.cli import commands
    from nas_tutorial.trials.threads import torch_threads

    with torch_threads(options.threads), warnings.catch_warnings():
        warnings.showwarning = tell
        return commands.BY_NAME[options.command](options)


def tell(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    """A warning to the user as one line, without its place in the code; those to programmers are left out."""
    from tqdm import tqdm

    if category is UserWarning:
        tqdm.write(f"nas-tutorial: note: {message}", sys.stderr)  # above a bar, where there is one
