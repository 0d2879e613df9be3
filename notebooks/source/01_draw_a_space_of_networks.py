# %% [markdown]
# # 1 · Draw a space of networks
#
# You will count, draw, name and build every network of a space, and find out how many of them are the same.
#
# <!-- badges -->
#
# 40 min reading · 37 min exercises · longest cell 3 s · all cells 13 s · 0.8 GB

# %% [markdown]
# ![Three nodes, input, node 1 and output, joined by three edges. Each edge is drawn as five lines and carries the
# number 5; a legend names them: zero, skip, average pool, 1×1 convolution, 3×3 convolution. Beside it: 5 × 5 × 5 = 125
# networks, one line on each edge.](pictures/01.png)
#
# Three edges, five possible operations on each: that is a whole search space, small enough to look at all of it.
#
# ## You will do, learn, need
#
# **Do.** Draw all 125 cells of a space on one sheet. Write cells down and read them back. Turn a cell into a network
# and look inside. Write a survey of a space from scratch: list it, find its twins, sample it. Catch two bugs that sat
# unnoticed in public code.
#
# **Learn.** What the three parts of a search are. Why search spaces are so large that nobody can try everything, and
# why they are smaller than they look. What *architecture*, *cell*, *node*, *edge* and *supernet* mean.
#
# **Need.** Convolutions, pooling and batch normalisation by name. Notebook 00 is a good start but not required.

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
from itertools import combinations, product  # noqa: F401
from math import comb, factorial, log10, prod  # noqa: F401

from matplotlib.figure import Figure

from nas_tutorial import data, drawing, museum, plots, spaces, widgets
from nas_tutorial.exercises import check, exercise, hint, quiz, solution  # noqa: F401
from nas_tutorial.networks import ops
from nas_tutorial.networks.edges import Edge
from nas_tutorial.pictures import blocks, inside

# %% [markdown]
# ## Predict first
#
# The space of the picture has 125 cells: three edges, and on each one of five operations: *zero* (no connection),
# *skip* (copy), *average pool*, *1×1 convolution*, *3×3 convolution*. Some cells differ on paper and yet compute
# the same. How many truly different ones are there?
#
# - **A.** About 60: for every second cell there is another one that computes the same.
# - **B.** About 100: some cells with a zero coincide.
# - **C.** 125: another operation is another function.
#
# Write down a letter and one sentence why. The answer comes in *Different names, same function*.

# %% [markdown] tags=["slide"]
# ## 2 min: How many truly different networks are there?
#
# Three edges, five operations on each: 125 cells. Some differ on paper and yet compute the same.
#
# - **A.** About 60: every second name is a twin.
# - **B.** About 100: some cells with a zero coincide.
# - **C.** 125: another operation is another function.
#
# Note:
# 2.5 min. Point at the picture: input left, node 1 on top, output right. Read the five operations aloud. Zero means no
# connection, skip means copy. Everybody writes down a letter and one sentence why, alone, before anyone talks. Then
# count hands for each letter and write the three numbers on the board. Do not comment. The answer comes in the second
# half, and they will have proved it by then, twice.

# %% [markdown]
# ## A very special hyperparameter
#
# You have tuned a learning rate before: choose some values, train with each, keep the best. That is *hyperparameter
# optimisation*. Neural architecture search (NAS) is the same game with one very special hyperparameter: the network
# itself. Every search has three parts, and every paper can be read as an answer to three questions.
#
# | part | the question | learning rate | architecture |
# | --- | --- | --- | --- |
# | **space** | what is allowed? | numbers from 0.001 to 1 | 125 cells, or $10^{18}$ |
# | **strategy** | what to try next? | a grid, or random | random, ENAS, DARTS |
# | **evaluation** | how good is it? | train, then look | train it, or share weights |
#
# Three things make it special. The choices have no order: a pool is not "more" than a convolution. There are
# astronomically many. And one evaluation means training a network. This notebook is about the first row only.

# %% [markdown] tags=["slide"]
# ## Every search answers three questions
#
# | part | the question | learning rate | architecture |
# | --- | --- | --- | --- |
# | **space** | what is allowed? | numbers from 0.001 to 1 | 125 cells, or $10^{18}$ |
# | **strategy** | what to try next? | a grid, or random | random, ENAS, DARTS |
# | **evaluation** | how good is it? | train, then look | train it, or share weights |
#
# Note:
# 1 min. Everybody here has tuned a learning rate. Start there: what did you allow, how did you choose the next value,
# how did you judge it? Those are the three columns. Architecture search asks the same, about the network itself. Every
# paper can be read as an answer to these questions, and it helps to ask which of the three a paper really changes.
# Today is the first row only.

# %% [markdown] tags=["slide"]
# ## 1 min: Which operation do you try next?
#
# Note:
# 1.5 min. One minute alone, then hands up for each letter, then click. The point: a learning rate lives on a line, so
# "near the best" means something. Operations are a list without distances. Whoever wants neighbours has to invent
# them, and DARTS will do exactly that in lecture three, by mixing operations. Most people see through A quickly; C
# deserves a sentence, because sizes of kernels do have an order.

# %% tags=["slide-output"]
quiz("no_neighbours")

# %% [markdown]
# ## A space is a list of decisions
#
# Everything in this course rests on one idea: a space is a list of *decisions*, each with a few *options*. Meet the
# smallest one.

# %% [markdown] tags=["slide"]
# ## Three decisions, five options each
#
# `2<1`: the edge that enters node 2 and comes from node 1. Node 0 is the input, the last node the output.
#
# Note:
# 1 min. Read the first line aloud: the edge into node 1, from node 0, has five options. Three decisions, five options
# each, nothing else: that is the space. An architecture is one answer to each. Ask how one would pick one at random,
# knowing only this list. Somebody says: roll a die for each line. Right, and the next slide does it in one line.

# %% tags=["slide-output"]
tiny = spaces.get("tiny")
for decision in tiny.decisions:
    print(decision.name, decision.options)

