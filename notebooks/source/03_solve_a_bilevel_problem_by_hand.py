# %% [markdown]
# # 3 · Solve a bilevel problem by hand
#
# You will shrink architecture search to two numbers, solve it with a pencil, and write the gradient that DARTS uses.
#
# <!-- badges -->
#
# 48 min reading · 34 min exercises · longest cell 8 s · all cells 42 s · 1.0 GB

# %% [markdown]
# ![Two boxes, one inside the other. The outer box, the architecture α, asks the validation pictures how good
# it is with its best weights. It hands an α to the inner box, the weights w, which ask the training pictures and
# hand back w*(α).](pictures/03.png)
#
# One question sits inside another. That is all "bilevel" means, and it is the whole difficulty of this notebook.
#
# ## You will do, learn, need
#
# **Do.** Solve a bilevel problem on paper. Watch four searches come to rest at four different places. Write the
# gradient of DARTS from scratch, first for two numbers, then for a network. Catch two bugs that sat unnoticed in
# public code.
#
# **Learn.** Why architecture search needs two sets of data. What the *hypergradient* is, and what *first order*
# leaves out. Why DARTS looks one training step ahead. When a finite difference can be trusted, and when it cannot.
#
# **Need.** The chain rule, and gradient descent. Notebooks 01 and 02 help but are not required.

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
from itertools import repeat

import numpy as np
from matplotlib.figure import Figure
from torch import nn
from torch.nn.functional import cross_entropy

from nas_tutorial import data, museum, plots, spaces, widgets
from nas_tutorial.exercises import check, exercise, hint, quiz, solution  # noqa: F401
from nas_tutorial.measures import recalled
from nas_tutorial.pictures import inside, toy_map
from nas_tutorial.strategies import gradients, small, toy
from nas_tutorial.strategies.toy import hypergradient, resting_point, training_loss, validation_loss
from nas_tutorial.training import batches, seeded

# %% [markdown]
# ## Predict first
#
# An architecture is a single number α. The best one is α = 1. A search starts at α = 2 and repeats two steps:
#
# 1. move α a little downhill on the validation loss, *as if the weights stood still*;
# 2. train the weights a little, so that they catch up with the new α.
#
# Where does it come to rest?
#
# - **A.** At a wrong α. Smaller steps of α end there, too.
# - **B.** At α = 1. Step 2 makes up for what step 1 ignores.
# - **C.** Nowhere. α and the weights run round in a circle.
#
# Write down a letter and one sentence why. The answer comes in the section *Four searches, four places*.

# %% [markdown] tags=["slide"]
# ## 2 min: Where does this search come to rest?
#
# The best α is 1. We start at α = 2 and take turns: a step of α *as if the weights stood still*, a step of training.
#
# - **A.** At a wrong α. Smaller steps end there, too.
# - **B.** At α = 1. Training makes up for it.
# - **C.** Nowhere. They run in a circle.
#
# Note:
# 2 min. Read the two steps slowly: this is how first-order DARTS works, so the question is a real one. Everybody
# writes a letter and a sentence, alone. Then hands for each letter, numbers on the board, no comment. Most people say
# B. We come back to it when four searches are drawn into one map.

# %% [markdown]
# ## Two questions, one inside the other
#
# Which architecture α is best? That depends on its weights. Which weights are best? That depends on the
# architecture. So we ask one question inside the other:
#
# $$\min_\alpha \; L_{val}(\alpha, w^*(\alpha)) \quad\text{where}\quad
# w^*(\alpha) = \text{argmin}_w \; L_{train}(\alpha, w).$$
#
# The *lower* (inner) problem is ordinary training: fix α, fit the weights to the training pictures. The *upper*
# (outer) problem chooses α by the loss on validation pictures, which the weights have never seen.
#
# In a real search one look at the upper loss costs a complete training. So we begin where training takes no time. The
# authors of DARTS drew this toy in figure 2 of their paper: one architecture number α, one weight w, two losses.
#
# $$L_{val} = \alpha w - 2\alpha + 1 \qquad\qquad L_{train} = w^2 - 2\alpha w + \alpha^2$$
#
# **Question.** Take a pencil. For a fixed α, which w makes the training loss smallest? (Look for a square.)
#
# The training loss is $(w - \alpha)^2$. It is smallest, namely zero, at $w^* = \alpha$. That is the lower problem,
# solved.

# %% [markdown] tags=["slide"]
# ## One question sits inside another
#
# $$\min_\alpha \; L_{val}(\alpha, w^*(\alpha)) \quad\text{where}\quad
# w^*(\alpha) = \text{argmin}_w \; L_{train}(\alpha, w)$$
#
# - **lower:** fit the weights to the training pictures
# - **upper:** judge α on pictures the weights never saw
#
# Note:
# 1 min. Say it as a dialogue. The upper problem says: try this α. The lower one trains and answers: here are its best
# weights. In a real search one such answer costs a training of hours, so nobody can ask often. Everything that follows
# is about asking less, and about what that costs.

# %% [markdown] tags=["slide"]
# ## 1 min: For a fixed α, which w is best?
#
# $$L_{val} = \alpha w - 2\alpha + 1 \qquad\qquad L_{train} = w^2 - 2\alpha w + \alpha^2$$
#
# Note:
# 1.5 min. This toy is figure 2 of the DARTS paper. Pencils out. Who sees the square is done. Let somebody say it: a
# square of what? Then click.

# %% [markdown] tags=["slide", "answer"]
# $L_{train} = (w - \alpha)^2$, so $w^* = \alpha$. The lower problem is solved.

# %%
for alpha in (0.0, 0.5, 1.0, 2.0):
    w = alpha  # the lower problem, solved by hand
    losses = training_loss(alpha, w), validation_loss(alpha, w)
    print("α = {}, w* = {}:  L_train = {:.2f},  L_val = {:.2f}".format(alpha, w, *losses))
assert [validation_loss(a, a) for a in (0.0, 0.5, 1.0, 2.0)] == [1, 0.25, 0, 1]

# %% [markdown]
# What we see: after training, *every* α has training loss 0, so in this toy the training loss cannot tell
# architectures apart. The validation loss can: it is 1 at α = 0 and α = 2, and 0 at α = 1.
#
# ## Does the training loss choose in a network?
#
# The tie was built into the toy. What happens in a network? Let α blend two: a dense one, with a weight for each
# pixel, and a convolution, which looks for small patterns anywhere. The logits are
# $(1 - \alpha)\cdot\text{dense} + \alpha\cdot\text{conv}$. The pictures are `strokes`: short lines, and the class is
# their direction. We train 64 of them to the end, for five values of α and five seeds.
#
# All seeds together take too long for a lesson. So `recalled` computes the first here and reads the others from a
# record; should the first differ from its record, it computes all.
#
# **Question.** Which α will the training loss prefer?


# %%
def dense(hidden=64):
    """One weight for each pixel."""
    return nn.Sequential(nn.Flatten(), nn.Linear(300, hidden), nn.ReLU(), nn.Linear(hidden, 4))


def conv(filters=16, kernel=3):
    """Small patterns, wherever they are."""
    pool = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(nn.Conv2d(3, filters, kernel), nn.ReLU(), *pool, nn.Linear(filters, 4))


