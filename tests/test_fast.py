"""The fast path against the slow one, in float64: outputs, gradients and batch-norm statistics, on every space."""

import copy
from functools import partial

import pytest
import torch
from small import SMALL, distance, lived_in, pictures
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import prune

from nas_tutorial.networks import ops
from nas_tutorial.networks.edges import DagCell, Edge, NodeLoop
from nas_tutorial.networks.fast import FastNodeLoop, FastSequential, speed_up
from nas_tutorial.strategies.gradients import Bilevel, VirtualStep, exact, first_order, unrolled

TOLERANCE = {"rtol": 0, "atol": 1e-10}


def problem(space, fast):
    """The same weights, α and batches each time; `fast` switches the path and the memory order."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = space.supernet(classes=5).double()
        for module in network.modules():
            module.training = not isinstance(module, nn.Dropout)
        batches = [(torch.randn(4, 3, 8, 8).double(), torch.randint(5, (4,))) for _ in range(2)]
    if fast:
        speed_up(network.to(memory_format=torch.channels_last))
    alphas = {
        key: a.detach().double().requires_grad_() for key, a in space.alphas(torch.Generator().manual_seed(1)).items()
    }
    return Bilevel(space, network, alphas), *batches


@pytest.mark.parametrize("estimate", [first_order, unrolled, exact])
def test_architecture_gradients_agree(space, estimate):
    slow, fast = (estimate(*problem(space, path), VirtualStep(0.025)) for path in (False, True))
    for key in slow:
        torch.testing.assert_close(fast[key], slow[key], **TOLERANCE)
        assert slow[key].abs().max() > 1e-6


def test_outputs_weight_gradients_and_statistics_agree(space):
    found = []
    for path in (False, True):
        bilevel, train, _ = problem(space, path)
        logits = bilevel.logits(train[0])
        F.cross_entropy(logits, train[1]).backward()
        gradients = {k: p.grad for k, p in bilevel.network.named_parameters() if p.grad is not None}
        buffers = {f"buffer {k}": b for k, b in bilevel.network.named_buffers()}
        found.append({"logits": logits.detach(), **gradients, **buffers})
    slow, fast = found
    assert slow.keys() == fast.keys()
    for key in slow:
        torch.testing.assert_close(fast[key], slow[key], **TOLERANCE)


def test_one_path_and_evaluation_agree(space):
    (slow, train, _), (fast, *_) = problem(space, False), problem(space, True)
    architecture = space.sample(torch.Generator().manual_seed(2))
    torch.testing.assert_close(fast.network(train[0], architecture), slow.network(train[0], architecture), **TOLERANCE)
    slow.network.eval(), fast.network.eval()
    torch.testing.assert_close(fast.logits(train[0]), slow.logits(train[0]), **TOLERANCE)


def test_weights_names_and_modes_stay(space):
    network = space.supernet()
    next(module for module in network.modules() if isinstance(module, nn.BatchNorm2d)).eval()

    def contents():
        weights = {name: id(tensor) for name, tensor in network.state_dict(keep_vars=True).items()}
        return list(weights.items()), {name: module.training for name, module in network.named_modules()}

    before = contents()
    assert speed_up(network) is network and contents() == before


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("side", [8, 9])
def test_separable_convolutions_agree_to_the_second_derivative(kernel, stride, dilation, side):
    generator = torch.Generator().manual_seed(0)
    padding = dilation * (kernel // 2)
    plain, fast = (
        nn.Sequential(
            nn.Conv2d(6, 6, kernel, stride, padding, dilation, groups=6, bias=False), nn.Conv2d(6, 4, 1, bias=False)
        ).double()
        for _ in range(2)
    )
    fast.load_state_dict(plain.state_dict())
    fast = speed_up(fast)
    assert type(fast) is FastSequential and type(plain) is nn.Sequential
    x = torch.randn(20, 6, side, side, generator=generator, dtype=torch.float64, requires_grad=True)
    results = []
    for layers in (plain, fast):
        y, inputs = layers(x), (x, *layers.parameters())
        first = torch.autograd.grad(y.square().sum(), inputs, create_graph=True)
        second = torch.autograd.grad(sum(g.square().sum() for g in first), inputs)
        results.append([y, *first, *second])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-10, atol=1e-10)


# --- operations, edges and cells of one's own -------------------------------------------------------------------------
class HalvedWeights(nn.Conv2d):
    """A convolution of one's own."""

    def forward(self, x):
        return self._conv_forward(x, 0.5 * self.weight, self.bias)


