# %% [markdown]
# # 0 · Start here
#
# Run three cells, and a computer designs a neural network before your eyes. Then find out whether it is any good.
#
# <!-- badges -->
#
# 24 min reading · 6 min exercises · longest cell 50 s · all cells 202 s · 1.0 GB

# %% [markdown]
# ![Three steps. Left, three nodes joined by five lines on each edge, some thick, some thin: every option at once, the
# supernet. An arrow called search leads to the same nodes with one line on each edge: a cell. An arrow called train
# leads to a diagram of accuracies: dots of found cells lie further right than squares of random
# cells.](pictures/00.png)
#
# Neural architecture search in one picture. Begin with every option at once, keep one on each edge, and then ask the
# question that is often left out.

# %% [markdown]
# ## You will do, learn, need
#
# **Do.** Run a complete search in a minute. Test what it found against random networks. Look inside.
#
# **Learn.** What a search does, and what its numbers do *not* mean.
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

# %% [markdown]
# ## The search
#
# The task: read handwritten digits. The question: which network? We allow 15,625 different ones, and a search picks one
# of them. Each line below takes ten to twenty seconds.

# %%
from nas_tutorial import data, drawing, plots, spaces
from nas_tutorial.strategies import darts

digits = data.load("digits", seed=0)  # small colour pictures of handwritten digits
space = spaces.get("nasbench201")  # the networks that are allowed
search = darts.search(space, digits, epochs=3, batch_size=32, warmup=0.5, alpha_rate=0.03, seed=0)
for event in search:
    right = f"{event.validation_accuracy:.0%} of the pictures held back are read right"
    print(f"epoch {event.epoch} of {event.epochs}: {right}")
found = search.result

# %% [markdown] tags=["slide"]
# ## A search picks one network of 15,625
#
# Read it from left to right: grey boxes are pictures in progress, coloured boxes are operations.
#
# Note:
# 2 min. Start the notebook now and let the search run while you speak; it takes a minute. This is the piece of
# network that it finds, with seed zero. Nobody drew it. Let the students name what they see: which coloured box occurs
# most often, and how many ways lead from input to output. Do not say yet whether it is any good; that is the question
# of the whole hour.

# %% tags=["slide-output"]
drawing.draw(found.architecture)

# %% [markdown]
# That is what the search found: a *cell*, the piece that is repeated to make the network. Read it from left to right.
# Grey boxes are *nodes*: pictures in progress. Each coloured box is an *operation* on an *edge*, the way from one node
# to another. Where arrows meet, the results are added.
#
# Nobody drew this cell. A minute ago it was one of 15,625. And the search changed its mind on the way: here is the cell
# it would have picked after each epoch. Small drawings have a letter for each operation; the line on top explains them.

# %% [markdown] tags=["slide"]
# ## The search changes its mind
#
# What it would have picked after each epoch:
#
# Note:
# 1 min. The same cell, drawn small: a ring is the input, the last dot is the output, a letter stands for each
# operation. Ask for the differences between one epoch and the next. Three epochs are very few. We return to the
# question what makes the search decide for one letter or another.

# %% tags=["slide-output"]
drawing.sheet([event.architecture for event in found.history], captions=["epoch 1", "epoch 2", "epoch 3"])

# %% [markdown]
# What we see: most edges carry a 3. Of the five operations, listed below, only the 3×3 convolution has weights *and*
# looks at a pixel's neighbours. The search was not told.
#
# Is it a good cell? The percentage above does not say. It belongs to something else, and that is the first thing to
# understand about architecture search.

# %% [markdown]
# ## Predict first
#
# While it searches, the computer trains one big network that contains all 15,625 small ones, *blended*. The percentages
# above are the blend's. Later we take the found cell out of it and train it alone, from scratch. And we give it more,
# as papers do: here, twice the steps of training and twice the pictures. It will be far better than the blend.
#
# Three things have changed at once. We shall take them apart, in six searches. Which one brings more than five points
# **every time**?
#
# - **A.** Being alone: its weights serve one network only.
# - **B.** The pictures: it sees twice as many different ones, in equally many steps.
# - **C.** The steps: it is trained for longer.
#
# Choose a letter. The answer comes in *Is it any good?*