# %%
strokes = data.load("strokes", seed=0)


def some(split, count, generator):
    """Some pictures and their labels."""
    return next(batches(split, strokes, count, generator=generator))


def blended(alpha, nets, pictures):
    """Loss of the blend of two networks."""
    images, labels = pictures
    one, other = (net(images) for net in nets)
    return cross_entropy((1 - alpha) * one + alpha * other, labels)


# %%
def losses_after_training(alpha, seed, hidden=64, filters=16, kernel=3):
    """(L_train, L_val) at α, with weights trained for 200 steps."""
    with seeded(seed) as generator:
        nets = dense(hidden), conv(filters, kernel)
        train = some(strokes.train, 64, generator)
        validation = some(strokes.validation, 500, generator)
    optimiser = torch.optim.Adam([weight for net in nets for weight in net.parameters()], lr=0.02)
    for _ in range(200):
        optimiser.zero_grad()
        blended(alpha, nets, train).backward()
        optimiser.step()
    with torch.no_grad():
        return [blended(alpha, nets, pictures).item() for pictures in (train, validation)]


# %%
blends, seeds = (0, 0.25, 0.5, 0.75, 1), range(5)
reached = recalled("03_blends", lambda seed: [losses_after_training(a, seed) for a in blends], seeds)
reached = reached.transpose(1, 0, 2)  # (5 α, 5 seeds, 2 losses)
lowest = [reached[:, :, loss].argmin(axis=0) for loss in (0, 1)]
print("α of the smallest training loss, seed by seed:  ", [blends[i] for i in lowest[0]])
print("α of the smallest validation loss, seed by seed:", [blends[i] for i in lowest[1]])
print(f"the largest training loss of all 25: {reached[:, :, 0].max():.3f}")
assert set(lowest[0]) == {0} and set(lowest[1]) == {4} and reached[:, :, 0].max() < 0.03

# %% [markdown] tags=["slide"]
# ## In a network the training loss cannot choose, either
#
# α blends a dense network (0) with a convolution (1). 64 pictures, trained to the end, five seeds.
#
# Note:
# 1 min. In the toy the tie was built in, so ask of a real network. Left end: dense, a weight for each pixel. Right end:
# convolution. The blue dots lie on zero, for every α and every seed: the weights can fit 64 pictures whatever the
# architecture is. What is left of the differences points to the dense network here, and elsewhere with other sizes of
# the two. The validation loss points to the convolution every time. The dashed line is guessing.

# %% tags=["slide-output"]
figure = plots.lines(
    blends,
    {"training loss": reached[:, :, 0], "validation loss": reached[:, :, 1]},
    levels={"guessing": np.log(4)},
    title="Trained to the end, only the validation loss tells α apart",
    x_label="architecture α: from dense (0) to convolution (1)",
    y_label="loss after training",
)
alt = "At every α the training loss is near zero; the validation loss falls from above 12 to below guessing, 1.39."
plots.show(figure, alt)

# %% [markdown]
# It is a tie, as in the toy: every blend fits its 64 pictures. What is left of it points to the dense network, for all
# five seeds, and that one does worse than guessing on new pictures. Does the training loss like what is dense, or what
# is large? The control: two pairs of about equal size. And a second one, which cannot fit: a convolution of 1×1.

# %%
pairs = (8, 64), (16, 128)  # hidden neurons, filters


def controls(seed):
    """(L_train, L_val) of dense and convolution in both pairs, and of a convolution of 1×1."""
    ends = [losses_after_training(a, seed, *pair) for pair in pairs for a in (0, 1)]
    return [*ends, losses_after_training(1, seed, kernel=1)]


# %%
*ends, blind = recalled("03_controls", controls, seeds).transpose(1, 0, 2)  # (5 seeds, 2 losses) each
ends = [*reached[[0, -1]], *ends]  # in front the pair from above
for (hidden, filters), one, other in zip(((64, 16), *pairs), ends[::2], ends[1::2], strict=True):
    sizes = [sum(w.numel() for w in net.parameters()) for net in (dense(hidden), conv(filters))]
    print("dense {:6,} weights, convolution {:5,}:".format(*sizes), end=" ")
    print("the convolution wins {} of 5 by L_train, {} by L_val".format(*(other < one).sum(axis=0)))
print("training loss of a convolution that sees one pixel at a time:", blind[:, 0].round(2))
assert blind[:, 0].min() > 1 > 0.03 > reached[:, :, 0].max()

# %% [markdown]
# What we see: at about equal size it goes once this way, once that way. So which way the tie breaks changes with the
# sizes of the two, and says nothing about new pictures. The validation loss finds the convolution every time.
#
# The last line is the limit of this claim. A 1×1 convolution cannot tell directions apart, so its training loss stays
# above 1. The training loss can reject what does not fit. Among all that *can* fit, it cannot judge.

# %% [markdown] tags=["slide"]
# ## 1 min: One set of pictures for both?
#
# Note:
# 1.5 min. A minute alone, then hands. Who says B thinks of statistics: more pictures are better. True for the weights.
# But then α has nothing to judge by that the weights have not already fitted. After the click, point back at the blue
# dots.

# %% tags=["slide-output"]
quiz("one_set_for_both")

# %% [markdown]
# ## The upper problem, solved
#
# Back to the toy. Put w* = α into the validation loss:
#
# $$L_{val}(\alpha, w^*(\alpha)) = \alpha^2 - 2\alpha + 1 = (\alpha - 1)^2.$$
#
# The best architecture is α = 1, with loss 0. Two lines of algebra, and the search is over.
#
# A network gives us no such formula. There we stand at some α and need the *slope*: which way is down? So let us
# pretend that we cannot see the whole curve, and stand at α = 2 with trained weight w = 2.
#
# **Question.** At this place, how does the validation loss change if α moves and w stays at 2?

# %% [markdown] tags=["slide"]
# ## With a frozen weight the slope vanishes
#
# Put w* = α into the validation loss: $(\alpha - 1)^2$. The best α is 1.
#
# We stand at α = 2, w = 2. What if α moves, and w does not?
#
# Note:
# 1 min. Two lines of algebra solve the upper problem. A network gives no formula, only slopes, so pretend that we
# cannot see the curve. Circles: w follows α, and the slope at our place is 2. Squares: w stays, a flat line. Both
# curves go through the same point. A search that freezes the weights sees no reason to move.

# %% tags=["slide-output"]
alphas = np.linspace(0, 3, 13)
figure = plots.lines(
    alphas,
    {"w follows α: (α − 1)²": validation_loss(alphas, alphas), "w stays at 2": validation_loss(alphas, 2.0)},
    title="At α = 2 a frozen weight makes the slope vanish",
    x_label="architecture α",
    y_label="validation loss",
)
figure.axes[0].plot(2, 1, "ko", markersize=12)
alt = "Validation loss: a parabola where w follows α, a flat line through the same point where w stays at 2."
plots.show(figure, alt)

# %%
quiz("frozen_weight")

