# %% [markdown]
# # 9 · CIFAR-10 on a GPU: search, stop, go on
#
# You will run a search as it is run in earnest: on the machine you have, stopped halfway, gone on with, and believed
# only beside its controls.
#
# <!-- badges -->
#
# 44 min reading · 30 min exercises · longest cell 7 s · all cells 45 s · 1.0 GB

# %% [markdown]
# ![Above, a search of four epochs. Below, the same search: in its third epoch the machine goes away; a file holds the
# state after the second; another machine goes on from the file. Both end in the same numbers.](pictures/09.png)
#
# ## You will do, learn, need
#
# **Do.** Print all knobs of a search, turn one, and ask for hours and memory before anything runs. Watch a search,
# break it in the middle of an epoch, go on, and compare every bit. Write that resumable search yourself. Measure what
# 16 bits and a second card do to the gradient of α. Train the found cell with several seeds, beside dice. Read
# the papers' numbers, and say why they share no table with yours.
#
# **Learn.** What a state is made of. What several cards may average, and what they must share first. Which numbers may
# stand in one table.
#
# **Need.** DARTS: notebook 07. Batch statistics: notebook 04. No GPU: where there is none, a small search on embedded
# pictures runs, and says so.

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
import shutil
import statistics  # noqa: F401
import time
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import IntSlider
from torch.nn.functional import cross_entropy

# %%
from nas_tutorial import data, drawing, measures, museum, plots, profiles, retrain, search, spaces, widgets
from nas_tutorial.exercises import check, exercise, hint, quiz, solution  # noqa: F401
from nas_tutorial.exercises.one_edge import OneEdge
from nas_tutorial.measures import describe
from nas_tutorial.networks import MultiplyAddCounter
from nas_tutorial.pictures import inside, report
from nas_tutorial.strategies import darts, gradients
from nas_tutorial.training import batches, seeded

# %% [markdown] tags=["slide"]
# ## 2 min: Two cards, half a batch each
#
# Two cards share a batch of 64 pictures. Each computes the gradient of α on its 32; the two gradients are averaged. How
# far is this from the gradient that one card gets for all 64?
#
# - **A.** By a tenth of its length or more.
# - **B.** Same direction, half the length: each card saw half.
# - **C.** In the last digits: a mean of means is the mean.
#
# Note:
# 1 min. One minute alone, a letter and a sentence why. Then hands, and the counts on the board. Say what is given: same
# weights on both cards, same α, no picture twice. Nobody is allowed to say the word statistics yet. Most people choose
# C, because the loss is a mean over pictures, and gradients are linear. That reasoning is right for many networks.

# %% [markdown]
# ## Predict first
#
# Two cards share a batch of 64 pictures of a fresh supernet. Each computes the gradient of α on its 32, and the two
# gradients are averaged. One card alone computes it on all 64. How far apart are the two results?
#
# - **A.** By a tenth of the gradient's length, or more.
# - **B.** Same direction, but half as long: each card saw half of the pictures.
# - **C.** In the last digits: the mean of two means is the mean.
#
# Write down a letter and one sentence why. The answer comes in *Several cards, one search*.

# %% [markdown] tags=["slide"]
# ## One object holds every knob
#
# | profile | machine | pictures |
# | --- | --- | --- |
# | `small` | a CPU | embedded |
# | `colab` | one card, 15 minutes | 500 of each class of CIFAR-10 |
# | `paper` | a large card, days | all of CIFAR-10 |
#
# Note:
# 1 min. A search has about thirty settings, and a paper hides half of them. Here they are in one object, which is
# printed before anything runs and kept in the result. Small is what we used so far. Colab is reckoned for a card that
# one gets for free. Paper is what was published. The notebook picks by itself, and its first line says why it picked.

# %% [markdown]
# ## One object holds every knob
#
# A *profile* is everything from pictures to retraining, for one kind of machine: `small` for a CPU, `colab` for one
# card and a quarter of an hour, `paper` as published. `pick` looks at the machine. On a GPU this notebook searches
# CIFAR-10 (500 pictures of each class, downloaded) by the profile `colab`. Without one it takes `small`, and turns a
# few knobs further down, so that a lesson is enough: the smallest space, drawn strokes, four epochs.

# %%
on_gpu = torch.cuda.is_available()
lesson = {} if on_gpu else {"name_or_path": "strokes", "per_class": 600, "epochs": 4}
profile = profiles.pick("nasbench201" if on_gpu else "tiny", "darts", **lesson)
print(profile)

# %% [markdown]
# Read the first line: it says which profile you got, and why. Each knob has a name, and a copy with one knob turned is
# one call. A misspelt knob is refused:

# %%
turned = profile.changed(alpha_rate=0.01)
print(f"alpha_rate {profile.config.alpha_rate} → {turned.config.alpha_rate}; epochs stay {turned.config.epochs}")
try:
    profile.changed(alpha_rat=0.01)
except ValueError as refusal:
    print(str(refusal)[:96], "…")

# %% [markdown] tags=["slide"]
# ## Ask for hours and memory first
#
# - hours: trial steps of another search, thrown away
# - memory: counted; on a card, measured
#
# Note:
# 1 min. Before a search begins, it does two or three steps of another search like it, throws that away, and multiplies.
# On a card the memory is measured, on a CPU counted. The second line is a search that is far too long: the sentence
# names the knob and the value that would fit. The last one would not fit into memory: it is refused before a single
# byte is taken. Ask why the trial search is thrown away: its random numbers must not touch the real one.

# %% [markdown]
# ## Ask before you start
#
# What will it take? `estimate` times steps of another search like this one, which is thrown away, and counts memory (on
# a GPU it is measured). Then two searches that will not do.

# %%
pictures = data.load(**profile.pictures)
print(pictures)


def begin(profile, **how):
    """A search of this profile, which has not run yet."""
    return search(profile.space, pictures, profile.strategy, profile=profile, seed=0, **how)


# %% tags=["slide-output"]
expected = begin(profile).estimate()
print(expected)
print(begin(profile.changed(epochs=50_000)).estimate().too_long(minutes=15))

# %%
try:
    search(spaces.get("darts", "paper", channels=4096), pictures, "darts")
except ValueError as refusal:
    print(refusal)

# %% [markdown]
# What we see: hours and gigabytes before anything runs, and the knob that helps. The idea is simple enough to write.
#
# ### Exercise: How many hours? · ★☆☆ · 4 min
#
# `seconds` are a few timed trial steps; the first is slower than all others (memory is reserved, code compiled). Of the
# others take the *shortest*: whatever disturbs a step makes it longer. `steps` make an epoch.


