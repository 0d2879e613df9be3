"""Cluttered digits: real handwriting on small colour pictures, embedded, hard enough that the architecture matters.

After the "cluttered MNIST" of Mnih et al., Recurrent Models of Visual Attention (2014). Every picture shows one 8×8
handwritten digit (scikit-learn's `load_digits`) in a random colour at a random place, above four 4×4 fragments of
other digits. Neither colours nor single pixels depend on the class: a network has to look at neighbourhoods, wherever
they are.
"""

import torch
from torch import Tensor

from nas_tutorial.data import splits
from nas_tutorial.data.pictures import Data, Split, describe

SIDE = 16  # pixels of a picture
FRAGMENT = 4  # pixels of a fragment
FRAGMENTS = 4  # fragments in a picture
NOISE = 0.03  # standard deviation, of the full range
BACKGROUND = 0.0, 0.4  # range of every channel of the background colour
INK = 0.5, 1.0  # the same for digit and fragments: lighter than any background
OPACITY = 0.7  # of a fragment; the digit's is 1


def load(
    *,
    seed: int = 0,
    per_class: int | None = None,
    validation: float = 0.5,
    test_per_class: int | None = None,
) -> Data:
    """Draw the cluttered digits of a seed: 3×16×16 pictures, 10 classes, all equally frequent.

    per_class: pictures of each digit for train and validation together (None: 800); test_per_class: for test
    (None: 200). Handwriting is divided first, so no source picture appears in two splits, not even as a fragment.
    """
    per_class = 800 if per_class is None else per_class
    test_per_class = 200 if test_per_class is None else test_per_class
    to_divide, for_train, for_validation, for_test = splits.generators(seed, 4)
    pictures, labels = handwriting()
    sources = splits.partition(labels, validation=validation, test=0.2, generator=to_divide)
    held_out = splits.share(per_class, validation)
    train = scatter(pictures, labels, sources.train, per_class - held_out, for_train)
    validated = scatter(pictures, labels, sources.validation, held_out, for_validation)
    test = scatter(pictures, labels, sources.test, test_per_class, for_test)
    return describe("digits", (train, validated, test), tuple("0123456789"), flip=False, crop=0)


def handwriting() -> tuple[Tensor, Tensor]:
    """The source pictures: (1797, 8, 8) float32 ink between 0 and 1, and (1797,) int64 labels."""
    from sklearn.datasets import load_digits

    ink, labels = load_digits(return_X_y=True)
    return torch.tensor(ink, dtype=torch.float32).view(-1, 8, 8) / 16, torch.tensor(labels, dtype=torch.int64)


def scatter(pictures: Tensor, labels: Tensor, sources: Tensor, per_class: int, generator: torch.Generator) -> Split:
    """Draw `per_class` cluttered pictures of every digit from the given source pictures only.

    pictures: (M, 8, 8); labels: (M,); sources: (S,) numbers of the source pictures that may be used.
    The result's `sources` are (N, 5): the digit's source picture, then those of its four fragments.
    """
    wanted = torch.arange(10).repeat(per_class)  # (N,)
    wanted = wanted[torch.randperm(len(wanted), generator=generator)]
    used = choose(labels[sources], wanted, generator)  # (N, 5)
    images = compose(pictures[sources[used]], generator)  # (N, 3, 16, 16)
    return Split(images, wanted, sources[used])


def choose(labels: Tensor, wanted: Tensor, generator: torch.Generator) -> Tensor:
    """For every wanted label a picture that has it, and four others: (S,), (N,) → (N, 5) positions in `labels`."""
    order = labels.argsort(stable=True)  # (S,) class by class
    counts = torch.bincount(labels, minlength=10)  # (10,)
    first = counts.cumsum(0) - counts  # (10,) where each class begins in `order`
    chance = torch.rand(len(wanted), generator=generator, dtype=torch.float64)  # (N,)
    digit = order[first[wanted] + (chance * counts[wanted]).long()]  # (N,)
    step = torch.randint(1, max(len(labels), 2), (len(wanted), FRAGMENTS), generator=generator)  # never back to itself
    others = (digit[:, None] + step) % max(len(labels), 1)  # (N, 4)
    return torch.cat([digit[:, None], others], 1)  # (N, 5)


def compose(ink: Tensor, generator: torch.Generator) -> Tensor:
    """Paint fragments, then the digit, then noise: (N, 5, 8, 8) ink → (N, 3, 16, 16) uint8 pictures."""
    count = len(ink)
    canvas = colours(count, BACKGROUND, generator).repeat(1, SIDE, SIDE, 1)  # (N, 16, 16, 3)
    for k in range(1, FRAGMENTS + 1):
        corners = torch.randint(0, 8 - FRAGMENT + 1, (2, count), generator=generator)
        fragment = OPACITY * ink[:, k][grid(corners, FRAGMENT)]  # (N, 4, 4)
        paste(canvas, fragment, colours(count, INK, generator), generator)
    paste(canvas, ink[:, 0], colours(count, INK, generator), generator)
    canvas += NOISE * torch.randn(canvas.shape, generator=generator)
    return (canvas.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 3, 1, 2).contiguous()  # (N, 3, 16, 16)


def colours(count: int, between: tuple[float, float], generator: torch.Generator) -> Tensor:
    """Random colours, every channel uniform in a range: (N, 1, 1, 3)."""
    low, high = between
    return low + (high - low) * torch.rand(count, 1, 1, 3, generator=generator)


def paste(canvas: Tensor, ink: Tensor, colour: Tensor, generator: torch.Generator) -> None:
    """Paint ink on the canvas, in place, at a random place of each picture.

    canvas: (N, 16, 16, 3); ink: (N, h, h) opacity between 0 and 1; colour: (N, 1, 1, 3).
    """
    side = ink.shape[-1]
    spot = grid(torch.randint(0, SIDE - side + 1, (2, len(ink)), generator=generator), side)
    canvas[spot] = torch.lerp(canvas[spot], colour.expand(-1, side, side, -1), ink[..., None])  # (N, h, h, 3)


def grid(corners: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """Index of a square in each of N pictures: corners (2, N) → (N, 1, 1), (N, side, 1), (N, 1, side)."""
    steps = torch.arange(side)
    pictures = torch.arange(corners.shape[1])
    return pictures[:, None, None], corners[0][:, None, None] + steps[:, None], corners[1][:, None, None] + steps
