# %% [markdown]
# # 1 · Draw a space of networks
#
# You will count, draw, name and build every network of a space, and find out how many of them are the same.
#
# <!-- badges -->
#
# 20 min reading · 21 min exercises · longest cell 3 s · all cells 8 s · 0.6 GB

# %% [markdown]
# ![Three nodes, joined by three edges; each edge is drawn as five coloured lines and carries the number 5. Beside it:
# 5 × 5 × 5 = 125 cells; each edge has five answers, and every combination is a network.](data:image/svg+xml,%3Csvg%20xmlns=%27http://www.w3.org/2000/svg%27%20width=%27760%27%20height=%27250%27%20font-family=%27Helvetica,Arial,sans-serif%27%20font-size=%2717%27%3E%3Crect%20width=%27760%27%20height=%27250%27%20fill=%27white%27/%3E%3Cg%20fill=%27none%27%20stroke-width=%274%27%3E%3Cpath%20d=%27M70%20170Q152%20131%20165%2042%27%20stroke=%27%23999999%27%20stroke-dasharray=%272%205%27/%3E%3Cpath%20d=%27M70%20170Q135%20119%20165%2042%27%20stroke=%27%23000000%27%20stroke-dasharray=%279%205%27/%3E%3Cpath%20d=%27M70%20170Q118%20106%20165%2042%27%20stroke=%27%23E69F00%27/%3E%3Cpath%20d=%27M70%20170Q100%2093%20165%2042%27%20stroke=%27%2356B4E9%27/%3E%3Cpath%20d=%27M70%20170Q83%2081%20165%2042%27%20stroke=%27%230072B2%27/%3E%3Cpath%20d=%27M165%2042Q178%20131%20260%20170%27%20stroke=%27%23999999%27%20stroke-dasharray=%272%205%27/%3E%3Cpath%20d=%27M165%2042Q195%20119%20260%20170%27%20stroke=%27%23000000%27%20stroke-dasharray=%279%205%27/%3E%3Cpath%20d=%27M165%2042Q212%20106%20260%20170%27%20stroke=%27%23E69F00%27/%3E%3Cpath%20d=%27M165%2042Q230%2093%20260%20170%27%20stroke=%27%2356B4E9%27/%3E%3Cpath%20d=%27M165%2042Q247%2081%20260%20170%27%20stroke=%27%230072B2%27/%3E%3Cpath%20d=%27M70%20170Q165%20212%20260%20170%27%20stroke=%27%23999999%27%20stroke-dasharray=%272%205%27/%3E%3Cpath%20d=%27M70%20170Q165%20191%20260%20170%27%20stroke=%27%23000000%27%20stroke-dasharray=%279%205%27/%3E%3Cpath%20d=%27M70%20170Q165%20170%20260%20170%27%20stroke=%27%23E69F00%27/%3E%3Cpath%20d=%27M70%20170Q165%20149%20260%20170%27%20stroke=%27%2356B4E9%27/%3E%3Cpath%20d=%27M70%20170Q165%20128%20260%20170%27%20stroke=%27%230072B2%27/%3E%3C/g%3E%3Ccircle%20cx=%2770%27%20cy=%27170%27%20r=%279%27%20fill=%27%23444%27/%3E%3Ccircle%20cx=%27165%27%20cy=%2742%27%20r=%279%27%20fill=%27%23444%27/%3E%3Ccircle%20cx=%27260%27%20cy=%27170%27%20r=%279%27%20fill=%27%23444%27/%3E%3Ctext%20x=%2786%27%20y=%2792%27%20text-anchor=%27middle%27%20font-weight=%27bold%27%3E5%3C/text%3E%3Ctext%20x=%27244%27%20y=%2792%27%20text-anchor=%27middle%27%20font-weight=%27bold%27%3E5%3C/text%3E%3Ctext%20x=%27165%27%20y=%27222%27%20text-anchor=%27middle%27%20font-weight=%27bold%27%3E5%3C/text%3E%3Ctext%20x=%27470%27%20y=%2770%27%20text-anchor=%27middle%27%20font-weight=%27bold%27%3E5%20%C3%97%205%20%C3%97%205%20=%20125%20cells%3C/text%3E%3Ctext%20x=%27470%27%20y=%27112%27%20text-anchor=%27middle%27%3Eedge%201:%20five%20answers%3C/text%3E%3Ctext%20x=%27470%27%20y=%27140%27%20text-anchor=%27middle%27%3Eedge%202:%20five%20answers%3C/text%3E%3Ctext%20x=%27470%27%20y=%27168%27%20text-anchor=%27middle%27%3Eedge%203:%20five%20answers%3C/text%3E%3Ctext%20x=%27470%27%20y=%27210%27%20text-anchor=%27middle%27%3Eevery%20combination%20is%20a%20network%3C/text%3E%3C/svg%3E)
#
# Three edges, five possible operations on each: that is a whole search space. It is small enough to look at all of
# it.

