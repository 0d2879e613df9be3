# %% [markdown]
# # 4 · Share the weights
#
# You will train 125 networks at once by letting them share their weights, and hold the ranking that comes out
# against the truth.
#
# <!-- badges -->
#
# 52 min reading · 34 min exercises · longest cell 14 s · all cells 60 s · 0.9 GB

# %% [markdown]
# ![Three nodes joined by bundles of five lines, twice. Each time three lines are lit, one in a bundle; the blue 3×3 is
# lit both times. Only what is lit runs and learns](pictures/04.png)
#
# All cells are sub-graphs of one graph. With this sentence ENAS (Pham et al., 2018) made architecture search, its
# authors report, a thousand times cheaper.
#
# ## You will do, learn, need
#
# **Do.** Build one network that contains 125. Train it, one path at a time, with a function of your own. Hold its
# ranking against the truth.
#
# **Learn.** What *weight sharing*, *supernet*, *one-shot* and *single path* mean. What a shared accuracy is good for,
# and what it is not, and why. Why batch normalisation needs care in a supernet.
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
from dataclasses import replace
from functools import cache, partial

import numpy as np
from ipywidgets import IntSlider
from matplotlib.figure import Figure
from torch.nn.functional import cross_entropy

from nas_tutorial import data, drawing, plots, ranking, tables, training, widgets
from nas_tutorial.exercises import check, exercise, hint, quiz, solution  # noqa: F401
from nas_tutorial.measures import recalled
from nas_tutorial.networks.edges import copy_weights
from nas_tutorial.pictures import inside
from nas_tutorial.strategies.sharing import fair_sampler, shared_accuracies, train_paths

# %% [markdown]
# ## Predict first
#
# We train *one* network that contains all 125 cells. For each batch of pictures we roll dice, draw one cell, and train
# only the weights that this cell uses. Then we measure the accuracy of every cell with these shared weights and rank
# the cells. (A cell is *useless* if it hardly beats guessing even when trained alone.) How will the ranking compare
# with the true one, for which every cell was trained alone?
#
# - **A.** At both ends: useless cells come last, and at least five of its ten best are among the true ten.
# - **B.** At the upper end: at least five of its ten best are among the true ten, but useless cells come anywhere.
# - **C.** At the lower end: useless cells come last, but fewer than five of its ten best are among the true ten.
#
# Write down a letter and a reason. The answer comes in *The best ten*.

# %% [markdown] tags=["slide"]
# ## 1 min: One network for 125 cells: how will it rank them?
#
# Each batch trains one random cell. Then every cell is measured at the shared weights.
#
# - **A.** At both ends: useless last, at least 5 of its best ten true
# - **B.** At the upper end: at least 5 true, useless cells anywhere
# - **C.** At the lower end: useless last, fewer than 5 of ten true
#
# Note:
# 1.5 min. Let everybody write down a letter and a reason, alone, then count hands. Do not comment. Ask one student for
# each letter to say the reason in a sentence, and write the three sentences on the board: they come back in the middle
# of the lecture, when we count. Say what "true" means here: every cell was trained alone, with ten seeds.

# %% [markdown]
# ## The truth, and what it cost
#
# The truth comes with the package: all 125 cells of the tiny space, each trained alone on
# `strokes`, small pictures of lines in four directions. There are two tables. The mean of ten seeds is the **truth**,
# and everything in this notebook is held against it. Three other seeds, which take no part in the truth, show what a
# training is worth.

# %%
table, more = tables.tiny(), tables.tiny(more_seeds=True)  # seeds 0, 1, 2; ten others
space, cells, strokes = table.space, table.architectures, data.load(**tables.TINY_DATA)
truth, runs = more.mean("validation"), table.runs().T  # (125,), (3 seeds, 125)
useful = truth >= 0.4
print(f"{len(cells)} cells, mean of 10 seeds: from {truth.min():.2f} to {truth.max():.2f}")
print(f"{useful.sum()} are useful; {(~useful).sum()} stay below 0.40, where guessing gives 0.25")


# %%
def can_see(cell):
    """Whether a 3×3 convolution stands on an open way from the input to the output."""
    first, direct, last = cell.answers.values()  # on the edges 0 → 1, 0 → 2, 1 → 2
    return direct == "conv_3x3" or ("conv_3x3" in (first, last) and "zero" not in (first, last))


sees = np.array([can_see(cell) for cell in cells])
blind_useless, blind_useful = (~sees & ~useful).sum(), (~sees & useful).sum()
print(
    f"without an open 3×3: {blind_useless} of {(~useful).sum()} useless cells, {blind_useful} of {useful.sum()} useful"
)
assert blind_useful == 0 and (sees & ~useful).sum() == 2

# %% [markdown]
# What we see: 74 cells stay below 0.4; call them the *desert*. The other 51 are *useful*. With two exceptions a cell of
# the desert has no open 3×3. Notebook 02 showed what that means: it answers a picture and its mirror image alike, so it
# cannot tell a falling stroke from a rising one.
#
# **Question.** How well can *any* method rank these cells? Two trainings do not agree fully either. So beside each
# number of a supernet we put **one honest training**: every cell trained alone, once. We hold both against the same
# truth, and ask five things:
#
# - τ over all cells;
# - *wrong pairs*: a useful and a useless cell, and the useless one is ahead;
# - τ among the useful cells only;
# - how many of its ten best are among the true ten;
# - the *regret*: the best true accuracy minus that of the cell with the best score.


# %%
def row(score):
    """The five numbers."""
    wrong = (score[useful][:, None] < score[~useful]).sum()  # of 51 × 74 pairs
    inside_tau = ranking.kendall(score[useful], truth[useful])
    common = 10 * ranking.top_k_overlap(score, truth, 10)
    return ranking.kendall(score, truth), wrong, inside_tau, common, ranking.regret(score, truth)


def lines(title, rows):
    """Print the five numbers of each row, under a title."""
    print(f"{title:20}      τ  wrong pairs  τ useful  of ten  regret")
    for name, values in rows.items():
        print("{:>20}   {:.2f}     {:8.1f}      {:.2f}  {:6.1f}    {:.2f}".format(name, *values))


# %%
def report(name, scores):
    """Print the five numbers for three seeds, and their means."""
    found = [row(score) for score in scores]
    lines(name, dict(zip(("seed 0", "seed 1", "seed 2", "mean"), [*found, np.mean(found, 0)], strict=True)))


def compare(**methods):
    """Print the means over the seeds of several methods; return them."""
    means = {name.replace("_", " "): np.mean([row(score) for score in scores], 0) for name, scores in methods.items()}
    lines(f"mean of {len(next(iter(methods.values())))} seeds", means)
    return list(means.values())


# %% [markdown] tags=["slide"]
# ## What an expensive ranking is worth
#
# Every cell trained alone, **once**, against the mean of ten other seeds:
#
# Note:
# 1 min. Before we judge anything cheap, judge the expensive way. Here is one honest training of each of the 125 cells.
# Read the columns aloud: τ over all cells; wrong pairs, where a useless cell is ahead of a useful one; τ among the 51
# useful ones; how many of its ten best are among the true ten; and regret. Not one of these rows is perfect, because
# the truth is noisy. This table is our yardstick.

