"""Drawings in fixed places: nothing moves or leaves the frame, all is named, and widths are probabilities."""

import json
import re
from itertools import combinations
from xml.etree import ElementTree

import pytest
import torch

from nas_tutorial import drawing, spaces
from nas_tutorial.pictures import chances, mixtures, stage
from nas_tutorial.pictures.groups import INSIDE, STRIP
from nas_tutorial.pictures.layout import layout
from nas_tutorial.pictures.style import style_of
from nas_tutorial.strategies.results import Event

SVG = "{http://www.w3.org/2000/svg}"
NAMES = sorted(spaces.BY_NAME)
PAIRS = ("darts", "enas_micro")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def tables(space, seed=0, sharp=1.5):
    with torch.no_grad():
        return space.probabilities(space.alphas(generator(seed), sharp))


def groups(svg):
    """The groups of a drawing by their key."""
    return {group.get("data-key"): group for group in ElementTree.fromstring(svg).iter(f"{SVG}g")}


def part(group, name):
    return next(element for element in group if element.get("data-part") == name)


def architectures(name, count=51):
    space = spaces.get(name, "paper")
    return [*space.named.values(), *(space.sample(generator(seed)) for seed in range(count))]


# --- places -----------------------------------------------------------------------------------------------------------
def points(path):
    """Every point of a path, control points included: the curve stays within them."""
    at, found = [0.0, 0.0], []
    for letter, numbers in re.findall(r"([MLHVCQZ])([^MLHVCQZ]*)", path):
        values = [float(number) for number in numbers.split()]
        if letter == "H":
            at = [values[0], at[1]]
        elif letter == "V":
            at = [at[0], values[0]]
        elif letter in "CQ":
            *controls, at = [values[i : i + 2] for i in range(0, len(values), 2)]
            found += _on_curve(found[-1], controls, at)
        elif letter in "ML":
            at = values
        found.append(at)
    return found


def _on_curve(start, controls, end, steps=16):
    """Points of a Bézier curve, by de Casteljau."""
    for i in range(1, steps):
        row, t = [start, *controls, end], i / steps
        while len(row) > 1:
            row = [[a + t * (b - a) for a, b in zip(p, q, strict=True)] for p, q in zip(row, row[1:], strict=False)]
        yield row[0]


def corners(element):
    x, y, w, h = (float(element.get(name)) for name in ("x", "y", "width", "height"))
    return [(x, y), (x + w, y + h)]


def check_inside(svg):
    root = ElementTree.fromstring(svg)
    width, height = float(root.get("width")), float(root.get("height"))
    found = [corner for rect in list(root.iter(f"{SVG}rect"))[1:] for corner in corners(rect)]
    thick = 5
    found += [point for path in root.iter(f"{SVG}path") for point in points(path.get("d"))]
    assert all(thick <= x <= width - thick and thick <= y <= height - thick for x, y in found)
    for text in root.iter(f"{SVG}text"):
        long = 0.62 * float(text.get("font-size", 13)) * len(text.text or "")  # in DejaVu Sans, wider than Helvetica
        left = float(text.get("x")) - {"middle": long / 2, "end": long}.get(text.get("text-anchor"), 0)
        assert left >= 0 and left + long <= width, text.text


@pytest.mark.parametrize("name", NAMES)
def test_no_line_box_or_word_leaves_the_frame(name):
    for architecture in architectures(name):
        check_inside(drawing.on_stage(architecture).svg)
    space = architecture.space
    check_inside(drawing.mixture(space, tables(space), architecture).svg)


@pytest.mark.parametrize("name", PAIRS)
def test_input_0_is_above_input_1_and_nodes_come_in_order(name):
    for architecture in architectures(name):
        drawn = groups(drawing.on_stage(architecture).svg)
        for kind in ("normal", "reduce"):
            frames = [part(drawn[f"node {kind}/input {i}"], "frame") for i in (0, 1)]
            assert corners(frames[0])[1][1] < corners(frames[1])[0][1]  # the lower side of one, the upper of the other
            names = [key for key in drawn if key.startswith(f"node {kind}/")]
            left = [corners(part(drawn[key], "frame"))[0][0] for key in names]
            assert left[0] == left[1] and left[1:] == sorted(set(left[1:]))


