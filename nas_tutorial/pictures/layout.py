"""Where everything of a space is drawn: one place for each node, edge and operation, whatever is chosen.

    layout(space) → Layout(width, height, nodes, edges, boxes, squares, words)      (see `places`)

It is computed once for each space. A rule sets the places and no layout engine, because an engine moves everything when
one label changes, and its editions differ.

- tiny, nasbench201: nodes in a row, an arc for every edge, the longer the higher, its operation at the top.
- darts: the same, with both inputs in a column on the left: edges of input 1 run below the nodes, all others above.
- enas_micro: the operation of branch a stands above its node, that of b below it; a line comes from every state.
- enas_macro: layers in a column, beside them a triangle with a square in row k for each output that layer k may add
  (`layers`).

Keys of edges are those of `Architecture.active_ops` and `Space.assign` after the name of their cell: "cell/1<0",
"normal/5<2", "reduce/6b<0", "normal/out<3", "network/op 2", "network/skip 4<1". A box has the key of its edge, or that
of its branch, such as "reduce/6b". Keys of nodes: "cell/input", "normal/node 2", "network/layer 1".
"""

from collections.abc import Sequence
from functools import lru_cache

from nas_tutorial.pictures.layers import macro
from nas_tutorial.pictures.places import (
    BOX_HIGH,
    HEAD,
    MARGIN,
    NODE_HIGH,
    Box,
    Edge,
    Layout,
    Node,
    Tip,
    Words,
    hanging,
)
from nas_tutorial.spaces import Space

STEP = 120  # from node to node
FIRST, LEVEL, LANE = 58, 42, 11  # nodes to the first row of operations; from row to row; between plain lines
CAPTION = 26  # room for a cell's name

Index = dict[str, int]
"""The place of each decision among all, by its name."""


def layout(space: Space) -> Layout:
    """The places of everything that an architecture of this space may have."""
    return _layout(space.resized(channels=1))  # the width of the networks moves nothing


@lru_cache(maxsize=64)
def _layout(space: Space) -> Layout:
    place = {"darts": _darts, "enas_micro": _micro, "enas_macro": macro}.get(space.name, _one_cell)
    return place(space, {decision.name: i for i, decision in enumerate(space.decisions)})


# --- operations on arcs -----------------------------------------------------------------------------------------------
def _one_cell(space: Space, index: Index) -> Layout:
    last = space.nodes - 1
    base = MARGIN + FIRST + (last - 1) * LEVEL + BOX_HIGH / 2
    names = ["input", *(f"node {i}" for i in range(1, last)), "output"]
    nodes = [Node(f"cell/{name}", name, 45 + i * STEP, base) for i, name in enumerate(names)]
    drawn = [_arc(f"cell/{t}<{s}", nodes[s], nodes[t], (t - s, last), (index[f"{t}<{s}"],)) for t, s in space.pairs]
    edges, boxes = zip(*drawn, strict=True)
    return Layout(90 + last * STEP, base + NODE_HIGH / 2 + MARGIN, tuple(nodes), edges, boxes)


def _darts(space: Space, index: Index) -> Layout:
    above = CAPTION + FIRST + (space.nodes - 1) * LEVEL + BOX_HIGH / 2
    lane = FIRST + BOX_HIGH / 2 + (space.nodes + 2) * LANE
    high = above + lane + MARGIN
    normal, reduce = (_darts_cell(space, k, i * high + above, lane, index) for i, k in enumerate(("normal", "reduce")))
    return normal + reduce


def _darts_cell(space: Space, kind: str, base: float, lane: float, index: Index) -> Layout:
    """base: of the row of nodes; lane: how far below it the lines run that join the nodes in the output."""
    nodes = _pair_nodes(kind, space.nodes, base)
    drawn = []
    for name, node, source in space.edge_names:
        asked = tuple(index[f"{kind}.{node}.{question}"] for question in ("inputs", "first", "second"))
        rank = (node + 2 - max(source, 1), space.nodes)
        place = _from_below if source == 1 else _arc
        drawn.append(place(f"{kind}/{name}", nodes[source], nodes[node + 2], rank, asked))
    edges, boxes = map(list, zip(*drawn, strict=True))
    top = min(box.y for box in boxes) - BOX_HIGH / 2
    edges += [_joined(f"{kind}/out<{i}", nodes[i], nodes[-1], base + lane, ()) for i in range(2, space.nodes + 2)]
    return _named(kind, nodes, edges, boxes, top, base + lane)


def _pair_nodes(kind: str, count: int, base: float) -> list[Node]:
    """Two inputs in a column, input 0 above input 1; then the nodes in a row, and the output."""
    inputs = [Node(f"{kind}/input {i}", f"input {i}", 45, base - 22 + 44 * i) for i in (0, 1)]
    row = [Node(f"{kind}/node {i + 2}", f"node {i + 2}", 175 + i * STEP, base) for i in range(count)]
    return [*inputs, *row, Node(f"{kind}/output", "output", row[-1].x + STEP, base)]


def _named(kind: str, nodes: list[Node], edges: list[Edge], boxes: list[Box], top: float, bottom: float) -> Layout:
    """A cell with its name in the corner; top, bottom: of all that is drawn."""
    name = Words(f"{kind} cell", MARGIN, top - 8)
    return Layout(nodes[-1].x + 45, bottom + MARGIN, tuple(nodes), tuple(edges), tuple(boxes), words=(name,))


