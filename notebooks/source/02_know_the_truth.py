# %% [markdown]
# # 2 · Know the truth
#
# You will train every network of a space, three times over, and find out how much of their ranking is luck.
#
# <!-- badges -->
#
# 20 min reading · 23 min exercises · longest cell 35 s · all cells 110 s · 1.0 GB

# %% [markdown]
# ![A sketch of three columns, seed 0, seed 1 and seed 2, with lines that follow the rank of each cell. Five cells that
# can see stay in the upper half but swap places; five cells that can only guess stay in the lower half and swap
# places. A gap between the halves is never crossed.](data:image/svg+xml,%3Csvg%20xmlns=%27http://www.w3.org/2000/svg%27%20width=%27760%27%20height=%27310%27%20font-family=%27Helvetica,Arial,sans-serif%27%20font-size=%2718%27%3E%3Crect%20width=%27760%27%20height=%27310%27%20fill=%27white%27/%3E%3Cpath%20d=%27M70%2052%20L300%2079%20L530%20133%27%20fill=%27none%27%20stroke=%27%230072B2%27%20stroke-width=%274%27/%3E%3Ccircle%20cx=%2770%27%20cy=%2752%27%20r=%277%27%20fill=%27%230072B2%27/%3E%3Ccircle%20cx=%27300%27%20cy=%2779%27%20r=%277%27%20fill=%27%230072B2%27/%3E%3Ccircle%20cx=%27530%27%20cy=%27133%27%20r=%277%27%20fill=%27%230072B2%27/%3E%3Cpath%20d=%27M70%2079%20L300%20106%20L530%2052%27%20fill=%27none%27%20stroke=%27%23D55E00%27%20stroke-width=%274%27%20stroke-dasharray=%279%204%27/%3E%3Ccircle%20cx=%2770%27%20cy=%2779%27%20r=%277%27%20fill=%27%23D55E00%27/%3E%3Ccircle%20cx=%27300%27%20cy=%27106%27%20r=%277%27%20fill=%27%23D55E00%27/%3E%3Ccircle%20cx=%27530%27%20cy=%2752%27%20r=%277%27%20fill=%27%23D55E00%27/%3E%3Cpath%20d=%27M70%20106%20L300%2052%20L530%2079%27%20fill=%27none%27%20stroke=%27%23009E73%27%20stroke-width=%274%27%20stroke-dasharray=%272%204%27/%3E%3Ccircle%20cx=%2770%27%20cy=%27106%27%20r=%277%27%20fill=%27%23009E73%27/%3E%3Ccircle%20cx=%27300%27%20cy=%2752%27%20r=%277%27%20fill=%27%23009E73%27/%3E%3Ccircle%20cx=%27530%27%20cy=%2779%27%20r=%277%27%20fill=%27%23009E73%27/%3E%3Cpath%20d=%27M70%20133%20L300%20160%20L530%20160%27%20fill=%27none%27%20stroke=%27%23CC79A7%27%20stroke-width=%274%27%20stroke-dasharray=%2712%204%202%204%27/%3E%3Ccircle%20cx=%2770%27%20cy=%27133%27%20r=%277%27%20fill=%27%23CC79A7%27/%3E%3Ccircle%20cx=%27300%27%20cy=%27160%27%20r=%277%27%20fill=%27%23CC79A7%27/%3E%3Ccircle%20cx=%27530%27%20cy=%27160%27%20r=%277%27%20fill=%27%23CC79A7%27/%3E%3Cpath%20d=%27M70%20160%20L300%20133%20L530%20106%27%20fill=%27none%27%20stroke=%27%23E69F00%27%20stroke-width=%274%27%20stroke-dasharray=%275%203%27/%3E%3Ccircle%20cx=%2770%27%20cy=%27160%27%20r=%277%27%20fill=%27%23E69F00%27/%3E%3Ccircle%20cx=%27300%27%20cy=%27133%27%20r=%277%27%20fill=%27%23E69F00%27/%3E%3Ccircle%20cx=%27530%27%20cy=%27106%27%20r=%277%27%20fill=%27%23E69F00%27/%3E%3Cpath%20d=%27M70%20212%20L300%20250%20L530%20231%27%20fill=%27none%27%20stroke=%27%23999999%27%20stroke-width=%272.5%27/%3E%3Ccircle%20cx=%2770%27%20cy=%27212%27%20r=%275%27%20fill=%27%23999999%27/%3E%3Ccircle%20cx=%27300%27%20cy=%27250%27%20r=%275%27%20fill=%27%23999999%27/%3E%3Ccircle%20cx=%27530%27%20cy=%27231%27%20r=%275%27%20fill=%27%23999999%27/%3E%3Cpath%20d=%27M70%20231%20L300%20288%20L530%20269%27%20fill=%27none%27%20stroke=%27%23999999%27%20stroke-width=%272.5%27/%3E%3Ccircle%20cx=%2770%27%20cy=%27231%27%20r=%275%27%20fill=%27%23999999%27/%3E%3Ccircle%20cx=%27300%27%20cy=%27288%27%20r=%275%27%20fill=%27%23999999%27/%3E%3Ccircle%20cx=%27530%27%20cy=%27269%27%20r=%275%27%20fill=%27%23999999%27/%3E%3Cpath%20d=%27M70%20250%20L300%20212%20L530%20288%27%20fill=%27none%27%20stroke=%27%23999999%27%20stroke-width=%272.5%27/%3E%3Ccircle%20cx=%2770%27%20cy=%27250%27%20r=%275%27%20fill=%27%23999999%27/%3E%3Ccircle%20cx=%27300%27%20cy=%27212%27%20r=%275%27%20fill=%27%23999999%27/%3E%3Ccircle%20cx=%27530%27%20cy=%27288%27%20r=%275%27%20fill=%27%23999999%27/%3E%3Cpath%20d=%27M70%20269%20L300%20269%20L530%20250%27%20fill=%27none%27%20stroke=%27%23999999%27%20stroke-width=%272.5%27/%3E%3Ccircle%20cx=%2770%27%20cy=%27269%27%20r=%275%27%20fill=%27%23999999%27/%3E%3Ccircle%20cx=%27300%27%20cy=%27269%27%20r=%275%27%20fill=%27%23999999%27/%3E%3Ccircle%20cx=%27530%27%20cy=%27250%27%20r=%275%27%20fill=%27%23999999%27/%3E%3Cpath%20d=%27M70%20288%20L300%20231%20L530%20212%27%20fill=%27none%27%20stroke=%27%23999999%27%20stroke-width=%272.5%27/%3E%3Ccircle%20cx=%2770%27%20cy=%27288%27%20r=%275%27%20fill=%27%23999999%27/%3E%3Ccircle%20cx=%27300%27%20cy=%27231%27%20r=%275%27%20fill=%27%23999999%27/%3E%3Ccircle%20cx=%27530%27%20cy=%27212%27%20r=%275%27%20fill=%27%23999999%27/%3E%3Ctext%20x=%2770%27%20y=%2728%27%20text-anchor=%27middle%27%20font-weight=%27bold%27%3Eseed%200%3C/text%3E%3Ctext%20x=%27300%27%20y=%2728%27%20text-anchor=%27middle%27%20font-weight=%27bold%27%3Eseed%201%3C/text%3E%3Ctext%20x=%27530%27%20y=%2728%27%20text-anchor=%27middle%27%20font-weight=%27bold%27%3Eseed%202%3C/text%3E%3Ctext%20x=%27556%27%20y=%27100%27%3Ecells%20that%20can%20see%3C/text%3E%3Ctext%20x=%27556%27%20y=%27124%27%20font-weight=%27bold%27%3Eorder:%20partly%20luck%3C/text%3E%3Cpath%20d=%27M52%20186H720%27%20stroke=%27%23222%27%20stroke-dasharray=%273%205%27/%3E%3Ctext%20x=%27556%27%20y=%27180%27%20font-weight=%27bold%27%3Ethis%20gap:%20no%20luck%3C/text%3E%3Ctext%20x=%27556%27%20y=%27240%27%3Ecells%20that%20can%20only%3C/text%3E%3Ctext%20x=%27556%27%20y=%27264%27%3Eguess:%20order%20is%3C/text%3E%3Ctext%20x=%27556%27%20y=%27288%27%20font-weight=%27bold%27%3Eall%20luck%3C/text%3E%3C/svg%3E)
#
# The same cells, trained three times. Some of the order stays, some does not. Before anybody claims to have found a
# good architecture, we should know which is which.