# %% [markdown] tags=["slide"]
# ## 2 min: Three things change at once. Which one helps every time?
#
# The search trains a **blend** of all 15,625 networks. We then train the found cell **alone**, for **twice the steps**,
# on **twice the pictures**. It does far better. In six searches, what brings more than five points every time?
#
# - **A.** Being alone
# - **B.** The pictures
# - **C.** The steps
#
# Note:
# 3 min. Let everybody choose a letter and defend it to a neighbour, then count hands and write the count on the board.
# Do not comment. We shall separate the three with experiments: change one thing at a time, in six searches. The
# students need no more than this: a network trained longer gets better, and a network that sees more pictures gets
# better, too.

# %% [markdown]
# ## The pictures
#
# We need a task in which the architecture matters. Plain digits will not do: nearly everything can read those. So we
# paste handwritten digits in random colours at random places, and scatter pieces of other digits around them.

# %% [markdown] tags=["slide"]
# ## The task: read the digit among the rubble
#
# Note:
# 1 min. Eight pictures of sixteen by sixteen pixels. The label stands above each one. Colour says nothing about the
# digit, and neither does the place. A network has to find strokes, and strokes are neighbouring pixels. Let the
# students cover the labels and read.

# %% tags=["slide-output"]
shown = digits.train.images[:8], digits.train.labels[:8], digits.class_names
figure = plots.picture_sheet(*shown, title="Which digit is it? The answer stands above each picture")
plots.show(figure, alt="Eight small colour pictures, each with a digit somewhere among fragments of others.")

# %%
from nas_tutorial.exercises import quiz

print(digits)

# %% [markdown]
# Three piles of pictures, and each has one job. *Train* teaches the weights. *Validation*, the pictures held back,
# chooses the architecture. *Test* stays closed until the choice is made. Each piece of handwriting was put into one
# pile before the pictures were made: none occurs in two piles, not even as a fragment.

# %% [markdown] tags=["slide"]
# ## Three piles, three jobs
#
# | pile | its job |
# | --- | --- |
# | train | teaches the weights |
# | validation | chooses the architecture |
# | test | judges, when the choice is made |
#
# Note:
# 1 min. In ordinary training you choose a network and fit its weights, so two piles may do. A search makes a choice of
# its own, and a choice needs pictures that the weights have not seen. The third pile judges what comes out. No
# handwriting occurs in two piles. The quiz on the next slide asks why.

# %% [markdown] tags=["slide"]
# ## 2 min: One heap, shuffled
#
# Note:
# 3 min. Two minutes alone, then the answer with a click. The tempting wrong answer is B: the pictures look
# different. The strokes are the same, and a network can remember strokes. In real projects this happens with frames of
# one video, or several pictures of one patient.

# %% tags=["slide-output"]
quiz("three_piles")

# %% [markdown]
# ## The space
#
# What may a network look like? A *search space* answers that. Ours is called `nasbench201`. Around the cell stands a
# fixed frame, the same for all: three times the cell, between them a step that halves the picture, and at the end a
# layer that names the digit. Only the cell is searched. It has six edges, and each edge uses one of five operations.

# %%
print(*space.operations, sep=", ")
print(f"{len(space.operations)} options on {len(space.decisions)} edges: {space.size:,} different cells")
assert space.size == 5**6 == 15_625
print(f"ten seconds for each: {10 * space.size / 86_400:.1f} days")

# %% [markdown]
# `none` is no connection: zeros arrive. `skip_connect` copies. `nor_conv_1x1` and `nor_conv_3x3` are ReLU, a
# convolution and batch norm. `avg_pool_3x3` replaces each pixel by the mean of its neighbourhood.
#
# What we see: to train every cell for ten seconds would take more than a day and a half. The search took a minute.

