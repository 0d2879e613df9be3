# %% [markdown]
# # 3 · Solve a bilevel problem by hand
#
# You will shrink architecture search to two numbers, solve it with a pencil, and then meet the same three
# gradients again in a network.
#
# <!-- badges -->
#
# 25 min reading · 18 min exercises · longest cell 4 s · all cells 22 s · 1.0 GB

# %% [markdown]
# ![Two boxes, one inside the other. The outer box, the architecture α, asks the validation pictures how good
# it is with its best weights. It hands an α to the inner box, the weights w, which ask the training pictures and
# hand back w*(α).](data:image/svg+xml,%3Csvg%20xmlns=%27http://www.w3.org/2000/svg%27%20width=%27760%27%20height=%27250%27%20font-family=%27Helvetica,Arial,sans-serif%27%20font-size=%2717%27%3E%3Crect%20width=%27760%27%20height=%27250%27%20fill=%27white%27/%3E%3Crect%20x=%278%27%20y=%278%27%20width=%27744%27%20height=%27234%27%20rx=%2716%27%20fill=%27%23FFF4E0%27%20stroke=%27%23E69F00%27%20stroke-width=%273%27/%3E%3Ctext%20x=%2730%27%20y=%2742%27%20font-weight=%27bold%27%3Eupper%20problem:%20the%20architecture%20%CE%B1%3C/text%3E%3Ctext%20x=%2730%27%20y=%2768%27%3Easks%20the%20validation%20pictures:%20how%20good%20are%20you%20with%20your%20best%20weights%3F%3C/text%3E%3Crect%20x=%27230%27%20y=%2792%27%20width=%27500%27%20height=%27128%27%20rx=%2714%27%20fill=%27%23E3F0F9%27%20stroke=%27%230072B2%27%20stroke-width=%273%27/%3E%3Ctext%20x=%27252%27%20y=%27126%27%20font-weight=%27bold%27%3Elower%20problem:%20the%20weights%20w%3C/text%3E%3Ctext%20x=%27252%27%20y=%27153%27%3Eask%20the%20training%20pictures:%20which%20w%20suits%20this%20%CE%B1%3F%3C/text%3E%3Ctext%20x=%27252%27%20y=%27198%27%20fill=%27%2300406B%27%3Efit%20the%20weights%20until%20nothing%20improves:%20w*%28%CE%B1%29%3C/text%3E%3Cpath%20d=%27M60%20130H218M208%20123L218%20130L208%20137%27%20fill=%27none%27%20stroke=%27%23222%27%20stroke-width=%273%27/%3E%3Ctext%20x=%2766%27%20y=%27120%27%3Etry%20this%20%CE%B1%3C/text%3E%3Cpath%20d=%27M226%20196H64M74%20189L64%20196L74%20203%27%20fill=%27none%27%20stroke=%27%23222%27%20stroke-width=%273%27/%3E%3Ctext%20x=%2766%27%20y=%27186%27%3Ehere%20is%20w*%28%CE%B1%29%3C/text%3E%3C/svg%3E)
#
# One question sits inside another. That is all "bilevel" means, and it is the whole difficulty of this notebook.

# %% [markdown]
# ## You will do, learn, need
#
# **Do.** Solve a bilevel problem on paper. Watch four searches come to rest at four different places. Take the
# gradient of a gradient with autograd, and again without it. Catch two bugs that sat unnoticed in public code.
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
import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import FloatSlider
from torch import nn

from nas_tutorial import data, museum, plots, spaces, widgets
from nas_tutorial.exercises import check, exercise, hint, solution  # noqa: F401
from nas_tutorial.strategies import gradients, toy
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
# - **A.** At α = 1. Ignoring the weights only costs time, because step 2 repairs it.
# - **B.** Nowhere. α and the weights chase each other in a circle.
# - **C.** At a wrong α, and smaller steps do not help.
#
# Write down a letter and one sentence why. The answer comes in the section *Four searches, four places*.

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
# In a real search one look at the upper loss costs a complete training. So we begin with a problem in which
# training takes no time.