# %% [markdown]
# ## You will do, learn, need
#
# **Do.** Draw all 125 cells of a space on one sheet. Write cells down and read them back. Turn a cell into a
# network. Put 125 networks into a single one. Catch two bugs that sat unnoticed in public code.
#
# **Learn.** What the three parts of a search are. Why search spaces are so large that nobody can try everything,
# and why they are smaller than they look. What *architecture*, *cell*, *node*, *edge* and *supernet* mean.
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
from collections import Counter
from itertools import combinations
from math import comb, log10, prod

from matplotlib.figure import Figure

from nas_tutorial import drawing, museum, plots, spaces, widgets
from nas_tutorial.exercises import check, exercise, hint, solution  # noqa: F401
from nas_tutorial.networks import ops
from nas_tutorial.networks.edges import Edge

# %% [markdown]
# ## Predict first
#
# The space of the picture has 125 cells: three edges, and on each one of five operations: *zero* (no connection),
# *skip* (copy), *average pool*, *1×1 convolution*, *3×3 convolution*. Some cells differ on paper and yet compute
# the same. How many truly different ones are there?
#
# - **A.** 125. Different operations, different function.
# - **B.** About 100. A few cells are equal by accident.
# - **C.** About 60. Twins are everywhere.
#
# Write down a letter and one sentence why. The answer comes in *Different names, same function*.

# %% [markdown]
# ## A very special hyperparameter
#
# You have tuned a learning rate before: choose some values, train with each, keep the best. That is *hyperparameter
# optimisation*. Neural architecture search (NAS) is the same game with one very special hyperparameter: the network
# itself. Every search has three parts, and every paper can be read as an answer to these three questions.
#
# | part | the question | learning rate | architecture |
# | --- | --- | --- | --- |
# | **space** | what is allowed? | numbers from 0.001 to 1 | 125 cells, or $10^{18}$ |
# | **strategy** | what to try next? | a grid, or random | random, ENAS, DARTS |
# | **evaluation** | how good is it? | train, then look | train it, or share weights |
#
# Three things make it special. The choices have no order: a pool is not "more" than a convolution. There are
# astronomically many. And one evaluation means training a network. This notebook is about the first row only.

# %% [markdown]
# ## A space is a list of decisions
#
# Everything in this course rests on one idea: a space is a list of *decisions*, each with a few *options*. Meet the
# smallest one.

# %%
tiny = spaces.get("tiny")
for decision in tiny.decisions:
    print(decision.name, decision.options)

# %% [markdown]
# The name `2<1` says: the edge that enters node 2 and comes from node 1. Node 0 is the input, the last node is the
# output. What we see: three decisions, five options each.

# %% [markdown]
# ## An architecture is one answer per decision
#
# **Question.** How would you pick a network at random, knowing only this list?
#
# Roll a die for every decision. The *generator* is the die; the same seed gives the same architecture.