# %% [markdown]
# The name `2<1` says: the edge that enters node 2 and comes from node 1. Node 0 is the input, the last node is the
# output. What we see: three decisions, five options each.
#
# **Question.** How would you pick a network at random, knowing only this list?
#
# Roll a die for every decision. The *generator* is the die; the same seed gives the same architecture. The folded line
# opens with a click and shows how the package rolls it.

# %%
architecture = tiny.sample(torch.Generator().manual_seed(13))
print(architecture.choices)
for decision, answer in architecture.answers.items():
    print(decision, "→", answer)
plots.source(type(tiny).sample)

# %% [markdown] tags=["slide"]
# ## An architecture is one answer per decision
#
# As text, node by node: `|conv_1x1~0|+|avg_pool_3x3~0|conv_3x3~1|`
#
# Note:
# 1 min. This one was rolled: three numbers, and everything else follows from them, the drawing, the network and in
# the end the accuracy. Follow the two roads with the finger; at the output both are added. Then read the line of text
# aloud: into node 1, from node 0; plus, into node 2, from node 0 and from node 1. The number behind the tilde says
# where an edge comes from. This piece of network is called a cell.

# %% tags=["slide-output"]
drawing.draw(architecture)

# %% [markdown]
# Three numbers: that is the architecture. All the rest, drawing and network and accuracy, follows from them. Grey boxes
# are *nodes*: a node holds *feature maps*, a stack of pictures in progress. Coloured boxes are the operations on the
# *edges*. A node is the **sum** of what arrives at it. This piece of network is called a *cell*.

# %% [markdown]
# ## Write it down
#
# A drawing is for eyes. For files, mails and tables we need text. The notation comes from the benchmark
# NAS-Bench-201: one group per node, in it `operation~source` for each edge that arrives. `parse` reads what `print`
# wrote. Two architectures are equal if they give the same answers.

# %%
print(architecture)
again = tiny.parse(str(architecture))
other = tiny.parse("|zero~0|+|conv_3x3~0|zero~1|")
print("the same:", again == architecture, "| another one:", other == architecture)
assert again == architecture != other

# %% [markdown]
# Text that is no architecture is refused by a sentence that helps. Below, one operation does not exist, and one edge
# runs backwards.

# %%
for text in ("|conv_7x7~0|+|skip~0|zero~1|", "|skip~1|+|skip~0|zero~1|"):
    try:
        tiny.parse(text)
    except ValueError as error:
        print("✗", error)

# %% [markdown] tags=["slide"]
# ## 1 min: What arrives at the output?
#
# Note:
# 1.5 min. Let them draw the three dots and lines on paper first; that is most of the answer. The trap is B: people see
# a skip and think of a residual connection. But the skip leaves node 1, which already holds the convolution. The
# direct edge is zero. So this cell is just one convolution, written in a roundabout way. Remember it: it has ten twins.

# %% tags=["slide-output"]
quiz("read_aloud")

# %% [markdown]
# ### Exercise: Spell a cell · ★☆☆ · 3 min
#
# Write the notation of a tiny cell. `first` is the operation on edge 0 → 1, `second` on 0 → 2, `third` on 1 → 2.
#
# Replace the `...` and run the cell. `check` names a mistake; take the `#` from `hint` for help, a little more each
# time; `solution` shows ours. Until yours is right, ours stands in, so the notebook runs in any case.


# %%
@exercise
def spell(first, second, third):
    """The notation of a tiny cell."""
    ...


check(spell)
# hint(spell)
solution(spell)
print(spell("conv_3x3", "skip", "avg_pool_3x3"))
assert tiny.parse(spell("skip", "zero", "conv_1x1")).choices == (1, 0, 3)

# %% [markdown]
# ## All 125 on one sheet
#
# How often do you see *everything*? In each little arch the input is left, node 1 on top, the output right. Block, row
# and column say which operation is on which edge; colours and dashes are those of the opening picture.

# %% [markdown] tags=["slide"]
# ## All 125 cells fit on one sheet
#
# Note:
# 1 min. Give them half a minute of silence. Then: five blocks for the first edge, five rows for the second, five
# columns for the third. Every network of the space is here; how often do you see everything? Now look at the first
# block. Nothing enters node 1, so whatever leaves it is grey: idle. All five columns of a row are the same network.
# Where else is something grey? In the first column of every block.

# %% tags=["slide-output"]
cells = list(tiny.enumerate())
assert len(set(cells)) == tiny.size == 125
alt = "125 arches in five blocks. In the first block, and in the first column of all, edges at node 1 are grey."
blocks.arches(tiny, "125 cells: five blocks of five rows and five columns", alt)

# %% [markdown]
# Look at the first block. Nothing enters node 1: so whatever stands between node 1 and the output is idle, and drawn
# grey. Keep that thought; we come back to it.
#
# ### Exercise: Find a cell by its number · ★★☆ · 5 min
#
# `enumerate` lists cells like a mileage counter: the last decision changes fastest. Compute the answers of number
# `number` **without** running through the list; the first cell has number 0. `options` holds the number of options of
# each decision, for example `(5, 5, 5)`; they may differ.


# %%
@exercise
def decode(number, options):
    """The answers of architecture `number`, one per decision."""
    ...


check(decode)
# hint(decode)
solution(decode)
print(decode(77, (5, 5, 5)), cells[77].choices)
assert all(tuple(decode(i, (5, 5, 5))) == cell.choices for i, cell in enumerate(cells))

# %% [markdown]
# ## Count
#
# Each decision multiplies. With options $n_1, n_2, \ldots$ a space holds $n_1 \cdot n_2 \cdot n_3 \cdots$
# architectures. Three edges with five operations make $5^3 = 125$, six edges, as in NAS-Bench-201, $5^6 = 15{,}625$.
#
# **Question.** One space of the ENAS paper, called *macro*, has networks of 12 layers. Each layer chooses one
# of six operations, and for each earlier layer whether to add its output. How many networks?
#
# The operations give $6^{12}$. Layer $k = 0, 1, 2, \ldots$ has $k$ earlier layers, which makes $0 + 1 + \dots + 11
# = 66$ yes-or-no questions, so $2^{66}$. Multiply.

