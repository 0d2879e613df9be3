# %% [markdown]
# # 0 · Start here
#
# You will search for a neural network in a minute, see what was found, and find out whether it is any good.
#
# <!-- badges -->
#
# 12 min reading · 6 min exercises · longest cell 45 s · all cells 190 s · 1.0 GB

# %% [markdown]
# ![Left, three nodes joined by five coloured lines on each edge: a network with every option, the supernet. An arrow
# called search leads to the same three nodes with one line on each edge: an architecture. An arrow called train leads
# to a box that says accuracy plus or minus seeds: the test.](data:image/svg+xml,%3Csvg%20xmlns=%27http://www.w3.org/2000/svg%27%20width=%27760%27%20height=%27260%27%20font-family=%27Helvetica,Arial,sans-serif%27%20font-size=%2717%27%3E%3Crect%20width=%27760%27%20height=%27260%27%20fill=%27white%27/%3E%3Cg%20fill=%27none%27%20stroke-width=%274%27%3E%3Cpath%20d=%27M40%20170Q122%20131%20135%2042%27%20stroke=%27%23999999%27%20stroke-dasharray=%272%205%27/%3E%3Cpath%20d=%27M40%20170Q105%20119%20135%2042%27%20stroke=%27%23000000%27%20stroke-dasharray=%279%205%27/%3E%3Cpath%20d=%27M40%20170Q88%20106%20135%2042%27%20stroke=%27%23E69F00%27/%3E%3Cpath%20d=%27M40%20170Q70%2093%20135%2042%27%20stroke=%27%2356B4E9%27/%3E%3Cpath%20d=%27M40%20170Q53%2081%20135%2042%27%20stroke=%27%230072B2%27/%3E%3Cpath%20d=%27M135%2042Q148%20131%20230%20170%27%20stroke=%27%23999999%27%20stroke-dasharray=%272%205%27/%3E%3Cpath%20d=%27M135%2042Q165%20119%20230%20170%27%20stroke=%27%23000000%27%20stroke-dasharray=%279%205%27/%3E%3Cpath%20d=%27M135%2042Q182%20106%20230%20170%27%20stroke=%27%23E69F00%27/%3E%3Cpath%20d=%27M135%2042Q200%2093%20230%20170%27%20stroke=%27%2356B4E9%27/%3E%3Cpath%20d=%27M135%2042Q217%2081%20230%20170%27%20stroke=%27%230072B2%27/%3E%3Cpath%20d=%27M40%20170Q135%20212%20230%20170%27%20stroke=%27%23999999%27%20stroke-dasharray=%272%205%27/%3E%3Cpath%20d=%27M40%20170Q135%20191%20230%20170%27%20stroke=%27%23000000%27%20stroke-dasharray=%279%205%27/%3E%3Cpath%20d=%27M40%20170Q135%20170%20230%20170%27%20stroke=%27%23E69F00%27/%3E%3Cpath%20d=%27M40%20170Q135%20149%20230%20170%27%20stroke=%27%2356B4E9%27/%3E%3Cpath%20d=%27M40%20170Q135%20128%20230%20170%27%20stroke=%27%230072B2%27/%3E%3C/g%3E%3Ccircle%20cx=%2740%27%20cy=%27170%27%20r=%279%27%20fill=%27%23444%27/%3E%3Ccircle%20cx=%27135%27%20cy=%2742%27%20r=%279%27%20fill=%27%23444%27/%3E%3Ccircle%20cx=%27230%27%20cy=%27170%27%20r=%279%27%20fill=%27%23444%27/%3E%3Cpath%20d=%27M262%20120H342M331%20112L342%20120L331%20128%27%20fill=%27none%27%20stroke=%27%23222%27%20stroke-width=%273%27/%3E%3Ctext%20x=%27302%27%20y=%27106%27%20text-anchor=%27middle%27%3Esearch%3C/text%3E%3Cg%20fill=%27none%27%20stroke-width=%274%27%3E%3Cpath%20d=%27M372%20170Q420%20106%20467%2042%27%20stroke=%27%230072B2%27/%3E%3Cpath%20d=%27M467%2042Q514%20106%20562%20170%27%20stroke=%27%23E69F00%27/%3E%3Cpath%20d=%27M372%20170Q467%20170%20562%20170%27%20stroke=%27%23000000%27%20stroke-dasharray=%279%205%27/%3E%3C/g%3E%3Ccircle%20cx=%27372%27%20cy=%27170%27%20r=%279%27%20fill=%27%23444%27/%3E%3Ccircle%20cx=%27467%27%20cy=%2742%27%20r=%279%27%20fill=%27%23444%27/%3E%3Ccircle%20cx=%27562%27%20cy=%27170%27%20r=%279%27%20fill=%27%23444%27/%3E%3Cpath%20d=%27M594%20120H654M643%20112L654%20120L643%20128%27%20fill=%27none%27%20stroke=%27%23222%27%20stroke-width=%273%27/%3E%3Ctext%20x=%27624%27%20y=%27106%27%20text-anchor=%27middle%27%3Etrain%3C/text%3E%3Ctext%20x=%27135%27%20y=%27222%27%20text-anchor=%27middle%27%20font-weight=%27bold%27%3Ea%20network%20with%20every%20option%3C/text%3E%3Ctext%20x=%27467%27%20y=%27222%27%20text-anchor=%27middle%27%20font-weight=%27bold%27%3Eone%20option%20kept%20on%20each%20edge%3C/text%3E%3Ctext%20x=%27135%27%20y=%27246%27%20text-anchor=%27middle%27%3Ethe%20supernet%3C/text%3E%3Ctext%20x=%27467%27%20y=%27246%27%20text-anchor=%27middle%27%3Ean%20architecture%3C/text%3E%3Crect%20x=%27668%27%20y=%2788%27%20width=%2784%27%20height=%2764%27%20rx=%2710%27%20fill=%27%23E3F0F9%27%20stroke=%27%230072B2%27%20stroke-width=%273%27/%3E%3Ctext%20x=%27710%27%20y=%27115%27%20text-anchor=%27middle%27%3Eaccuracy%3C/text%3E%3Ctext%20x=%27710%27%20y=%27138%27%20text-anchor=%27middle%27%3E%C2%B1%20seeds%3C/text%3E%3Ctext%20x=%27706%27%20y=%27222%27%20text-anchor=%27middle%27%20font-weight=%27bold%27%3Ethe%20test%3C/text%3E%3C/svg%3E)
#
# Neural architecture search in one picture. Begin with every option. Keep one on each edge. Then train what is left,
# alone, and be honest about the result.

