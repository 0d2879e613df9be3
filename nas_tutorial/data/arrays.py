"""The arrays of an `.npz` file, read only after what they claim to be was checked: no pickle, no sudden gigabytes."""

import math
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)
BLOWN_UP, SMALL = 200, 1 << 26  # an array of more than so many bytes is not packed into a 200th of them
UNKNOWN_MEMORY = 8 << 30  # bytes, where the system does not tell


class TooLarge(ValueError):
    """An archive claims more memory than it should be given."""


def names_in(path: Path) -> list[str]:
    """The names of the arrays in an archive; one of `UNREADABLE` where it is none."""
    with zipfile.ZipFile(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


def read(path: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """The arrays of these names, where they are there.

    Raises `TooLarge` before any memory is taken, or one of `UNREADABLE` for what is no archive of plain arrays.
    """
    with zipfile.ZipFile(path) as archive:
        there = {name: archive.getinfo(f"{name}.npy") for name in names if f"{name}.npy" in archive.namelist()}
        for name, member in there.items():
            with archive.open(member) as file:
                check_claim(name, member, *header(file), file.tell())
        check_total(sum(member.file_size for member in there.values()))
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in there}


def header(file: Any) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an array, from the beginning of its file, which is read."""
    version = np.lib.format.read_magic(file)
    readers: dict[tuple[int, int], Callable] = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError(f"version {version} of the format is unknown")
    shape, _, kind = readers[version](file)
    return shape, kind


def check_claim(name: str, member: zipfile.ZipInfo, shape: tuple[int, ...], kind: np.dtype, begin: int) -> None:
    """Raise ValueError where an array of objects, or of another size than its file's, is claimed; see `TooLarge`."""
    if kind.hasobject:
        raise ValueError("Object arrays cannot be loaded")
    if min(shape, default=0) < 0 or math.prod(shape) * kind.itemsize != member.file_size - begin:
        raise ValueError(f"{name} claims shape {shape}, and has {member.file_size - begin} bytes")
    if member.file_size > max(SMALL, BLOWN_UP * member.compress_size):
        raise TooLarge(
            f"{name} would grow from {member.compress_size / 1e6:.1f} MB to {member.file_size / 1e6:,.0f} MB, as no "
            "pictures do: bring a file that holds some, or save it with numpy.savez, which does not compress."
        )


def check_total(size: int) -> None:
    """Raise `TooLarge` where arrays would take more than half of the memory of this machine."""
    if 2 * size > (memory := memory_of_machine()):
        raise TooLarge(
            f"its arrays need {size / 1e9:.1f} GB, more than half of the {memory / 1e9:.1f} GB of this machine: "
            "save fewer or smaller pictures."
        )


def memory_of_machine() -> int:
    """Bytes."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows
        return UNKNOWN_MEMORY