# %% [markdown]
# ## A toy with two numbers
#
# The authors of DARTS drew this toy in figure 2 of their paper: one architecture number α, one weight w, two
# losses.
#
# $$L_{val} = \alpha w - 2\alpha + 1 \qquad\qquad L_{train} = w^2 - 2\alpha w + \alpha^2$$
#
# **Question.** Take a pencil. For a fixed α, which w makes the training loss smallest? (Look for a square.)
#
# The training loss is $(w - \alpha)^2$. It is smallest, namely zero, at $w^* = \alpha$. That is the lower problem,
# solved.

# %%
for alpha in (0.0, 0.5, 1.0, 2.0):
    w = alpha  # the lower problem, solved by hand
    losses = training_loss(alpha, w), validation_loss(alpha, w)
    print("α = {}, w* = {}:  L_train = {:.2f},  L_val = {:.2f}".format(alpha, w, *losses))
assert all(training_loss(a, a) == 0 for a in (0.0, 0.5, 1.0, 2.0))
assert [validation_loss(a, a) for a in (0.0, 0.5, 1.0, 2.0)] == [1, 0.25, 0, 1]

# %% [markdown]
# What we see: after training, *every* α has training loss 0. The training data have been used up by the weights;
# they cannot tell architectures apart any more. The validation loss can: it is 1 at α = 0 and α = 2, and 0 at
# α = 1. So a search keeps two sets of data.

# %% [markdown]
# ## The upper problem, solved
#
# Put w* = α into the validation loss:
#
# $$L_{val}(\alpha, w^*(\alpha)) = \alpha^2 - 2\alpha + 1 = (\alpha - 1)^2.$$
#
# The best architecture is α = 1, with loss 0. Two lines of algebra, and the search is over.
#
# A network gives us no such formula. There we stand at some α and need the *slope*: which way is down? So let us
# pretend that we cannot see the whole curve, and stand at α = 2 with trained weight w = 2.
#
# **Question.** At this place, how does the validation loss change if α moves and w stays at 2?

# %%
alphas = np.linspace(-0.2, 3.2, 100)
with plots.style():
    figure, axes = plt.subplots(figsize=(7.5, 4))
    axes.plot(alphas, validation_loss(alphas, alphas), marker="", label="w follows α: (α − 1)²")
    axes.plot(alphas, validation_loss(alphas, 2.0), "--", marker="", label="w stays at 2")
    axes.plot(2, 1, "ko", markersize=10)
    axes.set(xlabel="architecture α", ylabel="validation loss")
    axes.set_title("At α = 2 a frozen weight makes the slope vanish")
    axes.legend()
plots.show(
    figure,
    alt="Validation loss against α. With w = α it is the parabola (α − 1)², steep at α = 2; "
    "with w = 2 fixed it is a horizontal line through the same point.",
)

# %% [markdown]
# What we see: both curves pass through the same point. But with w frozen at 2 the loss is 1 for every α: the
# dashed line is flat, and gives no hint that a better architecture exists.

# %% [markdown]
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

# %%
alpha, w = 2.0, 2.0
direct, through_the_weights = w - 2, alpha * 1
total = direct + through_the_weights
print(f"direct {direct:.0f} + through the weights {through_the_weights:.0f} = {total:.0f}")
print(f"slope of (α − 1)²: {2 * (alpha - 1):.0f}")
assert direct == 0 and total == 2 * (alpha - 1) == 2

# %% [markdown]
# What we see: at this point the direct part is 0 and the whole slope, 2, comes through the weights. Whoever keeps
# the direct part only, stands still here. Keeping only the direct part is called **first order**.

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


# %%
def slope_by_autograd(alpha, w, xi):
    """dL_val(α, w'(α))/dα: the gradient of a loss that has a gradient inside."""
    alpha, w = (torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (alpha, w))
    (training_slope,) = torch.autograd.grad(training_loss(alpha, w), w, create_graph=True)
    ahead = w - xi * training_slope
    return float(torch.autograd.grad(validation_loss(alpha, ahead), alpha)[0])