def _arc(key: str, start: Node, end: Node, rank: tuple[int, int], decisions: tuple[int, ...]) -> tuple[Edge, Box]:
    """An arc above the nodes with its operation at the top.

    rank: how long the arc is and how long the longest, in nodes; it sets the height, and the places at which the arc
    leaves and enters, so that arcs of one node do not cross.
    """
    level, levels = rank
    x, u = start.x + 26 - 26 * level / (levels + 1), end.x - 26 + 26 * level / (levels + 1)
    y, v, top = start.top, end.top - HEAD, end.y - FIRST - (level - 1) * LEVEL
    bend, pull = (top - (y + v) / 8) / 0.75, 0.1 * (u - x)  # so that the middle of the curve is at the top
    path = f"M{x:g} {y:g}C{x + pull:.1f} {bend:.1f} {u - pull:.1f} {bend:.1f} {u:g} {v:g}"
    edge = Edge(key, start.key, end.key, decisions, path, Tip(u, end.top, "down"))
    return edge, Box(key, (key,), decisions, edge.label, (x + u) / 2, top)


def _from_below(
    key: str, start: Node, end: Node, rank: tuple[int, int], decisions: tuple[int, ...]
) -> tuple[Edge, Box]:
    """A line below the nodes, up through an operation right under its target; rank: as for `_arc`."""
    level, levels = rank
    y, under = end.y + FIRST, end.y + FIRST + BOX_HIGH / 2
    path = hanging(start.x + 26 - 26 * level / (levels + 1), start.bottom, end.x, under, under + 6 + level * LANE)
    path += f"M{end.x:g} {under - BOX_HIGH:g}V{end.bottom + HEAD:g}"
    edge = Edge(key, start.key, end.key, decisions, path, Tip(end.x, end.bottom, "up"))
    return edge, Box(key, (key,), decisions, edge.label, end.x, y)


def _joined(key: str, start: Node, end: Node, lane: float, decisions: tuple[int, ...]) -> Edge:
    """A plain line from a node's right side down to the lowest lane, and on to the output, where all are joined."""
    path = _aside(start, 6, 1, STEP / 2) + hanging(start.x + STEP / 2, start.y + 14, end.x, end.bottom + HEAD, lane)[1:]
    return Edge(key, start.key, end.key, decisions, path, Tip(end.x, end.bottom, "up"))


def _aside(start: Node, down: float, way: int, out: float) -> str:
    """The beginning of a path: from a node's right side to the gap beside it, then up (way −1) or down (1)."""
    x, y = start.x + out, start.y + down
    return f"M{start.x + start.w / 2:g} {y:g}H{x - 8:g}Q{x:g} {y:g} {x:g} {y + 8 * way:g}L"


# --- two branches for each node ---------------------------------------------------------------------------------------
def _micro(space: Space, index: Index) -> Layout:
    half = FIRST + BOX_HIGH / 2 + HEAD + (space.nodes + 2) * LANE
    high = CAPTION + 2 * half + LANE + 2 * MARGIN
    bases = [CAPTION + MARGIN + half, CAPTION + MARGIN + half + high]
    normal, reduce = (
        _micro_cell(space, kind, base, half, index) for kind, base in zip(("normal", "reduce"), bases, strict=True)
    )
    return normal + reduce


def _micro_cell(space: Space, kind: str, base: float, half: float, index: Index) -> Layout:
    """base: of the row of nodes; half: how far above and below it the outermost line runs."""
    nodes = _pair_nodes(kind, space.nodes, base)
    edges, boxes = [], []
    for target in range(2, space.nodes + 2):
        for branch, side in (("a", -1), ("b", 1)):
            asked, acts = (index[f"{kind}.{target - 2}.{question}_{branch}"] for question in ("input", "op"))
            names = [f"{kind}/{target}{branch}<{source}" for source in range(target)]
            edges += [_tapped(name, nodes, i, target, side, (asked,)) for i, name in enumerate(names)]
            boxes.append(_branch(f"{kind}/{target}{branch}", tuple(names), nodes[target], side, (asked, acts)))
    asks = tuple(i for name, i in index.items() if name.startswith(f"{kind}.") and ".input_" in name)
    edges += [_joined(f"{kind}/out<{i}", nodes[i], nodes[-1], base + half + LANE, asks) for i in range(space.nodes + 2)]
    return _named(kind, nodes, edges, boxes, base - half, base + half + LANE)


def _branch(key: str, edges: tuple[str, ...], node: Node, side: int, decisions: tuple[int, ...]) -> Box:
    """The operation of a branch above its node (side −1) or below it (1), with an arrow to the node."""
    y, tip = node.y + side * FIRST, node.y + side * node.h / 2
    path = f"M{node.x:g} {y - side * BOX_HIGH / 2:g}V{tip + side * HEAD:g}"
    label = f"{node.label}, branch {key[-1]}"
    return Box(key, edges, decisions, label, node.x, y, path, Tip(node.x, tip, "down" if side < 0 else "up"))


def _tapped(key: str, nodes: Sequence[Node], source: int, target: int, side: int, decisions: tuple[int, ...]) -> Edge:
    """A line from a node's right side, through the gap beside it, over (side −1) or under all operations to its own."""
    start, end, length = nodes[source], nodes[target], target - source
    out = STEP / 2 + 6 - 14 * length / len(nodes)  # the longer, the further out above, the further left in the gap,
    u = end.x + 40 * (1 - 2 * (source + 1) / (target + 1))  # and the further right at its end: so few lines cross
    edge = end.y + side * (FIRST + BOX_HIGH / 2)
    lane = edge + side * (HEAD + LANE * length)
    path = _aside(start, -4, side, out)
    path += hanging(start.x + out, start.y - 4 + 8 * side, u, edge + side * HEAD, lane)[1:]
    return Edge(key, start.key, end.key, decisions, path, Tip(u, edge, "down" if side < 0 else "up"))
