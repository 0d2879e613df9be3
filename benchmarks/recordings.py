"""The recordings that come with the package: one search per strategy and space, in small sizes, all with seed 0."""

import argparse
import os
import shlex
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from nas_tutorial.cli import main as nas_tutorial
from nas_tutorial.settings import processor
from nas_tutorial.strategies.recordings import load

FOLDER = Path(__file__).parent.parent / "nas_tutorial" / "measures" / "recordings"
STROKES = "--data strokes --per-class 200"
MORE = "--data strokes --per-class 400"
SEARCHES = {
    "tiny_darts": f"--space tiny --strategy darts {STROKES} --epochs 12",
    "tiny_enas": f"--space tiny --strategy enas {MORE} --epochs 20",
    "darts_darts": f"--space darts --strategy darts {STROKES} --channels 4 --cells 3 --epochs 8",
    "enas_micro_enas": f"--space enas_micro --strategy enas {MORE} --channels 4 --cells 1 --epochs 10",
    "nasbench201_darts": "--space nasbench201 --strategy darts --data digits --per-class 300 --channels 4 --epochs 10",
    "enas_macro_enas": f"--space enas_macro --strategy enas {STROKES} --channels 8 --epochs 12",
    "nasbench201_random": f"--space nasbench201 --strategy random {STROKES} --channels 4 --epochs 10",
    "nasbench201_shared": f"--space nasbench201 --strategy random --shared {MORE} --channels 4 --epochs 20",
    "nasbench201_enas": f"--space nasbench201 --strategy enas {MORE} --channels 4 --epochs 20",
}


def make(name: str, folder: Path = FOLDER) -> Path:
    """Run one of the searches in a folder of its own, and put its recording into `folder`; returns its path."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        try:
            if nas_tutorial(["search", *shlex.split(SEARCHES[name]), "--record", "--name", name]):
                raise RuntimeError(f"The search {name} has failed.")
            made = load(Path("runs", name, "recording.json"))
        finally:
            os.chdir(before)
    made_on = {**made.versions, "processor": processor()}  # another one may round otherwise
    return replace(made, versions=made_on).save(folder / f"{name}.json")


def main() -> None:
    """Make the recordings that are asked for, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recordings", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SEARCHES)} (all)")
    parser.add_argument("--out", type=Path, default=FOLDER, help="the folder to write to (default: %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.names or SEARCHES:
        print(f"wrote {make(name, options.out.resolve())}")


if __name__ == "__main__":
    main()