# %% [markdown]
# What we see: both curves pass through the same point. But with w frozen at 2 the loss is 1 for every α: the
# line with squares is flat, and gives no hint that a better architecture exists.
#
# ## The slope has two parts
#
# When α moves, the loss changes directly, and it changes because the weights follow. The chain rule adds the two:
#
# $$\frac{d L_{val}}{d\alpha} = \underbrace{\frac{\partial L_{val}}{\partial\alpha}}_{\text{direct}}
# + \underbrace{\frac{\partial L_{val}}{\partial w}\cdot\frac{d w^*}{d\alpha}}_{\text{through the weights}}
# = (w - 2) + \alpha\cdot 1$$
#
# This total slope is called the **hypergradient**. Let us check it at α = 2 against the slope of $(\alpha - 1)^2$,
# which is $2(\alpha - 1)$.

# %% [markdown] tags=["slide"]
# ## The slope has two parts, direct and through the weights
#
# $$\frac{d L_{val}}{d\alpha} = \frac{\partial L_{val}}{\partial\alpha}
# + \frac{\partial L_{val}}{\partial w}\cdot\frac{d w^*}{d\alpha}
# = (w - 2) + \alpha\cdot 1$$
#
# The sum is the **hypergradient**. Only the direct part: **first order**.
#
# Note:
# 1 min. Chain rule, nothing else. First term: α moves and the weights stand still. Second term: the weights follow. At
# our place the first is zero and the second is two. So whoever keeps the first only, as first-order DARTS does, stands
# still at the worst moment. Two words to remember: hypergradient for the sum, first order for the first term alone.

# %%
alpha, w = 2.0, 2.0
direct, through_the_weights = w - 2, alpha * 1
print(f"direct {direct:.0f} + through the weights {through_the_weights:.0f} = {direct + through_the_weights:.0f}")
print(f"slope of (α − 1)²: {2 * (alpha - 1):.0f}")
assert direct == 0 and direct + through_the_weights == 2 * (alpha - 1) == 2

# %% [markdown]
# What we see: at this point the direct part is 0 and the whole slope, 2, comes through the weights. Whoever keeps
# the direct part only, stands still here. Keeping only the direct part is called **first order**.
#
# ### Exercise: Add the two parts · ★☆☆ · 4 min
#
# A new toy: $L_{val} = w^2 - 4w + \alpha$ and $L_{train} = (w - 3\alpha)^2$. Write the slope
# $dL_{val}(\alpha, w^*(\alpha))/d\alpha$ for any α. Paper first.
#
# In all exercises: replace the `...` and run the cell. `check` names the mistake; remove the `#` to see one hint more
# each time you run it. Until your function is right, the reference stands in, so nothing you write stops the notebook.


# %%
@exercise
def total_slope(alpha):
    """dL_val(α, w*(α))/dα."""
    ...


check(total_slope)
# hint(total_slope)
solution(total_slope)

# %% [markdown] tags=["slide"]
# ## 1 min: Which way does the first order lead here?
#
# Note:
# 1 min. The place matters. At α = 2 the direct part was zero. Here it is −1.5 and the other part +0.5, so the true
# slope is −1. Same sign, too large. Many conclude from the last slide that the first order is useless. It is not; it is
# unreliable, and that is harder to notice.

# %% tags=["slide-output"]
quiz("another_place")

# %% [markdown]
# ## Look one step ahead
#
# For the second part we need $dw^*/d\alpha$: how would the trained weights change if α changed? In a network
# nobody knows, short of training again. DARTS has a cheap substitute. Imagine a *single* training step, with
# learning rate ξ ("xi"):
#
# $$w' = w - \xi\,\frac{\partial L_{train}}{\partial w}(\alpha, w) = w - 2\xi(w - \alpha).$$
#
# This look-ahead weight depends on α, and its derivative is easy: $dw'/d\alpha = 2\xi$. So use w' in place of w*:
#
# $$\frac{d}{d\alpha} L_{val}(\alpha, w'(\alpha)) = (w' - 2) + \alpha\cdot 2\xi.$$
#
# With ξ = 0 this is the first order again. The step is *imagined*: afterwards w is where it was.
#
# Autograd can do this without our algebra. One word matters: `create_graph=True`. It tells torch to remember how
# the training slope was computed, because we want to differentiate *through the step*.

# %% [markdown] tags=["slide"]
# ## DARTS imagines one training step
#
# $$w' = w - \xi\,\frac{\partial L_{train}}{\partial w}(\alpha, w) = w - 2\xi(w - \alpha)$$
#
# $$\frac{d}{d\alpha} L_{val}(\alpha, w'(\alpha)) = (w' - 2) + \alpha\cdot 2\xi$$
#
# ξ = 0 is the first order.
#
# Note:
# 1 min. The second part needs to know how trained weights follow α. Nobody knows. The substitute: imagine one step of
# training. The step depends on α, so w' does, and its derivative is 2ξ. Put it in place of w star. Stress the word
# imagined: afterwards w is back where it was.

# %% [markdown] tags=["slide"]
# ## One word lets torch differentiate through the step
#
# Note:
# 1 min. Two calls of grad. The first one computes the training slope, with create_graph, so that torch remembers how it
# came about. The second differentiates a loss that has this slope inside. Without the word, w' would count as a plain
# number, and what comes out is the direct part. No error is raised if you forget it in other code, where the step is
# taken by hand.


# %% tags=["slide-code"]
def slope_by_autograd(alpha, w, xi):
    """dL_val(α, w'(α))/dα: the gradient of a loss that has a gradient inside."""
    alpha, w = (torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (alpha, w))
    (training_slope,) = torch.autograd.grad(training_loss(alpha, w), w, create_graph=True)
    ahead = w - xi * training_slope
    return float(torch.autograd.grad(validation_loss(alpha, ahead), alpha)[0])


# %%
for alpha, w, xi in [(2.0, 2.0, 0.0), (2.0, 2.0, 0.3), (2.0, -2.0, 0.3), (0.5, 1.0, 0.5)]:
    pencil, autograd = hypergradient(alpha, w, xi), slope_by_autograd(alpha, w, xi)
    print(f"α = {alpha}, w = {w:4}, ξ = {xi}: pencil {pencil:5.2f}, autograd {autograd:5.2f}")
    assert abs(pencil - autograd) < 1e-12

# %% [markdown]
# What we see: pencil and autograd agree. (`hypergradient` is the formula above, one line of Python.)
#
# ### Exercise: Differentiate through a step · ★★☆ · 6 min
#
# The toy of the last exercise, $L_{val} = w^2 - 4w + \alpha$ and $L_{train} = (w - 3\alpha)^2$. Now the weight is not
# trained to the end: it takes one step of size ξ from w. Write the look-ahead slope $dL_{val}(\alpha,
# w'(\alpha))/d\alpha$ for any α, w and ξ.


# %%
@exercise
def slope_one_step_ahead(alpha, w, xi):
    """dL_val(α, w')/dα with w' one step ahead."""
    ...


check(slope_one_step_ahead)
# hint(slope_one_step_ahead)
solution(slope_one_step_ahead)

# %%
quiz("forgotten_graph")

# %% [markdown]
# ## Four searches, four places
#
# Now search. Each round takes one step of α down the look-ahead slope, then one step of training for w. All start
# far away, at α = 2 and w = −2. Only ξ differs. The folded line opens with a click: it is the whole search.