# %% [markdown] tags=["slide"]
# ## Decisions multiply
#
# | space | decisions | architectures |
# | --- | --- | --- |
# | tiny | 3 edges, 5 operations each | $5^3 = 125$ |
# | NAS-Bench-201 | 6 edges, 5 operations each | $5^6 = 15{,}625$ |
# | ENAS macro | 12 layers of 6 operations, 66 skips | $6^{12} \cdot 2^{66}$ |
#
# Note:
# 1 min. Before showing the last row, let them compute: layer k has k earlier layers, each may be skipped to or not.
# Zero plus one plus two up to eleven makes 66 yes-or-no questions. Six to the power of twelve times two to the power
# of 66 is about ten to the 29. Nobody has tried them all, and nobody ever will. That is why strategies exist.

# %%
bench, macro = spaces.get("nasbench201"), spaces.get("enas_macro", "paper")
print(f"NAS-Bench-201 {bench.size:,}, ENAS macro {macro.size:.1e}")
assert tiny.size == prod(len(decision.options) for decision in tiny.decisions) == 5**3
assert bench.size == 5**6 and macro.size == 6**12 * 2**66 and f"{macro.size:.1e}" == "1.6e+29"

# %% [markdown]
# The other two spaces of this course choose *cells* of which a deep network is then built: a *normal* one, and a
# *reduction* cell that halves height and width. Their nodes also choose **where** to read.
#
# ### Exercise: Count the space of DARTS · ★★☆ · 5 min
#
# A pair of cells, normal and reduction, has `nodes` nodes in each. Node $k = 0, 1, \ldots$ reads **two different** ones
# of $k + 2$ earlier states, each over an edge with one of `operations` operations. How many pairs of cells are there?


# %%
@exercise
def darts_size(nodes, operations):
    """How many pairs of cells there are."""
    ...


check(darts_size)
# hint(darts_size)
solution(darts_size)
darts = spaces.get("darts", "paper")
print(f"by your formula {darts_size(4, 7):.1e}, in the package {darts.size:.1e}")
assert abs(darts_size(4, 7) / darts.size - 1) < 1e-9

# %% [markdown] tags=["slide"]
# ## The ENAS paper prints another number than we count
#
# Five nodes; node $k = 0, 1, \ldots$ reads any two of $k + 2$ states, by any two of 5 operations; two cells.
#
# | | formula | networks |
# | --- | --- | --- |
# | by this description | $(5^5 \cdot 6!)^4$ | $2.6 \cdot 10^{25}$ |
# | printed in the paper | $(5 \cdot 5!)^4$ | $1.3 \cdot 10^{11}$ |
#
# Note:
# 1 min. Do the upper row together: two branches per node, five operations each, five nodes: five to the fifth, per
# branch. States: two, three, four, five, six to choose from: six factorial. Two branches and two cells: to the fourth.
# The paper's formula has the five only once and a smaller factorial. The search itself is not affected, only the
# printed size. Lesson: recount the size of a space whenever you read one.

# %% [markdown]
# **ENAS micro** is the other space of cells: five nodes, and node $k$ reads *any* two of $k + 2$ states (twice the same
# is allowed), each by one of five operations. State and operation are a *branch*. The first branches of the five nodes
# have $5^5 \cdot (2 \cdot 3 \cdot 4 \cdot 5 \cdot 6) = 5^5 \cdot 6!$ possibilities together. The second ones have as
# many, and there are two cells: to the power of four.
#
# The paper describes the same decisions (its section 2.4, where $B = 7$ counts the two inputs, too), but prints
# $(5 \cdot (B - 2)!)^4$. There the five operations count once, not once for each node, and the first node has one
# state to choose from instead of two.

# %%
micro = spaces.get("enas_micro", "paper")
printed = (5 * factorial(7 - 2)) ** 4
print(f"ENAS micro: counted {micro.size:.1e}, printed in the paper {printed:.1e}")
assert micro.size == prod((k + 2) ** 2 * 5**2 for k in range(5)) ** 2 == (5**5 * factorial(6)) ** 4
assert f"{micro.size:.1e} {printed:.1e}" == "2.6e+25 1.3e+11"

# %% [markdown]
# Numbers like these mean nothing to anybody. So let us convert them into time: one second for each network, and a
# computer that never sleeps.

# %%
every = {name: spaces.get(name, "paper") for name in spaces.BY_NAME}
years = {name: space.size / (365 * 24 * 3600) for name, space in every.items()}
for name, space in every.items():
    print(f"{name:12} {len(space.decisions):3} decisions {space.size:8.3g} networks {years[name]:8.1e} years")
universe = 4.4e17  # its age in seconds, 13.8 billion years
print(f"DARTS: {darts.size / universe:.1f} times the age of the universe")
assert years["nasbench201"] < 1 / 1000 and 2 < darts.size / universe < 3

# %% [markdown] tags=["slide"]
# ## Only the two smallest spaces can be tried out
#
# Note:
# 1 min. Every bar is a power of ten, so one unit to the right means ten times as many. The dashed line: if each
# network took one second, all time since the Big Bang. DARTS lies beyond it, ENAS far beyond. Two spaces can be tried
# completely, and this course keeps the smallest one at hand: whatever a method claims, there we can check it against
# everything.

# %% tags=["slide-output"]
with plots.style():
    figure = Figure(figsize=(8, 3.2))
    axes = figure.subplots()
    sizes = [log10(space.size) for space in every.values()]
    axes.barh(list(every), sizes, color="#BBBBBB")
    axes.axvline(log10(universe), color="#D55E00", linestyle="--", marker="")
    axes.text(log10(universe) + 0.3, 0, "seconds since\nthe Big Bang", color="#D55E00", va="center")
    axes.set_xlabel("number of architectures, as a power of ten")
    axes.set_title("Only the two smallest can be tried out")
alt = "Sizes of five spaces as powers of ten: 2, 4, 18, 29 and 25. A line marks the seconds since the Big Bang."
plots.show(figure, alt=alt)

