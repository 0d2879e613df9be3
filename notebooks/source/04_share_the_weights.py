# %% [markdown]
# # 4 · Share the weights
#
# You will train 125 networks at once by letting them share their weights, and hold the ranking that comes out
# against the truth.
#
# <!-- badges -->
#
# 25 min reading · 15 min exercises · longest cell 30 s · all cells 60 s · 0.8 GB

# %% [markdown]
# ![Three nodes joined by three bundles of five lines. In each bundle one line is thick and coloured, the others are
# thin and grey. Beside it: one supernet holds all 15 operations; each batch lights up one path, one cell of 125; only
# the lit operations run and learn; the next path finds the weights as this one left them.](data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'%20width='760'%20height='240'%20font-family='Helvetica,Arial,sans-serif'%20font-size='17'%3E%3Crect%20width='760'%20height='240'%20fill='white'/%3E%3Cg%20fill='none'%3E%3Cpath%20d='M70%20170Q152%20131%20165%2042'%20stroke='%23CCCCCC'%20stroke-width='2'/%3E%3Cpath%20d='M70%20170Q135%20119%20165%2042'%20stroke='%23CCCCCC'%20stroke-width='2'/%3E%3Cpath%20d='M70%20170Q118%20106%20165%2042'%20stroke='%23CCCCCC'%20stroke-width='2'/%3E%3Cpath%20d='M70%20170Q100%2093%20165%2042'%20stroke='%23CCCCCC'%20stroke-width='2'/%3E%3Cpath%20d='M70%20170Q83%2081%20165%2042'%20stroke='%230072B2'%20stroke-width='7'/%3E%3Cpath%20d='M165%2042Q178%20131%20260%20170'%20stroke='%23CCCCCC'%20stroke-width='2'/%3E%3Cpath%20d='M165%2042Q195%20119%20260%20170'%20stroke='%23CCCCCC'%20stroke-width='2'/%3E%3Cpath%20d='M165%2042Q212%20106%20260%20170'%20stroke='%23CCCCCC'%20stroke-width='2'/%3E%3Cpath%20d='M165%2042Q230%2093%20260%20170'%20stroke='%23CCCCCC'%20stroke-width='2'/%3E%3Cpath%20d='M165%2042Q247%2081%20260%20170'%20stroke='%230072B2'%20stroke-width='7'/%3E%3Cpath%20d='M70%20170Q165%20212%20260%20170'%20stroke='%23CCCCCC'%20stroke-width='2'/%3E%3Cpath%20d='M70%20170Q165%20191%20260%20170'%20stroke='%23000000'%20stroke-width='7'/%3E%3Cpath%20d='M70%20170Q165%20170%20260%20170'%20stroke='%23CCCCCC'%20stroke-width='2'/%3E%3Cpath%20d='M70%20170Q165%20149%20260%20170'%20stroke='%23CCCCCC'%20stroke-width='2'/%3E%3Cpath%20d='M70%20170Q165%20128%20260%20170'%20stroke='%23CCCCCC'%20stroke-width='2'/%3E%3C/g%3E%3Ccircle%20cx='70'%20cy='170'%20r='10'%20fill='%23444'/%3E%3Ccircle%20cx='165'%20cy='42'%20r='10'%20fill='%23444'/%3E%3Ccircle%20cx='260'%20cy='170'%20r='10'%20fill='%23444'/%3E%3Ctext%20x='320'%20y='60'%20font-weight='bold'%3Eone%20supernet%20holds%20all%2015%20operations%3C/text%3E%3Ctext%20x='320'%20y='98'%3Eeach%20batch%20lights%20up%20one%20path:%20one%20cell%20of%20125%3C/text%3E%3Ctext%20x='320'%20y='126'%3Eonly%20the%20lit%20operations%20run,%20only%20they%20learn%3C/text%3E%3Ctext%20x='320'%20y='154'%3Ethe%20next%20path%20finds%20the%20weights%20as%20this%20one%20left%20them%3C/text%3E%3C/svg%3E)
#
# All cells are sub-graphs of one graph. That sentence, its authors report, made architecture search a thousand times
# cheaper.

# %% [markdown]
# ## You will do, learn, need
#
# **Do.** Build the network that contains all others. Train it, one path at a time. Rank all 125 cells with it in a
# second, and compare with the table in which every cell was trained alone. Break the ranking with a single call.
#
# **Learn.** What *weight sharing*, *supernet*, *one-shot* and *single path* mean. What a shared accuracy is good for,
# and what it is not. Why batch normalisation needs care in a supernet.
#
# **Need.** The 125 cells from notebook 01. Kendall's τ: of all pairs, the share ranked in the same order minus the
# share in opposite order; 1 is the same ranking, 0 is none, −1 the reverse.

# %% [markdown]
# ## Set-up

# %%
try:
    import nas_tutorial
except ModuleNotFoundError:  # on Colab
    # %pip install -q --no-deps git+{{repository}}
    import nas_tutorial