# %%
@exercise
def hours(seconds, steps, epochs):
    """Hours of a search, from the seconds of a few trial steps."""
    ...


check(hours)
# hint(hours)
solution(hours)
print(f"steps of 0.4 s, 390 an epoch, 50 epochs: {hours((3.0, 0.42, 0.4, 0.55), 390, 50):.1f} h")

# %% [markdown] tags=["slide"]
# ## 1 min: Why not time the first step?
#
# Note:
# 1 min. Alone, hands, click. Half of the class will say that the first step is like any other. It is not: the first
# pass reserves memory, picks kernels, and with compile it compiles the whole network, which takes minutes. An estimate
# that includes it is wrong by whatever that costs. The opposite mistake is to forget that validation pictures are
# classified as well: the package counts these.

# %% tags=["slide-output"]
quiz("the_first_step")

# %% [markdown] tags=["slide"]
# ## Pictures lie on the card as bytes
#
# - one byte a number, not four: all of CIFAR-10 in 184 MB
# - sent once; batches are *indexed* there
# - cropped, mirrored and cut there, all pictures of a batch at once
#
# Note:
# 1 min. The usual loader reads files, decodes, crops one picture after the other on the CPU, and sends floats to the
# card, batch by batch. For small pictures the card waits most of the time. Here the whole data set lies on the card, as
# the bytes it was stored in. A batch is an index, and the augmentation is a few tensor operations for all pictures of
# the batch. Ask for the factor between a byte and a float: four.

# %% [markdown]
# ## Pictures wait as bytes
#
# A card is fast, and waits for pictures. So they are sent there once, as they are stored, one byte a number, and a
# batch is an index. Numbers become floats, are cropped, mirrored and cut *there*, all pictures of a batch at once.

# %%
images = pictures.train.images
print(images.dtype, f"{images.numel() / 1e6:.2f} MB here; all of CIFAR-10: {60_000 * 3 * 32 * 32 / 1e6:.0f} MB")
moving = replace(pictures, crop=2, flip=True)  # what these pictures may be treated with, for a try


def seconds_for(size, pictures=256):
    """Seconds to augment some pictures, in groups of this size."""
    x, dice = data.normalise(images[:pictures], moving), torch.Generator().manual_seed(0)
    start = time.perf_counter()
    for part in x.split(size):
        data.augment(part, moving, dice, cutout=4)
    return time.perf_counter() - start


print(f"256 pictures one by one: {1e3 * seconds_for(1):.0f} ms, all at once: {1e3 * seconds_for(256):.1f} ms")

# %% [markdown] tags=["slide"]
# ## Watch it, break it, go on
#
# 1. run, with a folder for its state
# 2. the machine goes away, in the middle of epoch 3
# 3. the same line again: it goes on from the folder
#
# Note:
# 1 min. Free machines go away after minutes or hours, and clusters have time limits. So stopping is not an accident, it
# is the normal case. We make it happen by code: in the ninth step of the third epoch an error is raised, as if the
# connection was lost. What was computed in that epoch is lost. Then the same line is typed once more. Ask what must be
# in the folder so that the end is the same, bit for bit. Collect on the board.

# %% [markdown]
# ## Watch it, break it, go on
#
# On a free machine a search is stopped sooner or later. With `resume=` and a folder, its whole state is kept after each
# epoch. We run it, watch (α as a heat map, the cell it would be rounded to), and break it in step 9 of epoch 3.

# %%
home = TemporaryDirectory(ignore_cleanup_errors=True)  # on Colab rather a folder of your Drive
folder = Path(home.name)
whole_step = darts.DARTS.step


def lost_connection(epoch, step):
    """A block in which DARTS breaks in this step of this epoch, as if the machine went away."""
    steps = count(1)

    def breaking(self, *given):
        if self.epochs_done + 1 == epoch and next(steps) == step:
            raise ConnectionError("the machine went away")
        whole_step(self, *given)

    return museum.replaced(darts.DARTS, "step", breaking)


# %%
run = begin(profile, resume=folder / "first")
try:
    with lost_connection(epoch=3, step=9):
        widgets.watch(run)
except ConnectionError as fault:
    print(f"{fault}; whole epochs that are kept: {len(run.history)}")
shutil.copytree(folder / "first", folder / "copy", ignore=shutil.ignore_patterns(".lock"))  # for later
assert len(run.history) == 2

# %% [markdown]
# The object is thrown away, as a lost kernel would. The same line makes a new one, which finds the folder:

# %%
del run
run = begin(profile, resume=folder / "first")
print(f"it goes on after epoch {len(run.history)}")
widgets.watch(run)
found = run.result.architecture

# %% [markdown]
# And the control, a search that nobody broke. (On a GPU some sums are added up in changing order, so there the last
# digits may differ.)

# %% tags=["slide-output", "answer"]
straight = begin(profile)
with MultiplyAddCounter() as counter:
    start = time.perf_counter()
    one, other = run.result.weights, straight.result.weights
    seconds = time.perf_counter() - start
same = [torch.equal(one[name], other[name]) for name in one]
print(f"{sum(same)} of {len(same)} tensors are the same, bit for bit")
print("the same cell:", found == straight.result.architecture, found)
assert on_gpu or all(same)

# %%
print(f"estimated: {expected}")
print(f"it took {seconds:.0f} s and {counter.multiply_adds / 1e9:.1f} · 10⁹ multiply-adds")
print("kept after each epoch:", *darts.DARTS.kept, sep="\n  ")

# %% [markdown] tags=["slide"]
# ## What a state is made of
#
# | | why |
# | --- | --- |
# | network | weights, and batch norm's statistics |
# | alphas | in no module |
# | descent | momentum of SGD, schedule |
# | alpha_optimiser | Adam's two means |
# | generator | order, crops |
#
# Note:
# 1 min. Compare with what is on the board. Most lists have weights and epoch. Momentum is often missing, Adam's state
# for α nearly always, and the generator always. Each of them changes what comes next. How much each one matters we
# measure at the end of the lesson. Files are written under another name first, then renamed, so that there is never
# half a file.

# %% [markdown]
# What we see: not *about* the same, but every bit, though the beginning of epoch 3 was computed twice. What was kept is
# the list above. An unfinished epoch leaves no trace: it begins anew, with the same dice. (The real seconds may be far
# from the estimate where the machine has other work.)

