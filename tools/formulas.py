"""Draw formulas as pictures: LaTeX → SVG by matplotlib, so that a slide looks the same in every browser."""

import base64
import html
import io
import re
from functools import cache

from matplotlib import rc_context
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser, math_to_image

FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", re.S)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.S)
SIZE = 100  # points; everything else is given in parts of it
# matplotlib has other names for these, and makes brackets as large as they must be by itself.
SYNONYMS = {r"\\le(?![a-zA-Z])": r"\\leq", r"\\ge(?![a-zA-Z])": r"\\geq", r"\\[lr]Vert(?![a-zA-Z])": r"\\|"}
SYNONYMS |= {r"\\[bB]ig+[lr]?(?![a-zA-Z])": "", r"\\(?:lvert|rvert)(?![a-zA-Z])": "|", r"\\!": "", r"\s+": " "}
SYNONYMS |= {r"\\sum(?![a-zA-Z])": r"\\;\\sum"}  # what stands under it is wider


def known(latex: str) -> str:
    """Return a formula in the words that matplotlib knows."""
    for pattern, word in SYNONYMS.items():
        latex = re.sub(pattern, word, latex)
    return f"${latex.strip()}$"


def mistake(latex: str) -> str | None:
    """Return why a formula cannot be drawn; None where it can."""
    try:
        MathTextParser("path").parse(known(latex))
    except ValueError as error:
        return str(error).strip().splitlines()[-1]
    return None


def mistakes(markdown: str) -> list[str]:
    """Return the formulas of Markdown that cannot be drawn, each with the reason."""
    found = [block or line for block, line in FORMULA.findall(CODE.sub("", markdown))]
    return [f"{latex.strip()}: {why}" for latex in found if (why := mistake(latex))]


@cache
def image(latex: str, display: bool = False) -> str:
    """Return a formula as an HTML image that stands on the line of the text around it; ValueError if it cannot be."""
    drawn, look = io.BytesIO(), FontProperties(size=SIZE, math_fontfamily="stix")
    latex = latex.replace(r"\frac", r"\dfrac") if display else latex
    with rc_context({"savefig.facecolor": "none"}):  # what stands behind it shows through
        depth = math_to_image(known(latex), drawn, prop=look, dpi=72, format="svg", color="#1b1b1b") / SIZE
    height = float(re.search(rb'<svg[^>]*\bheight="([\d.]+)pt"', drawn.getvalue())[1]) / SIZE
    style = f"height:{height:.3f}em;vertical-align:{-depth:.3f}em"
    source = base64.b64encode(drawn.getvalue()).decode()
    kind = "formula display" if display else "formula"
    return f'<img class="{kind}" alt="{html.escape(latex)}" style="{style}" src="data:image/svg+xml;base64,{source}">'