# %% tags=["slide-output"]
report("one honest training", runs)
honest = np.mean([row(run) for run in runs], 0)
print(f"useful and useless cells make {useful.sum() * (~useful).sum():,} pairs")
assert 0.6 < honest[0] < 0.8 and honest[1] <= 5 and honest[3] >= 7

# %% [markdown]
# What we see: a full training of every cell gives τ of about 0.7. That is our mark. It is a mark, not a limit: a score
# with less noise of its own can pass it.

# %% [markdown] tags=["slide"]
# ## 1 min: Is 0.62 a bad τ?
#
# Note:
# 1.5 min. Half a minute alone, then hands. Most people know that 1 is perfect, and that is the trap: nobody reaches 1
# here, not even one more honest seed. Whenever a paper gives you a rank correlation, ask for this second number beside
# it. Click for the answer, and go on.

# %% tags=["slide-output"]
quiz("a_fair_mark")

# %% [markdown]
# ## One graph contains them all
#
# Training alone is honest and slow: 125 cells, three seeds, 375 trainings. Look at what is done twice. The cell *3×3,
# then 3×3* and the cell *3×3, then skip* begin with the same convolution on the same edge. Why learn it twice?
#
# ENAS (Pham et al., 2018) drew the conclusion. Put *every* operation on *every* edge, and keep one set of weights for
# each. The result is the **supernet**, a single directed acyclic graph. An architecture is a **path** through it: one
# operation per edge. Two paths with the same operation on the same edge use the same weights.
#
# **Question.** How many weights do we save against 125 networks of their own?

# %% [markdown] tags=["slide"]
# ## All operations on all edges: the supernet
#
# A cell is a **path** through it. Same operation on the same edge: **same weights**.
#
# Note:
# 0.5 min. The cell "3×3, then 3×3" and the cell "3×3, then skip" begin with the same convolution. Why learn it twice?
# Put every operation on every edge once. Fifteen modules stand for 125 cells. Read the edge names: target first, then
# source. The ratio of weights is modest here because the space is tiny; it is the product against the sum that matters,
# and that is the next question.

# %% tags=["slide-output"]
with training.seeded(0):
    supernet = space.supernet(strokes.classes, strokes.channels)
edges = supernet.body[0].edges
for name, edge in edges.items():
    print(name, list(edge.ops))
count = training.count_parameters
together = count(supernet)
alone = sum(count(space.network(cell, strokes.classes, strokes.channels)) for cell in cells)
print(f"supernet {together}, 125 networks {alone:,}, ratio {alone / together:.0f}")
assert (together, alone) == (528, 19_200)

# %% [markdown]
# What we see: three edges, five operations each: 15 modules stand for 125 cells. (The name of an edge gives its target
# first: "into node 2, from node 1".) Alone, the cells need 36 times as many weights. (Notebook 01 counted 33 times,
# in a wider network with ten classes.)

# %% [markdown] tags=["slide"]
# ## 1 min: What does one more operation cost?
#
# Note:
# 1.5 min. Let them compute. Six to the power of three is 216, and three times six is 18. If the class is quick, ask for
# the space of DARTS: 14 edges, 8 operations, two cells. The product has nineteen digits, the sum is 224. That gap is
# the whole reason why weight sharing exists.

# %% tags=["slide-output"]
quiz("what_grows")

# %% [markdown]
# ## Walk one path
#
# The supernet is called with pictures *and* an architecture. On each edge the architecture names one operation; only
# that one runs. Let us take a cell, and let every operation say when it is called.

# %% [markdown] tags=["slide"]
# ## One path runs, twelve operations sleep
#
# - Forwards: one operation on each edge, 3 of 15
# - Backwards: only what ran gets a gradient
# - So a batch costs as much as **one** cell
#
# Note:
# 0.5 min. We put a hook on each of the fifteen operations and called the supernet with this cell: three hooks fired.
# Then we called backward: of six convolutions, two have a gradient. So memory and time are those of one cell. Say that
# DARTS, in notebook 07, does the opposite: all fifteen run, and it pays for it.

# %% tags=["slide-output"]
cell = space.parse("|conv_3x3~0|+|skip~0|conv_1x1~1|")
images, labels = next(training.batches(strokes.train, strokes, 64))
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
assert set(called) == set(cell.active_ops["cell"].items())
drawing.draw(cell)

# %% [markdown]
# What we see: three calls, one for each edge. So a batch costs as much time and memory as in *one* cell. (DARTS, in
# notebook 07, runs all 15.)
#
# ### Exercise: Walk one path · ★☆☆ · 4 min
#
# Replace the `...` and run the cell; `check` names a mistake. Write what the supernet just did: the forward pass of the
# tiny cell. `ops["2<1"]["skip"]` is the operation skip on the edge from node 1 to node 2, a function of a feature map;
# `active["2<1"]` is the *name* of the operation that the path takes there.


# %%
@exercise
def walk(x, ops, active):
    """Output of the tiny cell when only the active operation of each edge runs."""
    ...


check(walk)
# hint(walk)
solution(walk)

# %%
# yours in the supernet's place, on all 125 cells
dag, ops = supernet.body[0], {key: by_name.ops for key, by_name in edges.items()}
x = torch.randn(8, space.channels, 10, 10, generator=torch.Generator().manual_seed(0))
differences = []
with torch.no_grad(), training.batch_statistics(supernet):
    for route in cells:
        active = route.active_ops["cell"]
        differences.append(float((walk(x, ops, active) - dag(x, active)).abs().max()))
print(f"largest difference over {len(cells)} cells: {max(differences):.0e}")

# %%
cross_entropy(logits, labels).backward()  # and backwards: only what ran can get a gradient
touched = [name for name, p in edges.named_parameters() if p.grad is not None]
print(f"{len(touched)} of {sum(1 for _ in edges.parameters())} convolutions got a gradient:")
print(touched)
assert len(touched) == 2

# %% [markdown]
# What we see: of six convolutions exactly the two on the path learn from this batch. Stem and head, which stand before
# and behind the cell, belong to every path and learn from every batch.
#
# ### Exercise: Who learns · ★★☆ · 5 min
#
# A path has three operations, on the edges 0 → 1, 0 → 2 and 1 → 2. How many of its convolutions get a gradient that
# is not zero? Beware of `zero`: nothing passes it, neither forwards nor backwards. The names are those printed above.


# %%
@exercise
def learners(first, second, third):
    """How many convolutions of a path learn: operations on the edges 0 → 1, 0 → 2 and 1 → 2."""
    ...


check(learners)
# hint(learners)
solution(learners)


# %%
def counted(cell):
    """How many convolutions of the supernet get a non-zero gradient from one batch."""
    supernet.zero_grad(set_to_none=True)
    cross_entropy(supernet(images, cell), labels).backward()
    return sum(w.grad is not None and bool(w.grad.any()) for w in edges.parameters())


tally = Counter((int(learners(*path.answers.values())), counted(path)) for path in cells)
for (you_say, autograd), how_many in sorted(tally.items()):
    print(f"{how_many:3} cells: you say {you_say}, autograd says {autograd}")

# %% [markdown] tags=["slide"]
# ## 1 min: Who learns beside a zero?
#
# Note:
# 1.5 min. Draw the triangle on the board and strike out the edge from node 1 to node 2. Then ask for each of the other
# two edges: does the loss still depend on it? The trap is to think that whatever runs learns. A weight learns only if
# the loss can feel it. In the exercise they count this for all 125 cells, with autograd as the judge.