# %%
architecture = tiny.sample(torch.Generator().manual_seed(13))
print(architecture.choices)
for decision, answer in architecture.answers.items():
    print(decision, "→", answer)
assert len(architecture.choices) == len(tiny.decisions) == 3

# %% [markdown]
# Three numbers: that is the architecture. All the rest, drawing and network and accuracy, follows from them. Here
# is the drawing.

# %%
drawing.draw(architecture)

# %% [markdown]
# Grey boxes are *nodes*: a node holds feature maps, that is a stack of pictures in progress. Coloured boxes are the
# operations on the *edges*. A node is the **sum** of what arrives at it. This piece of network is called a *cell*.

# %% [markdown]
# ## Write it down
#
# A drawing is for eyes. For files, mails and tables we need text. The notation comes from the benchmark
# NAS-Bench-201: one group per node, in it `operation~source` for each edge that arrives.

# %%
print(architecture)
print(architecture.to_json())

# %% [markdown]
# And back again: `parse` reads what `print` wrote. Two architectures are equal if they give the same answers.

# %%
again = tiny.parse(str(architecture))
other = tiny.parse("|zero~0|+|conv_3x3~0|zero~1|")
print("the same:", again == architecture, "| another one:", other == architecture)
assert again == architecture == spaces.from_json(architecture.to_json()) != other

# %% [markdown]
# What if somebody makes a mistake? Text that is no architecture should be refused by a sentence that helps. Read
# the two below: one operation does not exist, and one edge runs backwards.

# %%
for text in ("|conv_7x7~0|+|skip~0|zero~1|", "|skip~1|+|skip~0|zero~1|"):
    try:
        tiny.parse(text)
    except ValueError as error:
        print("✗", error)

# %% [markdown]
# ## All 125 on one sheet
#
# How often do you see *everything*? This space fits on a page. Each little arch is a cell: input on the left, node
# 1 on top, output on the right, a letter for each operation.

# %%
cells = list(tiny.enumerate())
print(len(cells))
assert len(set(cells)) == tiny.size == 125
drawing.sheet(cells)

# %% [markdown]
# Look at the first two rows. All have `0` on the edge from the input to node 1: nothing enters node 1. So whatever
# stands between node 1 and the output is idle, and drawn grey. Keep that thought; we come back to it.

# %% [markdown]
# ## Count
#
# Each decision multiplies. With options $n_1, n_2, \ldots$ a space holds
#
# $$n_1 \cdot n_2 \cdot n_3 \cdots$$
#
# architectures. Three edges with five operations make $5^3 = 125$. Six edges, as in NAS-Bench-201, make $5^6 =
# 15{,}625$.

# %%
assert tiny.size == prod(len(decision.options) for decision in tiny.decisions) == 5**3
assert spaces.NASBench201().size == 5**6
print(f"{spaces.NASBench201().size:,}")

# %% [markdown]
# **Question.** The ENAS paper searches networks of 12 layers. Each layer chooses one of six operations, and for each
# earlier layer whether to add its output. How many networks?
#
# The operations give $6^{12}$. Layer $k = 0, 1, 2, \ldots$ has $k$ earlier layers, which makes $0 + 1 + \dots + 11
# = 66$ yes-or-no questions, so $2^{66}$. Multiply.

# %%
macro = spaces.get("enas_macro", "paper")
print(f"{macro.size:.1e}")
assert macro.size == 6**12 * 2**66 and f"{macro.size:.1e}" == "1.6e+29"

# %% [markdown]
# The other two spaces of this course choose *cells* of which a deep network is then built: a normal one, and a
# *reduction* cell that halves height and width. Their nodes also choose **where** to read: DARTS takes two
# different earlier states per node, ENAS micro takes any two.

# %%
micro, darts = spaces.get("enas_micro", "paper"), spaces.get("darts", "paper")
print(f"ENAS micro {micro.size:.1e}, DARTS {darts.size:.1e}")
assert micro.size == prod((node + 2) ** 2 * 5**2 for node in range(5)) ** 2
assert darts.size == prod(comb(node + 2, 2) * 7**2 for node in range(4)) ** 2