# %%
places = [(2.0, 2.0, 0.0), (2.0, 2.0, 0.3), (2.0, -2.0, 0.3), (0.5, 1.0, 0.5)]
for alpha, w, xi in places:
    pencil, autograd = hypergradient(alpha, w, xi), slope_by_autograd(alpha, w, xi)
    print(f"α = {alpha}, w = {w:4}, ξ = {xi}: pencil {pencil:5.2f}, autograd {autograd:5.2f}")
    assert abs(pencil - autograd) < 1e-12

# %% [markdown]
# What we see: pencil and autograd agree. (`toy.hypergradient` is the formula above, one line of Python.)

# %% [markdown]
# ## Four searches, four places
#
# Now search. Each round takes one step of α down the look-ahead slope, then one step of training for w. Both start
# far away, at α = 2 and w = −2. Only ξ differs.


# %%
def draw_map(axes):
    """The plane of α and w: heights of the training loss, its valley, and the best place."""
    a, w = np.meshgrid(np.linspace(-0.2, 3.2, 80), np.linspace(-2.3, 3.4, 80))
    axes.contour(a, w, training_loss(a, w), [0.1, 1, 4, 9, 16], colors="#CCCCCC", linewidths=1)
    axes.axline((0, 0), slope=1, color="#777777", linestyle=":", label="trained: w = α")
    axes.plot(1, 1, "k*", markersize=24, mfc="white", label="best: α = 1", linestyle="")
    axes.set(xlabel="architecture α", ylabel="weight w")


# %%
def draw_paths(xis, title, **rates):
    """The path of a search for each ξ; a marker where it comes to rest."""
    with plots.style():
        figure, axes = plt.subplots(figsize=(7.5, 5))
        draw_map(axes)
        for xi, colour, marker in zip(xis, plots.SERIES, plots.POINTS, strict=False):
            end = {"marker": marker, "markevery": [-1], "markersize": 11}
            alphas, weights = zip(*toy.search(xi, **rates), strict=True)
            axes.plot(alphas, weights, color=colour, label=f"ξ = {xi:g}", **end)
        axes.set_title(title)
        axes.legend(loc="upper left", frameon=True, framealpha=1, edgecolor="white")
    return figure


# %%
plots.show(
    draw_paths((0, 0.1, 0.3, 0.5), "The further it looks ahead (up to ½), the better its place"),
    alt="Four paths in the plane of α and w, all from α = 2, w = −2. Each bends onto the line "
    "w = α; they end at α = 2, 1.67, 1.25 and 1 for ξ = 0, 0.1, 0.3 and 0.5.",
)

# %% [markdown]
# What we see: all four paths bend onto the dotted line, where the weight is fully trained. They come to rest at
# different places *on* it. The grey lines are heights of the training loss.
#
# **Question.** Can you compute the four places? At rest, w = α, so w' = α too, and the look-ahead slope is zero:
#
# $$(\alpha - 2) + 2\xi\alpha = 0 \quad\Rightarrow\quad \alpha_\infty = \frac{2}{1 + 2\xi}.$$

# %%
for xi, place in ((0.0, 2), (0.1, 1.6667), (0.3, 1.25), (0.5, 1)):
    alpha, w = toy.search(xi)[-1]
    loss = validation_loss(alpha, w)
    print(f"ξ = {xi}: search {alpha:.4f}, formula {resting_point(xi):.4f}, L_val {loss:.4f}")
    assert abs(alpha - resting_point(xi)) < 1e-6 and round(w, 4) == round(alpha, 4) == place

# %% [markdown]
# What we see: ξ = 0 ends at α = 2, which is as bad as α = 0 was. ξ = 0.1 ends at 1.6667, ξ = 0.3 at 1.25, and
# ξ = 0.5 at the true optimum, 1.
#
# **Back to your prediction.** The first order is ξ = 0, and its place is wrong. Do smaller steps help?

# %%
for rate in (0.05, 0.01, 0.002):
    alpha, w = toy.search(0.0, steps=round(30 / rate), alpha_rate=rate)[-1]
    print(f"step size {rate}: rests at α = {alpha:.3f}")
    assert abs(alpha - 2) < 0.01

