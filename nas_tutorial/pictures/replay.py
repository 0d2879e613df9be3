"""A page that replays searches: one HTML file with its recordings, for a browser without network and kernel."""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from nas_tutorial.pictures import drawing, pages
from nas_tutorial.pictures.replay_view import sentence, title, view
from nas_tutorial.strategies.recordings import Recording

HOME = Path(__file__).parent


def page(recordings: Sequence[Recording]) -> str:
    """The page as one HTML document; ValueError where there is no recording."""
    if not recordings:
        raise ValueError("There is no recording to replay; give one or more.")
    names = titles(recordings)
    script = (HOME / "replay.js").read_text(encoding="utf-8")
    return Template((HOME / "replay.html").read_text(encoding="utf-8")).substitute(
        generator=pages.generator("replay"),
        allowed=fingerprint(script),
        title=escape(names[0] if len(names) == 1 else f"{len(names)} searches, replayed"),
        style=(HOME / "replay.css").read_text(encoding="utf-8"),
        still="\n".join(map(still, recordings, names)),
        recordings=in_script([{**view(r), "title": name} for r, name in zip(recordings, names, strict=True)]),
        script=script,
    )


def titles(recordings: Sequence[Recording]) -> list[str]:
    """What each recording is called; where two would have one name, they are numbered."""
    names, seen = [title(recording) for recording in recordings], Counter()
    for i, name in enumerate(names):
        seen[name] += 1
        names[i] = name if seen[name] == 1 else f"{name} ({seen[name]})"
    return names


def still(recording: Recording, name: str) -> str:
    """The end of a search without scripts: its sentence and its picture."""
    picture, words = drawing.on_stage(recording.architecture).svg, sentence(recording.epochs[-1], len(recording.epochs))
    return (
        f"<section><h2>{escape(name)}</h2><p>{escape(words)}</p>"
        f'<div class="still">{picture}</div><code>{escape(str(recording.architecture))}</code></section>'
    )


def in_script(content: object) -> str:
    """JSON that can stand in a `<script>`: without `<`, `>` and `&`, which could end it or begin another."""
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def fingerprint(script: str) -> str:
    """The only script that a browser is to run on the page, as its security policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def save(recordings: Sequence[Recording], path: str | Path) -> Path:
    """Write the page to a file and return its path; ValueError where it cannot be written, see `pages.write`."""
    return pages.write(path, "replay", lambda: page(recordings))