import torch

torch.set_num_threads(torch.get_num_threads() if torch.cuda.is_available() else 1)  # one is fastest in small networks

# %%
import random
from collections import Counter
from functools import partial

import numpy as np
from ipywidgets import Dropdown
from matplotlib.figure import Figure
from torch.nn.functional import cross_entropy

from nas_tutorial import data, drawing, plots, ranking, tables, widgets
from nas_tutorial.exercises import check, exercise, hint, solution  # noqa: F401
from nas_tutorial.networks.edges import copy_weights
from nas_tutorial.strategies.sharing import shared_accuracies, train_paths
from nas_tutorial.training import Descent, Recipe, batch_statistics, batches, evaluate, fit, seeded, to_device

# %% [markdown]
# ## Predict first
#
# We train *one* network that contains all 125 cells. For each batch of pictures we roll dice, pick one cell, and train
# only the weights that this cell uses. Then we measure the accuracy of every cell with these shared weights and rank
# the cells. How will the ranking compare with the true one, for which every cell was trained alone?
#
# - **A.** Very well. Most of the ten best are the true ten best.
# - **B.** Roughly. It tells useful cells from useless ones, but few of its ten best are among the true ten.
# - **C.** Not at all. Weights that belong to everybody fit nobody, so the ranking is chance.
#
# Write down a letter and one sentence why. The answer comes in *The best ten*.

# %% [markdown]
# ## The truth, and what it cost
#
# Somebody has to know the truth. It comes with the package: all 125 cells of the tiny space, each trained alone on
# `strokes`, small pictures of lines in four directions, with three seeds each.

# %%
table = tables.tiny()
space, strokes = table.space, data.load(**tables.TINY_DATA)
truth = table.mean("validation")  # (125,)
print(strokes)
print(f"{len(table)} cells, 3 seeds: from {truth.min():.2f} to {truth.max():.2f}")
useful = truth >= 0.4
print(f"{(~useful).sum()} cells stay below 0.40; guessing gives 0.25")
assert len(table) == 125 and useful.sum() == 52 and truth.max() > 0.95

# %% [markdown]
# What we see: 73 of the 125 cells learn next to nothing. With one exception they never look at two neighbouring
# pixels in a useful way, so they cannot tell directions apart. The best cell is right on 99 % of the pictures. This
# is a coarse landscape: a flat desert of 73 cells, and 52 *useful* cells that rise out of it.
#
# **Question.** How well can *any* method rank these cells? Two seeds of the truth do not agree with each other either.
# The fairest mark is one seed, so one honest training of every cell, held against the mean of the other two.

# %%
runs = table.runs().T  # (3 seeds, 125)
ceiling = ranking.pairwise(ranking.kendall, list(runs))
rest = [np.delete(runs, seed, axis=0).mean(0) for seed in range(3)]  # the truth without this seed
honest = [ranking.kendall(*pair) for pair in zip(runs, rest, strict=True)]
honest_inside = [ranking.kendall(x[useful], y[useful]) for x, y in zip(runs, rest, strict=True)]
print("τ between two seeds of the truth:", " ".join(f"{tau:.2f}" for tau in ceiling))
print("τ of one seed and the mean of the others:", " ".join(f"{tau:.2f}" for tau in honest))
print("the same among the useful cells:", " ".join(f"{tau:.2f}" for tau in honest_inside))
assert 0.5 < min(ceiling) < max(ceiling) < 0.75

# %% [markdown]
# What we see: two honest trainings of every cell agree with τ of about two thirds. In the desert the order is nearly
# all noise. So do not expect τ near 1 from anything; expect at most what one honest training gives.

# %% [markdown]
# ## One graph contains them all
#
# Training alone is honest and slow: 125 cells, three seeds, 375 trainings. Look at what is done twice. The cell *3×3,
# then 3×3* and the cell *3×3, then skip* begin with the same convolution on the same edge. Why learn it twice?
#
# ENAS (Pham et al., 2018) drew the conclusion. Put *every* operation on *every* edge, and keep one set of weights for
# each. The result is the **supernet**, a single directed acyclic graph. An architecture is a **path** through it: one
# operation per edge. Two paths that pick the same operation on the same edge use the same weights.

# %%
with seeded(0):
    supernet = space.supernet(strokes.classes, strokes.channels)
edges = supernet.body[0].edges
for name, edge in edges.items():
    print(name, list(edge.ops))
assert sum(len(edge.ops) for edge in edges.values()) == 15

# %% [markdown]
# The name of an edge gives its target first: "into node 2, from node 1". Three edges, five operations each: 15 modules
# stand for 125 cells.
#
# **Question.** How many weights do we save against 125 networks of their own?


# %%
def count(network):
    """Number of weights."""
    return sum(p.numel() for p in network.parameters())


