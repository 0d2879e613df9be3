"""What may be typed: the commands, their options, and the help that explains them. Loads nothing but argparse."""

import argparse
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable

import nas_tutorial
from nas_tutorial.strategies import SUMMARIES

MOST_SCALE = 100  # of the demonstration: about a day
ENGINES = ("serial", "processes", "ray")
MOST_THREADS = 256  # some thousands would take all processes that a machine has

OVERVIEW = """Neural architecture search that a laptop can run.

A search space is a list of decisions; an architecture is one answer for each. A search trains shared weights and the
answers together; what it finds is then trained from scratch, because accuracy during a search is not final accuracy.

  nas-tutorial demo                                       DARTS, ENAS and random search side by side, with a report
  nas-tutorial search --space nasbench201 --strategy darts --name first
  nas-tutorial retrain runs/first                         on the pictures of the search, tested on others
  nas-tutorial draw DARTS_V2 --space darts --out darts_v2.svg
  nas-tutorial describe DARTS_V2 --space darts --channels 36 --cells 20
  nas-tutorial spaces                                     what there is to search
  nas-tutorial settings darts                             every setting with its bounds
  nas-tutorial replay runs/first --output first.html      a page that shows the search epoch by epoch
  nas-tutorial report runs/* --output report.html         a page that compares searches, with papers beside them
  nas-tutorial table --space tiny --data strokes          every architecture of a space, on one machine or many
"""
SEARCH = f"""Search a space and write what is found to runs/NAME:

  result.json, architecture.json   what was found and how, on which pictures; retrain, draw, describe read it
  weights.safetensors              what was learnt: shared weights, and α or the controller
  cell.svg, curves.png             the architecture and the course of the search, as pictures
  recording.json                   with --record: what one can look into, epoch by epoch (docs/recordings.md)
  checkpoints                      the state after the last epochs, from which --resume goes on

strategies
{chr(10).join(f"  {name:<8} {summary}" for name, summary in SUMMARIES.items())}

examples
  nas-tutorial search --space nasbench201 --strategy enas
  nas-tutorial search --space tiny --strategy random --data strokes --shared
  nas-tutorial search --space darts --strategy darts --data train.npz --test-data test.npz --per-class 100 --epochs 2
  nas-tutorial search --space darts --strategy darts --profile colab --channels 8
  nas-tutorial search --space enas_macro --strategy enas --data cifar10 --profile paper --set entropy_weight=0.1
"""
RETRAIN = """Train an architecture from scratch on all training pictures, once per seed, and test each network once.
What a search found, runs/NAME, is trained on the pictures of that search, divided as they were there: no test picture
was searched on. --data and its like take others. Writes retrain.json, beside the architecture where that is a file.
--profile paper is the published evaluation: in the darts space 36 channels, 20 cells, 600 epochs, with cutout, drop
path and an auxiliary head.

examples
  nas-tutorial retrain runs/first
  nas-tutorial retrain runs/first --profile paper --resume
  nas-tutorial retrain runs/first --seeds 3 4 --epochs 20 --out longer.json
  nas-tutorial retrain DARTS_V2 --space darts --channels 8 --cells 5 --data cifar10 --epochs 10
"""
DEMO = """On cluttered digits (handwriting on small colour pictures, nothing to download): DARTS, ENAS and random search
with equal budgets, then training from scratch of what each found, and of ten random cells to compare them with.
Prints a leaderboard and writes runs/demo/report.html (--seed N: runs/demo-seedN/report.html), which opens without a
network. A few minutes on two cores. After a stop the same command goes on, and does no finished job again.
"""
SETTINGS = """List every setting of a strategy, of retraining or of a space: its value in the profiles (small, colab,
paper), what it may be, and what it means.

examples
  nas-tutorial settings darts
  nas-tutorial settings nasbench201
"""
DESCRIBE = """Figures of a network: parameters (auxiliary head left out), multiply-adds of one picture, shapes.

examples
  nas-tutorial describe DARTS_V2 --space darts --channels 36 --cells 20 --json
  nas-tutorial describe --space enas_micro --supernet --profile paper
"""
TABLE = """Train every architecture of a small space from scratch, once per seed, and write a table of accuracies on
validation and test pictures. A trial is a group of architectures with one seed; each is kept in a folder beside the
table as soon as it is done. After a stop the same command goes on, and with more --seeds it trains only those. The
numbers are the same whichever engine is used. docs/cluster.md: from one machine to many.

examples
  nas-tutorial table --space tiny --data strokes --seeds 0 1 2 --out table.json
  nas-tutorial table --space tiny --data strokes --engine processes --workers 2 --out table.json
  nas-tutorial table --space nasbench201 --data cifar10 --engine ray --address auto --out bench.json
  nas-tutorial table --space tiny --data strokes --shard 3/10 --out table.json
"""
DRAW = """Draw an architecture.

examples
  nas-tutorial draw runs/first --out cell.pdf
  nas-tutorial draw --space nasbench201 --out cell.svg \\
      "|nor_conv_3x3~0|+|nor_conv_3x3~0|skip_connect~1|+|none~0|skip_connect~1|nor_conv_3x3~2|"
"""
REPLAY = """Write a page that replays searches, epoch by epoch: one HTML file that opens in a browser without a network.
It shows loss and accuracies, probabilities, the architecture that would be derived, and those that were sampled.

examples
  nas-tutorial replay runs/first --output first.html
  nas-tutorial replay runs/first/recording.json runs/second/recording.json --output both.html
"""
REPORT = """Write a page that compares finished searches: one HTML file that opens in a browser without a network. It
shows what each found and how it went, its settings, the accuracies of retrain.json with their spread between seeds, and
what papers report, with sources. Folders that hold no finished search are named and left out.

examples
  nas-tutorial report runs/first runs/second
  nas-tutorial report runs/* --output report.html
"""


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
    top = ArgumentParser("nas-tutorial", description=OVERVIEW, formatter_class=RawDescriptionHelpFormatter)
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
        choices=("small", "colab", "paper"),
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
    "demo": ("DARTS, ENAS and random search side by side, with a report", DEMO, add_demo),
    "search": ("search a space", SEARCH, add_search),
    "retrain": ("train an architecture from scratch and test it", RETRAIN, add_retrain),
    "draw": ("draw an architecture", DRAW, add_draw),
    "describe": ("parameters, multiply-adds and shapes of a network", DESCRIBE, add_describe),
    "settings": ("every setting with its bounds", SETTINGS, add_listed),
    "table": ("train every architecture of a small space", TABLE, add_table),
    "replay": ("a page that shows searches epoch by epoch", REPLAY, add_replay),
    "report": ("a page that compares searches", REPORT, add_report),
    "spaces": ("list the search spaces", "List the search spaces.", lambda command: None),
}
