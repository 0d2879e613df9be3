"""Things to turn and look at in a notebook: each function returns one box, controls above and one picture below.

All are ordinary ipywidgets, version 7.7 or 8. A new one takes just a function that returns HTML, see `view`.
"""

from nas_tutorial.pictures.widgets.bilevel import explore_bilevel
from nas_tutorial.pictures.widgets.choosing import explore_space
from nas_tutorial.pictures.widgets.comparing import compare
from nas_tutorial.pictures.widgets.frame import WIDE, figure, view
from nas_tutorial.pictures.widgets.mixing import explore_mixed_op
from nas_tutorial.pictures.widgets.paging import browse
from nas_tutorial.pictures.widgets.replaying import explore_alpha, explore_macro
from nas_tutorial.pictures.widgets.sampling import explore_samples
from nas_tutorial.pictures.widgets.watching import watch
from nas_tutorial.pictures.widgets.words import count_parameters

__all__ = [
    "WIDE",
    "browse",
    "compare",
    "count_parameters",
    "explore_alpha",
    "explore_bilevel",
    "explore_macro",
    "explore_mixed_op",
    "explore_samples",
    "explore_space",
    "figure",
    "view",
    "watch",
]