# %% [markdown]
# **C** is right. A smaller step arrives at the same wrong place, α = 2, only later: it is the *direction* that is
# wrong, not the length. **A** forgets that step 2 repairs the weights, never the slope. **B** is not far off: look
# at how the ξ = 0 path swings out to larger α before it turns back. It winds inwards, so it does end.

# %%
farthest = max(alpha for alpha, _ in toy.search(0.0))
print(f"the path of ξ = 0 swings out to α = {farthest:.2f} before it comes back to 2")
assert 2.3 < farthest < 3.2

# %% [markdown]
# ## Why one half is exact
#
# **Question.** Why is just ξ = ½ perfect, and is more even better?
#
# Stand at the start, α = 2 and w = −2. The training loss $(w-\alpha)^2$ has curvature 2. A step of 1/curvature = ½
# jumps to the bottom of a parabola from anywhere: w' = α. One imagined step is then a complete training.

# %%
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
# exact if ξ = 1/curvature, and cannot be exact for a network, whose millions of weights have as many curvatures.

# %% [markdown]
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


# %%
def training_slope_in_alpha(alpha, w):
    """∂L_train/∂α, by hand."""
    return -2 * w + 2 * alpha


def slope_by_differences(alpha, w, xi, epsilon):
    """The look-ahead slope without any second derivative."""
    ahead = toy.look_ahead(alpha, w, xi)
    direct, v = ahead - 2, alpha
    plus, minus = (training_slope_in_alpha(alpha, w + sign * epsilon * v) for sign in (1, -1))
    return direct - xi * (plus - minus) / (2 * epsilon)


# %%
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
# which shrinks with ε². A good ε balances the two.

# %% [markdown]
# ## A network has the same two losses
#
# Enough of toys. Here is a real problem, kept tiny: the supernet of the 125-cell space on embedded digits. Its
# architecture parameters α are 15 numbers (3 edges × 5 operations), its weights are all of its convolutions. 32
# training pictures make the lower loss, 32 validation pictures the upper one.
#
# We also want a *smooth* twin of the network: GELU in place of ReLU. It will matter soon. All is computed in
# float64.

# %%
digits, space = data.load("digits", seed=0), spaces.Tiny()


def smoothed(module):
    """The module with GELU for every ReLU."""
    for name, child in module.named_children():
        if isinstance(child, nn.ReLU):
            setattr(module, name, nn.GELU())
        else:
            smoothed(child)
    return module


# %%
def batch(split, generator, dtype):
    """32 pictures and their labels."""
    images, labels = next(batches(split, digits, 32, generator=generator))
    return images.to(dtype), labels


def tiny_problem(seed, smooth=False, dtype=torch.float64):
    """Supernet with α, training batch, validation batch: what each gradient function takes."""
    with seeded(seed) as generator:
        network = space.supernet(digits.classes, digits.channels)
        alpha = space.alphas(generator, scale=0.1)["cell"].detach().to(dtype).requires_grad_()
        both = [batch(split, generator, dtype) for split in (digits.train, digits.validation)]
    network = (smoothed(network) if smooth else network).to(dtype)
    return gradients.Bilevel(space, network, {"cell": alpha}), *both


# %%
problem, train, validation = tiny_problem(0)
count = sum(w.numel() for w in problem.weights.values())
print(f"{count} weights, {problem.alphas['cell'].numel()} architecture parameters")
assert problem.alphas["cell"].shape == (3, 5)

# %% [markdown]
# Three functions in `nas_tutorial.strategies.gradients` estimate the hypergradient, and you know all three:
#
# | function | in the toy | costs |
# | --- | --- | --- |
# | `first_order` | `hypergradient(alpha, w, 0)` | one gradient |
# | `exact` | `slope_by_autograd(alpha, w, xi)` | two gradients, one of them through the other |
# | `unrolled` | `slope_by_differences(alpha, w, xi, epsilon)` | four gradients |
#
# We take ξ = 0.1, the learning rate of our small searches. α has 15 entries now, so we compare *directions*: the
# cosine of the angle to the exact gradient is 1 for the same direction and 0 for a right angle.
#
# **Question.** How wrong is the first order here? Guess a cosine before you run the cell.

