"""What every search space is: a list of decisions; and what an architecture is: one answer per decision."""

import itertools
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

Picks = dict[str, dict[str, Any]]
"""What each edge shall do: {cell: {edge: operation name, or a vector of weights over the operations}}."""


class Decision(NamedTuple):
    """One question of a search space: its name and the possible answers."""

    name: str
    options: tuple[str, ...]


class CellEdge(NamedTuple):
    """An arrow of a drawn cell; an empty operation means that data just flows (into a sum or a concatenation)."""

    source: str
    target: str
    operation: str


class Cell(NamedTuple):
    """A cell to look at: node names in topological order (inputs first, "output" last) and the edges between them."""

    nodes: tuple[str, ...]
    edges: tuple[CellEdge, ...]


class Architecture:
    """One answer per decision of a space: immutable, hashable, printable.

    Two architectures are equal when space name and answers agree, whatever the number of channels or cells of their
    space. Make them with `space.sample`, `space.parse`, `space.architecture`, `space.enumerate` or `spaces.from_json`.
    """

    __slots__ = ("space", "choices")

    def __init__(self, space: "Space", choices: Sequence[int]):
        object.__setattr__(self, "space", space)
        object.__setattr__(self, "choices", tuple(int(c) for c in choices))
        space.check(self.choices)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(
            "An architecture cannot be changed; make a new one with `mutated` or `space.architecture`."
        )

    def __reduce__(self):
        return Architecture, (self.space, self.choices)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Architecture) and (self.space.name, self.choices) == (other.space.name, other.choices)

    def __hash__(self) -> int:
        return hash((self.space.name, self.choices))

    def __str__(self) -> str:
        return self.space.format(self.choices)

    def __repr__(self) -> str:
        return f"<{self.space.name} {self}>"

    @property
    def answers(self) -> dict[str, str]:
        """Name of each decision → the option chosen."""
        return {d.name: d.options[c] for d, c in zip(self.space.decisions, self.choices, strict=True)}

    @property
    def picks(self) -> Picks:
        """The operation on each edge in use, for a network's forward pass."""
        return self.space.picks(self.choices)

    @property
    def cells(self) -> dict[str, Cell]:
        """The cells as graphs, for drawing: {"cell": …} or {"normal": …, "reduce": …} or {"network": …}."""
        return self.space.graph(self.choices)

    def mutated(self, decision: int, choice: int) -> "Architecture":
        """The neighbour that answers one decision (its index) differently."""
        return Architecture(self.space, (*self.choices[:decision], choice, *self.choices[decision + 1 :]))

    def to_json(self) -> str:
        """JSON text with space name, sizes and the architecture's string; read back by `spaces.from_json`."""
        return json.dumps({"space": self.space.name, "sizes": self.space.sizes, "architecture": str(self)})