# %% [markdown]
# Numbers like these mean nothing to anybody. So let us convert them into time: one second for each network, and a
# computer that never sleeps.

# %%
every = {name: spaces.get(name, "paper") for name in spaces.BY_NAME}
years = {name: space.size / (365 * 24 * 3600) for name, space in every.items()}
for name, space in every.items():
    print(f"{name:12} {len(space.decisions):3} decisions {space.size:8.1e} networks {years[name]:8.1e} years")
universe = 4.4e17  # its age in seconds, 13.8 billion years
print(f"DARTS: {darts.size / universe:.1f} times the age of the universe")
assert years["nasbench201"] < 1 / 1000 and 2 < darts.size / universe < 3

# %%
with plots.style():
    figure = Figure(figsize=(8, 3.4))
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
#
# Here is one of the large ones: the pair of cells that the DARTS authors published. It has 24 answers instead of
# three, but it is drawn, written and built like the cell above.

# %%
published = darts.parse("DARTS_V2")
assert len(published.choices) == 24
drawing.draw(published)

# %% [markdown]
# ## From cell to network
#
# A cell is not a network. Around it stands a *skeleton* that is never searched: a *stem* that turns three colours
# into more channels, then cells, between them *reductions* that halve the picture and double the channels, and a
# *head* that averages over the picture and classifies. Let each part report the shape that leaves it.

# %%
bench = spaces.get("nasbench201")
network = bench.network(bench.sample(torch.Generator().manual_seed(1)))


def report(part, inputs, output):
    print(f"{type(part).__name__:18}", tuple(output.shape))  # (pictures, channels, height, width)


for part in (network.stem, *network.body, network.head):
    part.register_forward_hook(report)
logits = network(torch.zeros(4, 3, 16, 16))
assert logits.shape == (4, 10)

# %% [markdown]
# What we see: the cell appears three times, always with the same six answers. One decision changes the network in
# three places. A cell keeps the shape of what enters it; that is what lets us stack cells freely.
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

# %% [markdown]
# So one answer can change the size of a network by a factor. Whoever compares architectures should always say how
# large they are.

# %% [markdown]
# ## What one output pixel sees
#
# Size is not everything. A network that is to recognise a shape has to look at neighbouring pixels *together*.
# Which input pixels can a cell's output see? Ask the gradient: push the output pixel in the middle, and look where
# it comes from. The skeleton of the tiny space only has 1×1 convolutions, so all of the looking around happens in
# the cell.


# %%
def seen(cell):
    """Which of 11×11 input pixels have any influence on the output pixel in the middle."""
    torch.manual_seed(0)
    network = tiny.network(cell).eval()
    x = torch.randn(32, 3, 11, 11, requires_grad=True)  # many: a ReLU may hide a pixel in one picture
    network.features(x, cell.active_ops)[:, :, 5, 5].sum().backward()
    return x.grad.abs().sum((0, 1)) > 0  # (11, 11)


# %%
four = {
    "a skip": "|zero~0|+|skip~0|zero~1|",
    "one 3×3": "|zero~0|+|conv_3x3~0|zero~1|",
    "two 3×3 in a row": "|conv_3x3~0|+|zero~0|conv_3x3~1|",
    "two 3×3 side by side": "|conv_3x3~0|+|conv_3x3~0|skip~1|",
}
views = {name: seen(tiny.parse(text)) for name, text in four.items()}
pixels = [int(view.sum()) for view in views.values()]
print(pixels)
assert pixels == [1, 9, 25, 9]

# %%
with plots.style():
    figure = Figure(figsize=(9.5, 2.9))
    for axes, (name, view), count in zip(figure.subplots(1, 4), views.items(), pixels, strict=True):
        axes.imshow(view, cmap="Blues", vmin=0, vmax=1.4)
        axes.set_title(f"{name}: {count}", fontsize=12)
        axes.set(xticks=[], yticks=[])
    figure.suptitle("Only a second 3×3 in a row widens the view", x=0.01, ha="left")
