"""A museum of real bugs: each was found in a public implementation of ENAS or DARTS, and can be put back into our code.

    from nas_tutorial import museum

    with museum.pt_darts_hessian():
        ...  # in here, second-order DARTS has the bug of pt.darts
    print(museum.catalogue())  # all of them, with where they were seen

Behind the block the code is healthy again, also after an error. `EXHIBITS` holds them by name. Only bugs that can be
read at a public address hang here.
"""

from nas_tutorial.museum.controllers import (
    enas_forgetful_lstm,
    enas_log_prob,
    enas_logged_entropy,
    nni_frozen_start,
    nni_idle_attention,
    nni_sum_of_indices,
)
from nas_tutorial.museum.exhibit import EXHIBITS, Exhibit, catalogue, replaced
from nas_tutorial.museum.gradients import (
    nni_virtual_step,
    pt_darts_hessian,
    quark0_bare_except,
    quark0_moving_statistics,
    quark0_weights_by_subtraction,
)
from nas_tutorial.museum.networks import (
    enas_auxiliary_head,
    enas_late_binding,
    enas_unclipped,
    nni_input_instead_of_operation,
)
from nas_tutorial.museum.rewards import (
    autodl_attached_entropy,
    autodl_baseline,
    enas_running_statistics,
    nni_augmented_rewards,
    nni_incomplete_groups,
)
from nas_tutorial.museum.search import (
    pt_darts_raw_alpha,
    quark0_augmented_validation,
    quark0_unneeded_gradients,
    quark0_unsaved_alpha,
)

__all__ = [
    "EXHIBITS",
    "Exhibit",
    "autodl_attached_entropy",
    "autodl_baseline",
    "catalogue",
    "enas_auxiliary_head",
    "enas_forgetful_lstm",
    "enas_late_binding",
    "enas_log_prob",
    "enas_logged_entropy",
    "enas_running_statistics",
    "enas_unclipped",
    "nni_augmented_rewards",
    "nni_frozen_start",
    "nni_idle_attention",
    "nni_incomplete_groups",
    "nni_input_instead_of_operation",
    "nni_sum_of_indices",
    "nni_virtual_step",
    "pt_darts_hessian",
    "pt_darts_raw_alpha",
    "quark0_augmented_validation",
    "quark0_bare_except",
    "quark0_moving_statistics",
    "quark0_unneeded_gradients",
    "quark0_unsaved_alpha",
    "quark0_weights_by_subtraction",
    "replaced",
]
