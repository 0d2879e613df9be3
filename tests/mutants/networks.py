"""Slips of edges, cells, supernets and of the relaxation."""

import torch
from torch import nn
from torchvision.ops import stochastic_depth

from nas_tutorial import spaces
from nas_tutorial.museum import replaced
from nas_tutorial.networks import edges, ops
from nas_tutorial.networks.edges import Edge
from nas_tutorial.spaces import darts

from . import slip

DERIVATION = "test_spaces.py::test_darts_never_keeps_none_but_none_weakens_its_edge"
SOFTMAX = "test_spaces.py::test_relax_is_the_softmax_of_every_row"
SEARCH_FORM = "test_networks.py::test_search_form_of_darts_has_no_affine_weights_beyond_the_stem"


@slip("test_supernets.py::test_one_path_equals_the_stand_alone_network_in_single_precision[darts]")
def inherited_weights_without_statistics():
    """Only parameters are inherited, not the running mean and variance."""

    def copy_weights(supernet, network):
        wanted = network.state_dict()
        network.load_state_dict({n: p for n, p in supernet.named_parameters() if n in wanted}, strict=False)
        return network

    with replaced(edges, "copy_weights", copy_weights):
        yield


# --- drop path ---
class Dropping(nn.Module):
    """Drop pictures by a function of (x, probability, training)."""

    def __init__(self, drop, probability):
        super().__init__()
        self.drop, self.p = drop, probability

    def forward(self, x):
        return self.drop(x, self.p, self.training)


def dropping(drop):
    """Another drop path."""
    return replaced(edges, "drop_path", lambda probability: Dropping(drop, probability))


@slip("test_networks.py::test_drop_path_drops_at_its_rate_and_keeps_the_expectation")
def drop_without_rescaling():
    """What is kept is not scaled up."""
    with dropping(lambda x, p, training: stochastic_depth(x, p, "row", training) * ((1 - p) if training else 1)):
        yield


@slip("test_networks.py::test_drop_path_is_for_training_only")
def drop_in_evaluation():
    """Nobody asks for the mode."""
    with dropping(lambda x, p, training: stochastic_depth(x, p, "row", True)):
        yield


@slip("test_networks.py::test_drop_path_spares_identities_and_hits_the_rest")
def drop_identities():
    """Skips are dropped like everything else."""
    with replaced(Edge, "forward", lambda self, x, active: self.drop_path(self.ops[active](x))):
        yield


# --- the relaxation ---
@slip(DERIVATION)
def edges_ranked_with_none():
    """The strength of an edge is its largest probability, that of none included."""

    def strongest(self, table, node):
        rows = [row for row, (_, target, _) in enumerate(self.edge_names) if target == node]
        p = table.detach()[rows]
        sources = sorted(range(len(rows)), key=lambda source: -float(p[source].max()))[:2]
        return [(self.operations[1 + int(p[source, 1:].argmax())], source) for source in sources]

    with replaced(spaces.DARTS, "_strongest", strongest):
        yield


@slip(SOFTMAX)
def sigmoid_instead_of_softmax():
    """Operations do not compete."""
    with replaced(
        spaces.Space, "probabilities", lambda self, alphas: {name: torch.sigmoid(a) for name, a in alphas.items()}
    ):
        yield


@slip(SOFTMAX)
def softmax_over_the_edges():
    """Edges compete instead of operations."""
    with replaced(spaces.Space, "probabilities", lambda self, alphas: {n: a.softmax(0) for n, a in alphas.items()}):
        yield


@slip("test_supernets.py::test_every_alpha_that_has_a_say_gets_gradient[darts]")
def mixture_cut_off_from_alpha():
    """The weights of the mixture are constants."""
    healthy = edges.mixed_op
    with replaced(edges, "mixed_op", lambda x, operations, weights: healthy(x, operations, weights.detach())):
        yield


# --- forms of a network ---
@slip(SEARCH_FORM)
def affine_search():
    """Batch norm keeps its scale in search, and can undo what α says."""
    healthy = darts.edge_operation

    def edge_operation(op, channels, stride, evaluation):
        return healthy(op, channels, stride, evaluation) if "pool" in op else ops.DARTS[op](channels, stride, True)

    with replaced(darts, "edge_operation", edge_operation):
        yield


@slip(SEARCH_FORM)
def pools_without_norm():
    """Search uses the evaluation form of pools, whose outputs are larger than those of normalised convolutions."""
    with replaced(
        darts, "edge_operation", lambda op, channels, stride, evaluation: ops.DARTS[op](channels, stride, evaluation)
    ):
        yield


@slip("test_spaces.py::test_loose_ends_of_a_micro_cell_by_hand")
def all_nodes_to_the_output():
    """Every node is concatenated, read or not, as in DARTS."""
    with replaced(spaces.ENASMicro, "loose_ends", lambda self, nodes: list(range(2, 2 + self.nodes))):
        yield