# %%
step = gradients.VirtualStep(xi=0.1)


def cosine(one, other):
    """Cosine of the angle between two gradients."""
    one, other = one["cell"].flatten(), other["cell"].flatten()  # (15,) each
    return float(torch.cosine_similarity(one, other, dim=0))


def cosines(seed, smooth):
    """Cosines of first order and unrolled with the exact gradient."""
    setting = (*tiny_problem(seed, smooth), step)
    right = gradients.exact(*setting)
    return [cosine(f(*setting), right) for f in (gradients.first_order, gradients.unrolled)]


# %%
table = {smooth: [cosines(seed, smooth) for seed in range(5)] for smooth in (False, True)}
for smooth, name in ((False, "ReLU"), (True, "GELU")):
    for seed, (first, second) in enumerate(table[smooth]):
        print(f"{name}, seed {seed}:  first order {first:.4f},  unrolled {second:.5f}")
    means = np.mean(table[smooth], axis=0)
    print(f"{name}, mean:    first order {means[0]:.3f},   unrolled {means[1]:.3f}\n")

# %%
first, second = np.array(table[False]).T
better = int((second > first).sum())
print(f"with ReLU the unrolled gradient is nearer to the exact one for {better} of 5 seeds")
assert 0.985 < first.mean() < second.mean() < 0.9999 and first.min() > 0.96 and 1 <= better <= 4
assert np.min(table[True], axis=0)[1] > 0.9999 > np.max(table[True], axis=0)[0]

# %% [markdown]
# What we see, and it is humbling: the first order is *nearly right* here. Its mean cosine over five seeds is
# 0.994, and 0.98 at worst. In the toy it was a disaster because we stood where the direct part vanishes; a fresh
# network seldom stands there.
#
# The unrolled gradient is nearer on average, 0.998, but with ReLU not for every seed. On the smooth twin it is
# perfect to four decimals. Something about ReLU spoils the finite difference. What?

# %% [markdown]
# ## How small should ε be in a network?
#
# Look at the finite difference alone. We compare the *part through the weights*, which is what it estimates, with
# the exact one, and report the relative error. An error of 1 means: no better than leaving the part out, as the
# first order does.
#
# The paper sets $\varepsilon = r / \lVert v\rVert$ with r = 0.01, so that $w^\pm$ lie at distance r from w. We
# sweep r.


# %%
def direct_part(problem, train, validation, step):
    """∂L_val/∂α at the look-ahead weights w', which the weights hold inside the block only."""
    weights = problem.weights
    (training_slope,) = gradients.gradient(problem.loss(train), weights)
    with gradients.moved(weights, step(weights, training_slope)):
        return gradients.gradient(problem.loss(validation), problem.alphas)[0]


# %%
def sweep(seed, radii, **kind):
    """Relative error of the part through the weights, for each r."""
    setting = (*tiny_problem(seed, **kind), step)
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

# %%
with plots.style():
    figure, axes = plt.subplots(figsize=(8.5, 4.6))
    for name, error in errors.items():
        axes.loglog(radii, error, label=name)
    axes.axhline(1, color="#777777", linestyle=":", label="left out (error 1)")
    axes.set(xlabel="distance r from w to w⁺", ylabel="relative error", xlim=(2, 5e-10))
    axes.set_title("Smooth networks have a best ε; with ReLU smaller can be worse")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
plots.show(
    figure,
    alt="Relative error against r, logarithmic, small r to the right. Smooth: falls with r squared, "
    "then rises; in float32 it turns earlier. ReLU: near 1, then far above, then down.",
)

# %%
smooth, coarse, _ = errors.values()
falls = smooth[2] / smooth[3]
best, best_coarse = radii[np.argmin(smooth)], radii[np.argmin(coarse)]
print(f"smooth: from r = 0.01 to 0.001 the error becomes {falls:.0f} times smaller")
print(f"smooth: best r {best:.0e}, in float32 {best_coarse:.0e}")
assert 80 < falls < 120 and 1e-7 < best < 1e-3 < 2 * best_coarse < 1