# %% [markdown]
# ## You will do, learn, need
#
# **Do.** Train all 125 cells of the tiny space, three times. Rank them, and rank them again. Run ten thousand random
# searches in a second, and then none at all, with a formula. Write a benchmark table and read it back.
#
# **Learn.** What *ground truth* is and what it costs. What Kendall's τ measures. How to tell architecture from luck.
# Why the winner always looks better than it is. What NAS-Bench-201 gives you, and what it does not.
#
# **Need.** Notebook 01: what a space, a cell and an edge are. Mean, variance, and the rules for probabilities.

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
import tempfile
import time
from itertools import combinations  # noqa: F401
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from nas_tutorial import data, drawing, plots, ranking, spaces, tables, widgets
from nas_tutorial.exercises import check, exercise, hint, solution  # noqa: F401
from nas_tutorial.training import Recipe, evaluate, fit, seeded, train_from_scratch

# %% [markdown]
# ## Predict first
#
# We train 125 architectures and rank them by validation accuracy. Then we do exactly the same again, with another
# seed: other initial weights, another order of the pictures. Take any two cells. How often do both runs agree on
# which of the two is better? (Pairs with equal accuracy are left out.)
#
# - **A.** For about 95 of 100 pairs. An architecture is what it is.
# - **B.** For about 80 of 100 pairs.
# - **C.** For about 60 of 100 pairs, little better than a coin.
#
# And will the winner of the first run win again? Write both answers down. They come below, in *How much of the
# ranking is luck?*