# %% [markdown] tags=["slide"]
# ## 1 min: Stopped at nine tenths of an epoch
#
# Note:
# 1 min. Alone, hands, click. The trap is C, that pictures would be seen twice: they are, but the first time left no
# trace. The state is that of the end of epoch six, generator included, so the same pictures come in the same order with
# the same crops. The price is time: nine tenths of an epoch. Who pays much for an epoch keeps the state more often,
# and then has to keep also which pictures are still to come. This is what the build asks for.

# %% tags=["slide-output"]
quiz("nine_tenths_of_an_epoch")

# %% [markdown]
# ### Build: Stop and go on, bit for bit · ★★★ · 18 min
#
# Now you write it: a search that may be killed at any *step*. `OneEdge` is a DARTS search on one edge, and 24 points in
# the plane; `run.step()` takes the next points and makes a step of α and one of the weights. It has eight parts:
#
# - `network`, `sgd`, `adam`, `schedule`: with `state_dict()` and `load_state_dict(…)`;
# - `alpha`: a tensor that `adam` moves; `generator`: with `get_state()` and `set_state(…)`;
# - `order`: the points still to come in this epoch, a list; `done`: how many steps were made, a number.
#
# Write `keep_going(run, path, steps)`: where there is a file at `path` (a `Path`), bring the search into that state;
# then make steps until `run.done` is `steps`, and behind *each* keep the whole state in the file (`torch.save`,
# `torch.load`). Whoever looks at `path`, at any moment, must find a whole file: write to a second file, and move it
# over the first. Four tests: the state is in the file; each part comes back; killed twice, it ends bit for bit as
# without; the file is whole at any moment. What it returns does not matter.


# %%
@exercise
def keep_going(run, path, steps):
    """Advance a search until it has made `steps` steps in all, and keep its whole state in a file behind each."""
    ...


check(keep_going)
# hint(keep_going)
solution(keep_going)

# %% [markdown]
# Use it: a search of 40 steps, killed in step 6, 17 and 30, each time gone on with by a new object with other random
# numbers.

# %%
broken, fatal = folder / "edge.pt", {6, 17, 30}


class Killed(BaseException):
    """No error of a program: the machine went away."""


class Unlucky(OneEdge):
    """A search that is killed in some of its steps, once each."""

    def step(self):
        if self.done + 1 in fatal:
            fatal.remove(self.done + 1)
            raise Killed(f"killed in step {self.done + 1}")
        super().step()


# %% [markdown] tags=["slide"]
# ## Four objects, one search
#
# Note:
# 1 min. This is the build of the homework at work. Three kills, four objects, each made with another seed, and in the
# end the same α as in a search that ran in one piece, all sixteen digits. Nothing of the seed is left, since the state
# brings everything: that is the test of a complete state. If one part was missing, the digits would differ, and the
# check says which part it was. The next slide is about a part that is easy to break while writing.

# %% tags=["slide-output"]
for attempt in count():
    edge = Unlucky(seed=attempt)
    try:
        keep_going(edge, broken, 40)
        break
    except Killed as fault:
        print(f"object {attempt}: {fault}")
quiet = OneEdge(seed=0)
for _ in range(40):
    quiet.step()
print(f"object {attempt}: done. α {edge.alpha.tolist()}")
print(f"never killed:   α {quiet.alpha.tolist()}")
assert torch.equal(edge.alpha, quiet.alpha)

# %% [markdown] tags=["slide"]
# ## Never half a file
#
# `torch.save(state, new)`, then `new.replace(path)`
#
# Who reads `path` finds the old state or the new one.
#
# Note:
# 1 min. Writing takes time, and a machine can die in the middle of it. Then the old state is gone and the new one is
# half there, after perhaps two days of computing. Renaming is one step for the file system: before it the name leads to
# the old file, after it to the new one. One more line, and no state is ever lost. The check of the build notices who
# writes in place, by a second name for the old file.

# %% [markdown] tags=["slide"]
# ## What the augmentation shows to the network
#
# Note:
# 1 min. Upper row: one picture as stored, moved, mirrored, cut. Lower row: what leaves the cell of the supernet that we
# have just searched, one channel. It answers to the falling stroke, and moves with it. In the mirror the stroke is a
# rising one, another class, and the channel hardly answers. The cut was put on the stroke, and nothing is left. So
# whether a picture may be mirrored is part of the data set, not a habit.

# %% [markdown]
# ## Look inside: what the network is shown
#
# Training pictures are augmented anew in each epoch; validation pictures never. What does that do *inside*? One
# picture, four treatments, and below what leaves the last cell of the supernet that we have just searched: one channel,
# with the final shares. Before you look:
#
# 1. Which treatment may turn one class into another?
# 2. The blank square is put where it takes most light away. What is left in the map?
# 3. Which rows of the map does a shift by two pixels invent?

# %%
supernet = profile.space.supernet(pictures.classes, pictures.channels)
weights = {name: w.cpu() for name, w in run.result.weights.items()}
supernet.load_state_dict({k.removeprefix("network."): w for k, w in weights.items() if k.startswith("network.")})
blend = profile.space.relax({"cell": weights["alpha.cell"]})
of_class = pictures.validation.images[pictures.validation.labels == 2]
clearest = of_class.float().flatten(1).std(1).argmax()
third = of_class[clearest][None]  # the picture of class 2 with the largest contrast, (1, 3, H, W)


def treated(images, crop, cutout, seed):
    """Pictures as a training would see them, as bytes again."""
    how, dice = replace(pictures, crop=crop, flip=False), torch.Generator().manual_seed(seed)
    x = data.augment(data.normalise(images, how), how, dice, cutout)
    return (255 * (x * how.std[:, None, None] + how.mean[:, None, None]).clamp(0, 1)).round().byte()


# %%
shown = {"as stored": third, "moved": treated(third, 2, 0, 3), "mirrored": third.flip(-1)}
cuts = [treated(third, 0, 4, seed) for seed in range(20)]
shown["cut"] = max(cuts, key=lambda x: float((third.float() - x).sum()))  # the one that takes most light away
others = pictures.validation.images[:63]  # batch norm needs company
states = [inside.feature_maps(supernet, pictures, torch.cat([x, others]), blend).states[-1] for x in shown.values()]
channel = int(states[0].flatten(1).var(1).argmax())