# %%
plots.source(toy.search)

# %% [markdown] tags=["slide"]
# ## Four searches rest at four places
#
# One step of α, one step of w, in turn. Only ξ differs.
#
# Note:
# 1.5 min. Read the map first: α to the right, w upwards, grey rings are the training loss, the dotted line is where the
# weight is trained, the star is the best place. All four start at the bottom. All bend onto the dotted line, so the
# lower problem gets solved each time. But they come to rest at different places on it. Circles: first order. Let
# somebody say where it ends.

# %% tags=["slide-output"]
figure = toy_map.paths((0, 0.1, 0.3, 0.5), "Looking further ahead (up to ½) ends nearer to the best")
plots.show(figure, alt="Four paths bend onto the line w = α, and end at α = 2, 1.67, 1.25, 1 for ξ = 0, 0.1, 0.3, 0.5.")

# %% [markdown]
# What we see: all four paths bend onto the dotted line, where the weight is fully trained. They come to rest at
# different places *on* it. The grey lines are heights of the training loss.
#
# **Question.** Can you compute the four places? At rest, w = α, so w' = α too, and the look-ahead slope is zero:
#
# $$(\alpha - 2) + 2\xi\alpha = 0 \quad\Rightarrow\quad \alpha_\infty = \frac{2}{1 + 2\xi}.$$

# %% [markdown] tags=["slide"]
# ## 2 min: Compute the four places
#
# At rest w = α, so w' = α, and the slope is zero: $(w' - 2) + 2\xi\alpha = 0$.
#
# Note:
# 2 min. Pencils. Hint if they hang: put α in place of w'. Solve for α. Then click, and check with the map: 2, 1.67,
# 1.25, 1. One half is the value for which the place is right. Ask whether more than one half is better still; the
# answer comes in a minute.

# %% [markdown] tags=["slide", "answer"]
# $$(\alpha - 2) + 2\xi\alpha = 0 \quad\Rightarrow\quad \alpha_\infty = \frac{2}{1 + 2\xi}$$
#
# ξ = 0: 2. ξ = 0.1: 1.67. ξ = 0.3: 1.25. ξ = ½: 1.

# %%
for xi, place in ((0.0, 2), (0.1, 1.6667), (0.3, 1.25), (0.5, 1)):
    alpha, w = toy.search(xi)[-1]
    loss = validation_loss(alpha, w)
    print(f"ξ = {xi}: search {alpha:.4f}, formula {resting_point(xi):.4f}, L_val {loss:.4f}")
    assert abs(alpha - resting_point(xi)) < 1e-6 and round(w, 4) == round(alpha, 4) == place

# %% [markdown]
# What we see: ξ = 0 ends at α = 2, which is as bad as α = 0 was. ξ = ½ ends at the true optimum, 1.
#
# **Back to your prediction.** The first order is ξ = 0, and its place is wrong. Do smaller steps help?

# %% [markdown] tags=["slide"]
# ## Smaller steps arrive at the same wrong place
#
# Note:
# 1 min. Back to the hands on the board. A is right: a smaller step comes to the same place, later. The direction is
# wrong, not the length. B forgets that step 2 repairs the weights, never the slope. C is not silly: the path of ξ = 0
# swings out beyond 2 and winds inwards before it ends. Ask those who said B what they would say now.

# %% tags=["slide-output"]
for rate in (0.05, 0.01, 0.002):
    alpha, w = toy.search(0.0, steps=round(30 / rate), alpha_rate=rate)[-1]
    print(f"step size {rate}: rests at α = {alpha:.3f}")
    assert abs(alpha - 2) < 0.01
print(f"on its way the path of ξ = 0 swings out to α = {(farthest := max(a for a, _ in toy.search(0.0))):.2f}")
assert 2.3 < farthest < 3.2

# %% [markdown]
# **A** is right. A smaller step arrives at the same wrong place, α = 2, only later: it is the *direction* that is
# wrong, not the length. **B** forgets that step 2 repairs the weights, never the slope. **C** is not far off: the
# ξ = 0 path swings out to larger α before it turns back. But it winds inwards, so it does end.
#
# Now move the sliders. Answer before you move:
#
# 1. Which ξ brings the search to rest at α = 0.8, on the *other* side of the optimum?
# 2. The second slider is the learning rate of the weight: how fast w catches up. Does it change where the search
#    rests? Does it change the path?
# 3. At which ξ does the path stop swinging out to the right of α = 2?
# 4. Put the start on the optimum itself, α = 1 and w = 1. Does the search stay there?

# %%
widgets.explore_bilevel()

# %% [markdown]
# <details><summary>Answers</summary>
#
# 1. Solve 2 / (1 + 2ξ) = 0.8: ξ = 0.75.
# 2. The path changes, the place does not: at rest w = α, however fast w came there.
# 3. The first slope, at α = 2 and w = −2, is w' − 2 + 2ξα = 12ξ − 4. It is negative, so that α grows, below ξ = ⅓;
#    from there on α sets off to the left.
# 4. No: at rest are only those α where the look-ahead slope is zero. It drifts to 2 / (1 + 2ξ), as from every start.
#
# </details>

# %%
quiz("how_far_ahead")

# %% [markdown]
# ## Why one half is exact
#
# **Question.** Why is just ξ = ½ perfect, and is more even better?
#
# Stand at the start, α = 2 and w = −2. The training loss $(w-\alpha)^2$ has curvature 2. A step of 1/curvature = ½
# jumps to the bottom of a parabola from anywhere: w' = α. One imagined step is then a complete training.

# %% [markdown] tags=["slide"]
# ## Why one half is exact: the step is a whole training
#
# A parabola of curvature 2: a step of ½ jumps to its bottom, from anywhere.
#
# Note:
# 1 min. Two columns have to be right: w' should be 2, the trained weight, and it should follow α one to one. Both are
# right at one half only. One divided by the curvature. Beyond that the step overshoots and the search rests on the
# other side, at two thirds for ξ = 1. A network has millions of curvatures, so no single ξ can be right for all of
# them.

# %% tags=["slide-output"]
for xi in (0.1, 0.25, 0.5, 1.0):
    ahead, rest = toy.look_ahead(2.0, -2.0, xi), resting_point(xi)
    print(f"ξ = {xi:4}: w' = {ahead:4.1f} (want 2), dw'/dα = {2 * xi} (want 1), α∞ = {rest:.3f}")
assert toy.look_ahead(2.0, -2.0, 0.5) == 2 and resting_point(1.0) < 1

# %% [markdown]
# What we see: a short step follows too little, a long one overshoots (ξ = 1 rests at 0.667, below the optimum).
#
# **The implicit view, in two sentences.** At the bottom of the lower problem the slope $\partial_w L_{train}$ is
# zero and stays zero while α moves, and differentiating this fact gives
# $\frac{dw^*}{d\alpha} = -\left(\partial^2_{ww} L_{train}\right)^{-1}\partial^2_{w\alpha}
# L_{train} = -\tfrac12\cdot(-2) = 1$. The look-ahead replaces the inverse curvature by the number ξ, which is
# exact if ξ = 1/curvature, and cannot be exact for a network, whose many weights have as many curvatures.

