"""Turn the drawings that open the notebooks into PNGs: notebooks/source/pictures/NN.svg into NN.png.

python -m tools.openings [NN ...]      all, or those with these numbers; needs Chromium, for its fonts

Colab and VS Code show no SVG in Markdown. The PNG has twice as many pixels as the drawing, for sharp screens.
"""

import sys
from pathlib import Path

from nas_tutorial.pictures.images import palette
from tools.chromium import browser
from tools.notebooks import NOTEBOOKS

PICTURES = NOTEBOOKS / "source" / "pictures"
COLOURS = 64


def png(svg: Path) -> bytes:
    """Return a drawing as a PNG of few colours."""
    with browser() as chromium:
        page = chromium.new_page(device_scale_factor=2)
        page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{svg.read_text('utf-8')}")
        return palette(page.locator("svg").screenshot(), COLOURS)


def main(argv: list[str] | None = None) -> int:
    """Write the PNGs of the drawings named, or of all; print each with its size."""
    numbers = [number.zfill(2) for number in (sys.argv[1:] if argv is None else argv)]
    for svg in sorted(PICTURES.glob("*.svg")):
        if not numbers or svg.stem in numbers:
            target = svg.with_suffix(".png")
            target.write_bytes(png(svg))
            print(f"{target.name}: {target.stat().st_size / 1e3:.0f} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
