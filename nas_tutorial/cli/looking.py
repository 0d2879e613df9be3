"""`nas-tutorial draw`, `describe`, `replay`, `report` and `spaces`: to look at architectures, searches and spaces."""

from argparse import Namespace
from pathlib import Path

from nas_tutorial import spaces
from nas_tutorial.cli import choices, sources
from nas_tutorial.measures import describe as describing
from nas_tutorial.pictures import drawing
from nas_tutorial.pictures import replay as pages
from nas_tutorial.pictures import report as reports
from nas_tutorial.strategies import recordings


def draw(options: Namespace) -> None:
    """Draw an architecture into a file."""
    print(drawing.save(choices.chosen(options).architecture, options.out))


def describe(options: Namespace) -> None:
    """Print the figures of a network."""
    architecture = choices.chosen(options).architecture if choices.word(options) else None
    if not architecture and not options.space:
        raise ValueError("Give --space, an architecture or both; `nas-tutorial spaces` lists what there is.")
    sources.say(architecture.warning if architecture else "")
    sizes = {"classes": options.classes, "side": options.side}
    if options.supernet or not architecture:
        space = architecture.space if architecture else choices.space(options)
        found = describing.supernet(space, architecture, **sizes)
    else:
        found = describing.stand_alone(architecture, **sizes)
    print(found.to_json() if options.json else found)


def replay(options: Namespace) -> None:
    """Write a page that replays searches."""
    files = [Path(given) / "recording.json" if Path(given).is_dir() else Path(given) for given in options.recordings]
    print(pages.save([recordings.load(file) for file in files], options.output))


def report(options: Namespace) -> None:
    """Write a page that compares searches, and say what was left out."""
    for sentence in reports.save(options.runs, options.output):
        sources.say(sentence)
    print(options.output)


def list_spaces(options: Namespace) -> None:
    """A table of the spaces, in the sizes of the small profile."""
    print(f"{'space':<13}{'decisions':>9}  {'architectures':>13}  operations")
    for name in spaces.BY_NAME:
        space = spaces.get(name)
        size = f"{space.size:,}" if space.size < 10**6 else f"{space.size:.1e}"
        print(f"{name:<13}{len(space.decisions):>9}  {size:>13}  {', '.join(space.operations)}")
        profiles = (
            f"{profile}: {', '.join(f'{k} {v}' for k, v in s.items())}" for profile, s in space.profiles.items()
        )
        print(f"{'':<13}sizes: {'; '.join(profiles)}")
        if space.published:
            print(f"{'':<13}published architectures: {', '.join(space.published)}")
    print(
        "\nArchitectures and decisions are counted in the small sizes. --profile paper gives the larger ones, as they"
    )
    print("were published; tiny is of this package, and only larger there.")
