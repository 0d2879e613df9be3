# %% [markdown]
# # 5 · Learn to sample
#
# You will replace the dice by a policy that learns which networks are worth drawing, and hold each of its estimates
# against an exact sum.
#
# <!-- badges -->
#
# 50 min reading · 30 min exercises · longest cell 31 s · all cells 170 s · 1.0 GB

# %% [markdown]
# ![Left, a chain of three boxes, one for each edge; each hands its answer to the next one, and each has a row of five
# squares of different sizes. An arrow leads from the chain to a drawn cell, and from there to its reward R. A last
# arrow leads back: R above the baseline, draw it more often; R below it, draw it less often.](pictures/05.png)
#
# Draw a cell, see how good it is, draw it more often or less often. That is ENAS, except for the weights: they are
# shared, as in notebook 04.
#
# ## You will do, learn, need
#
# **Do.** Write one step of REINFORCE from scratch. Compute its gradient exactly, as a sum over 125 cells, and see how
# far an estimate is off. Run both phases of ENAS on handwriting, and race it against random search. Meet three bugs
# that make a policy deaf.
#
# **Learn.** What a *policy*, a *controller* and a *baseline* are. Why an estimate can be right on average and useless
# all the same. What an entropy bonus does, and what it does not. Whether learning to sample beats dice.
#
# **Need.** The 125 cells from notebook 01 and the supernet from notebook 04. Softmax, gradient, mean and variance.

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
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
from ipywidgets import IntSlider

from nas_tutorial import data, museum, plots, spaces, tables, widgets
from nas_tutorial.exercises import check, exercise, hint, quiz, solution  # noqa: F401
from nas_tutorial.measures import recalled
from nas_tutorial.pictures import inside, spreads
from nas_tutorial.pictures.strips import film_strip, policy_bars, policy_svg
from nas_tutorial.strategies import controller, enas

# %% [markdown] tags=["slide"]
# ## 2 min: All rewards are positive. Can it learn?
#
# Draw a cell, make it likelier in proportion to its reward. No reward is negative, so **every** drawn cell gets
# likelier, bad ones, too. After 1,000 draws?
#
# - **A.** It is stuck: what came first comes again and again.
# - **B.** It has improved: what rises less than the rest, falls.
# - **C.** It stands still: where everything rises, nothing changes.
#
# Note:
# 1 min. Read the rule twice; the point is that nothing is ever punished. Everybody writes a letter and one sentence,
# alone, before anyone talks. Count hands, write the three numbers on the board and leave them there. The answer comes
# after the learning curves, and it is the reason why the baseline, the little b of all formulas today, exists.

# %% [markdown]
# ## Predict first
#
# A policy gives each of 125 cells a probability. One rule teaches it: draw a cell, look up its accuracy, and make the
# cell likelier *in proportion to that accuracy*. No accuracy is negative. So every drawn cell gets likelier, bad ones,
# too. Where does the policy stand after 1,000 draws?
#
# - **A.** It is stuck: what came first comes again and again, good or bad.
# - **B.** It has improved: what rises less than the rest, falls.
# - **C.** It stands where it stood: where everything rises, nothing changes.
#
# Write down a letter and one sentence why. The answer comes in *Let it learn*.

# %% [markdown] tags=["slide"]
# ## A policy is 125 probabilities
#
# Note:
# 1 min. Left, three rows for three edges, five squares each; the area of a square is a probability. Right, the same
# policy as 125 bars, one for each cell, sorted from the worst cell to the best. The dashed line is what dice give. This
# policy was made by hand, somebody likes 3×3 convolutions. Learning will mean one thing today: the bars move to the
# right.

# %% [markdown]
# ## A policy is 125 probabilities
#
# Notebook 04 drew its paths with dice: each cell with probability 1/125. A **policy** $\pi$ is any other choice of 125
# probabilities. The network that produces them is called the *controller*. Rewards come from the table in which every
# cell was trained alone, so for now they carry no noise of their own.

# %%
table = tables.tiny()
space, truth = table.space, table.mean()  # (125,) validation accuracies
choices = torch.tensor([cell.choices for cell in table.architectures])  # (125, 3)
R = torch.tensor(truth, dtype=torch.float32)


def reward(cell):
    """The table's accuracy of a cell, a tuple of three option numbers."""
    return float(truth[np.ravel_multi_index(tuple(int(a) for a in cell), (5, 5, 5))])


print(f"rewards {truth.min():.2f} to {truth.max():.2f}, mean {truth.mean():.2f}", end="; ")
print(f"{(truth >= 0.9).sum()} of 125 cells reach 0.90")

# %% [markdown]
# The simplest policy is a table of numbers, *logits*: one row for each edge. Softmax makes each row probabilities; a
# cell's probability is the product of three. Here is one made by hand.


# %%
def softmax(logits):
    """Probabilities of each row."""
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def products(rows):
    """Probability of each of the 125 cells, from those of the three edges."""
    return np.array([np.prod(p) for p in product(*rows)])


# %% tags=["slide-output"]
logits = np.zeros((3, 5))
logits[:, 4], logits[0, 0] = 1.5, -1  # likes 3×3 convolutions, and no zero on the first edge
pi = products(softmax(logits))
plots.show(
    policy_bars(space, truth, pi, f"Made by hand: {100 * pi[truth >= 0.9].sum():.0f} % of its draws reach 0.90"),
    alt="Left: three rows of five squares; the square of the 3×3 convolution is the largest in each row. Right: 125 "
    "bars; most lie below the dashed line of 1/125, tall ones stand mostly at the right, among the best cells.",
)
print(f"sum of the 125 probabilities: {pi.sum():.4f}")

# %% [markdown]
# What we see: the areas of the squares are probabilities (0 zero, s skip, a average pool, 1 and 3 convolutions). To the
# right are the same numbers as 125 bars. The dashed line is the dice.
#
# How good is a policy? Its **expected reward** is the mean reward of what it draws:
#
# $$J = \sum_{\text{125 cells}} \pi(\text{cell})\,R(\text{cell}).$$
#
# ### Exercise: Sum up the policy · ★☆☆ · 4 min
#
# Write this sum. `probabilities` has a row of five for each of the three edges, so a cell's probability is a product of
# three. `rewards` has 125 numbers, in the order of `enumerate`: the last edge changes fastest.
#
# Replace the `...` and run the cell. `check` names a mistake, `hint` helps a little more each time, `solution` shows
# ours. Until yours is right, ours stands in.


# %%
@exercise
def expected_reward(probabilities, rewards):
    """The mean reward of a policy: Σ π(cell) · R(cell) over all cells."""
    ...


check(expected_reward)
# hint(expected_reward)
solution(expected_reward)
dice, by_hand = np.full((3, 5), 0.2), softmax(logits)
print(f"J of the dice {expected_reward(dice, truth):.3f}, of ours {expected_reward(by_hand, truth):.3f}")
assert abs(expected_reward(by_hand, truth) - pi @ truth) < 1e-9

# %% [markdown] tags=["slide"]
# ## From a table to an LSTM, in three steps
#
# | policy | edges know of each other? | weights, 3 edges | 10 edges |
# | --- | --- | --- | --- |
# | **table**: a row for each edge | no | 15 | 50 |
# | **tree**: a row for each answer so far | fully | 155 | 12,207,030 |
# | **LSTM**: reads the answers so far | learnt | 34,432 | 38,912 |
#
# Note:
# 1 min. The table cannot say "a skip here, but only if there was a convolution before". The tree can say anything, and
# needs a row for every history, which explodes. The LSTM is the compromise: it reads the answers one after the other,
# keeps a memory of 64 numbers, and each further edge costs it 640 weights. In the tiny space it is absurdly large, 34
# thousand weights for 125 probabilities. That is the price of a method that was made for large spaces.

