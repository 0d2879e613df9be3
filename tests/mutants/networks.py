"""Bugs of edges, cells, supernets and of the relaxation."""

import torch
from torch import Tensor, nn

from nas_tutorial import spaces
from nas_tutorial.networks import edges, ops
from nas_tutorial.networks.edges import DropPath, Edge
from nas_tutorial.spaces import darts
from nas_tutorial.spaces.darts import DARTSNetwork

from . import SLIP, Mutant

MACRO, MICRO, DARTS = spaces.ENASMacro(4, 3), spaces.ENASMicro(4, 1), spaces.DARTS(4, 3)


def pictures(n: int = 4) -> Tensor:
    """A batch of random pictures (n, 3, 16, 16)."""
    return torch.randn(n, 3, 16, 16, generator=torch.Generator().manual_seed(1))


# --- checks ---
def check_changing_one_operation_changes_the_output():
    """In a macro supernet, each of the six operations of the last layer gives another output."""
    torch.manual_seed(0)
    supernet, base = MACRO.supernet().eval(), MACRO.architecture([0] * 6)
    outputs = [supernet(pictures(), base.mutated(3, op)) for op in range(6)]
    for a in range(6):
        for b in range(a):
            assert not torch.allclose(outputs[a], outputs[b], atol=1e-7), f"operations {a} and {b} do the same"


def weights_with_gradient(space, architecture):
    """Names of the weights on edges that get gradient from one path through a supernet, and of those that should."""
    torch.manual_seed(0)
    supernet = space.supernet()
    supernet(pictures(), architecture).pow(2).sum().backward()
    trained = {n for n, p in supernet.named_parameters() if ".ops." in n and p.grad is not None and p.grad.any()}
    return trained, {n for n, _ in space.network(architecture, evaluation=False).named_parameters() if ".ops." in n}


def check_only_chosen_operations_of_a_macro_layer_get_gradient():
    """Neither more nor fewer weights than those of the architecture are trained."""
    trained, chosen = weights_with_gradient(MACRO, MACRO.parse("conv_3x3 + sep_conv_5x5:1 + conv_5x5:01"))
    assert trained == chosen


def check_only_chosen_operations_of_a_micro_cell_get_gradient():
    """Neither more nor fewer weights than those of the architecture are trained."""
    trained, chosen = weights_with_gradient(MICRO, MICRO.sample(torch.Generator().manual_seed(0)))
    assert trained == chosen


def check_a_path_equals_the_stand_alone_network():
    """A supernet that has been trained a little, in eval mode, so that batch-norm statistics count."""
    torch.manual_seed(0)
    supernet, architecture = DARTS.supernet(), DARTS.sample(torch.Generator().manual_seed(0))
    supernet(pictures(), architecture)
    network = edges.copy_weights(supernet, DARTS.network(architecture, evaluation=False))
    difference = network.eval()(pictures()) - supernet.eval()(pictures(), architecture)
    assert difference.abs().max() < 1e-6


def dropped(edge: Edge, pick: str, training: bool = True) -> Tensor:
    """Ones (4000, 1, 1, 1) through an edge that is dropped with probability 0.4."""
    torch.manual_seed(0)
    edges.set_drop_path(edge, 0.4)
    return edge.train(training)(torch.ones(4000, 1, 1, 1), pick)


def check_drop_path_keeps_the_mean():
    """Within four standard errors of 1."""
    mean = float(dropped(Edge({"pool": nn.AvgPool2d(1)}), "pool").mean())
    assert abs(mean - 1) < 4 * (0.4 / 0.6 / 4000) ** 0.5


def check_drop_path_spares_identities():
    """A skip is never dropped (DARTS, evaluation)."""
    assert (dropped(Edge({"skip": nn.Identity()}), "skip") == 1).all()


def check_drop_path_rests_in_evaluation():
    """Outside of training nothing is dropped."""
    assert (dropped(Edge({"pool": nn.AvgPool2d(1)}), "pool", training=False) == 1).all()


def check_darts_derives_the_strongest_operation_other_than_none():
    """Edges 2←0 and 3←0 prefer none by far, then sep_conv_3x3; node 2 has no other choice, node 3 has."""
    alphas = {kind: torch.zeros(14, 8) for kind in ("normal", "reduce")}
    alphas["normal"][0, [0, 4]] = torch.tensor([9.0, 1.0])
    alphas["normal"][2, [0, 4]] = torch.tensor([9.0, 1.0])
    derived = str(DARTS.derive(alphas)).partition(" reduce")[0]
    assert derived.startswith("normal: |sep_conv_3x3~0|max_pool_3x3~1|+|max_pool_3x3~1|max_pool_3x3~2|+"), derived


