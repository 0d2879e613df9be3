# %% [markdown]
# # 7 · DARTS: relax, then descend
#
# You will turn a choice into a slope, walk down it, and measure what happens when the choice is made after all.
#
# <!-- badges -->
#
# 49 min reading · 30 min exercises · longest cell 32 s · all cells 138 s · 1.4 GB

# %% [markdown]
# ![Three panels. Relax: five lines of equal width join two nodes, all five operations run, each with a share. Descend:
# the same five lines, one has grown thick. Round: only the thick line is left; is it still the same
# network?](pictures/07.png)
#
# ## You will do, learn, need
#
# **Do.** Blend five operations on one picture. Write a round of DARTS from scratch and hold it against the package.
# Compare three gradients by what they cost. Search on digits, round the result, and look at three accuracies that
# bear one name. Read a leaderboard at one price. Put three public bugs into our own code.
#
# **Learn.** What *relaxation*, *mixed operation* and *discretisation* mean. What a look ahead costs
# and brings. Which three accuracies one search has.
#
# **Need.** Notebook 03: the two nested problems, *first order*, *look-ahead*, ξ. Notebook 04: supernet, shared weights.

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
import math  # noqa: F401

import matplotlib.pyplot as plt
import numpy as np
from torch import nn
from torch.nn.functional import cross_entropy

from nas_tutorial import data, drawing, measures, museum, plots, retrain, search, spaces, widgets
from nas_tutorial.exercises import check, exercise, hint, quiz, solution  # noqa: F401
from nas_tutorial.measures import recalled
from nas_tutorial.networks import MultiplyAddCounter, mixed_op
from nas_tutorial.pictures import inside
from nas_tutorial.strategies import darts, gradients
from nas_tutorial.training import Meter, batch_statistics, batches, seeded

# %% [markdown] tags=["slide"]
# ## 2 min: What is left after rounding?
#
# A search trains a *blend*: every edge runs five operations, each with a share. In the end the blend is right on 85 %
# of new pictures. Now every edge keeps its strongest operation only. No weight changes. The cell is right on …
#
# - **A.** about 85 %: the strongest did the work.
# - **B.** a bit more: the weak ones only disturbed.
# - **C.** far less, perhaps half of the pictures.
#
# Note:
# 2 min. One minute alone: a letter and a sentence why. Then hands. Do not comment yet. Most people choose A, because
# rounding sounds like a small thing: 0.6 becomes 1. Write the three counts on the board. We come back to them in the
# section called Three numbers, after the search. If somebody asks which blend: five operations on six edges, on
# cluttered digits, as in the notebook.

# %% [markdown]
# ## Predict first
#
# A search trains a *blend*: every edge runs five operations at once, each with a share, and the shares are learnt. In
# the end the blend is right on 85 % of the validation pictures. Now every edge keeps its strongest operation only. No
# weight changes. This cell is right on …
#
# - **A.** about 85 %: the strongest operation did the work.
# - **B.** a bit more: the weak ones only disturbed.
# - **C.** far less, perhaps half of the pictures.
#
# Write down a letter and one sentence why. The answer comes in *Three numbers for one search*.

# %% [markdown] tags=["slide"]
# ## A choice has no slope
#
# Between *pool* and *3×3 convolution* there is nothing to differentiate. DARTS puts something there: a **blend**.
#
# Note:
# 1 min. Ask what the derivative of an accuracy by the word "pool" would be. There is none: a list of options has no
# neighbours. ENAS rolled dice and learnt from rewards. DARTS takes another way out. It lets all options run at once,
# each with a weight, and asks for the derivative by the weights. That is the whole trick, and it is called continuous
# relaxation.

# %% [markdown]
# ## One picture, five operations
#
# A choice has no slope: between *pool* and *3×3 convolution* there is nothing to differentiate. DARTS (Liu, Simonyan
# & Yang, 2019) puts something there. Let *all* operations run, and add up what they make, each with its share:
#
# $$\bar o(x) = \sum_o p_o\, o(x) \qquad\text{with}\qquad p = \text{softmax}(\alpha), \quad
# p_o = \frac{e^{\alpha_o}}{\sum_{o'} e^{\alpha_{o'}}}.$$
#
# One number α for every operation of every edge, and the loss of the whole network has a slope in each of them. This is
# the **relaxation**; the sum is called the **mixed operation**. Here is the first edge of a supernet: its five outputs
# for one picture, and five blends of them. All blends have α = (0, 0.5, 0, 1.5, 0.5), but α is divided by a
# **temperature** T before the softmax.

# %%
digits, space = data.load("digits"), spaces.get("nasbench201")
with seeded(0):
    network = space.supernet(digits.classes, digits.channels)
ops = network.body[0].edges["1<0"].ops
images, labels = next(batches(digits.validation, digits, 64))
with torch.no_grad(), batch_statistics(network):
    x = network.stem(images)  # (64, 8, 16, 16)
    outputs = {o: op(x)[0, 0] for o, op in ops.items()}  # channel 0 of picture 0, (16, 16) each
print(digits)


# %%
def name(operation):
    """A short name."""
    for long, short in (("nor_", ""), ("avg_", ""), ("_connect", ""), ("_3x3", " 3×3"), ("_1x1", " 1×1")):
        operation = operation.replace(long, short)
    return operation


def blends(alpha, temperatures):
    """What leaves the edge at each temperature, under the largest share."""
    for T in temperatures:
        p = (alpha / T).softmax(0)
        yield f"T = {T:g}\nlargest {p.max():.2f}", sum(p_o * o for p_o, o in zip(p, outputs.values(), strict=True))


# %% [markdown] tags=["slide"]
# ## A blend slides from the mean of all to one operation
#
# Note:
# 1 min. Top row: what five operations make of the same feature map. None makes nothing, skip copies, the pool blurs.
# Bottom row: their sum, each weighted by its softmax share. On the left the temperature is high, all shares are one
# fifth. On the right it is low, and you see the 3×3 convolution alone. DARTS trains at temperature one, in the
# middle. In the end it wants to be on the far right.

# %% tags=["slide-output"]
alpha = torch.tensor([0.0, 0.5, 0.0, 1.5, 0.5])
alone = [(f"α = {a:g}\n{name(o)}", outputs[o]) for a, o in zip(alpha, outputs, strict=True)]
with plots.style():
    figure, panels = plt.subplots(2, 5, figsize=(7.5, 3.8), subplot_kw={"frame_on": False, "xticks": [], "yticks": []})
    inside.show_row(panels[0], alone)
    inside.show_row(panels[1], list(blends(alpha, (10, 3, 1, 0.3, 0.1))))
plots.show(
    figure,
    limit=15_000,
    alt="Two rows of five feature maps. Above: none, skip, 1×1, 3×3 convolution and pool of one picture. Below: their "
    "blend at temperatures 10 to 0.1; the first is a blur of all, the last looks like the 3×3 convolution alone.",
)
assert torch.allclose(list(blends(alpha, [0.01]))[0][1], outputs["nor_conv_3x3"], atol=1e-5)

