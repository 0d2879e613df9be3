"""Page through architectures."""

from collections.abc import Callable, Sequence

from ipywidgets import IntSlider, VBox

from nas_tutorial.pictures.widgets.frame import figure, slider_row, sliding, view
from nas_tutorial.pictures.widgets.stage import picture
from nas_tutorial.pictures.widgets.words import count_parameters, in_words
from nas_tutorial.spaces import Architecture


def browse(
    architectures: Sequence[Architecture],
    *,
    scores: Sequence[float] | None = None,
    parameters: Callable[[Architecture], int] | None = count_parameters,
) -> VBox:
    """Page through architectures: each drawn, with its notation, number of parameters and score (accuracy, 0 to 1).

    parameters: counts them, None leaves them out. Raises ValueError without architectures or with too few scores.
    """
    if not architectures or (scores is not None and len(scores) != len(architectures)):
        raise ValueError(
            f"Give at least one architecture, and one score for each or none; got {len(architectures)} "
            f"architectures and {len(scores or ())} scores."
        )

    def render(number: int) -> str:
        architecture = architectures[number - 1]
        accuracy = "" if scores is None else f" Accuracy {100 * scores[number - 1]:.1f} %."
        return figure(
            picture(architecture),
            f"Architecture {number} of {len(architectures)}: {in_words(architecture, parameters)}{accuracy}",
        )

    slider = sliding(IntSlider(1, 1, len(architectures), description="Architecture"))
    box = view(render, number=slider)
    box.children = [slider_row(slider), box.children[-1]]
    return box