# %% [markdown]
# What we see: two spaces can be tried completely. For DARTS, at one second each, the age of the universe would have
# to pass more than twice. That is why strategies exist. And that is why this course keeps the smallest space at
# hand: there, any claim can be checked against everything.

# %%
quiz("node_or_operation")

# %% [markdown]
# ## From cell to network
#
# A cell is not a network. Around it stands a *skeleton* that is never searched: a *stem* that turns three colours
# into more channels, then cells, between them *reductions* that halve the picture and double the channels, and a
# *head* that averages over the picture and classifies. Let each part report the shape that leaves it.

# %% [markdown] tags=["slide"]
# ## A skeleton carries the cells
#
# - **stem**: three colours become more channels
# - **cells**, all with the same answers
# - **reductions** halve the picture and double the channels
# - **head**: averages over the picture, classifies
#
# Note:
# 1 min. A cell is not a network. Around it stands a skeleton that is never searched. Read the shapes from top to
# bottom: pictures, channels, height, width. The cell appears three times with the same six answers, so one decision
# changes the network in three places. A cell keeps the shape of what enters it, and that is what lets us stack cells.

# %% tags=["slide-output"]
network = bench.network(bench.sample(torch.Generator().manual_seed(1)))


def report(part, inputs, output):
    print(f"{type(part).__name__:18}", tuple(output.shape))  # (pictures, channels, height, width)


for part in (network.stem, *network.body, network.head):
    part.register_forward_hook(report)  # torch calls it whenever this part has been run
scores = network(torch.zeros(4, 3, 16, 16))
assert scores.shape == (4, 10)  # one score for each of ten classes

# %% [markdown]
# What we see: the cell (`DenseCell`) appears three times, always with the same six answers. One decision changes the
# network in three places. A cell keeps the shape of what enters it; that is what lets us stack cells freely.
#
# **Question.** How many weights has a network of the tiny space? Its cells work on 8 channels. A 3×3 convolution has
# $8 \cdot 8 \cdot 9$ weights and 16 more in its batch norm, a 1×1 convolution $8 \cdot 8 + 16$; pools, skips and zeros
# have none. The skeleton is the same for all.

# %%
skeleton = widgets.count_parameters(tiny.parse("|zero~0|+|zero~0|zero~1|"))
for cell in cells:
    count = skeleton + 592 * str(cell).count("conv_3x3") + 80 * str(cell).count("conv_1x1")
    assert widgets.count_parameters(cell) == count
sizes = Counter(map(widgets.count_parameters, cells))
print(f"skeleton {skeleton}, smallest {min(sizes)}, largest {max(sizes):,}, {len(sizes)} different sizes")
assert (skeleton, max(sizes), len(sizes)) == (146, 1922, 10)

# %%
quiz("how_often_in_the_network")

# %% [markdown]
# So architectures differ in size by more than a factor of ten. Whoever compares them should always say how large they
# are.
#
# ## Look inside
#
# What does an edge *do* to a picture? We send a digit through an untrained cell and watch one channel, from left to
# right: what the edges bring to a node, then the node, which is their sum.

# %% [markdown] tags=["slide"]
# ## Inside a cell: copy, blur, add
#
# Note:
# 1 min. One channel of one picture, through an untrained cell, from left to right. First the picture, and what the stem
# makes of it. The convolution, with random weights, makes another picture of it: that is node 1. The skip hands the
# digit on unchanged, the pool blurs what node 1 holds, and the output is their sum, pixel by pixel. Nothing here has
# learnt anything; the operations do this by themselves. Training chooses which pictures a convolution makes.

# %% tags=["slide-output"]
digits = data.load("digits", seed=0)
torch.manual_seed(0)
start = tiny.parse("|conv_3x3~0|+|skip~0|avg_pool_3x3~1|")
figure = inside.through_cell(tiny.network(start), digits, digits.validation.images[:1], title="A node is a sum")
alt = "A digit, and one channel of it: changed by a 3×3 convolution, copied by a skip, blurred by a pool, and summed."
plots.show(figure, alt=alt)

# %% [markdown]
# Purple is below zero, orange above. The *convolution*, with random weights, makes another picture of the digit. The
# *skip* hands it on. The *pool* blurs what node 1 holds. The *output* is their sum, pixel by pixel.
#
# Now take the space into your hands: with the widget below you choose the operation of every edge. *Edges in figures*
# tells what each edge weighs, costs and sees; *Guess first* hides how good a cell is until you have said it. Before you
# touch it, answer on paper:
#
# 1. Set the edge from the input to node 1 to `zero`. Which other row of buttons has no effect any more?
# 2. What is the largest number of parameters that you can reach, and with how many different cells?
# 3. Find two cells that look different and compute the same.
#
# <details><summary>Answers</summary>
#
# 1. The one from node 1 to the output: nothing enters node 1.
# 2. A 3×3 convolution on all three edges has the most, and no other cell has as many.
# 3. For example `|conv_3x3~0|+|zero~0|skip~1|` and `|skip~0|+|zero~0|conv_3x3~1|`: both are one 3×3 convolution.
#
# </details>

# %%
widgets.explore_space(tiny, start)

# %% [markdown]
# ## What one output pixel sees
#
# Size is not everything. A network that is to recognise a shape has to look at neighbouring pixels *together*.
# Which input pixels can a cell's output see? Ask the gradient: push the output pixel in the middle, and look where
# it comes from. `features` is the network without its head. The skeleton of the tiny space only has 1×1 convolutions,
# so all of the looking around happens in the cell.


# %% [markdown] tags=["slide"]
# ## Place matters as much as operation
#
# Note:
# 1 min. Each square shows which input pixels can change the output pixel in the middle; we asked the gradient. Cover
# the numbers and let them guess the third and the fourth: both cells have two 3×3 convolutions and equally many
# weights. Side by side they see nine pixels, in a row 25. Last panel: a pool is a window, too, although it has no
# weights. What counts is how many windows stand in a row.


