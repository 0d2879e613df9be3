"""`.npz` files of a user's own pictures: `images` (uint8, N×H×W or N×H×W×C) and `labels` (integers from 0)."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

UNREADABLE = (OSError, EOFError, ValueError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error)
SAVE_HINT = "numpy.savez(path, images=..., labels=...)"


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays `images`, `labels` and, where there is one, `class_names`."""
    try:
        with np.load(path, allow_pickle=False) as file:
            found = ", ".join(file.files) or "nothing"
            arrays = {key: file[key] for key in ("images", "labels", "class_names") if key in file.files}
    except UNREADABLE as error:
        raise ValueError(why_unreadable(path, error)) from error
    if missing := [key for key in ("images", "labels") if key not in arrays]:
        raise ValueError(f"{path}: {' and '.join(missing)} expected but only {found} found: save with {SAVE_HINT}.")
    return arrays


def why_unreadable(path: Path, error: Exception) -> str:
    """One sentence on a file that numpy could not read."""
    if "Object arrays" in str(error):
        return f"{path}: holds arrays of Python objects, plain numbers are expected: convert them with astype first."
    return f"{path}: cannot be read as an .npz file ({type(error).__name__}): save it anew with {SAVE_HINT}."