# %% [markdown]
# ## From a table to an LSTM
#
# A table has a weakness: its edges know nothing of each other. It cannot say "a skip here, but only if a convolution
# stands before it". Three steps lead to the controller of ENAS:
#
# 1. **Table.** One row of logits for each edge.
# 2. **Tree.** The second edge has a row for *each* answer of the first one, the third for each pair of answers. It
#    can express every policy.
# 3. **LSTM.** A recurrent network reads the answers so far and emits the next row. What the tree stores, it computes.
#
# **Question.** How many weights does each of them have, and how do they grow?

# %%
for edges, nodes in ((3, 3), (6, 4), (10, 5)):
    lstm = sum(p.numel() for p in controller.for_space(space.resized(nodes=nodes)).parameters())
    tree = sum(5**k for k in range(1, edges + 1))
    print(f"{edges:2} edges: table {5 * edges:3}, tree {tree:10,}, LSTM {lstm:,}")
assert (tree, lstm) == (12_207_030, 38_912)

# %% [markdown]
# What we see: the tree explodes, the LSTM grows by 640 weights an edge. In our tiny space it is absurdly large,
# 34,432 weights for 125 probabilities; it was made for spaces where nothing can be listed. This is all of it:

# %%
policy = controller.for_space(space, seed=0)  # LSTM of 64 units, all weights between −0.1 and 0.1
plots.source(controller.ChainController)
sample = policy.sample(4, torch.Generator().manual_seed(0))
for cell, log_p in zip(policy.architectures(sample), sample.log_prob.tolist(), strict=True):
    print(f"{str(cell):44} log π = {log_p:.3f}, π = 1/{np.exp(-log_p):.0f}")

# %% [markdown]
# What we see: an untrained controller is close to the dice. `sample` draws and reports $\log \pi$, the sum of three
# logarithms, one for each answer given those before. In turn: start token, first answer, its embedding, second
# answer, its embedding, third answer.

# %% [markdown] tags=["slide"]
# ## 1 min: What can a table not say?
#
# Note:
# 1 min. Half a minute alone. Let somebody compute it aloud: the table must give each edge half 3×3 and half skip, and
# then all eight mixtures come, each with an eighth. So the two cells that we want get a quarter together. The tree and
# the LSTM can say it exactly. This is the whole reason for a recurrent controller.

# %% tags=["slide-output"]
quiz("two_cells")

# %% [markdown] tags=["slide"]
# ## The gradient is a sum over 125 cells
#
# $$J = \sum_a \pi(a)\,R(a) \qquad \nabla J = \sum_a \pi(a)\,R(a)\,\nabla\log\pi(a)$$
#
# because $\nabla \pi = \pi\,\nabla\log\pi$. A mean over draws! So **draw**, and average $R\,\nabla\log\pi$.
#
# Note:
# 1.5 min. Write the first sum on the board and differentiate it: only pi depends on the weights. Then the trick: the
# derivative of a logarithm is the derivative divided by the thing, so nabla pi is pi times nabla log pi. Now the
# sum has a pi in front again, so it is an expectation, and an expectation can be estimated by drawing. The reward is
# never differentiated: it may come from a table, an accuracy, or a user's mood. In our tiny space we can do both, and
# compare.

# %% [markdown]
# ## The gradient, exactly
#
# We want weights that make J large, so we need its gradient. Only $\pi$ depends on the weights, and $\nabla \pi =
# \pi\,\nabla \log \pi$ (the derivative of a logarithm). So
#
# $$\nabla J = \sum_{\text{cells}} \pi(\text{cell})\;R(\text{cell})\;\nabla \log \pi(\text{cell}).$$
#
# This is a *mean* over what the policy draws. In a space too large to list, draw a few cells and average $R\,\nabla\log
# \pi$: that estimate is **REINFORCE** (Williams, 1992). The reward itself is never differentiated. In our space we can
# do both. First, exactly.


# %%
def pushes(policy):
    """∇ log π of every cell, (125, weights): the direction that makes it likelier; and π, (125,)."""
    log_pi, weights = policy.score(choices).log_prob, list(policy.parameters())
    slopes = torch.autograd.grad(log_pi, weights, torch.eye(125), is_grads_batched=True)  # one for each of 125 cells
    return torch.cat([slope.flatten(1) for slope in slopes], 1), log_pi.exp().detach()


push, p = pushes(policy)
exact = (p * R) @ push  # the sum over 125 cells, (weights,)
slopes = torch.autograd.grad((policy.score(choices).log_prob.exp() * R).sum(), list(policy.parameters()))
by_autograd = torch.cat([slope.flatten() for slope in slopes])
print(f"weights {len(exact):,}; largest difference to autograd {(exact - by_autograd).abs().max():.0e}")
print(f"length of the gradient {exact.norm():.4f}, of Σ π ∇ log π {(p @ push).norm():.0e}")
assert (exact - by_autograd).abs().max() < 1e-6 and (p @ push).norm() < 1e-5

# %% [markdown]
# What we see: the sum over 125 terms is what autograd finds for J. And the last number: $\sum \pi\,\nabla \log \pi$ is
# zero, because probabilities always add up to 1. Keep it: a constant added to all rewards adds nothing to the gradient.
#
# ### Build: Learn from draws · ★★★ · 18 min
#
# Write one step of REINFORCE for a table of logits of any size, from scratch, in numpy. `logits` has a row for each
# decision; `reward(cell)` gives the reward of a cell, a tuple of option numbers; `rng` is a numpy generator. Return a
# dictionary; `check` goes through its keys one by one, so you can build it in steps:
#
# 1. `"cells"`: as many as `draws`, each a tuple with one option for each row, drawn with the row's softmax;
# 2. `"log_prob"`: $\log \pi$ of each cell;
# 3. `"gradient"`: the mean over the cells of $(R - b)\,\nabla \log \pi$, with b the `baseline`; it has the shape of
#    `logits`. In the row of a decision, $\nabla \log \pi$ is 1 − p at the drawn option and −p at all others;
# 4. `"logits"`: the new table, one step of size `rate` *uphill*. Leave the old one as it is.


# %%
@exercise
def reinforce(logits, draws, reward, baseline, rate, rng):
    """One step of REINFORCE: draw cells from a table of logits, and make those above the baseline likelier."""
    ...


check(reinforce)
# hint(reinforce)
solution(reinforce)

# %% [markdown]
# Is each part right *on average*? Let your step run 2,000 times, with 5 draws each. For three parts we know the exact
# mean, a sum over 125 cells: how often each operation comes, what $\log \pi$ is, what the gradient is. The unit is the
# standard error: what is right lies within 4 of them.


# %%
die, hots = np.random.default_rng(0), np.eye(5)[choices]  # hots: (125, 3, 5)
steps = [reinforce(logits, 5, reward, 0.5, 1.0, die) for _ in range(2000)]
mine = {key: np.array([np.asarray(step[key], float) for step in steps]) for key in ("cells", "log_prob", "gradient")}
mine["cells"] = np.eye(5)[mine["cells"].reshape(-1, 3).astype(int)]  # (10,000, 3, 5)
mine["log_prob"] = mine["log_prob"].ravel()  # (10,000,)
in_full = {
    "cells": np.einsum("c,cdo->do", pi, hots),
    "log_prob": pi @ np.log(pi),
    "gradient": np.einsum("c,c,cdo->do", pi, truth, hots - softmax(logits)),  # no baseline: it adds nothing
}
for key, sums in in_full.items():
    off = np.abs(mine[key].mean(0) - sums) / (mine[key].std(0) / len(mine[key]) ** 0.5 + 1e-9)
    print(f"{key:8}: worst of {off.size:2} is {off.max():.1f} standard errors from its exact sum")