# %%
def seen(cell):
    """Which of 11×11 input pixels have any influence on the output pixel in the middle."""
    torch.manual_seed(0)
    network = tiny.network(cell).eval()
    x = torch.randn(32, 3, 11, 11, requires_grad=True)  # many: a ReLU may hide a pixel in one picture
    network.features(x, cell.active_ops)[:, :, 5, 5].sum().backward()  # active_ops: each edge's operation
    return x.grad.abs().sum((0, 1)) > 0  # (11, 11)


# %%
five = {
    "a skip": "|zero~0|+|skip~0|zero~1|",
    "one 3×3": "|zero~0|+|conv_3x3~0|zero~1|",
    "side by side": "|conv_3x3~0|+|conv_3x3~0|skip~1|",
    "in a row": "|conv_3x3~0|+|zero~0|conv_3x3~1|",
    "3×3, then pool": "|conv_3x3~0|+|zero~0|avg_pool_3x3~1|",
}
views = {name: seen(tiny.parse(text)) for name, text in five.items()}
pixels = [int(view.sum()) for view in views.values()]
assert pixels == [1, 9, 9, 25, 25]

# %% tags=["slide-output"]
with plots.style():
    figure = Figure(figsize=(10.4, 2.7))
    for axes, (name, view), count in zip(figure.subplots(1, 5), views.items(), pixels, strict=True):
        axes.imshow(view, cmap="Blues", vmin=0, vmax=1.4)
        axes.set_title(f"{name}: {count}", fontsize=12)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(True)
    figure.suptitle("Two 3×3 windows see 25 pixels in a row, nine side by side", x=0.01, ha="left")
alt = "What one output pixel sees: a skip 1, one 3×3 nine, two side by side nine, in a row 25, 3×3 then pool 25."
plots.show(figure, alt=alt)

# %% [markdown]
# What we see: *side by side* and *in a row* have the same operations and the same number of weights, and see 9 and 25
# pixels. *Where* an operation stands matters as much as *which* it is. A pool is a window, too, though it has no
# weights.
#
# ### Exercise: Say what a cell sees · ★★☆ · 6 min
#
# Predict, without a network, how many pixels one output pixel sees. `first` is the operation on edge 0 → 1, `second` on
# 0 → 2, `third` on 1 → 2; each is one of `zero`, `skip`, `avg_pool_3x3`, `conv_1x1`, `conv_3x3`. A cell that nothing
# passes sees 0 pixels.


# %%
@exercise
def sees(first, second, third):
    """How many input pixels one output pixel sees."""
    ...


check(sees)
# hint(sees)
solution(sees)
predicted = [sees(*cell.answers.values()) for cell in cells]
assert predicted == [int(seen(cell).sum()) for cell in cells]  # the gradient agrees, for all 125

# %%
counted = dict(sorted(Counter(predicted).items()))
assert counted == {0: 9, 1: 30, 9: 66, 25: 20}
times = ", ".join(f"{counted[n]} see {n}" for n in counted)
alt = "The sheet of 125 cells with the number of pixels each sees: 25 only where pool or 3×3 stand in a row."
blocks.numbers(tiny, predicted, f"How many pixels a cell sees: {times}", alt)

# %% [markdown]
# Nine cells see nothing at all: no road leads from their input to their output. Whatever you train, they can only
# guess.

# %%
quiz("cells_in_a_chain")

# %% [markdown]
# ## Different names, same function
#
# Time for your prediction. When do two cells compute the same? Take a cell apart into what arrives at its output:
#
# - *zero* delivers nothing, and so does any operation applied to nothing;
# - *skip* delivers its input unchanged;
# - the order of a sum does not matter.
#
# With these three rules every cell becomes a short *formula*. Two examples: `|conv_3x3~0|+|zero~0|skip~1|` becomes
# `conv_3x3(x)`, and `|skip~0|+|skip~0|conv_1x1~1|` becomes `conv_1x1(x) + x`. We are strict: `x + x` counts as
# different from `x`, although a batch norm behind the cell would take the factor of two away.
#
# But first an experiment, which needs no rules: *run* all cells on the same numbers and count the different results.
# Each operation gets one set of random weights for all edges, so that cells that only swap roads come out equal. The
# *fingerprint* of a cell is its output, summed up with random weights, in double precision.


# %% [markdown] tags=["slide"]
# ## When do two cells compute the same?
#
# - *zero* delivers nothing, and so does any operation applied to nothing;
# - *skip* delivers its input unchanged;
# - the order of a sum does not matter.
#
# So `|conv_3x3~0|+|zero~0|skip~1|` and `|skip~0|+|zero~0|conv_3x3~1|` are both `conv_3x3(x)`.
#
# Note:
# 1 min. Back to the prediction; ask who wants to change the letter. Three rules, nothing else. Work the example on
# the board: write x at the input, then what arrives at node 1, then what arrives at the output. Both cells become the
# same short formula. Let them find a third one: zero on the first edge, the convolution on the direct edge.


# %%
@torch.no_grad()
def fingerprint(edges, cell):
    """One number for what a cell computes: its operations, one per edge, run from node to node."""
    states = {0: x}
    for (source, target), operation in zip(edges, cell, strict=True):
        states[target] = states.get(target, 0) + built[operation](states[source])
    return round(float((states[target] * probe).sum()), 8)


# %% [markdown] tags=["slide"]
# ## 125 names, 60 functions
#
# **A.** Every second name is a twin. We ran all cells on the same numbers and counted the different outputs.
#
# Note:
# 1 min. No rules, no formulas: we ran all 125 cells on the same random numbers, with one set of weights for each
# operation, and counted the different outputs. Three different sets of random weights give the same count. So A.
# Compare with the numbers on the board. Those who chose B usually thought of the zeros only; skips make as many twins.

# %% tags=["slide-output"]
triangle = [(0, 1), (0, 2), (1, 2)]
for seed in range(3):
    torch.manual_seed(seed)
    built = {name: build(4, 1, False).double() for name, build in tiny.table.items()}  # 4 channels, stride 1
    x, probe = torch.randn(2, 8, 4, 7, 7, dtype=torch.double)
    outputs = {fingerprint(triangle, cell.answers.values()) for cell in cells}
    print(f"weights {seed}: {len(outputs)} different outputs of {len(cells)} cells")
    assert len(outputs) == 60