# %% [markdown]
# What we see: at T = 10 all shares are about a fifth, and the edge computes the mean of everything. At T = 0.1 the
# 3×3 convolution stands alone. DARTS trains at T = 1, in the middle, and in the end jumps to the right.

# %% [markdown] tags=["slide"]
# ## 1 min: Does a constant matter?
#
# Note:
# 1 min. Half a minute alone, hands, click. Softmax divides by the sum, so a common factor cancels. Many say C, because
# they read a negative number as "off". There is no off in softmax, only less than the others. To switch an edge off
# there is an operation of its own, none, and it competes with the rest. Keep that in mind: it comes back when we round
# a cell, and it will cost us a lot of accuracy there.

# %% tags=["slide-output"]
quiz("only_differences")

# %% [markdown] tags=["slide"]
# ## To own 90 % of an edge, an operation must lead by 3.6
#
# - α starts at 0: five equal shares
# - only *differences* of α count
# - a share never becomes 0 or 1
#
# Note:
# 1 min. Why start at zero? No operation is preferred. Then ask: how far must one α lead to own ninety per cent of the
# edge? Let them guess, most say two. It is the logarithm of nine times four. In a short search no α moves that far,
# so the blend stays a blend. Remember that when we round. The small exercise in the notebook derives the formula.

# %% [markdown]
# ### Exercise: How far ahead? · ★☆☆ · 3 min
#
# One operation has α, its `others` rivals all stand at 0. At which α does its share reach `p`?


# %%
@exercise
def lead(p, others):
    """The α at which the share is p."""
    ...


check(lead)
# hint(lead)
solution(lead)

# %%
for wanted in (0.3, 0.5, 0.9, 0.99):
    print(f"a share of {wanted:.0%} among five operations: α = {lead(wanted, 4):.1f} ahead of the others")
assert round(lead(0.9, 4), 1) == 3.6

# %% [markdown]
# ## Look inside: a shelf of sliders
#
# The α of an edge are sliders on a shelf. Push one up, and all the others go down.
#
# Answer before you move the sliders:
#
# 1. Set all α equal. What does the temperature do then?
# 2. Push only the 3×3 convolution to 3. Which share do the other four keep together?
# 3. Halving T has the same effect as another movement of all five α. Which?
#
# <details><summary>Answers</summary>
#
# 1. Nothing: equal α are equal shares at any temperature.
# 2. $4 / (e^3 + 4)$, which is 0.17, if they stand at 0.
# 3. Doubling all α.
#
# </details>

# %%
widgets.explore_mixed_op(outputs, alpha)

# %% [markdown] tags=["slide"]
# ## Each operation is compared with the blend
#
# $$\frac{\partial L}{\partial \alpha_o} = p_o\Big(g_o - \sum_{o'} p_{o'}\, g_{o'}\Big) \qquad g_o =
# \frac{\partial L}{\partial p_o}$$
#
# ENAS has $p_o\,(R_o - \bar R)$: the same form, with a reward and its baseline.
#
# Note:
# 1 min. Read it from the inside. g tells how the loss would change if this operation got louder. The sum is the mean
# of g over the blend. So an operation gains if it helps more than the blend does on average. And everything is
# multiplied by the share: who is at one per cent hardly moves. Compare with REINFORCE from the last lecture. The
# baseline comes for free here, because softmax couples the shares.

# %% [markdown]
# ## Which way is down?
#
# Pushing α of one operation changes *all* shares: its own by $p_o(1 - p_o)$, every other by $-p_o\,p_{o'}$. With
# $g_o = \partial L/\partial p_o$, how the loss changes if an operation gets louder, the chain rule gives the slope in
# α. Work it out.
#
# ### Exercise: The slope through softmax · ★★☆ · 5 min


# %%
@exercise
def softmax_slope(p, g):
    """∂L/∂α of every operation, from shares p and slopes g = ∂L/∂p; tensors (O,)."""
    ...


check(softmax_slope)
# hint(softmax_slope)
solution(softmax_slope)

# %%
moving = alpha.clone().requires_grad_()
p = moving.softmax(0)
loss = cross_entropy(network(images, space.assign({"cell": p.expand(6, 5)})), labels)  # these shares on all six edges
by_alpha, g = torch.autograd.grad(loss, [moving, p])

# %%
formula = torch.tensor([float(entry) for entry in softmax_slope(p.detach(), g)])
for entry in zip(map(name, outputs), p, g, by_alpha, formula, strict=True):
    print("{:9} p {:.2f}, ∂L/∂p {:+.3f}, ∂L/∂α {:+.4f}, formula {:+.4f}".format(*entry))
assert torch.allclose(by_alpha, formula, atol=1e-6) and g[0] == 0

# %% [markdown]
# What we see: the formula is what autograd finds. In words: **an operation gains if it lowers the loss more than the
# blend does on average**, and it gains in proportion to its share. From notebook 05: $\nabla \log \pi$ is $1 - p$ at
# the drawn option and $-p$ at the others; on average over draws from one row that gives ENAS the slope $p_o (R_o - \bar
# R)$: the same form, where the mean is the baseline. One method asks with rewards, the other with derivatives.

# %%
quiz("none_has_no_output")

# %% [markdown] tags=["slide"]
# ## One round of DARTS: a step of α, a step of w
#
# 1. α ← α − rate · $\partial_\alpha L_{val}(w, \alpha)$
# 2. w ← w − ξ · $\partial_w L_{train}(w, \alpha)$, at the new α
# 3. after the last round: **round** α to a cell
#
# Build it in at most 25 lines: homework.
#
# Note:
# 1 min. That is algorithm one of the paper, in its first-order form. Two sets of pictures, because notebook three
# showed that training pictures cannot choose. Point out what is missing in line one: the weights are treated as
# constants. That is the first order. The homework is to write this round from scratch for one edge. The check goes
# through it in four steps and names the mistake.

# %% [markdown]
# ## Build it
#
# A round of DARTS takes two steps: **α** down the loss on a *validation* batch, then the **weights** down the loss on
# a *training* batch. The first order treats the weights as constants in the first step.
#
# ### Build: Relax, then descend · ★★★ · 18 min
#
# One edge with operations `ops`, each a function of x; `head` makes logits of the blend. `alpha` is a tensor (O,),
# `weights` a list of tensors inside `ops` and `head`; all of them require gradients. `train` and `validation` are
# batches (x, labels). Return a dictionary:
#
# - `"p"`: the shares; `"blend"`: the mixed operation on the validation pictures; both at the `alpha` that came in;
# - `"alpha"`: the new α, one step of `alpha_rate` down the cross-entropy on `validation`;
# - `"weights"`: the new weights, one step of `xi` (here the rate of the weights) down the cross-entropy on `train`, *at
#   the new α*.
#
# Overwrite nothing. Fill in one key after the other, and check each time: it is tested in four steps.


# %%
@exercise
def darts_step(ops, head, alpha, weights, train, validation, alpha_rate, xi):
    """One round of first-order DARTS on an edge."""
    ...