together = count(supernet)
alone = sum(count(space.network(cell, strokes.classes, strokes.channels)) for cell in table.architectures)
print(f"supernet {together}, 125 networks {alone:,}, ratio {alone / together:.0f}")
assert (together, alone) == (528, 19_200)

# %% [markdown]
# What we see: all 125 together need 36 times as many weights as the supernet. In a space with $10^{18}$ cells
# that ratio is beyond words, but the supernet stays as small as its list of operations.

# %% [markdown]
# ## Walk one path
#
# The supernet is called with pictures *and* an architecture. On each edge the architecture names one operation; only
# that one runs. Let us take a cell and see which parts of the supernet were called.

# %%
cell = space.parse("|conv_3x3~0|+|skip~0|conv_1x1~1|")
drawing.draw(cell)

# %%
images, labels = next(batches(strokes.train, strokes, 64))
called = []
hooks = [
    op.register_forward_hook(lambda *_, what=(name, kind): called.append(what))
    for name, edge in edges.items()
    for kind, op in edge.ops.items()
]
logits = supernet(images, cell)
for hook in hooks:
    hook.remove()
print(called, tuple(logits.shape))
assert len(called) == 3 and set(called) == set(cell.active_ops["cell"].items())

# %% [markdown]
# What we see: three calls, one for each edge. Twelve of the 15 operations did not run at all. So a supernet costs as
# much time and memory per batch as *one* cell. (DARTS, in notebook 07, runs all 15 and pays for it.)
#
# And backwards? Only what ran can get a gradient.

# %%
cross_entropy(logits, labels).backward()
touched = [name for name, p in edges.named_parameters() if p.grad is not None]
print(f"{len(touched)} of {sum(1 for _ in edges.parameters())} convolutions got a gradient:")
print(touched)
assert len(touched) == 2

# %% [markdown]
# What we see: of six convolutions exactly the two on the path learn from this batch. Stem and head belong to every
# path and learn from every batch.

# %% [markdown]
# ## Train by rolling dice
#
# Why should shared weights work at all? Because an edge detector is an edge detector: a 3×3 convolution that finds
# slanted lines is useful in many cells, whatever stands beside it. Sharing bets that what an operation learns in one
# cell is worth something in the next. It is a bet, not a theorem, and the rest of this notebook is about its odds.
#
# The aim is weights that are good *on average over architectures*:
#
# $$\min_w \; \mathbb{E}_{a}\big[\,L_{train}(a, w)\,\big].$$
#
# The expectation runs over 125 cells. We estimate its gradient with a single random cell per batch, exactly as
# stochastic gradient descent estimates the loss over all pictures with a few. That is **single-path training**. One
# line is new against ordinary training: `logits = supernet(images, sampler())`. Here is the loop around it.


# %%
def train_supernet(seed, epochs=60):
    """A supernet trained on uniformly drawn paths, one per batch."""
    recipe = Recipe(epochs)
    with seeded(seed) as generator:
        supernet = to_device(space.supernet(strokes.classes, strokes.channels), "cpu")
        descent, sampler = Descent(supernet.parameters(), recipe, strokes.train), partial(space.sample, generator)
        for _ in range(epochs):
            meter = train_paths(supernet, sampler, strokes, descent, generator)
    print(f"seed {seed}: last epoch, loss {meter.loss:.2f}, accuracy {meter.accuracy:.2f}")
    return supernet


# %%
seeds = (0, 1, 2)
supernets = [train_supernet(seed) for seed in seeds]

# %% [markdown]
# The accuracy during training looks poor. Think before you worry: it is the average over random paths, and more than
# half of all cells never learned the task alone either. What counts is whether the *differences* between paths mean
# something.
#
# **What did that cost?** A stand-alone training in the table takes 3 epochs, and we wanted three seeds of 125 cells.

# %%
alone_epochs, shared_epochs = 3 * 125, 60
print(f"epochs per seed: alone {alone_epochs}, shared {shared_epochs}")
print(f"the supernet sees {alone_epochs / shared_epochs:.2f} times fewer pictures")
share = shared_epochs / 5
print(f"each operation of an edge is trained on about {share:.0f} epochs' worth of pictures")
assert alone_epochs / shared_epochs == 6.25 and share == 12

# %% [markdown]
# What we see: 6.25 times less training. That is modest, because our space is tiny. For a space with ten times
# as many cells the left number would grow tenfold; the right one need not grow.

# %% [markdown]
# ## Shared against alone
#
# Now measure every cell *at the shared weights*: no training, one forward pass of 500 validation pictures each.

# %%
shared = [np.array(shared_accuracies(net, table.architectures, strokes)) for net in supernets]
taus = [ranking.kendall(scores, truth) for scores in shared]
for seed, scores, tau in zip(seeds, shared, taus, strict=True):
    low, high = ranking.band(ranking.kendall, scores, truth, draws=200)
    print(f"seed {seed}: τ = {tau:.2f}, band over architectures {low:.2f} to {high:.2f}")
