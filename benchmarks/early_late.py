"""`python -m benchmarks.early_late`: what the policy of ENAS draws early and late in a search, in the macro space.

Two rewards, three seeds each, 15 epochs on drawn strokes. After the first and after the last epoch 20 architectures are
drawn. Writes them as JSON: the record that notebook 06 draws, `nas_tutorial/measures/early_late.json`.
"""

import argparse
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nas_tutorial import data, spaces
from nas_tutorial.measures import describe
from nas_tutorial.settings import versions
from nas_tutorial.spaces import Architecture
from nas_tutorial.strategies import enas

SPACE = spaces.get("enas_macro", channels=8, layers=4)
DATA = {"name_or_path": "strokes", "seed": 0, "per_class": 600}
SEEDS, EPOCHS, DRAWN, LAMBDA = (0, 1, 2), 15, 20, 0.5
RECORD = Path(__file__).parent.parent / "nas_tutorial" / "measures" / "early_late.json"


@cache
def work(architecture: Architecture) -> int:
    """Multiply-adds of one architecture in the supernet, for one picture."""
    return describe.supernet(SPACE, architecture, 4, 3, 10).multiply_adds


def dearest() -> int:
    """Multiply-adds of a chain of 5×5 convolutions."""
    return work(SPACE.parse("conv_5x5 + conv_5x5:0 + conv_5x5:00 + conv_5x5:000"))


def paid(logits: Tensor, labels: Tensor, architecture: Architecture) -> float:
    """Accuracy minus half of the multiply-adds, as a share of the dearest's."""
    return enas.accuracy_reward(logits, labels, architecture) - LAMBDA * work(architecture) / dearest()


REWARDS: dict[str, Callable[..., float]] = {"accuracy": enas.accuracy_reward, "minus 0.5 · multiply-adds": paid}


@torch.no_grad()
def drawn(search: enas.Search) -> list[str]:
    """Architectures drawn from the policy as it is now, without touching the search's own dice."""
    policy = search.subject.policy
    return [str(a) for a in policy.architectures(policy.sample(DRAWN, torch.Generator().manual_seed(0)))]


def measure(name: str, seed: int, pictures: data.Data, epochs: int = EPOCHS) -> dict[str, Any]:
    """One search: what was drawn after its first and after its last epoch, and the mean reward of each epoch."""
    search = enas.search(SPACE, pictures, reward=REWARDS[name], seed=seed, epochs=epochs, device="cpu")
    rewards, early = [next(search).info["reward"]], drawn(search)
    rewards += [event.info["reward"] for event in search]
    return {"reward": name, "seed": seed, "rewards": rewards, "early": early, "late": drawn(search)}


def main() -> None:
    """Measure everything and write the record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.early_late", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=RECORD, help="where to write (default: %(default)s)")
    torch.set_num_threads(1)
    out, pictures = parser.parse_args().out, data.load(**DATA)
    searches = [measure(name, seed, pictures) for name in REWARDS for seed in SEEDS]
    facts = {"space": SPACE.to_record(), "data": DATA, "epochs": EPOCHS, "versions": versions()}
    out.write_text(json.dumps({**facts, "searches": searches}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