check(darts_step)
# hint(darts_step)
solution(darts_step)

# %% [markdown]
# Hold it against the package, on the smallest space there is: two nodes, one edge. Then let it search there, for 60
# rounds with each of three seeds.


# %%
def one_edge(seed):
    """A supernet of a single edge: network, its operations behind the stem, α, weights."""
    with seeded(seed):
        network = spaces.Tiny(nodes=2).supernet(digits.classes, digits.channels)
    ops = [lambda x, op=op: op(network.stem(x)) for op in network.body[0].edges["1<0"].ops.values()]
    return network, ops, torch.zeros(5, requires_grad=True), list(network.parameters())


with seeded(1) as generator:
    train, validation = (next(batches(s, digits, 64, generator=generator)) for s in (digits.train, digits.validation))
network, ops, alpha, weights = one_edge(0)
problem = gradients.Bilevel(spaces.Tiny(nodes=2), network, {"cell": alpha[None]})
step = gradients.VirtualStep(xi=0.1, momentum=0, decay=0)

# %%
theirs = {"p": alpha.softmax(0), "blend": mixed_op(validation[0], ops, alpha.softmax(0))}
theirs["alpha"] = alpha - 2.0 * gradients.first_order(problem, train, validation, step)["cell"][0]
problem.alphas = {"cell": theirs["alpha"].detach()[None]}
new_weights = step(problem.weights, gradients.gradient(problem.loss(train), problem.weights)[0])
theirs |= {f"weights {i}": w for i, w in enumerate(new_weights.values())}

# %%
mine = darts_step(ops, network.head, alpha, weights, train, validation, alpha_rate=2.0, xi=0.1)
mine |= {f"weights {i}": piece for i, piece in enumerate(mine.pop("weights"))}
gaps = {part: float((torch.as_tensor(mine[part]).detach() - t.detach()).abs().max()) for part, t in theirs.items()}
for part in ("p", "blend", "alpha", "weights 0"):
    print(f"{part:9} differs from the package by at most {gaps[part]:.0e}")
assert max(gaps.values()) < 1e-6 and len(gaps) == 3 + len(weights)


# %%
def edge_search(seed, rounds=60):
    """The shares in every round of a search on one edge, (rounds, 5)."""
    network, ops, alpha, weights = one_edge(seed)
    generator, shares = torch.Generator().manual_seed(seed), []
    streams = [batches(s, digits, 64, generator=generator) for s in (digits.train, digits.validation)]
    for _, *two in zip(range(rounds), *streams, strict=False):
        new = darts_step(ops, network.head, alpha, weights, *two, alpha_rate=2.0, xi=0.1)
        alpha = torch.as_tensor(new["alpha"]).detach().requires_grad_()
        with torch.no_grad():
            for w, value in zip(weights, new["weights"], strict=True):
                w.copy_(value)
        shares.append(alpha.softmax(0).tolist())
    return np.array(shares)


# %% [markdown] tags=["slide"]
# ## After 60 rounds every edge is still a blend
#
# Note:
# 1 min. These are sixty rounds of the function from the homework, on one edge, three seeds. All began at one
# fifth. Read the columns: the convolution of three by three leads in each row, but it owns a quarter or a third of the
# edge, not all of it, and how clear its lead is depends on the seed. Ask: what would you say if you had seen one row
# only? A whole search has more rounds and more edges, but it ends with blends, too.

# %% tags=["slide-output"]
edge_runs = [edge_search(seed) for seed in range(3)]
for start, rounds in enumerate(edge_runs):
    ended = ", ".join(f"{name(o)} {share:.2f}" for o, share in zip(spaces.Tiny().operations, rounds[-1], strict=True))
    print(f"seed {start}, after 60 rounds: {ended}")
assert all(rounds[-1].argmax() > 2 and rounds[-1].max() < 0.7 for rounds in edge_runs)

# %% [markdown]
# What we see: a convolution leads in each run, but by how much depends on the seed. No share comes near 1. A search
# ends with blends, and somebody has to round them.

# %% [markdown] tags=["slide"]
# ## Three gradients, three prices
#
# | | looks ahead? | how |
# | --- | --- | --- |
# | `first_order` | no: ξ = 0 | one gradient |
# | `exact` | one step | a gradient through a gradient |
# | `unrolled` | one step | four gradients, finite difference |
#
# Note:
# 1 min. Everybody has met these in notebook three, on two numbers. The first order keeps the direct part only. The
# exact one differentiates through a training step, which needs memory. The unrolled one replaces that by a difference
# of two gradients at w plus and w minus. Today: with error bars, on a network, and with the question that matters
# in practice, which is what we get for the price.

# %% [markdown]
# ## Three gradients, with bands
#
# In notebook 03 you met `first_order`, `exact` and `unrolled`. The last one replaces a second derivative by a finite
# difference of reach r; the paper's r is 0.01. There you saw it on one seed or three. How large is its error in
# general? Five seeds, a smooth network (GELU) and the usual one (ReLU), in float64. As before we look at the part
# *through the weights* only; an error of 1 is no better than leaving it out. (To save your time, `recalled` computes
# only the first seed here, and reads the others from a record if this one agrees with it; else it computes all.)


# %%
def smoothed(module):
    """The module with GELU for every ReLU."""
    for child_name, child in module.named_children():
        setattr(module, child_name, nn.GELU() if isinstance(child, nn.ReLU) else smoothed(child))
    return module


def cosine(one, other):
    """Cosine of the angle between two gradients, 1 for the same direction."""
    return float(torch.cosine_similarity(one["cell"].flatten(), other["cell"].flatten(), dim=0))


# %%
def tiny_setting(seed, smooth):
    """Supernet of the tiny space in float64, a training and a validation batch of 32, and the step."""
    with seeded(seed) as generator:
        net = spaces.Tiny().supernet(digits.classes, digits.channels)
        alpha = spaces.Tiny().alphas(generator, scale=0.1)["cell"].detach().double().requires_grad_()
        both = [next(batches(s, digits, 32, generator=generator)) for s in (digits.train, digits.validation)]
    net = (smoothed(net) if smooth else net).double()
    both = [(x.double(), y) for x, y in both]
    return gradients.Bilevel(spaces.Tiny(), net, {"cell": alpha}), *both, gradients.VirtualStep(xi=0.1)


# %%
def direct_part(problem, train, validation, step):
    """∂L_val/∂α at the look-ahead weights."""
    (slope,) = gradients.gradient(problem.loss(train), problem.weights)
    ahead = step(problem.weights, slope)
    return gradients.gradient(problem.loss(validation, ahead), problem.alphas)[0]["cell"]


def errors(setting, radii):
    """For each r the relative error of the part through the weights, and the cosine of the whole with the exact one."""
    direct, right = direct_part(*setting), gradients.exact(*setting)
    found = [gradients.unrolled(*setting, r=r) for r in radii]
    relative = [float((one["cell"] - right["cell"]).norm() / (right["cell"] - direct).norm()) for one in found]
    return relative, [cosine(one, right) for one in found]