# %% tags=["slide-output"]
with plots.style():
    figure, panels = plt.subplots(2, 4, figsize=(7.6, 4.2), subplot_kw={"frame_on": False, "xticks": [], "yticks": []})
    for panel, (name, x) in zip(panels[0], shown.items(), strict=True):
        panel.imshow(x[0].permute(1, 2, 0), interpolation="nearest"), panel.set_title(name, loc="center")
    inside.show_row(panels[1], [("", state[channel]) for state in states])
    figure.suptitle(f"Class “{pictures.class_names[2]}”, and one channel behind the cell", x=0.01, ha="left")
alt = (
    "Above, a picture as stored, moved, mirrored, and cut. Below, one feature map of each: a blob at the stroke, which "
)
plots.show(
    figure, alt + "moves with it, is weak in the mirror image, and gone where the stroke is cut out.", limit=30_000
)
peaks = [float(state[channel].max()) for state in states]
print("largest value:", *(f"{name} {peak:.1f}" for name, peak in zip(shown, peaks, strict=True)), sep="  ")
assert on_gpu or peaks[0] > max(peaks[2:])

# %% [markdown]
# What we see, on strokes: this channel answers to a falling stroke wherever it stands, and far less to its mirror
# image.
#
# <details><summary>Answers</summary>
#
# 1. The mirror: a falling stroke becomes a rising one, which is another class. So strokes say `flip=False`, CIFAR-10
#    says True. What may be done to a picture belongs to the data.
# 2. Nearly nothing of what stood there: what is cut out never enters the network, which has to do without.
# 3. Those at the border: where the picture ended, there is now the mean colour.
#
# </details>
#
# And eight training pictures, as one epoch might see them; another seed is another epoch. Below that, the search once
# more: press *Play*.


# %%
def augmented(crop, cutout, seed):
    """Eight training pictures, treated, and a line of words."""
    line = f"Moved by up to {crop} pixels, squares of {cutout} pixels cut out, seed {seed}."
    x = treated(pictures.train.images[:8], crop, cutout, seed)
    sheet = plots.picture_sheet(x, pictures.train.labels[:8], pictures.class_names, title="One epoch's view")
    return widgets.figure(plots.html(sheet, line, limit=20_000), line)


sliders = {"crop": (2, 4), "cutout": (4, 8), "seed": (0, 20)}
widgets.view(augmented, **{n: IntSlider(v, min=0, max=most, description=n) for n, (v, most) in sliders.items()})

# %%
widgets.explore_alpha(run.history)

# %% [markdown] tags=["slide"]
# ## 16 bits: two ways to be short
#
# Note:
# 1 min. Thirty-two bits are split into range and digits. Sixteen have to give up one of them. bf16 keeps the range and
# has between two and three digits: one plus a thousandth is one. fp16 has three digits, but everything below sixty
# billionths is zero, which is why losses are scaled up before the gradient is taken. Cards compute several times faster
# in sixteen bits. So the question is what the rounding costs, and the honest unit for that is the noise of a batch.

# %% [markdown]
# ## 16 bits
#
# Cards compute convolutions several times faster in 16 bits. Something has to go: digits (bf16) or range (fp16).

# %% tags=["slide-output"]
for dtype in (torch.float32, torch.bfloat16, torch.float16):
    kind, one = torch.finfo(dtype), torch.tensor(1.0, dtype=dtype)
    least = kind.smallest_normal * kind.eps
    print(f"{str(dtype)[6:]:9} 1 + 0.001 = {float(one + 0.001):.4f}, next to 1: {1 + kind.eps:.6f},", end=" ")
    print(f"above zero from {least:.0e} to {kind.max:.0e}")

# %% [markdown]
# `precision=mixed` computes the convolutions in 16 bits, and *keeps* weights, α and statistics in 32. How much does
# this change the gradient of α? Ask for a unit first: the gradient changes, too, when *another* 64 pictures are drawn.
# Five fresh supernets of the NAS-Bench-201 space; this runs on any CPU.

# %%
space, strokes = spaces.get("nasbench201"), data.load("strokes", seed=0, per_class=600)


def setting(seed):
    """A fresh supernet with its α, and two validation batches of 64."""
    with seeded(seed) as dice:
        network = space.supernet(strokes.classes, strokes.channels)
        alphas = {name: a.detach().requires_grad_() for name, a in space.alphas(dice, scale=1e-3).items()}
        stream = batches(strokes.validation, strokes, 64, generator=dice)
        return gradients.Bilevel(space, network, alphas), next(stream), next(stream)


def slope(problem, images, labels):
    """∂L_val/∂α of a batch, (6 edges, 5 operations)."""
    return gradients.gradient(problem.loss((images, labels)), problem.alphas)[0]["cell"]


def apart(one, other):
    """Length of the difference, relative to the other's length."""
    return float((one - other).norm() / other.norm())


# %% tags=["slide-output"]
def in_16_bits(seed):
    """How far bf16, and another batch, take the gradient of α."""
    problem, batch, another = setting(seed)
    exact = slope(problem, *batch)
    drawn_anew = slope(problem, *another)
    problem.network.half = torch.bfloat16
    return apart(slope(problem, *batch), exact), apart(drawn_anew, exact)


rounding = np.array([in_16_bits(seed) for seed in range(5)])  # (5 seeds, 2)
for name, column in zip(("bf16", "another batch"), rounding.T, strict=True):
    print(
        f"{name:14} changes the gradient by", *(f"{x:.2f}" for x in column), f"of its length, mean {column.mean():.2f}"
    )
assert (rounding[:, 0] < rounding[:, 1]).all()

# %% [markdown]
# What we see: rounding to bf16 moves the gradient of α, and not by little. But in each of the five supernets the dice
# of the batch move it further. So 16 bits add to a noise that is there anyhow. (This is one gradient of fresh networks:
# what it does to a whole search, only whole searches with several seeds can say.)
#
# There is one gradient for which 16 bits are too few. The second order compares two gradients at $w \pm \varepsilon d$
# with a tiny ε (notebook 07). How many weights move at all?

# %%
problem, batch, _ = setting(0)
(d,) = gradients.gradient(problem.loss(batch), problem.weights)
epsilon = 0.01 / gradients.norm(d)  # the paper's
for dtype in (torch.float32, torch.bfloat16):
    pairs = [((w + epsilon * d[name]).to(dtype) == w.to(dtype)).flatten() for name, w in problem.weights.items()]
    print(f"{str(dtype)[6:]:9} {torch.cat(pairs).float().mean():.0%} of all weights stay the same number")
try:
    darts.Config(order=2, precision="bf16")
except ValueError as refusal:
    print(refusal)