# %%
quiz("another_curvature")

# %% [markdown]
# ### Exercise: Look further ahead · ★★★ · 6 min
#
# The first toy again. Let α look *several* training steps of size ξ ahead. Write where the search rests. (Predict on
# paper for one step and ξ = 0.4: you know the formula.)


# %%
@exercise
def rest_after(xi, steps):
    """α∞ for a look-ahead of several steps."""
    ...


check(rest_after)
# hint(rest_after)
solution(rest_after)

# %%
for steps in (1, 2, 4, 8):
    print(f"ξ = 0.4, {steps} steps ahead: α∞ = {rest_after(0.4, steps):.4f}")
for alpha in (0.0, 2.0):
    one_step = slope_one_step_ahead(alpha, 1.0, 0.5)
    print(f"your two slopes at α = {alpha}: ξ = ½ {one_step:.1f}, trained to the end {total_slope(alpha):.1f}")

# %% [markdown]
# What we see: with more steps α∞ approaches 1. A long look ahead *is* the solved lower problem, at the price of one
# gradient more for each step. And your two slopes agree for ξ = ½: the second toy has curvature 2 as well.
#
# ## The same gradient without double backward
#
# Differentiating through a step costs memory: torch keeps the graph of the gradient as well. DARTS avoids it. The
# part through the weights is
#
# $$-\xi\;\partial^2_{\alpha w} L_{train}(\alpha, w)\cdot v \qquad\text{with}\quad v = \partial_w L_{val}(\alpha, w'),$$
#
# and a second derivative *times a vector* is just a change of first derivatives along that vector. Step a little
# to both sides, $w^\pm = w \pm \varepsilon v$, and divide by the distance:
#
# $$\partial^2_{\alpha w} L_{train}\cdot v \;\approx\;
# \frac{\partial_\alpha L_{train}(\alpha, w^+) - \partial_\alpha L_{train}(\alpha, w^-)}{2\varepsilon}.$$
#
# **Question.** ε should be small. How small? Try from 1 down to 10⁻¹⁵.

# %% [markdown] tags=["slide"]
# ## A second derivative times a vector is a change of slopes
#
# $$\partial^2_{\alpha w} L_{train}\cdot v \approx
# \frac{\partial_\alpha L_{train}(\alpha, w^+) - \partial_\alpha L_{train}(\alpha, w^-)}{2\varepsilon}$$
#
# with $v = \partial_w L_{val}(\alpha, w')$ and $w^\pm = w \pm \varepsilon v$.
#
# Note:
# 1 min. Double backward keeps two graphs in memory, too much in 2018. The part through the weights contains a second
# derivative, but only times one vector v. That is a directional derivative: stand at w plus a little v, at w minus a
# little v, and see how the slope in α has changed. Divide by the distance, 2ε. Only first derivatives are left.


# %%
def slope_by_differences(alpha, w, xi, epsilon):
    """The look-ahead slope of the toy without any second derivative."""
    ahead = toy.look_ahead(alpha, w, xi)
    direct, v = ahead - 2, alpha
    plus, minus = (-2 * (w + sign * epsilon * v) + 2 * alpha for sign in (1, -1))  # ∂L_train/∂α at w⁺ and w⁻
    return direct - xi * (plus - minus) / (2 * epsilon)


# %% [markdown] tags=["slide"]
# ## 1 min: How small should ε be in the toy?
#
# Error of the slope at α = 1.7, w = 0.3, ξ = 0.3, for ε from 1 down to $10^{-15}$: guess the shape.
#
# Note:
# 1.5 min. Let them guess before the click. Nearly everybody expects the error to shrink with ε. In the toy it grows:
# the loss is a parabola, its slopes change evenly, so a wide difference is exact, and all that is left is round-off.
# Two nearly equal numbers are subtracted and divided by something tiny. A curved loss adds the opposite error.

# %% tags=["slide-output", "answer"]
toy_errors = {}
for power in (0, -3, -6, -9, -12, -15):
    estimate = slope_by_differences(1.7, 0.3, 0.3, 10.0**power)
    toy_errors[power] = abs(estimate - hypergradient(1.7, 0.3, 0.3))
    print(f"ε = 1e{power:+03d}: error {toy_errors[power]:.0e}")
assert toy_errors[0] < 1e-12 < 1e-7 < toy_errors[-12] < toy_errors[-15]

# %% [markdown]
# What we see: in the toy ε = 1 is perfect and *smaller is worse*. The training loss is a parabola, so its slopes
# change evenly and a wide difference is exact. What grows is **round-off**: two nearly equal numbers are
# subtracted, and the lost digits are divided by a tiny ε. A curved loss adds the opposite error, **truncation**,
# which shrinks with ε². A good ε balances the two. The paper takes $\varepsilon = r / \lVert v\rVert$ with r = 0.01, so
# that $w^\pm$ lie at distance r from w however long v is. ($\lVert v\rVert$: the root of the sum of all squares, over
# all tensors of v together.)

# %%
quiz("longer_vector")

# %% [markdown]
# ### Build: Write the unrolled gradient · ★★★ · 18 min
#
# Now write it yourself, for any network. Your function gets α (a tensor), a list of weights (tensors of any shapes) and
# two losses to call: `train_loss()` and `validation_loss()` read what α and the weights hold *at that moment*. In
# words:
#
# 1. Write w' into the weights: one step of size ξ down the training slope.
# 2. There, take the slopes of the validation loss: in α the direct part, in the weights v.
# 3. Write w⁺ = **w** + εv and w⁻ = **w** − εv into the weights, with ε = r/‖v‖; at both, the slope of the training
#    loss in α.
# 4. Write w back, bit for bit, and return direct − ξ · (slope at w⁺ − slope at w⁻) / (2ε).
#
# `check` ticks w' (step 1), w⁺ and w⁻ (steps 2 and 3), the value, and the weights written back (step 4). Write step 1
# and check it (the validation loss must be called at w'), then go on. This cell shows the two tools, on the toy at α =
# 1.7 and w = 0.3.


# %%
def write(weights, values):
    """Put values into tensors of weights, without torch recording it."""
    with torch.no_grad():
        for w, value in zip(weights, values, strict=True):
            w.copy_(value)


toy_alpha, toy_w = (torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (1.7, 0.3))
toy_losses = (lambda: training_loss(toy_alpha, toy_w)), (lambda: validation_loss(toy_alpha, toy_w))
print("slopes of L_val in α and w:", torch.autograd.grad(toy_losses[1](), [toy_alpha, toy_w]))
kept = [toy_w.detach().clone()]  # a copy
write([toy_w], [kept[0] + 1])
print(f"the loss reads what w holds now: {toy_losses[1]().item():.2f}")
write([toy_w], kept)


# %%
@exercise
def unrolled_gradient(alpha, weights, train_loss, validation_loss, xi, r=0.01):
    """dL_val(α, w'(α))/dα by four ordinary gradients; the weights come back as they were."""
    ...


check(unrolled_gradient)
# hint(unrolled_gradient)
solution(unrolled_gradient)

