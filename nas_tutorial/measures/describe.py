"""A network in figures: parameters, multiply-adds, and the shapes that a picture takes on its way through it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass

import torch
from torch import nn

from nas_tutorial.networks.costs import MultiplyAddCounter
from nas_tutorial.settings import to_text, whole_number
from nas_tutorial.spaces import Architecture, Space
from nas_tutorial.strategies import controller
from nas_tutorial.training import count_parameters, memory, seeded

LARGE = 8e9  # bytes
PARTS = {"DenseCell": "cell", "ResidualReduction": "reduction", "MacroLayer": "layer", "MicroCell": "cell"}


@dataclass(frozen=True)
class Description:
    """Figures of one network of a space.

    architecture: what runs, None for all operations at once. parameters: trained weights without the auxiliary head's.
    multiply_adds: of one picture's forward pass. shapes: (part, (channels, height, width)) in the order of the pass.
    alphas: shapes of DARTS' architecture parameters; controller_parameters: of ENAS' policy (both for supernets only).
    """

    space: str
    sizes: dict[str, int]
    network: str
    architecture: str | None
    input: tuple[int, int, int]
    parameters: int
    auxiliary_parameters: int
    multiply_adds: int
    shapes: list[tuple[str, tuple[int, ...]]]
    alphas: dict[str, tuple[int, int]] | None = None
    controller_parameters: int | None = None

    def to_json(self) -> str:
        """The figures as JSON text."""
        return to_text(asdict(self), indent=1)

    def __str__(self) -> str:
        return "\n".join(f"{name:<16}{value}" for name, value in self._lines())

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "space", f"{self.space} ({', '.join(f'{name} {size}' for name, size in self.sizes.items())})"
        yield "network", self.network
        if self.architecture:
            yield "architecture", self.architecture
        extra = f" (+ {self.auxiliary_parameters:,} in the auxiliary head)" if self.auxiliary_parameters else ""
        yield "parameters", f"{self.parameters:,}{extra}"
        yield "multiply-adds", f"{self.multiply_adds:,} for one picture"
        if self.alphas:
            yield "DARTS' α", ", ".join(f"{name} {rows}×{columns}" for name, (rows, columns) in self.alphas.items())
            yield "ENAS' policy", f"{self.controller_parameters:,} parameters"
        yield "shapes", f"{'picture':<18}{_times(self.input)}"
        yield from (("", f"{part:<18}{_times(shape)}") for part, shape in self.shapes)


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def stand_alone(architecture: Architecture, classes: int = 10, image_channels: int = 3, side: int = 32) -> Description:
    """Figures of an architecture's own network, in the form that is trained from scratch."""
    check_sizes(classes, image_channels, side)
    with _home(architecture.space, side, 1 / len(architecture.space.operations)):
        network = architecture.space.network(architecture, classes, image_channels)
    return _describe(architecture.space, network, architecture, "stand-alone", (image_channels, side, side))


def supernet(
    space: Space,
    architecture: Architecture | None = None,
    classes: int = 10,
    image_channels: int = 3,
    side: int = 32,
) -> Description:
    """Figures of the supernet; multiply-adds of one architecture in it, or of all operations at once."""
    check_sizes(classes, image_channels, side)
    with _home(space, side):
        network = space.supernet(classes, image_channels)
    size = (image_channels, side, side)
    what = "supernet, one path" if architecture else "supernet, all operations at once"
    policy = sum(p.numel() for p in controller.for_space(space).parameters())
    return _describe(space, network, architecture, what, size, alphas=space.alpha_shapes, controller_parameters=policy)


@contextmanager
def _home(space: Space, side: int, share: float = 1.0) -> Iterator[None]:
    """Where a network is built: in memory, or, if it may be large, as shapes without numbers, which need none.

    share: how much of the supernet it is.
    """
    with seeded(0), torch.device("meta" if share * memory.at_most(space, side, 1) > LARGE else "cpu"):
        yield


def check_sizes(classes: int, image_channels: int, side: int) -> None:
    """Raise ValueError where one of these is no whole number, or larger than any network's."""
    for name, given, most in (
        ("classes", classes, 10**6),
        ("image_channels", image_channels, 4096),
        ("side", side, 65_536),
    ):
        whole_number(name, given, 1, most)


def _describe(
    space: Space,
    network: nn.Module,
    architecture: Architecture | None,
    what: str,
    size: tuple[int, int, int],
    **more: object,
) -> Description:
    shapes, work = _measured(space, network, architecture, size)
    own = count_parameters(network)
    return Description(
        space.name,
        space.sizes,
        what,
        str(architecture) if architecture else None,
        size,
        own,
        sum(p.numel() for p in network.parameters()) - own,
        work.multiply_adds,
        shapes,
        **more,
    )


@torch.no_grad()
def _measured(
    space: Space, network: nn.Module, architecture: Architecture | None, size: tuple[int, int, int]
) -> tuple[list[tuple[str, tuple[int, ...]]], MultiplyAddCounter]:
    """Shapes of the parts, and the work, of one picture's way through the network."""
    shapes: list[tuple[str, tuple[int, ...]]] = []
    device = next(network.parameters()).device
    alphas = {name: alpha.to(device) for name, alpha in space.alphas(torch.Generator()).items()}
    with MultiplyAddCounter() as work, _watched(network, shapes):
        network.eval()(torch.zeros(1, *size, device=device), architecture or space.relax(alphas))
    return shapes, work


@contextmanager
def _watched(network: nn.Module, shapes: list) -> Iterator[None]:
    """Write down the shape of every part's output, without the batch axis."""
    with ExitStack() as hooks:
        for name, part in _parts(network):
            hooks.enter_context(_hooked(part, lambda *a, name=name: shapes.append((name, tuple(a[-1].shape[1:])))))
        yield


@contextmanager
def _hooked(part: nn.Module, hook) -> Iterator[None]:
    handle = part.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def _parts(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Stem, cells or layers, head, with their names."""
    for name, child in network.named_children():
        if not isinstance(child, nn.ModuleList):
            yield name, child
            continue
        for i, part in enumerate(child, start=1):
            kind = getattr(part, "kind", None)
            yield f"{i}: {f'{kind} cell' if kind else PARTS.get(type(part).__name__, name)}", part