# %% [markdown] tags=["slide"]
# ## The space: five options on six edges
#
# | operation | what it does |
# | --- | --- |
# | `none` | no connection: zeros |
# | `skip_connect` | copies |
# | `nor_conv_1x1`, `nor_conv_3x3` | ReLU, convolution, batch norm |
# | `avg_pool_3x3` | mean of the neighbourhood |
#
# $$5 \cdot 5 \cdot 5 \cdot 5 \cdot 5 \cdot 5 = 5^6 = 15{,}625$$
#
# Note:
# 2 min. Six edges, each with five answers. Every edge multiplies. With ten seconds for a training, all of them take
# nearly two days; the search took a minute. And this space is tiny: others in the course have ten to the eighteen
# networks. Everything around the cell is fixed: the cell is used three times, and between two of them the picture is
# halved.

# %% [markdown] tags=["slide"]
# ## 2 min: One operation more
#
# Note:
# 2 min. Let them compute, on paper. Six to the power of six over five to the power of six is six fifths to the power of
# six. Spaces grow by factors, and this is why nobody tries everything.

# %% tags=["slide-output"]
quiz("sixth_operation")

# %% [markdown]
# ## All options at once
#
# How does a search get by without training them one after the other? The strategy used here is called DARTS. It builds
# one network, the *supernet*, that has *all five* operations on every edge. What they compute is added up, each
# multiplied by its *share*; the five shares of an edge add up to 1. That is the blend. While the weights learn on the
# training pictures, the shares learn, too, on the validation pictures: what helps gets a larger one. Notebook 07 is
# about how that works. Today we only look at the shares that came out.

# %% [markdown] tags=["slide"]
# ## On every edge five options compete
#
# Note:
# 3 min. The supernet has all five operations on every edge. Their results are added, each multiplied by its share. A
# panel is an edge, named by its two nodes: zero is the input, three the output. A line is an option. Shares move
# because they are trained, too, on validation pictures. Follow one panel together. Then ask: which option is taken out
# of this panel? And which of the panel zero to two, where the dotted line is on top?

# %% tags=["slide-output"]
figure = plots.alphas_over_time(found.history, title="The five shares of each edge, epoch by epoch")
plots.show(figure, alt="Six panels, one for each edge: the shares of five options over three epochs.")

# %% [markdown]
# Each panel is an edge, named by its two nodes: 0 is the input, 3 the output. The axis says *probability*; that is
# another word for the share.
#
# What we see: on three edges the dark blue line rises far above the others; elsewhere it is closer. After the last
# epoch the search takes out of each panel the option with the largest share, **with `none` left out of the count**.
# Look for the panel where the dotted line of `none` ends on top: the cell has another operation there.
#
# That `none` may not win is a rule of the authors of DARTS. The authors of our space, NAS-Bench-201, let it win
# (`derive_none=True`), and then a search can end in a cell through which nothing flows. More of that in notebook 08.

# %% [markdown] tags=["slide"]
# ## The largest share is kept, but 'none' is left out of the count
#
# - the authors of DARTS: `none` takes part in the blend, but never wins
# - the authors of NAS-Bench-201: `none` may win, so a search can end in a dead cell
#
# A blend and a cell taken out of it are **two different networks**.
#
# Note:
# 2 min. In the figure before, look at the panel where the dotted line is on top at the end. The edge gets the best of
# the other four. So taking out a cell changes the network twice: faint operations disappear, and the one that is kept
# now works at full strength. This is called rounding or discretising, and notebook eight shows what may go wrong with
# it.

# %% [markdown] tags=["slide"]
# ## 2 min: From a share of 0.3 to a cell
#
# Note:
# 2 min. This question prepares the experiment. Whoever answers C thinks of the cell as the blend with some parts
# missing. But an operation in the cell is there or is not. So the percentage of the blend cannot be the percentage of
# the cell: it was measured on another network.

# %% tags=["slide-output"]
quiz("full_strength")