# %% tags=["slide-output"]
quiz("next_to_zero")

# %% [markdown]
# ## Train by rolling dice
#
# Why should shared weights work at all? A 3×3 convolution that finds slanted lines is useful in many cells, whatever
# stands beside it. Sharing bets that what an operation learns in one cell is worth something in the next. It is a bet.
#
# The aim is weights that are good *on average over architectures*:
#
# $$\min_w \; \mathbb{E}_{a}\big[\,L_{train}(a, w)\,\big].$$
#
# Here $w$ are the shared weights, $a$ is a cell, drawn from all 125, and $L_{train}(a, w)$ its loss on the training
# pictures. We estimate its gradient with a single random cell per batch, exactly as
# stochastic gradient descent estimates the loss over all pictures with a few. That is **single-path training**; ENAS
# draws independently for each batch, so with replacement.
#
# ### Exercise: Count the misses · ★☆☆ · 2 min
#
# With what probability is a given operation of an edge *never* drawn in a number of batches?


# %%
@exercise
def never_trained(options, batches):
    """Probability that one of `options` operations is never drawn on its edge in this many batches."""
    ...


check(never_trained)
# hint(never_trained)
solution(never_trained)
for draws in (3, 10, 31, 62):
    print(f"{draws:2} batches: {float(never_trained(5, draws)):.6f}")

# %% [markdown] tags=["slide"]
# ## The aim: weights that are good on average
#
# $$\min_w \; \mathbb{E}_{a}\big[\,L_{train}(a, w)\,\big]$$
#
# - The mean runs over 125 cells: too many for every batch
# - Estimate it with **one** cell, drawn anew for each batch
#
# Note:
# 1 min. This is stochastic gradient descent over two kinds of data: pictures and architectures. A few pictures stand
# for all pictures, one cell stands for all cells. ENAS draws with replacement, each batch by itself. Why should one set
# of weights serve all? Because a detector of slanted lines is useful in many cells. It is a bet; now we write it down.

# %% [markdown] tags=["slide"]
# ## The whole training has eight lines
#
# ```python
# supernet.train()
# for _ in range(epochs):
#     for images, labels in train():
#         logits = supernet(images, draw())
#         loss = cross_entropy(logits, labels)
#         optimiser.zero_grad()
#         loss.backward()
#         optimiser.step()
# ```
#
# Against ordinary training one thing is new: `draw()`.
#
# Note:
# 1 min. Let the class find the one thing that differs from training a single network. It is the second argument of the
# supernet. Everything else they have written a hundred times. In the notebook they build this, with the judging of all
# cells behind it, in about eighteen minutes, and compare it with the package's function: the accuracies agree to the
# last digit. Good homework for today.

# %% [markdown]
# An epoch has 31 batches here, of 64 pictures (notebook 02 had 62 of 32), so no operation is forgotten for long.
#
# ### Build: One shot · ★★★ · 18 min
#
# Now write the whole method: train *one* supernet on drawn paths, then judge *every* cell at its weights. That is why
# it is called **one-shot**. Your function gets
#
# - `supernet`, called with pictures and a cell; it returns logits;
# - `draw()`: a random cell, a new one each time;
# - `train()`: one pass over the training batches, pairs of images and labels, in a new order each time;
# - `epochs`: how many passes;
# - `optimiser`: torch's SGD over all weights; `schedule` sets its learning rate, with `schedule.step()` behind each
#   `optimiser.step()`;
# - `cells`, and `held_out`: the images and labels of 500 validation pictures.
#
# It trains in training mode, and returns a list: the accuracy of each cell on `held_out`. Judge inside
# `with torch.no_grad(), batch_statistics(supernet):`, where batch norm normalises the pictures at hand with their own
# statistics; *Batch norm has a memory* tells why. `check` goes step by step, so run it after each line.

# %%
from nas_tutorial.training import batch_statistics


@exercise
def one_shot(supernet, draw, train, epochs, optimiser, schedule, cells, held_out):
    """Train a supernet on one drawn path per batch; return the accuracy of each cell at its weights."""
    ...


check(one_shot)
# hint(one_shot)
solution(one_shot)

# %% [markdown]
# The package splits the same work in two: `train_paths` trains an epoch, `shared_accuracies` judges. Start both from
# the same weights, with the same dice and the same order of pictures.

# %%
plots.source(train_paths)


# %%
def fresh(epochs):
    """A new supernet, its descent (optimiser and schedule), and what draws pictures and paths."""
    with training.seeded(0) as pictures:
        supernet = training.to_device(space.supernet(strokes.classes, strokes.channels), "cpu")
    recipe = training.Recipe(epochs, clip=1e9)  # gradients are not clipped, as in yours
    descent = training.Descent(supernet.parameters(), recipe, strokes.train)
    return supernet, descent, pictures, partial(space.sample, torch.Generator().manual_seed(0))


theirs, descent, pictures, draw = fresh(epochs=2)
for _ in range(2):
    train_paths(theirs, draw, strokes, descent, pictures)
by_package = shared_accuracies(theirs, cells, strokes)
held_out = next(training.batches(strokes.validation, strokes, 500))

# %%
yours, steps, order, roll = fresh(epochs=2)
passes = partial(training.batches, strokes.train, strokes, 64, generator=order)
by_you = one_shot(yours, roll, passes, 2, steps.optimiser, steps.schedule, cells, held_out)
gap = max(abs(float(a) - b) for a, b in zip(by_you, by_package, strict=True))
print(f"largest difference over {len(cells)} cells: {gap:.3f}")

# %% [markdown]
# What we see: the same accuracies. From here on we take the package's functions, which also clip
# gradients. Three supernets, 60 epochs each.


# %% [markdown] tags=["slide"]
# ## Six times fewer epochs, yet more for each weight
#
# Note:
# 0.5 min. Three supernets, three seeds, sixty epochs each. The table needed three epochs for each of 125 cells. So
# sharing saves a factor of about six; in a larger space the left number grows and the right one need not. But look at
# the second line: each operation has seen more pictures than in the table. Keep that in mind, it becomes a suspect
# later.


# %% tags=["slide-output"]
def train_supernet(seed, epochs=60, sampler_of=lambda generator: partial(space.sample, generator), paths=1):
    """A supernet, trained on one path per batch; `sampler_of` makes from a generator what draws paths."""
    with training.seeded(seed) as generator:
        supernet = training.to_device(space.supernet(strokes.classes, strokes.channels), "cpu")
        descent = training.Descent(supernet.parameters(), training.Recipe(epochs), strokes.train)
        sampler = sampler_of(generator)
        for _ in range(epochs):
            train_paths(supernet, sampler, strokes, descent, generator, paths=paths)
    return supernet


print(f"epochs per seed: alone {3 * len(cells)}, shared 60: {3 * len(cells) / 60:.2f} times fewer")
print(f"epochs for each operation of an edge: alone 3, shared about {60 / 5:.0f}")
print(f"steps for each: alone {3 * 62} on 32 pictures, shared about {60 * 31 / 5:.0f} on 64")