# %% [markdown] tags=["slide"]
# ## At home: build a survey of a space
#
# `survey(nodes, operations, rng, draws)` returns a dictionary:
#
# 1. `"edges"`: all pairs `(source, target)`
# 2. `"cells"`: one operation per edge, in every way
# 3. `"families"`: formula → the cells that have it
# 4. `"drawn"`: random cells
#
# Note:
# 1 min. This is the core of the lesson, and they write it from scratch at home, in about fifteen lines; the check in
# the notebook says which of the four steps are right and names the mistake. The usual ones are zeros that stay in a sum
# and terms that are not sorted. Its third step is what we did by hand a moment ago: write down what arrives at each
# node.

# %% [markdown]
# **Answer: A**, 60, whatever the weights. Now by the rules. This is the core of the lesson, and you write it from
# scratch.
#
# ### Build: Survey a space · ★★★ · 18 min
#
# `survey(nodes, operations, rng, draws)` examines the space of all cells with this number of nodes. `operations` is a
# tuple of names; `"zero"` and `"skip"` are special, all others are computed. It returns a dictionary:
#
# 1. `"edges"`: a list of pairs `(source, target)`, an edge from every node to every later one, in the order of the
#    notation: first those that enter node 1, then those that enter node 2, and so on; sources in increasing order.
# 2. `"cells"`: a list of all cells; a cell is a tuple of operations, one for each edge, in the order of the edges.
#    (`product` of `itertools` is imported.)
# 3. `"families"`: a dictionary from a formula, by the three rules above, to the list of all cells that have it. With
#    four nodes a sum may enter an operation: `|conv_3x3~0|+|skip~0|skip~1|+|zero~0|zero~1|conv_1x1~2|` is
#    `conv_1x1(conv_3x3(x) + x)`. How you write formulas is up to you; only cells that compute the same must agree.
# 4. `"drawn"`: a list of `draws` random cells, each drawn from all, so that one may come twice. `rng` is a
#    `random.Random`: `rng.choice(…)`.
#
# Write step by step: return `{"edges": edges}` and run the cell; `check` says which steps are right.


# %%
@exercise
def survey(nodes, operations, rng, draws):
    """A space of cells: a dictionary with "edges", "cells", "families" and "drawn"."""
    ...


check(survey)
# hint(survey)
solution(survey)

# %% [markdown]
# Does it agree with the experiment? And which functions have the most names?

# %%
surveyed = survey(3, tiny.operations, random.Random(0), 10_000)
families = sorted(surveyed["families"].values(), key=len, reverse=True)
for family in families[:6]:
    print(f"{len(family):3} names, one of them is", spell(*sorted(family)[0]))
print(f"{len(families)} functions")
assert len(families) == len(outputs) and sum(map(len, families)) == 125

# %% [markdown] tags=["slide"]
# ## Simple functions have many names
#
# Note:
# 1 min. Again the same sheet: the number says how many names the function of a cell has, itself included. Nine cells
# compute nothing, ten are just a skip, eleven just a pool, and so on. A one means that a cell has no twin. So a
# random name is not a random function: the simple ones come up far too often, and the drawn cells of your survey show
# it.

# %% tags=["slide-output"]
names = {tuple(cell): len(family) for family in families for cell in family}
many = [names[tuple(cell.answers.values())] for cell in cells]
alt = "The sheet of 125 cells with numbers from 1 to 11: dark where zero stands on an edge."
blocks.numbers(tiny, many, "How many names the function of a cell has, itself included", alt)

# %% [markdown]
# Two independent ways, one number. The functions with the most names are the simplest: nothing, or a single operation.
# So a uniform draw from the *names* is not uniform over *functions*. Your random cells show it.

# %%
simple = {tuple(cell) for family in families if len(family) == 11 for cell in family}
share = sum(tuple(cell) in simple for cell in surveyed["drawn"]) / 10_000
functions = sum(len(family) == 11 for family in families)
print(f"{functions} of 60 functions have 11 names: {functions / 60:.0%} of all functions, {share:.0%} of random cells")
assert abs(share - len(simple) / 125) < 0.02

# %% [markdown] tags=["slide"]
# ## One node more, and the two ways disagree
#
# NAS-Bench-201: formulas by our three rules, and one cell of each formula run. **Which rule is missing?**
#
# Note:
# 1 min. This is the honest moment of the lecture. In the tiny space formula and experiment agreed, so we might have
# stopped there. With one node more they disagree. The experiment cannot be wrong in this direction by much: so some
# cells with different formulas compute the same. Let them think for a minute. Hint: in which space can a sum enter an
# operation? In the tiny one, never.

# %% [markdown]
# And the 15,625 cells of NAS-Bench-201? It has the same five operations under longer names, and one node more. Survey
# it, then run one cell of each family.

# %% tags=["slide-output"]
wide = survey(4, tiny.operations, random.Random(0), 0)
one_of_each = [sorted(family)[0] for family in wide["families"].values()]
wide_outputs = {fingerprint(wide["edges"], cell) for cell in one_of_each}
print(f"{len(wide['cells']):,} names, {len(one_of_each):,} formulas, {len(wide_outputs):,} different outputs")
assert (len(wide["cells"]), len(one_of_each), len(wide_outputs)) == (bench.size, 4930, 4660)

# %% [markdown] tags=["slide", "answer"]
# An average pool is linear: $\text{pool}(a + b) = \text{pool}(a) + \text{pool}(b)$. With this rule, 4,660 formulas.

# %% [markdown]
# Here the two ways disagree! A rule is missing: an average pool is *linear*, the pool of a sum is the sum of the
# pools. In the tiny space no sum ever enters an edge, so there the rule had nothing to do. (Convolutions are not linear
# here: a ReLU stands in front of each.) Test the explanation: write formulas in which pools are split.