# %% [markdown]
# ## A task for small networks
#
# To train 125 networks on a laptop, we need a small task on which the architecture matters. Here it is: noisy
# pictures of 10 × 10 pixels, and in each of them a stroke, three pixels long. The question is its direction.

# %%
strokes = data.load("strokes", seed=0)
print(strokes)
figure = plots.picture_sheet(strokes.train.images[:8], strokes.train.labels[:8], strokes.class_names)
plots.show(figure, alt="Eight noisy grey pictures, each with a short bright stroke and its direction.")

# %% [markdown]
# All four directions light three pixels, equally bright, anywhere. So the pixels *one by one* say nothing about the
# class; only how they lie *next to each other* does. Guessing gives 25 %.
#
# The space is the one from notebook 01: three nodes, three edges, five operations on each. Four channels are enough.
# How a network is trained is its *recipe*; all of them get the same one.

# %%
space, recipe = spaces.Tiny(channels=4), tables.TINY_RECIPE
cells = list(space.enumerate())
print(len(cells), "cells; the operations:", ", ".join(space.operations))
print(f"{recipe.epochs} epochs, batches of {recipe.batch_size}, learning rate up to {recipe.learning_rate}")
assert len(cells) == 125

# %% [markdown]
# The learning rate rises over the first fifth of all steps, then falls to zero along half a cosine. Such a *warm-up*
# keeps short trainings from getting stuck at the start.

# %% [markdown]
# ## One cell, three seeds
#
# Begin with a single cell: the input skips to node 1, and a 3×3 convolution leads from there to the output. Train it
# from scratch, once per seed. Everything else is equal: the pictures, the recipe, the code.

# %%
cell = space.parse("|skip~0|+|zero~0|conv_3x3~1|")
start = time.perf_counter()
networks = [train_from_scratch(cell, strokes.train, strokes, recipe, seed, "cpu") for seed in (0, 1, 2)]
accuracies = [evaluate(network, strokes.validation, strokes) for network in networks]
print("validation accuracies:", *(f"{accuracy:.3f}" for accuracy in accuracies))
print(f"{(time.perf_counter() - start) / 3:.2f} s each")
assert max(accuracies) - min(accuracies) > 0.05

# %% [markdown]
# What we see: one architecture, three answers, more than five points apart. So "the accuracy of an architecture" is
# not a number. It is a distribution, and each training draws one number from it. The *truth* we are after is the mean
# of this distribution. Three seeds give an estimate of it, and an idea of how wrong the estimate may be.

# %% [markdown]
# ## All of them, side by side
#
# Training 125 networks one after the other is a waste: they are so small that the computer spends most of its time on
# bookkeeping. So we lay 25 networks *side by side*, as the channels of one wide network. Convolutions get one group
# per network, so nothing mixes. The loss is the sum of 25 losses, and each weight occurs in one of them, so each
# network gets exactly its own gradient. The result is the same, up to rounding; `nas_tutorial/training/stacking.py`
# tells why in a table, and its test compares both in double precision.

# %%
first = tables.train_all(space, strokes, recipe, seeds=[0])
print(f"{len(first)} networks in {first.about['seconds']:.0f} s")
alone, together = accuracies[0], first.accuracy(cell)
print(f"our cell: {alone:.3f} trained alone, {together:.3f} in the crowd")
assert abs(alone - together) < 0.03

# %% [markdown]
# This is a *ground-truth table*: every architecture of a space with its accuracy. Sort it.

# %%
ordered = np.sort(first.mean())[::-1]
with plots.style():
    figure, axes = plt.subplots(figsize=(7.5, 3.8))
    axes.plot(range(1, 126), 100 * ordered, ".", markersize=7)
    axes.axhline(25, color="#777777", linestyle=":", marker="")
    axes.annotate("guessing", (126, 25), (0, 6), textcoords="offset points", ha="right")
    axes.set(xlabel="rank", ylabel="validation accuracy (%)", ylim=(0, 104))
    axes.set_title("Some cells learn the task, more than half never do")
plots.show(figure, alt="Accuracy by rank: a slope down from above 90 %, a step, then a long flat line near 25 %.")

