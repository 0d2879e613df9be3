"""Drawings: every operation named and coloured alike, self-contained SVG, and PNG and PDF of the same."""

import base64
import io
import re
from itertools import combinations
from xml.etree import ElementTree

import pytest
import torch
from PIL import Image
from pygraphviz import AGraph

from nas_tutorial import spaces
from nas_tutorial.pictures import drawing
from nas_tutorial.pictures.picture import HANDLES
from nas_tutorial.pictures.style import GREY, contrast

SVG = "{http://www.w3.org/2000/svg}"
NAMES = sorted(spaces.BY_NAME)
OPERATIONS = sorted({op for space in spaces.BY_NAME.values() for op in space.operations} | {"skip"})


def sample(name, seed=0):
    return spaces.get(name, "paper").sample(torch.Generator().manual_seed(seed))


def drawn_operations(architecture):
    return [edge.operation for cell in architecture.cells.values() for edge in cell.edges if edge.operation]


def texts(picture):
    return [text.text for text in ElementTree.fromstring(picture).iter(f"{SVG}text")]


# --- colours ----------------------------------------------------------------------------------------------------------
def test_the_same_operation_has_the_same_looks_in_every_space():
    same = {"none": "zero", "skip_connect": "skip", "nor_conv_1x1": "conv_1x1", "nor_conv_3x3": "conv_3x3"}
    for one, other in same.items():
        assert drawing.style_of(one) == drawing.style_of(other)
        assert drawing.COLOURS[one] == drawing.COLOURS[other]


def test_every_operation_has_a_colour_marker_and_hatch():
    for table in (drawing.COLOURS, drawing.MARKERS, drawing.HATCHES):
        assert set(OPERATIONS) <= set(table)


@pytest.mark.parametrize("name", NAMES)
def test_within_a_space_no_two_operations_look_alike_even_without_colour(name):
    looks = [drawing.style_of(op) for op in {*spaces.BY_NAME[name].operations, *drawn_operations(sample(name))}]
    for one, other in combinations(looks, 2):
        assert one.colour != other.colour and one.marker != other.marker and one.sign != other.sign
        assert (one.outline, one.rings) != (other.outline, other.rings) or one.sign[-1] != other.sign[-1]


def test_text_on_every_box_stands_out():
    for op in [*OPERATIONS, "my own operation"]:
        look = drawing.style_of(op)
        assert contrast(look.fill, look.ink) >= 4.5, op


def test_contrast_of_black_and_white_and_of_a_hand_computed_grey():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#FFFFFF", "#777777") == pytest.approx(4.48, abs=0.01)


def test_an_operation_of_ones_own_can_be_drawn_and_has_a_colour_of_its_own():
    assert drawing.style_of("conv_7x7").colour not in drawing.COLOURS.values()


# --- the drawing ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", NAMES)
def test_the_picture_names_every_operation_as_often_as_it_occurs(name):
    architecture = sample(name)
    shown, operations = " ".join(texts(drawing.svg(architecture))), drawn_operations(architecture)
    for operation in set(operations) - ({"skip"} if name == "enas_macro" else set()):  # there skips are arcs
        assert len(re.findall(rf"\b{operation}\b", shown)) == operations.count(operation)


@pytest.mark.parametrize("name", NAMES)
def test_the_boxes_have_the_colours_of_their_operations(name):
    architecture = sample(name)
    fills = {element.get("fill", "").lower() for element in ElementTree.fromstring(drawing.svg(architecture)).iter()}
    for operation in set(drawn_operations(architecture)) - {"skip"}:
        fill = drawing.style_of(operation).fill.lower()
        assert fill in fills or (fill == "#ffffff" and "white" in fills)