# %% [markdown]
# And does it *learn*? 100 steps of 10 draws, from the dice. (One run; five seeds follow in *Let it learn*.)

# %%
own = np.zeros((3, 5))
for _ in range(100):
    own = np.asarray(reinforce(own, 10, reward, 0.5, 1.0, die)["logits"], float)
for name, rows in (("dice", dice), ("after 1,000 draws", softmax(own))):
    p_good = products(rows)[truth >= 0.9].sum()
    print(f"{name}: J = {products(rows) @ truth:.2f}, {100 * p_good:.0f} % of the draws reach 0.90")

# %% [markdown] tags=["slide"]
# ## 1 min: An option that was never drawn
#
# Note:
# 1 min. The trap is A: no draw, no message. But softmax couples all options of a row: minus p at every option that was
# not drawn. If the drawn one rises, the others must fall. Point at step three of the build: one minus p at the drawn
# option, minus p at the others. The row of the gradient adds up to zero.

# %% tags=["slide-output"]
quiz("never_drawn")

# %% [markdown] tags=["slide"]
# ## Right on average, and mostly noise
#
# Each dot is one estimate; 1 is the exact gradient, below 0 it points downhill.
#
# Note:
# 1.5 min. Ten seconds of silence. Left without, right with a baseline; from left to right batches of 1, 10 and 100. The
# means all lie at one: unbiased, as the algebra says. But look at the spread at batch one: an estimate may be ten times
# too long or point downhill. Batch 100 helps by the square root only. The baseline helps for free. What we see here is
# only the component along the gradient; most of the noise goes sideways, into 34 thousand other directions.

# %% [markdown]
# ## The estimate: bias and spread
#
# Now the real controller, with its 34,432 weights. For batches of 1, 10 and 100 draws we make 400 estimates each (the
# figure has 80 of them as dots), and project them on the exact gradient: **1 is exact**, a negative number is a step
# downhill. Twice: with rewards as they are, and with their mean subtracted, the **baseline** b.


# %%
def estimates(push, p, batch, b, count=400, seed=0):
    """Estimates of the gradient, as multiples of the exact one: (count,) along it."""
    gradient = (p * R) @ push
    along = (push @ gradient) / gradient.norm() ** 2  # (125,)
    drawn = torch.multinomial(p, count * batch, True, generator=torch.Generator().manual_seed(seed))
    return ((R - b) * along)[drawn].view(count, batch).mean(1)


def spread(push, p, b):
    """Total variance of a single draw's estimate, exactly: Σ π (R − b)² |push|² − |∇J|²."""
    return float((p * (R - b) ** 2 * push.square().sum(1)).sum() - ((p * R) @ push).norm() ** 2)


# %% tags=["slide-output"]
mean, cases = float((p * R).sum()), {}
for name, b in (("no baseline", 0.0), ("baseline", mean)):
    cases[name] = {f"{batch} draw{'s' * (batch > 1)}": estimates(push, p, batch, b) for batch in (1, 10, 100)}
alt = "Dots of estimates around 1, for batches of 1, 10 and 100. Clouds narrow with the batch, and with the baseline."
plots.show(spreads.dots(cases, 1, "estimate along ∇J"), alt=alt)

# %%
for name, b in (("no baseline", 0.0), ("baseline", mean)):
    for batch, guesses in zip((1, 10, 100), cases[name].values(), strict=True):
        whole = (spread(push, p, b) / batch) ** 0.5 / float(exact.norm())
        print(f"{name:11} {batch:3} draws: {guesses.mean():5.2f} ± {guesses.std():.2f}", end=", ")
        print(f"{100 * (guesses < 0).float().mean():2.0f} % downhill; in all directions ± {whole:.1f}")

# %% [markdown]
# What we see: all means are near 1, the estimate is unbiased. The spread falls with the square root of the batch. With
# one draw and no baseline, more than half of the steps go downhill. And the last column: most of the noise goes
# *sideways*, into the other 34,431 directions. Even 100 draws with a baseline are off by half the length of the
# gradient.

# %% [markdown] tags=["slide"]
# ## 1 min: How many draws for half the signal?
#
# Note:
# 1 min. Spread goes with one over the square root. From five times the signal to half of it is a factor of ten, and
# ten squared is a hundred: a thousand draws. Ask what else could be done. Somebody says: subtract something. Right,
# variance can be lowered without a single draw more, and that is the next slide.

# %% tags=["slide-output"]
quiz("how_many_draws")

# %% [markdown]
# How much does the baseline save, and does that change while the policy learns? We let the controller learn from the
# table, five times, and compute both variances exactly on the way. A guess to hold against them: if all pushes were
# equally long, the ratio would be the mean of $R^2$ divided by the variance of R.


# %%
def teach(seed, updates=100, sign=1, bonus=None, watch=lambda *_: None, **settings):
    """A controller learns from the table, 10 draws an update: π before each update, (updates + 1, 125); all rewards."""
    config = replace(enas.PROFILES["small"], **{"entropy_weight": 0.0, **settings})
    policy, generator = config.controller(space, seed), torch.Generator().manual_seed(seed)
    learner, film, seen = enas.Reinforce(policy, config), [], []
    for update in range(updates + 1):
        film.append(policy.score(choices).log_prob.detach().exp().numpy())
        watch(update, policy)
        sample = policy.sample(10, generator)
        earned = [reward(cell) for cell in sample.choices.tolist()]
        extra = bonus(sample) if bonus else [0.0] * 10
        learner.update(sample, lambda _, r=earned, e=extra: [sign * a + b for a, b in zip(r, e, strict=True)])
        seen += earned
    return np.array(film), seen


# %% [markdown] tags=["slide"]
# ## The better the policy, the more a baseline saves
#
# Note:
# 1 min. Exact variances, without and with the mean as baseline, five seeds. With the dice a factor of four: as good as
# four times the draws. After a hundred updates the rewards are nearly all high, and a factor of about 25 has come of
# it. Read the guess, too: mean square over variance of the rewards. It is exact if all pushes are equally long. Early
# it is right, later only the direction is.

# %% tags=["slide-output"]
stages, ratios = (0, 10, 30, 100), []


def measure(update, policy):
    """Note the ratio of variances, the guess, and J."""
    if update in stages:
        push, p = pushes(policy)
        b, square = float((p * R).sum()), float((p * R * R).sum())
        ratios.append((spread(push, p, 0.0) / spread(push, p, b), square / (square - b * b), b))


with_baseline = [teach(seed, watch=measure) for seed in range(5)]
measured = np.array(ratios).reshape(5, len(stages), 3)
for stage, rows in zip(stages, measured.swapaxes(0, 1), strict=True):
    (ratio, guess, b), low, high = rows.mean(0), rows[:, 0].min(), rows[:, 0].max()
    print(f"after {stage:3} updates (J = {b:.2f}): {ratio:3.0f} times less variance", end=" ")
    print(f"({low:.0f} to {high:.0f} over 5 seeds; guess {guess:.0f})")