alt = "What one output pixel sees: a skip 1, one 3×3 nine, two in a row 25, two side by side nine pixels."
plots.show(figure, alt=alt)

# %% [markdown]
# What we see: two cells with the same operations and the same number of weights, and one of them sees 25 pixels, the
# other 9. *Where* an operation stands matters as much as *which* it is. Now all 125.

# %%
views = Counter(int(seen(cell).sum()) for cell in cells)
print(dict(sorted(views.items())))
assert views == {0: 9, 1: 30, 9: 66, 25: 20}

# %% [markdown]
# Nine cells see nothing at all: no road leads from their input to their output. Whatever you train, they can only
# guess. A good strategy should find that out; notebook 00 watched one do it.

# %% [markdown]
# ## Different names, same function
#
# Time for your prediction. When do two cells compute the same? Take a cell apart into what arrives at its output:
#
# - *zero* delivers nothing, and so does any operation applied to nothing;
# - *skip* delivers its input unchanged;
# - the order of a sum does not matter.
#
# With these three rules every cell becomes a short formula. We call it its *canonical form*.


# %%
def canonical(cell):
    """What arrives at the output, as a sorted sum of terms; `x` is the input."""
    terms = {"input": ["x"]}
    for node in cell.nodes[1:]:
        terms[node] = []
        for source, _, operation in (edge for edge in cell.edges if edge.target == node):
            if operation in ("skip", "skip_connect"):
                terms[node] += terms[source]
            elif operation not in ("zero", "none") and terms[source]:
                terms[node].append(f"{operation}({' + '.join(sorted(terms[source]))})")
    return " + ".join(sorted(terms["output"])) or "0"


# %%
groups = Counter(canonical(cell.cells["cell"]) for cell in cells)
for formula, count in groups.most_common(6):
    print(f"{count:3} cells compute  {formula}")
print(f"{len(groups)} different functions")
assert len(groups) == 60 and groups["0"] == 9

# %% [markdown]
# **Answer: C**, 60. Eleven different cells are nothing but one 3×3 convolution. (We are strict: `x + x` counts as
# different from `x`, although a batch norm behind the cell would take the factor of two away.)
#
# But are the rules right? Never trust a formula that you can test. So we *run* all cells on the same numbers and
# count the different results. Each operation gets one set of weights for all edges, so that swapped edges show up
# as equal.

# %%
torch.manual_seed(0)
built = {name: build(4, 1, False) for name, build in tiny.table.items()}  # 4 channels, stride 1, no affine
x = torch.randn(8, 4, 7, 7)


@torch.no_grad()
def run(cell):
    states = {"input": x}
    for node in cell.nodes[1:]:
        incoming = [edge for edge in cell.edges if edge.target == node]
        states[node] = sum(built[edge.operation](states[edge.source]) for edge in incoming)  # (8, 4, 7, 7)
    return states["output"]


# %%
results = []
for cell in cells:
    output = run(cell.cells["cell"])
    if not any(torch.allclose(output, other, atol=1e-4) for other in results):
        results.append(output)
print(len(results), "different outputs")
assert len(results) == len(groups) == 60

# %% [markdown]
# Two independent ways, one number. And the 15,625 cells of NAS-Bench-201?

# %%
bench_groups = Counter(canonical(cell.cells["cell"]) for cell in bench.enumerate())
print(f"{len(bench_groups):,} different functions, {len(bench_groups) / bench.size:.0%} of the names")
assert len(bench_groups) == 4930

# %% [markdown]
# What we see: less than a third remain. This matters for search. A uniform draw from the *names* is not uniform
# over *functions*: simple functions have many names, so a random cell is more often simple than you would think.
# And a strategy that finds "different" cells with equal accuracy may have found the same cell twice.

