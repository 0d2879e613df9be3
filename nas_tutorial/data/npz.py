"""`.npz` files of a user's own pictures: `images` (uint8, N×H×W or N×H×W×C) and `labels` (integers from 0)."""

from pathlib import Path

import numpy as np

from nas_tutorial.data import arrays

SAVE_HINT = "numpy.savez(path, images=..., labels=...)"


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays `images`, `labels` and, where there is one, `class_names`."""
    try:
        found = ", ".join(arrays.names_in(path)) or "nothing"
        read_in = arrays.read(path, ("images", "labels", "class_names"))
    except arrays.TooLarge as error:
        raise ValueError(f"{path}: {error}") from error
    except arrays.UNREADABLE as error:
        raise ValueError(why_unreadable(path, error)) from error
    if missing := [key for key in ("images", "labels") if key not in read_in]:
        raise ValueError(f"{path}: {' and '.join(missing)} expected but only {found} found: save with {SAVE_HINT}.")
    return read_in


def why_unreadable(path: Path, error: Exception) -> str:
    """One sentence on a file that numpy could not read."""
    if "Object arrays" in str(error):
        return f"{path}: holds arrays of Python objects, plain numbers are expected: convert them with astype first."
    return f"{path}: cannot be read as an .npz file ({type(error).__name__}): save it anew with {SAVE_HINT}."