# %% [markdown]
# The flat part is no accident. To see a direction, a cell must compare neighbouring pixels and learn what to look
# for. Only the 3×3 convolution can do that, and it helps only if it stands on a *road* from input to output: either
# on the direct edge, or on the way over node 1, provided that no `zero` blocks this way.


# %%
def can_see(architecture):
    """Whether a 3×3 convolution stands on an open road from input to output."""
    to_node, direct, onwards = architecture.answers.values()
    over_node = "conv_3x3" in (to_node, onwards) and "zero" not in (to_node, onwards)
    return direct == "conv_3x3" or over_node


sees = np.array([can_see(architecture) for architecture in cells])
print(sees.sum(), "cells can see,", (~sees).sum(), "can only guess")
guessing, seeing = first.mean()[~sees], first.mean()[sees]
print(f"best of those that guess {guessing.max():.2f}, median of those that see {np.median(seeing):.2f}")
assert len(seeing) == 53 and guessing.max() < 0.35 < np.median(seeing)

# %% [markdown]
# What we see: five lines of code, which only look at the drawing, predict the biggest difference in the table. No
# training was needed for that. Keep it in mind when a search method boasts that it avoids bad architectures: avoiding
# bad ones may be the easy part.
#
# "Guess" is meant nearly literally. A few of these cells, with a pool before a 1×1 convolution, end some points above
# 25 %: a diagonal stroke touches more of the pool's squares than a straight one, and that shows in the brightness.
# Which of two diagonals it was, they cannot know.

# %% [markdown]
# ## Again, with other seeds
#
# Now repeat everything, twice. This is the part that costs time, and that is often left out.

# %%
second = tables.train_all(space, strokes, recipe, seeds=[1])
print(f"seed 1: {second.about['seconds']:.0f} s")

# %%
third = tables.train_all(space, strokes, recipe, seeds=[2])
truth = tables.join([first, second, third])
print(truth)

# %% [markdown]
# The package brings the same table along, so that later notebooks need not train it again. Yours should agree with
# it: not to the last digit, because another processor rounds in another way and training blows small differences up,
# but in the mean.

# %%
committed = tables.tiny()
difference = np.abs(truth.mean() - committed.mean())
agreement = ranking.kendall(truth.mean(), committed.mean())
print(f"mean difference to the package's table: {difference.mean():.4f}; τ between the two: {agreement:.2f}")
assert difference.mean() < 0.03 and agreement > 0.7

# %% [markdown]
# ## How much of the ranking is luck?
#
# Plot one seed against another. Each dot is a cell. If accuracy were a property of the architecture alone, all dots
# would lie on the diagonal.

# %%
runs = truth.runs("validation")  # (125 cells, 3 seeds)
figure = plots.ranking_scatter(
    runs[:, 0], runs[:, 1], x_label="accuracy with seed 0 (%)", y_label="accuracy with seed 1 (%)"
)
plots.show(figure, alt="Seed 0 against seed 1: a cloud around the diagonal, and a clump at 25 %.")

# %% [markdown]
# The number in the title is **Kendall's τ**. It looks at all pairs of cells and counts: the pairs that both runs put
# in the same order, minus the pairs that they put in opposite order, divided by all pairs. τ = 1 means the same
# ranking, τ = 0 means unrelated rankings, τ = −1 a reversed one. (Ties are corrected for; this variant is called
# τ-b.) Only the order counts, so τ does not care whether one run is better throughout.


# %%
def in_same_order(x, y):
    """Share of the untied pairs that both rankings put in the same order."""
    i, j = np.triu_indices(len(x), k=1)
    product = (x[i] - x[j]) * (y[i] - y[j])
    return (product > 0).sum() / (product != 0).sum()


taus = ranking.pairwise(ranking.kendall, runs.T)
shares = ranking.pairwise(in_same_order, runs.T)
ceiling, spread = np.mean(taus), np.std(taus, ddof=1)
print("pairs in the same order:", *(f"{share:.2f}" for share in shares))
print("τ between two seeds:", *(f"{tau:.2f}" for tau in taus))
print(f"mean: τ = {ceiling:.2f} ± {spread:.2f} (3 pairs of seeds)")
assert 0.45 < min(taus) <= max(taus) < 0.8 and 0.7 < min(shares) <= max(shares) < 0.92

# %% [markdown]
# So **B** was right: about 80 of 100 pairs. And this is the truth compared *with itself*. A cheap method that judges
# architectures as well as a complete training does would reach this τ, and not 1. So the τ between two seeds is a
# *noise ceiling*. When notebook 04 reports the τ of a cheap method, compare it with this number.
#
# A τ is itself an estimate: with other cells it would come out differently. The *bootstrap* shows how differently. It
# draws 125 cells with replacement from ours, computes τ, and repeats this 500 times; the middle 95 % of the results
# are the band.