# %% [markdown]
# ## Is it any good?
#
# A blend has been judged so far, not the cell. So train the cell *alone*: throw away the weights of the search and
# begin from scratch. First with everything else equal: the same training pictures, the same number of steps, and the
# same *warm-up*: during the first half of the steps the learning rate grows. Short trainings that begin at the full
# rate sometimes get stuck.

# %%
from statistics import fmean, stdev
from time import process_time

from nas_tutorial.training import Recipe, evaluate, train_from_scratch

equal = {"epochs": 3, "batch_size": 32, "warmup": 0.5}  # as in the search
network = train_from_scratch(found.architecture, digits.train, digits, Recipe(**equal), seed=0)
print(f"the blend, on validation pictures: {found.history[-1].validation_accuracy:.2f}")
print(f"the cell alone, on validation pictures: {evaluate(network, digits.validation, digits):.2f}")
print(f"the cell alone, on test pictures: {evaluate(network, digits.test, digits):.2f}")

# %% [markdown]
# What we see: on the same validation pictures, the cell alone differs a lot from the blend. The two numbers of the cell
# are close to each other, so validation and test pictures are about equally hard. From now on the test pictures judge:
# the cell was chosen without them.
#
# But this is one search, and one training. A search begins with random weights, and another beginning, another *seed*,
# may end in another cell. So we search five times more, and train each found cell once. To save your time, `recalled`
# does the first of the six here, and reads the others from a record if this one agrees with it; else it computes all.


# %%
def alone(cell, pile, epochs, seed):
    """Train a cell from scratch on a pile of pictures; return its accuracy on the test pictures."""
    trained = train_from_scratch(cell, pile, digits, Recipe(epochs, batch_size=32, warmup=0.5), seed)
    return evaluate(trained, digits.test, digits)


def searched(seed):
    """Search with this seed: the cell as six numbers, the accuracy of the blend, and that of the cell alone."""
    again = None if seed == 0 else darts.search(space, digits, **equal, alpha_rate=0.03, seed=seed)
    result = again.result if again else found  # you have seen the search of seed 0
    cell, blend = result.architecture, result.history[-1].validation_accuracy
    return [*cell.choices, blend, alone(cell, digits.train, 3, seed)]


# %%
from nas_tutorial.measures import recalled

seeds = range(6)
rows = recalled("00_searches", searched, seeds)
cells = [space.architecture([int(choice) for choice in row[:6]]) for row in rows]
blend, same = rows[:, 6], rows[:, 7]

# %%
for seed in seeds:
    print(f"seed {seed}: blend {blend[seed]:.2f} | cell alone {same[seed]:.2f}")
print(f"± {stdev(blend):.2f} between the blends, ± {stdev(same):.2f} between the cells")
drawing.sheet(cells, captions=[f"seed {seed}" for seed in seeds])

# %% [markdown]
# What we see: the six cells look alike, and two searches ended in the very same one. Alone they differ by ± 0.03, no
# more than one cell does from training to training (below). The blends lie further apart: the two that ended in this
# same cell are far behind the others, and the cell is not. Six searches prove no law. But they warn us not to read the
# worth of a cell from the *log* of its search, the percentages that it prints.
#
# Now change the second thing: the steps. The same pictures, but six epochs instead of three.

# %%
longer = recalled("00_longer", lambda seed: alone(cells[seed], digits.train, 6, seed), seeds)

# %% [markdown]
# And the third: the pictures. The choice is made, so the validation pictures may teach now, too. Three epochs of twice
# as many pictures make as many steps as six epochs before.

# %%
more = recalled("00_more", lambda seed: alone(cells[seed], digits.full_train, 3, seed), seeds)


# %%
def bars(rows, title, alt, x_label="accuracy (%)"):
    """A bar for each list of accuracies: their mean, and a dot for each of them."""
    runs = [list(row) for row in rows.values()]
    means, stds = [fmean(run) for run in runs], [stdev(run) for run in runs]
    look = {"points": runs, "title": title, "x_label": x_label}
    plots.show(plots.bars_with_bands(list(rows), means, stds, **look), alt)