# %% [markdown]
# What we see: with the dice the baseline saves a factor of four, as if we had four times as many draws. The better the
# policy, the more it saves, because all rewards are then alike: large, and close together. (The guess is right at
# first, and too high later on: pushes are then not equally long.) Without a baseline the policy shouts "good!" at
# everything; with it, it says by how much.
#
# ## Let it learn
#
# 1,000 draws, five seeds, three rules: a moving baseline, no baseline, and a wrong sign (a slip that is easily made;
# in some code a variable called `log_prob` holds $-\log \pi$). To save your time, `recalled` computes only the first
# seed here, and reads the others from a record if this one agrees with it; else it computes all.

# %% [markdown] tags=["slide"]
# ## With a baseline it learns fast, with a wrong sign the opposite
#
# Note:
# 1 min. Expected reward, computed exactly, so no noise of measuring; lines are means of five seeds and bands go from
# the worst to the best. Back to the prediction: no baseline is the middle curve. It learns! Every drawn cell rises, but
# probabilities add up to one, so what rises less than average falls. It is slower, and its band is wide. B. Then the
# wrong sign: it finds the worst cells just as reliably. Nothing crashes.

# %%
rules = {"no baseline": {"baseline_decay": 1.0}, "wrong sign": {"sign": -1}}
learnt = recalled("05_rules", lambda seed: [teach(seed, **rule)[0] @ truth for rule in rules.values()], range(5))
curves = {"moving baseline": np.array([film @ truth for film, _ in with_baseline])}  # (5 seeds, 101)
curves |= zip(rules, learnt.swapaxes(0, 1), strict=True)

# %% tags=["slide-output"]
figure = spreads.bands(curves, "updates of 10 draws", "expected reward J", "With a baseline all five seeds learn fast")
alt = "Expected reward over 100 updates: with a baseline it rises fastest, with a wrong sign it falls."
plots.show(figure, alt=alt)

# %% [markdown] tags=["slide"]
# ## B: it improves from praise alone
#
# Probabilities add up to 1: who is pushed less than the average, falls.
#
# Note:
# 1 min. Compare the hands on the board. A sees a real danger: without a baseline the five seeds end at different
# places, look at the plus-minus. C forgets that the push is proportional to the reward. B is right, and the baseline
# turns what was implicit, less than average, into a sign. From here on, minus means blame.

# %% tags=["slide-output"]
for name, found in curves.items():
    at = found[:, [20, 100]]
    print(f"{name:15}: J = {at[:, 0].mean():.2f} ± {at[:, 0].std(ddof=1):.2f} after 200 draws,", end=" ")
    print(f"{at[:, 1].mean():.2f} ± {at[:, 1].std(ddof=1):.2f} after 1,000 (5 seeds)")
ends = {name: found[:, 100] for name, found in curves.items()}
assert min(ends["no baseline"]) > 0.6 and max(ends["wrong sign"]) < 0.35 < 0.9 < min(ends["moving baseline"])
praised = []
for seed in range(5):
    mine, one_die = np.zeros((3, 5)), np.random.default_rng(seed)
    for _ in range(1000):
        mine = np.asarray(reinforce(mine, 1, reward, 0.0, 1.0, one_die)["logits"], float)
    praised.append(products(softmax(mine)) @ truth)
print("your own table, draw by draw, no baseline: J =", *(f"{j:.2f}" for j in praised), f"(dice {truth.mean():.2f})")

# %% [markdown]
# **Back to your prediction: B**, for your own rule (the last line) and for the controller above, which has Adam,
# batches of 10 and a cap on its logits besides. Without a baseline every drawn cell is pushed up. But probabilities add
# up to 1: who is pushed less than the average falls. **A** sees a real danger: after 1,000 draws the five seeds end at
# different places. **C** forgets that a push is proportional to the reward. And the wrong sign learns as well, the
# worst cells.
#
# ### Exercise: Move the baseline · ★★☆ · 5 min
#
# We knew the mean reward; a search does not. ENAS lets b *move*: for each reward in turn, b comes (1 − decay) of the
# way to it, and then R − b is what counts. Return R − b for each reward; `baseline` is b before the first one.


# %%
@exercise
def advantages(rewards, baseline, decay):
    """R − b of each reward in turn; b moves by (1 − decay) · (R − b) to each reward before it is subtracted."""
    ...


check(advantages)
# hint(advantages)
solution(advantages)

# %% [markdown] tags=["slide"]
# ## At the first step, R − b is nearly R
#
# The baseline starts at 0 and moves by a hundredth. So the first updates praise everything.
#
# Note:
# 1 min. The official code starts at zero with a decay of 0.99. Read the first line: reward, baseline, difference. The
# baseline has moved by one hundredth, so the policy hears 0.99 R. For the first updates there is practically no
# baseline, and each drawn cell is praised, good or bad. Ask how to repair it: start at the first reward, or use a
# faster decay. The price is small here, as learning rates are small at first.

# %% tags=["slide-output"]
dealt = np.random.default_rng(0).choice(truth, (20, 300))  # 20 times 300 rewards of the dice
gains = np.array([list(advantages(row.tolist(), 0.0, 0.99)) for row in dealt], float)
for nth in (0, 1, 2, 49, 99, 299):
    r, gain = dealt[0, nth], gains[0, nth]
    print(f"draw {nth + 1:3}: R = {r:.2f}, b = {r - gain:.2f}, R − b = {gain:+.2f}")
for start in (0, 100, 200):
    praised = 100 * (gains[:, start : start + 100] > 0).mean(1)
    print(f"draws {start + 1} to {start + 100}: {praised.mean():.0f} ± {praised.std(ddof=1):.0f} % praised (20 runs)")

# %% [markdown]
# What we see: b begins at 0, so at the first step R − b is 0.99 R: no baseline at all. It takes about a hundred draws
# until about half of them are praised and half are blamed. A policy with large first steps can
# commit itself before that.
#
# ## A bonus for doubt
#
# A policy that is sure too early stops looking. So ENAS pays for doubt: reward $R + w\,H$, where **entropy** $H = -\sum
# p \log p$ measures how undecided it is: 0 if it is sure, $\log 125 = 4.83$ for the dice.
#
# ### Exercise: Measure doubt · ★☆☆ · 3 min


# %%
@exercise
def entropy(probabilities):
    """Entropy of a policy in nats: −Σ p · log p over all decisions and options; an option with p = 0 adds nothing."""
    ...


check(entropy)
# hint(entropy)
solution(entropy)
print(f"dice {entropy(dice):.2f}, ours by hand {entropy(by_hand):.2f}")

# %% [markdown]
# In ENAS the bonus is a *number*, added to each draw's reward: the entropy of the three rows that this draw met on its
# way. No gradient runs through it. Does such a bonus push towards more entropy? With 125 cells we need not argue: here
# is the true gradient of H, and two bonuses, each in the sum over 125 terms. The length is relative to it; the last
# column says by how much the bonus itself varies from cell to cell. Five seeds.


# %%
def compare_bonuses(update, policy):
    """After 12 updates: both bonuses' directions against the true gradient of H."""
    if update == 12:
        (push, p), met = pushes(policy), policy.score(choices)
        H = -(met.log_prob.exp() * met.log_prob).sum()
        truly = torch.cat([g.flatten() for g in torch.autograd.grad(H, list(policy.parameters()), retain_graph=True)])
        for name, bonus in (("entropy met", met.entropy), ("−log π", -met.log_prob)):
            found = (p * bonus.detach()) @ push  # 125 terms
            cosine = found @ truly / (found.norm() * truly.norm())
            bonuses[name].append([float(x) for x in (cosine, found.norm() / truly.norm(), bonus.std())])


