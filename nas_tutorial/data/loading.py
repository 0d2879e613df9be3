"""`load`: any data set, by its name or its path."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from nas_tutorial.data import cifar10, digits, npz, strokes
from nas_tutorial.data.pictures import Data

BUILT_IN = {"digits": digits, "strokes": strokes, "cifar10": cifar10}


def load(
    name_or_path: str | Path,
    *,
    seed: int = 0,
    per_class: int | None = None,
    validation: float = 0.5,
    test_data: str | Path | None = None,
    test_per_class: int | None = None,
    root: str | Path | None = None,
) -> Data:
    """Load a data set by name ("digits", "strokes", "cifar10") or a user's own `.npz` file by its path.

    seed: decides what is drawn, and which pictures go into which split; per_class: pictures of each class for train and
    validation together; validation: their fraction for validation, 0 ≤ validation < 1; test_data: another `.npz` with
    the test pictures (own files only; without it a fifth of each class is set aside); test_per_class: pictures of each
    class for test; root: the folder where CIFAR-10 is, or is to be kept (~/.cache/nas_tutorial).
    None means "all there are", or the usual number where pictures are drawn. Test pictures depend on the seed and on
    test_per_class only. Raises FileNotFoundError, ValueError (what is wrong with a file or an argument) or
    ConnectionError (no download).
    """
    check_sizes(per_class, validation, test_per_class)
    sizes = {"seed": seed, "per_class": per_class, "validation": validation, "test_per_class": test_per_class}
    name = str(name_or_path)
    if name not in BUILT_IN:
        check_path(name_or_path)
        found = npz.load(name_or_path, test_data=test_data, **sizes)
    elif test_data is not None:
        raise ValueError(f"{name!r} brings its own test pictures: leave out test_data={str(test_data)!r}.")
    else:
        found = BUILT_IN[name].load(**sizes, **({"root": root} if name == "cifar10" else {}))
    return replace(found, origin=origin(name, test_data, sizes))


def origin(source: str, test_data: str | Path | None, sizes: dict[str, Any]) -> dict[str, Any]:
    """What a data set was loaded from, as plain values, with the sha256 sum of each file."""
    places = {"source": source, "test_data": None if test_data is None else str(test_data)}
    files = {} if source in BUILT_IN else {name: sha256(path) for name, path in places.items() if path}
    plain = {name: value.item() if hasattr(value, "item") else value for name, value in sizes.items()}  # of numpy
    return {**places, **plain, "sha256": files}


def sha256(path: str | Path) -> str:
    """The sha256 sum of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_sizes(per_class: int | None, validation: float, test_per_class: int | None) -> None:
    """Raise ValueError unless the sizes can be met by some data set."""
    for name, count in (("per_class", per_class), ("test_per_class", test_per_class)):
        if count is not None and count < 1:
            raise ValueError(f"{name} is {count}, but it counts pictures: pass 1 or more, or None for all.")
    if not 0 <= validation < 1:
        raise ValueError(f"validation is {validation}, but it is a fraction: pass 0 or more and less than 1, as 0.5.")
    if per_class == 1 and validation > 0:
        raise ValueError("per_class is 1, but train and validation both need a picture: pass 2 or more.")


def check_path(name_or_path: str | Path) -> None:
    """Raise an error unless there is a file to read."""
    path = Path(name_or_path)
    if not path.exists():
        raise FileNotFoundError(
            f"There is no file and no data set {str(name_or_path)!r}: "
            f"pass one of {', '.join(BUILT_IN)} or the path of an existing .npz file."
        )
