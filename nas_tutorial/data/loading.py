"""`load`: any data set, by its name or its path."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from nas_tutorial.data import cifar10, digits, own, strokes
from nas_tutorial.data.pictures import Data
from nas_tutorial.settings import checked, shown, whole_number

BUILT_IN = {"digits": digits, "strokes": strokes, "cifar10": cifar10}


def load(
    name_or_path: str | Path | Any,
    *,
    seed: int = 0,
    per_class: int | None = None,
    validation: float = 0.5,
    test_data: str | Path | Any | None = None,
    test_per_class: int | None = None,
    root: str | Path | None = None,
    side: int | None = None,
) -> Data:
    """Load a data set by name ("digits", "strokes", "cifar10"), or a user's own pictures by their path.

    A path leads to an `.npz` file, to a folder with a subfolder of pictures for each class, or to a `.parquet` or
    `.arrow` file as the Hugging Face Hub has them. An object like torchvision's `CIFAR10` may stand in its place.

    seed: decides what is drawn, and which pictures go into which split; per_class: pictures of each class for train and
    validation together; validation: their fraction for validation, 0 ≤ validation < 1; test_data: another such file or
    folder with the test pictures (own pictures only; without it a fifth of each class is set aside); test_per_class:
    pictures of each class for test; root: the folder where CIFAR-10 is, or is to be kept (~/.cache/nas_tutorial); side:
    pixels to which the pictures of a folder or a table are cut and resized.
    None means "all there are", or the usual number where pictures are drawn. Test pictures depend on the seed and on
    test_per_class only. Raises FileNotFoundError, ValueError (what is wrong with a file or an argument) or
    ConnectionError (no download).
    """
    whole_number("seed", seed, 0, 2**63 - 1)
    check_sizes(per_class, validation, test_per_class, side)
    sizes = {"seed": seed, "per_class": per_class, "validation": validation, "test_per_class": test_per_class}
    if not isinstance(name_or_path, str | Path):
        return own.load(name_or_path, test_data=test_data, side=side, **sizes)
    name = str(name_or_path)
    if name not in BUILT_IN:
        check_path(name_or_path)
        found = own.load(name_or_path, test_data=test_data, side=side, **sizes)
    elif test_data is not None:
        raise ValueError(f"{name!r} brings its own test pictures: leave out test_data={str(test_data)!r}.")
    elif side is not None:
        raise ValueError(f"{name!r} has pictures of one size: leave out side={side}.")
    else:
        found = BUILT_IN[name].load(**sizes, **({"root": root} if name == "cifar10" else {}))
    return replace(found, origin=origin(name, test_data, sizes | ({} if side is None else {"side": side})))


def origin(source: str, test_data: str | Path | None, sizes: dict[str, Any]) -> dict[str, Any]:
    """What a data set was loaded from, as plain values, with the sha256 sum of each file."""
    places = {"source": source, "test_data": None if test_data is None else str(test_data)}
    files = {} if source in BUILT_IN else {name: sha256(path) for name, path in places.items() if path}
    plain = {name: value.item() if hasattr(value, "item") else value for name, value in sizes.items()}  # of numpy
    return {**places, **plain, "sha256": files}


def sha256(path: str | Path) -> str:
    """The sha256 sum of a file, in hexadecimal; of a folder, that of the names and sums of all files in it."""
    path = Path(path)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        listed = "".join(f"{sha256(file)} {file.relative_to(path).as_posix()}\n" for file in files)
        return hashlib.sha256(listed.encode()).hexdigest()
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_sizes(per_class: int | None, validation: float, test_per_class: int | None, side: int | None) -> None:
    """Raise ValueError unless the sizes can be met by some data set."""
    if side is not None and not 4 <= whole_number("side", side) <= 512:
        raise ValueError(f"side is {side}, but it is the height and width of a picture: pass 4 to 512 pixels.")
    for name, count in (("per_class", per_class), ("test_per_class", test_per_class)):
        if count is not None and whole_number(name, count) < 1:
            raise ValueError(f"{name} is {count}, but it counts pictures: pass 1 or more, or None for all.")
    if not 0 <= checked("validation", validation, float) < 1:
        raise ValueError(f"validation is {validation}, but it is a fraction: pass 0 or more and less than 1, as 0.5.")
    if per_class == 1 and validation > 0:
        raise ValueError("per_class is 1, but train and validation both need a picture: pass 2 or more.")


def check_path(name_or_path: str | Path) -> None:
    """Raise an error unless there is a file to read."""
    if not isinstance(name_or_path, str | Path) or not str(name_or_path).strip():
        raise ValueError(
            f"The data are {shown(name_or_path)}; give one of {', '.join(BUILT_IN)} or the path of a .npz file."
        )
    path = Path(name_or_path)
    if not path.exists():
        raise FileNotFoundError(
            f"There is no file and no data set {str(name_or_path)!r}: "
            f"pass one of {', '.join(BUILT_IN)} or the path of an .npz, .parquet or .arrow file or of a folder."
        )
