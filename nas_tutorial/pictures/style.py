"""How an operation looks, everywhere: one colour (Okabe & Ito), and a second cue for whom colours look alike.

The hue says what kind of operation it is, a darker shade of the same hue that its kernel is 5×5 instead of 3×3.
"""

from typing import NamedTuple

from nas_tutorial.spaces import Cell

GREY = "#767676"  # the lightest grey in which text on white is easy to read  (WCAG 2.1)


class Style(NamedTuple):
    """Looks of an operation.

    family: its name whatever the space calls it; colour: of lines, bars and markers; line: "solid", "dashed", "dotted";
    marker, hatch: matplotlib's codes; outline: Graphviz's style of the box; rings: borders around the box;
    sign: one or two letters for small drawings.
    """

    family: str
    colour: str
    line: str
    marker: str
    hatch: str
    outline: str
    rings: int
    sign: str

    @property
    def fill(self) -> str:
        """White for zero, skip and what is dead, which compute nothing; the colour for all others."""
        return "#FFFFFF" if self.family in ("zero", "skip") or self.is_dead else self.colour

    @property
    def ink(self) -> str:
        """Black or white, whichever stands out more from the fill; grey for what is dead."""
        return GREY if self.is_dead else max("#000000", "#FFFFFF", key=lambda ink: contrast(ink, self.fill))

    @property
    def flips(self) -> bool:
        """Whether the ink has to change where light and dark are exchanged: on a colour of middling lightness."""
        return self.ink == "#000000" and _luminance(self.fill) < 0.35

    @property
    def dead(self) -> "Style":
        """The same operation on an edge where nothing flows: grey and dashed; zero keeps its looks."""
        grey = {"colour": GREY, "line": "dashed", "outline": "filled,dashed", "rings": 1}
        return self if self.family == "zero" else self._replace(**grey)

    @property
    def is_dead(self) -> bool:
        """Whether this is how an operation looks where nothing flows."""
        return self.colour == GREY


_STYLES = {
    style.family: style
    for style in (
        #     family          colour     line      marker hatch  outline           rings sign
        Style("zero", "#999999", "dotted", "x", "", "filled,dotted", 1, "0"),
        Style("skip", "#000000", "dashed", ">", "--", "filled,dashed", 1, "s"),
        Style("avg_pool_3x3", "#E69F00", "solid", "o", "o", "filled,rounded", 1, "a"),
        Style("max_pool_3x3", "#D55E00", "solid", "^", "O", "filled,rounded", 2, "m"),
        Style("conv_1x1", "#56B4E9", "solid", ".", "/", "filled", 1, "1"),
        Style("conv_3x3", "#0072B2", "solid", "s", "//", "filled", 1, "3"),
        Style("conv_5x5", "#00406B", "solid", "P", "///", "filled,bold", 1, "5"),
        Style("sep_conv_3x3", "#009E73", "solid", "D", "x", "filled", 2, "s3"),
        Style("sep_conv_5x5", "#00563F", "solid", "X", "xx", "filled,bold", 2, "s5"),
        Style("dil_conv_3x3", "#CC79A7", "dashed", "v", "\\", "filled,dashed", 1, "d3"),
        Style("dil_conv_5x5", "#8F3A6A", "dashed", "<", "\\\\", "filled,dashed", 2, "d5"),
    )
}

_FAMILIES = {"none": "zero", "skip_connect": "skip", "nor_conv_1x1": "conv_1x1", "nor_conv_3x3": "conv_3x3"}


def style_of(operation: str) -> Style:
    """The looks of an operation by the name any space gives it; an operation of your own is yellow with a star."""
    family = _FAMILIES.get(operation, operation)
    return _STYLES.get(family) or Style(family, "#F0E442", "solid", "*", "*", "filled", 1, operation[:1].upper() or "?")


def looks(cell: Cell) -> list[Style]:
    """The looks of each edge of a cell, in their order."""
    dead = set(cell.dead_edges)
    return [style_of(edge.operation).dead if edge in dead else style_of(edge.operation) for edge in cell.edges]


SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # for what is no operation
POINTS = tuple("osD^vPX")
COLOURS = {name: style_of(name).colour for name in (*_STYLES, *_FAMILIES)}
MARKERS = {name: style_of(name).marker for name in COLOURS}
HATCHES = {name: style_of(name).hatch for name in COLOURS}


def contrast(one: str, other: str) -> float:
    """How much two colours "#RRGGBB" stand out, 1 to 21: (L₁ + 0.05) / (L₂ + 0.05), luminances L₁ ≥ L₂  (WCAG 2.1)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
