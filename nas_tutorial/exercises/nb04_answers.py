"""Answers to the exercises of notebook 04: references, other right answers, and mistakes by what is wrong with them."""

import torch


# --- walk one path ----------------------------------------------------------------------------------------------------
def walk(x, ops, active):
    """Output of the tiny cell when only the active operation of each edge runs."""
    node = ops["1<0"][active["1<0"]](x)
    return ops["2<0"][active["2<0"]](x) + ops["2<1"][active["2<1"]](node)


def run(ops, active, edge, x):
    """The active operation of an edge."""
    return ops[edge][active[edge]](x)


def walk_all(x, ops, active):
    """All operations of every edge at once."""
    node = sum(op(x) for op in ops["1<0"].values())
    return sum(op(x) for op in ops["2<0"].values()) + sum(op(node) for op in ops["2<1"].values())


def walk_first(x, ops, active):
    """The first operation of every edge."""
    first = {edge: next(iter(ops[edge])) for edge in ops}
    return walk(x, ops, first)


def walk_overwritten(x, ops, active):
    """x is node 1 when the last edge reads it."""
    x = run(ops, active, "1<0", x)
    return run(ops, active, "2<0", x) + run(ops, active, "2<1", x)


def walk_in_place(x, ops, active):
    """Skip returns its input itself, so `+=` writes into it."""
    node = run(ops, active, "1<0", x)
    output = run(ops, active, "2<0", x)
    output += run(ops, active, "2<1", node)
    return output


def walk_chosen_late(x, ops, active):
    """All 15 operations run, and then the active ones are chosen."""
    node = {name: op(x) for name, op in ops["1<0"].items()}[active["1<0"]]
    direct, last = ({name: op(y) for name, op in ops[e].items()} for e, y in (("2<0", x), ("2<1", node)))
    return direct[active["2<0"]] + last[active["2<1"]]


IN_PLACE = "the input has another value afterwards: skip returns its input itself, and `+=` writes into it"
IDLE = "the output is right, but operations run that are not on the path: call the active one of each edge only"
SEVERAL = "it returns several things: add up the edges that enter node 2"
WALK = {
    "every operation runs: that is the whole supernet, keep to the active ones": walk_all,
    IDLE: walk_chosen_late,
    "the first operation of every edge runs: `active[edge]` names the one that the path takes": walk_first,
    "edge 2<0 reads node 1, but it begins at the input. Is `x` overwritten? Give node 1 a name": walk_overwritten,
    IN_PLACE: walk_in_place,
    "edge 2<1 begins at node 1, but it reads the input": lambda x, ops, active: (
        run(ops, active, "2<0", x) + run(ops, active, "2<1", x)
    ),
    "edge 2<0 is missing: the output adds up two edges": lambda x, ops, active: run(
        ops, active, "2<1", run(ops, active, "1<0", x)
    ),
    "the way over node 1 is missing: the output adds up two edges": lambda x, ops, active: run(ops, active, "2<0", x),
    "that is node 1; the output is node 2": lambda x, ops, active: run(ops, active, "1<0", x),
    "a node is the sum of its edges, not their product": lambda x, ops, active: (
        run(ops, active, "2<0", x) * run(ops, active, "2<1", run(ops, active, "1<0", x))
    ),
    "a node is the sum of its edges, not their mean": lambda x, ops, active: walk(x, ops, active) / 2,
    "edges 1<0 and 2<1 are exchanged: the name tells the target first": lambda x, ops, active: (
        run(ops, active, "2<0", x) + run(ops, active, "1<0", run(ops, active, "2<1", x))
    ),
    SEVERAL: lambda x, ops, active: (run(ops, active, "1<0", x), walk(x, ops, active)),
}


def walk_right_by_loop(x, ops, active):
    """Node by node, as a larger cell would need it."""
    nodes = [x]
    for target in (1, 2):
        nodes.append(sum(ops[f"{target}<{s}"][active[f"{target}<{s}"]](nodes[s]) for s in range(target)))
    return nodes[-1]