# %% [markdown]
# What we see: 6.25 times less training. In a larger space the left
# number grows; the right one need not.
#
# ## Shared against alone
#
# Now measure every cell *at the shared weights*: no training, one forward pass of 500 validation pictures each. Above
# it the honest training again, at six times the cost.
#
# All seeds together take too long for a lesson. So `recalled` computes the first here and reads the others from a
# record; should the first differ from its record, it computes all.

# %%
seeds, supernet_of = (0, 1, 2), cache(train_supernet)  # a supernet is trained when it is first asked for


def shared_scores(seed):
    """Accuracies of all cells at the weights of one supernet, (125,)."""
    return shared_accuracies(supernet_of(seed), cells, strokes)


five_seeds = recalled("04_shared", shared_scores, range(5))
shared = five_seeds[:3]  # *A fairer draw* takes all five

# %% [markdown] tags=["slide"]
# ## Shared weights rank nearly as well, it seems
#
# Note:
# 1 min. Compare the two rows. Over all cells τ is only a little lower, at a sixth of the price. That is the sentence
# one finds in abstracts. Now the other columns. Of 3,774 pairs across the border few are wrong. Among the useful cells,
# though, τ falls to half of what honest training gives, and of the ten best we find one or two on average. Ask: where
# did the large τ come from?

# %% tags=["slide-output"]
_, by_sharing = compare(one_training=runs, shared_weights=shared)
assert 0.5 < by_sharing[0] < honest[0] and by_sharing[1] < 150 and by_sharing[2] < honest[2] - 0.1

# %% [markdown] tags=["slide"]
# ## The border is sharp, the top is a cloud
#
# Note:
# 1 min. Every cell is here three times, once for each supernet. Below the dotted line the useless cells: all on the
# left. That is where the large τ comes from. Now cover everything left of 0.6 with your hand. What remains is a cloud
# that hardly leans. A cell with a true accuracy of 0.75 may score as high as the best one.

# %% tags=["slide-output"]
with plots.style():
    figure = Figure(figsize=(8, 4.6))
    axes = figure.subplots()
    for seed, scores, colour, marker in zip(seeds, shared, plots.SERIES, plots.POINTS, strict=False):
        axes.scatter(scores, truth, s=30, color=colour, marker=marker, alpha=0.55, label=f"seed {seed}")
    axes.axhline(0.4, color="#777777", linestyle=":", marker="")
    axes.axline((0.3, 0.3), slope=1, color="#777777", linewidth=1, marker="")  # where both are equal
    axes.set(xlabel="accuracy at shared weights", ylabel="accuracy trained alone")
    axes.set_title("Sharing tells useful from useless, not best from good")
    axes.legend(loc="lower right")
plots.show(figure, "Score against truth: useless cells crowd low and left, useful ones form a wide cloud.")

# %% [markdown]
# What we see: over all cells τ lies a little below that of one honest training. Of 3,774 pairs of a useful and a
# useless cell few are in the wrong order. But *within* the upper cloud the order is loose: τ among the useful cells
# falls further than that of an honest training. Much of the large τ came from the border of the desert.
#
# A shared accuracy is a **score for ranking**, never an estimate of what the cell reaches alone: points lie on both
# sides of the diagonal, where the two are equal.
#
# A large τ over a whole space may only say that its bad cells are easy to recognise.

# %% [markdown] tags=["slide"]
# ## 1 min: What do you ask the authors?
#
# Note:
# 1.5 min. Alone, then hands. This is the most useful habit of the lecture: take the easy pairs out before you believe a
# rank correlation. Spaces with many broken cells make every method look good. Ask what the easy pairs are in the spaces
# that they know.

# %% tags=["slide-output"]
quiz("large_tau")

# %% [markdown]
# ## The best ten
#
# A search does not want a ranking, it wants a winner. Ten cells drawn blindly would contain $10 \cdot 10/125 = 0.8$ of
# the true ten. We can take the first by score; or, more carefully, take ten by score, train these ten alone, and keep
# the best. (Each of the three seeds outside the truth serves as this training; we show the mean.)


# %%
def regret_of_ten(scores):
    """Regret if the ten with the highest score are trained once, and the best of that training is kept."""
    ten = np.argsort(-scores, kind="stable")[:10]
    return float(np.mean([ranking.regret(run[ten], truth[ten]) + truth.max() - truth[ten].max() for run in runs]))


blind = [np.random.default_rng(draw).permutation(125) for draw in range(2000)]  # random scores

# %% [markdown] tags=["slide"]
# ## Back to your prediction: whom would a search choose?
#
# Note:
# 1.5 min. First the question: read the row of the shared weights, seed by seed. Two supernets choose one of the very
# best cells, one loses eighteen points, and taking ten and training them does not save it. Then click. Count the
# hands again, and go back to the three sentences on the board. One seed alone would have made a success story, another
# a failure. That is why we show all three.


# %% tags=["slide-output"]
print(f"{'regret':20} {'of the first':>25} {'of the best of ten':>25}")
print(f"{'seed':20}", *2 * (" ".join(f"{name:>5}" for name in ("0", "1", "2", "mean")).rjust(25),))
for name, scores in (("one honest training", runs), ("shared weights", shared), ("blind", blind)):
    first, ten = [[f(s) for s in scores] for f in (partial(ranking.regret, truth=truth), regret_of_ten)]
    shown = [[*each, np.mean(each)] if len(each) == 3 else [np.mean(each)] for each in (first, ten)]
    print(f"{name:20}", *(" ".join(f"{value:5.2f}" for value in values).rjust(25) for values in shown))

# %% [markdown] tags=["slide", "answer"]
# **C.** 2, 0 and 2 of the true ten best; blind luck promises 0.8. Useless cells are thrown out reliably; at the top a
# supernet may know a lot or next to nothing, and it does not tell you which.

# %% [markdown]
# **Back to your prediction: C.** The supernets found one or two of the true ten best on average; blind luck promises
# 0.8, one honest training of every cell finds most. Two supernets put one of the very best cells first. One loses
# nearly twenty points, and the best of its first ten is no better than the best of ten blindly drawn ones. *At the very
# top, a supernet may know a lot or next to nothing, and it does not tell you which.* What is robust? Throwing out the
# bad.
#
# **Question.** And what else would the same money have bought? 60 epochs are 20 honest trainings. So here is a *random
# search*: draw 20 cells, train each once, keep the best. And a guess that costs nothing: of the cells that see, take
# the one with the most 3×3 convolutions.

# %% [markdown] tags=["slide"]
# ## What else the same money buys
#
# 60 epochs of a supernet are 20 trainings of a cell:
#
# Note:
# 1 min. Every cheap method needs this row: a random search that may spend as much. Here it does as well as the
# supernet, and counting 3×3 convolutions beats both. So in this tiny space a search does not pay. Say where it may: in
# a space so large that nobody can read off who sees, and where most cells are useless, twenty draws find little.


# %% tags=["slide-output"]
def random_search(trainings):
    """Regret of the best of so many random cells by one training each; mean over three seeds."""
    return truth.max() - np.mean([ranking.best_of_n(run, trainings, truth) for run in runs])