# %% [markdown]
# ## You will do, learn, need
#
# **Do.** Check your installation. Run a complete search, from pictures to a trained network. Page through networks
# that nobody has tried.
#
# **Learn.** What a search prints, and what its numbers do *not* mean. Why random networks belong beside every found
# one.
#
# **Need.** Some Python, and a rough idea of how a convolutional network is trained. No GPU, no download.

# %% [markdown]
# ## Set-up
#
# Run the cells one after the other with Shift+Enter. Every notebook begins with this one.

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
from statistics import fmean, stdev

import ipywidgets

from nas_tutorial import data, drawing, plots, spaces, widgets
from nas_tutorial.strategies import darts
from nas_tutorial.training import Recipe, evaluate, retrain, train_from_scratch

# %% [markdown]
# ### Is everything there?
#
# Drawings need Graphviz: a `dot` program on your machine, or the one inside the package pygraphviz. Sliders and
# buttons need ipywidgets. This cell draws a small graph with whatever it finds, and stops with advice where
# something is missing.

# %%
cell = spaces.Tiny().parse("|conv_3x3~0|+|skip~0|avg_pool_3x3~1|")
assert drawing.svg(cell).startswith("<svg")
print("drawings:", "the dot program" if shutil.which("dot") else "pygraphviz")
print("widgets: ipywidgets", ipywidgets.__version__)
print("computing on:", "a GPU" if torch.cuda.is_available() else "the CPU, which is enough here")

# %% [markdown]
# ## Predict first
#
# The search below trains one big network that contains 15,625 small ones, and tells after each epoch how many of
# the held-out pictures it gets right. In the end we take out one small network and train it again, alone, from
# scratch, on the same pictures and for as many epochs. We search with several seeds. Is a small network alone better
# than the big one was at the end of its search?
#
# - **A.** Never: alone, it lost the help of all the others.
# - **B.** It depends on the seed.
# - **C.** Always: alone, it no longer has to share.
#
# Choose a letter. The answer comes below, in *Is it any good?*

# %% [markdown]
# ## The pictures
#
# We need a task in which the architecture matters. Plain digits will not do: nearly everything can read those. So
# we paste handwritten digits in random colours at random places, and scatter pieces of other digits around them.
# They are made on the spot, so there is nothing to download.

# %%
digits = data.load("digits", seed=0)
print(digits)

# %%
figure = plots.picture_sheet(
    digits.train.images[:16],
    digits.train.labels[:16],
    digits.class_names,
    title="Which digit is it? The answer stands above each picture",
)
plots.show(figure, alt="Sixteen small colour pictures, each with a digit somewhere among fragments of others.")