kinds = {
    "entropy met, w = 0.1": {"entropy_weight": 0.1},
    "−log π, w = 0.1": {"bonus": lambda sample: (-0.1 * sample.log_prob.detach()).tolist()},
}
taught = recalled("05_bonuses", lambda seed: [teach(seed, **how)[0][100] for how in kinds.values()], range(5))


# %% [markdown] tags=["slide"]
# ## Which bonus pushes towards doubt?
#
# - The entropy of the rows that a draw has met: a **number** in its reward (ENAS).
# - $-\log \pi$ of the draw: rare cells get more.
#
# Note:
# 1 min. Entropy measures doubt: zero if sure, 4.83 for the dice. ENAS adds it to the reward as a number. Does that push
# towards more entropy? We need not argue, we have 125 terms: here is the true gradient of H, and both bonuses against
# it. Minus log pi is exact, a cosine of one, because the mean of minus log pi is the entropy. The bonus of ENAS points
# anywhere, and it is short.

# %% tags=["slide-output"]
bonuses = {"entropy met": [], "−log π": []}
_ = [teach(seed, updates=12, watch=compare_bonuses) for seed in range(5)]
for name, found in bonuses.items():
    (cos, length, varies), low, high = np.mean(found, 0), min(found)[0], max(found)[0]
    print(f"{name:11}: cosine with ∇H {cos:5.2f} ({low:.2f} to {high:.2f}), length {length:.2f}, ± {varies:.2f}")
assert min(bonuses["−log π"])[0] > 0.9999 and np.mean(bonuses["entropy met"], 0)[1] < 0.3

# %% [markdown] tags=["slide"]
# ## Does the bonus keep the policy in doubt?
#
# Note:
# 1 min. On the slide before we saw directions, here is what comes of them. The bonus of ENAS, a thousand times its
# official weight: after 1,000 draws no more entropy than without, within the bands. Minus log pi with the same weight:
# much more doubt, and it costs reward. Why? The entropy met on the way is nearly the same number for all draws, and a
# number that all share is what the baseline takes away. Remember: sum of pi nabla log pi is zero.

# %% tags=["slide-output"]
finals = {"no bonus": np.array([film[100] for film, _ in with_baseline])}  # (5 seeds, 125) each
finals |= zip(kinds, taught.swapaxes(0, 1), strict=True)
doubt = {name: -(found * np.log(found)).sum(1) for name, found in finals.items()}
for name, h in doubt.items():
    j = finals[name] @ truth
    print(f"{name:21}: J = {j.mean():.3f} ± {j.std(ddof=1):.3f}, H = {h.mean():.2f} ± {h.std(ddof=1):.2f} (5 seeds)")
assert min(doubt["−log π, w = 0.1"]) > max(doubt["no bonus"])
assert abs(doubt["entropy met, w = 0.1"].mean() - doubt["no bonus"].mean()) < 0.2

# %% [markdown]
# What we see: $-\log \pi$ as a bonus *is* the gradient of the entropy (its mean is H), and it keeps the policy in
# doubt, at the price of some reward. The bonus of ENAS does nearly nothing here. Its number is almost the same for
# every draw (the last column above), and what all draws share is what the baseline removes. Here $w$ is a thousand
# times the official
# $10^{-4}$. In larger spaces the entropies met may differ more; that, we have not tested.

# %%
quiz("one_number")

# %% [markdown] tags=["slide"]
# ## Two phases in turn
#
# | | phase 1: shared weights | phase 2: policy |
# | --- | --- | --- |
# | learns | the supernet | the controller |
# | frozen | the controller | the supernet |
# | pictures | training | validation |
# | per step | 1 cell, 1 batch | 10 cells, a reward each |
# | rule | gradient descent | REINFORCE |
#
# Note:
# 1 min. Now the rewards come from shared weights. Read the table column by column. Phase one is notebook four with the
# dice replaced by the policy. Phase two is today's build. Different pictures, or the policy would reward cells that
# learn by heart. And each reward is an accuracy on 64 pictures: noisy, and of weights that keep changing. So this is no
# longer the clean game that we could check. Or is it? We can still train all 125.

# %% [markdown]
# ## Two phases in turn
#
# No table exists in a real search. There the reward of a cell is its accuracy *at the shared weights*, on a batch of
# validation pictures. ENAS alternates:
#
# 1. **Shared weights.** For each batch of *training* pictures the policy draws a cell; its path in the supernet takes a
#    gradient step. The policy is frozen.
# 2. **Policy.** It draws cells, earns accuracies on *validation* pictures, and makes a step of REINFORCE. The weights
#    are frozen.
#
# The pictures now are real: 1,797 handwritten digits that come with scikit-learn, 8×8 pixels. (The course's data set
# `digits` pastes the same handwriting into clutter; our tiny cells cannot read that in a few minutes.)

# %%
import tempfile
from pathlib import Path

from nas_tutorial.data.digits import handwriting

ink, labels = handwriting()
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "handwriting.npz"
    np.savez(file, images=(255 * ink).byte().numpy(), labels=labels.numpy())
    digits = data.load(file)
print(f"{len(ink):,} pictures; {digits}")
wide, settings = spaces.Tiny(channels=8), {"epochs": 25, "batch_size": 32}

# %%
cells, searches = list(wide.enumerate()), {}


def search_from(seed, **more):
    """One search: the number of the cell that it finds, the rewards of its first and its last epoch."""
    searches[seed] = enas.search(wide, digits, seed=seed, **settings, **more)
    result = searches[seed].result
    return [cells.index(result.architecture), *(result.history[epoch].info["reward"] for epoch in (0, -1))]


# %%
found = recalled("05_searches", search_from, range(5))  # (5 seeds, 3)
for seed, (cell, first, last) in enumerate(found):
    print(f"seed {seed}: {str(cells[int(cell)]):44} reward {first:.2f} → {last:.2f}")
plots.source(enas.ENAS.epoch)

# %% [markdown] tags=["slide"]
# ## The policy makes up its mind
#
# Note:
# 1 min. Five frames of one search, seed 0. Rows are edges, columns operations, areas probabilities. Dice first; then a
# square grows in every row, and the others shrink alike. Ask what stops a square from filling everything: the logits
# are squashed by a tanh to plus or minus 1.5, so no option can get more than 0.83 or less than 0.04. One seed is an
# illustration, not evidence; the other four seeds end elsewhere.

# %% tags=["slide-output"]
plots.show(
    film_strip(searches[0].result.history, frames=5, title="The policy of seed 0 decides on every edge"),
    alt="Five tables of squares. In epoch 1 all squares are equal; later one square in every row grows large.",
)
most, least = np.exp(1.5), np.exp(-1.5)
print(f"with logits from −1.5 to 1.5 an option gets at most {most / (most + 4 * least):.2f}")

# %% [markdown]
# What we see: from dice to a decision on every edge. No square fills its place: logits are squashed to ±1.5 by a tanh.
# This is one seed. The five seeds agree on some edges and not on others, as the lines above tell.
#
# Page through what that policy drew, and press *REINFORCE step*: which bars grow, and is R − b the reason? Below that,
# what the cell of seed 0 does with a picture, at the shared weights.

# %%
widgets.explore_samples(searches[0].result)

# %% [markdown] tags=["slide"]
# ## One digit on its way through the cell that was found
#
# Note:
# 1 min. A look inside the supernet of seed 0, on the path that the policy likes. Follow one picture from the input
# through the edges. Ask which edges look for strokes, and which only blur. These are shared weights: each operation was
# trained on whatever paths the policy drew, more and more often on this one.