print(f"τ = {np.mean(taus):.2f} ± {np.std(taus, ddof=1):.2f} (3 seeds)", end="; ")
print(f"one honest training of every cell: {np.mean(honest):.2f}")
assert 0.55 < np.mean(taus) < 0.8 and min(taus) > 0.45

# %%
average = np.mean(shared, 0)  # (125,)
with plots.style():
    figure = Figure(figsize=(8, 4.8))
    axes = figure.subplots()
    for seed, scores, colour, marker in zip(seeds, shared, plots.SERIES, plots.POINTS, strict=False):
        label = f"seed {seed}: τ = {taus[seed]:.2f}"
        axes.scatter(scores, truth, s=30, color=colour, marker=marker, alpha=0.55, label=label)
    axes.set(xlabel="accuracy at shared weights", ylabel="accuracy trained alone")
    axes.set_title("Sharing tells good from useless, not best from good")
    axes.legend(loc="lower right")
plots.show(
    figure,
    alt="125 cells, three seeds: accuracy at shared weights against accuracy alone. Useless cells crowd "
    "at the lower left; above them a wide cloud that leans to the right.",
)

# %% [markdown]
# What we see: τ lies only a little below that of one honest training of every cell, which costs six times as much.
# Useless cells sit at the lower left, useful cells to the right of them. But *within* the upper cloud the order is
# loose: many cells that end in the middle of the truth have scores as high as the best. A shared accuracy is a
# **score for ranking**, never an estimate of what the cell reaches alone. It can be the lower of the two, because
# shared weights are a compromise, or the higher, because every operation has been trained for longer than in the
# table's three epochs.
#
# Let us take the two claims apart. First: pick a useful cell (at least 0.40 alone) and a useless one. How often does
# the useful one have the higher shared accuracy? Second: τ among the 52 useful cells only.

# %%


def wins(scores):
    """How often a useful cell scores above a useless one; a draw counts half."""
    a, b = scores[useful][:, None], scores[~useful][None]  # (52, 1), (1, 73)
    return float((a > b).mean() + (a == b).mean() / 2)


apart = [wins(scores) for scores in shared]
inside = [ranking.kendall(scores[useful], truth[useful]) for scores in shared]
print(f"useful above useless: {100 * np.mean(apart):.1f} % (seeds {np.round(apart, 3)})")
print(f"τ among the useful: {np.mean(inside):.2f} ± {np.std(inside, ddof=1):.2f} (3 seeds)", end="; ")
print(f"one honest training: {np.mean(honest_inside):.2f}")

# %%
assert np.mean(apart) > 0.97 and 0.2 < np.mean(inside) < 0.6 and np.mean(inside) < np.mean(honest_inside)

# %% [markdown]
# What we see: in nearly all such pairs the useful cell is ahead, for every seed. The supernet draws the border of the
# desert almost without a mistake. Among the useful cells its τ falls further than that of an honest training. That is
# still not nothing, but it is a long way from a ranking you would bet on. Much of the τ above came from the border.
#
# Keep this in mind when you read papers. A large τ over a whole space may only say that the space has bad cells and
# that they are easy to recognise. A fair report says how τ looks among the cells that matter.

# %% [markdown]
# ## The best ten
#
# A search does not want a ranking, it wants a winner. How many of the ten best by shared accuracy are among the true
# ten? Ten cells drawn blindly would contain $10 \cdot 10/125 = 0.8$ of them.
#
# And what do we *lose*? The **regret** is the best true accuracy minus that of the cell we picked. We can pick the
# first by score, or be more careful: take ten by score, train these ten alone, keep the best.


# %%
def regret_of_ten(scores):
    """Best truth minus the best truth among the ten with the highest score."""
    return float(truth.max() - truth[np.argsort(-scores, kind="stable")[:10]].max())


def report(name, runs):
    """Print overlap, regret, and regret of ten; return their means over the seeds."""
    common = [10 * ranking.top_k_overlap(scores, truth, 10) for scores in runs]
    rows = list(zip(common, [ranking.regret(s, truth) for s in runs], map(regret_of_ten, runs), strict=True))
    for seed, (common, first, ten) in enumerate(rows):
        print(f"{name}, seed {seed}: {common:.0f} of 10, regret {first:.2f}, of ten {ten:.2f}")
    return np.mean(rows, 0)


# %%
overlaps = [10 * ranking.top_k_overlap(x, y, 10) for x, y in zip(runs, rest, strict=True)]
losses = [ranking.regret(x, y) for x, y in zip(runs, rest, strict=True)]
print(f"one honest training of every cell: {np.mean(overlaps):.1f} of 10, regret {np.mean(losses):.2f}")
common, first, ten = report("shared", shared)
rng = np.random.default_rng(0)
others = [truth[rng.choice(125, 10, replace=False)].max() for _ in range(2000)]
blind_ten = truth.max() - np.mean(others)
print(f"shared: {common:.1f} of 10, regret {first:.2f}, of ten {ten:.2f}")
print(f"ten drawn blindly: regret {blind_ten:.2f}")