# %% [markdown] tags=["slide"]
# ## Build it: four gradients, and the weights come back
#
# 1. step to w': slope of the training loss in w
# 2. at w': slopes of the validation loss, in α (direct) and in w (v)
# 3. at w ± εv, ε = r/‖v‖: slopes of the training loss in α
# 4. write w back; the difference over 2ε
#
# Note:
# 1.5 min. This is the homework, eighteen minutes, and the heart of the lecture. Go through the four points and ask for
# each where the weights are. The usual mistakes: w plus and minus around w' instead of w, one norm per tensor instead
# of one for all, a copy that is no copy. The check looks at where the weights are whenever a loss is called, so it can
# judge the first step before the second is written.

# %%
for xi in (0.0, 0.1, 0.3, 0.5):
    built = unrolled_gradient(toy_alpha, [toy_w], *toy_losses, xi)
    print(f"ξ = {xi}: your gradient {built:7.4f}, pencil {hypergradient(1.7, 0.3, xi):7.4f}")
    assert abs(built - hypergradient(1.7, 0.3, xi)) < 1e-9

# %% [markdown]
# ## Look inside an edge
#
# Enough of toys. Here is a real problem, kept small: the *supernet* of the 125-cell space, a network in which every
# edge carries all five operations. 32 embedded digits make the training loss, 32 others the validation loss. What is α
# here? On each edge it says how much of each operation's output, its *feature maps*, goes into a blend:
#
# $$\bar{o}(x) = \sum_o p_o\, o(x), \qquad p = \text{softmax}(\alpha).$$
#
# We also want a *smooth* twin: GELU in place of ReLU. It will matter soon. All is computed in float64.

# %%
digits, space = data.load("digits", seed=0), spaces.Tiny()


def small_problem(seed, **kind):
    """Supernet with α, training batch, validation batch: what each gradient function takes."""
    return small.problem(space, digits, seed, **kind)


problem, train, validation = small_problem(0)
count = sum(w.numel() for w in problem.weights.values())
print(f"{count} weights, {problem.alphas['cell'].numel()} architecture parameters: 3 edges × 5 operations")
assert problem.alphas["cell"].shape == (3, 5)


# %%
def blend(alpha, seed=0):
    """One channel of one digit: what each operation of the first edge makes of it, and the blend."""
    network, (images, _) = small_problem(seed)[0].network, train
    with torch.no_grad():
        x = network.stem(images)  # (32, 8, 16, 16)
        maps = {name: op(x)[0] for name, op in network.body[0].edges["1<0"].ops.items()}  # (8, 16, 16) each
    p = torch.tensor(alpha, dtype=torch.float64).softmax(0)
    maps["blend"] = sum(weight * made for weight, made in zip(p, maps.values(), strict=False))
    return p, {name: made[1] for name, made in maps.items()}


# %% [markdown] tags=["slide"]
# ## Moving α moves the blend, not the maps
#
# One digit on one edge: five operations, and their blend.
#
# Note:
# 1 min. First column from the left: zero, skip, average, the two convolutions, the blend. Above each map its share.
# First row: equal shares. Second row: α of the 3×3 convolution raised by two; the five maps are the same, the blend has
# come nearer to the convolution's. That is the direct part, as a picture. The part through the weights would change the
# maps themselves, because the weights would follow.

# %% tags=["slide-output"]
rows = [blend([0.0] * 5), blend([0.0] * 4 + [2.0])]
with plots.style():
    figure = Figure(figsize=(8.2, 4.2))
    panels = figure.subplots(2, 6)
    for row, (p, maps) in zip(panels, rows, strict=True):
        inside.show_row(row, [(name, made) for name, made in maps.items()])
        for panel, share in zip(row, [*(f"{100 * x:.0f} %" for x in p), "= sum"], strict=True):
            panel.set(xticks=[], yticks=[], xlabel=share)
    figure.suptitle("Below, α of conv_3x3 is larger by 2: the same maps, another blend", x=0.01, ha="left")
alt = "Both rows show the same five maps. In the second the 3×3 convolution has 65 %, and the blend looks like it."
plots.show(figure, alt)

# %% [markdown]
# What we see: two rows with the same five maps and two blends. That is the **direct part**, as a picture: α moves the
# blend and leaves the maps alone. The part **through the weights** is what we do not see here: had α been different,
# the convolutions would have been trained differently, and their maps would be others.
#
# ## Three gradients of a network
#
# The package has three functions for the hypergradient, and you know all three:
#
# | function in `gradients` | in the toy | costs |
# | --- | --- | --- |
# | `first_order` | `hypergradient(alpha, w, 0)` | one gradient |
# | `exact` | `slope_by_autograd(alpha, w, xi)` | two gradients, one of them through the other |
# | `unrolled` | what you have built | four gradients |
#
# `exact` means: exact for *one* imagined step. That step is an object, `gradients.VirtualStep`: momentum and weight
# decay, which the networks of notebook 07 have, are zero here. We take ξ = 0.1, the learning rate of our small
# searches. α has 15 entries now, so we compare *directions*: the cosine of the angle to the exact gradient is 1 for the
# same direction and 0 for a right angle. First: is your gradient the package's?

# %% [markdown] tags=["slide"]
# ## Three gradients, one question: how near to the exact one?
#
# | | in the toy | costs |
# | --- | --- | --- |
# | first order | ξ = 0 | 1 gradient |
# | exact, one step | double backward | 2, nested |
# | unrolled | what you build | 4 |
#
# Note:
# 1 min. The same three in a supernet with two thousand weights and fifteen α. Exact always means exact for one imagined
# step, not the true hypergradient of the trained network; nobody has that. We compare directions by the cosine. The
# exact one is the judge, and we can afford it because the network is small.

# %%
step = gradients.VirtualStep(xi=0.1, momentum=0, decay=0)
setting = (*small_problem(0, smooth=True), step)
problem, train, validation, _ = setting
losses = (lambda: problem.loss(train)), (lambda: problem.loss(validation))
mine = unrolled_gradient(problem.alphas["cell"], list(problem.weights.values()), *losses, step.xi)
for name, function in (("package's unrolled", gradients.unrolled), ("exact", gradients.exact)):
    found = function(*setting)["cell"]
    print(f"your gradient against {name}: relative difference {(mine - found).norm() / found.norm():.0e}")
    assert (mine - found).norm() < 1e-3 * found.norm()
plots.source(gradients.unrolled)

# %% [markdown]
# What we see: yours is the package's up to rounding, and both are within a thousandth of the exact one. (Open the
# folded line to compare. The package also keeps batch norm and random numbers as they were.)
#
# **Question.** How wrong is the *first order* in this fresh network? And after training? Guess two cosines. We let the
# weights fit their 32 training pictures, with α fixed, and stop now and then to compare. Five seeds, with ReLU.


# %%
def cosine(one, other):
    """Cosine of the angle between two gradients."""
    one, other = one["cell"].flatten(), other["cell"].flatten()  # (15,) each
    return float(torch.cosine_similarity(one, other, dim=0))


def compared(setting):
    """Cosine of first order and of unrolled with the exact gradient, and the training loss."""
    exact = gradients.exact(*setting)
    found = [cosine(f(*setting), exact) for f in (gradients.first_order, gradients.unrolled)]
    return [*found, setting[0].loss(setting[1]).item()]