convolutions = np.array([str(cell).count("conv_3x3") for cell in cells]) * sees
print("trainings                               regret, mean of 3 seeds")
print(f"  20  supernet, first by score          {np.mean([ranking.regret(s, truth) for s in shared]):.2f}")
print(f"  20  random search                     {random_search(20):.2f}")
print(f"  30  supernet, ten by score, trained   {np.mean([regret_of_ten(s) for s in shared]):.2f}")
print(f"  30  random search                     {random_search(30):.2f}")
print(f"   0  most 3×3 among cells that see     {ranking.regret(convolutions, truth):.2f}")

# %%
quiz("one_of_three_seeds")

# %% [markdown]
# What we see: a random search of equal cost does as well, and counting costs nothing and does better. `can_see` also
# throws out the bad for free. In this tiny space a search does not pay; where nobody can read off who sees, it may.
#
# ## Why the top goes wrong
#
# Three suspects: *noise*, *time*, *company*. Each gets a test.
#
# **Noise.** Many useful cells lie close together, and where the truth itself is a toss-up, nobody can predict it. But
# one honest training has this noise, too, and does better. So noise is not all.
#
# **Time.** A shared weight has been trained for about twelve epochs, a weight in the table for three: four times the
# pictures, and twice the steps, for the batches are larger. Perhaps the supernet answers another question: who is good
# after a *longer* training? Then its scores should agree better with a truth of twelve epochs. That truth is expensive,
# so we take 26 of the useful cells, drawn at random, and two seeds. (Of short trainings the tables have 13 seeds.)

# %% [markdown] tags=["slide"]
# ## Three suspects for the loose top
#
# - **Noise**: the truth itself is a toss-up. But one honest training has this noise, too, and finds most of the ten.
# - **Time**: the supernet trained each weight for longer than the table. Another question, another answer?
# - **Company**: a weight serves many paths, and has to please them all.
#
# Note:
# 1 min. Explanations are cheap; tests are not. The first suspect is out already: we have its control in the first
# table. For the second one we need a longer truth. For the third one we look inside the network. Ask the class which
# they would bet on, and how they would test it, before you go on.

# %%
half = np.sort(np.random.default_rng(0).choice(np.flatnonzero(useful), 26, replace=False))
longer = replace(tables.TINY_RECIPE, epochs=12)


def long_training(job):
    """Accuracy of one cell, trained alone for 12 epochs."""
    seed, cell = job
    return tables.train_all(space, strokes, longer, [seed], [cells[cell]]).mean()


jobs = [(seed, cell) for seed in (0, 1) for cell in half.tolist()]
long = recalled("04_long", long_training, jobs, "(seed, cell)").reshape(2, 26)


def taus(scores, truths):
    """τ of all pairs with different seeds: equal seeds begin with equal weights."""
    pairs = [(i, j) for i in range(len(scores)) for j in range(len(truths)) if i != j]
    return [ranking.kendall(scores[i], truths[j]) for i, j in pairs]


# %% [markdown] tags=["slide"]
# ## Time: does a longer truth agree better?
#
# Note:
# 1 min. 26 of the useful cells, drawn at random, trained for twelve epochs with two seeds. First row: the supernets
# agree less with the long trainings, not more. So the suspicion is not supported. Now look at the range in the second
# row: two honest short trainings agree by anything from nearly 0 to 0.7. The last number, right, is one single pair:
# say so, before somebody builds a story on it. Click.

# %% tags=["slide-output"]
short, scores = [*runs[:, half], *more.runs().T[:, half]], [score[half] for score in shared]
print(f"{'mean τ, 26 useful cells':26}  one training of 3 epochs  one of 12")
for name, found in (("shared weights", scores), ("one training of 3 epochs", short), ("one of 12", long)):
    print(f"{name:26}  {np.mean(taus(found, short)):24.2f}  {np.mean(taus(found, long)):9.2f}")
low, high = np.quantile(taus(short, short), [0.05, 0.95])
print(f"{len(taus(short, short)) // 2} pairs of trainings of 3 epochs: 90 of 100 lie in {low:.2f} to {high:.2f}")
assert np.mean(taus(scores, long)) < np.mean(taus(scores, short)) < np.mean(taus(short, long))

# %% [markdown] tags=["slide", "answer"]
# Not supported. And: *one pair of rankings tells little.*

# %% [markdown]
# What we see: the suspicion is **not supported**. With longer trainings the supernets agree *less*, and honest short
# trainings agree with long ones as well as with each other. Mind the range, though: the value of two long trainings, at
# the lower right, is a *single* pair.
#
# ## Look inside: what a shared weight wants
#
# **Company.** The 3×3 convolution on the edge 1 → 2 sees what a skip, a pool or another convolution lets through, and
# has to please them all. So what does it *want*? Its **pull** is its gradient when a certain cell runs. We take two
# halves of the training pictures, and compare pulls by their cosine: 1 is the same direction, 0 unrelated, −1 opposite.
# First page through the paths of one supernet.

# %%
best_first = np.argsort(-truth, kind="stable")


def render(rank):
    """The way of one picture along a path, at the shared weights of seed 0."""
    k = best_first[rank - 1]
    figure = inside.through_cell(supernet_of(0), strokes, strokes.validation.images[:100], cells[k])
    line = f"{cells[k]}: at shared weights {shared[0][k]:.2f}, trained alone {truth[k]:.2f}"
    return widgets.figure(plots.html(figure, alt=f"Feature maps along {cells[k]}"), line)


look = {"description": "rank when trained alone", "continuous_update": False, "style": widgets.WIDE}
widgets.view(render, rank=IntSlider(1, 1, 125, **look))


# %%
def pull(net, cell, images, labels):
    """The gradient of the 3×3 convolution on the edge 1 → 2 when this cell runs, (144,)."""
    weight = net.body[0].edges["2<1"].ops["conv_3x3"].conv.weight
    with batch_statistics(net):
        (slope,) = torch.autograd.grad(cross_entropy(net(images, cell), labels), weight)
    return slope.flatten()


# %%
def agreement(seed):
    """Mean cosine of two pulls, one on each half, for three kinds of pairs of the 20 cells in which the 3×3 learns."""
    net, (images, labels) = supernet_of(seed), next(training.batches(strokes.train, strokes, 2000))
    users = [cell for cell in cells if cell.choices[2] == 4 and cell.choices[0] != 0]  # 3×3 behind no zero
    pulls = [torch.stack([pull(net, cell, images[h::2], labels[h::2]) for cell in users]) for h in (0, 1)]
    cosines = torch.cosine_similarity(pulls[0][:, None], pulls[1], -1)  # (20, 20)
    companion = torch.tensor([cell.choices[0] for cell in users])
    same, itself = companion[:, None] == companion, torch.eye(len(users), dtype=torch.bool)
    return [float(cosines[pairs].mean()) for pairs in (itself, same & ~itself, ~same)]


agreements = recalled("04_pulls", agreement, seeds)  # (3 seeds, 3 kinds)

# %% [markdown] tags=["slide"]
# ## Each cell pulls, steadily, elsewhere
#
# **Pull**: the gradient of the shared 3×3 when a certain cell runs. Cosine of two pulls, on disjoint pictures:
#
# Note:
# 1 min. A pull says where this cell would like the weight to go. First row: the same cell on other pictures pulls in
# the same direction, so this is no noise. Second row: another cell with the same operation in front agrees in part.
# Third row: with another operation in front there is nothing left, or a little against. No set of weights can follow
# all of them.