# %% [markdown] tags=["slide"]
# ## 1 min: A small step in bf16
#
# Note:
# 1 min. Alone, hands, click. The number next to one is one point zero zero eight. A step of a thousandth falls back to
# one, every time, for ever. Training would simply stand still for large weights. That is why all schemes of mixed
# precision keep a copy of the weights in thirty-two bits, and only compute with rounded ones. It is the same sum that
# the slide before the last has printed.

# %% tags=["slide-output"]
quiz("a_small_step")

# %% [markdown] tags=["slide"]
# ## Several cards: same batch, joined results
#
# ```
# accelerate launch --num_processes 4 -m nas_tutorial search …
# ```
#
# - each process takes every 4th picture of the *same* batch
# - gradients are averaged
# - α's gradients, too, by hand
# - batch norm sees all parts
#
# Note:
# 1 min. Four processes, four cards, one search. All draw the same batch by the same dice, and each keeps its part. So
# batch size 64 stays 64. The weights' gradients are averaged behind backward, as everywhere. But α's gradients come
# from autograd dot grad, and torch's wrapper for several processes hooks into backward only: its documentation says so.
# And then there is batch norm. That brings us back to the question of the beginning.

# %% [markdown]
# ## Several cards, one search
#
# `accelerate launch --num_processes 4 -m nas_tutorial search …` starts four processes, one for each card. All draw the
# *same* batch, and each takes every fourth picture of it. Then the gradients are averaged. First the arithmetic.
#
# ### Exercise: One gradient from two parts · ★☆☆ · 4 min
#
# `one` is the gradient of the mean loss of `n` pictures, `other` that of `m` others. Which is the gradient of the mean
# loss of all of them?


# %%
@exercise
def joined(one, other, n, m):
    """The gradient of the mean loss of n + m pictures."""
    ...


check(joined)
# hint(joined)
solution(joined)

# %% [markdown]
# Now your prediction. Both cards can be played by one process. Three ways to take the halves: each for itself; each
# with the batch statistics of *all 64*; and, as a control, batch norm in evaluation mode, which looks at no batch.

# %%
halves = (slice(0, 32), slice(32, 64))


def two_cards(seed):
    """How far the mean of two half gradients is from the whole one, in the three ways; and, in the first, how long."""
    problem, (x, y), _ = setting(seed)
    whole, alpha = slope(problem, x, y), problem.alphas["cell"]
    logits = problem.logits(x)  # of all 64 together
    with_all = [cross_entropy(logits[part], y[part]) for part in halves]
    with_all = [torch.autograd.grad(loss, alpha, retain_graph=True)[0] for loss in with_all]
    alone = [slope(problem, x[part], y[part]) for part in halves]
    problem.network.eval()
    fixed = [slope(problem, x[part], y[part]) for part in halves]
    pairs = ((alone, whole), (with_all, whole), (fixed, slope(problem, x, y)))
    means = [torch.stack([*joined(*two, 32, 32)]) for two, _ in pairs]
    gaps = [apart(mean, right) for mean, (_, right) in zip(means, pairs, strict=True)]
    return [*gaps, float(means[0].norm() / whole.norm())]


# %% [markdown] tags=["slide"]
# ## The mean of the halves is not the whole
#
# Note:
# 1 min. A is right. Each half has its own mean and variance in every batch norm, so each card computes with another
# network. Second row: give both cards the statistics of all sixty-four, and the difference is rounding. Third row, the
# control: batch norm that looks at no batch; again rounding. So C was right about gradients, and forgot that a
# picture's output depends on its company. Compare the first row with the noise of another batch: it is of that kind.

# %% tags=["slide-output"]
cards = np.array([two_cards(seed) for seed in range(5)])  # (5 seeds, 4)
for name, column in zip(("own statistics", "joined statistics", "fixed statistics"), cards.T, strict=False):
    print(f"{name:17} differ by", *(f"{x:.0e}" if x < 1e-3 else f"{x:.2f}" for x in column), "of the length (5 seeds)")
print("own statistics: as long as the whole one, times", *(f"{x:.2f}" for x in cards[:, 3]))
assert (cards[:, 0] > 0.1).all() and (cards[:, 1:3] < 1e-3).all() and (cards[:, 3] > 0.6).all()

# %% [markdown]
# **A was right.** Gradients are linear, as **C** says, but the *loss of a picture* depends on its company: batch norm
# takes mean and variance over the batch, and two halves have two of each. With the statistics of all 64 the difference
# is rounding; where batch norm looks at no batch, too. (And **B**: the length is not halved.) Is that much? Measured in
# the unit of *16 bits*, another batch moves the gradient further. But the noise of batches averages out over the steps;
# whether this does, one step cannot say. So the package joins the statistics of all processes (`JointBatchNorm`), and a
# test holds two real processes against one, to 1e-5.
#
# And α? torch's wrapper for several processes hooks into `backward()`. α's gradients come from `autograd.grad`, which
# [it does not support](https://docs.pytorch.org/docs/stable/generated/torch.nn.parallel.DistributedDataParallel.html).
# So they are averaged by hand; what happens otherwise, see *What can go wrong*.

# %% [markdown] tags=["slide"]
# ## 1 min: Batch size on four cards
#
# Note:
# 1 min. Alone, hands, click. In many projects the batch size is that of a card, so four cards quietly mean a batch of
# two hundred and fifty-six, with another learning rate needed, and results that cannot be compared. Here the setting
# means the same on every machine. It is a choice, and one has to say which one was made. Whoever wants to use four
# cards well will raise the batch size, and then it stands in the settings.

# %% tags=["slide-output"]
quiz("four_cards")

# %% [markdown]
# ## Many machines
#
# Some work falls into parts that need nothing of each other: seeds, cells to retrain, a table. Such *trials* run on any
# number of machines; each result is a small file, so a machine may die at any time.
#
# ```sh
# nas-tutorial table --space tiny --data strokes --epochs 3 --engine ray --address auto --out table.json
# nas-tutorial table --space nasbench201 --data digits --out table.json --shard "$SLURM_ARRAY_TASK_ID/10"
# ```
#
# The first line is for a Ray cluster, the second for a Slurm array. [docs/cluster.md](../docs/cluster.md) tells how to
# begin, [docs/gpu.md](../docs/gpu.md) how several cards work on one search.