# %%
assert common <= 4 < np.mean(overlaps) and 0 <= ten <= first < 0.4 and np.mean(losses) < first

# %% [markdown]
# **Back to your prediction: B.** Sharing found 4, 2 and 0 of the true ten best. Blind luck promises 0.8, and one
# honest training of every cell finds most of them. The three supernets differ: two put one of the very best cells
# first, the third loses more than ten points, and even the best of its first ten does not come near. Ten cells drawn
# blindly lose less than that on average. *At the very top, a supernet may know a lot or next to nothing, and it does
# not tell you which.* Seed 0 would have made a fine success story on its own, seed 2 a fine failure. That is the
# reason to report all of them.
#
# **A** expects too much of one set of weights, **C** too little: the border of the desert was found almost without a
# mistake.
#
# ## Why the top goes wrong
#
# Three suspects, and none of them is peculiar to our small space.
#
# *Company.* The weights of an operation serve every path that uses it. The 3×3 convolution on the edge 1 → 2 gets
# inputs from a skip, a pool, or another convolution, and has to please them all. A cell that needs two convolutions
# tuned to each other meets them tuned to strangers.
#
# *Time.* A shared weight has been trained for about twelve epochs, a weight in the table for three. Part of the
# disagreement may therefore be a disagreement about the *question*: good after three epochs, or good after twelve? The
# table answers the first. Truth always comes with a recipe. (Whether this suspect is guilty, nothing here can tell: it
# would take a table of longer trainings.)
#
# *Noise.* Two trainings alone do not agree fully either, and many useful cells lie close together. Where the truth
# itself is a toss-up, nobody can predict it. But an honest training has this noise, too, and does better.
#
# What is robust? Throwing out the bad. If your space has a desert, a supernet clears it away for the price of
# a few trainings. What remains should be compared by training it alone. So do careful searches: share first, then
# retrain the few that are left.

# %% [markdown]
# ## Batch norm has a memory, and it is of the wrong cells
#
# One detail decides whether any of this works. A batch-norm layer subtracts a mean and divides by a deviation. In
# training it takes them from the batch at hand. On the side it keeps *running* averages, to be used in evaluation.
#
# **Question.** The batch norm behind the second edge sees what the first edge lets through: now a convolution, now a
# pool, now zeros. Running averages over *what* does it keep?
#
# Over a mixture of all paths. That mixture belongs to no cell. In evaluation mode every cell is normalised with
# somebody else's numbers. Let us look at the last batch norm of the network, before the head, through which all paths
# go: its running mean, and the true mean for some cells.

# %%
norm, net = supernets[0].head.norm, supernets[0]
pictures, _ = next(batches(strokes.validation, strokes, 500))


def own_statistics(cell):
    """Mean and deviation of the first channel that enters the head when this cell runs."""
    with torch.no_grad(), batch_statistics(net):
        channel = net.features(pictures, cell.active_ops)[:, 0]  # (500, 10, 10)
    return float(channel.mean()), float(channel.std())


# %%
own = np.array([own_statistics(cell) for cell in table.architectures])  # (125, 2)
mean, deviation = float(norm.running_mean[0]), float(norm.running_var[0].sqrt())
print(f"running:   mean {mean:.2f}, deviation {deviation:.2f}")
print(f"the cells: mean {own[:, 0].min():.2f} to {own[:, 0].max():.2f}", end=", ")
print(f"deviation {own[:, 1].min():.2f} to {own[:, 1].max():.2f}")
assert own[:, 0].min() < mean < own[:, 0].max() and own[:, 1].min() < deviation < own[:, 1].max()

# %% [markdown]
# What we see: the memory lies somewhere in the middle of a wide range. The remedy is to **re-estimate** the
# statistics for each cell. `shared_accuracies` does so: it takes them from the batch of 500 pictures that it judges.
# `evaluate` uses the running ones, as is right for a network with a single architecture. Compare.

# %%
held_out = strokes.validation
cells = table.architectures
running = np.array([[evaluate(net, held_out, strokes, cell) for cell in cells] for net in supernets])
running_taus = [ranking.kendall(scores, truth) for scores in running]
for seed in seeds:
    print(f"seed {seed}: re-estimated τ = {taus[seed]:.2f}, running τ = {running_taus[seed]:.2f}")
for name, values in (("re-estimated", taus), ("running", running_taus)):
    print(f"{name}: τ = {np.mean(values):.2f} ± {np.std(values, ddof=1):.2f} (3 seeds)")
lost = np.mean(taus) - np.mean(running_taus)
assert 0.35 < np.mean(running_taus) < 0.62 and lost > 0.08

# %%
levels = {"re-estimated": np.mean(shared, 0)[useful].mean(), "running": np.mean(running, 0)[useful].mean()}
print("mean accuracy of the useful cells:", {name: round(float(value), 2) for name, value in levels.items()})
running_inside = [ranking.kendall(scores[useful], truth[useful]) for scores in running]
print(f"τ among the useful, running: {np.mean(running_inside):.2f} (re-estimated {np.mean(inside):.2f})")