def check_weights_of_an_edge_are_a_softmax():
    """Positive, adding up to one, in the proportions exp(α)."""
    alphas = DARTS.alphas(torch.Generator().manual_seed(0), scale=1.0)
    for kind, alpha in alphas.items():
        weights = torch.stack(list(DARTS.relax(alphas)[kind].values()))
        assert torch.allclose(weights, alpha.exp() / alpha.exp().sum(1, keepdim=True), atol=1e-6)


def check_every_alpha_gets_gradient():
    """The blended supernet leads back to every entry of α."""
    torch.manual_seed(0)
    alphas = DARTS.alphas(torch.Generator().manual_seed(0))
    supernet = DARTS.supernet()
    (supernet(pictures(), DARTS.relax(alphas)) * torch.randn(4, 10)).sum().backward()
    assert all(alpha.grad is not None and (alpha.grad != 0).all() for alpha in alphas.values())


def check_search_form_normalises_pools_without_affine_weights():
    """In search a pool's output has mean 0 and variance 1 per channel, and nothing behind the stem learns a scale."""
    supernet = DARTS.supernet()
    out = supernet.cells[0].edges["2<0"].ops["avg_pool_3x3"](torch.randn(16, 4, 8, 8) * 5 + 3)
    assert out.mean((0, 2, 3)).abs().max() < 1e-4 and (out.var((0, 2, 3)) - 1).abs().max() < 1e-2
    assert [m.affine for m in supernet.modules() if isinstance(m, nn.BatchNorm2d)].count(True) == 1


def check_the_auxiliary_head_is_trained():
    """Each of its weights gets gradient from its loss."""
    torch.manual_seed(0)
    network = DARTS.network(DARTS.named["DARTS_V2"])
    logits, auxiliary = network.with_auxiliary(torch.randn(4, 3, 32, 32))
    (logits.pow(2).sum() + auxiliary.pow(2).sum()).backward()
    assert all(p.grad is not None and p.grad.any() for p in network.auxiliary.parameters())


def check_only_unread_states_reach_the_output():
    """A chain: each node reads the one before it twice; input 0 and the last node are the loose ends."""
    chain = MICRO.architecture([answer for _ in range(2) for node in range(5) for answer in (node + 1, node + 1, 0, 0)])
    for cell in chain.cells.values():
        assert {e.source for e in cell.edges if e.target == "output"} == {"input 0", "node 6"}


# --- bugs ---
def late_binding(monkeypatch):
    """The branches are functions made in a loop; when one is called, the loop variable is the last operation."""

    def forward(self, x, pick):
        branches = [lambda: op(x) for op in self.ops.values()]  # noqa: B023 - this is the bug
        return branches[list(self.ops).index(pick)]()

    monkeypatch.setattr(Edge, "forward", forward)


def input_instead_of_operation(monkeypatch):
    """The chosen input is found, but the operation is never called on it."""
    monkeypatch.setattr(Edge, "forward", lambda self, x, pick: x)


def forgotten_statistics(monkeypatch):
    """Only parameters are inherited, not the running mean and variance."""

    def copy_weights(supernet, network):
        wanted = network.state_dict()
        network.load_state_dict({n: p for n, p in supernet.named_parameters() if n in wanted}, strict=False)
        return network

    monkeypatch.setattr(edges, "copy_weights", copy_weights)


def mask(x: Tensor, keep: float) -> Tensor:
    """One 0 or 1 per picture."""
    return torch.empty(len(x), 1, 1, 1).bernoulli_(keep)


def drop_without_rescaling(monkeypatch):
    """What is kept is not scaled up."""
    monkeypatch.setattr(DropPath, "forward", lambda self, x: x * mask(x, 1 - self.probability))


def drop_identities(monkeypatch):
    """Skips are dropped like everything else."""
    monkeypatch.setattr(Edge, "forward", lambda self, x, pick: self.drop_path(self.ops[pick](x)))


def drop_always(monkeypatch):
    """Also in evaluation."""
    healthy = DropPath.forward
    monkeypatch.setattr(DropPath, "forward", lambda self, x: healthy(self.train(), x))


def derive_by_edges_with_none(monkeypatch):
    """The strength of an edge is its largest probability, that of none included."""

    def strongest(self, alpha, node):
        rows = [row for row, (_, target, _) in enumerate(self.edge_names) if target == node]
        p = alpha.detach()[rows].softmax(-1)
        sources = sorted(range(len(rows)), key=lambda source: -float(p[source].max()))[:2]
        return [(self.operations[1 + int(p[source, 1:].argmax())], source) for source in sources]

    monkeypatch.setattr(spaces.DARTS, "_strongest", strongest)