# %% tags=["slide-output"]
supernet = searches[0].subject.supernet
plots.show(
    inside.through_cell(supernet, digits, digits.validation.images[:100], searches[0].result.architecture),
    alt="Feature maps of a handwritten digit in the cell that seed 0 found: at the input, on each edge, at the nodes.",
)

# %% [markdown] tags=["slide"]
# ## 1 min: Who trains what the policy avoids?
#
# Note:
# 1 min. This is the danger of the alternation. Cells that are drawn often are trained often and get better rewards, so
# they are drawn more often. Let somebody explain the circle in one sentence. It can help, as training time goes to
# cells that matter, and it can mislead, as an early lead feeds itself. Which one wins is a matter of measuring, and we
# measure it next.

# %% tags=["slide-output"]
quiz("rich_get_richer")

# %% [markdown]
# ## Does it beat dice?
#
# **On the table.** Two questions hide here. How good is the *average* draw? And how good is the *best* cell found so
# far? For random search both need no policy.

# %% [markdown] tags=["slide"]
# ## On the table, dice find the best cell as quickly
#
# Note:
# 1 min. Two questions, and people mix them up. How good is the average draw? There the policy wins by far. How good is
# the best found so far? There the dice are as quick: a dozen cells of 125 are good, so a hundred looks find one. A
# search wants the best, not the average. So a policy pays where good cells are rare, or where looks are noisy. The next
# race is noisy.

# %% tags=["slide-output"]
blind = truth[np.random.default_rng(0).integers(0, 125, (1000, 1000))]  # 1,000 runs of 1,000 draws
drawn = np.array([seen for _, seen in with_baseline])[:, :1000]  # (5 seeds, 1,000 draws)
young = np.array([teach(seed, updates=1)[1] for seed in range(20)])  # the first 20 draws with 20 seeds: five are few
for n in (20, 100, 200, 1000):
    for name, seen in (("dice", blind), ("policy", young if n == 20 else drawn)):
        best = seen[:, :n].max(1)
        print(f"{name:6} {n:5} draws: mean of the latest 20 {seen[:, n - 20 : n].mean():.2f}", end=", ")
        print(f"best so far {best.mean():.3f} ± {best.std(ddof=1):.3f} ({len(seen):,} runs)")

# %% [markdown]
# What we see: the policy learns to draw good cells. But the *best* cell so far is found by dice as quickly: after 20
# draws, when the policy is hardly more than dice, both are alike within their bands, and a hundred looks are enough for
# both. Good cells are not rare here. A policy may pay where rewards are noisy, or good cells rare.
#
# **On handwriting.** Now we need the truth there. All 125 cells, each trained alone for 10 epochs: 25 of them here, the
# others read.

# %%
from nas_tutorial.strategies.sharing import best_of, train_paths
from nas_tutorial.training import Descent, Recipe, seeded

recipe = Recipe(epochs=10, batch_size=32)


def trained(first):
    """Validation and test accuracy of 25 cells from this number on, each trained alone, (25, 2)."""
    found = tables.train_all(wide, digits, recipe, (0,), cells[first : first + 25])
    return np.stack([found.mean("validation"), found.mean("test")], 1)


judged, on_test = recalled("05_cells_alone", trained, range(0, 125, 25), "cells from").reshape(125, 2).T
print(f"on test pictures: mean {on_test.mean():.2f}, best {on_test.max():.2f}, {(on_test > 0.85).sum()} above 0.85")

# %% [markdown]
# **Equal cost.** Count a picture that goes forwards as 1, and forwards and backwards as 3. ENAS spends most of its
# budget on rewards (what it does only to be watched, after each epoch, is not counted). For the same budget the dice
# can train their supernet much longer, or train some cells alone. Every cell found is trained alone *again*, twice,
# with seeds that nobody chose by, and tested.
#
# And one more runner. The small profile's learning rate of the policy is 0.03, a choice like any other. While writing
# this we tried 0.01 on seeds 0 to 4, and liked what we saw. So it has to prove itself on seeds 5 to 9, which we had not
# looked at.

# %%
pictures, config = len(digits.train), searches[0].result.config
training = 3 * settings["epochs"] * pictures
rewards = settings["epochs"] * config["updates"] * config["samples"] * config["reward_batch"]
longer = round((training + rewards) / (3 * pictures))
trials = round((training + rewards + 100 * 500) / (3 * pictures * recipe.epochs))  # 100 candidates on 500 pictures
print(f"ENAS: training {training:,} + rewards {rewards:,} = a supernet for {longer} epochs = {trials} cells alone")


# %%
def dice_find(run):
    """The best of 100 random cells in a supernet that was trained on random paths: notebook 04."""
    epochs, seed = run
    with seeded(seed) as generator:
        supernet, sampler = wide.supernet(digits.classes, digits.channels), partial(wide.sample, generator)
        descent = Descent(supernet.parameters(), Recipe(epochs, batch_size=32), digits.train)
        for _ in range(epochs):
            train_paths(supernet, sampler, digits, descent, generator)
        return cells.index(best_of(supernet, [sampler() for _ in range(100)], digits)[0])


jobs = product((25, longer), range(5))
by_dice = recalled("05_dice", dice_find, jobs, "(epochs, seed)").reshape(2, 5)  # numbers of cells


# %%
slower = recalled("05_slower", partial(search_from, controller_rate=0.01), range(5, 10))
tried = np.random.default_rng(0).integers(0, 125, (20, trials))
alone = [row[judged[row].argmax()] for row in tried]  # the best, each cell trained alone
names = ["ENAS, rate 0.03", "ENAS, rate 0.01", *(f"dice, supernet {epochs} epochs" for epochs in (25, longer))]
runners = dict(zip(names, (found[:, 0], slower[:, 0], *by_dice), strict=True)) | {f"dice, {trials} cells alone": alone}

# %%
winners = sorted({int(cell) for row in runners.values() for cell in row})
retrain = partial(tables.train_all, wide, digits, recipe, (1, 2))
again = recalled("05_winners", lambda k: retrain([cells[k]]).mean("test"), winners, "cell")
scores = {name: [float(again[winners.index(cell), 0]) for cell in row] for name, row in runners.items()}
for name, values in scores.items():
    print(f"{name:26}:", *(f"{value:.2f}" for value in values[:5]), "…" if len(values) > 5 else "")

# %% [markdown] tags=["slide"]
# ## Does it beat dice? At equal cost, on handwriting
#
# Note:
# 1 min. Take the bars from the top. ENAS with the smaller rate and the dice with a long-trained supernet end near each
# other, within their bands. Same cost! With as few epochs as ENAS has, the dice spread widely, so the policy does bring
# something. With the larger rate ENAS spreads just as widely. Single runs are the dots. So the honest sentence is: a
# well-tuned controller is not clearly better than dice with shared weights, here. And nobody had to tune the dice.

# %% tags=["slide-output"]
means, stds = [np.mean(v) for v in scores.values()], [np.std(v, ddof=1) for v in scores.values()]
few = [values if len(values) == 5 else [] for values in scores.values()]
figure = plots.bars_with_bands(list(scores), means, stds, points=few, title="Dice trained longer come near tuned ENAS")
figure.set_size_inches(7, 3), figure.axes[0].set_xticks(range(0, 101, 20))
plots.show(figure, alt="ENAS at rate 0.01 and dice with the longer supernet are best; the others lower, in wide bands.")
assert min(means[1], means[3]) > 0.8 > 2 * on_test.mean() and abs(means[1] - means[3]) < 0.1