# %%
radii = 10.0 ** -np.arange(6)
found = recalled("07_radii", lambda seed: [errors(tiny_setting(seed, s), radii) for s in (True, False)], range(5))
bands = {True: found[:, 0], False: found[:, 1]}  # smooth or not: (5 seeds, 2, 6)
for r, smooth, sharp in zip(radii, *(np.median(bands[s], 0).T for s in (True, False)), strict=True):
    print(f"r = {r:.0e}: error {smooth[0]:.0e}, cosine {smooth[1]:.3f} with GELU;", end=" ")
    print(f"error {sharp[0]:.1f}, cosine {sharp[1]:.3f} with ReLU (medians of 5 seeds)")
falls = bands[True][:, 0, 2] / bands[True][:, 0, 3]  # from r = 0.01 to r = 0.001
assert 90 < falls.min() and falls.max() < 110 and np.median(bands[False][:, 0, 2]) > 0.3 < bands[False][:, 0, 4].max()


# %%
def plainly(seed):
    """Cosine of the first order with the exact gradient, with GELU and with ReLU."""
    settings = [tiny_setting(seed, smooth) for smooth in (True, False)]
    return [cosine(gradients.first_order(*setting), gradients.exact(*setting)) for setting in settings]


# %%
plain = recalled("07_first_order", plainly, range(5))  # (5 seeds, 2)
for label, first, band in zip(("GELU", "ReLU"), plain.T, bands.values(), strict=True):
    print(f"{label}, first order: cosine {first.mean():.3f}, smallest {first.min():.3f};", end=" ")
    print(f"unrolled, r = 0.01: {band[:, 1, 2].mean():.3f}, smallest {band[:, 1, 2].min():.3f}")

# %% [markdown] tags=["slide"]
# ## A finite difference needs a smooth network
#
# Note:
# 1 min. Small r is on the right. Left panel, blue: ten times smaller r, a hundred times smaller error, for all five
# seeds. Orange: the same code on a ReLU network. Down to one hundredth the error stays near one, as bad as leaving the
# part out. Then it gets worse: a switching unit makes a jump, divided by a tiny number. Right panel: the whole
# gradient hardly suffers at the paper's r, as the part is small here, and suffers badly below.

# %% tags=["slide-output"]
with plots.style():
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.4))
    for part, (axes, left_out) in enumerate(zip(panels, (1, plain[:, 1].mean()), strict=True)):
        for band, label in zip(bands.values(), ("smooth (GELU)", "ReLU"), strict=True):
            (line,) = axes.semilogx(radii, np.median(band[:, part], 0), label=label)
            axes.fill_between(
                radii, *(f(band[:, part], 0) for f in (np.min, np.max)), color=line.get_color(), alpha=0.2
            )
        axes.axhline(left_out, color="#777777", linestyle=":", label="left out")
        axes.axvline(0.01, color="black", linestyle="--", linewidth=1, label="the paper's r")
        axes.set(xlabel="reach r of the finite difference", xlim=(2, 5e-6))
    panels[0].set(yscale="log", ylim=(1e-10, 1e3), title="Error, part through the weights")
    panels[1].set(ylim=(None, 1.05), title="Cosine, whole gradient"), panels[1].legend(loc="lower left")
alt = "Bands of five seeds against r. Smooth: the error falls with r squared, the cosine is 1. ReLU: error near 1, "
plots.show(figure, alt + "above 1 from r = 0.001 to 0.0001, where the cosine drops; anything at 0.00001.", limit=15_000)

# %% [markdown]
# What we see: on the smooth network r ten times smaller makes the error a hundred times smaller, for every seed. On the
# ReLU network r = 0.01 leaves most of the part wrong (median 0.8), and r = 0.001 is worse than leaving it out. At r =
# 0.00001 the median error is near 0, but the band reaches far above 1: we guess that so short a reach meets no kink of
# a ReLU in most seeds, and one in others. Our own `unrolled` is right, so the test passes where it must; the *method*
# meets a network it was not made for.
#
# Now look at the cosines of the *whole* gradient. At the paper's r none is below 0.98, and neither is the first order,
# which leaves the part out. In this fresh network, with ξ = 0.1, the part through the weights is small, and so is all
# that is wrong with it, unless r is much too small. (Notebook 03 shows when it is not.) So the question is not whether
# the second order is nearer to the exact gradient. It is: does that matter beside the other errors of a step?

# %% [markdown] tags=["slide"]
# ## 1 min: What does this test prove?
#
# Note:
# 1 min. Alone, hands, click. This is a question about testing, not about DARTS. A test proves something only if right
# code passes and wrong code fails. On a ReLU network right code fails as well. So replace the network by one on which
# the theory holds, smooth and in float64, and test there. The same code then runs on the real network. At the end of
# this hour a bug of exactly this kind appears, and you will know how to find it.

# %% tags=["slide-output"]
quiz("which_twin")

# %% [markdown] tags=["slide"]
# ## 1 min: What would you buy for the price?
#
# One `unrolled` gradient costs as many multiply-adds as **four** of first order. For the price of one you may
#
# - **A.** look one step ahead, on 64 pictures
# - **B.** take the first order, on 256 pictures
#
# Which points more nearly along the gradient of *all* pictures?
#
# Note:
# 2 min. One minute in pairs, then hands. This is the comparison that papers leave out: they compare the two orders at
# the same number of steps. At equal price the first order may look at four times as many pictures. So which error is
# larger, the one from not looking ahead, or the one from looking at 64 pictures only? Click for the measured answer.

# %% [markdown]
# ## What the second order costs, and what it brings
#
# An estimate can be wrong for two reasons: it does not look ahead, or it looks at 64 pictures only. Let us put a price
# on both. First the price of each gradient.

# %%
setting, cost = tiny_setting(0, smooth=False), {}
for estimate in (gradients.first_order, gradients.unrolled):
    with MultiplyAddCounter() as counter:
        estimate(*setting)
    cost[estimate.__name__] = counter.multiply_adds
    print(f"{estimate.__name__:12} {counter.multiply_adds / 1e6:.0f} million multiply-adds")
ratio = cost["unrolled"] / cost["first_order"]
print(f"so {ratio:.0f} first-order gradients cost as much as one unrolled gradient")
assert ratio == 4

# %% [markdown]
# (What `exact` computes twice, this counter does not see; so it stays out of the race, and is the judge.)
#
# So at equal cost the first order may look at 256 pictures instead of 64. Which is nearer to the truth? As truth we
# take the exact gradient on all pictures, 500 at a time. The search runs for two epochs first, so that the weights
# know something and momentum has built up. Then 15 batches of each kind are compared, with five seeds.


# %%
def pairs_of(size, count, generator):
    """Pairs of a training and a validation batch."""
    both = [batches(s, digits, size, generator=generator) for s in (digits.train, digits.validation)]
    return [pair for _, *pair in zip(range(count), *both, strict=False)]


