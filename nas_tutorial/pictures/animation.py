"""A picture that moves from one moment to the next by style sheets alone: no script, in a page or a README.

Whoever asks their system for less motion sees the last moment, and so does whatever shows no animations.
"""

import zlib
from collections.abc import Sequence
from copy import deepcopy
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from nas_tutorial.pictures import stage
from nas_tutorial.pictures.stage import Changes
from nas_tutorial.spaces import Space

REST = 15  # percent of the time for which the last moment stays
MOVING = ("stroke", "stroke-width", "stroke-dasharray", "fill", "x", "y", "width", "height", "rx", "opacity")
PIXELS = ("x", "y", "width", "height", "rx", "stroke-width")
SVG = "{http://www.w3.org/2000/svg}"


def animated(
    space: Space, moments: Sequence[Changes], captions: Sequence[str], alt: str, notes: Sequence[str], seconds: float
) -> str:
    """One `<svg>` that shows the moments one after another, each with its caption, and begins again."""
    ElementTree.register_namespace("", SVG[1:-1])
    root = ElementTree.fromstring(stage.render(space, moments[-1], alt, (*notes, captions[-1])))
    timeline = Timeline(len(moments), seconds, f"m{zlib.crc32(alt.encode()):08x}")
    for group in list(root.iter(f"{SVG}g")):
        states = [moment.get(group.get("data-key"), {}) for moment in moments]
        for element in [e for e in group if e.tag != f"{SVG}title"]:
            _move(group, element, [state.get(element.get("data-part"), {}) for state in states], timeline)
    _switch(root, root[-1], list(captions), timeline)
    style = root.find(f"{SVG}style")
    style.text += timeline.sheet()
    root.set("class", f"{root.get('class')} {timeline.name}")
    return ElementTree.tostring(root, encoding="unicode")


class Timeline:
    """Keyframes by what happens in them: elements that do the same share them."""

    def __init__(self, count: int, seconds: float, name: str):
        self.name, self.seconds = name, seconds
        self.times = [round((100 - REST) * i / max(count - 1, 1), 1) for i in range(count)]
        self.names: dict[str, str] = {}

    def play(self, element: Element, frames: str, steps: bool = False) -> None:
        """Let an element go through these keyframes; steps: without anything between them."""
        name = self.names.setdefault(frames, f"{self.name}-{len(self.names)}")
        way = "step-end" if steps else "linear"
        earlier = element.get("style", "animation:").removesuffix(";")
        comma = "" if earlier.endswith(":") else ","
        element.set("style", f"{earlier}{comma}{name} {self.seconds:g}s {way} infinite;")

    def frames(self, values: Sequence[str]) -> str:
        """Keyframes with these declarations at the moments, of which equal ones in a row become two."""
        kept = [
            i for i, value in enumerate(values) if value not in values[i - 1 : i] or value not in values[i + 1 : i + 2]
        ]
        frames = "".join(f"{self.times[i]:g}%{{{values[i]}}}" for i in {0, *kept} - {len(values) - 1})
        return f"{frames}{self.times[-1]:g}%,to{{{values[-1]}}}"

    def sheet(self) -> str:
        """The keyframes as a style sheet."""
        frames = "".join(f"@keyframes {name}{{{frames}}}" for frames, name in self.names.items())
        return f"{frames}@media (prefers-reduced-motion:reduce){{.{self.name} *{{animation:none!important}}}}"


def _move(group: Element, element: Element, states: Sequence[dict[str, str]], timeline: Timeline) -> None:
    """Let an element go through its states: attributes glide, a text is exchanged."""
    states = [{**state, "opacity": "0"} if state.get("display") == "none" else state for state in states]
    changing = [name for name in MOVING if len({state.get(name) for state in states}) > 1]
    if changing:
        values = [";".join(_declared(name, state.get(name)) for name in changing) for state in states]
        timeline.play(element, timeline.frames(values))
        element.attrib.pop("display", None)
        element.set("opacity", states[-1].get("opacity", "1"))
    texts = [state.get("text", "") for state in states]
    if len(set(texts)) > 1:
        _switch(group, element, texts, timeline)


def _declared(name: str, value: str | None) -> str:
    value = {"opacity": "1", "fill": "#000"}.get(name, "0") if value is None else value
    return f"{name}:{value}px" if name in PIXELS else f"{name}:{value}"


def _switch(group: Element, element: Element, texts: Sequence[str], timeline: Timeline) -> None:
    """A copy of the element for each of its texts, of which one is seen at any time."""
    at = list(group).index(element)
    for text in reversed(dict.fromkeys(texts)):
        twin = deepcopy(element)  # a copy would share its attributes
        twin.text, last = text, text == texts[-1]
        twin.set("opacity", "1" if last else "0")
        timeline.play(twin, timeline.frames([f"opacity:{int(now == text)}" for now in texts]), steps=True)
        group.insert(at, twin)
    group.remove(element)