# %%
worse = report("running", running)
print(f"running: regret {worse[1]:.2f}, of ten {worse[2]:.2f}")
assert levels["running"] < levels["re-estimated"] - 0.05 and np.mean(running_inside) < np.mean(inside)

# %% [markdown]
# What we see: with running statistics τ drops, for each of the three seeds. It drops among the useful cells, too, and
# their mean accuracy falls by about thirty points: good weights, read through somebody else's glasses.
#
# One line does not fit, and we do not hide it: the regrets are no larger with running statistics. With three seeds,
# and with the top as noisy as we saw, such a number can fall either way. τ counts all 7,750 pairs; a regret looks at
# one cell. Trust the measure that averages over more.
#
# **Is it allowed** to use the statistics of the validation batch? It uses its pictures, not its labels, but a picture
# is then judged with 499 others in view. For ranking that is harmless. For the final test of a network it is not:
# there batch norm must use what it learned in training.

# %% [markdown]
# ## Inherit the weights
#
# A cell chosen at shared weights need not start from nothing. `copy_weights` gives a stand-alone network the weights
# of its path. First a check that the two are the same network: with the statistics of one batch, they must give the
# same logits.

# %%
chosen = table.architectures[int(average.argmax())]
heir = copy_weights(supernets[0], space.network(chosen, strokes.classes, strokes.channels))
with torch.no_grad(), batch_statistics(heir), batch_statistics(supernets[0]):
    difference = (heir(pictures) - supernets[0](pictures, chosen)).abs().max()
print(chosen, f"largest difference of logits: {difference:.0e}")
assert difference < 1e-3

# %% [markdown]
# **Question.** Does the inheritance help? Give the six truly best cells one epoch of training, once from scratch and
# once with inherited weights.


# %%
def after_one_epoch(cell, source=None):
    """Validation accuracy after one epoch, from scratch or with weights inherited from a supernet."""
    with seeded(0) as generator:
        network = space.network(cell, strokes.classes, strokes.channels)
        network = to_device(copy_weights(source, network) if source else network, "cpu")
        for _ in fit(network, strokes.train, strokes, Recipe(1), generator):
            pass
    return evaluate(network, strokes.validation, strokes)


# %%
best_six = np.argsort(-truth, kind="stable")[:6]
six = [table.architectures[i] for i in best_six]
scratch = np.mean([after_one_epoch(cell) for cell in six])
inherited = [np.mean([after_one_epoch(cell, net) for cell in six]) for net in supernets]
print(f"one epoch from scratch: {scratch:.2f}")
print("at the shared weights, seeds 0, 1, 2:", np.round([scores[best_six].mean() for scores in shared], 2))
print("one epoch after inheriting, seeds 0, 1, 2:", np.round(inherited, 2))
assert scratch < 0.6 < np.mean(inherited) and min(inherited) > scratch + 0.1

# %% [markdown]
# What we see: one epoch from scratch hardly lifts the six cells above guessing. At the shared weights they are right
# on most pictures before that epoch begins, and after it on nearly all, for every supernet. So the shared weights are
# *good weights*; what they lack is fairness between cells. This is a second use of a supernet: a nursery for networks
# that will be trained further.
#
# One warning. An accuracy after inheriting is no fair *comparison* of cells: some paths were drawn more often, or
# fitted the company better. Final numbers come from scratch, with several seeds.

# %% [markdown]
# ## Look inside
#
# One picture, read slowly: the mean shared score over three seeds against the truth. The marker says how many 3×3
# convolutions a cell has.


# %%
def picture(scores, title):
    """Score against truth, with one marker for each number of 3×3 convolutions."""
    many = np.array([str(cell).count("conv_3x3") for cell in table.architectures])
    with plots.style():
        figure = Figure(figsize=(7.5, 4.4))
        axes = figure.subplots()
        for k in range(4):
            look = {"color": plots.SERIES[k], "marker": plots.POINTS[k], "s": 40, "alpha": 0.7}
            axes.scatter(scores[many == k], truth[many == k], label=f"{k} × conv_3x3", **look)
        axes.set(xlabel="score", ylabel="accuracy trained alone", xlim=(0.05, 1.02), ylim=(0.2, 1.02))
        axes.set_title(title)
        axes.legend()
    return figure


# %%
tau_of_average = ranking.kendall(average, truth)
plots.show(
    picture(average, f"Three supernets together: τ = {tau_of_average:.2f}"),
    alt="Mean shared accuracy against accuracy alone. Cells without a 3×3 convolution crowd at the lower "
    "left; cells with one, two or three of them lie above.",
)

# %% [markdown]
# Now choose a seed and a kind of statistics. Answer first:
#
# 1. Cells without any 3×3 convolution: where will they lie for *every* seed, and why?
# 2. Change from re-estimated to running statistics. Do the points move left, or right, or up?
# 3. Can a cell be far to the right and low at the same time? What would it mean for a search?