# %%
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
# **So is DARTS wrong to use it?** Not quite. The total gradient is the direct part minus ξ times this noisy one,
# and we saw its cosine: 0.998 on average. Small ξ hides a large error. Keep two lessons. Test a finite difference
# on a smooth network in float64, where it must converge. And do not believe that second order is better merely
# because it costs four times as much.

# %% [markdown]
# ## Look inside
#
# One search as a still picture: ξ = 0.2.

# %%
plots.show(
    draw_paths([0.2], "With ξ = 0.2 the search rests at α = 1.43"),
    alt="The path of a search with ξ = 0.2 from α = 2, w = −2. It bends onto the line w = α and "
    "rests at α = 1.43, right of the best architecture at 1.",
)
assert round(resting_point(0.2), 2) == 1.43

# %% [markdown]
# Now move the sliders. Answer before you move:
#
# 1. Which ξ brings the search to rest at α = 0.8, on the *other* side of the optimum?
# 2. The second slider is the learning rate of the weight: how fast w catches up. Does it change where the search
#    rests? Does it change the path?
# 3. At which ξ does the path stop swinging out to the right of α = 2?


# %%
def path_picture(xi, weight_rate):
    """The picture for two slider positions, and a line that says what it shows."""
    path = toy.search(xi, weight_rate=weight_rate)
    out, rest = max(alpha for alpha, _ in path), path[-1][0]
    line = f"ξ = {xi:.2f}: from α = 2 out to {out:.2f}, at rest at {rest:.3f}. The best is 1."
    picture = draw_paths([xi], f"At rest at α = {rest:.2f}", weight_rate=weight_rate)
    return widgets.figure(plots.html(picture, alt=line), line)


look = {"step": 0.05, "max": 0.95, "continuous_update": False}
sliders = {"xi": FloatSlider(0.2, min=0, description="ξ", **look)}
sliders["weight_rate"] = FloatSlider(0.1, min=0.05, description="rate of w", **look)
widgets.view(path_picture, **sliders)

# %% [markdown]
# <details><summary>Answers</summary>
#
# 1. Solve 2 / (1 + 2ξ) = 0.8: ξ = 0.75.
# 2. The path changes, the place does not: at rest w = α, however fast w came there.
# 3. The first slope, at α = 2 and w = −2, is w' − 2 + 2ξα = 12ξ − 4. It is negative, so that α grows, below ξ = ⅓;
#    from there on α sets off to the left.
#
# </details>

# %%
print(f"α at rest for ξ = 0.75: {resting_point(0.75):.2f}")
for xi in (0.3, 0.35):
    print(f"first slope for ξ = {xi}: {hypergradient(2.0, -2.0, xi):.1f}")
assert abs(resting_point(0.75) - 0.8) < 1e-12 and abs(hypergradient(2.0, -2.0, 1 / 3)) < 1e-12

# %% [markdown]
# ## Exercises
#
# Replace the `...` and run the cell. `check` names the mistake, `hint` shows one hint more each time you run it,
# and the solution is folded below. A stub that you leave alone is answered by the reference, so the notebook runs
# to its end.
#
# ### Exercise: Differentiate through a step · ★★☆ · 6 min
#
# A new toy: $L_{val} = w^2 - 4w + \alpha$ and $L_{train} = (w - 3\alpha)^2$. Write its look-ahead slope
# $dL_{val}(\alpha, w'(\alpha))/d\alpha$ for any α, w and ξ. Paper first.


# %%
@exercise
def new_hypergradient(alpha, w, xi):
    """dL_val(α, w')/dα with w' one step ahead."""
    ...


check(new_hypergradient)
# hint(new_hypergradient)

# %%
solution(new_hypergradient)

# %% [markdown]
# ### Exercise: Look further ahead · ★★★ · 6 min
#
# Back to the first toy. First predict on paper: where does a search with ξ = 0.4 rest? Then let α look *several*
# training steps of size ξ ahead. Write where the search rests.


