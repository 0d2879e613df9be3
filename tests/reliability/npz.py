"""Pictures of one's own in an npz file: no archive, names missing, shapes and types that are none, gaps in labels."""

import io
from pathlib import Path

import numpy as np

from nas_tutorial import data
from tests.reliability import Case, called, typed, with_file

IMAGES, LABELS = np.zeros((8, 8, 8, 3), np.uint8), np.arange(8) % 2
SEARCH = typed("search --space tiny --strategy random --data mine.npz --epochs 1", "mine.npz")
LOAD = called("mine.npz", data.load, "mine.npz")
ARRAYS = (
    {"images": None},
    {"labels": None},
    {"images": IMAGES.astype(float)},
    {"images": IMAGES.astype(bool)},
    {"images": IMAGES[0]},
    {"images": IMAGES[:4]},
    {"images": IMAGES[:0], "labels": LABELS[:0]},
    {"images": np.zeros((8, 8, 9, 3), np.uint8)},
    {"images": np.zeros((8, 8, 8, 3, 1), np.uint8)},
    {"images": np.zeros((8, 0, 0, 3), np.uint8)},
    {"labels": LABELS.astype(float)},
    {"labels": LABELS - 1},
    {"labels": LABELS * 2},
    {"labels": LABELS[:, None]},
    {"labels": np.array(["a"] * 8)},
    {"labels": np.array([None] * 8)},
    {"labels": np.full(8, 2**62)},
)


def archive(**arrays: np.ndarray) -> bytes:
    """An npz file of these arrays, others as they should be; None leaves one out."""
    buffer = io.BytesIO()
    usual = {"images": IMAGES, "labels": LABELS}
    np.savez(buffer, **{name: array for name, array in (usual | arrays).items() if array is not None})
    return buffer.getvalue()


def npz_case(arrays: dict, then: Case) -> Case:
    """Pictures whose arrays are others."""
    shown = {
        k: "gone" if a is None else f"{a.dtype} {a.shape} {' '.join(map(str, a.flat[:4]))}" for k, a in arrays.items()
    }
    given = ", ".join(f"{name} {array}" for name, array in shown.items())
    content = archive(**arrays)
    return Case(f"{then.given} with {given}", then.attempt, then.says, lambda: Path("mine.npz").write_bytes(content))


CASES = [
    *(npz_case(arrays, SEARCH) for arrays in ARRAYS),
    *(npz_case(arrays, LOAD) for arrays in ARRAYS),
    *(with_file("mine.npz", content, SEARCH) for content in (b"", b"text", archive()[:200], archive()[:-40])),
    Case(
        "nas-tutorial search --data mine.npz with one picture of each class",
        SEARCH.attempt,
        ("Class 0", "1 picture"),
        lambda: Path("mine.npz").write_bytes(archive(labels=np.arange(8))),
    ),  # fmt: skip
    called(("nothing", "strokes"), data.load, "nothing"),
    called("gone.npz", data.load, "gone.npz"),
    called(("per_class", "0"), data.load, "strokes", per_class=0),
    called(("per_class", "1.5"), data.load, "strokes", per_class=1.5),
    called(("per_class", "True"), data.load, "strokes", per_class=True),
    called(("validation", "1.5"), data.load, "strokes", validation=1.5),
    called(("validation", "nan"), data.load, "strokes", validation=float("nan")),
    called(("seed", "-1"), data.load, "strokes", seed=-1),
    called(("seed", "'a'"), data.load, "strokes", seed="a"),
    called(("seed", str(2**70)), data.load, "strokes", seed=2**70),
    called(("test_per_class", "-1"), data.load, "strokes", test_per_class=-1),
    called("None", data.load, None),
    called(("int", "path"), data.load, 3),
]