# %%
def descend(problem, pictures, steps):
    """Train the weights on batch after batch; α stays."""
    optimiser = torch.optim.SGD(problem.weights.values(), lr=0.1, momentum=0.9)
    for _, batch in zip(range(steps), pictures, strict=False):
        optimiser.zero_grad()
        problem.loss(batch).backward()
        optimiser.step()


def on_new_pictures(seed):
    """What `compared` says after 100 steps, each on other pictures."""
    problem, train, validation = small_problem(seed)
    others = batches(digits.train, digits, 32, generator=torch.Generator().manual_seed(seed))
    descend(problem, ((images.double(), labels) for images, labels in others), 100)
    return compared((problem, train, validation, step))


# %%
stops = (0, 25, 50, 100, 200)


def while_training(seed):
    """What `compared` says at each stop of a training on the problem's own 32 pictures."""
    setting, rows = (*small_problem(seed), step), []
    for before, stop in zip((0, *stops), stops, strict=False):
        descend(setting[0], repeat(setting[1]), stop - before)
        rows.append(compared(setting))
    return rows


story = recalled("03_while_training", while_training, range(5))  # (5 seeds, 5 stops, 3)

# %% [markdown] tags=["slide"]
# ## Nearly right when fresh, astray while the weights fit
#
# The weights fit their 32 training pictures; α is fixed; five seeds.
#
# Note:
# 1.5 min. Left end: a fresh network. The first order has a cosine of 0.99; people who compare the two only here
# conclude that second order is a waste. Then the weights fit their pictures. In the middle the first order points
# somewhere else, for some seeds at a right angle. The unrolled gradient stays near the exact one throughout. At the
# right end the pictures are fitted, slopes are small, and both agree again.

# %% tags=["slide-output"]
figure = plots.lines(
    stops,
    {name: story[:, :, which].T for which, name in enumerate(("first order", "unrolled"))},
    title="While the weights fit, the first order goes astray (5 seeds)",
    x_label="steps of training on the 32 pictures",
    y_label="cosine with the exact gradient",
)
alt = "Unrolled stays near 1. First order starts near 1, falls to about 0.4, differently by seed, and comes back."
plots.show(figure, alt)

# %%
for stop, row in zip(stops, story.transpose(1, 0, 2), strict=True):  # (5 seeds, 3)
    first, second, loss = row.T
    spread = f"{first.mean():.3f} ({first.min():.2f} to {first.max():.2f})"
    print(f"step {stop:3}: L_train {loss.mean():.2f}, first order {spread}, unrolled {second.mean():.3f}")
ordinary = recalled("03_new_pictures", on_new_pictures, range(5)).mean(0)
print("after 100 steps on new pictures: L_train {2:.2f}, first order {0:.3f}, unrolled {1:.3f}".format(*ordinary))

# %% [markdown]
# What we see: on the 32 pictures that the weights are fitting, the unrolled gradient stays close to the exact one. The
# first order begins well, goes astray in the middle, in one seed so far that it points the wrong way, and comes back
# once the pictures are learnt. On new pictures in each step it is as good as exact; but there the network has hardly
# begun to learn, so this says nothing about later steps.
# So what the second order brings depends on *when* you ask. Why it is the middle, we did not test.

# %%
quiz("first_step_only")

# %% [markdown]
# ## How small should ε be in a network?
#
# Look at the finite difference alone. We compare the *part through the weights*, which is what it estimates, with
# the exact one, and report the relative error. An error of 1 means: no better than leaving the part out. We sweep r,
# the distance of $w^\pm$ from w. The direct part is `exact` without the word `create_graph`.


# %%
def direct_part(problem, train, validation, step):
    """∂L_val/∂α at w', where w' counts as a constant."""
    (slope,) = gradients.gradient(problem.loss(train), problem.weights)
    ahead = step(problem.weights, slope)
    return gradients.gradient(problem.loss(validation, ahead), problem.alphas)[0]


def sweep(seed, radii, **kind):
    """Relative error of the part through the weights, for each r."""
    setting = (*small_problem(seed, **kind), step)
    direct, right = direct_part(*setting)["cell"], gradients.exact(*setting)["cell"]
    found = [gradients.unrolled(*setting, r=r)["cell"] for r in radii]
    return [float((one - right).norm() / (right - direct).norm()) for one in found]


# %%
radii = 10.0 ** -np.arange(10)
errors = {"GELU, float64": sweep(2, radii, smooth=True)}
errors["GELU, float32"] = sweep(2, radii, smooth=True, dtype=torch.float32)
errors["ReLU, float64"] = sweep(2, radii)
for r, *row in zip(radii, *errors.values(), strict=True):
    print(f"r = {r:.0e}:", ",  ".join(f"{n} {e:.0e}" for n, e in zip(errors, row, strict=True)))

# %% [markdown] tags=["slide"]
# ## Smooth networks have a best ε; with ReLU smaller can be worse
#
# Note:
# 1.5 min. Small r is to the right. Smooth network: the error falls a hundredfold for each ten, that is truncation, ε
# squared; then round-off takes over, in float32 already near 0.01, the paper's value. With ReLU slopes jump where a
# neuron switches. If one switches between w minus and w plus, the jump is divided by 2ε and the error grows. It ends
# only when no neuron switches any more.

# %% tags=["slide-output"]
figure = plots.lines(
    radii,
    errors,
    levels={"left out (error 1)": 1},
    title="Smooth networks have a best ε, others need not",
    x_label="distance r from w to w⁺",
    y_label="relative error",
)
figure.axes[0].set(xscale="log", yscale="log", xlim=(2, 5e-10))
alt = "Error, small r to the right. Smooth: falls, then rises, earlier in float32. ReLU: far above 1, then down."
plots.show(figure, alt)

# %%
smooth, coarse, _ = errors.values()
best, best_coarse = radii[np.argmin(smooth)], radii[np.argmin(coarse)]
print(f"smooth: from r = 0.01 to 0.001 the error becomes {smooth[2] / smooth[3]:.0f} times smaller")
print(f"smooth: best r {best:.0e}, in float32 {best_coarse:.0e}")
assert 80 < smooth[2] / smooth[3] < 120 and 1e-7 < best < 1e-3 < 2 * best_coarse < 1
for seed in (0, 1, 2):
    wide, middle, narrow = sweep(seed, [1e-2, 1e-3, 1e-4])
    print(f"ReLU, seed {seed}: r = 1e-2 {wide:.1f}, 1e-3 {middle:.1f}, 1e-4 {narrow:.1f}")
    assert 0.1 < wide < middle < narrow and narrow > 1

# %% [markdown]
# What we see for the smooth network: r ten times smaller, error a hundred times smaller. That is ε², the
# truncation error. Then round-off takes over, near r = 10⁻⁵ in float64 and already near 10⁻² in float32: the
# paper's 0.01 is a sensible choice.
#
# With ReLU nothing of the kind. A ReLU is off or on, so the slopes *jump* where a neuron switches. If one switches
# between $w^-$ and $w^+$, the difference contains its jump J, and dividing by 2ε gives an error J/2ε that *grows*
# as ε shrinks. So it does for all three seeds from r = 0.01 to 0.0001. The error ends only when ε is so small that
# none switches any more. (Between, a single neuron close to its switch can carry the error very high, as in the
# green curve, which is seed 2. How high depends on the last digits.)
#
# Yet the *whole* gradient had a good cosine above: it is the direct part minus ξ times this noisy one, and a small ξ
# hides a large error. Keep the lesson: test a finite difference on a smooth network in float64, where it must converge.