# %%
def equal_cost(seed):
    """Mean cosines with the truth: first order, unrolled, first order on 256; and of first order with exact."""
    with seeded(seed) as generator:
        run = darts.DARTS(spaces.Tiny(), digits, darts.PROFILES["small"], seed, torch.device("cpu"))
        run.epoch(), run.epoch()
        small, large, whole = (pairs_of(size, 15, generator) for size in (64, 256, 500))
    problem, step = run.problem, run.virtual_step()
    truth = {"cell": sum(gradients.exact(problem, *pair, step)["cell"] for pair in whole)}
    kinds = ((gradients.first_order, small), (gradients.unrolled, small), (gradients.first_order, large))
    found = [[f(problem, *pair, step) for pair in pairs] for f, pairs in kinds]
    row = [np.mean([cosine(one, truth) for one in kind]) for kind in found]
    same = [cosine(one, gradients.exact(problem, *pair, step)) for one, pair in zip(found[0], small, strict=True)]
    return [*row, np.mean(same)]


# %%
costs = recalled("07_equal_cost", equal_cost, range(5))  # (seeds, 4)
kinds = ("first order, 64 pictures (cost 1)", "unrolled, 64 pictures (cost 4)", "first order, 256 pictures (cost 4)")
for label, column in zip((*kinds, "same batch: first order and exact"), costs.T, strict=True):
    print(f"{label}: cosine {column.mean():.2f} ± {column.std(ddof=1):.2f} (5 seeds)")
wins = [int((costs[:, best] > costs[:, other]).sum()) for best, other in ((1, 0), (2, 0), (2, 1))]
print("looking ahead beats the first order in {} of 5 seeds, 256 pictures in {}; and look-ahead in {}".format(*wins))

# %% [markdown] tags=["slide", "answer"]
# More pictures win.

# %% tags=["slide-output"]
with plots.style():
    figure, axes = plt.subplots(figsize=(7.2, 2.6))
    for row, column in enumerate(costs.T[:3]):
        axes.plot(column, [row] * 5, plots.POINTS[row], color=plots.SERIES[row], markersize=9, alpha=0.7)
        axes.plot([column.mean()] * 2, [row - 0.3, row + 0.3], "k-", marker="")
    axes.set_yticks(range(3), kinds)
    axes.invert_yaxis()
    axes.set(xlabel="cosine with the exact gradient of all pictures (bar: mean)", xlim=(0, 1))
    figure.suptitle("Four times the pictures bring more than a look ahead", x=0.01, ha="left")
plots.show(
    figure,
    limit=15_000,
    alt="Three rows of five points. First order and unrolled on 64 pictures have about the same cosine with the "
    "truth; first order on 256 pictures has a larger one.",
)

# %% [markdown]
# What we see: on the *same* batch the first order and the exact gradient nearly agree (0.98). But both are far from the
# gradient of all pictures, because 64 pictures are few. Looking ahead does not help against that: it is better in
# three seeds and worse in two. Four times the pictures are better in all five. This says nothing about late epochs, or
# about other data. It says what to measure before one pays four times.

# %% [markdown] tags=["slide"]
# ## Now search: three epochs on digits
#
# - NAS-Bench-201 space, small: 6 edges × 5 operations = 30 α
# - 4,000 training pictures for w, 4,000 validation pictures for α
# - Adam for α, SGD with momentum for w
#
# Note:
# 1 min. Everything before was one gradient. Now a whole search in a minute or two on one core. The space has six edges
# with five operations each, 15,625 cells. Thirty numbers α describe the blend. Ask what they expect to see after the
# first epoch, when the weights know almost nothing. Most say: nothing. The next slide shows that the order of the
# operations is nearly settled by then.

# %% [markdown]
# ## A whole search
#
# Three epochs of first-order DARTS on cluttered digits: 6 edges with 5 operations, 15,625 cells, 30 numbers α. (It is
# short, to save your time. The searches of the record below are longer, and their blends better.) The edge from node 0,
# the input, to node 1 is called 1<0.

# %%
run = search(space, digits, "darts", epochs=3, batch_size=32, seed=0)
print(next(run))

# %%
for event in run:
    print(event)
history, found = run.history, run.result.architecture
assert history[-1].validation_accuracy > 0.5

# %% [markdown] tags=["slide"]
# ## Shares grow unequal; some rows keep two rivals
#
# Note:
# 1 min. Rows are edges, columns are operations, a cross marks the largest share. Read it from left to right: in epoch
# one hardly a share exceeds one half, by epoch three two fields are dark. Point at the rows where none has the cross:
# these edges mostly want to be cut. DARTS may not choose none, so it will take the second. And the pale rows: two
# rivals with about the same share. What happens to the loser when we round?

# %% tags=["slide-output"]
with plots.style():
    figure, panels = plt.subplots(1, 3, figsize=(7, 3.2), sharey=True)
    for axes, event in zip(panels, history, strict=True):
        table = np.array(event.probabilities["cell"])  # (6 edges, 5 operations)
        shown = axes.imshow(table, cmap="Blues", vmin=0, vmax=1)
        axes.plot(table.argmax(1), range(6), "x", color="black", markeredgewidth=4)
        axes.plot(table.argmax(1), range(6), "x", color="white")
        axes.set_xticks(range(5), map(name, space.operations), rotation=90)
        axes.set_title(f"epoch {event.epoch}")
    panels[0].set_yticks(range(6), [d.name for d in space.decisions])
    figure.colorbar(shown, ax=list(panels), label="share", shrink=0.8)
alt = "Three tables, epochs 1 to 3, edges by operations. At first most fields are pale; at the end some rows have "
alt += "one dark field, often the 3×3 convolution. Crosses mark the largest share of each row."
plots.show(figure, alt, limit=15_000)

# %% [markdown] tags=["slide"]
# ## What each epoch would be rounded to
#
# Note:
# 1 min. The same three epochs, each rounded to a cell. Numbers stand for kernels: 3 for the 3×3 convolution, 1 for 1×1.
# Ask which of these cells they would have bet on after epoch one. Most edges take the 3×3 convolution, some from the
# first epoch on. Those that still change have close rivals, or none in the lead. The cell of the last epoch is what the
# search returns. Nothing here has been trained alone yet.

# %% tags=["slide-output"]
cells = [event.architecture for event in history]
drawing.sheet(cells, captions=[f"epoch {event.epoch}" for event in history])

# %% [markdown]
# What we see: the 3×3 convolution takes most edges, some of them from the first epoch on, when hardly a share exceeds
# one half. Where rivals are close, the cell still changes. And where *none* has the largest share, a DARTS cell may not
# choose it, and takes the second. Play the search, epoch by epoch:

# %%
widgets.explore_alpha(history)

# %% [markdown]
# ### Exercise: Round the blend · ★☆☆ · 4 min
#
# The rule of DARTS in this space: each edge keeps its likeliest operation other than `"none"`.


# %%
@exercise
def round_cell(table, operations):
    """The name of the operation that each edge keeps; a row of the table for each edge."""
    ...


check(round_cell)
# hint(round_cell)
solution(round_cell)

