"""What every search space is: a list of decisions, and the network that can be built for their answers."""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from nas_tutorial.networks.edges import ActiveOps, Candidates
from nas_tutorial.networks.ops import Builder
from nas_tutorial.settings import Diverged, check_fields, number, one_of, shown
from nas_tutorial.spaces.architecture import NO_CONNECTION, Architecture, Cell, Decision

MOST_CANDIDATES = 50_000  # a minute to build; the largest published supernet has 2,240

Channels = Annotated[int, Field(ge=1, le=4096)]
Cells = Annotated[int, Field(ge=1, le=200)]
Nodes = Annotated[int, Field(ge=1, le=16)]
Layers = Annotated[int, Field(ge=1, le=100)]
Kernel = Annotated[int, Field(ge=1, le=15)]


@dataclass(frozen=True)
class Form:
    """What a network is built for: the pictures it reads, and how it is trained.

    classes, image_channels: of the pictures. evaluation: the form that is trained from scratch (affine batch norm, an
    auxiliary head where the space has one, other parts in the spaces of ENAS), instead of the one whose weights a
    supernet shares.
    dropout: probability before the classifier.
    """

    classes: int = 10
    image_channels: int = 3
    evaluation: bool = False
    dropout: float = 0.0


class Space(ABC):
    """A search space: decisions, notation, and the one network skeleton that serves all three kinds of network.

    Concrete spaces are frozen dataclasses. Their fields are the sizes of the network (channels, cells or layers, nodes)
    and the operations to choose from, names in `table`.
    """

    name: ClassVar[str]
    profiles: ClassVar[dict[str, dict[str, int]]]  # "small", "colab" and "paper" → sizes
    retrained: ClassVar[Mapping[str, Mapping[str, int]]] = {}  # the same, where networks for evaluation have others
    table: ClassVar[Mapping[str, Builder]]  # all operations that may be offered
    published: ClassVar[Mapping[str, str]] = {}  # name → notation
    dropout: ClassVar[float] = 0.0
    operations: tuple[str, ...]

    def __post_init__(self) -> None:
        if isinstance(self.operations, str):
            raise ValueError(f"operations of {self.name} is one text; give names, such as ({self.operations!r},).")
        if isinstance(self.operations, list):  # from JSON
            object.__setattr__(self, "operations", tuple(self.operations))
        check_fields(self, f" of {self.name}")
        for op in self.operations:
            one_of(tuple(self.table), op, f"An operation of {self.name}")
        if not self.operations or len(set(self.operations)) < len(self.operations):
            raise ValueError(f"{self.name} needs operations, each once; got {', '.join(self.operations) or 'none'}.")
        if set(self.operations) <= NO_CONNECTION:
            raise ValueError(f"{self.name} offers only {self.operations[0]}, which lets nothing through; add another.")
        if not self.decisions:
            sizes = ", ".join(f"{size}={value}" for size, value in self.sizes.items())
            raise ValueError(f"{self.name} with {sizes} leaves nothing to choose; give two nodes or more.")
        if (many := self.candidates) > MOST_CANDIDATES:
            sizes = ", ".join(f"{size}={value}" for size, value in self.sizes.items())
            raise ValueError(
                f"{self.name} with {sizes} has {many:,} operations to choose from in its supernet; at most "
                f"{MOST_CANDIDATES:,} are built: give fewer cells, nodes or layers."
            )

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
        """The numbers that set how large the network is, such as {"channels": 16, "cells": 8, "nodes": 4}."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "operations"}

    @property
    def candidates(self) -> int:
        """How many operations the supernet holds at most: those of each cell, in every cell."""
        of_a_cell = sum(rows * options for rows, options in self.alpha_shapes.values())
        return of_a_cell * max(getattr(self, "cells", 1), 3 * getattr(self, "cells_per_stage", 1))

    def resized(self, **sizes: Any) -> Space:
        """The same space with other sizes (or operations), for example `space.resized(channels=36)`.

        Raises ValueError for a size that it does not have, or that is out of bounds.
        """
        for size in sizes:
            one_of([field.name for field in fields(self)], size, f"A size of {self.name}")
        return replace(self, **sizes)

    def to_record(self) -> dict[str, Any]:
        """Name and sizes, and the operations where they are not the usual ones; read back by `spaces.from_record`."""
        usual = next(field.default for field in fields(self) if field.name == "operations")
        own = {} if self.operations == usual else {"operations": list(self.operations)}
        return {"space": self.name, "sizes": self.sizes, **own}

    def asks_like(self, other: Space) -> bool:
        """Whether both spaces have the same decisions, so that an architecture of one is one of the other."""
        return self is other or (self.name == other.name and self.decisions == other.decisions)

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
        """An architecture drawn uniformly from the space; ValueError without a generator."""
        if not isinstance(generator, torch.Generator):
            raise ValueError(
                f"The generator is {shown(generator)}; give one, such as torch.Generator().manual_seed(0)."
            )
        return Architecture(self, [int(torch.randint(len(d.options), (), generator=generator)) for d in self.decisions])

    def enumerate(self) -> Iterator[Architecture]:
        """All architectures, in the order of their answers; ValueError if there are more than a million."""
        if self.size > 1_000_000:
            raise ValueError(
                f"{self.name} holds {self.size:.1e} architectures, too many to list; use sample() instead."
            )
        return (Architecture(self, c) for c in itertools.product(*(range(len(d.options)) for d in self.decisions)))

    def tabulate(self, rows: Sequence[Sequence[float]]) -> dict[str, list[list[float]]]:
        """One row of numbers per decision, such as probabilities of its options, as the tables that decisions name.

        Rows that are shorter than the longest of their table are filled up with zeros.
        """
        tables: dict[str, list[list[float]]] = {}
        for decision, row in zip(self.decisions, rows, strict=True):
            tables.setdefault(decision.table, []).append(list(row))
        widths = {name: max(map(len, table)) for name, table in tables.items()}
        return {name: [row + [0.0] * (widths[name] - len(row)) for row in table] for name, table in tables.items()}

    # --- the notation -------------------------------------------------------------------------------------------------
    @abstractmethod
    def format(self, choices: tuple[int, ...]) -> str:
        """The architecture as one line of text."""

    @abstractmethod
    def read(self, text: str) -> list[int]:
        """The answers that a line of text stands for; ValueError names the fault."""

    def parse(self, text: str) -> Architecture:
        """The architecture that `str(architecture)` printed, or a published one by name (such as DARTS_V2).

        Raises ValueError that names the fault where it is none of this space.
        """
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"The notation is {shown(text)}; give the text of an architecture of {self.name}.")
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
    def active_ops(self, choices: tuple[int, ...]) -> ActiveOps:
        """The operation name on each edge in use."""

    @abstractmethod
    def skeleton(self, candidates: Candidates, form: Form) -> nn.Module:
        """The network of this space in this form, with those operations on each edge that are candidates there."""

    def network(
        self,
        architecture: Architecture,
        classes: int = 10,
        image_channels: int = 3,
        evaluation: bool = True,
        dropout: float | None = None,
    ) -> nn.Module:
        """The stand-alone network of one architecture: pictures (B, image_channels, H, W) → logits (B, classes).

        evaluation, dropout: see `Form`; None is the space's own dropout (0.1 in the spaces of ENAS, 0 in others).
        """
        form = Form(classes, image_channels, evaluation, self.dropout if dropout is None else dropout)
        network = self.skeleton(Candidates(architecture.active_ops), form)
        network.own_ops = architecture.active_ops
        return network

    def supernet(self, classes: int = 10, image_channels: int = 3, dropout: float | None = None) -> nn.Module:
        """The network with every option on every edge.

        Call it with `(images, architecture)` for one path through it, or with `(images, space.relax(alphas))` for the
        mixture of all. dropout: see `network`.
        """
        form = Form(classes, image_channels, dropout=self.dropout if dropout is None else dropout)
        return self.skeleton(Candidates(None), form)

    # --- the relaxation -----------------------------------------------------------------------------------------------
    @property
    @abstractmethod
    def alpha_shapes(self) -> dict[str, tuple[int, int]]:
        """Names and shapes (questions, options) of the architecture parameters α."""

    @property
    @abstractmethod
    def target_nodes(self) -> dict[str, list[int]]:
        """For every row of each α the node that its edge enters: rows of one node may compete with each other."""

    def alphas(self, generator: torch.Generator, scale: float = 1e-3) -> dict[str, Tensor]:
        """Fresh architecture parameters, scale · N(0, 1), each (questions, options) and requiring gradient."""
        scale = number("The scale of α (scale)", scale)
        return {
            name: (scale * torch.randn(shape, generator=generator)).requires_grad_()
            for name, shape in self.alpha_shapes.items()
        }

    def possible(self, alphas: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """α with −∞ for options that a question does not have; most spaces have none of these."""
        return alphas

    def probabilities(self, alphas: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """softmax(α) of every question, (questions, options) each  (DARTS, eq. 2)."""
        return {name: alpha.softmax(-1) for name, alpha in self.possible(alphas).items()}

    @abstractmethod
    def assign(self, probabilities: Mapping[str, Tensor]) -> ActiveOps:
        """Lay probabilities out on the edges: for every edge its weights over the operations."""

    def relax(self, alphas: Mapping[str, Tensor]) -> ActiveOps:
        """The mixture that α stands for: assign(softmax(α)), differentiable in α  (DARTS, eq. 2)."""
        return self.assign(self.probabilities(alphas))

    def derive(self, probabilities: Mapping[str, Tensor], with_none: bool = False) -> Architecture:
        """The architecture that a mixture with these probabilities is rounded to at the end of the search.

        No edge becomes "none", as in the rule of DARTS, so that the architecture is live  (DARTS, §2.4).
        with_none: whether edges may become "none", where the space has such architectures: the rule of NAS-Bench-201.
        Raises ValueError where their shapes are not those of α, and Diverged where one is NaN or infinite.
        """
        if (given := {n: tuple(p.shape) for n, p in probabilities.items()}) != self.alpha_shapes:
            raise ValueError(f"The probabilities have the shapes {given}, but {self.name} needs {self.alpha_shapes}.")
        for name, table in probabilities.items():
            if not table.isfinite().all():
                which = "NaN" if table.isnan().any() else "inf"
                raise Diverged(f"Probabilities of {name!r} are {which}, so none is the largest", "lower learning rates")
        return self.architecture(self.likeliest(probabilities, with_none))

    @abstractmethod
    def likeliest(self, probabilities: Mapping[str, Tensor], with_none: bool) -> list[int]:
        """The answers of the architecture that these probabilities are rounded to; with_none: see `derive`."""
