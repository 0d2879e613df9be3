"""Page through architectures."""

from collections.abc import Callable, Sequence
from functools import cache

from ipywidgets import IntSlider, VBox

from nas_tutorial.pictures.widgets.frame import figure, slider_row, sliding, toggles, view
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

    parameters: counts them, None leaves them out. They can be sorted by both, the fewest parameters and the best score
    first. Raises ValueError without architectures or with too few scores.
    """
    if not architectures or (scores is not None and len(scores) != len(architectures)):
        raise ValueError(
            f"Give at least one architecture, and one score for each or none; got {len(architectures)} "
            f"architectures and {len(scores or ())} scores."
        )

    keys: dict[str, Callable[[int], float]] = {"as given": lambda i: i}
    if parameters is not None:
        keys["parameters"] = lambda i: parameters(architectures[i])
    if scores is not None:
        keys["accuracy"] = lambda i: -scores[i]  # the best comes first

    @cache
    def ordered(key: str) -> list[int]:
        return sorted(range(len(architectures)), key=keys[key])

    def render(place: int, key: str) -> str:
        number = ordered(key)[place - 1]
        shown, by = architectures[number], "" if key == "as given" else f" by {key}, number {number + 1} as given"
        accuracy = "" if scores is None else f" Accuracy {100 * scores[number]:.1f} %."
        line = f"Architecture {place} of {len(architectures)}{by}: {in_words(shown, parameters)}{accuracy}"
        return figure(picture(shown), line)

    slider = sliding(IntSlider(1, 1, len(architectures), description="Architecture"))
    order = toggles([(key, key) for key in keys], "as given", "sort by")
    box = view(render, place=slider, key=order)
    box.children = [slider_row(slider), *([order] if len(keys) > 1 else []), box.children[-1]]
    return box