# %%
quiz("a_kink_in_between")

# %% [markdown]
# ## What can go wrong
#
# The line `hessian = [(p-n) / 2.*eps for p, n in …]` stands in
# [pt.darts](https://github.com/khanrc/pt.darts/blob/48e71375c88772daac376829fb4bfebc4fb78144/architect.py#L108), a
# widely read implementation, and in ports of it. Python reads it as `((p - n) / 2.) * eps`: multiplied by ε where
# it should be divided. Nothing crashes, and the search still finds cells. The package keeps such bugs in a *museum*: in
# the block below, our own `unrolled` has this one.

# %% [markdown] tags=["slide"]
# ## 1 min: What is wrong with this line?
#
# `hessian = [(p-n) / 2.*eps for p, n in zip(dalpha_pos, dalpha_neg)]`
#
# `eps` is the ε of today. The line stands in a widely read public implementation.
#
# Note:
# 1.5 min. Let them find it: brackets. Python multiplies by eps. With eps of a hundredth the part through the weights is
# ten thousand times too small, so second order is first order in disguise, at four times the cost. Nothing crashes, the
# search finds cells, people published with it. Then ask: what check would have caught it? The next slide has one.

# %% [markdown] tags=["slide", "answer"]
# `(p - n) / 2. * eps` multiplies by ε. It should be `(p - n) / (2. * eps)`.


# %%
def error_at(r):
    """Distance of our unrolled gradient to the exact one, in a smooth network."""
    return (gradients.unrolled(*setting, r=r)["cell"] - truth["cell"]).norm()


truth, direct = gradients.exact(*setting), direct_part(*setting)
for name, bug in (
    ("healthy", museum.replaced(gradients, "norm", gradients.norm)),
    ("with the bug", museum.pt_darts_hessian()),
):
    with bug:
        found = gradients.unrolled(*setting)
        print(f"{name}: cosine with exact {cosine(found, truth):.6f}, with the direct part {cosine(found, direct):.6f}")
        print(f"    from r = 0.01 to 0.001 the error becomes {error_at(0.01) / error_at(0.001):.1f} times smaller")

# %% [markdown]
# What we see: with the bug the result points where the direct part points, to six digits. All the work of the second
# order is done, and thrown away. The cosine with the exact gradient is still 0.99, so no accuracy curve would give it
# away. What does give it away is the test that a finite difference must pass: **a ten times smaller r has to bring it a
# hundred times nearer to the exact gradient.**

# %%
quiz("one_minute_check")

# %% [markdown]
# ### A step that moves nothing
#
# A second bug, in the one-shot trainer of [NNI
# 2.8](https://github.com/microsoft/nni/blob/e8c78bbab03fa651563e21cdf004220f29d9560a/nni/retiarii/oneshot/pytorch/darts.py#L244-L246)
# (function `_compute_virtual_model`): the loop says `w = w - lr * (...)`. That makes a new tensor and calls *it* w. The
# network's weight is not touched, so w' = w. (Did `check` tell you so in the build?)

# %% [markdown] tags=["slide"]
# ## A step that moves nothing looks like a step
#
# Note:
# 1 min. Two loops that differ in one sign. The first makes a new tensor and gives it the name w; the weight of the
# network has not moved. The second writes into the tensor. The first stood in NNI's trainer. The check is one line
# long: measure how far the weights moved and compare with ξ times the length of the slope.


# %% tags=["slide-code"]
def rebinding_step(weights, slopes, xi):
    for w, g in zip(weights, slopes, strict=True):
        w = w - xi * g


def moving_step(weights, slopes, xi):
    for w, g in zip(weights, slopes, strict=True):
        w -= xi * g


# %% tags=["slide-output"]
for take in (rebinding_step, moving_step):
    weights, slopes = [torch.ones(3), torch.ones(2)], [torch.ones(3), torch.ones(2)]
    take(weights, slopes, 0.1)
    distance, expected = torch.cat(weights).sub(1).norm(), 0.1 * 5**0.5  # five slopes of 1
    print(f"{take.__name__}: moved by {distance:.4f}, expected ξ·‖gradient‖ = {expected:.4f}")
    assert (abs(distance - expected) < 1e-6) == (take is moving_step)

# %% [markdown]
# What we see: the first version moves by 0. The check is one line long: after the step, the distance must be ξ
# times the length of the gradient. Both bugs are kept in the museum, and our tests must notice them.
#
# ## In this notebook we have
#
# - solved two nested problems on paper: w* = α, then $(\alpha - 1)^2$;
# - seen in the toy and in a network that the training loss cannot choose among architectures that can all fit: in the
#   network the tie breaks this way or that way, with the sizes of the two;
# - split the hypergradient into a direct part and a part through the weights; the first order keeps the first only;
# - looked one step ahead: the search rests at 2 / (1 + 2ξ), which is right for ξ = ½ and wrong for ξ = 0;
# - built the unrolled gradient, and held it against the exact one in the toy and in a network;
# - seen that the first order is nearly right in a fresh network, and goes astray while the weights fit their pictures;
# - seen that a finite difference has a best ε on a smooth network, and none to rely on with ReLU;
# - caught two real bugs with two short checks.
#
# **On your own.** Repeat the comparison during training with ξ = 1. Which of the three gradients would you trust, and
# why is "exact" not the same as "right"?
#
# ## Further reading
#
# - H. Liu, K. Simonyan, Y. Yang: [DARTS: Differentiable Architecture Search](https://arxiv.org/abs/1806.09055),
#   ICLR 2019. Section 2.3 and figure 2 are this notebook.
# - L. Franceschi and others: [Bilevel Programming for Hyperparameter Optimization and
#   Meta-Learning](https://arxiv.org/abs/1806.04910), ICML 2018: when unrolling converges to the true
#   hypergradient.
# - J. Lorraine, P. Vicol, D. Duvenaud: [Optimizing Millions of Hyperparameters by Implicit
#   Differentiation](https://arxiv.org/abs/1911.02590), AISTATS 2020: the implicit view, made practical.
# - Notebook 07 puts these gradients to work in a whole search.
#
# ## Versions

# %% [markdown] tags=["slide"]
# ## What to take home
#
# - two sets of pictures: the training loss cannot judge among what fits
# - slope = direct part + part through the weights
# - one imagined step: exact for ξ = 1/curvature only
# - a smaller ε must bring a finite difference nearer to exact
#
# Note:
# 1 min. Go back to the hands from the beginning: who changed from B to A, and at which picture? Then the homework:
# the build, eighteen minutes, and the exercises before it. The next notebook shares weights among architectures, and
# the lower problem is never solved there at all.

# %%
from platform import python_version

print(f"Python {python_version()}, torch {torch.__version__}, nas_tutorial {nas_tutorial.__version__}")
