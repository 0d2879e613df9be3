"""What each command does, by its name."""

from argparse import Namespace

from nas_tutorial.cli.listing import list_settings
from nas_tutorial.cli.looking import describe, draw, list_spaces, replay, report
from nas_tutorial.cli.retraining import retrain
from nas_tutorial.cli.searching import RUNS, search
from nas_tutorial.cli.tabling import table


def demo(options: Namespace) -> None:
    """The demonstration of all strategies."""
    from nas_tutorial.demo import demo as demonstration

    folder = RUNS / demonstration.folder_name(options.seed)
    demonstration.run(folder, options.scale, options.seed, overwrite=options.overwrite)


BY_NAME = {
    "demo": demo,
    "search": search,
    "retrain": retrain,
    "draw": draw,
    "describe": describe,
    "settings": list_settings,
    "table": table,
    "replay": replay,
    "report": report,
    "spaces": list_spaces,
}