# %%
groups = {"all cells": np.ones_like(sees), "cells that see": sees, "cells that guess": ~sees}
for name, chosen in groups.items():
    x, y = runs[chosen, 0], runs[chosen, 1]
    value, (low, high) = ranking.kendall(x, y), ranking.band(ranking.kendall, x, y)
    print(f"{name:16} ({chosen.sum():3}): τ = {value:5.2f}, band {low:5.2f} to {high:5.2f}")
assert ranking.kendall(runs[sees, 0], runs[sees, 1]) > 0.3
assert all(abs(tau) < 0.4 for tau in ranking.pairwise(ranking.kendall, runs[~sees].T))

# %% [markdown]
# What we see: among the cells that can only guess, the ranking is nearly a lottery, as it should be. Among those that
# see, there is a real order, but a blurred one. And the two groups? Compare each seeing cell with each guessing one.

# %%
above = [(runs[sees, seed][:, None] > runs[~sees, seed]).mean() for seed in range(3)]
print("seeing cell above guessing cell:", *(f"{share:.3f}" for share in above))
for seed in range(3):
    winner = runs[:, seed].argmax()
    ranks = [1 + int((run > run[winner]).sum()) for run in runs.T]
    print(f"winner of seed {seed}: {cells[winner]}, ranks {ranks}")
five_best = ranking.pairwise(ranking.kendall, runs[np.argsort(-truth.mean(), kind="stable")[:5]].T)
print("τ between two seeds among the five best cells:", *(f"{tau:.2f}" for tau in five_best))
assert min(above) > 0.98 and np.mean(five_best) < ceiling

# %% [markdown]
# The step from guessing to seeing is as good as certain. Who wins at the top is not: look at the ranks of each seed's
# winner in the other two runs, and at τ among the five best. Papers usually compare architectures that are *all* good.
# That is the upper end of our table, where luck is largest compared with what is left to find.

# %%
order = np.argsort(-truth.mean(), kind="stable")  # the number of each cell, best first
ranks, best = range(1, 16), 100 * runs[order[:15]]
with plots.style():
    figure, axes = plt.subplots(figsize=(7.5, 4))
    axes.plot(ranks, best.mean(1), "-", color="#777777", marker="", label="mean")
    for seed, marker in enumerate("o^s"):
        axes.plot(ranks, best[:, seed], marker, label=f"seed {seed}")
    axes.set(xlabel="rank by the mean of three seeds", ylabel="validation accuracy (%)")
    axes.set_title("The best are tied; below, seeds of one cell lie many ranks apart")
    axes.legend(loc="lower left")
plots.show(figure, alt="The 15 best cells: some are level at the top; below, the runs of each cell scatter.")

# %% [markdown]
# ## Random search, simulated and in closed form
#
# With a table, a search costs nothing: looking up replaces training. So we can ask how good the simplest strategy is.
# **Random search** draws n architectures, trains each once, and keeps the best. Repeat that 10,000 times for each
# budget n, on the runs of seed 0.


# %%
def random_search(scores, n, generator):
    """Score of the best of n architectures drawn at random: one search."""
    drawn = generator.integers(len(scores), size=n)
    return scores[drawn].max()


generator, budgets = np.random.default_rng(0), (1, 2, 5, 10, 20, 50)
start = time.perf_counter()
simulated = [np.mean([random_search(runs[:, 0], n, generator) for _ in range(10_000)]) for n in budgets]
print(f"{10_000 * len(budgets):,} searches in {time.perf_counter() - start:.1f} s")

# %% [markdown]
# And now without any drawing. Sort the N accuracies: $a_{(1)} \le a_{(2)} \le \dots \le a_{(N)}$. One draw has rank
# at most k with probability k/N. The best of n independent draws has rank at most k exactly if *all* n have, which
# has probability $(k/N)^n$. So it has rank exactly k with the difference of two such numbers, and
#
# $$E[\text{best of } n] = \sum_{k=1}^{N} a_{(k)} \left[ (k/N)^n - ((k-1)/N)^n \right].$$

# %%
closed = [ranking.best_of_n(runs[:, 0], n) for n in budgets]
for n, by_drawing, by_formula in zip(budgets, simulated, closed, strict=True):
    print(f"n = {n:2}: simulated {by_drawing:.3f}, closed form {by_formula:.3f}")
assert np.allclose(simulated, closed, atol=0.01)

# %% [markdown]
# Both agree, and the formula has no noise. Another one is worth remembering: at least one of n draws lands among the
# best 5 % with probability $1 - 0.95^n$. That depends neither on the space nor on its size. With 60 draws you have
# one in 95 of 100 searches, in a space of 125 cells as in one of $10^{18}$. (Whether the best 5 % are good enough is
# another question.)