@pytest.mark.parametrize("name", NAMES)
def test_boxes_nodes_and_squares_do_not_overlap(name):
    places = layout(spaces.get(name, "paper"))
    boxes = [(p.x - p.w / 2, p.y - p.h / 2, p.x + p.w / 2, p.y + p.h / 2) for p in (*places.boxes, *places.nodes)]
    boxes += [(s.x - 13, s.y - 13, s.x + 13, s.y + 13) for s in places.squares]
    for (a, b, c, d), (e, f, g, h) in combinations(boxes, 2):
        assert c <= e or g <= a or d <= f or h <= b


@pytest.mark.parametrize("name", NAMES)
def test_what_two_drawings_share_is_in_the_same_place_whatever_the_sizes(name):
    one, other = (spaces.get(name, "paper", channels=c).sample(generator(c)) for c in (8, 16))
    first, second = (ElementTree.fromstring(drawing.on_stage(a).svg) for a in (one, other))
    assert first.get("viewBox") == second.get("viewBox")
    a, b = (groups(ElementTree.tostring(root)) for root in (first, second))
    assert set(a) & set(b)
    for key in set(a) & set(b):
        for tag, names in (("rect", ("x", "y", "width", "height")), ("path", ("d",))):
            shapes = [
                [[e.get(n) for n in names] for e in g if e.get("data-part") in ("frame", "line")]
                for g in (a[key], b[key])
            ]
            assert shapes[0] == shapes[1], (key, tag)


@pytest.mark.parametrize(
    "sizes",
    [
        {"name": "tiny", "nodes": 6},
        {"name": "darts", "nodes": 7},
        {"name": "enas_macro", "layers": 24},
        {"name": "enas_micro", "nodes": 2},
    ],
)
def test_larger_and_smaller_spaces_fit_too(sizes):
    space = spaces.get(**sizes)
    check_inside(drawing.on_stage(space.sample(generator())).svg)
    check_inside(drawing.mixture(space, tables(space), space.sample(generator(1))).svg)


# --- an architecture --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", NAMES)
def test_an_architecture_shows_each_of_its_edges_and_no_other(name):
    architecture = architectures(name, 3)[-1]
    drawn = groups(drawing.on_stage(architecture).svg)
    wanted = {f"{cell}/{edge}": op for cell, edges in architecture.active_ops.items() for edge, op in edges.items()}
    shown = {
        key.split(" ", 1)[1] for key in drawn if key.startswith(("edge", "skip")) and drawn[key].get("data-decisions")
    }
    filled = {
        key
        for key in shown
        if f"skip {key}" not in drawn or float(part(drawn[f"skip {key}"], "fill").get("height")) > 0
    }
    ops = {key for key in wanted if not key.startswith("network/op")}  # whose lines are always there
    assert filled == ops
    for key, group in drawn.items():
        if key.startswith("box"):
            (edge,) = set(group.get("data-edge").split(",")) & set(wanted)
            assert part(group, "name").text == wanted[edge]
            assert part(group, "frame").get("fill") in (style_of(wanted[edge]).fill, "#FFFFFF")


def test_a_chosen_layer_stands_out_and_only_layers_can_be_chosen():
    architecture = architectures("enas_macro", 1)[0]
    drawn = groups(drawing.on_stage(architecture, layer=5).svg)
    assert [key for key in drawn if key.startswith("layer")] == ["layer 5"]
    bright = {key for key, group in drawn.items() if key.startswith("skip") and "opacity" not in group.attrib}
    own = {f"skip network/skip 4<{i}" for i in range(4)}
    assert bright == own | {f"skip network/skip {k}<5" for k in range(6, 12)}
    for wrong in (0, 13):
        with pytest.raises(ValueError, match="12 here|1 to 12"):
            drawing.on_stage(architecture, layer=wrong)
    with pytest.raises(ValueError, match="layer"):
        drawing.on_stage(architectures("tiny", 1)[0], layer=1)


# --- a mixture --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ("tiny", "nasbench201", "darts"))
def test_a_line_is_as_wide_as_its_likeliest_operation_is_probable(name):
    space = spaces.get(name)
    p = tables(space)
    drawn = groups(drawing.mixture(space, p).svg)
    found = {}
    for cell, edges in space.assign(p).items():
        for edge, row in edges.items():
            found[float(row.max())] = float(part(drawn[f"edge {cell}/{edge}"], "line").get("stroke-width"))
            box = drawn[f"box {cell}/{edge}"]
            assert part(box, "name").text == space.operations[row.argmax()]
            assert part(box, "note").text == f"{100 * float(row.max()):.0f} %"
            bars = [float(part(box, str(i)).get("width")) for i in range(len(row))]
            assert torch.tensor(bars) / STRIP == pytest.approx(row.numpy(), abs=0.003)
    widths = [found[key] for key in sorted(found)]
    assert widths == sorted(widths) and widths[-1] > widths[0]