# %% [markdown] tags=["slide"]
# ## Only longer training helps every time
#
# Note:
# 3 min. Read the bars from the bottom to the top; between two neighbours one thing changes. (The first pair changes the
# pile, too: the blend was judged on the one that taught its shares.) First the network is alone, then it takes more
# steps, then it sees more pictures. A dot is one search. Compare with the show of hands. More steps bring more than
# seven points in every search, more pictures less than four. Being alone brings up to sixteen points, or costs a few:
# the dots of the blend lie furthest apart.

# %% tags=["slide-output"]
bars(
    {"the blend (validation)": blend, "alone": same, "longer": longer, "longer, more pictures": more},
    title="What makes the difference? Each dot is one of six searches",
    x_label="accuracy (%), of all but the blend on test pictures",
    alt="The blend is lowest, the cell alone higher, trained longer higher still; more pictures add little.",
)

# %% tags=["slide-output"]
for before, after, name in ((blend, same, "being alone"), (same, longer, "steps"), (longer, more, "pictures")):
    gains = [100 * (after[seed] - before[seed]) for seed in seeds]
    each = ", ".join(f"{gain:+.0f}" for gain in gains)
    print(f"{name}: {fmean(gains):+.0f} points (seed by seed {each})")

# %% [markdown]
# **Answer: C.** Longer training brings more than seven points, in each of six searches. The larger pile of pictures,
# added to that, brings less than four. Being alone may bring more than the steps, or even cost a little: that depends
# on the blend, which with some seeds was poor. (Here the pile changes, too, from validation to test; above, one cell
# had the same accuracy on both.) So beware of comparing the blend's bar with the top one, as is often done: on average,
# more than half of that difference is the longer training; search by search it is between a third and all of it.

# %% [markdown] tags=["slide"]
# ## Change one thing at a time
#
# - the blend is not the cell: **do not read the worth of a cell from the log of its search**
# - the blend's bar against the top one: three changes in one comparison
# - on average, more than half of that difference is longer training
#
# Note:
# 2 min. This is the rule of every experiment in this course: beside each number stands another one that differs in a
# single thing. Papers often compare the accuracy of a search with that of a long retraining. Ask for the number in
# between, the short retraining on the same pictures. The quiz asks for exactly this.

# %% [markdown] tags=["slide"]
# ## 2 min: Sixty per cent, then ninety-three
#
# Note:
# 3 min. Two minutes in pairs. A and B are good experiments, but for other questions: they tell how much luck there is.
# Let somebody say which question each of them answers. Only C changes the steps and leaves all the rest.

# %% tags=["slide-output"]
quiz("long_training")

# %% [markdown]
# ### Exercise: Search again · ★☆☆ · 3 min
#
# Guess first: will a seventh search find one of these cells, and will its blend be better than the others? Then run
# `searched(6)` in a cell of your own: the last two numbers are the blend and the cell alone.

# %% [markdown]
# ## Is it better than a die?
#
# Train cells that nobody searched for, too. If they were as good, the search was a waste of time. There are two ways to
# do without a search. The first is to roll a die for every edge, here for six cells. The second is to guess: anybody
# who has worked with pictures would try a 3×3 convolution on every edge. All cells are trained as before: same
# pictures, same steps.

# %%
generator, start = torch.Generator().manual_seed(0), process_time()
random_cells = [space.sample(generator) for _ in range(6)]
dice = [alone(cell, digits.train, 3, seed=0) for cell in random_cells]
print(f"computing time of six random cells: {process_time() - start:.0f} s")
print(f"time of a search: {found.seconds:.0f} s")

# %%
convolution = space.operations.index("nor_conv_3x3")
guess = space.architecture([convolution] * 6)
guessed = recalled("00_guess", lambda seed: alone(guess, digits.train, 3, seed), seeds)

# %% [markdown] tags=["slide"]
# ## Found cells beat dice, and a good guess comes close
#
# Note:
# 2 min. Everything here was trained in the same way: same pictures, same steps. Each dot is one training of one cell.
# First compare found with random: four of the six hardly beat chance, which is ten per cent. Then point to the bar of
# the guess, a three by three convolution on every edge. Six trainings each cannot tell whether it is worse than the
# found cells. So what did the search do? It discovered, without being told, what an expert would have guessed.

