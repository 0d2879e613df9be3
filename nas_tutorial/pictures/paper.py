"""From SVG to PNG and PDF, through matplotlib: for the shapes that drawings of this package consist of, no others.

These are `<g>` (display, opacity), `<rect>`, `<text>` and `<path>` with the commands M, L, H, V, C, Q and Z.
"""

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

FONTS = ("Helvetica", "Arial", "Liberation Sans", "DejaVu Sans")  # the first that the machine has
ANCHORS = {None: "left", "start": "left", "middle": "center", "end": "right"}


def printed(svg: str, kind: str, dots: int = 72) -> bytes:
    """The picture as "png" or "pdf"; a pixel of the SVG becomes a 72nd of an inch. dots: per inch of a PNG.

    The text of a PDF stays text, and the same picture gives the same bytes.
    """
    import matplotlib
    from matplotlib.figure import Figure

    root = ElementTree.fromstring(svg)
    width, height = (float(root.get(side)) for side in ("width", "height"))
    with matplotlib.rc_context({"font.family": _font(), "pdf.fonttype": 42, "lines.scale_dashes": False}):
        figure = Figure(figsize=(width / 72, height / 72))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, width), ylim=(height, 0))
        axes.axis("off")
        for order, (element, opacity) in enumerate(_shapes(root, 1.0)):
            _put(axes, element, opacity, order)
        page = io.BytesIO()
        figure.savefig(page, format=kind, dpi=dots, metadata={"CreationDate": None} if kind == "pdf" else None)
    return page.getvalue()


def _font() -> str:
    from matplotlib import font_manager

    found = set(font_manager.get_font_names())
    return next((font for font in FONTS if font in found), FONTS[-1])


def _shapes(parent: Element, opacity: float) -> Iterator[tuple[Element, float]]:
    """All shapes that are shown, from back to front, and how opaque each is."""
    for element in parent:
        kind, seen = element.tag.rpartition("}")[2], opacity * float(element.get("opacity", 1))
        if element.get("display") == "none":
            continue
        if kind == "g":
            yield from _shapes(element, seen)
        elif kind in ("rect", "path", "text"):
            yield element, seen


def _put(axes: "Axes", element: Element, opacity: float, order: int) -> None:
    if element.tag.endswith("text"):
        axes.text(
            float(element.get("x")),
            float(element.get("y")),
            (element.text or "").replace("$", r"\$"),
            fontsize=float(element.get("font-size", 13)),
            color=element.get("fill", "#000000"),
            ha=ANCHORS[element.get("text-anchor")],
            va="baseline",
            alpha=opacity,
            zorder=order,
        )
    else:
        patch = _patch(element)
        patch.set(alpha=opacity, zorder=order, **_looks(element))
        axes.add_artist(patch)


def _looks(element: Element) -> dict[str, object]:
    """matplotlib's names for an element's colours and line."""
    dashes, stroke = element.get("stroke-dasharray", "none"), element.get("stroke", "none")
    line = "solid" if dashes == "none" else (0, tuple(map(float, dashes.split())))
    width = float(element.get("stroke-width", 1))
    return {"facecolor": element.get("fill", "#000000"), "edgecolor": stroke, "linewidth": width, "linestyle": line}


def _patch(element: Element) -> "Patch":
    from matplotlib.patches import FancyBboxPatch, PathPatch

    if element.tag.endswith("path"):
        return PathPatch(_path(element.get("d")), capstyle="butt")
    x, y, w, h = (float(element.get(name, 0)) for name in ("x", "y", "width", "height"))
    return FancyBboxPatch((x, y), w, h, f"round,pad=0,rounding_size={float(element.get('rx', 0))}")


def _path(text: str) -> object:
    """matplotlib's path for one in the notation of SVG."""
    from matplotlib.path import Path

    points, codes, at = [], [], (0.0, 0.0)
    for letter, numbers in re.findall(r"([MLHVCQZ])([^MLHVCQZ]*)", text):
        values = [float(number) for number in numbers.split()]
        values = {"H": [*values, at[1]], "V": [at[0], *values], "Z": list(at)}.get(letter, values)
        ends = list(zip(values[::2], values[1::2], strict=True))
        code = {"M": Path.MOVETO, "C": Path.CURVE4, "Q": Path.CURVE3, "Z": Path.CLOSEPOLY}.get(letter, Path.LINETO)
        points, codes, at = points + ends, codes + [code] * len(ends), ends[-1]
    return Path(points, codes)