def test_a_macro_layer_says_which_outputs_it_adds():
    space = spaces.ENASMacro(layers=3)
    root = ElementTree.fromstring(drawing.svg(space.parse("conv_3x3 + max_pool_3x3:1 + sep_conv_5x5:01")))
    titles = {title.text for title in root.iter(f"{SVG}title")}
    assert {
        "stem → layer 2: skip 100 %, kept",
        "stem → layer 3: skip 0 %",
        "layer 1 → layer 3: skip 100 %, kept",
    } <= titles
    assert {"layer 2: max_pool_3x3", "layer 3: sep_conv_5x5"} <= titles
    assert drawing.describe(space.parse("conv_3x3 + max_pool_3x3:1 + sep_conv_5x5:11")) == (
        "enas_macro architecture. Layers in order: conv_3x3, max_pool_3x3, sep_conv_5x5; 3 skips."
    )


def test_two_cells_are_two_frames():
    assert {"normal cell", "reduce cell"} <= set(texts(drawing.svg(spaces.DARTS().parse("DARTS_V2"))))


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_is_described_and_shrinks_to_the_page(name):
    architecture = sample(name)
    root = ElementTree.fromstring(drawing.svg(architecture))
    assert root.get("role") == "img" and root.get("aria-label") == drawing.describe(architecture)
    assert root[0].tag == f"{SVG}title" and root[0].text == f"{name} architecture"
    assert root[1].tag == f"{SVG}desc" and root[1].text == drawing.describe(architecture)
    assert root.get("viewBox").split()[2:] == [root.get("width"), root.get("height")]
    assert "max-width:100%" in root.get("style")
    assert all(operation in drawing.describe(architecture) for operation in drawn_operations(architecture))


def test_pictures_on_one_page_share_no_ids_and_need_no_other_file():
    page = "".join(drawing.svg(sample(name)) for name in NAMES)
    page += drawing.sheet([sample("tiny", seed) for seed in range(3)]).svg
    assert not re.search(r"\bid=|url\(|href=|<script|@import", page)
    assert set(re.findall(r"https?://[^\"]+", page)) == {"http://www.w3.org/2000/svg"}


def test_drawing_the_same_twice_gives_the_same():
    assert drawing.svg(sample("darts")) == drawing.svg(sample("darts"))


def test_a_notebook_shows_the_drawing_as_html_png_and_words():
    picture = drawing.draw(sample("nasbench201"))
    data, metadata = picture._repr_mimebundle_()
    assert set(data) == {"text/html", "image/png", "text/plain"}
    alt, content = re.fullmatch(
        r'<img alt="([^"]+)" style="[^"]+" '
        r'src="data:image/svg\+xml;base64,([^"]+)">',
        data["text/html"],
    ).groups()
    assert alt == data["text/plain"] == picture.alt
    assert base64.b64decode(content).decode() == HANDLES.sub("", picture.svg)
    width = round(float(ElementTree.fromstring(picture.svg).get("width")))
    assert metadata == {"image/png": {"alt": picture.alt, "width": width}}
    drawn = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert drawn.width == pytest.approx(width * 96 / 72, abs=2)  # the same picture, at 96 dots per inch instead of 72


def test_a_notebook_keeps_no_svg_of_its_own_and_a_sheet_no_png():
    data, metadata = drawing.sheet([sample("tiny")])._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain"} and metadata == {}


# --- what is dead -----------------------------------------------------------------------------------------------------
ALIVE = (
    "|nor_conv_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|none~2|"  # node 2 leads nowhere
)
DEAD = "|none~0|+|none~0|nor_conv_3x3~1|+|none~0|nor_conv_3x3~1|none~2|"
GREYED = {
    ALIVE: ["avg_pool_3x3", "node 2", "skip_connect"],
    DEAD: ["input", "node 1", "node 2", "nor_conv_3x3", "nor_conv_3x3", "output"],
}


def shapes(picture):
    """(text, its colour, whether its frame is dashed) of every box and node of a drawing."""
    for group in ElementTree.fromstring(picture).iter(f"{SVG}g"):
        parts = {element.get("data-part"): element for element in group}
        if "frame" in parts:
            frame, name = parts["frame"], parts["name"]
            yield name.text, name.get("fill", "black"), "stroke-dasharray" in frame.attrib


@pytest.mark.parametrize("text", GREYED, ids=["a live cell", "a dead cell"])
def test_what_is_dead_is_grey_and_dashed_and_nothing_else_is_grey(text):
    boxes = list(shapes(drawing.svg(spaces.NASBench201().parse(text))))
    assert sorted(name for name, ink, _ in boxes if ink == GREY) == GREYED[text]
    assert all(dashed for _, ink, dashed in boxes if ink == GREY)


