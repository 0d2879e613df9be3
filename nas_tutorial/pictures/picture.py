"""A picture that a notebook shows when it is the last line of a cell, with its description in words."""

import re
from dataclasses import dataclass
from xml.etree import ElementTree

from nas_tutorial.pictures.images import Bundle, bundle, image, small_copy

FONT = "Helvetica,Arial,sans-serif"
NAME = "nas-picture"
THEMES = ('[data-jp-theme-light="false"]', ".vscode-dark", 'html[theme="dark"]')  # JupyterLab, VS Code, Colab
DARK = "filter:invert(.94) hue-rotate(180deg)"  # the light card becomes a dark one, and every hue stays what it was
FLIP = "fill:#fff"  # for words on colours that become no darker by it
STYLE = "".join(f"{theme} .{NAME}{{{DARK}}}{theme} .{NAME} [data-ink=flip]{{{FLIP}}}" for theme in THEMES)
"""For a page of a dark theme that an SVG is part of. As an image it knows no theme: there the card stays white."""

HANDLES = re.compile(
    r'<desc>[^<]*</desc>|<title data-part="title">[^<]*</title>| (?:aria-label|data-(?!ink)[a-z]+)="[^"]*"'
)
"""What a script takes hold of, a mouse shows or a reader hears: useless in an image, and half of its size."""


@dataclass(frozen=True)
class Picture:
    """An SVG picture with its description in words.

    paper: the SVG from which a PNG and a PDF are made, of shapes that `paper` knows: its own, the last moment of one
    that moves, or none for a sheet.
    """

    svg: str
    alt: str
    paper: str = ""

    def __repr__(self) -> str:
        return f"<Picture: {self.alt}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        page = image(HANDLES.sub("", self.svg).encode(), "svg+xml", self.alt)
        png = small_copy(lambda dots: self.printed("png", dots)) if self.paper else None
        return bundle(page, self.alt, png, self.width)

    @property
    def width(self) -> int:
        """In CSS pixels."""
        return round(float(ElementTree.fromstring(self.svg).get("width")))

    def printed(self, kind: str, dots: int = 144) -> bytes:
        """The picture as "png" or "pdf"; dots: of a PNG per inch, 72 of which are the size on a screen.

        Raises ValueError for a sheet.
        """
        from nas_tutorial.pictures.paper import printed

        if not self.paper:
            raise ValueError("A sheet of many drawings becomes an SVG only; give a file name that ends in .svg.")
        return printed(self.paper, kind, dots)