def own_operations():
    """Operations that a reader might add, each close to a form of the fast path but not of it."""
    depthwise, pointwise = partial(nn.Conv2d, 4, 4, groups=4), partial(nn.Conv2d, 4, 4, 1)
    relu, norm, mean = nn.ReLU, nn.BatchNorm2d, partial(nn.AvgPool2d, 3, 1, 1, count_include_pad=False)
    clamp, separable = partial(nn.Hardtanh, 0.1, 0.3, inplace=True), ops.separable(3)(4, 1, True)
    return {
        "bias": nn.Sequential(relu(), depthwise(3, padding=1), pointwise(), norm(4)),
        "circular": nn.Sequential(relu(), depthwise(3, padding=1, bias=False, padding_mode="circular"), pointwise()),
        "flat": nn.Sequential(depthwise((1, 3), padding=(0, 1), bias=False), pointwise(bias=False), norm(4)),
        "groups": nn.Sequential(depthwise(3, padding=1, bias=False), pointwise(bias=False, groups=2)),
        "mixed": nn.Sequential(
            depthwise(3, padding=1, bias=False), pointwise(bias=False), depthwise(3, padding=1, bias=False), norm(4)
        ),
        "own convolution": nn.Sequential(
            relu(), HalvedWeights(4, 4, 3, padding=1, groups=4, bias=False), pointwise(bias=False), norm(4)
        ),
        "layers used twice": nn.Sequential(*separable.first, *separable.first),
        "blocks used twice": nn.Sequential(separable.second, separable.second),
        "pool then convolution": nn.Sequential(nn.AvgPool2d(3, 1, 1), nn.Conv2d(4, 4, 1), norm(4)),
        "wide pool": nn.MaxPool2d(5, 1, 2),
        "pool": nn.MaxPool2d(3, 1, 1),
        "padded mean": nn.AvgPool2d(3, 1, 1, count_include_pad=True),
        "mean": mean(),
        "mean over all pixels": nn.AdaptiveAvgPool2d(1),
        "affine norm": nn.Sequential(nn.MaxPool2d(3, 1, 1), norm(4)),
        "another affine norm": nn.Sequential(nn.MaxPool2d(3, 1, 1), norm(4)),
        "plain norm": nn.Sequential(nn.MaxPool2d(3, 1, 1), norm(4, affine=False)),
        "norm of other eps": nn.Sequential(nn.MaxPool2d(3, 1, 1), norm(4, affine=False, eps=0.1)),
        "untracked": nn.Sequential(relu(), nn.Conv2d(4, 4, 1), norm(4, track_running_stats=False)),
        "cumulative": nn.Sequential(relu(), nn.Conv2d(4, 4, 1), norm(4, momentum=None)),
        "relu alone": nn.Sequential(relu()),
        "norm alone": norm(4),
        "nothing": nn.Sequential(),
        "frozen": nn.Sequential(relu(), nn.Conv2d(4, 4, 1), norm(4)),
        "in place behind a ReLU": nn.Sequential(relu(), clamp(), nn.Conv2d(4, 4, 1), norm(4)),
        "in place behind a pool": nn.Sequential(mean(), clamp()),
        "in place, one later": nn.Sequential(relu(), nn.Identity(), clamp()),
    }


class OwnCell(DagCell):
    """The same operations on two edges that leave the same state."""

    def __init__(self, operations=own_operations, edge=Edge):
        super().__init__()
        self.edges = nn.ModuleDict({name: edge(operations()) for name in "ab"})
        self.incoming = [[("a", 0), ("b", 0)]]

    def forward(self, x, active):
        return self.node_states([x], active)[-1]


def own_cell(cell=OwnCell, **settings):
    """A cell whose affine batch norms are no longer fresh, and a batch for it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        cell, x = cell(**settings).double(), torch.randn(5, 4, 9, 9, dtype=torch.float64)
        for module in cell.modules():
            if isinstance(module, nn.BatchNorm2d) and module.affine:
                nn.init.normal_(module.weight), nn.init.normal_(module.bias)
    return cell, x


def results(cell, x):
    """Output, gradients of the mixture's weights and of the cell's, and buffers."""
    count = len(cell.edges["a"].ops)
    weights = [torch.linspace(0.5, 1.5, count, dtype=torch.float64).mul(s).requires_grad_() for s in (1, -0.7)]
    y = cell(x, dict(zip("ab", weights, strict=True)))
    return [
        y,
        *torch.autograd.grad(y.square().sum(), [*weights, *cell.parameters()], materialize_grads=True),
        *cell.buffers(),
    ]


def assert_same(slow, fast, x):
    """Both cells give the same results."""
    for a, b in zip(results(slow, x), results(fast, x), strict=True):
        torch.testing.assert_close(b, a, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("name", [*own_operations(), "all"])
def test_operations_of_ones_own_give_the_same_results(name):
    names = own_operations() if name == "all" else dict.fromkeys([name, "relu alone", "mean"])
    slow, x = own_cell(operations=lambda: {name: own_operations()[name] for name in names})
    for module in [edge.ops["frozen"] for edge in slow.edges.values() if "frozen" in edge.ops]:
        module.eval()
    fast = speed_up(copy.deepcopy(slow))
    assert type(fast.loop) is FastNodeLoop
    assert_same(slow, fast, x)


def usual_operations():
    """Operations of the package."""
    return {"separable": ops.separable(3)(4, 1, False), "mean": ops.average_pool(4, 1, False), "none": ops.Zero()}


class HalfEdge(Edge):
    """An edge of one's own: half of the channels go by the operations."""

    def forward(self, x, active):
        return torch.cat([super().forward(x, active)[:, :2], x[:, 2:]], 1)