# %%
@exercise
def rest_after(xi, steps):
    """α∞ for a look-ahead of several steps."""
    ...


check(rest_after)
# hint(rest_after)

# %%
solution(rest_after)

# %%
for steps in (1, 2, 4, 8):
    print(f"ξ = 0.4, {steps} steps ahead: α∞ = {rest_after(0.4, steps):.4f}")

# %% [markdown]
# If your function is right, α∞ approaches 1: a long look ahead *is* the solved lower problem. Its price is one
# gradient more for each step.
#
# ### Exercise: Take a step that is not taken · ★☆☆ · 3 min
#
# Networks are trained with momentum and weight decay. The imagined step must be the one that SGD would really take
# next: $w' = w - \xi\,(\text{momentum}\cdot\text{buffer} + \text{gradient} + \text{decay}\cdot w)$. It returns the
# new weight; w itself stays.


# %%
@exercise
def virtual_step(w, gradient, buffer, xi, momentum, decay):
    """The next weight of SGD with momentum and weight decay."""
    ...


check(virtual_step)
# hint(virtual_step)

# %%
solution(virtual_step)

# %% [markdown]
# The proof is in torch's own optimiser. Three real steps fill the buffer; then your step must land where the
# fourth one does.

# %%
w = torch.tensor([2.0, -1.0], dtype=torch.float64, requires_grad=True)
optimiser = torch.optim.SGD([w], lr=0.1, momentum=0.9, weight_decay=0.01)
for count in range(4):
    w.grad = torch.cos(w).detach()  # any gradient will do
    if count == 3:
        buffer = optimiser.state[w]["momentum_buffer"]
        predicted = virtual_step(w.detach().clone(), w.grad, buffer, 0.1, 0.9, 0.01)
    optimiser.step()
print("SGD:", w.detach().numpy().round(6), " your step:", predicted.numpy().round(6))

# %% [markdown]
# ### Exercise: Repair the second order · ★☆☆ · 3 min
#
# A colleague computes the unrolled gradient from its parts by `direct - xi * ((plus - minus) / 2. * epsilon)`.
# Here `plus` and `minus` are $\partial_\alpha L_{train}$ at $w^+$ and $w^-$. Write it correctly.


# %%
@exercise
def second_order(direct, plus, minus, xi, epsilon):
    """The unrolled gradient, DARTS eq. 8."""
    ...


check(second_order)
# hint(second_order)

# %%
solution(second_order)

# %% [markdown]
# ## What can go wrong
#
# The colleague is real. The line `(p-n) / 2.*eps` stands in
# [pt.darts](https://github.com/khanrc/pt.darts/blob/1f50da6b480e43b0a8a108d215329e18dfce8804/architect.py#L108), a
# widely read implementation, and in ports of it. Python reads it as `((p - n) / 2.) * eps`: multiplied by ε where
# it should be divided. Nothing crashes, and the search still finds cells. Let us put both versions into the same
# function.

# %%
from nas_tutorial.strategies.gradients import gradient, moved


def unrolled_with(quotient, problem, train, validation, step, r=0.01):
    """The unrolled gradient; `quotient(plus, minus, ε)` is its finite difference."""
    weights = problem.weights
    (training_slope,) = gradient(problem.loss(train), weights)
    with moved(weights, step(weights, training_slope)):
        direct, v = gradient(problem.loss(validation), problem.alphas, weights)
    epsilon, slopes = r / gradients.norm(v), []
    for sign in (1, -1):
        with moved(weights, {n: w + sign * epsilon * v[n] for n, w in weights.items()}):
            slopes.append(gradient(problem.loss(train), problem.alphas)[0]["cell"])
    return {"cell": direct["cell"] - step.xi * quotient(*slopes, epsilon)}


# %%
def right(p, n, eps):
    return (p - n) / (2 * eps)


def wrong(p, n, eps):
    return (p - n) / 2.0 * eps


setting = (*tiny_problem(0, smooth=True), step)
truth, direct = gradients.exact(*setting), direct_part(*setting)