# --- who learns -------------------------------------------------------------------------------------------------------
OPERATIONS = ("zero", "skip", "avg_pool_3x3", "conv_1x1", "conv_3x3")


def learners(first, second, third):
    """How many convolutions of a path learn: operations on the edges 0 → 1, 0 → 2 and 1 → 2."""
    convolutions = ("conv_1x1", "conv_3x3")
    is_heard = first in convolutions and third != "zero"  # its output reaches the loss
    is_fed = third in convolutions and first != "zero"  # something enters it
    return is_heard + (second in convolutions) + is_fed


def is_conv(operation):
    """Whether an operation has weights."""
    return operation.startswith("conv")


LEARNERS = {
    "heard: with zero on 1 → 2, nothing that happens on 0 → 1 reaches the loss": lambda a, b, c: (
        is_conv(a) + is_conv(b) + (is_conv(c) and a != "zero")
    ),
    "fed: with zero on 0 → 1, the convolution on 1 → 2 sees only zeros, and its gradient is zero": lambda a, b, c: (
        (is_conv(a) and c != "zero") + is_conv(b) + is_conv(c)
    ),
    "blocked: that counts all convolutions of the path, but a zero before or behind one keeps it from learning": (
        lambda a, b, c: is_conv(a) + is_conv(b) + is_conv(c)
    ),
    "weights: skips, pools and zeros have none": lambda a, b, c: sum(op != "zero" for op in (a, b, c)),
    "supernet: only the operations of the path run, not all six convolutions": lambda a, b, c: 6,
    "anywhere: a zero does not silence the whole path; the edge 0 → 2 has a way of its own": lambda a, b, c: (
        0 if "zero" in (a, b, c) else sum(map(is_conv, (a, b, c)))
    ),
    "direct: the convolution on 0 → 2 learns, too": lambda a, b, c: (
        (is_conv(a) and c != "zero") + (is_conv(c) and a != "zero")
    ),
    "kinds: the 1×1 convolution has weights, too": lambda a, b, c: (
        (a == "conv_3x3" and c != "zero") + (b == "conv_3x3") + (c == "conv_3x3" and a != "zero")
    ),
    "order: the second operation stands on the edge 0 → 2, the third on 1 → 2": lambda a, b, c: learners(a, c, b),
    "pair: 0 → 1 and 1 → 2 are one way; a convolution learns there beside a skip or a pool, too": lambda a, b, c: (
        2 * (is_conv(a) and is_conv(c)) + is_conv(b)
    ),
    "return a single one": lambda a, b, c: [op for op in (a, b, c) if is_conv(op)],
}


def learners_right_by_list(first, second, third):
    """Counting in a list."""
    learn = [second]
    if third != "zero":
        learn.append(first)
    if first != "zero":
        learn += [third]
    return torch.tensor(sum("conv" in name for name in learn))


# --- never trained ----------------------------------------------------------------------------------------------------
def never_trained(options, batches):
    """Probability that one of `options` operations is never drawn on its edge in this many batches."""
    return (1 - 1 / options) ** batches