# %%
for n in (10, 20, 60):
    print(f"{n} draws: one of the best 5 % with probability {1 - 0.95**n:.2f}")
assert 1 - 0.95**60 > 0.95

# %% [markdown]
# ## The winner looks better than it is
#
# The search reports the score by which it chose. That score is the highest of many noisy ones, so chance has probably
# helped. What is the chosen cell *really* worth? Ask the runs that had no part in the choice: the mean of the other
# two seeds. `best_of_n` takes it as a third argument. We let each seed choose in turn and average.

# %%
budgets = np.unique(np.logspace(0, 3, 25).astype(int))
others = [np.delete(runs, seed, axis=1).mean(1) for seed in range(3)]
claimed = [np.mean([ranking.best_of_n(runs[:, s], n) for s in range(3)]) for n in budgets]
real = [np.mean([ranking.best_of_n(runs[:, s], n, others[s]) for s in range(3)]) for n in budgets]
gap = np.array(claimed) - real
for i in (0, gap.argmax(), -1):
    print(f"n = {budgets[i]}: claimed {claimed[i]:.3f}, real {real[i]:.3f}")
assert abs(gap[0]) < 1e-9 and gap.max() > 0.01 and 5 < budgets[gap.argmax()] < 50 and gap[-1] < gap.max() / 2

# %%
with plots.style():
    figure, axes = plt.subplots(figsize=(7.5, 4))
    axes.plot(budgets, 100 * gap, marker="")
    axes.fill_between(budgets, 100 * gap, alpha=0.2)
    axes.set(xscale="log", xlabel="number n of architectures tried", ylabel="claimed − real (points)")
    axes.set_title("The winner owes a part to luck, until all winners are at the top")
plots.show(figure, alt="Claimed minus real accuracy against n: from 0 up to about two points, then down again.")

# %% [markdown]
# What we see: without choice (n = 1) there is no illusion. From there on, the more cells one tries, the more the
# winner owes to luck. This is the *winner's curse*, and it meets every strategy that chooses by noisy scores, not
# only random search. The cure is cheap: train the few best ones again with other seeds, and report those numbers.
#
# On the right the gap nearly closes. Our space is so small that hundreds of draws find its very best cells, which
# reach almost 100 % with every seed; so near the top luck has no room. In a space of $10^{18}$ cells nobody gets that
# far.

# %% [markdown]
# ## What a benchmark table is
#
# A table like ours, published for everybody, is a *tabular benchmark*. The best known is **NAS-Bench-201** (Dong and
# Yang, 2020). Its cell has four nodes and six edges with five operations each, so $5^6 = 15{,}625$ cells. All of them
# were trained on three data sets (CIFAR-10, CIFAR-100 and a small ImageNet), many with several seeds, and all curves
# were kept. With it, an experiment on search strategies takes seconds and no GPU, and two papers can be compared
# because they looked up the same numbers. From the paper: the best cell reaches 94.37 % on the CIFAR-10 test
# pictures; DARTS, in all three runs, ended in the cell made of skips only, at 54.30 %. Notebook 08 tells why.
#
# Three warnings. A table is true for *its* recipe and *its* seeds, and luck is frozen into it: whoever tunes a
# strategy on the table, tunes it to that luck as well. The space is small. And the 15,625 cells are fewer than they
# seem, because many of them compute the same function, as in ours:

# %%
distinct = len({tuple(row) for row in committed.runs()})
print(f"{len(committed)} cells, but only {distinct} different rows of accuracies")
texts = "|skip~0|+|conv_3x3~0|avg_pool_3x3~1|", "|conv_3x3~0|+|avg_pool_3x3~0|skip~1|"
twins = [space.parse(text) for text in texts]
print(*(committed.runs()[committed.index[twin]] for twin in twins))
assert distinct < 100 and committed.accuracy(twins[0]) == committed.accuracy(twins[1])

# %% [markdown]
# To look up an architecture, a file needs little: the operation on each edge, as numbers, and the accuracies. We write
# our own table in this form and read it back.

# %%
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "tiny.npz"
    truth.save(file)
    with np.load(file) as arrays:
        print({name: arrays[name].shape for name in arrays}, f"{file.stat().st_size / 1e3:.1f} kB")
    read = tables.Table.load(file, space)
print(read)
assert np.allclose(read.runs("validation_0")[:, 0], runs[:, 0], atol=1e-4)

# %% [markdown]
# A table of NAS-Bench-201 in this form has `edges` of shape (15625, 6), in the order 1←0, 2←0, 2←1, 3←0, 3←1, 3←2, and
# is read by `tables.Table.load("my_table.npz", spaces.NASBench201())`. Nothing in this course depends on it.