def test_a_line_of_enas_micro_is_as_wide_as_its_input_is_probable():
    space = spaces.get("enas_micro")
    p = tables(space)
    drawn = groups(drawing.mixture(space, p).svg)
    pairs = [
        (float(p["normal.input"][2 * node + branch, source]), f"edge normal/{node + 2}{'ab'[branch]}<{source}")
        for node in range(space.nodes)
        for branch in (0, 1)
        for source in range(node + 2)
    ]
    widths = [float(part(drawn[key], "line").get("stroke-width")) for _, key in sorted(pairs)]
    assert widths == sorted(widths)
    assert part(drawn["box reduce/3b"], "note").text == f"{100 * float(p['reduce.op'][3].max()):.0f} %"


def test_a_square_of_enas_macro_is_filled_by_the_probability_of_its_skip():
    space = spaces.get("enas_macro")
    p = tables(space)
    drawn = groups(drawing.mixture(space, p).svg)
    for name, row in zip(space.skip_names, p["skip"], strict=True):
        high = float(part(drawn[f"skip network/{name}"], "fill").get("height"))
        assert high / INSIDE == pytest.approx(float(row[1]), abs=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_has_a_thick_frame_and_filled_arrowheads(name):
    space = spaces.get(name)
    p = tables(space)
    kept = space.derive(p)
    used = {f"{cell}/{edge}": op for cell, edges in kept.active_ops.items() for edge, op in edges.items()}
    for key, group in groups(drawing.mixture(space, p, kept).svg).items():
        if key.startswith("box"):
            thick = float(part(group, "frame").get("stroke-width")) == 3
            assert thick == bool(set(group.get("data-edge").split(",")) & set(used)), key
        if key.startswith("skip"):
            assert (part(group, "frame").get("stroke-width") == "2") == (group.get("data-edge") in used)
        if key.startswith("edge") and group.get("data-decisions"):
            assert (part(group, "head").get("fill") != "#FFFFFF") == (group.get("data-edge") in used)


def test_an_edge_whose_likeliest_operation_is_not_kept_says_what_is():
    space = spaces.Tiny(operations=("zero", "skip", "conv_3x3"))
    p = {"cell": [[0.6, 0.1, 0.3], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]]}
    drawn = groups(drawing.mixture(space, p, space.parse("|conv_3x3~0|+|skip~0|conv_3x3~1|")).svg)
    assert part(drawn["box cell/1<0"], "name").text == "zero"
    assert part(drawn["box cell/1<0"], "note").text == "→ conv_3x3"
    assert part(drawn["box cell/2<1"], "note").text == "70 %"
    title = part(drawn["box cell/1<0"], "title").text
    assert title == "input → node 1: zero 60 %, conv_3x3 30 %, skip 10 %; kept: conv_3x3"


def test_choices_of_pairs_become_probabilities_of_edges_as_enumeration_says():
    space = spaces.DARTS(nodes=2)
    rows = [
        torch.rand(len(d.options), generator=generator(i), dtype=torch.float64) for i, d in enumerate(space.decisions)
    ]
    rows = [row / row.sum() for row in rows]
    found = chances.on_edges(space, space.tabulate([row.tolist() for row in rows]))
    wanted = {key: torch.zeros(len(space.operations), dtype=torch.float64) for key in found}
    node = [d.name.split(".")[:2] for d in space.decisions]
    for kind, number in {tuple(n) for n in node}:
        asked = [i for i, n in enumerate(node) if tuple(n) == (kind, number)]
        inputs, first, second = asked
        for i, pair in enumerate(space.decisions[inputs].options):
            for j, one in enumerate(space.choosable):
                for k, other in enumerate(space.choosable):
                    chance = rows[inputs][i] * rows[first][j] * rows[second][k]
                    for source, op in zip(pair.split(","), (one, other), strict=True):
                        wanted[f"{kind}/{int(number) + 2}<{source}"][space.operations.index(op)] += chance
    for key, weights in wanted.items():
        assert found[key] == pytest.approx(weights.tolist())


def test_tables_of_another_space_are_refused():
    with pytest.raises(ValueError, match="needs tables of shapes"):
        drawing.mixture(spaces.get("tiny"), tables(spaces.get("nasbench201")))


