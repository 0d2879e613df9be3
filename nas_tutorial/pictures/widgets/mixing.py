"""One edge of DARTS with sliders: temperature and α, the feature map of each operation, and their blend."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from io import BytesIO

import numpy as np
import torch
from ipywidgets import FloatSlider, VBox
from PIL import Image
from torch import Tensor

from nas_tutorial import data
from nas_tutorial.networks import ops
from nas_tutorial.pictures.style import style_of
from nas_tutorial.pictures.widgets.chart import INK, svg, text
from nas_tutorial.pictures.widgets.frame import figure, sliding, view
from nas_tutorial.training import seeded

SIDE, GAP, LABELS = 96, 22, 40  # pixels: of a map, between two, above and below


def explore_mixed_op(outputs: Mapping[str, Tensor] | None = None, alpha: Sequence[float] | None = None) -> VBox:
    """Sliders for the temperature T and one α an operation: its share softmax(α / T), and the blend of all outputs.

    outputs: by an operation's name what it makes of one picture, (H, W) each; else those of the tiny space's operations
    with random weights, for a picture of a digit. alpha: where the sliders begin, else at 0. Raises ValueError unless
    there is one for each.
    """
    outputs = example() if outputs is None else outputs
    alpha = [0.0] * len(outputs) if alpha is None else [float(a) for a in alpha]
    if len(alpha) != len(outputs) or not outputs:
        raise ValueError(f"Give one output and one α an operation; got {len(outputs)} outputs and {len(alpha)} α.")
    maps = torch.stack([torch.as_tensor(output, dtype=torch.float32) for output in outputs.values()])  # (O, H, W)

    def render(T: float, **alphas: float) -> str:
        p = (torch.tensor(list(alphas.values())) / T).softmax(0)  # (O,)
        shares = [f"{name} {100 * share:.1f} %" for name, share in zip(outputs, p.tolist(), strict=True)]
        line = f"T = {T:.1f}: {', '.join(shares)}. The blend is the sum of the maps, each times its share."
        return figure(_shelf(list(outputs), maps, p, line), line, lines=2)

    temperature = sliding(FloatSlider(1, min=0.1, max=10, step=0.1, description="temperature T"))
    sliders = {
        f"alpha_{i}": sliding(FloatSlider(a, min=-4, max=4, step=0.1, description=f"α of {name}"))
        for i, (name, a) in enumerate(zip(outputs, alpha, strict=True))
    }
    return view(render, T=temperature, **sliders)


def example() -> dict[str, Tensor]:
    """What the tiny space's operations make of the green of one digit, with random weights: (16, 16) each."""
    picture = data.load("digits", seed=0).validation.images[:1].float() / 128 - 1  # (1, 3, 16, 16)
    with seeded(0), torch.no_grad():
        made = {name: build(3, 1, False).train()(picture)[0, 1] for name, build in ops.TINY.items()}
    return made


def _shelf(names: Sequence[str], maps: Tensor, p: Tensor, words: str) -> str:
    """All maps with their shares as bars above their names, and the blend on the right, on one scale of colours."""
    limit = float(maps.abs().max()) or 1.0
    blend = (p[:, None, None] * maps).sum(0)  # (H, W)
    parts, step, floor = [], SIDE + GAP, LABELS + SIDE
    for i, (name, share) in enumerate(zip(names, p.tolist(), strict=True)):
        left, colour = i * step, style_of(name).colour
        parts.append(_map(left, maps[i], limit))
        parts.append(text(left, LABELS - 26, name))
        parts.append(f'<rect x="{left}" y="{LABELS - 18}" width="{SIDE}" height="10" fill="none" stroke="{INK}"/>')
        parts.append(f'<rect x="{left}" y="{LABELS - 18}" width="{SIDE * share:.1f}" height="10" fill="{colour}"/>')
        sign = "=" if i == len(names) - 1 else "+"
        parts.append(text(left + SIDE + 7, LABELS + SIDE / 2 + 5, sign))
        parts.append(text(left, floor + 20, f"{100 * share:.1f} %"))
    left = len(names) * step
    parts += [_map(left, blend, limit), text(left, LABELS - 26, "blend")]
    return svg((left + SIDE + 2, floor + 28), words, parts)


def _map(left: float, values: Tensor, limit: float) -> str:
    """A map (H, W) as an image, purple below zero and orange above."""
    from matplotlib import colormaps

    colours = colormaps["PuOr_r"](np.asarray(values) / (2 * limit) + 0.5, bytes=True)[..., :3]  # (H, W, 3)
    packed = BytesIO()
    Image.fromarray(colours).resize((SIDE, SIDE), Image.Resampling.NEAREST).save(packed, "PNG")
    source = f"data:image/png;base64,{b64encode(packed.getvalue()).decode()}"
    return f'<image x="{left}" y="{LABELS}" width="{SIDE}" height="{SIDE}" href="{source}"/>'