NEVER_TRAINED = {
    "that is the probability of being drawn every time": lambda options, batches: (1 / options) ** batches,
    "that is the probability of being drawn at least once": lambda options, batches: 1 - (1 - 1 / options) ** batches,
    "that is one batch only: the draws are independent, so multiply": lambda options, batches: 1 - 1 / options,
    "probabilities of misses multiply, they do not shrink in a straight line": lambda options, batches: (
        1 - batches / options
    ),
    "that draws without replacement: a path that was drawn may come again, so no batch knows of the others": (
        lambda options, batches: max(0.0, 1 - batches / options)
    ),
    "that is how often it is drawn on average": lambda options, batches: batches / options,
    "the two are exchanged: a batch misses with probability 1 − 1/options, and there are `batches` of them": (
        lambda options, batches: (1 - 1 / batches) ** options
    ),
    "one batch is missing: all of them must miss it": lambda options, batches: (1 - 1 / options) ** (batches - 1),
    "that is for any operation of the edge; asked is a given one": lambda options, batches: (
        options * (1 - 1 / options) ** batches
    ),
    "that is for a whole path of three edges; asked is one operation on one edge": lambda options, batches: (
        (1 - 1 / options**3) ** batches
    ),
    "`//` drops what is behind the point: divide with `/`": lambda options, batches: (1 - 1 // options) ** batches,
    "it returns the text": lambda options, batches: f"{(1 - 1 / options) ** batches:.3f}",
}


def never_trained_right_by_loop(options, batches):
    """Batch by batch."""
    probability = torch.ones((), dtype=torch.float64)
    for _ in range(batches):
        probability *= (options - 1) / options
    return probability


# --- sample fairly ----------------------------------------------------------------------------------------------------
def fair_round(options, edges, shuffled):
    """Paths, `options` of them, in which every operation of every edge occurs once  (FairNAS, alg. 1)."""
    orders = [shuffled(options) for _ in range(edges)]  # one order for each edge
    return list(zip(*orders, strict=True))


def fair_round_by_steps(options, edges, shuffled):
    """Each edge is one step ahead of the edge before it."""
    first = shuffled(options)
    return [tuple((first[i] + edge) % options for edge in range(edges)) for i in range(options)]


def fair_round_shifted(options, edges, shuffled):
    """One order for all edges, each begun at another place of it."""
    order = shuffled(options)
    begins = [shuffled(options)[0] for _ in range(edges)]
    return [tuple(order[(i + begin) % options] for begin in begins) for i in range(options)]


FAIR_ROUND = {
    "turn: these are as many rows as edges; a path takes one entry of every row": lambda options, edges, shuffled: [
        tuple(shuffled(options)) for _ in range(edges)
    ],
    "fair: on some edge an operation occurs twice and another one never, as if drawn with replacement": (
        lambda options, edges, shuffled: [
            tuple(shuffled(options)[0] for _ in range(edges)) for _ in range(options)
        ]  # the rule of ENAS
    ),
    "length: a path has one operation for each edge": lambda options, edges, shuffled: [
        (choice,) for choice in shuffled(options)
    ],
    "count: a round has as many paths as an edge has operations": lambda options, edges, shuffled: [
        tuple(shuffled(options)[0] for _ in range(edges))
    ],
    "mixed: all edges share one order, so each path has the same operation everywhere": (
        lambda options, edges, shuffled: list(zip(*[shuffled(options)] * edges, strict=True))
    ),
    "luck: the round is the same each time; `shuffled` brings the chance": lambda options, edges, shuffled: [
        tuple((i + edge) % options for edge in range(edges)) for i in range(options)
    ],
    "pairs: some operations of two edges never meet, however many rounds: shuffle each edge by itself": (
        fair_round_by_steps
    ),
    "shifted: the order of one edge is that of another, shifted: shuffle each edge by itself": fair_round_shifted,
    "from 0: operations are numbered from 0 to options − 1": lambda options, edges, shuffled: [
        tuple(choice + 1 for choice in path) for path in fair_round(options, edges, shuffled)
    ],
    "it returns numbers where paths should be": lambda options, edges, shuffled: shuffled(options),
}


def fair_round_right_by_rows(options, edges, shuffled):
    """Lists instead of tuples."""
    rows = [shuffled(options) for _ in range(edges)]
    return [[row[i] for row in rows] for i in range(options)]


def fair_round_right_by_tensor(options, edges, shuffled):
    """A tensor of paths."""
    return torch.tensor([shuffled(options) for _ in range(edges)]).T


def one_by_one(options, edges, shuffled):
    """A generator."""
    left = [list(shuffled(options)) for _ in range(edges)]
    for _ in range(options):
        yield tuple(row.pop() for row in left)
