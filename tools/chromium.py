"""A Chromium without a window, wherever the machine has one."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


def executable() -> str | None:
    """Return the program: the one that CHROMIUM names, else the first found; None where there is none."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def browser() -> Iterator[Any]:
    """Start a browser of playwright and close it; RuntimeError where no program is found."""
    from playwright.sync_api import sync_playwright

    program = executable()
    if program is None:
        raise RuntimeError(f"No Chromium was found ({', '.join(NAMES)}): install one, or name it in CHROMIUM.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield chromium
        chromium.close()