# %% [markdown]
# ## A network with everything in it
#
# One more idea, and it carries the rest of the course. Take the skeleton, and put **all** options on **every**
# edge. This *supernet* is not an architecture; it contains all of them. Calling it with an architecture as second
# argument says which road to take.

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
assert 30 < separate / shared < 36

# %% [markdown]
# And which weights does a training step move? Only those on the road. All others get no gradient.

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

# %% [markdown]
# ## Look inside
#
# Now take the space into your hands. First a still picture: a cell, and behind it five neighbours that differ from
# it in one answer.

# %%
start = tiny.parse("|conv_3x3~0|+|skip~0|avg_pool_3x3~1|")
changes = [(edge, option) for edge in range(3) for option in (0, 4) if start.choices[edge] != option]
neighbours = [start, *(start.mutated(edge, option) for edge, option in changes)]
drawing.sheet(neighbours, captions=[f"sees {int(seen(cell).sum())}" for cell in neighbours])

# %% [markdown]
# With the widget below you choose the operation of every edge. Before you touch it, answer on paper:
#
# 1. Set the edge from the input to node 1 to `zero`. Which other menu has no effect any more?
# 2. What is the largest number of parameters that you can reach, and with how many different cells?
# 3. Find two cells that look different and have the same canonical form.
#
# <details><summary>Answers</summary>
#
# 1. The one from node 1 to the output: nothing enters node 1.
# 2. A 3×3 convolution on all three edges has the most, and no other cell has as many.
# 3. For example `|conv_3x3~0|+|zero~0|skip~1|` and `|skip~0|+|zero~0|conv_3x3~1|`: both are one 3×3 convolution.
#
# </details>

# %%
widgets.explore_cell(tiny, start)

# %% [markdown]
# ## Exercises
#
# Replace the `...` and run the cell. `check` names a mistake, `hint` helps a little more each time, `solution`
# shows ours. As long as you have written nothing, our solution stands in, so the notebook runs in any case.
#
# ### Exercise: Spell a cell · ★☆☆ · 3 min
#
# Write the notation of a tiny cell. `first` is the operation on edge 0 → 1, `second` on 0 → 2, `third` on 1 → 2.


# %%
@exercise
def spell(first, second, third):
    """The notation of a tiny cell."""
    ...


check(spell)
print(spell("conv_3x3", "skip", "avg_pool_3x3"))
assert tiny.parse(spell("skip", "zero", "conv_1x1")).choices == (1, 0, 3)

# %%
# hint(spell)
solution(spell)

# %% [markdown]
# ### Exercise: Find a cell by its number · ★★☆ · 5 min
#
# `enumerate` lists cells like a mileage counter: the last decision changes fastest. Compute the answers of number
# `number` **without** running through the list. `options` holds the number of options of each decision, for example
# `(5, 5, 5)`.


# %%
@exercise
def decode(number, options):
    """The answers of architecture `number`, one per decision."""
    ...


check(decode)
print(decode(77, (5, 5, 5)), cells[77].choices)
assert all(decode(i, (5, 5, 5)) == cell.choices for i, cell in enumerate(cells))

# %%
# hint(decode)
solution(decode)

# %% [markdown]
# ### Exercise: Count the space of DARTS · ★★☆ · 5 min
#
# A pair of cells has `nodes` nodes in each. Node $k = 0, 1, \ldots$ reads **two different** ones of $k + 2$ earlier
# states, each over an edge with one of `operations` operations. How many pairs of cells are there?


# %%
@exercise
def darts_size(nodes, operations):
    """How many pairs of cells there are."""
    ...


check(darts_size)
print(f"{darts_size(4, 7):.1e}")
assert darts_size(4, 7) == darts.size

# %%
# hint(darts_size)
solution(darts_size)