# %%
chosen = list(round_cell(history[-1].probabilities["cell"], list(space.operations)))
print(chosen)
assert chosen == [space.operations[answer] for answer in found.choices]

# %% [markdown] tags=["slide"]
# ## 1 min: How can an edge want nothing?
#
# Note:
# 2 min. One minute alone, hands, click. The point: a share is a share of the blend. If none holds sixty per cent, the
# other operations are heard at forty per cent of their volume. Rounding to the second one does not keep that: it
# turns it up to full volume. So the rounded cell contains a loud edge that the blend had kept quiet. This is one of
# the places where accuracy is lost.

# %% tags=["slide-output"]
quiz("quiet_edge")

# %% [markdown]
# ## Three numbers for one search
#
# The blend has an accuracy. So has the rounded cell with the weights that it *inherits* from the supernet. So has the
# same cell, trained again from scratch. Measure the first two here, all with the same 1,000 validation pictures, and
# with statistics of this batch (notebook 04 says why).

# %%
supernet = space.supernet(digits.classes, digits.channels)
learnt = run.result.weights
supernet.load_state_dict({k.removeprefix("network."): w for k, w in learnt.items() if k.startswith("network.")})
alphas = {"cell": learnt["alpha.cell"]}
images, labels = next(batches(digits.validation, digits, 1000))


# %%
def accuracy(choice):
    """Accuracy of a path or a blend at the weights of the search."""
    with batch_statistics(supernet), torch.no_grad():
        return float((supernet(images, choice).argmax(-1) == labels).float().mean())


blend, inherited = accuracy(space.relax(alphas)), accuracy(found)
print(f"the blend {blend:.2f}, the cell at inherited weights {inherited:.2f}")

# %% [markdown]
# Where is it lost? Round the edges one at a time, then all six. As a control, remove the same losers, but leave the
# winner at *its own share* instead of turning it up to 1: is it company that is missed, or volume?

# %%
shares = alphas["cell"].softmax(-1)  # (6, 5)
rounded = torch.eye(5)[list(found.choices)]  # one 1 in each row


def changed(numbers, rows):
    """Accuracy when these edges have other rows, and the others are blended."""
    mixed = shares.clone()
    mixed[numbers] = rows[numbers]
    return accuracy(space.assign({"cell": mixed}))


cases = [*([edge] for edge in range(6)), list(range(6))]
loud = [changed(numbers, rounded) for numbers in cases]
quiet = [changed(numbers, rounded * shares) for numbers in cases]

# %%
edges = [d.name for d in space.decisions]
lead_shares = [*(shares * rounded).sum(1), 0]
for case in zip([*edges, "all"], loud, quiet, lead_shares, [*shares[:, 0], 0], strict=True):
    print("{}: rounded {:.2f}, winner at its own share {:.2f}  (this share {:.2f}, none {:.2f})".format(*case))
temperatures = (3, 2, 1, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05)
cooled = [accuracy(space.relax({"cell": alphas["cell"] / T})) for T in temperatures]

# %%
with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.6), sharey=True, width_ratios=(3, 2))
    left.bar(np.arange(7) - 0.2, loud, 0.4, color=plots.SERIES[1], hatch="//", label="rounded: winner at 1")
    left.bar(np.arange(7) + 0.2, quiet, 0.4, color=plots.SERIES[0], label="winner at its own share")
    left.axhline(blend, color="black", linestyle="--", label="blend")
    left.set_xticks(range(7), [*edges, "all"])
    left.set(xlabel="edge that is changed", ylabel="validation accuracy")
    left.set_title(f"Edge {edges[np.argmin(loud[:6])]}, rounded alone, costs the most")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    right.semilogx(temperatures, cooled)
    right.invert_xaxis()
    right.axvline(1, color="black", linestyle=":")
    right.set(xlabel="temperature (dotted: as trained)", title="The weights fit T = 1 only")

# %% [markdown] tags=["slide"]
# ## The weights fit the blend they grew up in
#
# Note:
# 1 min. Left: round one edge, leave five blended. Most cost little, one costs much; which one, depends on the search.
# The solid bar is the control: the same single operation at its old share. Where it loses nothing, volume was the
# trouble; where it loses as much, company is missed. Right: we cool the blend slowly, without training. The accuracy
# falls on both sides of the temperature at which the weights were trained. The cell is not bad: its weights are wrong.

# %% tags=["slide-output"]
alt = "Left: accuracy with one edge rounded, and with its winner at its own share; most edges cost little, one or two "
alt += "much, all six most of all. Right: accuracy against temperature, highest at 1 and falling to both sides."
plots.show(figure, limit=15_000, alt=alt)
assert inherited < blend - 0.15 and max(cooled) - cooled[temperatures.index(1)] < 0.05 and cooled[-1] < blend - 0.15

# %% [markdown]
# What we see, in this one search (another one rounds other edges): most edges cost little alone, one or two cost much,
# and all six together most. The control tells why. Where the winner *at its own share* loses nothing, it is volume;
# where both bars are equally low, it is company that is missed. With all six rounded, the old volumes help little. And
# no jump is needed: a blend that is cooled loses accuracy, and so does one that is heated. The weights are adapted to
# the shares in which they grew up. Is the *cell* bad, then? For that it has to be trained. This takes longer, so it has
# been recorded.
#
# ## The record
#
# Five ways to search, three seeds each, all at the same price in multiply-adds. Every cell found was trained from
# scratch three times: for six epochs on training and validation pictures together, then tested. Every line of the
# record holds settings, seed, pictures, versions and device. `python -m benchmarks.leaderboard` makes it again.

# %%
record = measures.leaderboard()
relaxed = record["DARTS, first order"] + record["DARTS, second order"]
keys = ("said by the search", "cell at inherited weights", "test")
three = np.array([[np.mean(line[key]) for key in keys] for line in relaxed])  # (6 searches, 3)
for line, row in zip(relaxed, three, strict=True):
    print(f"{line['search']}, seed {line['seed']}: blend {row[0]:.2f}, inherited {row[1]:.2f}, trained {row[2]:.2f}")

# %% [markdown] tags=["slide"]
# ## Three numbers for one search
#
# Note:
# 1 min. Back to your prediction. Each line is one search. Left what the search prints, in the middle the rounded cell
# without training, right the same cell trained again. C is right: about half or less. A and B overlook that weights
# are adapted to the blend. Then look at the right side: after training, all cells are good. The middle number says
# nothing about the right one, and the left one says little.

# %% tags=["slide-output"]
with plots.style():
    figure, axes = plt.subplots(figsize=(6.2, 3.1))
    for look, marker, rows in zip(("-", "--"), "os", np.split(100 * three, 2), strict=True):
        drawn = axes.plot(rows.T, look, marker=marker, color=plots.SERIES[look == "--"])
        drawn[0].set_label("first order" if look == "-" else "second order")
    axes.set_xticks(range(3), ["blend", "cell, inherited\nweights", "cell,\ntrained again"])
    axes.set(ylabel="accuracy (%)", ylim=(0, 100), xlim=(-0.3, 2.3))
    axes.legend(loc="lower right")
    axes.set_title("Three numbers for one search")