# %% tags=["slide-output"]
bars(
    {"found by a search": same, "guess: 3×3 everywhere": guessed, "rolled with a die": dice},
    title="Trained alone: same pictures, same steps. Each dot is one training",
    alt="Found cells and the guess are about equally accurate; random cells lie lower and far apart.",
    x_label="test accuracy (%)",
)

# %%
from nas_tutorial import widgets

print(f"worst found cell {min(same):.2f}, best of six random cells {max(dice):.2f}")
print("found cells:", *(f"{widgets.count_parameters(cell):,}" for cell in cells), "weights")
print(f"guess: {widgets.count_parameters(guess):,} weights")
assert fmean(same) > fmean(dice)

# %% [markdown]
# What we see: four of six random cells read hardly better than chance, which is 10 %; two reach more than half. Even
# the best of six stays behind the worst found cell, although we picked it with the test pictures, which flatters it.
# And these six took about as much computing as a search did: compare the times. So, after three epochs, the search
# beats a few rolls of a die. Whether longer training would help the dice, we did not try.
#
# But the guess comes close: six trainings each do not tell whether the found cells are better. The search discovered
# what an expert knows, with somewhat fewer weights. And we had made it easy: outside the cell, nothing with weights
# sees a pixel's neighbours. So put dice *and* a good guess beside every search. On real pictures, a user of the code of
# ENAS [reported](https://github.com/melodyguan/enas/issues/39), even random cells came close to found ones after a long
# training. Notebook 02 computes how good the best of many rolls is.

# %% [markdown] tags=["slide"]
# ## 2 min: What is a fair rival?
#
# Note:
# 2 min. Two minutes in pairs. Insist on two words in the right answer: best, because somebody who has paid for fifty
# trainings keeps the best; and validation, because the test pictures must not choose. Ask what our own comparison on
# the slide before lacked. We picked the best of six with test pictures; that flatters the die, and still the search
# won.

# %% tags=["slide-output"]
quiz("fair_price")

# %% [markdown]
# ## Look inside
#
# Numbers say that the cell reads digits. What does it do? Send one picture through the network trained above, and look
# at the *feature maps*: the pictures in progress. Each node has eight of them in the first cell, the *channels*. Here
# is one, from left to right: what each edge brings to a node, and then their sum.

# %% [markdown] tags=["slide"]
# ## One digit on its way through the cell
#
# Note:
# 2 min. One channel of the first cell, for the first validation picture, from left to right: what each edge brings to a
# node, then the node, which is their sum. Orange is above zero, purple below, each node on a scale of its own. Compare
# the average pool with a three by three convolution: the pool blurs the picture; the convolution draws something new
# where strokes are.

# %% tags=["slide-output"]
from nas_tutorial.pictures import inside

picture = digits.validation.images[:1]
figure = inside.through_cell(network, digits, picture)
plots.show(figure, alt="A digit, and its feature maps on each edge and node of the first cell.")

# %% [markdown]
# Orange is above zero, purple below; each node has its own scale. What we see: a 3×3 convolution draws something new
# where strokes are; the average pool blurs what it gets. (A 1×1 convolution would recolour it, pixel by pixel.) How far
# does the cell see? Poke one pixel and count the pixels that notice.

# %% [markdown] tags=["slide"]
# ## Each 3×3 carries a poke one pixel further
#
# One pixel of the picture is changed. How many pixels of each node notice?
#
# Note:
# 2 min. Let the students explain the numbers: nine is three by three, twenty-five is five by five, forty-nine is seven
# by seven. Each three by three convolution on the longest way carries the change one pixel further to all sides. A
# stroke is a matter of neighbours, so this is what a cell needs for reading digits.