# %% [markdown]
# ## Look inside
#
# What do the best cells have in common? Here are the first six, with the mean of their three runs.

# %%
top = [cells[number] for number in order[:6]]
two_in_a_row = [cell.answers["1<0"] == cell.answers["2<1"] == "conv_3x3" for cell in top]
assert sum(two_in_a_row[:5]) >= 4
captions = [f"{100 * truth.accuracy(cell):.0f} %" for cell in top]
drawing.sheet(top, captions=[f"{rank}. {text}" for rank, text in enumerate(captions, start=1)])

# %% [markdown]
# Now page through all 125, best first. Questions before you begin:
#
# 1. At the top stand cells with *two* 3×3 convolutions, one behind the other. What do two see that one does not?
# 2. From which number on does no cell have a 3×3 convolution on an open road?
# 3. A pool *before* the convolution or *behind* it: do you find a pair to compare, and is the difference larger than
#    that between seeds?

# %%
widgets.browse([cells[number] for number in order], scores=list(truth.mean()[order]))

# %% [markdown]
# <details><summary>Answers</summary>
#
# 1. Two in a row see 5 × 5 pixels, and with a ReLU in between they can combine what the first one found.
# 2. The next cell prints it. Were the truth as simple as `can_see`, it would be 53, the number of cells that see. One
#    of them, a convolution whose result a pool blurs, has hardly learned in three epochs.
# 3. For example the pair below. Compare the two rows of three runs before you decide.
#
# </details>

# %%
print("the last cell with an open 3×3 road has rank", 1 + np.flatnonzero(sees[order]).max())
for text in ("|avg_pool_3x3~0|+|zero~0|conv_3x3~1|", "|conv_3x3~0|+|zero~0|avg_pool_3x3~1|"):
    print(text, runs[truth.index[space.parse(text)]])

# %%
edges = [decision.name for decision in space.decisions]
print("mean accuracy of all cells with this operation on this edge")
print(" " * 14 + "".join(f"{edge:>7}" for edge in edges))
for option, operation in enumerate(space.operations):
    rows = [np.array([c.choices[edge] == option for c in cells]) for edge in range(3)]
    print(f"{operation:14}" + "".join(f"{truth.mean()[row].mean():7.2f}" for row in rows))

# %% [markdown]
# The table answers question 2 in another way: on every edge the 3×3 convolution is ahead by far, and the other four
# lie closer together. It hides as much as it shows, though. An average over all cells with one operation on one edge
# says nothing about what goes *together*. DARTS decides edge by edge; remember this in notebook 07.

# %% [markdown]
# ## Exercises
#
# Replace the `...` and run the cell. `check` names the mistake, `hint` shows one hint more each time you run it, and
# the solution is folded below. A stub that you leave alone is answered by the reference, so the notebook runs to its
# end.
#
# ### Exercise: Count pairs · ★★☆ · 6 min
#
# Write Kendall's τ for two rankings without ties: pairs in the same order minus pairs in opposite order, divided by
# the number of pairs.


# %%
@exercise
def tau(x, y):
    """Kendall's τ where nothing is tied."""
    ...


check(tau)
# hint(tau)

# %%
solution(tau)

# %%
x, y = np.random.default_rng(1).random((2, 20))
print(f"yours {tau(x, y):.3f}, scipy's {ranking.kendall(x, y):.3f}")

# %% [markdown]
# ### Exercise: The best of n, without drawing · ★★★ · 8 min
#
# Turn the formula above into three lines: the expected best of n architectures, each drawn independently and
# uniformly. `accuracies` is an array in any order.


# %%
@exercise
def expected_best(accuracies, n):
    """Expected best of n architectures drawn independently and uniformly."""
    ...


check(expected_best)
# hint(expected_best)

# %%
solution(expected_best)

# %%
needed = next(n for n in range(1, 1000) if expected_best(truth.mean(), n) > 0.9)
print(f"to expect 90 %, random search must train {needed} cells (if it knew the mean over three seeds)")

# %% [markdown]
# ### Exercise: Report what you found · ★☆☆ · 3 min
#
# You have searched, and hold two arrays: `validation` and `test`, one number per architecture. Which number do you
# publish?


# %%
@exercise
def honest_report(validation, test):
    """The number to publish."""
    ...


check(honest_report)
# hint(honest_report)

# %%
solution(honest_report)

# %%
found = honest_report(first.mean("validation"), first.mean("test"))
print(f"searched on seed 0, all 125 tried: we report {found:.3f}")

# %% [markdown]
# ### Exercise: How much is luck? · ★★☆ · 6 min
#
# `runs` has a row for each architecture and a column for each seed. Part of the variance of all these numbers lies
# *between* architectures, the rest between the seeds of the same one. Compute the share of the seeds: the variance
# between the seeds of an architecture (averaged over architectures), divided by the variance of all numbers. Use
# `ddof=1`.