# %%
for quotient in (right, wrong):
    found = unrolled_with(quotient, *setting)
    print(f"{quotient.__name__}: cosine with exact {cosine(found, truth):.6f}", end=", ")
    print(f"with the direct part {cosine(found, direct):.6f}")

assert cosine(unrolled_with(right, *setting), truth) > 0.9999
assert 0.98 < cosine(unrolled_with(wrong, *setting), truth) < 0.999
assert cosine(unrolled_with(wrong, *setting), direct) > 0.999999
with museum.pt_darts_hessian():
    assert cosine(gradients.unrolled(*setting), direct) > 0.999999

# %% [markdown]
# What we see: the wrong version *is* the direct part, to six digits; so is our own `unrolled` in the last two lines,
# where the package's museum puts the bug into it. All the work of the second order is done, and thrown away. The
# cosine with the exact gradient is still 0.99, so no accuracy curve would give it away. What does give it away is the
# test that a finite difference must pass: **a smaller ε has to bring it nearer to the exact gradient.**


# %%
def converges(quotient):
    """Whether a ten times smaller r makes the error at least fifty times smaller."""
    found = [unrolled_with(quotient, *setting, r=r)["cell"] for r in (0.01, 0.001)]
    wide, narrow = [(one - truth["cell"]).norm() for one in found]
    return bool(narrow < wide / 50)


print("right converges:", converges(right), "· wrong converges:", converges(wrong))
assert converges(right) and not converges(wrong)

# %% [markdown]
# ### A step that moves nothing
#
# A second bug, in the one-shot trainer of [NNI
# 2.x](https://github.com/microsoft/nni/blob/03a02232ba116320dff90ab979f24347898ac68b/nni/retiarii/oneshot/pytorch/darts.py)
# (function `_compute_virtual_model`): the loop says `w = w - lr * (...)`. That makes a new tensor and calls *it*
# w. The network's weight is not touched, so w' = w.


# %%
def rebinding_step(weights, slopes, xi):
    """Meant to move the weights by −ξ · gradient."""
    for w, g in zip(weights, slopes, strict=True):
        w = w - xi * g


def moving_step(weights, slopes, xi):
    """The same with a write in place."""
    for w, g in zip(weights, slopes, strict=True):
        w -= xi * g


# %%
for take in (rebinding_step, moving_step):
    weights, slopes = [torch.ones(3), torch.ones(2)], [torch.ones(3), torch.ones(2)]
    take(weights, slopes, 0.1)
    expected = 0.1 * 5**0.5  # five slopes of 1
    distance = torch.cat(weights).sub(1).norm()
    print(f"{take.__name__}: moved by {distance:.4f}, expected ξ·‖gradient‖ = {expected:.4f}")
    assert (abs(distance - expected) < 1e-6) == (take is moving_step)

# %% [markdown]
# What we see: the first version moves by 0. The check is one line long: after the step, the distance must be ξ
# times the length of the bracket. Both bugs are kept in the package's museum, ready to be put back into our own code,
# and our tests must notice them, so that our own gradients stay honest.

# %% [markdown]
# ## In this notebook we have
#
# - solved two nested problems on paper: w* = α, then $(\alpha - 1)^2$;
# - seen why the training loss cannot choose an architecture: after training it is the same for all;
# - split the hypergradient into a direct part and a part through the weights, and seen that the first order keeps
#   the direct part only;
# - looked one step ahead: the search rests at 2 / (1 + 2ξ), which is right for ξ = ½ and wrong for ξ = 0;
# - taken the same gradient three ways (first order, exact, finite difference), in the toy and in a network;
# - seen that a finite difference has a best ε on a smooth network, and none to rely on with ReLU;
# - caught two real bugs with two short checks.
#
# **On your own.** Train `problem.network` for twenty steps before you compare the three gradients. Is the first
# order nearer or farther from the exact one? Then try ξ = 1.

# %% [markdown]
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

# %% [markdown]
# ## Versions

# %%
from platform import python_version

print(f"Python {python_version()}, torch {torch.__version__}, nas_tutorial {nas_tutorial.__version__}")