# %% tags=["slide-output"]
print("cosine of two pulls        ", *(f"seed {seed}" for seed in seeds), sep="   ")
for kind, found in zip(("the same cell", "the same companion", "another companion"), agreements.T, strict=True):
    print(f"{kind:28}", *(f"{value:7.2f}" for value in found), sep="  ")
assert all(itself > 0.8 > 0.6 > same > other for itself, same, other in agreements)

# %% [markdown]
# What we see: on other pictures a cell pulls in the same direction, so its pull is no noise. Another cell with the same
# companion agrees with it in part; a cell with another companion does not, or pulls a little against it. One set of
# weights cannot follow all of them.
#
# If company is why the top goes wrong, less company should help. So **split** the space: five supernets, one for each
# operation on 0 → 1, twelve epochs each, 60 in total as before. (Zhao et al., 2021, call it few-shot.) As a control,
# split on 0 → 2: as many supernets and epochs, but the companions stay mixed.


# %%
def any_of(own, generator):
    """What draws from some cells."""
    return lambda: own[int(torch.randint(len(own), (), generator=generator))]


def split(job):
    """Scores of the 25 cells with one operation on an edge, by a supernet of their own."""
    edge, seed, operation = job
    own = [cell for cell in cells if cell.choices[edge] == operation]
    return shared_accuracies(train_supernet(seed, 12, partial(any_of, own)), own, strokes)


# %%
jobs = [(edge, seed, operation) for edge in (0, 1) for seed in seeds for operation in range(5)]
# operation by operation, 25 cells each
grouped = recalled("04_split", split, jobs, "(edge, seed, operation)").reshape(2, 3, 125)
by_one, by_other = np.zeros((2, 3, 125))
for edge, scores in enumerate((by_one, by_other)):
    scores[:, np.argsort([cell.choices[edge] for cell in cells], kind="stable")] = grouped[edge]

# %% [markdown] tags=["slide"]
# ## Less company: five supernets, split on 0 → 1, and a control
#
# Note:
# 1 min. If company is guilty, less company must help. Five small supernets, twelve epochs each, sixty in total as
# before; each has one companion only. Third row: most of the true ten. Last row, the control: as many supernets, but
# split on the other edge, so that the companions stay mixed. It does not help at all. Case closed? Let them look for
# the hole, half a minute: what else did this split change? Then go on.

# %% tags=["slide-output"]
ways = {"one_training": runs, "shared_weights": shared, "split_on_0_to_1": by_one, "split_on_0_to_2": by_other}
*_, by_companion, by_direct = compare(**ways)
assert by_companion[2] > max(by_sharing[2], by_direct[2]) + 0.1 and by_companion[3] > by_sharing[3] + 4

# %% [markdown]
# What we see: the split by companion finds most of the true ten, the control does not. Case closed? One more check. If
# the true ten share a companion, this split gave them a supernet of their own. So take the scores apart: the **level**
# of a companion, the mean score of the useful cells behind it, and the **order** of the cells behind one companion.
# Then swap: one method's order, the other's levels; how many of the ten?


# %%
first = np.array([cell.choices[0] for cell in cells])  # the companion of each cell
groups = [useful & (first == companion) for companion in range(5)]


def levels_of(scores):
    """For each cell the level of its companion, (125,)."""
    return np.array([scores[group].mean() for group in groups])[first]


def order(scores):
    """Mean τ among useful cells with the same companion; behind zero all compute the same."""
    return np.mean([ranking.kendall(scores[group], truth[group]) for group in groups[1:]])


# %% [markdown] tags=["slide"]
# ## Swap levels and order: what did the split mend?
#
# Of the true ten, seeds 0, 1, 2, and the mean:
#
# Note:
# 1.5 min. All the true ten have the same companion, the 3×3 on 0 → 1, so this split gave them a supernet of their own.
# A lucky edge. Then swap. One supernet's order with the split's levels finds six of ten on average; the split's order
# with one supernet's levels loses what the split had gained in at least one seed. Inside a companion the mean τ hardly
# changed. So company spoils the comparison between companions: one supernet flatters the cells behind zero.

# %%
best = np.argsort(-truth, kind="stable")[:10]
print("of the true ten, 3×3 on 0 → 1:", (first[best] == 4).sum())
print("                 level behind zero  level behind 3×3  order: mean τ  (seeds 0, 1, 2)")
for name, scores in (("one supernet", shared), ("split on 0 → 1", by_one), ("split on 0 → 2", by_other)):
    values = [[score[groups[k]].mean() for score in scores] for k in (0, 4)] + [[order(score) for score in scores]]
    print(f"{name:15}", *(" ".join(f"{value:.2f}" for value in column).rjust(17) for column in values))
print(f"truth:               {truth[groups[0]].mean():.2f}               {truth[groups[4]].mean():.2f}")

# %% tags=["slide-output"]
swaps = {"one supernet": (shared, shared), "order of one, levels of split": (shared, by_one)}
swaps |= {"order of split, levels of one": (by_one, shared), "split on 0 → 1": (by_one, by_one)}
for name, (orders, levels) in swaps.items():
    mixed = [o - levels_of(o) + levels_of(v) for o, v in zip(orders, levels, strict=True)]
    found = [10 * ranking.top_k_overlap(score, truth, 10) for score in mixed]
    print(f"{name:30}", *(f"{value:3.0f}" for value in found), f"{np.mean(found):6.1f}")

# %% [markdown]
# All of the true ten have the 3×3 on 0 → 1.
#
# - **Level.** One supernet rates the cells behind `zero` no lower than those behind the 3×3; the truth does. The split
#   puts that right, and its levels alone bring one supernet to six of ten, on average, better in all three seeds.
# - **Order.** The mean τ behind one companion hardly changed. With the levels of one supernet, the order of the split
#   finds fewer than with its own in two of three seeds, and in one only a single one.
# - **Luck.** Because the true ten share a companion, this edge was a lucky one to split.
#
# So: **company spoils the comparison *between* companions.** Whether it spoils the order at the top, too, three seeds
# do not settle. Do the pulls cause it? They fit, but that step is a guess. And the split is no cure for everything: it
# has more wrong pairs than one supernet.

# %% [markdown] tags=["slide"]
# ## 1 min: And if we split to the end?
#
# Note:
# 1.5 min. The point of this question: sharing is a dial, not a switch. At one end one supernet, at the other 125 honest
# trainings. Few-shot architecture search lives between the two. Where to stop, and on which edge to split, is an open
# question; gradients such as our pulls are one of the published criteria.

# %% tags=["slide-output"]
quiz("less_company")

# %% [markdown]
# ## A fairer draw
#
# In the long run dice are fair; in ten batches they are not. FairNAS (Chu et al., 2021) removes the luck. A *round* has
# as many paths as an edge has operations, and over the round every operation of every edge occurs exactly once. All
# paths of a round run on the same batch, their gradients are *added up*, and then comes one step. The
# package's `fair_sampler` draws them. Five paths a batch cost five times as much, so we train 12 epochs in place of 60:
# a fifth of the steps. So the control takes five *random* paths a step, also for 12 epochs.
#
# ### Exercise: Draw a fair round · ★★☆ · 5 min
#
# `options` and `edges` are numbers. A path is a row of numbers from 0 to `options` − 1, one for each edge.
# `shuffled(n)` gives the numbers 0 to n − 1 in random order, as a list, anew with each call.


