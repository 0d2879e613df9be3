"""The data sets of the NNI listing: pictures one by one, as torch's data loaders ask for them."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from nas_tutorial import data
from nas_tutorial.data import Data, Split, augment, normalise


class PictureSet(Dataset):
    """A split whose items are (picture (C, H, W) float32, label): normalised, and augmented if asked for.

    The augmentation is the data set's own (CIFAR-10: random crop with 4 pixels of padding, random mirroring), drawn
    from torch's default generator as torchvision does. `plain` are the same pictures without it.
    """

    def __init__(self, split: Split, data: Data, augmented: bool):
        self.split, self.data, self.augmented = split, data, augmented

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[Tensor, int]]:
        """Several items at once, which is faster: data loaders ask for whole batches here."""
        images = normalise(self.split.images[indices], self.data)  # (B, C, H, W)
        if self.augmented:
            images = augment(images, self.data, torch.default_generator)
        return list(zip(images, self.split.labels[indices].tolist(), strict=True))

    @property
    def plain(self) -> "PictureSet":
        """The same pictures, never augmented: what rewards are counted on."""
        return PictureSet(self.split, self.data, augmented=False)

    def __repr__(self) -> str:
        return f"PictureSet({self.data.name}: {self.split!r}{', augmented' * self.augmented})"


def get_dataset(cls: str, **settings: Any) -> tuple[PictureSet, PictureSet]:
    """Training pictures, augmented, and the official test pictures, as NNI's example does for "cifar10".

    cls: "cifar10", or another name or path that `data.load` knows ("digits" needs no download); settings: for
    `data.load`, such as root, seed or per_class. A search sees the first of the two only: `EnasTrainer` divides it.
    """
    loaded = data.load(cls, validation=0, **settings)
    return PictureSet(loaded.train, loaded, augmented=True), PictureSet(loaded.test, loaded, augmented=False)