# %%
@exercise
def noise_share(runs):
    """Variance between seeds divided by the variance of all runs; runs: (N, S)."""
    ...


check(noise_share)
# hint(noise_share)

# %%
solution(noise_share)

# %%
print(f"all cells:      {noise_share(runs):.2f}")
print(f"cells that see: {noise_share(runs[sees]):.2f}")
print(f"best ten:       {noise_share(runs[order[:10]]):.2f}")

# %% [markdown]
# The better the cells among which you choose, the larger the share of luck. For the best ten, think about how many
# seeds you would need to name the best one.

# %% [markdown]
# ## What can go wrong
#
# **The best epoch on the test pictures.** In a widely used port of DARTS, [the script that trains the found
# network](https://github.com/khanrc/pt.darts/blob/master/augment.py) tests it after every epoch, remembers the best
# accuracy, and logs it as the final result. Its "validation" pictures are [the CIFAR-10 test
# set](https://github.com/khanrc/pt.darts/blob/master/utils.py). In another well-known project [a reader
# asked](https://github.com/yuhuixu1993/PC-DARTS/issues/53) whether the published number is the best epoch or the
# last one. It is the best.
#
# That is our exercise *Report what you found* with epochs in place of architectures: the maximum of many noisy tests.
# How much can it give? Take the cell made of skips only, which **can only guess**, and test it on 200 pictures after
# each of 40 epochs. Four seeds:

# %%
few = data.load("strokes", per_class=100, test_per_class=50)
blind = space.parse("|skip~0|+|skip~0|skip~1|")


def test_after_each_epoch(seed, epochs=40):
    """Test accuracy after every epoch of a training."""
    with seeded(seed) as generator:
        network = space.network(blind, few.classes, few.channels)
        training = fit(network, few.train, few, Recipe(epochs, final_rate=0.1), generator)
        return np.array([evaluate(network, few.test, few) for _ in training])


tests = np.array([test_after_each_epoch(seed) for seed in range(4)])  # (seeds, epochs)

# %%
last, best = tests[:, -1].mean(), tests.max(1).mean()
print(f"last epoch {last:.3f}, mean of all epochs {tests.mean():.3f}, best epoch {best:.3f}")
assert best > tests.mean() + 0.015 and abs(tests.mean() - 0.25) < 0.03

# %% [markdown]
# What we see: a network that knows nothing gains a few points, only because somebody looked 40 times and kept the
# best look. Between networks that know a lot the gain is smaller, but so are the differences between papers: DARTS
# (second order) reports an error of 2.76 ± 0.09 % on CIFAR-10, PC-DARTS 2.57 ± 0.07 %. **Decide before training which
# epoch counts**, usually the last one, or let validation pictures decide. `retrain` in this package opens the test
# pictures once per seed.

# %% [markdown]
# ## In this notebook we have
#
# - trained all 125 cells of a space, side by side, with three seeds: the ground truth;
# - found that the drawing alone tells the cells that can see from those that guess;
# - measured the noise ceiling: two runs of the truth agree on about 80 of 100 pairs, and not at all among the five
#   best;
# - computed what random search finds, by drawing and without;
# - seen that winners look better than they are, and that training them again with other seeds cures it;
# - written and read a benchmark table.
#
# On your own: what happens to τ between seeds if the cells are trained for six epochs instead of three? Predict it,
# then write `Recipe(epochs=6, batch_size=32)` in place of `tables.TINY_RECIPE` and run the notebook again. Next:
# **03, Solve a bilevel problem by hand**, or go straight to **04, Share the weights**, where one network stands in
# for all 125, and is held against this truth.

# %% [markdown]
# ## Further reading
#
# - Dong and Yang, [NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture
#   Search](https://arxiv.org/abs/2001.00326), 2020: the table with 15,625 cells.
# - Ying et al., [NAS-Bench-101: Towards Reproducible Neural Architecture Search](https://arxiv.org/abs/1902.09635),
#   2019: the first of its kind, and a careful study of noise.
# - Li and Talwalkar, [Random Search and Reproducibility for Neural Architecture
#   Search](https://arxiv.org/abs/1902.07638), 2019: the baseline that many methods did not beat.
# - Yang, Esperança and Carlucci, [NAS evaluation is frustratingly hard](https://arxiv.org/abs/1912.12522), 2020: how
#   much of published progress is the recipe, and how much the seed.

# %% [markdown]
# ## Versions

# %%
from platform import python_version

print(f"Python {python_version()}, torch {torch.__version__}, nas_tutorial {nas_tutorial.__version__}")
