"""Strokes: three pixels in a row on a noisy picture; the class is their direction.

A small task that needs a 3×3 convolution. In all classes the same number of pixels is equally bright, anywhere in the
picture, so that operations that see one pixel at a time can only guess. Order matters, too: averaging before the
convolution blurs the stroke.
"""

import torch
from torch import Tensor

from nas_tutorial.data import splits
from nas_tutorial.data.pictures import Data, Split, describe

SIDE = 10  # pixels of a picture
CLASSES = ("horizontal", "vertical", "falling", "rising")
STEPS = torch.tensor([[0, 1], [1, 0], [1, 1], [-1, 1]])  # (4, 2) rows and columns between neighbours in a stroke
BACKGROUND, INK, NOISE = 0.3, 0.75, 0.1  # grey values and standard deviation, of the full range


def load(
    *,
    seed: int = 0,
    per_class: int | None = None,
    validation: float = 0.5,
    test_per_class: int | None = None,
) -> Data:
    """Draw the strokes of a seed: 10×10 pictures in three equal channels, 4 classes, all equally frequent.

    per_class: pictures of each class for train and validation together (None: 1000); test_per_class: for test
    (None: 250). Every picture is a new drawing; `sources` numbers them.
    """
    per_class = 1000 if per_class is None else per_class
    test_per_class = 250 if test_per_class is None else test_per_class
    held_out = splits.share(per_class, validation)
    for_train, for_validation, for_test = splits.generators(seed, 3)
    test = draw(test_per_class, 0, for_test)
    train = draw(per_class - held_out, len(test), for_train)
    validated = draw(held_out, len(test) + len(train), for_validation)
    return describe("strokes", (train, validated, test), CLASSES, flip=False, crop=0)


def draw(per_class: int, first: int, generator: torch.Generator) -> Split:
    """Draw `per_class` strokes of each direction; pictures are numbered from `first`."""
    labels = torch.arange(len(CLASSES)).repeat(per_class)  # (N,)
    labels = labels[torch.randperm(len(labels), generator=generator)]
    count = len(labels)
    canvas = BACKGROUND + NOISE * torch.randn(count, SIDE, SIDE, generator=generator)
    rows, columns = stroke_pixels(labels, generator)
    canvas[torch.arange(count)[:, None], rows, columns] += INK - BACKGROUND
    grey = (canvas.clamp(0, 1) * 255).round().to(torch.uint8)  # (N, 10, 10)
    images = grey[:, None].repeat(1, 3, 1, 1)  # (N, 3, 10, 10)
    return Split(images, labels, torch.arange(first, first + count)[:, None])


def stroke_pixels(labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Rows and columns of the three pixels of each stroke: (N,) labels → two (N, 3) tensors."""
    centre = torch.randint(1, SIDE - 1, (len(labels), 2, 1), generator=generator)  # (N, 2, 1)
    pixels = centre + STEPS[labels][..., None] * torch.tensor([-1, 0, 1])  # (N, 2, 3)
    return pixels[:, 0], pixels[:, 1]
