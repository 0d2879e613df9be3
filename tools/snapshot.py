"""Still pictures of widgets: committed notebooks have no widget state, so readers see what a widget showed at first."""

import re
from base64 import b64decode, b64encode
from functools import partial
from io import BytesIO

from nbformat import NotebookNode, from_dict
from PIL import Image

from nas_tutorial.pictures import images
from nas_tutorial.pictures.widgets import frame
from tools import template

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
PNG = re.compile(r'src="data:image/png;base64,([^"]+)"')
HINT = "<p><em>A still picture: run the notebook to use the controls.</em></p>"


def states(widgets: dict) -> dict[str, dict]:
    """Return the state of every widget by its model id, from a notebook's metadata."""
    return widgets.get(STATE, {}).get("state", {})


def still(output: NotebookNode, widgets: dict[str, dict]) -> NotebookNode:
    """Return an output with a widget's view replaced by what the widget shows; other outputs as they are.

    What it shows is kept as HTML, as the alternative texts of its pictures, and as its first PNG where it has one.
    """
    if VIEW not in output.get("data", {}):
        return output
    shown = pictures(without_scripts("\n".join(texts(output.data[VIEW]["model_id"], widgets))))
    alt = " ".join(alt for alt, _ in template.Figures(shown).found) or "A widget: run the notebook to use it."
    data, metadata = {"text/html": f"{shown}\n{HINT}".strip(), "text/plain": alt}, {}
    if (found := PNG.search(shown)) and (png := images.small_copy(partial(resized, b64decode(found[1])))):
        data["image/png"], metadata["image/png"] = b64encode(png).decode(), {"alt": alt}
    return from_dict({**output, "data": data, "metadata": metadata})


def resized(png: bytes, dots: int) -> bytes:
    """Return a PNG of 144 dots per inch with fewer of them."""
    picture, smaller = Image.open(BytesIO(png)).convert("RGB"), BytesIO()
    picture.resize([round(side * dots / images.DOTS[0]) for side in picture.size]).save(smaller, "PNG")
    return smaller.getvalue()


def texts(model_id: str, widgets: dict[str, dict]) -> list[str]:
    """Return the values of all HTML widgets at or below a widget, in order."""
    model = widgets.get(model_id, {})
    state = model.get("state", {})
    if model.get("model_name") in ("HTMLModel", "HTMLMathModel"):
        return [state["value"]] if state.get("value") else []
    children = [child.removeprefix("IPY_MODEL_") for child in state.get("children") or []]
    return [text for child in children for text in texts(child, widgets)]


def without_scripts(html: str) -> str:
    """Return a widget's HTML without what only matters while it is used."""
    return html.replace(frame.NAMES, "")


def pictures(html: str) -> str:
    """Return HTML with every inline SVG as an image: viewers that distrust a notebook still show those."""
    html = re.sub(r"(<\?xml.*?\?>|<!DOCTYPE.*?>)\s*(?=<svg|<!DOCTYPE)", "", html, flags=re.DOTALL)
    parts, end = [], 0
    for drawing in template.drawings(html):
        parts += [html[end : drawing.start], picture(html[drawing])]
        end = drawing.stop
    return "".join([*parts, html[end:]])


def picture(svg: str) -> str:
    """Return one SVG as an `<img>`; its alternative text is the SVG's aria-label or title."""
    if "xmlns=" not in svg[: svg.index(">")]:
        svg = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    name = re.search(r'<svg[^>]*\baria-label="([^"]+)"', svg) or re.search(r"<title>([^<]+)</title>", svg)
    alt = name[1].strip().replace('"', "&quot;") if name else ""  # already escaped for XML
    return f'<img alt="{alt}" src="data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}">'
