"""Stand-alone networks and their operations: parameter counts, shapes, receptive fields, drop path, auxiliary head."""

import re

import pytest
import torch
from small import SMALL, distance, live_architecture, output
from torch import nn
from torchvision.ops import StochasticDepth

from nas_tutorial import spaces
from nas_tutorial.networks import ops
from nas_tutorial.networks.edges import Edge, drop_path, set_drop_path
from nas_tutorial.strategies import controller


def count(module):
    """The number of weights."""
    return sum(p.numel() for p in module.parameters())


# --- parameter counts: the published ones ---
@pytest.mark.parametrize("name, published", [("DARTS_V1", 3_169_414), ("DARTS_V2", 3_349_342)])
def test_parameters_of_the_published_darts_networks(name, published):
    space = spaces.DARTS(channels=36, cells=20)
    network = space.network(space.named[name])
    assert count(network.auxiliary) == 476_426
    assert count(network) == published + 476_426


def test_parameters_of_the_published_micro_network():
    """The architecture and the sizes of the official script, built by the official code, have 3,894,372 weights."""
    space = spaces.ENASMicro(channels=36, cells=15)
    network = space.network(space.named["ENAS_MICRO"])
    assert count(network) - count(network.auxiliary) == 3_894_372


PUBLISHED_MACRO = """0 3:0 0:10 2:001 2:0000 3:11010 2:000001 2:0110111 1:01110101 0:000000000 2:0000010000
0:10011000011 2:010000010110 1:0010001110101 0:11010100000100 2:001000000010101 2:0100010011110010
2:00001010100101001 3:011010000010101000 3:0110000000001100001 0:10010110001000001100 3:010110010110110100100
0:1010100000000101001000 0:11000111010001010011000"""


@pytest.mark.parametrize(
    "names, weights",
    [
        (("conv_3x3", "conv_3x3", "conv_5x5", "conv_5x5"), 42_559_392),  # what the official code builds for them
        (("conv_3x3", "sep_conv_3x3", "conv_5x5", "sep_conv_5x5"), 30_947_424),  # what they stand for in search
    ],
    ids=["dense", "separable"],
)
def test_parameters_of_the_published_macro_network(names, weights):
    """The architecture and the sizes of the official script, whose four operations the official code makes dense."""
    space = spaces.ENASMacro(channels=96, layers=24)
    text = " + ".join(names[int(layer[0])] + layer[1:] for layer in PUBLISHED_MACRO.split())
    assert count(space.network(space.parse(text))) == weights


@pytest.mark.parametrize(
    "space, published",
    [(spaces.DARTS(16, 8), 1_930_618), (spaces.ENASMacro(36, 12), 697_860), (spaces.ENASMicro(20, 6), 5_373_140)],
)
def test_parameters_of_the_published_supernets(space, published):
    assert count(space.supernet()) == published


def test_shapes_of_the_darts_alphas():
    alphas = spaces.DARTS(16, 8).alphas(torch.Generator().manual_seed(0))
    assert {name: tuple(alpha.shape) for name, alpha in alphas.items()} == {"normal": (14, 8), "reduce": (14, 8)}


@pytest.mark.parametrize("space, published", [(spaces.ENASMacro(), 41_856), (spaces.ENASMicro(), 41_733)])
def test_parameters_of_the_controllers(space, published):
    assert count(controller.for_space(space)) == published


@pytest.mark.parametrize("op, published", [("none", 73_306), ("skip_connect", 73_306), ("nor_conv_3x3", 1_531_546)])
def test_parameters_of_the_smallest_and_the_largest_network_of_the_benchmark(op, published):
    """NAS-Bench-201 lists 0.073306 and 1.531546 million parameters for these cells on CIFAR-10."""
    text = f"|{op}~0|+|{op}~0|{op}~1|+|{op}~0|{op}~1|{op}~2|"
    space = spaces.NASBench201(channels=16, cells_per_stage=5)
    assert count(space.network(space.parse(text))) == published


# --- parameter counts: closed forms, from the text of the architecture alone ---
def bn(c, affine=True):
    """Scale and shift."""
    return 2 * c * affine


def sep(k, c, affine=True):
    """Twice depthwise k×k, pointwise, batch norm."""
    return 2 * (k * k * c + c * c + bn(c, affine))


