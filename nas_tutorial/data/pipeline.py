"""From stored pictures to what a network sees: batches, normalisation, augmentation."""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from nas_tutorial.data.pictures import Data, Split


class Pictures(Dataset):
    """A split that hands out whole batches with one indexing operation."""

    def __init__(self, split: Split):
        self.images, self.labels = split.images, split.labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index], self.labels[index]

    def __getitems__(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Pictures and labels of the given numbers: (B, C, H, W), (B,)."""
        return self[torch.as_tensor(indices, device=self.labels.device)]


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on another device; the CPU, on its way to a GPU, waits for no work that is under way there."""
    if device.type == "cuda" and tensor.device.type == "cpu":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


class Order:
    """The picture numbers of one epoch, batch by batch.

    An epoch's whole permutation is drawn before its first batch is handed out: the workers of a loader ask for batches
    in advance, and what is drawn from the generator must not depend on how many of them there are. device: where the
    pictures are; if that is not the CPU, their numbers are sent there once an epoch.
    """

    def __init__(
        self, count: int, batch_size: int, generator: torch.Generator | None, drop_last: bool, device: torch.device
    ):
        self.count, self.batch_size, self.generator, self.drop_last = count, batch_size, generator, drop_last
        self.device = device

    def __len__(self) -> int:
        return self.count // self.batch_size if self.drop_last else -(-self.count // self.batch_size)

    def __iter__(self) -> Iterator[list[int] | Tensor]:
        shuffled = self.generator is not None
        order = torch.randperm(self.count, generator=self.generator) if shuffled else torch.arange(self.count)
        for batch in sent(order, self.device).split(self.batch_size)[: len(self)]:
            yield batch.tolist() if self.device.type == "cpu" else batch


def loader(
    split: Split, size: int, *, generator: torch.Generator | None = None, workers: int = 0, drop_last: bool = False
) -> DataLoader:
    """Serve a split in batches of `size`: iterate for (images (B, C, H, W) uint8, labels (B,) int64).

    Shuffled, anew in every epoch, if and only if a generator is given; the same generator state gives the same batches
    for any number of workers. Raises ValueError where no batch could be made.
    """
    if size < 1 or (drop_last and size > len(split)):
        raise ValueError(
            f"Batches of {size} cannot be made of {len(split)} pictures: "
            f"pass a size between 1 and {max(len(split), 1)}, or drop_last=False."
        )
    return DataLoader(
        Pictures(split),
        batch_sampler=Order(len(split), size, generator, drop_last, split.labels.device),
        num_workers=workers,
        collate_fn=tuple,
        generator=torch.Generator(),  # the loader draws a seed for its workers: not from torch's global generator
    )


def normalise(images: Tensor, data: Data) -> Tensor:
    """Shift and scale every channel by the train split's statistics: (x / 255 - mean) / std.

    images: (B, C, H, W) uint8 on any device; returns (B, C, H, W) float32 on the same device.
    """
    mean, std = (s.to(images.device).view(-1, 1, 1) for s in (data.mean, data.std))  # (C, 1, 1)
    return (images.float() / 255 - mean) / std


def augment(images: Tensor, data: Data, generator: torch.Generator, cutout: int = 0) -> Tensor:
    """Random crop, random mirroring (as far as `data` allows) and cutout, drawn anew for every picture.

    images: (B, C, H, W) float, normalised, on any device; cutout: side of the blanked square in pixels, 0 for none.
    Returns (B, C, H, W). What a crop pads and what cutout blanks is 0, the mean colour.
    """
    if data.crop:
        images = random_crop(images, data.crop, generator)
    if data.flip:
        images = random_mirror(images, generator)
    return random_cutout(images, cutout, generator) if cutout else images


def random_crop(images: Tensor, padding: int, generator: torch.Generator) -> Tensor:
    """Move each picture by up to `padding` pixels in both directions, zeros beside it: (B, C, H, W) → same shape."""
    count, _, height, width = images.shape
    shift = sent(draw(2 * padding + 1, (2, count, 1), generator), images.device)
    rows = shift[0] + torch.arange(height, device=images.device)  # (B, H)
    columns = shift[1] + torch.arange(width, device=images.device)  # (B, W)
    padded = F.pad(images, [padding] * 4)  # (B, C, H + 2p, W + 2p)
    pictures = torch.arange(count, device=images.device)[:, None, None]
    cropped = padded[pictures, :, rows[:, :, None], columns[:, None, :]]  # (B, H, W, C)
    return cropped.permute(0, 3, 1, 2).contiguous()  # (B, C, H, W)


def random_mirror(images: Tensor, generator: torch.Generator) -> Tensor:
    """Swap left and right in each picture with probability 1/2: (B, C, H, W) → same shape."""
    chosen = sent(draw(2, (len(images), 1, 1, 1), generator).bool(), images.device)
    return torch.where(chosen, images.flip(-1), images)


def random_cutout(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Set a square of each picture to 0 (DeVries and Taylor, Improved Regularization of CNNs with Cutout, 2017, §3.2).

    The square's centre falls on any pixel with equal probability; what sticks out over the border is cut off.
    images: (B, C, H, W); side: pixels; returns (B, C, H, W).
    """
    count, _, height, width = images.shape
    hit_rows = interval(height, side, count, generator)  # (B, H)
    hit_columns = interval(width, side, count, generator)  # (B, W)
    blank = sent(hit_rows[:, :, None] & hit_columns[:, None, :], images.device)  # (B, H, W)
    return images.masked_fill(blank[:, None], 0)


def interval(length: int, side: int, count: int, generator: torch.Generator) -> Tensor:
    """`count` random stretches of `side` cells around a uniform centre on a line: (count, length) bool."""
    start = draw(length, (count, 1), generator) - side // 2  # (count, 1)
    cells = torch.arange(length)
    return (start <= cells) & (cells < start + side)


def draw(below: int, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Uniform integers 0 … below - 1, drawn on the CPU so that every device sees the same ones."""
    return torch.randint(below, shape, generator=generator)