# %% [markdown]
# Three piles of pictures, and each has one job. *Train* teaches the weights. *Validation* chooses the architecture.
# *Test* stays closed until the very end. No handwriting occurs in two piles, not even as a fragment.

# %% [markdown]
# ## The space
#
# What may the network look like? A *search space* answers that. Ours is called `nasbench201`: the network is a
# chain of equal *cells*, a cell has six edges, and each edge may do one of five things.

# %%
space = spaces.get("nasbench201")
print(*space.operations, sep=", ")
print(f"{len(space.operations)} options on {len(space.decisions)} edges: {space.size:,} different cells")
assert space.size == 5**6 == 15_625
print(f"ten seconds for each: {10 * space.size / 86_400:.1f} days")

# %% [markdown]
# Training one of them for ten seconds tells a little about it. Training all of them would take more than a day and
# a half. We have a minute.

# %% [markdown]
# ## The search
#
# The strategy is called DARTS. It builds a network that has *all five* operations on every edge, each with a share in
# a mixture. While the weights learn, the shares learn too: what helps on the validation pictures gets a larger one.
# At the end each edge keeps the operation with the largest share. How that works is the subject of notebook 07;
# today we only watch.

# %%
search = darts.search(space, digits, epochs=3, batch_size=32, alpha_rate=0.03, seed=0)
for event in search:
    print(event)
found = search.result

# %% [markdown]
# One line per epoch: the training loss, the share of validation pictures that the *big* network gets right, how many
# edges of the cell are skips, and the cell that would be taken out if we stopped now. The cell is written node by
# node, with a `+` between nodes: `nor_conv_3x3~0` is an edge from node 0, the input, that carries ReLU, a 3×3
# convolution and batch norm; `skip_connect` copies; `none` is no connection. Loss falls, accuracy rises, and the cell
# changes its mind.
#
# **Question.** `none` is one of the five options. What would become of a cell in which all edges that leave the input,
# those that end in `~0`, are `none`? And does the search ever take out a cell with a `none`?
#
# <details><summary>Answer</summary>
#
# Nothing of the picture would get in, so the cell would be dead. The search takes out none of this kind: in the mixture
# `none` has a share like the others, but where DARTS chooses one operation for each edge, it leaves `none` out. That is
# a rule of its authors. The authors of the space NAS-Bench-201 chose from all five, and then a search can end in a dead
# cell (`derive_none=True` shows it). Notebook 08 is about that.
#
# </details>

# %%
figure = plots.curves({"search": found.history})
plots.show(figure, alt="Over three epochs the training loss falls and the validation accuracy rises.")
assert found.history[0].loss > found.history[-1].loss
assert found.history[0].validation_accuracy < found.history[-1].validation_accuracy

# %% [markdown]
# And here is what it found. Read it from left to right. Grey boxes are *nodes*: pictures in progress. Each coloured
# box is an *operation* on the way from one node to another. Where arrows meet, the results are added.

# %%
drawing.draw(found.architecture)

# %% [markdown]
# What we see: 3×3 convolutions on the road from input to output. They are the only operations with weights that
# look at a pixel *and* its neighbours. The search found that out by itself.

# %%
print(found.architecture)
print(f"{widgets.count_parameters(found.architecture):,} parameters, found in {found.seconds:.0f} s")
assert str(found.architecture).count("nor_conv_3x3") >= 2

# %% [markdown]
# ## Is it any good?
#
# Now the part that is often left out. First, throw away the weights of the search and train the found cell alone, on
# the same pictures, with the same number of epochs. Three times, from three different beginnings: one number would not
# tell luck from quality.

# %%
recipe = Recipe(epochs=3, batch_size=32)


def alone_on_the_same(cell, seeds):
    """Validation accuracies of a cell trained from scratch on the train pile, once per seed."""
    networks = [train_from_scratch(cell, digits.train, digits, recipe, seed) for seed in seeds]
    return [evaluate(network, digits.validation, digits) for network in networks]


# %%
same = alone_on_the_same(found.architecture, seeds=(0, 1, 2))
print(f"search, everything mixed: {found.history[-1].validation_accuracy:.2f}")
print("the cell alone, same pictures:", *(f"{accuracy:.2f}" for accuracy in same))

# %% [markdown]
# The choice is made, so validation pictures may now help in training, too: twice the pictures, so twice the steps.
# `retrain` does that, and then opens the test pictures.

# %%
alone = retrain(found.architecture, digits, seeds=(0, 1, 2), epochs=3, batch_size=32)
print("test accuracies:", *(f"{accuracy:.2f}" for accuracy in alone.accuracies))
print("found cell, trained alone on all pictures:", alone)