def test_lines_to_dead_boxes_are_grey_and_dashed_and_have_no_arrowheads():
    root = ElementTree.fromstring(drawing.svg(spaces.NASBench201().parse(ALIVE)))
    lines = [group for group in root.iter(f"{SVG}g") if any(e.get("stroke") == GREY for e in group if e.get("d"))]
    assert len(lines) == 2
    for group in lines:
        (line,) = group.findall(f"{SVG}path")
        assert line.get("stroke-dasharray")


@pytest.mark.parametrize(
    ("text", "dead"), [(ALIVE, 2), (DEAD, 2), ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", 0)]
)
def test_the_title_says_where_nothing_flows(text, dead):
    title = ElementTree.fromstring(drawing.svg(spaces.NASBench201().parse(text)))[1].text
    assert title.count("(dead: nothing flows here)") == dead
    assert ("No path leads from input to output." in title) == (text != ALIVE)


def test_on_a_sheet_dead_operations_are_grey_with_dashed_outlines():
    picture = drawing.sheet([spaces.NASBench201().parse(text) for text in (ALIVE, DEAD)])
    for part, dead in zip(ElementTree.fromstring(picture.svg).findall(f"{SVG}svg"), ("as", "33"), strict=True):
        discs, letters = (list(part.iter(f"{SVG}{tag}"))[:6] for tag in ("circle", "text"))
        greyed = [t.text for disc, t in zip(discs, letters, strict=True) if disc.get("stroke-dasharray")]
        assert greyed == list(dead) == [t.text for t in letters if t.get("fill", "").lower() == GREY]
        lines = [line for line in part.iter(f"{SVG}path") if line.get("stroke", "").lower() == GREY]
        assert len(lines) == 2 and all(line.get("stroke-dasharray") for line in lines)
    assert "nothing flows there" in picture.alt and any("dashed: dead" in text for text in texts(picture.svg))


def test_a_sheet_on_which_all_lives_has_no_word_of_death():
    picture = drawing.sheet([spaces.Tiny().parse("|conv_3x3~0|+|skip~0|skip~1|")])
    assert "dead" not in picture.svg and GREY not in picture.svg.lower()


# --- files ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("suffix", "start"), [(".svg", b"<svg "), (".png", b"\x89PNG"), (".PDF", b"%PDF")])
def test_save_writes_what_the_suffix_says(suffix, start, tmp_path):
    path = drawing.save(sample("darts"), tmp_path / f"cell{suffix}")
    assert path.read_bytes().startswith(start)


def test_save_refuses_other_suffixes(tmp_path):
    with pytest.raises(ValueError, match=r"'cell\.gif'.*\.svg, \.png or \.pdf"):
        drawing.save(sample("tiny"), tmp_path / "cell.gif")
    with pytest.raises(ValueError, match="SVG only"):
        drawing.save(drawing.sheet([sample("tiny")]), tmp_path / "sheet.pdf")
    assert not list(tmp_path.iterdir())


def test_a_png_shows_the_boxes_where_the_svg_has_them():
    architecture = sample("tiny")
    picture = drawing.draw(architecture)
    pixels = Image.open(io.BytesIO(picture.printed("png", 72))).convert("RGB")
    for group in ElementTree.fromstring(picture.svg).iter(f"{SVG}g"):
        frame = next((e for e in group if e.get("data-part") == "frame"), None)
        if frame is not None:
            x, y, high = (round(float(frame.get(name))) for name in ("x", "y", "height"))
            assert "#{:02X}{:02X}{:02X}".format(*pixels.getpixel((x + 6, y + high - 4))) == frame.get("fill")


# --- sheets -----------------------------------------------------------------------------------------------------------
def test_a_sheet_of_all_tiny_cells_shows_every_edge_and_fits_a_notebook():
    cells = list(spaces.Tiny(nodes=3).enumerate())
    picture = drawing.sheet(cells)
    root = ElementTree.fromstring(picture.svg)
    assert len(root.findall(f"{SVG}svg")) == 125
    for part, cell in zip(root.iter(f"{SVG}svg"), [None, *cells], strict=True):
        if cell is not None:
            signs = [drawing.style_of(operation).sign for operation in drawn_operations(cell)]
            assert [text.text for text in part.iter(f"{SVG}text")] == signs
    assert set(spaces.Tiny.operations) <= set(texts(picture.svg))  # the legend
    assert len(picture._repr_mimebundle_()[0]["text/html"]) < 200_000 and "125 architectures" in picture.alt


@pytest.mark.parametrize("name", NAMES)
def test_pictures_on_a_sheet_do_not_overlap_or_leave_it(name):
    picture = drawing.sheet([sample(name, seed) for seed in range(5)], columns=2, captions="abcde")
    root = ElementTree.fromstring(picture.svg)
    boxes = [[float(part.get(side)) for side in ("x", "y", "width", "height")] for part in root.findall(f"{SVG}svg")]
    assert len(boxes) == 5
    for x, y, w, h in boxes:
        assert x + w <= float(root.get("width")) and y + h <= float(root.get("height"))
    for (x, y, w, h), (u, v, p, q) in combinations(boxes, 2):
        assert x + w <= u or u + p <= x or y + h <= v or v + q <= y
    assert set("abcde") <= set(texts(picture.svg))


def test_a_sheet_wants_architectures_and_as_many_captions():
    with pytest.raises(ValueError, match="at least one architecture"):
        drawing.sheet([])
    with pytest.raises(ValueError, match="got 2 architectures and 1 captions"):
        drawing.sheet([sample("tiny"), sample("tiny", 1)], captions=["a"])


@pytest.mark.parametrize("given", ["|skip~0|", None, sample("tiny").space])
def test_only_architectures_are_drawn(given, tmp_path):
    for draw in (drawing.draw, drawing.svg, lambda given: drawing.save(given, tmp_path / "x.svg")):
        with pytest.raises(ValueError, match="is no architecture; give one, such as spaces.get"):
            draw(given)


def test_captions_are_text_and_not_markup():
    picture = drawing.sheet([sample("tiny")], captions=["a < b & c"])
    assert "a < b & c" in texts(picture.svg)


# --- as a graph for other tools ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", spaces.BY_NAME)
def test_the_graphviz_graph_has_the_nodes_operations_and_connections_of_the_architecture(name):
    architecture = spaces.get(name).sample(torch.Generator().manual_seed(3))
    graph = AGraph(string=drawing.digraph(architecture).source)  # parsed by Graphviz itself
    label = {node: node.attr["label"] for node in graph.nodes()}
    for cell_name, cell in architecture.cells.items():
        nodes = {n for n in label if n.startswith(f"{cell_name}/")}
        boxes = {n for n in nodes if n.partition("/")[2].isdecimal()}
        through = {(graph.predecessors(b)[0], label[b], graph.successors(b)[0]) for b in boxes}
        straight = {(a, "", b) for a, b in graph.edges() if a in nodes - boxes and b in nodes - boxes}
        expected = {(f"{cell_name}/{e.source}", e.operation, f"{cell_name}/{e.target}") for e in cell.edges}
        assert through | straight == expected
        assert {label[n] for n in nodes - boxes} == set(cell.nodes)


def test_what_is_no_architecture_has_no_graph():
    with pytest.raises(ValueError, match="is no architecture"):
        drawing.digraph("conv_3x3")


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_keeps_a_drawing_without_what_only_scripts_need(name):
    picture = drawing.draw(sample(name))
    data, _ = picture._repr_mimebundle_()
    kept = base64.b64decode(re.search(r"base64,([^\"]+)", data["text/html"])[1]).decode()
    assert "data-" not in kept.replace("data-jp-theme-light", "").replace("data-ink", "")
    shapes = [
        [e.tag for e in ElementTree.fromstring(text).iter() if e.tag not in (f"{SVG}title", f"{SVG}desc")]
        for text in (kept, picture.svg)
    ]
    assert shapes[0] == shapes[1] and texts(kept) == texts(picture.svg)