# %% tags=["slide-output"]
poked = picture.clone()
poked[..., 8, 8] = 255 - poked[..., 8, 8]
before, after = (inside.feature_maps(network, digits, version) for version in (picture, poked))
for i, (one, other) in enumerate(zip(before.states, after.states, strict=True)):
    print(f"{before.name(i)}: {int((one != other).any(0).sum())} of {one[0].numel()} pixels changed")

# %% [markdown]
# What we see: each 3×3 convolution on the way carries the poke one pixel further to all sides. A stroke is a matter of
# neighbours. In our space the frame around the cell has only 1×1 convolutions and pools, so a network that looks for
# strokes must do it inside the cell.

# %% [markdown] tags=["slide"]
# ## 1 min: Only 1×1 convolutions
#
# Note:
# 2 min. An easy question if the table of poked pixels was understood. Follow up: which of the five operations carry the
# poke to a neighbour? The three by three convolution and the average pool. The pool has no weights, so it can blur but
# not look for a shape.

# %% tags=["slide-output"]
quiz("ones_only")

# %% [markdown]
# ### What else is in the space?
#
# Here are 8 of the 15,625 cells, rolled with a die. Grey and dashed is what is dead: nothing flows there.

# %% [markdown] tags=["slide"]
# ## 3 min: Eight rolls of a die. Bet on one
#
# Note:
# 4 min. Everybody bets on one cell and says why in a sentence. Then train two of the favourites in the notebook, with
# the line under the exercise; a training takes some seconds. Ask before: which edges are dead, and how can you see it?
# Which cell has most convolutions? Compare with the numbers of the found cells.

# %% tags=["slide-output"]
sampled = [space.sample(generator) for _ in range(8)]
drawing.sheet(sampled, captions=[f"number {i}" for i in range(1, 9)])

# %% [markdown]
# Page through them with the slider or the buttons. Three questions before you begin:
#
# 1. Which one has the most parameters? (Look for dark blue.)
# 2. Which one has most dead edges, and is there a cell in which no road leads from input to output?
# 3. Which cell would you bet on, having seen what the search found?

# %%
widgets.browse(sampled)

# %% [markdown]
# ### Exercise: Bet on a cell · ★☆☆ · 3 min
#
# Train your favourite: `alone(sampled[n - 1], digits.train, 3, seed=0)`, with its number for `n`. Did you beat the
# search? Or build a cell of your own with `space.architecture`, as above: it takes six numbers, for the edges 0→1, 0→2,
# 1→2, 0→3, 1→3 and 2→3 in this order; 0 is `none`, 1 `skip_connect`, 2 `nor_conv_1x1`, 3 `nor_conv_3x3`, 4
# `avg_pool_3x3`. From notebook 01 on, exercises come with checks, hints and solutions.

# %% [markdown]
# ## What can go wrong
#
# Somebody runs a search as described, it stops at a low accuracy, and they ask what they did wrong. This question
# stands under public implementations [of ENAS](https://github.com/melodyguan/enas/issues/65), [of
# DARTS](https://github.com/khanrc/pt.darts/issues/10) and [of a toolkit that has
# both](https://github.com/microsoft/nni/issues/2500), and each time the first thing to do was the same: train the found
# architecture. **The accuracy of a search is not the accuracy of the network it finds.** A
# search without a training from scratch is not finished.

# %% [markdown] tags=["slide"]
# ## What can go wrong: stopping after the search
#
# Users of public code ask why the accuracy of their search is so low.
#
# - the log of a search shows the blend
# - a search is finished when its cell has been **trained from scratch**, with **several seeds**, beside **random cells
#   and a good guess**
#
# Note:
# 2 min. The threads are linked in the notebook: one about ENAS, one about DARTS, one about a toolkit that has
# both. In each, somebody takes the log of the search for the result, and finds it low. Repeat the checklist on the
# slide; it is the lesson of this notebook in one sentence.