# %% [markdown] tags=["slide"]
# ## What is the found cell worth?
#
# - train it from scratch, on all training pictures
# - three seeds
# - test once, at the end
# - beside it: three random cells, trained the same way
#
# Note:
# 1 min. The number that a search prints is that of a blend with weights grown up in company; notebook seven. So the
# cell is trained again. One seed is one throw of the dice; three give a mean and a first idea of the spread. And
# without random cells beside it, no number says whether the search did anything: perhaps every cell of the space is
# that good. The same recipe and the same seeds for all.

# %% [markdown]
# ## What is the cell worth?
#
# Train it from scratch, with three seeds, on training and validation pictures together, and test each network once.
# Beside it three random cells, with the same recipe and seeds. (On the command line: `nas-tutorial retrain runs/NAME
# --seeds 0 1 2 --resume`.)

# %%
recipe = replace(profile.recipe, epochs=10 if on_gpu else 2)
cells = {"found": found} | {f"random {k}": profile.space.sample(torch.Generator().manual_seed(k)) for k in range(3)}
scores = {"found": retrain(profile.for_retraining(found), pictures, seeds=(0, 1, 2), profile=recipe).accuracies}
print("found:", *(f"{100 * score:.1f} %" for score in scores["found"]))

# %%
for name in list(cells)[1:]:
    scores[name] = retrain(profile.for_retraining(cells[name]), pictures, (0, 1, 2), recipe).accuracies
drawing.sheet(list(cells.values()), captions=list(cells))

# %% [markdown]
# ### Exercise: A band, not the best of three · ★☆☆ · 4 min
#
# Return (mean, standard deviation) of the scores of several seeds; the deviation with $n - 1$.


# %%
@exercise
def band(scores):
    """(mean, standard deviation) of several seeds."""
    ...


check(band)
# hint(band)
solution(band)

# %% [markdown] tags=["slide"]
# ## The found cell, beside dice
#
# Note:
# 1 min. Grey bars are means over three seeds, with the standard deviation, dots are single trainings. First compare the
# found cell with each random one. Then ask whether a random cell would have done as well, and how often. Three random
# cells are few; a fair statement needs more of them, and more than one search. Both cost time, which is the reason why
# people leave them out.

# %% tags=["slide-output"]
bands = {name: band(list(values)) for name, values in scores.items()}
mean, std = zip(*bands.values(), strict=True)
figure = plots.bars_with_bands(list(bands), mean, std, points=list(scores.values()))
plots.show(figure, alt="Test accuracy of the found cell and of three random cells, three trainings each, with bands.")

# %%
for name, (mean, std) in bands.items():
    print(f"{name:9} {100 * mean:5.1f} ± {100 * std:.1f} %, best of three {100 * max(scores[name]):.1f} %")
beaten = sum(bands["found"][0] > mean for mean, _ in list(bands.values())[1:])
print(f"the found cell is above {beaten} of 3 random cells")

# %% [markdown]
# How to read it: two cells are told apart only where the gap is larger than what seeds do. *Best of three* is a number
# that grows with the number of tries; it is no property of the cell. And one search with three random cells is a
# demonstration: to say that a *method* beats dice, run several searches, with seeds, at equal cost.

# %%
quiz("one_seed_more")

# %% [markdown]
# ## Two contests at one price, recorded
#
# Several searches, seeds, dice, one price: on real pictures that takes hours of a CPU, so it was recorded. The pictures
# are CIFAR-10, as a copy in JPEG quality 75, with 3,000 to test. In the space of NAS-Bench-201 (4 channels) 300 of each
# class serve to search and to train, and a search costs 300 · 10⁹ multiply-adds; in that of DARTS (4 channels, 3 cells)
# 100, and 200 · 10⁹. Each search ended within a tenth of that, with two seeds. Beside them stand four cells that nobody
# searched for. Every cell was trained from scratch three times. [The page of results](../docs/results.md) has the
# commands that make all of it again.

# %%
boards = {space: measures.leaderboard(f"cifar10_{space}") for space in ("nasbench201", "darts")}
for space, board in boards.items():
    print(f"in the space {space}:")
    for kind, lines in board.items():
        each = 100 * np.array([np.mean(line["test"]) for line in lines])
        used = " ".join(f"{line['multiply_adds'] / 1e9:.0f}" for line in lines if "config" in line) or "nothing"
        print(f"{kind:24} {each.mean():.1f} ± {each.std(ddof=1):.1f} %;", *(f"{x:.1f}" for x in each), f"; cost {used}")

# %% [markdown] tags=["slide"]
# ## Real pictures, one price: a random cell is as good as most
#
# Note:
# 2 min. Two contests that took some hours: three ways to search, two seeds each, all at one price, on real
# pictures, and four cells from the dice. A dot is a cell, the strokes are its three trainings. Begin on the left.
# Training the same cell again moves it by up to six points. DARTS and random search end together, ENAS below them,
# though its supernet saw most epochs. Two of the four cells from the dice stand beside them, one far below: this space
# has bad cells. Then look to the right, at the space of DARTS: all cells, searched or not, lie within a few points, and
# random search is first. So who would say that searching paid here? With two seeds, nobody can.

# %% tags=["slide-output"]
with plots.style():
    figure, both = plt.subplots(1, 2, figsize=(9, 2.8), sharex=True, sharey=True)
    names = sorted(board, reverse=True)
    for axes, (space, board) in zip(both, boards.items(), strict=True):
        for row, name in enumerate(names):
            each = 100 * np.array([line["test"] for line in board[name]])  # (cells, 3 trainings)
            axes.plot(each, [row] * len(each), "|", color="#777777", markersize=14)
            axes.plot(each.mean(1), [row] * len(each), "o", color=plots.SERIES["config" in board[name][0]])
        axes.set(title=f"space {space}", xlabel="test accuracy (%)", yticks=range(len(names)), ylim=(-0.5, 3.5))
    both[0].set_yticklabels(names)
alt = "Left: cells of DARTS and random search near 44 %, ENAS near 41 %, dice 27 to 43 %. Right: all from 37 to 42 %."
plots.show(figure, alt, limit=15_000)

# %% [markdown]
# A dot is a cell, the strokes beside it are its three trainings. What we see on the left: three trainings of one cell
# differ by up to six points, so two cells say little. DARTS and random search end about together, ENAS three points
# lower, although it had the most epochs. And the dice, which cost nothing? Two of their four cells stand beside what
# was found (one of them *is* what random search found), one lies far below. On the right the dice do as well as two of
# the three searches: none of these ten cells is bad, so there is little to find. [A careful
# study](https://arxiv.org/abs/1912.12522) found the same in the space of DARTS at full size. All numbers are low, as
# all is small; whether the order holds with more pictures and more seeds, these records do not say.