# %%
last = found.history[-1].validation_accuracy
rows = {"search: everything mixed": [last], "alone, same pictures": same, "alone, all pictures": alone.accuracies}
means, stds = [fmean(runs) for runs in rows.values()], [0, stdev(same), alone.std]
title = "One search, three numbers"
figure = plots.bars_with_bands(list(rows), means, stds, points=list(rows.values()), title=title, x_label="accuracy (%)")
plots.show(figure, alt="Accuracy of the mixture, of the found cell alone, and of the cell with twice the pictures.")

# %% [markdown]
# Was that luck? Search again with other seeds, and train each found cell once, on the same pictures.


# %%
def once_more(seed):
    """Search with this seed; print what the search says at its end, and what the found cell does alone."""
    again = darts.search(space, digits, epochs=3, batch_size=32, alpha_rate=0.03, seed=seed).result
    (accuracy,) = alone_on_the_same(again.architecture, seeds=[0])
    print(f"seed {seed}: search {again.history[-1].validation_accuracy:.2f} | cell alone {accuracy:.2f}")
    print(again.architecture)


# %%
once_more(seed=1)

# %%
once_more(seed=2)

# %%
once_more(seed=3)

# %% [markdown]
# **Answer: B.** On the same pictures, the small network is ahead for some seeds and behind for another. What the search
# reports belongs to the mixture of everything, not to the cell, and it changes a lot from seed to seed. What the cells
# do alone changes less. So do not read a cell's worth from the log of its search. And beware of comparing the first bar
# with the last, as is often done: between them more changes than the network. Part of the difference comes from a pile
# of pictures that is twice as large.
#
# ## Is it better than a die?
#
# Train cells that nobody searched for, too. If random cells were as good, the search was a waste of time. Roll the
# die once for every edge:

# %%
generator = torch.Generator().manual_seed(0)
random_cells = [space.sample(generator) for _ in range(3)]
others = [retrain(random_cells[0], digits, seeds=(0, 1), epochs=3, batch_size=32)]
print(others[0], random_cells[0])

# %% [markdown]
# One roll of a die proves nothing. Two more:

# %%
others += [retrain(cell, digits, seeds=(0, 1), epochs=3, batch_size=32) for cell in random_cells[1:]]
for cell, scores in zip(random_cells, others, strict=True):
    print(scores, cell)

# %%
rows = {"found": alone} | {f"random {i}": scores for i, scores in enumerate(others, start=1)}
means, stds = [s.mean for s in rows.values()], [s.std for s in rows.values()]
figure = plots.bars_with_bands(list(rows), means, stds, points=[s.accuracies for s in rows.values()])
plots.show(figure, alt="Test accuracy of the found cell and three random cells; single runs are dots.")

# %%
mean_of_random = fmean(scores.mean for scores in others)
print(f"found, trained alone {alone} | mean of random cells {mean_of_random:.2f}")
assert alone.mean > mean_of_random

# %% [markdown]
# The found cell beats the *average* random cell by far. Now the honest part: would a search still win against rolling
# the die ten times and keeping the best? Three rolls cannot tell. How to compare fairly is the right question, and the
# course answers it step by step.

# %% [markdown]
# ## Look inside
#
# What else is in the space? Here are 24 of the 15,625 cells, drawn at random. The letters stand for operations; the
# legend says which.

# %%
sampled = [space.sample(generator) for _ in range(24)]
drawing.sheet(sampled, captions=[f"number {i}" for i in range(1, 25)])

# %% [markdown]
# Now page through them with the slider or the buttons. Three questions before you begin:
#
# 1. Which one has the most parameters? (Look for dark blue.)
# 2. Can you find a cell in which no road leads from input to output, because every road has a `none` on it? (Edges
#    through which nothing flows are grey and dashed.)
# 3. Which cell would you bet on, having seen what the search found?

# %%
widgets.browse(sampled)

# %% [markdown]
# ## Exercises
#
# There is no wrong answer here. From notebook 01 on, exercises come with checks, hints and solutions.
#
# ### Exercise: Search again · ★☆☆ · 3 min
#
# Set `seed=4` in the search and run the cells below it again. Is it the same cell? Is it as good?
#
# ### Exercise: Bet on a cell · ★☆☆ · 3 min
#
# Take your favourite of the 24 and train it:
# `retrain(sampled[n - 1], digits, seeds=(0, 1), epochs=3, batch_size=32)`. Did you beat the search?