# %% [markdown]
# What we see: there is no simple answer. At rate 0.03, ENAS does no better than a dozen cells trained alone: its five
# seeds disagree. At rate 0.01 it finds one of the very best cells with each of five fresh seeds. *So do the dice for
# the same cost*, but for one seed at most (on one machine all five did, on another four). With as few epochs as ENAS
# gives its supernet, the dice lie far below *tuned* ENAS, and, within bands, no lower than the untuned one. So a tuned
# policy does bring something (we guess: it trains what it draws); but more epochs buy nearly the same. **Does the
# controller beat random?** A well-tuned one beats cells trained alone; that it beats dice with shared weights, five
# seeds do not show. With the larger rate its mean lies below those dice, and its band is so wide that five seeds prove
# nothing.
#
# Why does the larger rate fail? We guess: it commits itself in the first epochs, when the supernet knows nothing and b
# is near 0. We have not taken these apart. And one thing stays unfair: the dice have no rate that somebody had to tune.
#
# ## Look inside
#
# Back to the controller that learnt from the table. Does its LSTM use its memory? If so, what it answers on the last
# edge depends on the first two answers. There are 25 pairs of these: how far apart are the probabilities of a 3×3
# convolution on edge 1 → 2? And how much of the policy is lost if a table with the same rows takes its place? As a
# control, the same for the policies with the bonus $-\log\pi$: the best of these has $\pi \propto e^{R/w}$, which no
# table can say.

# %% [markdown] tags=["slide"]
# ## The LSTM has a memory, and uses it only where that pays
#
# P(3×3 on 1 → 2), over all 25 pairs of answers before it:
#
# Note:
# 1 min. Ask first: if the memory were used, what would differ? The answer on the last edge, given the two before.
# Upper five lines, paid for accuracy: nearly the same number for all 25 pairs, so 34 thousand weights became a table.
# The largest J belongs to the policy that always draws the best cell, and a table can say that. Lower five lines, the
# control: with the bonus for rare cells a table cannot say the best policy, and the memory is used.

# %% tags=["slide-output"]
lost = {"no bonus": [], "−log π, w = 0.1": []}
for name, losses in lost.items():
    for seed, q in enumerate(finals[name].reshape(5, 5, 5, 5)):  # q: probability of each three answers
        given = q[..., 4] / q.sum(-1)  # (5, 5): P(3×3 on 1 → 2 | the first two answers)
        as_table = np.einsum("a,b,c->abc", q.sum((1, 2)), q.sum((0, 2)), q.sum((0, 1)))
        losses.append(50 * np.abs(q - as_table).sum())
        print(f"{name:15} seed {seed}: {given.min():.3f} to {given.max():.3f}; {losses[-1]:4.1f} % lost in a table")
assert max(lost["no bonus"]) < 2 and min(lost["−log π, w = 0.1"]) > 10

# %% [markdown]
# What we see: nearly the same number for all 25 pairs, in each of five seeds, also in the two that leave this edge
# half open. What the LSTM learnt is a table, and 15 weights would have done. Two reasons: the largest J belongs to a
# policy that draws one cell, and a table can say that; and no option may get more than 0.83 here, so an edge that has
# come to this cap stands there whatever came before. (The cap is also why our table of 15 logits, which has none, came
# to a larger J.) Where it pays, the LSTM does use its memory,
# as the control shows, and the test sees it.
#
# Now watch a policy learn, update by update. Answer before you move:
#
# 1. At which update does half of the probability lie on cells that reach 0.90?
# 2. Which edge is the first to give more than one half to one operation? Always the same one?
# 3. Do two seeds come to the same policy?


# %%
joint = np.array([film for film, _ in with_baseline]).reshape(5, 101, 5, 5, 5)  # seed, update, three answers


def render(seed, update):
    """A policy at some update, and a line that says what it shows."""
    pi = joint[seed, update].ravel()
    good = 100 * pi[truth >= 0.9].sum()
    line = f"Seed {seed}, update {update}: J = {pi @ truth:.2f}, {good:.0f} % on cells that reach 0.90."
    return widgets.figure(policy_svg(space, truth, pi, line), line)


look = {"min": 0, "continuous_update": False}
sliders = {"seed": IntSlider(0, max=4, description="seed", **look)}
sliders["update"] = IntSlider(20, max=100, step=5, description="update", **look)
widgets.view(render, **sliders)

# %% [markdown]
# <details><summary>Answers</summary>
#
# The next cell prints the answers for all five seeds. 1: after about ten updates. 2: no edge is always first, and one
# never does. 3: the likeliest cell is the same for all five, 3×3 on every edge, but two of them leave the last edge
# half open.
#
# </details>

# %%
for seed in range(5):
    good = joint[seed].reshape(101, 125)[:, truth >= 0.9].sum(1)
    edges = [joint[seed].sum(tuple({1, 2, 3} - {1 + i})) for i in range(3)]  # (101, 5) each
    firsts = [next(iter(np.flatnonzero(rows.max(1) > 0.5).tolist()), "never") for rows in edges]
    likeliest = {space.operations[rows[100].argmax()] for rows in edges}
    print(f"seed {seed}: half on good cells from update {(good > 0.5).argmax():2}; edges decide at {firsts}", likeliest)

# %% [markdown] tags=["slide"]
# ## With too few pictures this controller never learns
#
# Note:
# 1 min. In the one-shot ENAS trainer of NNI 2.x a policy update needs twenty rewards, one for each validation batch of
# 64, and half of the pictures are for validation: 2,560 pictures for full batches. With fewer, the loop ends before the
# group is full, and what was gathered is thrown away. No message. Our handwriting has 1,438. Healthy code moves; with
# the bug put in, it moves by exactly zero. A check that takes a second: compare the weights before and after an epoch.

# %% [markdown]
# ## What can go wrong
#
# **A policy that never learns.** In the [one-shot trainer of NNI
# 2.x](https://github.com/microsoft/nni/blob/e8c78bbab03fa651563e21cdf004220f29d9560a/nni/retiarii/oneshot/pytorch/enas.py#L295-L325)
# an update needs 20 rewards, each on a validation batch of its own. An epoch has as many rewards as batches; a group
# that is not full is thrown away. With batches of 64, and half of the pictures for validation, that takes 20 · 64 · 2
# pictures, or a few less, if the last batch is not full. Our museum can put the bug into our code.


# %% tags=["slide-output"]
def distance(block):
    """How far one epoch moves the policy's weights, with 20 rewards an update."""
    with block():
        search = enas.search(wide, digits, seed=0, epochs=1, updates=5, samples=20)
        next(search)
    fresh = search.subject.config.controller(wide, 0).parameters()
    pairs = zip(fresh, search.subject.policy.parameters(), strict=True)
    return sum(float((a - b).detach().norm()) for a, b in pairs)


print(f"20 full batches: {20 * 64 * 2:,} pictures; 19 full ones and one picture: {2 * (19 * 64 + 1):,}", end="; ")
print(f"there are {len(digits.train) + len(digits.validation):,}")
print(f"healthy: moved by {distance(nullcontext):.2f}; as in NNI: {distance(museum.nni_incomplete_groups):.2f}")

# %% [markdown]
# **Weights without gradient.** The same file reads the trained start token through `.data`, so it never learns, and its
# attention (which answers the skips of the macro space, notebook 06) is built, but never asked. The check for both:
# after one update, every weight must have a gradient.

# %% [markdown] tags=["slide"]
# ## One check finds every deaf weight
#
# Note:
# 1 min. The policy of the macro space, one update, and the list of weights whose gradient is missing or zero. Healthy:
# none. With the start token read through `.data`: the start. With attention that is built and never asked: all three
# of its matrices. Such a policy still learns, with what is left, and no curve would tell. Whoever writes a controller
# should have this check in the tests; it is five lines.

