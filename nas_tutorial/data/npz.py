"""A user's own pictures: an `.npz` file with `images` (uint8, N×H×W or N×H×W×C) and `labels` (integers from 0)."""

import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nas_tutorial.data import splits
from nas_tutorial.data.pictures import Data, Split, describe

TEST_FRACTION = 0.2  # of each class, where no test file is given
PHOTOGRAPH = 24  # pixels: from this side on, pictures are mirrored, and cropped with 4 pixels of padding
UNREADABLE = (OSError, EOFError, ValueError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error)
SAVE_HINT = "numpy.savez(path, images=..., labels=...)"


def load(
    path: str | Path,
    *,
    seed: int = 0,
    per_class: int | None = None,
    validation: float = 0.5,
    test_data: str | Path | None = None,
    test_per_class: int | None = None,
) -> Data:
    """Read pictures from `path`, and test pictures from `test_data` or a fifth of each class set aside.

    `sources` are positions in the file. Raises FileNotFoundError, or ValueError with what is wrong in which file.
    """
    to_divide, for_test = splits.generators(seed, 2)
    pool, names = read(path)
    test_fraction = TEST_FRACTION if test_data is None else 0.0
    parts = splits.partition(
        pool.labels, per_class=per_class, validation=validation, test=test_fraction, generator=to_divide
    )
    other = select(pool, parts.test) if test_data is None else read_test(test_data, pool, names)
    test = select(other, splits.subset(other.labels, test_per_class, for_test))
    photographs = pool.images.shape[-1] >= PHOTOGRAPH
    three = (select(pool, parts.train), select(pool, parts.validation), test)
    return describe(Path(path).stem, three, names, flip=photographs, crop=4 if photographs else 0)


def select(split: Split, index: Tensor) -> Split:
    """The pictures of the given numbers."""
    return Split(split.images[index], split.labels[index], split.sources[index])


def read(path: str | Path) -> tuple[Split, tuple[str, ...]]:
    """Read and check one file: all its pictures, and the names of its classes (its `class_names`, else numbers)."""
    arrays = read_arrays(Path(path))
    images = check_images(arrays["images"], path)
    labels = check_labels(arrays["labels"], len(images), path)
    check_no_gap(labels, path)
    pool = Split(torch.from_numpy(images), torch.from_numpy(labels), torch.arange(len(labels))[:, None])
    return pool, class_names(arrays.get("class_names"), int(labels.max()) + 1, path)


def read_test(path: str | Path, pool: Split, names: tuple[str, ...]) -> Split:
    """Read a file of test pictures, which must fit those of the pool; a class, or all names, may be missing there."""
    arrays = read_arrays(Path(path))
    images = check_images(arrays["images"], path)
    labels = check_labels(arrays["labels"], len(images), path)
    if images.shape[1:] != pool.images.shape[1:]:
        given, expected = ("×".join(map(str, x.shape[1:])) for x in (images, pool.images))
        raise ValueError(f"{path}: pictures are {given}, those to train on are {expected}: bring both to one shape.")
    if labels.max() >= len(names):
        raise ValueError(f"{path}: label {labels.max()} is not among the {len(names)} classes to train on: relabel it.")
    check_same_names(arrays.get("class_names"), names, path)
    return Split(torch.from_numpy(images), torch.from_numpy(labels), torch.arange(len(labels))[:, None])


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays `images`, `labels` and, where there is one, `class_names`."""
    if not path.exists():
        raise FileNotFoundError(f"There is no file {str(path)!r}: pass the path of an existing .npz file.")
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
