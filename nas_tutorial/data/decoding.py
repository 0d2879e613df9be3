"""Picture files (PNG, JPEG, …) as one array: all grey or all in colour, all of one square size."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

GREY = ("1", "L", "LA")
UNREADABLE = (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError)


def decode(pictures: Iterable[tuple[str, Path | bytes]], side: int | None = None) -> np.ndarray:
    """Decode pictures, each with a name for messages: (N, side, side, C) uint8, C = 1 where all are grey, else 3.

    side: pixels; each picture is resized until its shorter side has so many, and the middle is cut out. None: they are
    taken as they are. Raises ValueError for what is no picture, has more than 8 bits a colour, is no square, or has
    another size than the first.
    """
    opened = [(name, opened_as(name, content, side)) for name, content in pictures]
    if not opened:
        return np.zeros((0, 1, 1, 3), np.uint8)
    mode = "L" if all(picture.mode in GREY for _, picture in opened) else "RGB"
    first = opened[0][1].size
    for name, picture in opened:
        check_size(name, picture.size, first)
    arrays = [np.asarray(picture.convert(mode)).reshape(first[1], first[0], -1) for _, picture in opened]
    return np.stack(arrays)  # (N, side, side, C)


def opened_as(name: str, content: Path | bytes, side: int | None) -> Image.Image:
    """One picture in its own colours, resized where a side is given; ValueError where it cannot be read."""
    try:
        with Image.open(BytesIO(content) if isinstance(content, bytes) else content) as file:
            file.load()
            picture = file.convert("RGBA") if file.mode == "P" else file.copy()
    except UNREADABLE as error:
        raise ValueError(
            f"{name}: cannot be read as a picture ({type(error).__name__}): replace or remove it."
        ) from error
    if picture.mode.startswith(("I", "F")):
        raise ValueError(f"{name}: has more than 8 bits a pixel (mode {picture.mode}): save it with 8, as PNG or JPEG.")
    return picture if side is None else middle(picture, side)


def middle(picture: Image.Image, side: int) -> Image.Image:
    """The square in the middle of a picture, resized to side × side pixels."""
    width, height = picture.size
    edge = min(width, height)
    left, top = (width - edge) // 2, (height - edge) // 2
    return picture.crop((left, top, left + edge, top + edge)).resize((side, side), Image.Resampling.BILINEAR)


def check_size(name: str, size: tuple[int, int], first: tuple[int, int]) -> None:
    """Raise ValueError unless a picture is a square, as large as the first one."""
    width, height = size
    if width == height and size == first:
        return
    expected = f"{first[0]}×{first[1]} as the first one" if width == height else "a square"
    raise ValueError(
        f"{name}: is {width}×{height} pixels, expected {expected}: give a side (--side 32) to cut and resize all."
    )