# %% [markdown]
# ## In this notebook we have
#
# - searched 15,625 cells in one go, and seen how shares compete and one option is kept;
# - trained found cells alone, changed one thing at a time, and learnt that a blend says little about its cell;
# - put random cells and a good guess beside them, the cheapest honest questions to ask of any search;
# - watched a digit pass through a cell, and paged through cells rolled with a die.
#
# ### The course
#
# | | notebook | the question it answers |
# | --- | --- | --- |
# | 00 | **Start here** | what does a search look like? |
# | [01](01_draw_a_space_of_networks.ipynb) | Draw a space of networks | what can be searched, and how much is there? |
# | [02](02_know_the_truth.ipynb) | Know the truth | how good is each of 125 cells, and how much of that is noise? |
# | [03](03_solve_a_bilevel_problem_by_hand.ipynb) | Solve a bilevel problem by hand | why two sets of pictures? |
# | [04](04_share_the_weights.ipynb) | Share the weights | can one network judge all architectures at once? |
# | [05](05_learn_to_sample.ipynb) | Learn to sample | how does a policy learn which architectures to try? |
# | [06](06_enas_at_full_size.ipynb) | ENAS at full size | what did the paper search, exactly? |
# | [07](07_relax_then_descend.ipynb) | Relax, then descend | how can gradients choose between operations? |
# | 08 | When search fools you | what goes wrong, and how would you notice? |
# | [09](09_cifar10_on_a_gpu.ipynb) | CIFAR-10 on a GPU | does it work on real pictures? |
# | 10 | Your turn | your operation, your space, your data |
#
# Notebooks without a link are in the making. Three lectures: 01 to 03, 04 to 06, 07 to 09. In a hurry? 01, 04, 07, 08.
# Next: **01, Draw a space of networks.**

# %% [markdown] tags=["slide"]
# ## Take home
#
# - a search trains a **blend** and takes a **cell** out of it
# - judge the cell alone, and change **one thing at a time**
# - put **dice and a good guess** beside it
#
# Next: *Draw a space of networks*. What can be searched, and how much is there?
#
# Note:
# 1 min. Return to the show of hands from the beginning and ask who would vote otherwise now. For homework: the two
# exercises of this notebook, six minutes together, and notebook one.

# %% [markdown]
# ## Further reading
#
# - Liu, Simonyan and Yang, [DARTS: Differentiable Architecture Search](https://arxiv.org/abs/1806.09055), 2019: the
#   strategy of this notebook.
# - Pham et al., [Efficient Neural Architecture Search via Parameter Sharing](https://arxiv.org/abs/1802.03268), 2018:
#   the other strategy of this course.
# - Dong and Yang, [NAS-Bench-201](https://arxiv.org/abs/2001.00326), 2020: the cells of this notebook, every one of
#   them trained in a larger frame.
# - Li and Talwalkar, [Random Search and Reproducibility for Neural Architecture
#   Search](https://arxiv.org/abs/1902.07638), 2019: why random cells belong beside found ones.

# %% [markdown]
# ## Is everything there?
#
# Sliders and buttons need ipywidgets. This cell tells what it finds, and stops where something is missing.

# %%
import ipywidgets

assert drawing.svg(found.architecture).startswith("<svg")
print("widgets: ipywidgets", ipywidgets.__version__)
print("computing on:", "a GPU" if torch.cuda.is_available() else "the CPU, which is enough here")

# %% [markdown]
# ## Symbols
#
# The two papers use letters; the code uses words. Come back to this table when a formula looks strange.
#
# | symbol | name in the code | what it means |
# | --- | --- | --- |
# | $\mathcal{O}$ | `space.operations` | the operations that an edge may use |
# | $o(x)$ | `edge.ops[name]` | one of them, applied to a node $x$ |
# | $x^{(i)}$ | `states[i]` | node $i$ of a cell: pictures × channels × height × width |
# | $\alpha$ | `alphas` | architecture parameters: one number per edge and operation |
# | $\bar{o}(x)$ | `edges.mixed_op` | all operations of an edge, weighted by softmax(α), the shares of this notebook |
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
# ## Versions

# %%
from platform import python_version

print(f"Python {python_version()}, torch {torch.__version__}, nas_tutorial {nas_tutorial.__version__}")