# %%
def render(seed, statistics):
    """The picture of one supernet, and a line that says what it shows."""
    scores = (shared if statistics == "re-estimated" else running)[seed]
    tau, common = ranking.kendall(scores, truth), 10 * ranking.top_k_overlap(scores, truth, 10)
    line = f"Seed {seed}, {statistics}: τ = {tau:.2f}; {common:.0f} of its best ten are among the true ten."
    return widgets.figure(plots.html(picture(scores, f"τ = {tau:.2f}"), alt=line), line)


widgets.view(
    render,
    seed=Dropdown(options=seeds, description="seed"),
    statistics=Dropdown(options=("re-estimated", "running"), description="batch norm"),
)

# %% [markdown]
# <details><summary>Answers</summary>
#
# 1. Low: without a 3×3 convolution a cell can at best average neighbours, and an average hardly knows a direction.
#    Training cannot change it, so no weights, shared or own, help much.
# 2. Left, mostly: the truth on the vertical axis does not change, the score falls.
# 3. It would be a cell that the supernet flatters, and a search by shared accuracy would fall for it. Look at the
#    lower right: it is nearly empty here. That is why the desert does no harm.
#
# </details>

# %% [markdown]
# ## Exercises
#
# Replace the `...` and run the cell. `check` names a mistake, `hint` helps a little more each time, `solution` shows
# ours. As long as you have written nothing, our solution stands in.
#
# ### Exercise: Walk one path · ★☆☆ · 3 min
#
# Write the forward pass of the tiny cell. `ops[edge]["skip"]` is the operation skip on an edge, and `active[edge]` the
# name of the operation that the path takes there. The names of the edges are printed in *One graph contains them all*.


# %%
@exercise
def walk(x, ops, active):
    """Output of the tiny cell when only the active operation of each edge runs."""
    ...


# %%
check(walk)
# hint(walk)
solution(walk)

# %% [markdown]
# Is it the supernet's own forward pass? Put yours in its place, on all 125 cells.

# %%
dag, ops = supernet.body[0], {name: edge.ops for name, edge in edges.items()}
x = torch.randn(8, table.space.channels, 10, 10, generator=torch.Generator().manual_seed(0))
with torch.no_grad(), batch_statistics(supernet):
    for one in table.architectures:
        active = one.active_ops["cell"]
        assert torch.allclose(walk(x, ops, active), dag(x, active), atol=1e-5)
print("the same output for all", len(table), "cells")

# %% [markdown]
# ### Exercise: Who learns · ★★☆ · 5 min
#
# A path has three operations, on the edges 0 → 1, 0 → 2 and 1 → 2. How many of its convolutions get a gradient that
# is not zero? Beware of `zero`: nothing passes it, neither forwards nor backwards.


# %%
@exercise
def learners(first, second, third):
    """How many convolutions of a path learn: operations on the edges 0 → 1, 0 → 2 and 1 → 2."""
    ...


# %%
check(learners)
# hint(learners)
solution(learners)

# %% [markdown]
# The judge is autograd: for each cell, count the convolutions with a gradient.


# %%
def counted(cell):
    """How many convolutions of the supernet get a non-zero gradient from one batch."""
    supernet.zero_grad(set_to_none=True)
    cross_entropy(supernet(images, cell), labels).backward()
    return sum(p.grad is not None and bool(p.grad.any()) for p in edges.parameters())


tally = Counter()
for one in table.architectures:
    active = one.active_ops["cell"]
    assert counted(one) == learners(active["1<0"], active["2<0"], active["2<1"])
    tally[counted(one)] += 1
print("convolutions that learn → number of cells:", dict(sorted(tally.items())))

# %% [markdown]
# ### Exercise: Count the misses · ★☆☆ · 2 min
#
# A path is drawn uniformly for each batch. With what probability is a given operation of an edge *never* drawn in a
# number of batches?


# %%
@exercise
def never_trained(options, batches):
    """Probability that one of `options` operations is never drawn on its edge in this many batches."""
    ...


# %%
check(never_trained)
# hint(never_trained)
solution(never_trained)

# %%
for count in (3, 10, 31, 62):
    print(f"{count:2} batches: {never_trained(5, count):.6f}")

# %% [markdown]
# ### Exercise: Sample fairly · ★★☆ · 5 min
#
# In the long run dice are fair; in ten batches they are not. FairNAS (Chu et al., 2021) removes the luck: a *round*
# has as many paths as an edge has options, and over the round every operation of every edge is used exactly once.
# Write a round. A path is a tuple of numbers, one for each edge; `shuffled(n)` gives the numbers 0 to n − 1 in random
# order.


# %%
@exercise
def fair_round(options, edges, shuffled):
    """Paths, `options` of them, in which every operation of every edge occurs once."""
    ...