# %%
macro, published = spaces.ENASMacro(), enas.PROFILES["paper"]


def accuracies(n, rng):
    """Made-up rewards: hits among 128 pictures, each with probability 0.3."""
    return (rng.binomial(128, 0.3, n) / 128).tolist()


def deaf(block):
    """The weights that one update of the macro policy gives no gradient."""
    policy, rng = published.controller(macro, 0), np.random.default_rng(0)
    with block():
        sample = policy.sample(20, torch.Generator().manual_seed(0))
        enas.Reinforce(policy, published).update(sample, lambda cells: accuracies(20, rng))
    return [name.removesuffix(".weight") for name, p in policy.named_parameters() if p.grad is None or not p.grad.any()]


# %% tags=["slide-output"]
for block in (nullcontext, museum.nni_frozen_start, museum.nni_idle_attention):
    name = "healthy" if block is nullcontext else block.__name__
    print(f"{name:18} without gradient: {', '.join(deaf(block)) or 'none'}")

# %% [markdown]
# **Two Adams.** ENAS was written in TensorFlow, whose Adam puts its ε ("epsilon hat") elsewhere than torch's:
#
# $$\text{TensorFlow: } \frac{m_t}{\sqrt{v_t} + \hat\varepsilon}\;\sqrt{1-\beta_2^t} \qquad\qquad
# \text{torch: } \frac{m_t}{\sqrt{v_t / (1 - \beta_2^t)} + \varepsilon}$$
#
# With the usual tiny ε it hardly matters. ENAS has 10⁻³, and gradients of a policy are small. Same gradients, same
# settings, two step lengths; three seeds, and a tiny ε as a control:


# %%
def policy_gradients(seed, updates):
    """The gradients that the macro policy meets under the official settings, one after the other."""
    policy, rng = published.controller(macro, seed), np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(seed)
    learner = enas.Reinforce(policy, published)
    for _ in range(updates):
        learner.update(policy.sample(20, generator), lambda cells: accuracies(20, rng))
        yield torch.cat([p.grad.flatten() for p in policy.parameters()])


# %%
def step_lengths(seed, epsilon=1e-3, updates=100):
    """Lengths of the steps by both rules, for the same gradients, (updates, 2)."""
    lengths, v, beta = [], 0.0, 0.999  # β₁ is 0, so m is the gradient
    for t, g in enumerate(policy_gradients(seed, updates), start=1):
        v = beta * v + (1 - beta) * g**2
        correction = (1 - beta**t) ** 0.5
        tensorflow, torchs = g / (v**0.5 + epsilon) * correction, g / (v**0.5 / correction + epsilon)
        lengths.append([float(step.norm()) * published.controller_rate for step in (tensorflow, torchs)])
    return np.array(lengths)


lengths = np.array([step_lengths(seed) for seed in range(3)])  # (3 seeds, 100 updates, 2 rules)


# %% [markdown] tags=["slide"]
# ## The same Adam, in another library: first steps many times longer
#
# Note:
# 1 min. Same gradients, same rate, same epsilon, same betas. Dashed is torch's rule, solid TensorFlow's, by which ENAS
# was published. Look at the first update: about sixteen times longer. And remember the baseline: at the first updates
# it is still near zero, so these long steps are made when everything is praised. A port that copies the settings to
# torch runs another method, and nothing says so.

# %% tags=["slide-output"]
ratio = lengths[..., 1] / lengths[..., 0]  # (3, 100)
rows = {f"{name}'s rule": list(lengths[..., k]) for k, name in enumerate(("TensorFlow", "torch"))}
title = f"torch's first step is {ratio[:, 0].mean():.0f} times as long (3 seeds)"
figure = spreads.bands(rows, "updates", "length of the step", title, yscale="log")
figure.axes[0].set_yticks([], minor=True), figure.axes[0].set_yticks(ticks := [0.002, 0.01, 0.05], map(str, ticks))
plots.show(figure, alt="Step lengths over 100 updates, log scale: torch's are longer, most of all at first.")

# %%
at = {t: ratio[:, t - 1] for t in (1, 10, 50, 100)}
print("torch / TensorFlow:", ", ".join(f"update {t}: {r.mean():.1f} ± {r.std(ddof=1):.1f}" for t, r in at.items()))
control = step_lengths(0, epsilon=1e-8, updates=1)[0]
print(f"with an ε of 1e-8 instead, update 1: {control[1] / control[0]:.2f}")
assert 10 < ratio[:, 0].min() and ratio[:, 0].max() < 20 and ratio[:, 99].max() < ratio[:, 0].min() / 2

# %% [markdown]
# What we see: torch's first step is many times as long, and it comes at a time when the baseline is still near 0 and
# everything is praised. The package therefore has both rules (`adam_rule`); the small profile uses torch's on purpose.
#
# ## In this notebook we have
#
# - drawn a policy as 125 bars, and gone from a table of 15 logits to an LSTM of 34,432 weights;
# - computed the gradient of the expected reward as a sum over 125 cells, and written REINFORCE, which estimates it;
# - seen that the estimate is right on average and mostly noise, and what batches and a baseline do about it;
# - answered why it learns from praise alone, and what $R - b$ is at the first step;
# - found that $-\log\pi$ keeps a policy in doubt, and that the bonus of ENAS hardly does in this space;
# - run both phases on handwriting, five times, and raced them against dice at equal cost;
# - met three ways in which a policy goes deaf, or jumps, and a check for each.
#
# **On your own.** Start the baseline at the first reward instead of 0. Does the moving baseline learn faster, over five
# seeds? Then let ENAS make fewer rewards and more epochs at equal cost.
#
# ## Further reading
#
# - H. Pham, M. Guan, B. Zoph, Q. Le, J. Dean: [Efficient Neural Architecture Search via Parameter
#   Sharing](https://arxiv.org/abs/1802.03268), ICML 2018. Section 2.2 has the two phases.
# - B. Zoph, Q. Le: [Neural Architecture Search with Reinforcement Learning](https://arxiv.org/abs/1611.01578), ICLR
#   2017: the controller, before weights were shared.
# - R. Williams: [Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement
#   Learning](https://doi.org/10.1007/BF00992696), Machine Learning 8, 1992: REINFORCE.
# - L. Li, A. Talwalkar: [Random Search and Reproducibility for Neural Architecture
#   Search](https://arxiv.org/abs/1902.07638), UAI 2019: dice with shared weights, as a baseline.
# - D. Kingma, J. Ba: [Adam](https://arxiv.org/abs/1412.6980), ICLR 2015: both places of ε, at the end of section 2.
# - Notebook 06 goes to the full spaces of ENAS; notebook 07 drops the sampling.

# %% [markdown] tags=["slide"]
# ## Today
#
# - A policy is a distribution; learning moves its bars.
# - REINFORCE: average $(R - b)\,\nabla\log\pi$ over draws. Right on average, mostly noise.
# - A baseline costs nothing, and saves many draws.
# - Beating dice has to be measured, at equal cost.
#
# Note:
# 1 min. Let somebody say each line in own words. Homework is the build: one step of REINFORCE from scratch, four parts,
# 18 minutes, with checks that name the mistake. Next time: the two spaces of the paper, where the policy answers far
# more than three questions, and where nobody can compute the truth.

# %% [markdown]
# ## Versions

# %%
from platform import python_version

print(f"Python {python_version()}, torch {torch.__version__}, nas_tutorial {nas_tutorial.__version__}")