# %%
def with_split_pools(edges, cell):
    """A cell's terms by four rules: the pool of a sum is written as the sum of the pools."""
    terms = {0: ["x"]}
    for (source, target), operation in zip(edges, cell, strict=True):
        here = terms.setdefault(target, [])
        if operation == "skip":
            here += terms[source]
        elif operation == "avg_pool_3x3":
            here += [f"pool({term})" for term in terms[source]]
        elif operation != "zero" and terms[source]:
            here.append(f"{operation}({sorted(terms[source])})")
    return str(sorted(terms[target]))


# %%
split = {with_split_pools(wide["edges"], cell) for cell in wide["cells"]}
print(f"{len(split):,} formulas by four rules")
assert len(split) == len(wide_outputs)

# %% [markdown]
# Formulas and outputs agree again. Now look the number up, and you find another one: the authors' script
# prints [6,466 unique cells](https://github.com/D-X-Y/NATS-Bench/issues/43). Their
# [rule](https://github.com/D-X-Y/NATS-Bench/blob/main/nats_bench/genotype_utils.py) also drops skips and sorts
# sums. But a zero stays in its sum as a `#`, and a sum that is copied stays in one piece, so that its terms are not
# sorted in with the others (perhaps your first attempt did that, too). We write formulas their way:


# %%
def as_published(edges, cell, merge=False):
    """A cell's formula as its authors compare cells; merge: sort the terms of a copied sum in with the others."""
    terms = {0: ["0"]}
    for (source, target), operation in zip(edges, cell, strict=True):
        whole, here = "+".join(sorted(terms[source])), terms.setdefault(target, [])
        if operation == "zero" or whole == "#":
            here.append("#")
        elif operation == "skip":
            here += terms[source] if merge else [whole]
        else:
            here.append(f"({whole})@{operation}")
    return "+".join(sorted(terms[target]))


# %% [markdown] tags=["slide"]
# ## Five counts of one space
#
# Note:
# 1 min. From top to bottom every line knows one thing more, and no line merges cells that differ. The second is what
# the benchmark's authors publish, reproduced exactly. It is not wrong: it answers a stricter question. But if a paper
# says "unique architectures", ask by which rule. And if you report that your search tried a thousand different cells,
# ask yourself the same.

# %% tags=["slide-output"]
edges, every_cell = wide["edges"], [tuple(cell) for cell in wide["cells"]]
published = len({as_published(edges, cell) for cell in every_cell})
merged = len({as_published(edges, cell, merge=True) for cell in every_cell})
print(f"{len(every_cell):6,} names")
print(f"{published:6,} as published: zeros stay in sums, copied sums in one piece")
print(f"{merged:6,} copied sums are merged, zeros stay")
print(f"{len(one_of_each):6,} zeros are dropped, too: the three rules of `survey`")
print(f"{len(split):6,} pools are split, too: as many as there are different outputs")
assert (published, merged) == (6466, 5755)

# %% [markdown]
# What we see: five counts of the same space, and none is "wrong". A rule that is missing never merges two cells that
# differ; it only counts some functions twice. So when a paper says *unique architectures*, ask by which rule. It
# matters for search: a strategy that finds "different" cells with equal accuracy may have found the same function
# twice.

# %% [markdown] tags=["slide"]
# ## 1 min: How likely do two random names agree?
#
# Note:
# 1.5 min. Most say A. Let somebody argue for it and somebody against. Then the picture of two drawers: if one drawer is
# much fuller, two people who reach in blindly meet there more often. Formally it is the sum of squared shares, and it
# is smallest when all shares are equal. It is why random search meets simple cells again and again.

# %% tags=["slide-output"]
quiz("same_by_chance")

# %% [markdown]
# ## A network with everything in it
#
# One more idea, and it carries the rest of the course. Take the skeleton, and put **all** options on **every**
# edge. This *supernet* is not an architecture; it contains all of them. Calling it with an architecture as second
# argument says which road to take: each edge runs the operation that is named.

# %% [markdown] tags=["slide"]
# ## A supernet has every option on every edge
#
# `supernet(pictures, architecture)`: the second argument says which road to take.
#
# Note:
# 1 min. One more idea, and it carries the rest of the course. Same skeleton, but all five operations are built on
# each of the three edges. It is no architecture; it contains all 125. The code shows the whole trick: an edge holds its
# operations in a dictionary and runs the one that is named. If weights come instead of a name, it mixes all of them:
# that is DARTS, in lecture three.

# %% tags=["slide-output"]
plots.source(Edge.forward)

# %%
torch.manual_seed(0)
supernet = tiny.supernet()
pictures = torch.randn(4, 3, 16, 16)
first, second = tiny.parse("|conv_3x3~0|+|skip~0|skip~1|"), tiny.parse("|conv_3x3~0|+|skip~0|conv_1x1~1|")
difference = supernet(pictures, first) - supernet(pictures, second)  # (4, 10)
print(f"largest difference {difference.abs().max():.2f}")
assert difference.abs().max() > 0.01

# %% [markdown]
# Two architectures, one network. Both take the same 3×3 convolution from input to node 1, **with the same
# weights**. Train one, and you have trained a part of the other. So how much do we save by sharing?

# %%
shared = sum(weights.numel() for weights in supernet.parameters())
separate = sum(widgets.count_parameters(cell) for cell in cells)
print(f"supernet {shared:,} weights, 125 networks {separate:,}: {separate / shared:.0f} times as many")
assert round(separate / shared) == 33

# %% [markdown]
# And which weights on edges does a training step move? Only those on the road. All others get no gradient.

# %%
supernet(pictures, second).square().sum().backward()
on_edges = {name: w for name, w in supernet.named_parameters() if ".ops." in name}
touched = [name for name, w in on_edges.items() if w.grad is not None and w.grad.any()]
print(f"{len(touched)} of {len(on_edges)} weight tensors on edges:", *touched, sep="\n")
assert len(touched) == 2 and all("conv_3x3" in name or "conv_1x1" in name for name in touched)

# %% [markdown]
# Two convolutions on the road, two tensors with gradient. Whether such borrowed weights can tell good architectures
# from bad ones is the question of notebook 04. There is a third way to use a supernet: run *all* options and mix
# their outputs. That is DARTS, notebook 07.

