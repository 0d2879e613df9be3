"""What a data set is: three splits of labelled pictures and the few facts that training needs about them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Pictures with their labels.

    images: (N, C, H, W) uint8, 0 … 255; labels: (N,) int64, 0 … classes - 1.
    sources: (N, K) int64, the numbers of the K source pictures each picture was made of (K = 1 for photographs,
    5 for cluttered digits), by which one can check that two splits share none; None where they are not known.
    """

    images: Tensor
    labels: Tensor
    sources: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> "Split":
        """The same pictures in the memory of a device."""
        return Split(self.images.to(device), self.labels.to(device), self.sources)

    def __repr__(self) -> str:
        return f"Split({len(self):,} pictures of {'×'.join(str(n) for n in self.images.shape[1:])})"

    @cached_property
    def hashes(self) -> list[bytes]:
        """A sha256 of each picture's pixels, by which equal pictures are found: N of 32 bytes."""
        return [hashlib.sha256(pixels).digest() for pixels in self.images.cpu().flatten(1).numpy()]

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of pictures and labels, in hexadecimal: the same for the same pictures in the same order."""
        digest = hashlib.sha256(repr(tuple(self.images.shape)).encode() + b"".join(self.hashes))
        digest.update(self.labels.cpu().contiguous().numpy())
        return digest.hexdigest()

    def __add__(self, other: "Split") -> "Split":
        """Join two splits into one, this one's pictures first."""
        known = self.sources is not None and other.sources is not None
        return Split(
            torch.cat([self.images, other.images]),  # (N + M, C, H, W)
            torch.cat([self.labels, other.labels]),  # (N + M,)
            torch.cat([self.sources, other.sources]) if known else None,  # (N + M, K)
        )


@dataclass(frozen=True, eq=False, repr=False)
class Data:
    """A data set in three splits, with what is needed to feed it to a network.

    mean, std: (C,) float32 of the train split's pixels scaled to 0 … 1; flip: whether a mirrored picture keeps its
    label; crop: pixels of padding around random crops, 0 for none. origin: what `data.load` was asked for, and sha256
    sums of the files that it read; None for data made by hand.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    class_names: tuple[str, ...]
    mean: Tensor
    std: Tensor
    flip: bool
    crop: int
    origin: Mapping[str, Any] | None = None

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def channels(self) -> int:
        """Colour channels of a picture, which are the input channels of a network."""
        return self.train.images.shape[1]

    @property
    def side(self) -> int:
        """Height and width of a picture in pixels."""
        return self.train.images.shape[-1]

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of all that a search sees of this data set: both of its splits, the classes, and the augmentation."""
        seen = self.train.fingerprint, self.validation.fingerprint, self.class_names, *self.treatment.items()
        return hashlib.sha256(repr(seen).encode()).hexdigest()

    @property
    def treatment(self) -> dict[str, Any]:
        """What is done to every picture before a network sees it, as plain values."""
        return {"flip": self.flip, "crop": self.crop, "mean": self.mean.tolist(), "std": self.std.tolist()}

    @cached_property
    def record(self) -> dict[str, Any]:
        """What these pictures are, as plain values; `data.from_record` loads the same ones again."""
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        return {
            "name": self.name,
            "origin": self.origin and dict(self.origin),
            "class_names": list(self.class_names),
            "flip": self.flip,
            "crop": self.crop,
            "splits": {name: {"size": len(split), "sha256": split.fingerprint} for name, split in splits.items()},
        }

    @cached_property
    def full_train(self) -> Split:
        """Train and validation pictures together: what a found architecture may be retrained on."""
        return self.train + self.validation

    def to(self, device: torch.device) -> "Data":
        """The same data set with the pictures to search on in the memory of a device; those for tests stay."""
        moved = {name: getattr(self, name).to(device) for name in ("train", "validation", "mean", "std")}
        return replace(self, **moved)

    def __repr__(self) -> str:
        sizes = f"{len(self.train):,} train, {len(self.validation):,} validation, {len(self.test):,} test pictures"
        return f"{self.name}: {sizes} of {self.channels}×{self.side}×{self.side}, {self.classes} classes"


def describe(
    name: str, splits: tuple[Split, Split, Split], class_names: tuple[str, ...], *, flip: bool, crop: int
) -> Data:
    """Make a data set from its (train, validation, test) splits; mean and std are taken from train alone."""
    train, validation, test = splits
    mean, std = channel_statistics(train.images)
    return Data(name, train, validation, test, class_names, mean, std, flip, crop)


def channel_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel, in units of the full range 0 … 255.

    Counting how often each of the 256 values occurs is exact and needs no float copy of the pictures.
    images: (N, C, H, W) uint8; returns two (C,) float32 tensors. A channel without contrast gets std 1/255.
    """
    values = torch.arange(256, dtype=torch.float64) / 255
    shares = torch.stack([histogram(channel) for channel in images.unbind(1)])  # (C, 256)
    mean = shares @ values  # (C,)
    variance = (shares * (values - mean[:, None]) ** 2).sum(1)  # (C,)
    return mean.float(), variance.sqrt().clamp_min(1 / 255).float()


def histogram(channel: Tensor) -> Tensor:
    """Share of pixels at each of the 256 values: any uint8 tensor → (256,) float64 with sum 1."""
    counts = torch.bincount(channel.reshape(-1), minlength=256)
    return counts.double() / channel.numel()