# %% [markdown]
# ### Exercise: Find the edges that matter · ★★★ · 8 min
#
# An edge is useful if something of the input runs over it **and** reaches the output. Return the useful edges of a
# cell as a set of pairs `(source, target)`. `cell.edges` holds the edges, each with `.source`, `.target` and
# `.operation`.


# %%
@exercise
def useful(cell):
    """The edges (source, target) that carry something from the input to the output."""
    ...


check(useful)
counts = Counter(len(useful(cell.cells["cell"])) for cell in cells)
print(dict(sorted(counts.items())))
assert counts == {0: 9, 1: 36, 2: 16, 3: 64} and sum(counts.values()) == 125

# %%
# hint(useful)
solution(useful)

# %% [markdown]
# Count it in your head: a cell has three useful edges only if none of its three answers is *zero*: $4^3 = 64$. So
# about half of all cells carry an idle edge.

# %% [markdown]
# ## What can go wrong
#
# A supernet has many operations and runs one of them. What if it always runs the same one? No error, no warning:
# losses fall, accuracies rise, and a search goes on for days. It has happened in public, more than once.
#
# **A name that is looked up too late.** In the [original ENAS
# code](https://github.com/melodyguan/enas/blob/master/src/cifar10/general_child.py#L268-L294) each branch of a
# layer is kept as a small function, `lambda: y`, and the next branch then assigns to `y` again. When one of the
# functions is called, all see the last `y`: whatever was sampled, max pooling runs.
#
# **A call that was forgotten.** In the ENAS micro example of [NNI](https://github.com/microsoft/nni) 2.x
# (`examples/nas/oneshot/enas/micro.py`, lines 50 to 59) an edge returns the input that it chose, and never calls the
# operation.
#
# Here are both, in miniature, beside our edge.


# %%
class LateBinding(Edge):
    def forward(self, x, active):
        branches = [lambda: op(x) for op in self.ops.values()]  # noqa: B023 - this is the bug
        return branches[list(self.ops).index(active)]()


class NeverCalled(Edge):
    def forward(self, x, active):
        return x


# %% [markdown]
# **Question.** Which test would have caught them? It needs no training and no known result.
#
# *Changing only one operation must change the output.* Try every pair of operations on the same input.


# %%
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
# Four lines, and both bugs are caught, the first one in our own edges, too: the package keeps such bugs in a *museum*,
# each with its place in public code (`print(museum.catalogue())`), and inside the `with` block our code has it. In our
# [tests](../tests/test_supernets.py) the same question is put to every space, together with its sister: *only the
# weights of chosen operations get a gradient.* Take both with you to any code that claims to search.

# %% [markdown]
# ## In this notebook we have
#
# - seen a search as space, strategy and evaluation, and a space as a list of decisions;
# - drawn all 125 cells of a space, written them down and read them back;
# - counted five spaces, from 125 to $1.6 \cdot 10^{29}$ architectures;
# - built networks from cells, and seen that place matters as much as operation;
# - found 60 different functions behind 125 names, in two independent ways;
# - put all networks into one supernet, and caught two real bugs with one test.
#
# **On your own.** Give the tiny space a sixth operation in your head: how many cells, how many functions? Then turn
# to notebook 02, which trains all 125.

# %% [markdown]
# ## Further reading
#
# - Elsken, Metzen and Hutter, [Neural Architecture Search: A Survey](https://arxiv.org/abs/1808.05377), 2019: space,
#   strategy and evaluation, the frame of this notebook.
# - Dong and Yang, [NAS-Bench-201](https://arxiv.org/abs/2001.00326), 2020: the space of six edges, and the notation.
# - Liu, Simonyan and Yang, [DARTS](https://arxiv.org/abs/1806.09055), 2019, and Pham et al.,
#   [ENAS](https://arxiv.org/abs/1802.03268), 2018: the three large spaces.

# %% [markdown]
# ## Versions

# %%
from platform import python_version

print(f"Python {python_version()}, torch {torch.__version__}, nas_tutorial {nas_tutorial.__version__}")