# %% [markdown]
# ## What can go wrong
#
# Somebody runs a search as described, it stops at a low accuracy, and they ask what they did wrong. This question has
# been asked under almost every public implementation, for example [about
# ENAS](https://github.com/melodyguan/enas/issues/65), [about DARTS](https://github.com/khanrc/pt.darts/issues/10)
# and [about a toolkit](https://github.com/microsoft/nni/issues/2500). Mostly nothing is wrong. **The accuracy of a
# search is not the accuracy of the network it finds.** The search measures a compromise of thousands of networks
# that share their weights. Only training alone tells what the architecture can do. A search that you did not follow
# by a retraining is not finished.

# %% [markdown]
# ## In this notebook we have
#
# - checked that drawings and widgets work here;
# - searched 15,625 cells in one go, and drawn the cell that was found;
# - trained it alone with three seeds, on the same pictures and on all, and seen that the search's own accuracy says
#   little about it;
# - put random cells beside it, the cheapest honest question to ask of any search;
# - paged through networks that nobody has tried.

# %% [markdown]
# ### The course
#
# | | notebook | the question it answers |
# | --- | --- | --- |
# | 00 | **Start here** | what does a search look like? |
# | [01](01_draw_a_space_of_networks.ipynb) | Draw a space of networks | what can be searched, and how much is there? |
# | [02](02_know_the_truth.ipynb) | Know the truth | how good is each of 125 cells, and how much of that is noise? |
# | [03](03_solve_a_bilevel_problem_by_hand.ipynb) | Solve a bilevel problem by hand | why two sets of pictures? |
# | [04](04_share_the_weights.ipynb) | Share the weights | can one network judge all architectures at once? |
# | 05 | ENAS: learn to sample | how does a policy learn which architectures to try? |
# | 06 | ENAS at full size: macro and micro | what did the paper search, exactly? |
# | 07 | DARTS: relax, then descend | how can gradients choose between operations? |
# | 08 | When search fools you | what goes wrong, and how would you notice? |
# | 09 | CIFAR-10 on a GPU | does it work on real pictures? |
# | 10 | Your turn | your operation, your space, your data |
#
# Notebooks without a link are in the making.
# Three lectures: 01 to 03, 04 to 06, 07 to 09. In a hurry? 01, 04, 07, 08. Next: **01, Draw a space of networks.**

# %% [markdown]
# ### Symbols
#
# The two papers use letters; the code uses words. Come back to this table when a formula looks strange.
#
# | symbol | name in the code | what it means |
# | --- | --- | --- |
# | $\mathcal{O}$ | `space.operations` | the operations that an edge may use |
# | $o(x)$ | `edge.ops[name]` | one of them, applied to a node $x$ |
# | $x^{(i)}$ | `states[i]` | node $i$ of a cell: pictures × channels × height × width |
# | $\alpha$ | `alphas` | architecture parameters: one number per edge and operation |
# | $\bar{o}(x)$ | `edges.mixed_op` | all operations of an edge, weighted by softmax(α) |
# | $w$, ENAS: $\omega$ | the network's weights | what ordinary training changes |
# | $L_{train}$, $L_{val}$ | `loss` | cross-entropy on training and on validation pictures |
# | $w^*(\alpha)$ | — | the weights after complete training of architecture $\alpha$ |
# | $\xi$ | `xi` | how far DARTS looks ahead when it moves $\alpha$: the learning rate of $w$ |
# | $m$ | `architecture` | one architecture: one answer per decision |
# | $\pi(m; \theta)$ | `controller` | the policy that samples architectures, and its weights $\theta$ |
# | $R(m, \omega)$ | `reward` | accuracy of $m$ on a batch of validation pictures |
# | $b$ | `baseline` | moving average of rewards |
# | $\tau$ | Kendall's tau | agreement of two rankings: 1 the same, 0 unrelated, −1 reversed |

# %% [markdown]
# ## Further reading
#
# - Liu, Simonyan and Yang, [DARTS: Differentiable Architecture Search](https://arxiv.org/abs/1806.09055), 2019: the
#   strategy of this notebook.
# - Pham et al., [Efficient Neural Architecture Search via Parameter Sharing](https://arxiv.org/abs/1802.03268),
#   2018: the other strategy of this course.
# - Dong and Yang, [NAS-Bench-201](https://arxiv.org/abs/2001.00326), 2020: the space of this notebook, with every
#   cell trained.
# - Li and Talwalkar, [Random Search and Reproducibility for Neural Architecture
#   Search](https://arxiv.org/abs/1902.07638), 2019: why random cells belong beside found ones.

# %% [markdown]
# ## Versions

# %%
from platform import python_version

print(f"Python {python_version()}, torch {torch.__version__}, nas_tutorial {nas_tutorial.__version__}")
