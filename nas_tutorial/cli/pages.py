"""The help of each command: what it does, what it writes, examples."""

from nas_tutorial.strategies import SUMMARIES

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
