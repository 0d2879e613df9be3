"""What may be typed: the commands and their options. Loads nothing but argparse; `pages` has the longer help."""

import argparse
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable

import nas_tutorial
from nas_tutorial.cli import pages
from nas_tutorial.strategies import PROFILES, SUMMARIES

MOST_SCALE = 100  # of the demonstration: about a day
ENGINES = ("serial", "processes", "ray")
MOST_THREADS = 256  # some thousands would take all processes that a machine has


def whole(least: int, most: int, bounds: str = "") -> Callable[[str], int]:
    """What reads a whole number from `least` to `most`; bounds: the same in words, for an error."""

    def read(text: str) -> int:
        if len(text) > 30 or not text.isdecimal() or not least <= int(text) <= most:
            shown = text if len(text) <= 30 else f"{text[:30]}…"
            raise argparse.ArgumentTypeError(f"{shown!r} is not a whole number {bounds or f'from {least} to {most:,}'}")
        return int(text)

    return read


count = whole(1, 10**6)
epochs = whole(1, 100_000)
size = whole(1, 10**20)  # each space has bounds of its own
side = whole(1, 65_536)
threads = whole(1, MOST_THREADS)
seed = whole(0, 2**63 - 1, "from 0 to 2^63 - 1")


def fraction(text: str) -> float:
    """A number above 0 and at most `MOST_SCALE`."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= MOST_SCALE:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0 and at most {MOST_SCALE}")
    return number


def parser() -> ArgumentParser:
    """The parser of all commands."""
    top = ArgumentParser("nas-tutorial", description=pages.OVERVIEW, formatter_class=RawDescriptionHelpFormatter)
    top.add_argument("--version", action="version", version=nas_tutorial.__version__)
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    for name, (summary, text, add_options) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=text, formatter_class=RawDescriptionHelpFormatter)
        add_options(command)
        command.add_argument(
            "--threads", type=threads, default=1, help="threads of torch (1: for networks this small, more are slower)"
        )
    return top


def add_search(command: ArgumentParser) -> None:
    """Options of `search`."""
    command.add_argument("--space", required=True, help="what to search: see `nas-tutorial spaces`")
    command.add_argument("--strategy", required=True, choices=tuple(SUMMARIES), help="how to search")
    add_data(command)
    add_sizes(command)
    command.add_argument("--epochs", type=epochs, help="passes over the training pictures (random: architectures)")
    command.add_argument("--order", type=int, choices=(1, 2), help="darts and variants: 2 looks one step ahead")
    command.add_argument("--shared", action="store_true", help="random: compare many within one supernet")
    command.add_argument("--seed", type=seed, default=0, help="same seed, same search (0)")
    command.add_argument("--name", help="write to runs/NAME (a new name)")
    command.add_argument("--resume", action="store_true", help="go on with the search in runs/NAME where it stopped")
    command.add_argument("--record", action="store_true", help="keep a recording.json to look into")
    add_settings(
        command,
        "settings of the strategy, such as learning_rate=0.05; nas-tutorial settings lists all with their bounds",
    )


def add_retrain(command: ArgumentParser) -> None:
    """Options of `retrain`."""
    add_architecture(command)
    add_data(command)
    add_sizes(command)
    command.add_argument("--seeds", type=seed, nargs="+", default=[0, 1, 2], help="one training each (0 1 2)")
    command.add_argument("--epochs", type=epochs, help="passes over the training pictures")
    command.add_argument("--out", help="the file to write (retrain.json beside the architecture)")
    command.add_argument("--resume", action="store_true", help="go on where the same command stopped")
    add_settings(
        command, "settings of the training, such as cutout=8; nas-tutorial settings retrain lists all with their bounds"
    )


def add_table(command: ArgumentParser) -> None:
    """Options of `table`."""
    command.add_argument("--space", required=True, help="whose architectures to train, all of them: tiny, nasbench201")
    add_data(command)
    add_sizes(command)
    command.add_argument("--seeds", type=seed, nargs="+", default=[0, 1, 2], help="one training each (0 1 2)")
    command.add_argument("--epochs", type=epochs, help="passes over the training pictures")
    command.add_argument("--at-once", type=count, default=25, help="networks trained together in one trial (25)")
    command.add_argument("--engine", choices=ENGINES, default="serial", help="where trials run (serial: this process)")
    command.add_argument("--workers", type=count, help="trials at the same time (one a core)")
    command.add_argument("--address", help="ray: of a running cluster, such as auto (a Ray of this machine alone)")
    command.add_argument("--shard", help="do only a share of the trials, such as 3/10: for several commands at once")
    command.add_argument("--out", help="the table to write, .json or .npz (runs/table-SPACE.json)")
    settings = "settings of the training, such as batch_size=32; nas-tutorial settings retrain lists all"
    command.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help=settings)


def add_demo(command: ArgumentParser) -> None:
    """Options of `demo`."""
    what = "fraction of all epochs and pictures, for a try (1)"
    command.add_argument("--scale", type=fraction, default=1.0, help=what)
    command.add_argument("--seed", type=seed, default=0, help="of the searches; pictures and random cells stay (0)")
    command.add_argument("--overwrite", action="store_true", help="begin anew where another demonstration is kept")


def add_draw(command: ArgumentParser) -> None:
    """Options of `draw`."""
    add_architecture(command)
    add_sizes(command)
    command.add_argument("--out", required=True, help="the picture to write: .svg, .png or .pdf")


def add_describe(command: ArgumentParser) -> None:
    """Options of `describe`."""
    add_architecture(command)
    add_sizes(command)
    command.add_argument("--supernet", action="store_true", help="the network with every operation on every edge")
    command.add_argument("--classes", type=count, default=10, help="number of classes (10)")
    command.add_argument("--side", type=side, default=32, help="height and width of a picture (32)")
    command.add_argument("--json", action="store_true", help="print JSON")


def add_replay(command: ArgumentParser) -> None:
    """Options of `replay`."""
    what = "the recording of a search: a file such as runs/first/recording.json, or the search's folder"
    command.add_argument("recordings", nargs="+", metavar="RECORDING", help=what)
    command.add_argument("--output", required=True, help="the page to write; replaces an older one, and no other file")


def add_report(command: ArgumentParser) -> None:
    """Options of `report`."""
    command.add_argument("runs", nargs="+", metavar="FOLDER", help="the folder of a search, such as runs/first")
    what = "the page to write (report.html); replaces an older one, and no other file"
    command.add_argument("--output", default="report.html", help=what)


def add_architecture(command: ArgumentParser) -> None:
    """What names one architecture."""
    what = "a search's folder, such as runs/first; an architecture.json; a published name; or a notation"
    command.add_argument("which", nargs="?", metavar="ARCHITECTURE", help=what)
    command.add_argument("--architecture", help="the same, as an option")
    command.add_argument("--space", help="the space of the name or notation; a file knows its own")


def add_data(command: ArgumentParser) -> None:
    """Options that choose pictures; what is not given is as recorded where a search is gone on with, or retrained."""
    own = "a FILE.npz, a folder of pictures by class, a FILE.parquet or FILE.arrow"
    command.add_argument("--data", help=f"digits, strokes, cifar10, or {own} (of the profile; of a search: its own)")
    command.add_argument("--test-data", help="another such file or folder with the test pictures")
    command.add_argument("--side", type=side, help="cut and resize the pictures of a folder or table to so many pixels")
    command.add_argument("--per-class", type=count, help="use only so many pictures of each class (all)")
    command.add_argument("--root", help="folder of the CIFAR-10 archive (~/.cache/nas_tutorial)")
    command.add_argument("--data-seed", type=seed, help="decides who goes into which split (0)")


def add_sizes(command: ArgumentParser) -> None:
    """Options that set how large a network is."""
    command.add_argument(
        "--profile",
        choices=PROFILES,
        help="pictures, sizes and settings: for a laptop, for one GPU and 15 minutes, or as published",
    )
    command.add_argument("--channels", type=size, help="channels of the first cells")
    command.add_argument("--cells", type=size, help="number of cells (nasbench201: of each stage)")
    command.add_argument("--nodes", type=size, help="nodes of a cell (spaces of cells)")
    command.add_argument("--layers", type=size, help="number of layers (spaces of layers, such as enas_macro)")
    command.add_argument("--operations", nargs="+", metavar="OP", help="offer only these operations")


def add_settings(command: ArgumentParser, what: str) -> None:
    """Any other setting, and the device."""
    command.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help=what)
    command.add_argument("--device", help="cpu, cuda … (a GPU where there is one)")


def add_listed(command: ArgumentParser) -> None:
    """Options of `settings`."""
    command.add_argument("of", nargs="?", metavar="NAME", help="a strategy, retrain or a space (all)")


COMMANDS = {
    "demo": ("DARTS, ENAS and random search side by side, with a report", pages.DEMO, add_demo),
    "search": ("search a space", pages.SEARCH, add_search),
    "retrain": ("train an architecture from scratch and test it", pages.RETRAIN, add_retrain),
    "draw": ("draw an architecture", pages.DRAW, add_draw),
    "describe": ("parameters, multiply-adds and shapes of a network", pages.DESCRIBE, add_describe),
    "settings": ("every setting with its bounds", pages.SETTINGS, add_listed),
    "table": ("train every architecture of a small space", pages.TABLE, add_table),
    "replay": ("a page that shows searches epoch by epoch", pages.REPLAY, add_replay),
    "report": ("a page that compares searches", pages.REPORT, add_report),
    "spaces": ("list the search spaces", "List the search spaces.", lambda command: None),
}