def dil(k, c, affine=True):
    """Once depthwise k×k, pointwise, batch norm."""
    return k * k * c + c * c + bn(c, affine)


def one_cell_formula(text, widths, cells, kernel, images, classes):
    """Stem, cells of equal width, reductions between the widths, head with batch norm."""
    ones, threes = text.count("conv_1x1"), text.count("conv_3x3")
    total = kernel**2 * images * widths[0] + bn(widths[0])
    total += cells * sum(ones * (c * c + bn(c)) + threes * (9 * c * c + bn(c)) for c in widths)
    total += sum(kernel**2 * (a * b + b * b) + 2 * bn(b) + a * b for a, b in zip(widths, widths[1:], strict=False))
    return total + bn(widths[-1]) + widths[-1] * classes + classes


def darts_cell(text, c, reduces):
    """Weights of the operations in one evaluation cell."""
    kinds = {"sep_conv_3x3": sep(3, c), "sep_conv_5x5": sep(5, c), "dil_conv_3x3": dil(3, c), "dil_conv_5x5": dil(5, c)}
    total = 0
    for op, source in re.findall(r"(\w+)~(\d)", text):
        total += kinds.get(op, 0) + (c * c + bn(c)) * (op == "skip_connect" and reduces and int(source) < 2)
    return total