# %% [markdown] tags=["slide"]
# ## 1 min: Whom does a training step change?
#
# Note:
# 1.5 min. B and C tempt because we have just seen that only two tensors on edges get a gradient. But stem and head are
# on every road. So every step moves the ground under every architecture, also under those that were not trained. Keep
# this in mind for notebook 04, where scores of architectures change although nobody touched them.

# %% tags=["slide-output"]
quiz("who_is_changed")

# %% [markdown]
# ## What can go wrong
#
# A supernet has many operations and runs one of them. What if it always runs the same one? No error, no warning:
# losses fall, accuracies rise, and a search goes on for days. It has happened in public, more than once.
#
# **A name that is looked up too late.** In the [original ENAS
# code](https://github.com/melodyguan/enas/blob/4bcfd73b/src/cifar10/general_child.py#L268-L295) each branch of a
# layer is kept as a small function, `lambda: y`, and the next branch then assigns to `y` again. When one of the
# functions is called, all see the last `y`: whatever was sampled, max pooling runs.
#
# **A call that was forgotten.** In the [ENAS micro example of
# NNI 2.8](https://github.com/microsoft/nni/blob/e8c78bb/examples/nas/oneshot/enas/micro.py#L50-L59)
# an edge returns the input that it chose, and never calls the operation.
#
# Here are both, in miniature, beside our edge.


# %% [markdown] tags=["slide"]
# ## Two bugs that no error message told
#
# - **Looked up too late** (original ENAS code): branches kept as `lambda: y`; then `y` is assigned again, so all
#   return the last one.
# - **Never called** (NNI 2.x, micro example): an edge returns its input and never calls the operation.
#
# Which test would have caught them, without training?
#
# Note:
# 1 min. Both are from public code of well-known projects, and both ran for days without a warning: losses fall,
# accuracies rise, a search comes to an end. In the first, whatever was sampled, max pooling ran. Ask what a test could
# look like that needs no training and no known result. Give them a minute; somebody will say: change something and see
# whether anything changes.


# %%
class LateBinding(Edge):
    def forward(self, x, active):
        branches = [lambda: op(x) for op in self.ops.values()]  # noqa: B023 - this is the bug
        return branches[list(self.ops).index(active)]()


class NeverCalled(Edge):
    def forward(self, x, active):
        return x


# %% [markdown] tags=["slide"]
# ## Change one operation: the output must change
#
# Every pair of operations on the same input, no training:
#
# Note:
# 1 min. One sentence, four lines, no training. Every pair of operations on the same input must give different outputs;
# the two buggy edges fail, ours passes. Its sister test: only the weights of chosen operations may get a gradient, and
# we saw that a moment ago. Take both with you to any code that claims to search, your own first of all.

# %% [markdown]
# **Question.** Which test would have caught them? It needs no training and no known result.
#
# *Changing only one operation must change the output.* Try every pair of operations on the same input.


# %% tags=["slide-output"]
def changing_the_operation_changes_the_output(edge):
    x = torch.randn(4, 8, 6, 6, generator=torch.Generator().manual_seed(0))
    outputs = [edge(x, name) for name in edge.ops]
    return not any(torch.allclose(one, other) for one, other in combinations(outputs, 2))


for kind in (LateBinding, NeverCalled, Edge):
    torch.manual_seed(0)
    edge = kind({name: build(8, 1, True) for name, build in ops.TINY.items()})
    passed = changing_the_operation_changes_the_output(edge)
    print("✓" if passed else "✗", kind.__name__)
    assert passed == (kind is Edge)
with museum.enas_late_binding():
    assert not changing_the_operation_changes_the_output(edge)

# %% [markdown]
# Both bugs are caught, the first one in our own edges, too: the package keeps such bugs in a *museum*, each with its
# place in public code (`print(museum.catalogue())`), and inside the `with` block our code has it. Our
# [tests](../tests/test_supernets.py) put the same question to every space, together with its sister: *only the
# weights of chosen operations get a gradient.* Take both with you to any code that claims to search.
#
# ## In this notebook we have
#
# - seen a search as space, strategy and evaluation, and a space as a list of decisions;
# - drawn all 125 cells of a space, written them down and read them back;
# - counted five spaces, from 125 to $1.6 \cdot 10^{29}$ architectures, and recounted the one that a paper
#   prints differently;
# - built networks from cells, looked inside, and seen that place matters as much as operation;
# - written a survey of a space, and found 60 functions behind 125 names, in two independent ways;
# - put all networks into one supernet, and caught two real bugs with one test.
#
# **On your own.** Give the tiny space a sixth operation in your head: how many cells, how many functions? Your `survey`
# knows. Then turn to notebook 02, which trains all 125.

# %% [markdown] tags=["slide"]
# ## What to take home
#
# - A search is a space, a strategy and an evaluation.
# - Decisions multiply: recount the size of a space when you read one.
# - Names are not functions: 125 names, 60 functions.
# - A supernet holds all networks, and shares their weights.
#
# Note:
# 1 min. Four sentences; let the students say them before you show them. Then look ahead: we have 125 networks and no
# idea yet which of them is good. The next notebook trains all of them, several times, and finds out how much of a
# ranking is noise. For practice at home: give the tiny space a sixth operation, and survey it with your own function.

# %% [markdown]
# ## Further reading
#
# - Elsken, Metzen and Hutter, [Neural Architecture Search: A Survey](https://arxiv.org/abs/1808.05377), 2019: space,
#   strategy and evaluation, the frame of this notebook.
# - Dong and Yang, [NAS-Bench-201](https://arxiv.org/abs/2001.00326), 2020: the space of six edges, and the notation.
# - Liu, Simonyan and Yang, [DARTS](https://arxiv.org/abs/1806.09055), 2019, and Pham et al.,
#   [ENAS](https://arxiv.org/abs/1802.03268), 2018: the three large spaces.
#
# ## Versions

# %%
from platform import python_version

print(f"Python {python_version()}, torch {torch.__version__}, nas_tutorial {nas_tutorial.__version__}")