# %%
@exercise
def fair_round(options, edges, shuffled):
    """Paths, `options` of them, in which every operation of every edge occurs once."""
    ...


check(fair_round)
# hint(fair_round)
solution(fair_round)
dice = random.Random(0)
for path in fair_round(5, 3, lambda n: dice.sample(range(n), n)):
    print(space.architecture(path))


# %%
samplers = {"fair": partial(fair_sampler, space), "random": lambda dice: partial(space.sample, dice)}


def judged(job):
    """Scores of all cells by one supernet, five paths a step for 12 epochs, (125,)."""
    sampler, seed = job
    return shared_accuracies(train_supernet(seed, 12, samplers[sampler], paths=5), cells, strokes)


fair, five = recalled("04_fair", judged, [(s, k) for s in samplers for k in range(5)], "rule, seed").reshape(2, 5, 125)


# %% [markdown] tags=["slide"]
# ## A fair round: every operation of every edge exactly once
#
# Five paths on the **same batch**, gradients added up, then **one** step:
#
# Note:
# 1 min. Dice are fair in the long run only. FairNAS shuffles the five operations of each edge and reads the columns.
# Ask what they expect before you point at the table. Five random paths a step are the fair control: against them τ
# is about the same, and at the top the five seeds spread too widely to settle it. One random path takes five times the
# steps. At the top nothing comes near an honest training.

# %% tags=["slide-output"]
_, by_five, by_fairness = compare(shared_weights=five_seeds, five_random_paths=five, fair_rounds=fair)
assert 0.4 < min(by_five[0], by_fairness[0]) and max(by_five[3], by_fairness[3]) < honest[3]

# %% [markdown]
# What we see: with equal steps and sums, fair rounds have about the τ of random paths and are no better at the top; the
# five seeds spread too widely to say more. And with two seeds more, the shared weights find no more of the true ten
# than blind luck.
#
# ## Batch norm has a memory, and it is of the wrong cells
#
# A batch-norm layer subtracts a mean and divides by a deviation. In training it takes them from the batch at hand. On
# the side it keeps *running* averages, to be used in evaluation.
#
# **Question.** The last batch norm, in the head, sees what the cell lets through: now a convolution, now a pool, now
# zeros. Running averages over *what* does it keep?
#
# Over those that the last batches drew: a mixture of paths, which belongs to no cell. In evaluation mode every cell is
# normalised with somebody else's numbers. Compare the running ones with each cell's own.

# %%
net, (pictures, _) = supernet_of(0), held_out
norm = net.head.norm


def own_statistics(cell):
    """Mean and deviation of the first channel that enters the head when this cell runs."""
    with torch.no_grad(), batch_statistics(net):
        channel = net.features(pictures, cell.active_ops)[:, 0]  # (500, 10, 10), as the head gets it
    return float(channel.mean()), float(channel.std())


own = np.array([own_statistics(cell) for cell in cells])  # (125, 2)
print(f"the last 22 batches make {1 - (1 - norm.momentum) ** 22:.2f} of a running average")
running = {"mean": float(norm.running_mean[0]), "deviation": float(norm.running_var[0].sqrt())}
for (what, value), column in zip(running.items(), own.T, strict=True):
    print(f"{what}: running {value:.2f}, of the cells {column.min():.2f} to {column.max():.2f}")

# %% [markdown]
# What we see: the memory lies somewhere in the middle of a wide range. The remedy is to **re-estimate** the
# statistics for each cell. `shared_accuracies` does so: it takes them from the 500 pictures that it judges. Here are
# the same pictures, with running statistics.


# %%
@torch.no_grad()
def running_accuracies(seed):
    """Accuracy of each cell on the 500 pictures in evaluation mode, (125,)."""
    net, (images, labels) = supernet_of(seed).eval(), held_out
    return [float((net(images, cell).argmax(-1) == labels).float().mean()) for cell in cells]


running = recalled("04_running", running_accuracies, seeds)


# %% [markdown] tags=["slide"]
# ## Batch norm remembers a mixture that belongs to no cell
#
# In evaluation mode it uses running averages over the last drawn paths.
#
# Note:
# 1 min. In training, batch norm takes mean and deviation from the batch; on the side it keeps running ones. In a
# supernet they run over the last twenty paths or so. First row: each cell judged with them. Second row: with statistics
# of its own.
# The weights are the same! The mean accuracy of the useful cells falls by thirty points. Point out that the top columns
# do not fit the story, and that three seeds are few.

# %% tags=["slide-output"]
by_running, _ = compare(running_statistics=running, re_estimated=shared)
levels = [np.mean(scores, 0)[useful].mean() for scores in (running, shared)]
print("mean accuracy of the useful cells: running {:.2f}, re-estimated {:.2f}".format(*levels))
assert by_running[0] < by_sharing[0] - 0.08 and by_running[2] < by_sharing[2] and levels[0] < levels[1] - 0.1

# %% [markdown]
# What we see: with running statistics τ drops, over all cells and among the useful ones, and their mean accuracy, too:
# good weights, read through somebody else's glasses. The columns of the top do not agree: with
# three seeds such a number can fall either way. Trust the measure that averages over more.
#
# **Is it allowed** to use the statistics of the validation batch? It uses its pictures, not its labels; for ranking
# that is harmless. For the final test of a network it is not: there batch norm must use what it learned in training.


# %% [markdown] tags=["slide"]
# ## 1 min: Which statistics for a phone?
#
# Note:
# 1.5 min. Re-estimating from the batch is right for ranking and wrong for use: a picture would be judged by its
# neighbours. After the search, train the chosen cell alone; then its running averages are its own. Ask where else they
# have seen a network that is good in training mode and poor in evaluation mode.

# %% tags=["slide-output"]
quiz("one_picture")

# %% [markdown]
# ## Inherit the weights
#
# A cell chosen at shared weights need not start from nothing. `copy_weights` gives a stand-alone network the weights of
# its path. First a check: with the statistics of one batch, both must give the same logits.
#
# Does the inheritance help? Give the six truly best cells one epoch of training, once from scratch and once with
# inherited weights. Beside it, what they had *before* that epoch, and what the table's three epochs give.


# %%
best_six = np.argsort(-truth, kind="stable")[:6]
heir = copy_weights(net, space.network(cell, strokes.classes, strokes.channels))
with torch.no_grad(), batch_statistics(heir), batch_statistics(net):
    print(f"largest difference of logits: {(heir(pictures) - net(pictures, cell)).abs().max():.0e}")


def after_one_epoch(cell, seed, source=None):
    """Validation accuracy after one epoch, from scratch or with weights inherited from a supernet."""
    recipe = replace(tables.TINY_RECIPE, epochs=1)
    with training.seeded(seed) as generator:
        network = space.network(cell, strokes.classes, strokes.channels)
        network = training.to_device(copy_weights(source, network) if source else network, "cpu")
        list(training.fit(network, strokes.train, strokes, recipe, generator))
    return training.evaluate(network, strokes.validation, strokes)