@pytest.mark.parametrize("name", NAMES)
def test_a_policys_tables_of_decisions_can_be_drawn(name):
    space = spaces.get(name)
    rows = [[1 / len(decision.options)] * len(decision.options) for decision in space.decisions]
    picture = drawing.mixture(space, space.tabulate(rows), caption="epoch 1")
    assert "epoch 1" in picture.alt and "epoch 1" in picture.svg


# --- the stage --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", NAMES)
def test_every_change_finds_its_part_on_the_stage_and_leads_to_the_same_picture(name):
    space = spaces.get(name)
    root = ElementTree.fromstring(stage.stage(space))
    found = {group.get("data-key"): group for group in root.iter(f"{SVG}g")}
    p = tables(space)
    shown = json.loads(json.dumps(mixtures.of_mixture(space, p, space.derive(p))))
    for key, parts in shown.items():
        for name_, values in parts.items():
            element = found[key] if name_ == "group" else part(found[key], name_)
            for attribute, value in values.items():
                if attribute == "text":
                    element.text = value
                else:
                    element.set(attribute, value)
    drawn = groups(stage.render(space, shown, "x"))
    for key, group in found.items():
        assert [(e.attrib, e.text or "") for e in group] == [(e.attrib, e.text or "") for e in drawn[key]]
        assert group.attrib == drawn[key].attrib


@pytest.mark.parametrize("name", NAMES)
def test_every_decision_has_a_place_that_can_be_clicked_and_says_what_it_is(name):
    space = spaces.get(name)
    decided = set()
    for key, group in groups(stage.stage(space)).items():
        decided |= set(map(int, (group.get("data-decisions") or "").split()))
        assert key.startswith("layer") or part(group, "title").text
    assert decided == set(range(len(space.decisions)))


@pytest.mark.parametrize("name", NAMES)
def test_pictures_say_what_they_are_and_have_no_ids(name):
    space = spaces.get(name)
    for picture in (drawing.on_stage(space.sample(generator())), drawing.mixture(space, tables(space))):
        root = ElementTree.fromstring(picture.svg)
        assert root.get("role") == "img" and [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
        assert root[1].text == root.get("aria-label") == picture.alt and root[0].text
        assert not re.search(r"\bid=|url\(|href=|<script", picture.svg)


# --- a moving picture -------------------------------------------------------------------------------------------------
def shares_of(sharp):
    return {"cell": [[1 - 2 * sharp, sharp, sharp], [sharp, 1 - 2 * sharp, sharp], [sharp, sharp, 1 - 2 * sharp]]}


def test_a_moving_picture_ends_in_the_last_moment_and_needs_no_script():
    space = spaces.Tiny(operations=("zero", "skip", "conv_3x3"))
    moments = [shares_of(sharp) for sharp in (0.45, 0.3, 0.1)]
    moved = drawing.animation(moments, space)
    root, still = (groups(svg) for svg in (moved.svg, drawing.mixture(space, moments[-1]).svg))
    line = part(root["edge cell/1<0"], "line")
    assert line.get("stroke-width") == part(still["edge cell/1<0"], "line").get("stroke-width")
    name = re.search(r"animation:(\S+) ", line.get("style"))[1]
    frames = re.search(rf"@keyframes {name}{{(.*?}})}}", moved.svg)[1]
    widths = re.findall(r"stroke-width:([\d.]+)px", frames)
    wanted = [part(groups(drawing.mixture(space, m).svg)["edge cell/1<0"], "line").get("stroke-width") for m in moments]
    assert widths == wanted
    seen = [
        text.text for text in root["box cell/1<0"] if text.get("data-part") == "name" and text.get("opacity") == "1"
    ]
    assert seen == ["zero"]
    assert "prefers-reduced-motion:reduce" in moved.svg and "<script" not in moved.svg


def test_a_moving_picture_wants_two_moments():
    space = spaces.get("tiny")
    with pytest.raises(ValueError, match="two epochs or more"):
        drawing.animation([tables(space)], space)
    with pytest.raises(ValueError, match="no space"):
        drawing.animation([tables(space), tables(space, 1)])


def test_a_moving_picture_of_a_search_takes_so_many_moments_evenly():
    space = spaces.get("tiny")
    events = [
        Event(i, 9, 0.0, 0.0, 0.0, space.derive(tables(space, i)), probabilities=tables(space, i)) for i in range(1, 10)
    ]
    moved = drawing.animation(events, most=3)
    assert re.findall(r"epoch \d+(?=</text)", moved.svg) == ["epoch 1", "epoch 5", "epoch 9"]