def darts_formula(text, c, cells, images, classes):
    """The evaluation network, auxiliary head included."""
    normal, reduce = text.split("reduce:")
    total, before, last = 9 * images * 3 * c + bn(3 * c), 3 * c, 3 * c
    for i in range(cells):
        reduces = i in (cells // 3, 2 * cells // 3)
        c = 2 * c if reduces else c
        total += before * c + bn(c) + last * c + bn(c)  # a factorised reduction is as large as a 1×1 convolution
        total += darts_cell(reduce if reduces else normal, c, reduces)
        before, last = last, 4 * c
        if i == 2 * cells // 3:
            total += last * 128 + bn(128) + 4 * 128 * 768 + bn(768) + 768 * classes + classes
    return total + last * classes + classes


def macro_final_formula(text, c, images, classes):
    """Channels double with every halving; each layer but the first joins its tensors by a 1×1 convolution."""
    layers = [layer.partition(":") for layer in text.split(" + ")]
    total, third = 9 * images * c + bn(c), len(layers) // 3
    for k, (op, _, bits) in enumerate(layers):
        kernel, pools = int(op[-1]), "pool" in op
        spatial = kernel**2 * c + c * c if "sep" in op else kernel**2 * c * c
        total += c * c + bn(c) + (0 if pools else spatial + bn(c))
        total += (1 + bits.count("1")) * c * c + bn(c) if k else 0
        if k in (third - 1, 2 * third - 1):
            total += (k + 2) * (c * 2 * c + bn(2 * c))
            c *= 2
    return total + c * classes


def macro_formula(text, c, images, classes):
    """Stem, layers, and a factorised reduction of every tensor there is at one and two thirds of the depth."""
    kinds = {"conv_3x3": 9 * c * c + bn(c), "conv_5x5": 25 * c * c + bn(c), "avg_pool_3x3": 0, "max_pool_3x3": 0}
    kinds |= {"sep_conv_3x3": 9 * c + c * c + bn(c), "sep_conv_5x5": 25 * c + c * c + bn(c)}
    layers = [layer.partition(":")[0] for layer in text.split(" + ")]
    total = 9 * images * c + bn(c) + sum(c * c + bn(c) + kinds[op] for op in layers) + (len(layers) - 1) * bn(c)
    third = len(layers) // 3
    return total + (third + 1 + 2 * third + 1) * (c * c + bn(c)) + c * classes


def micro_cell(text, c):
    """Weights of the operations in one cell, and of the 1×1 convolution behind its loose ends."""
    pairs = re.findall(r"(\w+)~(\d)", text)
    loose = 7 - len({source for _, source in pairs})
    ops_ = sum({"sep_conv_3x3": sep(3, c), "sep_conv_5x5": sep(5, c)}.get(op, 0) for op, _ in pairs)
    return ops_ + loose * c * c + bn(c)


def micro_formula(text, c, cells, images, classes):
    """cells + 2 cells; a reduction cell reads the last output twice: halved beforehand, and halved on reading."""
    normal, reduce = text.split("reduce:")
    total, before, last = 9 * images * 3 * c + bn(3 * c), 3 * c, 3 * c
    for i in range(cells + 2):
        if i in (cells // 3, 2 * (cells // 3) + 1):
            c *= 2
            total += last * c + bn(c)  # the halving
            total += last * c + bn(c)  # bringing the full-size input down, with no change to the halved one
            total += micro_cell(reduce, c)
        else:
            total += sum(width * c + bn(c) for width in (before, last) if width != c) + micro_cell(normal, c)
        before, last = c if i in (cells // 3, 2 * (cells // 3) + 1) else last, c
    return total + c * classes


def micro_final_formula(text, c, cells, images, classes):
    """Calibrated inputs, a 1×1 convolution of the second one, and loose ends that keep their channels."""
    halves = dict(zip(("normal", "reduce"), text.split("reduce:"), strict=True))
    total, before, last, reductions = 9 * images * 3 * c + bn(3 * c), 3 * c, 3 * c, (cells // 3, 2 * (cells // 3) + 1)
    for i in range(cells + 2):
        reduces = i in reductions
        c = 2 * c if reduces else c
        total += sum(w * c + bn(c) for w in (before, last) if w != c or (w is before and i - 1 in reductions))
        pairs = re.findall(r"(\w+)~(\d)", halves["reduce" if reduces else "normal"])
        loose = {*"0123456"} - {source for _, source in pairs}
        halved = [op for op, source in pairs if op == "skip_connect" and source in "01"] + [*(loose & {*"01"})]
        total += c * c + bn(c) + reduces * len(halved) * (c * c + bn(c))
        total += sum({"sep_conv_3x3": sep(3, c), "sep_conv_5x5": sep(5, c)}.get(op, 0) for op, _ in pairs)
        before, last = last, len(loose) * c
        if i == reductions[1] + 1:
            total += last * 128 + bn(128) + 4 * 128 * 768 + bn(768) + 768 * classes + classes
    return total + last * classes


def formula(space, text, images, classes, evaluation):
    """The closed form for any space."""
    if evaluation and space.name == "enas_macro":
        return macro_final_formula(text, space.channels, images, classes)
    if evaluation and space.name == "enas_micro":
        return micro_final_formula(text, space.channels, space.cells, images, classes)
    if space.name == "darts":
        return darts_formula(text, space.channels, space.cells, images, classes)
    if space.name == "enas_macro":
        return macro_formula(text, space.channels, images, classes)
    if space.name == "enas_micro":
        return micro_formula(text, space.channels, space.cells, images, classes)
    widths = [space.channels * factor for factor in ((1,) if space.name == "tiny" else (1, 2, 4))]
    cells = space.cells if space.name == "tiny" else space.cells_per_stage
    return one_cell_formula(text, widths, cells, space.fixed_kernel, images, classes)


SIZED = [
    spaces.Tiny(8, 1),
    spaces.Tiny(5, 3),
    spaces.NASBench201(8, 1, 1),
    spaces.NASBench201(6, 2, 3),
    spaces.DARTS(4, 5),
    spaces.DARTS(6, 8),
    spaces.DARTS(4, 3),
    spaces.ENASMacro(7, 6),
    spaces.ENASMacro(8, 12),
    spaces.ENASMicro(4, 3),
    spaces.ENASMicro(6, 6),
    spaces.ENASMicro(8, 2),
]


@pytest.mark.parametrize("space", SIZED, ids=repr)
@pytest.mark.parametrize("seed, images, classes", [(0, 3, 10), (1, 1, 7)])
def test_parameters_follow_the_closed_form(space, seed, images, classes):
    architecture = space.sample(torch.Generator().manual_seed(seed))
    for evaluation in (True, False) if "enas" in space.name else (True,):
        network = space.network(architecture, classes=classes, image_channels=images, evaluation=evaluation)
        assert count(network) == formula(space, str(architecture), images, classes, evaluation)


def test_search_form_of_darts_has_no_affine_weights_beyond_the_stem():
    space = spaces.DARTS(4, 5)
    norms = [m for m in space.supernet().modules() if isinstance(m, nn.BatchNorm2d)]
    assert [m.affine for m in norms] == [True] + [False] * (len(norms) - 1)
    pools = sum(isinstance(m, nn.AvgPool2d | nn.MaxPool2d) for m in space.supernet().modules())
    assert pools == 5 * 14 * 2
    per_cell = 2 + 14 * (2 + 2 + 2 + 1 + 1)  # both inputs; on each edge: two pools, two separable, two dilated
    stride_two_skips = 2 * 8
    assert len(norms) == 1 + 5 * per_cell + stride_two_skips


def test_evaluation_form_of_darts_has_no_batch_norm_behind_pools():
    space = spaces.DARTS(4, 5)
    pools = "|max_pool_3x3~0|avg_pool_3x3~1|+" * 3 + "|max_pool_3x3~0|avg_pool_3x3~1|"
    network = space.network(space.parse(f"normal: {pools} reduce: {pools}"))
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 1 + 5 * 2 + 2 and all(m.affine for m in norms)  # stem, two inputs a cell, auxiliary head


# --- shapes ---
SHRINKS = {"tiny": 1, "nasbench201": 4, "darts": 4, "enas_macro": 4, "enas_micro": 4}  # by how much, from end to end


@pytest.mark.parametrize("image_channels", [1, 3])
@pytest.mark.parametrize("side", [8, 16, 28, 32])
def test_any_picture_gives_one_logit_per_class(space, side, image_channels):
    architecture = space.sample(torch.Generator().manual_seed(side))
    x = torch.randn(2, image_channels, side, side)
    for evaluation in (True, False):
        network = space.network(architecture, classes=7, image_channels=image_channels, evaluation=evaluation)
        height, width = network.features(x, network.own_ops).shape[2:]
        assert height == width == side // SHRINKS.get(space.name, side // height)
        assert network(x).shape == (2, 7)


def test_a_supernet_gives_one_logit_per_class(space):
    supernet, x = space.supernet(classes=7, image_channels=1), torch.randn(2, 1, 16, 16)
    generator = torch.Generator().manual_seed(0)
    assert supernet(x, space.sample(generator)).shape == (2, 7)
    assert supernet(x, space.relax(space.alphas(generator))).shape == (2, 7)


@pytest.mark.parametrize("name", SHRINKS)
def test_odd_sides_are_rounded_up(name):
    space = SMALL[name]
    network = space.network(space.sample(torch.Generator().manual_seed(0)))
    expected = (11, 11) if name == "tiny" else (3, 3)  # 11 → 6 → 3
    assert network.features(torch.randn(2, 3, 11, 11), network.own_ops).shape[2:] == expected


def cell_shapes(network, x):
    """(channels, side) of the output of every cell."""
    shapes, hooks = [], []
    for cell in network.cells:
        hooks.append(cell.register_forward_hook(lambda module, args, out: shapes.append((out.shape[1], out.shape[2]))))
    network(x)
    return shapes


def test_reduction_cells_of_darts_halve_the_picture_and_double_the_channels():
    space = spaces.DARTS(4, 7)  # reductions: cells 2 and 4
    network = space.network(space.sample(torch.Generator().manual_seed(0)))
    assert [cell.kind for cell in network.cells] == ["normal"] * 2 + ["reduce", "normal", "reduce"] + ["normal"] * 2
    expected = [(16, 16)] * 2 + [(32, 8)] * 2 + [(64, 4)] * 3
    assert cell_shapes(network, torch.randn(2, 3, 16, 16)) == expected


def test_reduction_cells_of_enas_halve_the_picture_and_double_the_channels():
    space = spaces.ENASMicro(4, 6)  # 8 cells; reductions: cells 2 and 5
    architecture = space.sample(torch.Generator().manual_seed(0))
    normal, reduce = (len(space.loose_ends(nodes)) for nodes in space.genotype(architecture.choices).values())
    shapes = cell_shapes(space.network(architecture), torch.randn(2, 3, 16, 16))
    widths = [4 * normal, 8 * reduce, 8 * normal, 16 * reduce, 16 * normal]  # loose ends keep their channels
    assert shapes == list(zip([widths[i] for i in (0, 0, 1, 2, 2, 3, 4, 4)], (16, 16, 8, 8, 8, 4, 4, 4), strict=True))
    network = space.network(architecture, evaluation=False)
    expected = [(4, 16)] * 2 + [(8, 8)] * 3 + [(16, 4)] * 3
    assert cell_shapes(network, torch.randn(2, 3, 16, 16)) == expected


def test_a_final_macro_layer_reads_its_tensors_side_by_side():
    """ReLU → 1×1 convolution of the concatenation → BN, written out; in search the tensors are added up."""
    torch.manual_seed(0)
    space = spaces.ENASMacro(4, 3)
    network = space.network(space.parse("conv_3x3 + conv_5x5:1 + sep_conv_3x3:10")).double().eval()
    layer, x = network.layers[1], [torch.randn(2, 8, 6, 6, dtype=torch.float64) for _ in range(2)]  # stem, layer 0
    operation = layer.edges["op 1"].ops["conv_5x5"]
    kernels = [layer.edges["skip 1<0"].ops["skip"].conv.weight, operation.join.conv.weight]
    own = operation[:-1](x[1])
    joined = nn.functional.conv2d(torch.cat([x[0], own], 1).relu(), torch.cat(kernels, 1))
    torch.testing.assert_close(layer(x, network.own_ops["network"]), layer.norm(joined))
    assert [module.norm.num_features for module in network.layers[1:]] == [8, 16]


def test_a_reduction_cell_of_the_final_micro_network_has_stride_2_where_it_reads_an_input():
    space = spaces.ENASMicro(4, 3)
    half = "|skip_connect~0|skip_connect~0|" + "+|max_pool_3x3~0|sep_conv_5x5~2|" * 4  # nobody reads input 1
    network = space.network(space.parse(f"normal: {half} reduce: {half}"))
    for i, cell in enumerate(network.cells):
        stride, skip = (2, ops.FactorizedReduce) if i in (1, 3) else (1, nn.Identity)
        assert cell.edges["3a<0"].ops["max_pool_3x3"].stride == stride
        assert cell.edges["3b<2"].ops["sep_conv_5x5"].first.depthwise.stride == (1, 1)
        assert type(cell.edges["2a<0"].ops["skip_connect"]) is type(cell.loose["1"]) is skip
        assert list(cell.loose) == ["1", "3", "4", "5", "6"] and type(cell.loose["3"]) is nn.Identity


def test_the_final_macro_network_knows_every_operation():
    assert list(ops.ENAS_MACRO_FINAL) == list(ops.ENAS_MACRO)


def test_a_network_without_instructions_says_so():
    with pytest.raises(ValueError, match="give an architecture or space.relax"):
        spaces.Tiny(4, 1).supernet()(torch.randn(1, 3, 8, 8))


# --- receptive fields ---
def influence(function, channels, side=15):
    """Which offsets of the input move the central output: {(dy, dx)}, over 16 random pictures."""
    x = torch.randn(16, channels, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x.requires_grad_()
    out = function(x)
    weights = torch.randn(out.shape[:2], dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    (out[:, :, side // 2, side // 2] * weights).sum().backward()
    seen = x.grad.abs().sum((0, 1)).nonzero() - side // 2  # (offsets, 2)
    return {tuple(offset) for offset in seen.tolist()}


def window(*offsets):
    """The square of these offsets."""
    return {(y, x) for y in offsets for x in offsets}


def square(radius):
    """All offsets up to a radius."""
    return window(*range(-radius, radius + 1))


FIELDS = {
    "zero": set(), "none": set(), "skip": square(0), "skip_connect": square(0), "conv_1x1": square(0),
    "conv_3x3": square(1), "nor_conv_1x1": square(0), "nor_conv_3x3": square(1), "avg_pool_3x3": square(1),
    "max_pool_3x3": square(1), "conv_5x5": square(2), "dil_conv_3x3": window(-2, 0, 2),
    "dil_conv_5x5": window(-4, -2, 0, 2, 4), "sep_conv_3x3": square(2), "sep_conv_5x5": square(4)}  # fmt: skip
MACRO_FIELDS = FIELDS | {"sep_conv_3x3": square(1), "sep_conv_5x5": square(2)}  # one depthwise convolution, not two
TABLES = [(table, op, FIELDS) for table in (ops.TINY, ops.NASBENCH201, ops.DARTS, ops.ENAS_MICRO) for op in table]
TABLES += [(ops.ENAS_MACRO, op, MACRO_FIELDS) for op in ops.ENAS_MACRO]


@pytest.mark.parametrize("table, op, fields", TABLES, ids=[op for _, op, _ in TABLES])
def test_each_operation_sees_exactly_its_window(table, op, fields):
    torch.manual_seed(0)
    module = table[op](6, 1, True).double().eval()
    assert influence(module, 6) == fields[op]


@pytest.mark.parametrize("table, op, fields", TABLES, ids=[op for _, op, _ in TABLES])
def test_each_operation_keeps_the_size_or_halves_it(table, op, fields):
    for stride in (1, 2) if table is ops.DARTS else (1,):
        for side in (8, 7):
            out = table[op](6, stride, True)(torch.randn(2, 6, side, side))
            assert out.shape == (2, 6, -(-side // stride), -(-side // stride))


TINY_FIELDS = [
    ("|skip~0|+|skip~0|skip~1|", 1, 0),
    ("|conv_1x1~0|+|conv_1x1~0|conv_1x1~1|", 1, 0),
    ("|conv_3x3~0|+|zero~0|skip~1|", 1, 1),
    ("|conv_3x3~0|+|zero~0|conv_3x3~1|", 1, 2),
    ("|conv_3x3~0|+|zero~0|conv_3x3~1|", 2, 4),
    ("|avg_pool_3x3~0|+|conv_1x1~0|avg_pool_3x3~1|", 1, 2),
    ("|zero~0|+|conv_3x3~0|conv_3x3~1|", 1, 1),
    ("|skip~0|+|conv_3x3~0|conv_1x1~1|", 3, 3),
]


@pytest.mark.parametrize("text, cells, radius", TINY_FIELDS)
def test_the_cell_decides_what_a_tiny_network_sees(text, cells, radius):
    torch.manual_seed(0)
    space = spaces.Tiny(8, cells, nodes=3)
    network = space.network(space.parse(text)).double().eval()
    assert influence(lambda x: network.features(x, network.own_ops), 3) == square(radius)


def test_a_factorised_reduction_reads_every_row_and_every_column():
    """One convolution reads the even rows and columns, the other the odd ones: half of the pixels, as published."""
    torch.manual_seed(0)
    module = ops.FactorizedReduce(4, 4).double().eval()
    x = torch.rand(
        1, 4, 8, 8, dtype=torch.float64, requires_grad=True
    )  # positive, so the ReLU in front lets it through
    module(x).pow(2).sum().backward()
    row, column = torch.arange(8)[:, None], torch.arange(8)
    assert torch.equal((x.grad != 0).all((0, 1)), row % 2 == column % 2)


def test_a_sparse_pointwise_convolution_is_the_strided_one():
    torch.manual_seed(0)
    for side in (7, 8):
        ours, x = ops.convolution(3, 5, kernel=1, stride=2).double(), torch.randn(2, 3, side, side).double()
        strided = nn.Conv2d(3, 5, 1, stride=2, bias=False).double()
        strided.load_state_dict(ours.state_dict())
        given = [x.clone().requires_grad_(), *ours.parameters()], [x.clone().requires_grad_(), *strided.parameters()]
        outputs = ours(given[0][0]), strided(given[1][0])
        gradients = [torch.autograd.grad(y.sin().sum(), at) for y, at in zip(outputs, given, strict=True)]
        assert distance(*outputs) < 1e-12
        assert all(distance(a, b) < 1e-12 for a, b in zip(*gradients, strict=True))


@pytest.mark.parametrize("evaluation", [False, True], ids=["supernet", "network"])
@pytest.mark.parametrize("name", SMALL)
def test_no_network_has_a_pointwise_convolution_that_strides_by_itself(name, evaluation):
    """Its gradients destroy the process's memory (oneDNN, issue 6035), in channels_last with few channels."""
    space = SMALL[name]
    network = space.network(live_architecture(space, 0)) if evaluation else space.supernet()
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1) and module.stride != (1, 1):
            assert isinstance(module, ops.SparsePointwise)


def test_average_pools_leave_the_padding_out():
    x = torch.ones(1, 2, 5, 5)
    for table in (ops.TINY, ops.NASBENCH201, ops.DARTS, ops.ENAS_MICRO):
        assert torch.equal(table["avg_pool_3x3"](2, 1, True)(x), x)


# --- dropout ---
@pytest.mark.parametrize("given, expected", [(None, None), (0.0, 0.0), (0.4, 0.4)])
def test_dropout_in_front_of_the_classifier_is_an_argument(space, given, expected):
    expected = space.dropout if expected is None else expected
    architecture = space.sample(torch.Generator().manual_seed(0))
    for network in (space.network(architecture, dropout=given), space.supernet(dropout=given)):
        assert [m.p for m in network.modules() if isinstance(m, nn.Dropout)] == [expected]


def test_the_spaces_of_enas_drop_a_tenth_and_those_of_others_nothing():
    usual = {name: SMALL[name].dropout for name in ("tiny", "nasbench201", "darts", "enas_macro", "enas_micro")}
    assert usual == {"tiny": 0.0, "nasbench201": 0.0, "darts": 0.0, "enas_macro": 0.1, "enas_micro": 0.1}


def test_dropout_hits_what_the_classifier_reads_in_training_only(space):
    torch.manual_seed(0)
    architecture, x = live_architecture(space, 0), torch.randn(256, 3, 8, 8)
    for network, choice in (
        (space.network(architecture, dropout=0.4), ()),
        (space.supernet(dropout=0.4), (architecture,)),
    ):
        dropped = []  # of all features that are not 0 anyway, the share that does not get through
        network.head.dropout.register_forward_hook(
            lambda module, args, out, seen=dropped: seen.append(float((out == 0)[args[0] != 0].double().mean()))
        )
        for mode in (True, False):
            network.train(mode)(x, *choice)
        assert 0.3 < dropped[0] < 0.5 and dropped[1] == 0


# --- drop path ---
def test_drop_path_drops_at_its_rate_and_keeps_the_expectation():
    torch.manual_seed(0)
    drop, n = drop_path(0.3).train(), 40_000
    out = drop(torch.ones(n, 1, 1, 1, dtype=torch.float64))
    assert set(out.flatten().tolist()) == {0.0, 1 / 0.7}  # dropped, or scaled up
    standard_error = (0.3 / 0.7 / n) ** 0.5  # variance of mask / keep is (1 − keep) / keep
    assert abs(float(out.mean()) - 1) < 4 * standard_error


def test_drop_path_drops_whole_pictures():
    torch.manual_seed(0)
    out = drop_path(0.5).train()(torch.ones(64, 3, 4, 4))
    per_picture = out.flatten(1)
    assert (per_picture == per_picture[:, :1]).all() and 0 < int((per_picture[:, 0] == 0).sum()) < 64


def test_drop_path_is_for_training_only():
    x = torch.randn(8, 2, 3, 3)
    assert torch.equal(drop_path(0.9).eval()(x), x)
    assert torch.equal(drop_path(0.0).train()(x), x)


def test_drop_path_spares_identities_and_hits_the_rest():
    torch.manual_seed(0)
    edge, x = Edge({"skip": nn.Identity(), "pool": nn.AvgPool2d(1)}).train(), torch.ones(256, 1, 2, 2)
    set_drop_path(edge, 0.5)
    assert torch.equal(edge(x, "skip"), x)
    assert 64 < int((edge(x, "pool") == 0).all((1, 2, 3)).sum()) < 192
    set_drop_path(edge, 0.0)
    assert torch.equal(edge(x, "pool"), x)


def test_drop_path_changes_training_only_and_no_names(space):
    """In evaluation nothing changes, whichever mode the network was in when the probability was set."""
    torch.manual_seed(0)
    network = space.network(live_architecture(space, 0)).double()
    names, judged = list(network.state_dict()), output(network, training=False)
    for mode in (True, False):
        set_drop_path(network.train(mode), 0.7)
        assert torch.equal(output(network, training=False), judged)
    dropped = output(network, training=True)
    set_drop_path(network, 0.0)
    assert distance(dropped, output(network, training=True)) > 1e-6
    assert list(network.state_dict()) == names


def test_set_drop_path_reaches_every_edge():
    space = spaces.DARTS(4, 5)
    network = space.network(space.named["DARTS_V2"])
    set_drop_path(network, 0.2)
    drops = [m for m in network.modules() if isinstance(m, StochasticDepth)]
    assert [(m.p, m.mode) for m in drops] == [(0.2, "row")] * 5 * 8


def test_drop_path_never_cuts_the_output_of_a_micro_cell():
    space = spaces.ENASMicro(4, 3)
    network = space.network(space.sample(torch.Generator().manual_seed(0)), evaluation=False)
    set_drop_path(network, 0.2)
    for cell in network.cells:
        dropped = {name for name, edge in cell.edges.items() if isinstance(edge.drop_path, StochasticDepth)}
        assert len(dropped) == 10 and dropped == {name for name in cell.edges if not name.startswith("out<")}


def test_drop_path_of_the_final_micro_network_grows_with_depth_and_spares_skips():
    """Cell i of n drops with the share (i + 1)/n, as in the official code; reductions of skips are kept, too."""
    space = spaces.ENASMicro(4, 3)
    network = space.network(space.named["ENAS_MICRO"])
    set_drop_path(network, 0.4)
    for i, cell in enumerate(network.cells):
        for edge in cell.edges.values():
            if "skip_connect" in edge.ops:
                assert isinstance(edge.drop_path, nn.Identity)
            else:
                assert edge.drop_path.p == pytest.approx(0.4 * (i + 1) / 5)


# --- the auxiliary head ---
def auxiliary_gradients(network):
    """Parameters of the auxiliary head → largest gradient, after one backward pass through the loss of both heads."""
    x = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    logits, auxiliary = network.with_auxiliary(x)
    assert logits.shape == auxiliary.shape == (8, 10)
    y = torch.arange(8)
    (nn.functional.cross_entropy(logits, y) + 0.4 * nn.functional.cross_entropy(auxiliary, y)).backward()
    return {name: float(p.grad.abs().max()) for name, p in network.auxiliary.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("space, name", [(spaces.DARTS(4, 6), "DARTS_V2"), (spaces.ENASMicro(4, 3), "ENAS_MICRO")])
def test_every_weight_of_the_auxiliary_head_gets_gradient(space, name):
    torch.manual_seed(0)
    network = space.network(space.named[name]).train()
    gradients = auxiliary_gradients(network)
    assert set(gradients) == {name for name, _ in network.auxiliary.named_parameters()}
    assert min(gradients.values()) > 0


@pytest.mark.parametrize("cells", [5, 6, 8])
def test_the_auxiliary_head_reads_the_second_reduction(cells):
    space, read = spaces.DARTS(4, cells), []
    network = space.network(space.named["DARTS_V1"]).eval()
    network.auxiliary.register_forward_hook(lambda module, args, out: read.append(tuple(args[0].shape)))
    logits, _ = network.with_auxiliary(x := torch.randn(2, 3, 32, 32))
    assert read == [(2, 4 * 16, 8, 8)]
    torch.testing.assert_close(logits, network(x))


@pytest.mark.parametrize("cells", [1, 2, 3, 6])
def test_the_auxiliary_head_of_the_micro_space_reads_the_cell_after_the_second_reduction(cells):
    space, read = spaces.ENASMicro(4, cells), []
    network = space.network(space.named["ENAS_MICRO"]).eval()
    network.auxiliary.register_forward_hook(lambda module, args, out: read.append(args[0]))
    cell = network.cells[2 * (cells // 3) + 2]
    cell.register_forward_hook(lambda module, args, out: read.append(out))
    logits, _ = network.with_auxiliary(x := torch.randn(2, 3, 32, 32))
    assert read[1] is read[0] and read[0].shape[2:] == (8, 8)
    torch.testing.assert_close(logits, network(x))


def test_only_the_evaluation_form_has_an_auxiliary_head():
    space = spaces.DARTS(4, 5)
    v2 = space.named["DARTS_V2"]
    assert hasattr(space.network(v2), "auxiliary")
    assert not hasattr(space.network(v2, evaluation=False), "auxiliary")
    assert not hasattr(space.supernet(), "auxiliary")