# %%
def both_ways(seed):
    """Mean accuracy of the six after one epoch: from scratch, and with the weights of a supernet."""
    scratch = [after_one_epoch(cells[i], seed) for i in best_six]
    inherited = [after_one_epoch(cells[i], 0, supernet_of(seed)) for i in best_six]
    return np.mean(scratch), np.mean(inherited)


scratch, inherited = recalled("04_heirs", both_ways, seeds).T

# %% [markdown] tags=["slide"]
# ## Shared weights are good weights
#
# The six truly best cells, seeds 0, 1, 2:
#
# Note:
# 1 min. Read the third line first: this is what the cells have at the shared weights, without any training of
# their own. Then one epoch lifts them to where three epochs from scratch lead. So on average the larger part is
# inherited, and that epoch teaches the smaller one. Without the third line one would credit the epoch with everything.

# %% tags=["slide-output"]
rows = {"from scratch, one epoch": scratch, "from scratch, three epochs": runs[:, best_six].mean(1)}
rows |= {"at the shared weights": [s[best_six].mean() for s in shared], "... and one epoch": inherited}
for name, values in rows.items():
    print(f"{name:28}", *(f"{value:.2f}" for value in values))
assert np.mean(scratch) < np.mean(rows["at the shared weights"]) and max(scratch) < min(inherited)

# %%
quiz("what_was_inherited")

# %% [markdown]
# What we see: one epoch from scratch leaves the six cells far below. At the shared weights they are right on most
# pictures *before* that epoch begins: on average they inherit more than half of their lead over it (with seed 1, less).
# After it they stand where three epochs from scratch lead. So the shared weights are *good weights*, though they do not
# rank well.
#
# An accuracy after inheriting is no fair *comparison* of cells: some fitted the company better. Train finalists from
# scratch, with several seeds.
#
# ## What can go wrong
#
# Batch norm in the wrong mode has touched published numbers. *Neural Architecture Search without Training* (Mellor et
# al., 2021) scores cells with a network that was **never trained**. Its search script called `.eval()` first. In [issue
# 1 of the repository](https://github.com/BayesWatch/nas-without-training/issues/1) the authors explain what that does:
# batch norm then uses running statistics, which no training has ever filled. They call it an oversight, took the call
# out, and set out to update the paper's results.
#
# What *are* the running statistics of a network that has not been trained? Mean 0 and variance 1. With these, batch
# norm returns its input as it came: it is switched off. Nothing crashed, and the scores looked like scores.
#
# Here is the same slip in our own code, and a check that catches it: **normalised channels have deviation 1.**

# %%
from nas_tutorial.training.norms import evaluation_mode

with training.seeded(0):
    untrained = space.supernet(strokes.classes, strokes.channels)
print("mean", untrained.head.norm.running_mean.tolist(), "variance", untrained.head.norm.running_var.tolist())

# %% [markdown] tags=["slide"]
# ## A real slip: `.eval()` on a network that was never trained
#
# Running statistics of an untrained network: mean 0, variance 1. Batch norm is switched **off**.
#
# - The check: normalised channels have deviation 1
#
# Note:
# 1 min. A published method scored networks without training, and its script called eval first. Nothing crashed, the
# scores looked like scores, and a reader's question about a figure brought it to light. The authors corrected it in the
# open, which deserves praise. The check needs no accuracy and no truth: behind batch norm the deviation must be one.
# Keep it beside every supernet.


# %% tags=["slide-output"]
def deviation_behind_norm(network, cell, mode):
    """Deviation of the channels behind the last batch norm, on one batch, in a mode."""
    with torch.no_grad(), mode(network):
        out = network.head.norm(network.features(pictures, cell.active_ops))  # (500, C, 10, 10)
        scale = network.head.norm.weight.abs()  # what the layer multiplies by, after normalising
        return float((out.std((0, 2, 3)) / scale).mean())


off = {}
for name, mode in (("batch statistics", batch_statistics), ("eval mode", evaluation_mode)):
    for state, network in (("untrained", untrained), ("trained", net)):
        found = [deviation_behind_norm(network, cells[i], mode) for i in best_six]
        off[name, state] = max(abs(value - 1) for value in found)
        print(f"{name}, {state}: deviations {min(found):.2f} to {max(found):.2f}")
assert max(off["batch statistics", s] for s in ("untrained", "trained")) < 0.01
assert min(off["eval mode", s] for s in ("untrained", "trained")) > 0.05

# %% [markdown]
# What we see: with batch statistics every deviation is 1. In evaluation mode it is not, for the untrained network and
# for the trained supernet alike.
#
# ## In this notebook we have
#
# - put 125 cells into one graph with 15 operations, walked single paths through it, and seen who learns;
# - written the whole one-shot method;
# - held the ranking against the truth, and beside it one honest training: useful from useless yes, best from good less;
# - compared its price: a random search for as many epochs does as well in this tiny space;
# - tested why: a longer truth does not agree better; company spoils the comparison between companions, and the true ten
#   share one companion, which made it a lucky edge to split;
# - seen that batch-norm statistics must be re-estimated for each cell;
# - let a network inherit its path, and told what was inherited from what was learnt;
# - met a real slip, `.eval()` where it does not belong, and a check that catches it.
#
# **On your own.** Split on 1 → 2, the third edge: what do you expect? Then average the scores of three supernets: does
# τ grow, and do the ten best? Three seeds each.
#
# ## Further reading
#
# - H. Pham, M. Guan, B. Zoph, Q. Le, J. Dean: [Efficient Neural Architecture Search via Parameter
#   Sharing](https://arxiv.org/abs/1802.03268), ICML 2018.
# - G. Bender and others: [Understanding and Simplifying One-Shot Architecture
#   Search](https://proceedings.mlr.press/v80/bender18a.html), ICML 2018.
# - Z. Guo and others: [Single Path One-Shot Neural Architecture Search with Uniform
#   Sampling](https://arxiv.org/abs/1904.00420), ECCV 2020: recomputes batch-norm statistics for each path.
# - X. Chu, B. Zhang, R. Xu: [FairNAS](https://arxiv.org/abs/1907.01845), ICCV 2021.
# - Y. Zhao and others: [Few-shot Neural Architecture Search](https://arxiv.org/abs/2006.06863), ICML 2021: several
#   supernets, each for a part of the space.
# - K. Yu and others: [Evaluating the Search Phase of Neural Architecture Search](https://arxiv.org/abs/1902.08142),
#   ICLR 2020.
# - Notebook 05 replaces the dice by a controller; notebook 08 comes back to what sharing cannot see.
#
# ## Versions

# %% [markdown] tags=["slide"]
# ## Three things to take home
#
# - A supernet **throws out the bad**, here for 20 trainings. Choose among the rest by honest training.
# - Beside its numbers stand those of **one honest training** and of a **random search** at equal cost.
# - An explanation needs a **test**, and the test one more: the split mended the level *between* companions.
#
# Note:
# 1 min. Let the class say the three before you show them. Then the outlook: dice draw every cell equally often,
# although we know after a few epochs that half of them are useless. Notebook 05 replaces the dice by a controller that
# learns which cells to draw. Notebook 08 comes back to what sharing cannot see. Homework: the build, one shot.

# %%
from platform import python_version

print(f"Python {python_version()}, torch {torch.__version__}, nas_tutorial {nas_tutorial.__version__}")