# %% [markdown]
# ## The papers beside it

# %% [markdown] tags=["slide"]
# ## What the papers report
#
# Note:
# 1 min. Now other people's numbers, with sources. Read one row aloud: DARTS, second order, two point seven six per cent
# error. First and second order differ by less than two of their deviations. Then point at the middle: random search
# with shared weights stands between the two. And the two rows at the bottom, of one benchmark: the best cell, and what
# DARTS found there, the cell of skips only. Our own number is not on this page, for good reason: the next slide.

# %% tags=["slide-output"]
for measure in dict.fromkeys(paper["measure"] for paper in measures.papers()):
    print(measure)
    for paper in (paper for paper in measures.papers() if paper["measure"] == measure):
        deviation = f" ± {paper['std']}" if paper["std"] is not None else ""
        print(f"{paper['value']:7}{deviation:7}  {paper['method']}; {paper['source']}")

# %% [markdown] tags=["slide"]
# ## Why these numbers share no table with ours
#
# - other pictures, network, epochs, augmentation
# - another way to select: the best of four searches
#
# Note:
# 1 min. These are errors of three per cent, ours are accuracies of far less. It is not a worse method: it is thousands
# of times less training. The network of the paper has twenty cells and thirty-six channels, it is trained for six
# hundred epochs on all fifty thousand pictures. The notebook computes the ratio. Then there are cutout, drop path, an
# auxiliary head, and how the cell was selected. A table may compare what differs in one thing only.

# %%
paper_space = spaces.get("darts", "paper").resized(**spaces.get("darts").retrained["paper"])
large = describe.stand_alone(paper_space.parse(paper_space.published["DARTS_V2"])).multiply_adds
small = describe.stand_alone(profile.for_retraining(found), pictures.classes, pictures.channels, pictures.side)
theirs, ours = 600 * 50_000 * large, recipe.epochs * len(pictures.full_train) * small.multiply_adds

# %% tags=["slide-output"]
both = f"{large / 1e6:.0f} and {small.multiply_adds / 1e6:.2f} million multiply-adds"
print(f"one picture through the paper's network, and through ours: {both}")
print(f"one training: {3 * theirs:.0e} multiply-adds, ours {3 * ours:.0e}: {theirs / ours:.0e} times as many")
assert theirs > 1000 * ours

# %% [markdown]
# (Three passes: forward, and two in backward.) So why not compare? Other pictures, network, epochs, augmentation
# (cutout, drop path, an auxiliary head), and another way to select the cell: the DARTS paper takes the best of four
# searches by validation. Rows may stand in one table if they differ in *one* thing. What you may copy from the papers
# is the question, and the `paper` profile is there for the answer, given a card and some days.
#
# Everything of your runs, the curves, cells, settings, bands and the papers' table, fits on one page:
#
# ```sh
# nas-tutorial search --space nasbench201 --strategy darts --profile colab --name first   # --resume goes on
# nas-tutorial retrain runs/first --seeds 0 1 2
# nas-tutorial report runs/* --output report.html
# ```

# %%
report.save([folder / "first"], folder / "report.html")
page = (folder / "report.html").read_text(encoding="utf-8")
print(f"a page of {len(page) / 1e3:.0f} kB that needs no network; papers on it: {'arxiv.org' in page}")

# %% [markdown] tags=["slide"]
# ## Four bugs that crash nothing
#
# | where | what |
# | --- | --- |
# | quark0/darts | α is in no file that is saved |
# | pt.darts | no optimiser, no schedule in its file |
# | NNI, two GPUs | each card finds another cell |
# | pt.darts | best epoch chosen on test pictures |
#
# Note:
# 1 min. All are public, and all run through without an error. The first two are about stopping: what is not in the file
# starts afresh, and the log looks healthy. The third was asked by a user twice: two cards, one search, two different
# cells. The fourth is the oldest mistake of the field, and makes every number a bit too good. We put each into our own
# code, or into numbers, and look at what it does.

# %% [markdown]
# ## What can go wrong
#
# **A state with holes.** In the original DARTS code α is a plain tensor, in no file that is saved
# (`museum.quark0_unsaved_alpha`); pt.darts [saves the model
# alone](https://github.com/khanrc/pt.darts/blob/48e71375c88772daac376829fb4bfebc4fb78144/utils.py#L109-L114). What does
# each hole do? We go on from our copy of epoch 2 for two epochs, and forget one part each time.

# %%
HOLES = {"α": "alphas", "Adam's means": "alpha_optimiser", "SGD and schedule": "descent", "the dice": "generator"}


def gone_on_without(part):
    """The shares after each epoch of the search that goes on without this part of its state."""
    place = folder / f"without {part}"
    shutil.copytree(folder / "copy", place)
    kept = tuple(name for name in darts.DARTS.kept if name != part)
    with museum.replaced(darts.DARTS, "kept", kept):
        ended = begin(profile, resume=place)
        next(ended), next(ended)  # two epochs more
    return np.array([event.probabilities["cell"] for event in ended.history])  # (epochs, edges, operations)


holes = {name: gone_on_without(part) for name, part in HOLES.items()}
whole = np.array([event.probabilities["cell"] for event in straight.history[:4]])

# %% [markdown] tags=["slide"]
# ## α forgotten: the search goes on, from nothing
#
# Note:
# 1 min. One share over the epochs, that of the operation which leads in the end. Black: the search that nobody broke.
# Behind epoch two the machine goes away. Whoever forgot α starts again at equal shares, with weights that were trained
# for other ones, and climbs once more. No error, no warning. The other holes are smaller, but none of them is the same
# search. For a single search one could shrug. But then no run can be repeated, and a bug looks like bad luck.

# %% tags=["slide-output"]
edge, best = np.unravel_index(whole[-1].argmax(), whole[-1].shape)
epochs = range(1, len(whole) + 1)
rows = {"never broken": whole[:, edge, best]} | {f"without {n}": h[:, edge, best] for n, h in holes.items()}
figure = plots.lines(epochs, rows, title="One share, gone on with after epoch 2", x_label="epoch", y_label="share")
figure.axes[0].set_xticks(epochs)
figure.axes[0].legend(loc="upper left")
alt = "The largest share over the epochs; all lines are one up to epoch 2, then the one without α stays far below."
plots.show(figure, alt, limit=20_000)
gaps = {name: np.abs(hole[-1] - whole[-1]).max() for name, hole in holes.items()}
print(*(f"without {name}: a share differs by up to {gap:.3f}" for name, gap in gaps.items()), sep="\n")
assert on_gpu or (min(gaps.values()) > 0 and max(gaps, key=gaps.get) == "α")