def derive_by_raw_alpha(monkeypatch):
    """Edges are ranked by α instead of its softmax, so a dominant none does not weaken its edge."""

    def strongest(self, alpha, node):
        rows = [row for row, (_, target, _) in enumerate(self.edge_names) if target == node]
        best, op = alpha.detach()[rows][:, 1:].max(-1)
        sources = sorted(range(len(rows)), key=lambda source: -float(best[source]))[:2]
        return [(self.operations[1 + int(op[source])], source) for source in sources]

    monkeypatch.setattr(spaces.DARTS, "_strongest", strongest)


def relax_with(function):
    """A patch that weighs operations by another function of α."""

    def patch(monkeypatch):
        def relax(self, alphas):
            names = [name for name, _, _ in self.edge_names]
            return {kind: dict(zip(names, function(alpha), strict=True)) for kind, alpha in alphas.items()}

        monkeypatch.setattr(spaces.DARTS, "relax", relax)

    return patch


def detached_alpha(monkeypatch):
    """The weights of the blend are cut off from α."""
    healthy = edges.mixed_op
    monkeypatch.setattr(edges, "mixed_op", lambda x, operations, weights: healthy(x, operations, weights.detach()))


def pools_without_norm(monkeypatch):
    """Search uses the evaluation form of pools, whose outputs are larger than those of normalised convolutions."""

    def edge_operation(op, channels, stride, evaluation):
        return ops.DARTS[op](channels, stride, evaluation)

    monkeypatch.setattr(darts, "edge_operation", edge_operation)


def affine_search(monkeypatch):
    """Batch norm keeps its scale in search, and can undo what α says."""
    healthy = darts.edge_operation

    def edge_operation(op, channels, stride, evaluation):
        return healthy(op, channels, stride, evaluation) if "pool" in op else ops.DARTS[op](channels, stride, True)

    monkeypatch.setattr(darts, "edge_operation", edge_operation)


def untrained_auxiliary(monkeypatch):
    """The head's weights are left out of training."""
    healthy = DARTSNetwork.with_auxiliary

    def with_auxiliary(self, x):
        self.auxiliary.requires_grad_(False)
        return healthy(self, x)

    monkeypatch.setattr(DARTSNetwork, "with_auxiliary", with_auxiliary)


def all_nodes_to_the_output(monkeypatch):
    """Every node is concatenated, read or not, as in DARTS."""
    monkeypatch.setattr(spaces.ENASMicro, "loose_ends", lambda self, nodes: list(range(2, 7)))


GENERAL_CHILD = "melodyguan/enas general_child.py:268-294"
NNI_MICRO = "NNI 2.x examples/nas/oneshot/enas/micro.py:50-59"

DERIVATION = check_darts_derives_the_strongest_operation_other_than_none
SEARCH_FORM = check_search_form_normalises_pools_without_affine_weights
INHERITANCE = check_a_path_equals_the_stand_alone_network

MUTANTS = [
    Mutant("late-binding branches", GENERAL_CHILD, late_binding, check_changing_one_operation_changes_the_output),
    Mutant("late-binding branches, by gradient", GENERAL_CHILD, late_binding,
           check_only_chosen_operations_of_a_macro_layer_get_gradient),
    Mutant("input instead of operation", NNI_MICRO, input_instead_of_operation,
           check_only_chosen_operations_of_a_micro_cell_get_gradient),
    Mutant("inherited weights without statistics", SLIP, forgotten_statistics, INHERITANCE),
    Mutant("drop path without rescaling", SLIP, drop_without_rescaling, check_drop_path_keeps_the_mean),
    Mutant("drop path on identities", SLIP, drop_identities, check_drop_path_spares_identities),
    Mutant("drop path in evaluation", SLIP, drop_always, check_drop_path_rests_in_evaluation),
    Mutant("edges ranked with none", SLIP, derive_by_edges_with_none, DERIVATION),
    Mutant("edges ranked by raw alpha", SLIP, derive_by_raw_alpha, DERIVATION),
    Mutant("sigmoid instead of softmax", SLIP, relax_with(torch.sigmoid), check_weights_of_an_edge_are_a_softmax),
    Mutant("softmax over the edges", SLIP, relax_with(lambda alpha: alpha.softmax(0)),
           check_weights_of_an_edge_are_a_softmax),
    Mutant("blend cut off from alpha", SLIP, detached_alpha, check_every_alpha_gets_gradient),
    Mutant("pools without batch norm in search", SLIP, pools_without_norm, SEARCH_FORM),
    Mutant("affine batch norm in search", SLIP, affine_search, SEARCH_FORM),
    Mutant("auxiliary head never trained", "melodyguan/enas micro_child.py:707-723", untrained_auxiliary,
           check_the_auxiliary_head_is_trained),
    Mutant("all nodes to the output", SLIP, all_nodes_to_the_output, check_only_unread_states_reach_the_output),
]  # fmt: skip