alt = "Lines for six DARTS searches over three points: the blend in the middle, the cell at inherited weights far "
plots.show(figure, alt + "lower, the cell trained again near 90 %, for every seed and both orders.", limit=15_000)
assert (three[:, 1] < three[:, 0] - 0.2).all() and (three[:, 2] > three[:, 0]).all()

# %% [markdown]
# **Back to your prediction: C.** Rounding took thirty points or more from every search of both orders. **A** and
# **B** forget that the weights have grown up in company. Trained again, every cell is good, though it inherits
# nothing. (Do not compare the last number with the first too closely: it has twice the pictures to train on, and is
# measured on test pictures.) So there are three numbers, and a paper should say which one it prints. The second
# order's blends are the lowest. A guess: at equal cost they had fewer epochs to train.

# %% [markdown] tags=["slide"]
# ## 1 min: Which cell would you train?
#
# Note:
# 1 min. Alone, hands, click. It is tempting to trust the higher blend, since it is the number the search prints. The
# record says otherwise: blends far apart, cells close together. That does not mean the blend is useless within one
# search, for example to see that training works. It means one cannot use it to choose between two searches. For that,
# train the cells, with more than one seed.

# %% tags=["slide-output"]
quiz("which_number")

# %% [markdown]
# ## The leaderboard
#
# Test accuracy of the trained cells. A point is a search seed (mean of three trainings), the band its standard
# deviation over seeds. Each search ended within a tenth of 800 · 10⁹ multiply-adds. What it *used* is printed.

# %%
points = {kind: 100 * np.array([np.mean(line["test"]) for line in lines]) for kind, lines in record.items()}
for kind, lines in record.items():
    used = " ".join(f"{line['multiply_adds'] / 1e9:.0f}" for line in lines)
    epochs = " ".join(str(line["config"]["epochs"]) for line in lines)
    print(f"{kind:29} {points[kind].mean():.1f} ± {points[kind].std(ddof=1):.1f} %, used {used}, epochs {epochs}")

# %%
obvious = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
lines = sum(record.values(), [])
everywhere = [
    (line["search"], line["seed"], 100 * np.mean(line["test"])) for line in lines if line["architecture"] == obvious
]
print("found 3×3 on every edge:", *("{}, seed {}: {:.1f} %".format(*one) for one in everywhere), sep="\n  ")
pairs = np.array([(line["architecture"].count("conv_3x3"), np.mean(line["test"])) for line in lines])  # (15, 2)
rho, drawn = np.corrcoef(pairs.T)[0, 1], np.random.default_rng(0).integers(0, len(lines), (1000, len(lines)))
low, high = np.percentile([np.corrcoef(pairs[some].T)[0, 1] for some in drawn], (2.5, 97.5))
others = np.corrcoef(pairs[["ENAS" != line["search"] for line in lines]].T)[0, 1]
print(f"correlation of the number of 3×3 convolutions with test accuracy: {rho:.2f}", end=" ")
print(f"({low:.2f} to {high:.2f} by bootstrap of {len(lines)} cells; without ENAS {others:.2f})")

# %% [markdown] tags=["slide"]
# ## At one price, the best searches equal the obvious cell
#
# Note:
# 1 min. Five ways to search, three seeds, three trainings of each cell: forty-five trainings. All searches cost the
# same, within a tenth. Black bars are means with the spread of the seeds, dots the seeds. Ask first: which
# differences would you bet on? DARTS against the others, yes. The two orders against each other, no. Then point at
# the dashed line: that cell needs no search. And say that ENAS ran as our small profile sets it; nobody tuned it.

# %% tags=["slide-output"]
ranked = sorted(points, key=lambda kind: points[kind].mean())
with plots.style():
    figure, axes = plt.subplots(figsize=(8, 3.2))
    for row, kind in enumerate(ranked):
        mean, between = points[kind].mean(), points[kind].std(ddof=1)
        axes.errorbar(mean, row, xerr=between, fmt="|", color="black", markersize=18, capsize=5)
        axes.plot(points[kind], [row + 0.2] * len(points[kind]), "o", color=plots.SERIES[0])
    axes.axvline(everywhere[0][2], color=plots.SERIES[1], linestyle="--", label="3×3 on every edge, no search")
    axes.set_yticks(range(len(ranked)), ranked)
    axes.set(xlabel="test accuracy (%); bar: mean ± std of the seeds, dots: seeds")
    figure.suptitle("At equal cost: good searches end where the obvious cell stands", x=0.01, ha="left")
    axes.legend(loc="upper left")
alt = "Test accuracy of five searches. Both orders of DARTS, near 91 %, lie at the line of the cell with 3×3 on every "
alt += "edge; both random searches about four points lower with wide bands; ENAS lowest, with the widest band."
plots.show(figure, alt, limit=15_000)

# %% [markdown] tags=["slide"]
# ## No search at all: 3×3 everywhere
#
# - two searches of second order ended in *3×3 on all six edges*
# - anybody could have written that down without searching
# - it stands among the best
#
# Note:
# 1 min. The honest control. Two searches returned the cell with a 3×3 convolution on every edge. That is the largest
# cell of the space, and you need no search to think of it. It is as good as what the best search found. So on these
# pictures the leaderboard measures, in part, who dares to take many convolutions. That is not a reason to stop: it is
# a reason to always put the obvious cell on the board.

# %% [markdown]
# What we see: both orders of DARTS end where *3×3 on every edge* stands, a cell that anybody can write down without
# searching; two searches of second order found just that one. At equal cost the second order gained nothing here. Both
# random searches stay about four points lower, with wide bands. ENAS spreads most: two of its seeds end far below the
# dice. Is ENAS that bad? Every search has the settings of our small profile, and none was tuned for this board. In
# notebook 05 a slower policy was more reliable. So this row says what one setting of ENAS does with a small budget, not
# what ENAS can do. And more 3×3 convolutions go with better cells, with ENAS and without (15 cells say no more than
# that the correlation is positive): in part, the board measures who takes many.
#
# **Can you trust a recorded line?** Train one of its cells again, with the recorded seed.

# %%
line = min(lines, key=lambda line: line["architecture"].count("conv"))  # the quickest to train
cell = spaces.from_record(line["space"]).parse(line["architecture"])
again = retrain(cell, data.from_record(line["data"]), seeds=(0,), epochs=line["retrained_epochs"]).accuracies[0]
print(f"{line['search']}, seed {line['seed']}: recorded {line['test'][0]:.4f}, now {again:.4f}")
assert abs(again - line["test"][0]) < 0.05

# %%
quiz("equal_budget")

# %% [markdown] tags=["slide"]
# ## Three bugs that crash nothing
#
# | where | the line | what it does |
# | --- | --- | --- |
# | pt.darts | `(p - n) / 2. * eps` | multiplies by ε |
# | NNI | `w = w - lr * …` in a loop | moves nothing |
# | quark0/darts | a bare `except:` | may hide that momentum is lost |
#
# Note:
# 1 min. All three are lines of public code, and all three are about the second order. None of them raises an error,
# none of them makes a search fail. Ask for the first one how it should be written. For the second, why the weights
# stay where they are. For the third, what else a bare except catches. Then we put each into our own code and measure.