class DoubleLoop(NodeLoop):
    """A loop of one's own."""

    def forward(self, edges, incoming, states, active):
        return [2 * state for state in super().forward(edges, incoming, states, active)]


class OwnLoop(OwnCell):
    """A cell with it."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.loop = DoubleLoop()


class OwnStates(OwnCell):
    """A cell with node states of its own."""

    def node_states(self, states, active):
        return [2 * state for state in super().node_states(states, active)]


@pytest.mark.parametrize("cell", [OwnStates, OwnLoop, partial(OwnCell, edge=HalfEdge)])
def test_what_a_subclass_does_by_itself_stays(cell):
    slow, x = own_cell(cell, operations=usual_operations)
    assert_same(slow, speed_up(copy.deepcopy(slow)), x)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_is_a_cell_of_its_own(copied):
    slow, x = own_cell(operations=usual_operations)
    original = speed_up(copy.deepcopy(slow))
    fast = copied(original)
    for cell in (slow, fast):
        cell.incoming = [[("b", 0)], [("a", 1)]]
    assert_same(slow, fast, x)
    assert not torch.allclose(results(original, x)[0], results(fast, x)[0])


@pytest.mark.parametrize("side", [8, 9])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_mixture_of_nothing_but_zero_is_zero(stride, side):
    slow, x = own_cell(operations=lambda: {"none": ops.Zero(stride)})
    x = x[..., :side, :side].requires_grad_()
    fast = speed_up(copy.deepcopy(slow))
    assert_same(slow, fast, x)
    weight = torch.ones(1, dtype=torch.float64, requires_grad=True)
    y = fast(x, dict.fromkeys("ab", weight))
    assert y.shape == (5, 4, -(-side // stride), -(-side // stride)) and not y.any()
    assert all(not g.any() for g in torch.autograd.grad(y.sum(), [weight, x]))


def test_hooks_that_come_later_are_heeded():
    slow, x = own_cell(operations=usual_operations)
    fast = speed_up(copy.deepcopy(slow))
    for cell in (slow, fast):
        first = cell.edges["a"].ops["separable"].first
        prune.l1_unstructured(first.depthwise, "weight", 0.5)
        with torch.no_grad():
            first.depthwise.weight_orig.mul_(2)  # the weight is made anew in each pass
        first.register_forward_hook(lambda module, inputs, output: output * 2)
        cell.edges["b"].register_forward_hook(lambda module, inputs, output: output * 3)
    assert_same(slow, fast, x)


@pytest.mark.parametrize("layer", ["depthwise", "pointwise"])
@pytest.mark.parametrize("early", [True, False], ids=["before", "behind"])
def test_a_forward_that_a_module_was_given_is_heeded(layer, early):
    """A convolution patched to give twice its output, before `speed_up` or behind it, doubles that of the sequence."""
    network = ops.named(
        depthwise=nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False), pointwise=nn.Conv2d(4, 6, 1, bias=False)
    )
    x = torch.randn(2, 4, 8, 8)
    expected, network = 2 * network(x), network if early else speed_up(network)
    patched = network.get_submodule(layer)
    patched.forward = lambda x, usual=patched.forward: 2 * usual(x)
    assert torch.allclose(speed_up(network)(x), expected, atol=1e-6)


# --- torch.func ---
def test_torch_func_works_on_the_fast_path():
    """Derivatives forward (jvp) and a batch of α or of pictures (vmap) are those of the slow path."""
    space, slow = SMALL["darts"], lived_in(SMALL["darts"])
    alphas = {key: a.detach().double() for key, a in space.alphas(torch.Generator().manual_seed(0), 1.0).items()}
    weights = {key: w.detach() for key, w in slow.named_parameters()}
    ahead = {key: torch.ones_like(w) for key, w in weights.items()}
    several = {key: torch.stack([a, a.flip(0)]) for key, a in alphas.items()}
    x = pictures(n=2)

    def results(network):
        def logits(alphas, weights=weights, x=x):
            return torch.func.functional_call(network, weights, (x, space.relax(alphas)))

        return (
            *torch.func.jvp(logits, (alphas,), (alphas,)),
            *torch.func.jvp(lambda weights: logits(alphas, weights), (weights,), (ahead,)),
            torch.func.vmap(logits)(several),
            torch.func.vmap(lambda image: logits(alphas, x=image[None]))(x),
        )

    for ours, theirs in zip(results(speed_up(copy.deepcopy(slow)).eval()), results(slow.eval()), strict=True):
        assert distance(ours, theirs) < 1e-9 * max(1.0, float(theirs.abs().max()))