# %% [markdown]
# What we see: without α the share has to climb once more from the start. Every other hole ends in another search, too,
# and none says a word.
#
# **Two cards, two cells.** A user of NNI ran DARTS on two GPUs and [got two different
# architectures](https://github.com/microsoft/nni/issues/5110). A likely reason: the weights' gradients were averaged,
# those of α were not. In one process: two α, each with the gradient of its own half.

# %%
tiny = spaces.get("tiny")


# %%
def two_alphas(seed, together):
    """Two processes with an α each, after an epoch. together: whether the gradients of α are averaged."""
    alphas = [torch.zeros(3, 5, requires_grad=True) for _ in halves]
    with seeded(seed) as dice:
        network = tiny.supernet(strokes.classes, strokes.channels)
    sgd, adam = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9), torch.optim.Adam(alphas, 0.03)
    for x, y in batches(strokes.validation, strokes, 64, generator=dice):
        blends = [network(x[p], tiny.relax({"cell": a})) for p, a in zip(halves, alphas, strict=True)]
        sgd.zero_grad(), adam.zero_grad()
        (sum(cross_entropy(blend, y[p]) for p, blend in zip(halves, blends, strict=True)) / 2).backward()
        mean = sum(a.grad for a in alphas) / 2
        for alpha in alphas if together else ():
            alpha.grad = mean.clone()
        sgd.step(), adam.step()
    return alphas


# %% [markdown] tags=["slide"]
# ## Two cards, two architectures
#
# Weights' gradients averaged, each α with its own:
#
# Note:
# 1 min. The question that a user asked twice: two cards, one search, two different cells. Here two processes are played
# by one. The weights' gradients are averaged, each α keeps its own. After one epoch the shares differ, in all three
# seeds; the last numbers count the edges on which another operation leads. Second line: averaged, there is no
# difference at all, as both do the same sums. One line of code, and nothing crashes without it.

# %% tags=["slide-output"]
for together in (False, True):
    ends = [[alpha.detach() for alpha in two_alphas(seed, together)] for seed in range(3)]
    gaps = [float((one.softmax(1) - other.softmax(1)).abs().max()) for one, other in ends]
    split = [int((one.argmax(1) != other.argmax(1)).sum()) for one, other in ends]
    print("averaged:    " if together else "not averaged:", "shares differ by", *(f"{gap:.3f}" for gap in gaps), end="")
    print("; edges on which the cards' cells differ:", *split)
    assert max(gaps) == 0 if together else min(gaps) > 0

# %% [markdown]
# What we see: with each card's own gradient the two α have parted after one epoch, in each of three seeds; the last
# numbers tell whether the cells differ already. Averaged, they are one.
#
# **Choosing on test pictures.** pt.darts [keeps the epoch with the best
# accuracy](https://github.com/khanrc/pt.darts/blob/48e71375c88772daac376829fb4bfebc4fb78144/augment.py#L80-L91) on
# pictures that are [the test
# set](https://github.com/khanrc/pt.darts/blob/48e71375c88772daac376829fb4bfebc4fb78144/utils.py#L38). How much can that
# bring? Say the last 50 epochs are all equally good, right on 97 % of 10,000 pictures, and each errs by dice of its own
# (an upper end: real epochs err on similar pictures).

# %%
tests = np.random.default_rng(0).binomial(10_000, 0.97, (1000, 50)) / 100  # accuracies in %, (trainings, epochs)
print(f"the last epoch: {tests[:, -1].mean():.2f} %, the best of 50: {tests.max(1).mean():.2f} %")
error = {paper["method"]: paper["value"] for paper in measures.papers() if "test error (%), cutout" in paper["measure"]}
print(f"DARTS, first against second order: {error['DARTS, first order'] - error['DARTS, second order']:.2f} points")
assert tests.max(1).mean() - 97 > error["DARTS, first order"] - error["DARTS, second order"]

# %% [markdown]
# What we see: nothing got better, and the number did, by more than what separates the two orders of DARTS in their
# paper, if epochs err each by its own dice. The package tests each network once, behind its last epoch.

# %% [markdown] tags=["slide"]
# ## What to take home
#
# - print the knobs, ask for hours first
# - a state: all that the next step depends on
# - halves join only with joined statistics, α by hand
# - seeds, a band, dice beside it
# - one table: one difference
#
# Note:
# 1 min. Back to the counts on the board: who chose A? Then let them say which part of a state they would have
# forgotten. Homework is the build, eighteen minutes, with a check that names the forgotten part. Whoever has a card
# opens this notebook there, for instance on Colab, and runs all cells: it picks the larger profile by itself, and the
# same lines search on CIFAR-10.

# %% [markdown]
# ## In this notebook we have
#
# - printed one object with every knob, and asked for hours and memory before the start;
# - watched a search, broken it in the middle of an epoch, and gone on, bit for bit;
# - written a search that may be killed in any step;
# - looked at what augmentation does inside, and at what 16 bits do to the gradient of α, beside the noise of a batch;
# - found that halves of a batch join only where batch norm's statistics are joined;
# - trained the found cell with seeds and a band beside random cells;
# - put the papers' numbers beside ours, with the reasons why they share no table;
# - seen what four bugs do that crash nothing.
#
# **On your own.** With a GPU: run this notebook there, then turn one knob (`channels`, or `order=2`), with three search
# seeds each. Is the difference larger than the bands? Without: `profile.changed(per_class=1000)` and a night.
#
# ## Further reading
#
# - H. Liu, K. Simonyan, Y. Yang: [DARTS](https://arxiv.org/abs/1806.09055), ICLR 2019; its appendix has the settings of
#   the `paper` profile.
# - H. Pham et al.: [Efficient Neural Architecture Search](https://arxiv.org/abs/1802.03268), ICML 2018.
# - L. Li, A. Talwalkar: [Random Search and Reproducibility for Neural Architecture
#   Search](https://arxiv.org/abs/1902.07638), UAI 2019.
# - X. Dong, Y. Yang: [NAS-Bench-201](https://arxiv.org/abs/2001.00326), ICLR 2020.
#
# ## Versions

# %%
from platform import python_version

print(f"Python {python_version()}, torch {torch.__version__}, nas_tutorial {nas_tutorial.__version__}")
