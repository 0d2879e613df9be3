"""A user's own pictures, whatever keeps them: read as arrays, checked, and divided into splits.

There are four forms: an `.npz` file, a folder with a subfolder of picture files for each class, a Parquet or Arrow
file with a column of pictures, and an object like torchvision's `CIFAR10`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nas_tutorial.data import arrow, folders, npz, splits
from nas_tutorial.data.pictures import Data, Split, describe

TEST_FRACTION = 0.2  # of each class, where no test file is given
PHOTOGRAPH = 24  # pixels: from this side on, pictures are mirrored, and cropped with 4 pixels of padding
Source = str | Path | Any
"""A path, or an object with `data` (N×H×W or N×H×W×C uint8), `targets` and, where there are names, `classes`."""


def load(
    source: Source,
    *,
    seed: int = 0,
    per_class: int | None = None,
    validation: float = 0.5,
    test_data: Source | None = None,
    test_per_class: int | None = None,
    side: int | None = None,
) -> Data:
    """Read pictures from a source, and test pictures from another one or a fifth of each class set aside.

    side: pixels to which pictures of folders and tables are cut and resized. `sources` are positions in the source.
    Raises FileNotFoundError, or ValueError with what is wrong in which file.
    """
    to_divide, for_test = splits.generators(seed, 2)
    pool, names = read(source, side)
    test_fraction = TEST_FRACTION if test_data is None else 0.0
    parts = splits.partition(
        pool.labels, per_class=per_class, validation=validation, test=test_fraction, generator=to_divide
    )
    other = select(pool, parts.test) if test_data is None else read_test(test_data, pool, names, side)
    test = select(other, splits.subset(other.labels, test_per_class, for_test))
    photographs = pool.images.shape[-1] >= PHOTOGRAPH
    three = (select(pool, parts.train), select(pool, parts.validation), test)
    return describe(name_of(source), three, names, flip=photographs, crop=4 if photographs else 0)


def select(split: Split, index: Tensor) -> Split:
    """The pictures of the given numbers."""
    return Split(split.images[index], split.labels[index], split.sources[index])


def name_of(source: Source) -> str:
    """What a data set is called: its file or folder without an ending, or the name of its class."""
    return Path(source).stem if isinstance(source, str | Path) else type(source).__name__


def read_arrays(source: Source, side: int | None) -> dict[str, np.ndarray]:
    """The arrays `images`, `labels` and, where there is one, `class_names` of a source."""
    if not isinstance(source, str | Path):
        return arrays_of(source)
    path = Path(source)
    if path.is_dir():
        return folders.read_arrays(path, side)
    if path.suffix in (".parquet", ".arrow"):
        return arrow.read_arrays(path, side)
    if not path.exists():
        raise FileNotFoundError(f"There is no file {str(path)!r}: pass the path of an existing .npz file.")
    if side is not None:
        raise ValueError(f"{path} keeps pictures of one size: leave out side={side}, or save it in that size.")
    return npz.read_arrays(path)


def arrays_of(pictures: Any) -> dict[str, np.ndarray]:
    """The arrays of an object like torchvision's `CIFAR10`."""
    try:
        arrays = {"images": np.asarray(pictures.data), "labels": np.asarray(pictures.targets)}
    except AttributeError as error:
        raise ValueError(
            f"{type(pictures).__name__} has no `data` and `targets`, as torchvision's CIFAR10 has: pass a path instead."
        ) from error
    return arrays | ({"class_names": np.array(pictures.classes)} if hasattr(pictures, "classes") else {})


def read(path: Source, side: int | None = None) -> tuple[Split, tuple[str, ...]]:
    """Read and check one source: all its pictures, and the names of its classes (its `class_names`, else numbers)."""
    arrays, path = read_arrays(path, side), shown(path)
    images = check_images(arrays["images"], path)
    labels = check_labels(arrays["labels"], len(images), path)
    check_no_gap(labels, path)
    pool = Split(torch.from_numpy(images), torch.from_numpy(labels), torch.arange(len(labels))[:, None])
    return pool, class_names(arrays.get("class_names"), int(labels.max()) + 1, path)


def shown(source: Source) -> str | Path:
    """How a message names a source."""
    return source if isinstance(source, str | Path) else name_of(source)


