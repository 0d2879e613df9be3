"""Images as notebooks keep them: small PNGs, and the three forms in which a picture is stored beside each other."""

import base64
import html
import io
from collections.abc import Callable, Sequence
from typing import Any

LIMIT, COPY = 45_000, 20_000  # bytes of a PNG within HTML and of the one beside it: 87,000 letters in a notebook
DOTS, COPY_DOTS = (144, 96, 72, 40), (96, 60, 48)  # per inch
COLOURS = (256, 64, 32)  # photographs need the first, lines are content with the last
CLOSE = 0.5  # mean difference of two pictures, of 255, that nobody sees

Bundle = tuple[dict[str, str], dict[str, dict[str, Any]]]
"""Data and metadata by MIME type, as IPython's `display(data, metadata=metadata, raw=True)` takes them."""


def image(content: bytes, kind: str, alt: str, width: int | None = None) -> str:
    """An HTML image that carries its own bytes: no file beside it, and shown in a notebook that is not trusted, too.

    kind: "png" or "svg+xml"; width: in CSS pixels, else the picture's own.
    """
    size = f' width="{width}"' if width else ""
    source = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    return f'<img alt="{html.escape(alt)}"{size} style="max-width:100%;height:auto" src="{source}">'


def bundle(page: str, alt: str, png: bytes | None = None, width: int | None = None) -> Bundle:
    """A picture as HTML, as the words that describe it, and as a PNG where there is one.

    Twice, because JupyterLab, VS Code and nbconvert's web pages choose HTML, where alone JupyterLab keeps an alt text,
    while nbconvert's PDF and VS Code in a folder that is not trusted show the PNG only: a small one, for the notebook's
    size. (An SVG in its place would stop the PDF where Inkscape is missing.)
    page: the HTML; width: of the PNG in CSS pixels.
    """
    words = {"text/html": page, "text/plain": alt}
    if png is None:
        return words, {}
    size = {"width": width} if width else {}
    return {"image/png": base64.b64encode(png).decode(), **words}, {"image/png": {"alt": alt, **size}}


def small_png(draw: Callable[[int], bytes], limit: int = LIMIT, dots: Sequence[int] = DOTS) -> bytes:
    """A picture as a PNG of at most `limit` bytes: as many dots per inch and then as many colours as fit.

    Where few colours look the same, it has few.

    draw: dots per inch → PNG. Raises ValueError where even the fewest dots are too many.
    """
    for dpi in dots:
        drawn = draw(dpi)
        smallest = palette(drawn, COLOURS[-1])
        if len(smallest) <= limit and difference(drawn, smallest) <= CLOSE:
            return smallest
        if len(smallest) <= limit:
            richer = (palette(drawn, colours) for colours in COLOURS[:-1])
            return next((content for content in richer if len(content) <= limit), smallest)
    raise ValueError(
        f"The picture takes {len(smallest)} bytes at {dpi} dots per inch, more than {limit}; make it smaller."
    )


def small_copy(draw: Callable[[int], bytes], limit: int = COPY) -> bytes | None:
    """The PNG that stands beside HTML; None where it would be too large to be read."""
    try:
        return small_png(draw, limit, COPY_DOTS)
    except ValueError:
        return None


def difference(one: bytes, other: bytes) -> float:
    """How far two PNGs of the same size are apart in a pixel and colour, on average, of 255."""
    from PIL import Image, ImageChops, ImageStat

    pictures = (Image.open(io.BytesIO(png)).convert("RGB") for png in (one, other))
    return sum(ImageStat.Stat(ImageChops.difference(*pictures)).mean) / 3


def palette(png: bytes, colours: int) -> bytes:
    """The same picture with a palette of so many colours, without transparency."""
    from PIL import Image

    packed = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(colours).save(packed, format="PNG", optimize=True)
    return packed.getvalue()