# %%
check(fair_round)
# hint(fair_round)
solution(fair_round)

# %%
dice = random.Random(0)
for path in fair_round(5, 3, lambda n: dice.sample(range(n), n)):
    print(path, space.architecture(path))

# %% [markdown]
# ## What can go wrong
#
# Batch norm in the wrong mode has touched published numbers. *Neural Architecture Search without Training* (Mellor et
# al., 2021) scores cells with a network that was **never trained**. Its search script called `.eval()` first. In
# [issue 1 of the repository](https://github.com/BayesWatch/nas-without-training/issues/1) the authors explain what
# that does: batch norm then uses running statistics, which no training has ever filled. They call it an oversight,
# took the call out, and set out to update the paper's results. A reader's question about a figure had brought it to
# light.
#
# **Question.** What *are* the running statistics of a network that has not been trained?

# %%
with seeded(0):
    fresh = space.supernet(strokes.classes, strokes.channels)
memory = fresh.head.norm
print("mean:", memory.running_mean.tolist(), " variance:", memory.running_var.tolist())
assert memory.running_mean.eq(0).all() and memory.running_var.eq(1).all()

# %% [markdown]
# What we see: mean 0 and variance 1. With these, batch norm returns its input as it came: it is switched off. The
# script measured networks *without* normalisation. Nothing crashed, and the scores looked like scores.
#
# Here is the same slip in our own code, and a check that catches it. The idea of the check: **normalised
# channels have deviation 1.** It needs no accuracy, no truth, and takes a second.


# %%
def deviation_behind_norm(network, cell, mode):
    """Deviation of the channels behind the last batch norm, on one batch, in a mode."""
    with torch.no_grad(), mode(network):
        out = network.head.norm(network.features(pictures, cell.active_ops))  # (500, C, 10, 10)
    scale = network.head.norm.weight.abs()  # what the layer multiplies by, after normalising
    return float((out.std((0, 2, 3)) / scale).mean())


# %%
from contextlib import contextmanager


@contextmanager
def evaluation(network):
    """The slip: evaluation mode, running statistics."""
    network.eval()
    yield


# %%
off = {}
for name, mode in (("batch statistics", batch_statistics), ("eval mode", evaluation)):
    for state, network in (("untrained", fresh), ("trained", supernets[0])):
        found = [deviation_behind_norm(network, one, mode) for one in six]
        off[name, state] = max(abs(value - 1) for value in found)
        print(f"{name}, {state}: deviations {min(found):.2f} to {max(found):.2f}")
assert max(off["batch statistics", s] for s in ("untrained", "trained")) < 0.01
assert min(off["eval mode", s] for s in ("untrained", "trained")) > 0.05

# %% [markdown]
# What we see: with batch statistics every deviation is 1. In evaluation mode it is not, for the untrained network and
# for the trained supernet alike. Whoever writes a supernet should keep this check beside it.

# %% [markdown]
# ## In this notebook we have
#
# - put 125 cells into one graph with 15 operations, and walked single paths through it;
# - seen that a batch teaches the operations on its path, and no others;
# - trained three supernets with dice, and ranked all cells without training a single one alone;
# - held the ranking against the truth: useful from useless yes, best from good less well than one honest training;
# - seen what batch norm remembers in a supernet, and that statistics must be re-estimated for each cell;
# - let a stand-alone network inherit its path, and checked that both compute the same;
# - met a real slip, `.eval()` where it does not belong, and a check that catches it.
#
# **On your own.** Train with `fair_round` in place of dice (a sampler is any function that returns an architecture).
# Does τ grow, does its spread over seeds shrink? Then try 20 epochs, and 200. Three seeds each, at least.

# %% [markdown]
# ## Further reading
#
# - H. Pham, M. Guan, B. Zoph, Q. Le, J. Dean: [Efficient Neural Architecture Search via Parameter
#   Sharing](https://arxiv.org/abs/1802.03268), ICML 2018. Section 2 is the supernet.
# - G. Bender and others: [Understanding and Simplifying One-Shot Architecture
#   Search](https://proceedings.mlr.press/v80/bender18a.html), ICML 2018.
# - Z. Guo and others: [Single Path One-Shot Neural Architecture Search with Uniform
#   Sampling](https://arxiv.org/abs/1904.00420), ECCV 2020: recomputes batch-norm statistics for each path.
# - X. Chu, B. Zhang, R. Xu: [FairNAS](https://arxiv.org/abs/1907.01845), ICCV 2021.
# - K. Yu and others: [Evaluating the Search Phase of Neural Architecture Search](https://arxiv.org/abs/1902.08142),
#   ICLR 2020: how badly shared weights can rank.
# - Notebook 05 replaces the dice by a controller that learns; notebook 08 comes back to what sharing cannot see.

# %% [markdown]
# ## Versions

# %%
from platform import python_version

print(f"Python {python_version()}, torch {torch.__version__}, nas_tutorial {nas_tutorial.__version__}")
