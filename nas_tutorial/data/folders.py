"""A folder of picture files, a subfolder for each class, read by torchvision's `ImageFolder`."""

from pathlib import Path

import numpy as np

from nas_tutorial.data.decoding import decode


def read_arrays(path: Path, side: int | None = None) -> dict[str, np.ndarray]:
    """Decode all pictures of a folder: `images` (N, H, W, C) uint8, `labels` (N,), `class_names`, in order of names.

    side: see `decoding.decode`. Raises ValueError for a folder without subfolders of pictures, or an empty subfolder.
    """
    from torchvision.datasets import ImageFolder

    try:
        folder = ImageFolder(str(path))
    except (FileNotFoundError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"{path}: is no folder of pictures ({reason}): make a subfolder for each class, and put its pictures there."
        ) from error
    files, labels = zip(*folder.samples, strict=True)
    return {
        "images": decode(((file, Path(file)) for file in files), side),
        "labels": np.array(labels, np.int64),
        "class_names": np.array(folder.classes),
    }