def read_test(path: Source, pool: Split, names: tuple[str, ...], side: int | None = None) -> Split:
    """Read a source of test pictures, which must fit those of the pool; a class, or all names, may be missing there."""
    arrays, path = read_arrays(path, side), shown(path)
    images = check_images(arrays["images"], path)
    labels = check_labels(arrays["labels"], len(images), path)
    if images.shape[1:] != pool.images.shape[1:]:
        given, expected = ("×".join(map(str, x.shape[1:])) for x in (images, pool.images))
        raise ValueError(f"{path}: pictures are {given}, those to train on are {expected}: bring both to one shape.")
    if labels.max() >= len(names):
        raise ValueError(f"{path}: label {labels.max()} is not among the {len(names)} classes to train on: relabel it.")
    check_same_names(arrays.get("class_names"), names, path)
    return Split(torch.from_numpy(images), torch.from_numpy(labels), torch.arange(len(labels))[:, None])


def check_images(images: np.ndarray, path: str | Path) -> np.ndarray:
    """Check pictures and put channels first: (N, H, W) or (N, H, W, C) uint8 → (N, C, H, W) uint8."""
    if images.dtype.kind == "f" and np.isnan(images).any():
        raise ValueError(f"{path}: images hold NaN, expected uint8 from 0 to 255: replace the NaN, then convert.")
    if images.dtype != np.uint8:
        raise ValueError(f"{path}: images are {images.dtype}, expected uint8: scale to 0 … 255, then astype('uint8').")
    if images.ndim not in (3, 4) or images.size == 0:
        raise ValueError(f"{path}: images have shape {images.shape}, expected N×H×W or N×H×W×C: reshape them.")
    images = images[..., None] if images.ndim == 3 else images  # (N, H, W, C)
    if images.shape[1] != images.shape[2]:
        first = images.shape[2] == images.shape[3]
        step = "move channels last with images.transpose(0, 2, 3, 1)" if first else "crop or pad them to squares"
        raise ValueError(f"{path}: images have shape {images.shape}, expected square pictures: {step}.")
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))  # (N, C, H, W)


def check_labels(labels: np.ndarray, count: int, path: str | Path) -> np.ndarray:
    """Check labels: (N,) integers from 0, one for each of `count` pictures → (N,) int64."""
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise ValueError(f"{path}: labels hold NaN, expected whole numbers from 0: remove pictures without a label.")
    if labels.dtype.kind not in "iu":
        raise ValueError(f"{path}: labels are {labels.dtype}, expected whole numbers: convert with astype('int64').")
    if labels.ndim != 1:
        raise ValueError(f"{path}: labels have shape {labels.shape}, expected (N,): flatten with labels.reshape(-1).")
    if len(labels) != count:
        raise ValueError(f"{path}: {count} images but {len(labels)} labels, expected as many: give every image one.")
    labels = labels.astype(np.int64)
    if labels.min() < 0:
        raise ValueError(f"{path}: label {labels.min()} is negative, expected 0 or more: number classes from 0.")
    return labels


def check_no_gap(labels: np.ndarray, path: str | Path) -> None:
    """Raise ValueError unless every class from 0 to the highest label has a picture, and there are two or more."""
    found = np.unique(labels)
    if len(found) <= found[-1]:
        empty = int(np.flatnonzero(found != np.arange(len(found)))[0])
        raise ValueError(f"{path}: class {empty} has no picture, expected some for 0 … {found[-1]}: renumber classes.")
    if len(found) == 1:
        raise ValueError(f"{path}: all labels are 0, expected two classes or more: add pictures of another class.")


def check_same_names(found: np.ndarray | None, names: tuple[str, ...], path: str | Path) -> None:
    """Raise ValueError where a test file names its classes otherwise than the file to train on, or in another order."""
    if found is not None and (own := tuple(map(str, found.flat))) != names:
        given, expected = (", ".join(repr(name) for name in some) for some in (own, names))
        raise ValueError(f"{path}: class_names are {given}, those to train on are {expected}: bring both to one order.")


def class_names(names: np.ndarray | None, classes: int, path: str | Path) -> tuple[str, ...]:
    """Names of the classes: those of the file, or their numbers."""
    if names is None:
        return tuple(str(k) for k in range(classes))
    if names.shape != (classes,):
        raise ValueError(f"{path}: {names.size} class_names for {classes} classes: give every class one name.")
    return tuple(str(name) for name in names)