# %% [markdown]
# ## What can go wrong
#
# Three bugs of the second order, all from public code, all silent. Our museum puts each into our own functions.
#
# - `museum.pt_darts_hessian`: `(p - n) / 2. * eps` multiplies by ε where it must divide.
# - `museum.nni_virtual_step`: `w = w - lr * …` in a loop renames a local variable; the look-ahead moves nothing.
# - `museum.quark0_bare_except`: a bare `except`, meant for the first step, takes *any* failure to read the momentum
#   for "there is none yet". (We ask for the buffer under a wrong name, as after an update of a library.)
#
# How could one notice? For the first, a finite difference must get better with a smaller r. For the others, a look
# ahead must land where the optimiser really goes next: we foresee each step of a search, let it happen, and compare.

# %%
for bug in ("pt_darts_hessian", "nni_virtual_step", "quark0_bare_except"):
    print(museum.EXHIBITS[bug].where)

setting = tiny_setting(0, smooth=True)
healthy = errors(setting, radii)[0]
with museum.pt_darts_hessian():
    multiplied = errors(setting, radii)[0]


# %%
def foresight(rounds=15):
    """For each round, how far the foreseen step misses the one that is taken, relative to its length."""
    misses = []
    with seeded(0):
        run = darts.DARTS(spaces.Tiny(), digits, darts.PROFILES["small"], 0, torch.device("cpu"))
        for _, (train, validation) in zip(range(rounds), run.pairs_of_batches(), strict=False):
            run.step_alpha(train, validation)
            before = {k: w.detach().clone() for k, w in run.problem.weights.items()}
            slope = gradients.gradient(run.problem.loss(train), run.problem.weights)[0]
            foreseen = run.virtual_step()(before, slope)
            run.step_weights(train, Meter())
            after = {k: w.detach() for k, w in run.problem.weights.items()}
            miss = gradients.norm({k: foreseen[k] - after[k] for k in after})
            misses.append(float(miss / gradients.norm({k: before[k] - after[k] for k in after})))
    return misses


# %%
misses = {"healthy": foresight()}
with museum.nni_virtual_step():
    misses["NNI: moves nothing"] = foresight()
with museum.quark0_bare_except():
    misses["bare except: no momentum"] = foresight()
for label, row in misses.items():
    print(f"{label}: misses by {row[0]:.2f} in round 1, by {np.mean(row[5:]):.2f} from round 6 on")

# %%
with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.3))
    left.loglog(radii, healthy, label="healthy")
    left.loglog(radii, multiplied, label="pt.darts: × ε")
    left.invert_xaxis()
    left.set(xlabel="reach r", ylabel="relative error", title="× ε: a smaller r brings nothing")
    left.legend()
    for label, row in misses.items():
        right.plot(range(1, 16), row, label=label)
    right.set(xlabel="round", ylabel="miss / length of the real step", ylim=(-0.1, 2))
    right.set_title("A look ahead must land where SGD goes")
    right.legend(loc="upper right")

# %% [markdown] tags=["slide"]
# ## Two checks find all three
#
# Note:
# 1 min. Left: the error of the part through the weights. Healthy code falls with r squared. The pt.darts line stays at
# one for every r: the second order is computed, paid for, and thrown away. Right: foresee a step, take it, compare.
# Healthy code misses by nothing. NNI misses by the whole step in every round. The bare except is perfect in round one,
# where there is no momentum, and from then on misses most of it. That is why its author never saw it.

# %% tags=["slide-output"]
alt = "Left: relative error over r; healthy falls as r squared, the pt.darts bug stays at 1. Right: how far the fore"
plots.show(figure, alt + "seen step misses; healthy 0, NNI 1, bare except 0 in round 1 and then large.", limit=15_000)
assert max(misses["healthy"]) < 0.05 and min(misses["NNI: moves nothing"]) > 0.99
assert misses["bare except: no momentum"][0] < 0.05 and np.mean(misses["bare except: no momentum"][5:]) > 0.3
assert min(multiplied[2:]) > 0.99

# %% [markdown]
# What we see: with `× ε` the error is 1 at every small r: all the work is done, and thrown away. NNI's look-ahead
# misses by the whole step in every round. The bare `except` is perfect in round 1, where there is no momentum yet, and
# then misses most of the step. Two checks find all three: *a smaller r must help* (on a smooth network), and *a step
# that is foreseen must be the step that is taken*.

# %% [markdown] tags=["slide"]
# ## What to take home
#
# - relax: all operations run, softmax(α) shares them out
# - descend: α on validation, w on training pictures
# - round: and train again; three numbers, not one
# - the second order costs four gradients; ask what it brings
#
# Note:
# 1 min. Go back to the votes on the board: how many chose C, and would they now? Homework: the build, eighteen
# minutes, and the three short exercises. Next lesson: sometimes the blend likes skip connections so much that the
# rounded cell is nothing but skips. You have already seen why rounding is dangerous. Notebook eight shows how it
# goes wrong on a benchmark.

# %% [markdown]
# ## In this notebook we have
#
# - blended five operations on one picture, and slid from their mean to one of them;
# - derived the slope through softmax: an operation is compared with the blend;
# - written a round of DARTS from scratch, equal to the package's;
# - seen the finite difference converge on smooth networks, and not steadily with ReLU, for five seeds each;
# - put a price on the second order: on these data four times the pictures bring more;
# - searched, rounded, and met three numbers for one search;
# - read a leaderboard at one price, with the obvious cell on it, and trained a recorded cell again;
# - caught three bugs with two checks.
#
# **On your own.** Cool the blend *during* the search: divide α by a temperature that falls from 1 to 0.2
# (`DARTS.probabilities` in a class of your own). Does the gap of rounding close? Does the trained cell get better?
# Three seeds, at least.
#
# ## Further reading
#
# - H. Liu, K. Simonyan, Y. Yang: [DARTS: Differentiable Architecture Search](https://arxiv.org/abs/1806.09055),
#   ICLR 2019. Sections 2.2 and 2.4 are this notebook.
# - X. Dong, Y. Yang: [NAS-Bench-201](https://arxiv.org/abs/2001.00326), ICLR 2020: the space, and DARTS on it.
# - S. Xie, H. Zheng, C. Liu, L. Lin: [SNAS: Stochastic Neural Architecture Search](https://arxiv.org/abs/1812.09926),
#   ICLR 2019: a blend that is cooled while it learns.
# - L. Li, A. Talwalkar: [Random Search and Reproducibility for Neural Architecture
#   Search](https://arxiv.org/abs/1902.07638), UAI 2019: the baseline that was missing.
# - Notebook 08 is about what happens when the blend fools you.
#
# ## Versions

# %%
from platform import python_version

print(f"Python {python_version()}, torch {torch.__version__}, nas_tutorial {nas_tutorial.__version__}")