class Space(ABC):
    """A search space: decisions, notation, and the one network skeleton that serves all three kinds of network.

    Concrete spaces are frozen dataclasses whose fields are the sizes of the network (channels, cells or layers).
    """

    name: ClassVar[str]
    profiles: ClassVar[dict[str, dict[str, int]]]  # "small" and "paper" → sizes
    operations: ClassVar[tuple[str, ...]]
    published: ClassVar[Mapping[str, str]] = {}  # name → notation

    def __post_init__(self) -> None:
        for size, value in self.sizes.items():
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{size} of {self.name} is {value!r}; give a whole number of at least 1.")

    # --- the decisions ------------------------------------------------------------------------------------------------
    @property
    @abstractmethod
    def decisions(self) -> tuple[Decision, ...]:
        """The questions, in the order in which a controller answers them."""

    @property
    def size(self) -> int:
        """How many architectures the space holds: the product of the numbers of options."""
        return math.prod(len(d.options) for d in self.decisions)

    @property
    def sizes(self) -> dict[str, int]:
        """The numbers that set how large the network is, such as {"channels": 16, "cells": 8}."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def resized(self, **sizes: int) -> "Space":
        """The same space with other sizes, for example `space.resized(channels=36)`."""
        return replace(self, **sizes)

    def architecture(self, choices: Sequence[int]) -> Architecture:
        """The architecture with these answers, one option index per decision.

        Raises ValueError where the number of answers or one of them does not fit.
        """
        return Architecture(self, choices)

    def check(self, choices: tuple[int, ...]) -> None:
        """Raise ValueError that names the fault where `choices` is not one answer per decision."""
        if len(choices) != len(self.decisions):
            raise ValueError(
                f"{self.name} asks {len(self.decisions)} decisions but got {len(choices)} answers; "
                f"give one option index per decision."
            )
        for decision, choice in zip(self.decisions, choices, strict=True):
            if not 0 <= choice < len(decision.options):
                raise ValueError(
                    f"Decision {decision.name!r} of {self.name} has options 0 to {len(decision.options) - 1} "
                    f"({', '.join(decision.options)}), not {choice}."
                )

    def sample(self, generator: torch.Generator) -> Architecture:
        """An architecture drawn uniformly from the space."""
        return Architecture(self, [int(torch.randint(len(d.options), (), generator=generator)) for d in self.decisions])

    def enumerate(self) -> Iterator[Architecture]:
        """All architectures, in the order of their answers; ValueError if there are more than a million."""
        if self.size > 1_000_000:
            raise ValueError(
                f"{self.name} holds {self.size:.1e} architectures, too many to list; use sample() instead."
            )
        return (Architecture(self, c) for c in itertools.product(*(range(len(d.options)) for d in self.decisions)))

    # --- the notation -------------------------------------------------------------------------------------------------
    @abstractmethod
    def format(self, choices: tuple[int, ...]) -> str:
        """The architecture as one line of text."""

    @abstractmethod
    def read(self, text: str) -> list[int]:
        """The answers that a line of text stands for; ValueError names the fault."""

    def parse(self, text: str) -> Architecture:
        """The architecture that `str(architecture)` printed, or a published one by name (such as DARTS_V2)."""
        return Architecture(self, self.read(self.published.get(text.strip(), text)))

    @property
    def named(self) -> dict[str, Architecture]:
        """Published architectures by name."""
        return {name: self.parse(text) for name, text in self.published.items()}

    @abstractmethod
    def graph(self, choices: tuple[int, ...]) -> dict[str, Cell]:
        """The graphs to draw."""

    # --- the network --------------------------------------------------------------------------------------------------
    @abstractmethod
    def picks(self, choices: tuple[int, ...]) -> Picks:
        """The operation name on each edge in use."""

    @abstractmethod
    def skeleton(self, shelf: "Shelf", classes: int, image_channels: int, evaluation: bool) -> "nn.Module":
        """The network of this space, with the operations that `shelf` allows on each edge."""

    def network(
        self, architecture: Architecture, classes: int = 10, image_channels: int = 3, evaluation: bool = True
    ) -> "nn.Module":
        """The stand-alone network of one architecture: pictures (B, image_channels, H, W) → logits (B, classes).

        evaluation: the form that is trained from scratch (affine batch norm, drop path and auxiliary head where the
        space has them); False gives the form whose weights a supernet shares.
        """
        network = self.skeleton(Shelf(architecture.picks), classes, image_channels, evaluation)
        network.own_picks = architecture.picks
        return network

    def supernet(self, classes: int = 10, image_channels: int = 3) -> "nn.Module":
        """The network with every option on every edge.

        Call it with `(images, architecture)` for one path through it, or with `(images, space.relax(alphas))` for the
        blend of all.
        """
        return self.skeleton(Shelf(None), classes, image_channels, evaluation=False)

    # --- the relaxation -----------------------------------------------------------------------------------------------
    @property
    @abstractmethod
    def alpha_shapes(self) -> dict[str, tuple[int, int]]:
        """Names and shapes (questions, options) of the architecture parameters α."""

    def alphas(self, generator: torch.Generator, scale: float = 1e-3) -> dict[str, Tensor]:
        """Fresh architecture parameters, scale · N(0, 1), each (questions, options) and requiring gradient."""
        return {
            name: (scale * torch.randn(shape, generator=generator)).requires_grad_()
            for name, shape in self.alpha_shapes.items()
        }

    def probabilities(self, alphas: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """softmax(α) of every question, (questions, options) each  (DARTS, eq. 2)."""
        return {name: alpha.softmax(-1) for name, alpha in alphas.items()}

    @abstractmethod
    def relax(self, alphas: Mapping[str, Tensor]) -> Picks:
        """Picks whose entries are weights over the operations of an edge, from softmax(α)."""

    @abstractmethod
    def derive(self, alphas: Mapping[str, Tensor]) -> Architecture:
        """The architecture that the relaxed one is rounded to at the end of the search."""


class Shelf:
    """Which operations are built on an edge: all of them (supernet), the chosen one (stand-alone), or none."""

    def __init__(self, picks: Picks | None):
        self.picks = picks

    def __call__(self, cell: str, edge: str, names: Sequence[str]) -> tuple[str, ...]:
        if self.picks is None:
            return tuple(names)
        chosen = self.picks[cell].get(edge)
        return (chosen,) if chosen else ()


def one_of(options: Sequence[str], given: str, what: str) -> int:
    """The index of `given` among `options`; ValueError says what was expected."""
    if given not in options:
        raise ValueError(f"{what} is {given!r}; expected one of {', '.join(options)}.")
    return list(options).index(given)
