"""Dividing pictures, class by class, into parts that never overlap.

Everything works on *groups*: a list with one shuffled tensor of picture numbers for each class. Cutting each group in
two cannot put a picture into both parts, and all classes are divided in the same way.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

Groups = list[Tensor]


class Parts(NamedTuple):
    """Picture numbers of the three splits, each (N,) int64 in random order."""

    train: Tensor
    validation: Tensor
    test: Tensor


def partition(
    labels: Tensor,
    *,
    per_class: int | None = None,
    validation: float = 0.5,
    test: float = 0.0,
    generator: torch.Generator,
) -> Parts:
    """Divide pictures into train, validation and test, class by class.

    The test part is taken out first, so that it is the same whatever `per_class` and `validation` are.
    labels: (N,) int64; per_class: how many pictures of each class train and validation get together (None: all);
    validation: their fraction for validation; test: fraction of everything for test.
    Raises ValueError where a class has too few pictures.
    """
    rest, tested = divide(by_class(labels, generator), test)
    tested = join(tested, generator)
    train, validated = divide(take(rest, per_class), validation)
    return Parts(join(train, generator), join(validated, generator), tested)


def by_class(labels: Tensor, generator: torch.Generator) -> Groups:
    """Collect picture numbers by class, each class in random order: (N,) labels → one (n_k,) tensor a class."""
    order = torch.randperm(len(labels), generator=generator)  # (N,)
    return [order[labels[order] == k] for k in range(int(labels.max()) + 1)]


def share(count: int, fraction: float) -> int:
    """How many of `count` pictures a fraction is; neither part is empty unless the fraction is 0."""
    return 0 if fraction == 0 else min(max(round(count * fraction), 1), count - 1)


def divide(groups: Groups, fraction: float) -> tuple[Groups, Groups]:
    """Cut every group at the same fraction into (rest, part); raises ValueError where a group is too small to cut."""
    for k, group in enumerate(groups):
        if fraction > 0 and len(group) < 2:
            raise ValueError(
                f"Class {k} has {len(group)} picture(s) left to divide, but every split needs at least one: "
                "add pictures, raise per_class, or pass validation=0."
            )
    halves = [group.tensor_split([len(group) - share(len(group), fraction)]) for group in groups]
    return [rest for rest, _ in halves], [part for _, part in halves]


def take(groups: Groups, per_class: int | None, wanted_by: str = "per_class") -> Groups:
    """Keep the first `per_class` pictures of every group (None: all); raises ValueError where a group has fewer."""
    if per_class is None:
        return groups
    smallest = min(range(len(groups)), key=lambda k: len(groups[k]))
    if len(groups[smallest]) < per_class:
        raise ValueError(
            f"{wanted_by}={per_class} was asked for, but class {smallest} has only {len(groups[smallest])} pictures "
            f"to choose from: ask for at most {len(groups[smallest])}."
        )
    return [group[:per_class] for group in groups]


def join(groups: Sequence[Tensor], generator: torch.Generator) -> Tensor:
    """Mix all groups into one tensor of picture numbers in random order."""
    together = torch.cat(list(groups))  # (N,)
    return together[torch.randperm(len(together), generator=generator)]


def subset(labels: Tensor, per_class: int | None, generator: torch.Generator) -> Tensor:
    """Numbers of the test pictures to keep: all of them in their order, or `test_per_class` of each class."""
    if per_class is None:
        return torch.arange(len(labels))
    return join(take(by_class(labels, generator), per_class, "test_per_class"), generator)


def generators(seed: int, count: int) -> list[torch.Generator]:
    """Independent generators from one seed: what one of them draws does not depend on how much another has drawn."""
    seeds = torch.randint(2**62, (count,), generator=torch.Generator().manual_seed(seed))
    return [torch.Generator().manual_seed(int(s)) for s in seeds]
