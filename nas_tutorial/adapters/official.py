"""The policy of the official ENAS code (TensorFlow) as one of ours: its variables by name → a `MacroController`.

    reader = tf.train.load_checkpoint("outputs/model.ckpt-…")  # on a machine with TensorFlow
    variables = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    policy = macro_controller(policy_variables(variables), space)

docs/official_weights.md tells the names, the shapes, and the order of the gates.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nas_tutorial.spaces import ENASMacro
from nas_tutorial.strategies.controller import MacroController

SCOPE = "controller/"
"""What the names of the policy's variables begin with."""

OPTIMISER = ("/Adam", "/Adam_1", "/Momentum", "beta1_power", "beta2_power")
"""How the names of an optimiser's own variables end; a checkpoint keeps them beside the weights."""

TENSORFLOW, TORCH = "ifog", "ifgo"
"""The order of the gates in the columns of the LSTM there, and in the rows here: input, forget, output, candidate."""


def policy_variables(checkpoint: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights of the policy among all variables of a checkpoint, without an optimiser's."""
    return {n: array for n, array in checkpoint.items() if n.startswith(SCOPE) and not n.endswith(OPTIMISER)}


def shapes(operations: int, hidden: int) -> dict[str, tuple[int, int]]:
    """Name → shape of each variable that the official macro policy has."""
    return {
        "controller/lstm/layer_0/w": (2 * hidden, 4 * hidden),
        "controller/g_emb": (1, hidden),
        "controller/emb/w": (operations, hidden),
        "controller/softmax/w": (hidden, operations),
        "controller/attention/w_1": (hidden, hidden),
        "controller/attention/w_2": (hidden, hidden),
        "controller/attention/v": (hidden, 1),
    }


def macro_controller(variables: Mapping[str, np.ndarray], space: ENASMacro, **settings: Any) -> MacroController:
    """The official macro policy with these weights: equal logits, and so equal log π for each architecture.

    variables: name (with or without ":0") → array, exactly those of `shapes`; how large the LSTM is, follows from them.
    settings: temperature, tanh_constant or skip_target, where they were not the official script's.
    Raises ValueError for a name that is missing or unknown, a shape that does not fit, or what is no finite number.
    """
    if not isinstance(space, ENASMacro):
        raise ValueError(f"The space is {space!r}; give the macro space that the policy was trained in, an ENASMacro.")
    given = {name.removesuffix(":0"): np.asarray(array) for name, array in variables.items()}
    wanted = shapes(len(space.operations), hidden_size(given))
    check_names(given, wanted)
    for name, shape in wanted.items():
        check_array(name, given[name], shape)
    policy = MacroController(space, hidden=hidden_size(given), **settings)
    policy.load_state_dict(converted({name: torch.tensor(given[name], dtype=torch.float32) for name in wanted}))
    return policy


def hidden_size(given: Mapping[str, np.ndarray]) -> int:
    """The number of the LSTM's units, read from its start token; 64 where that cannot be read."""
    start = given.get("controller/g_emb")
    return start.size if start is not None and start.size else 64


def check_names(given: Iterable[str], wanted: Iterable[str]) -> None:
    """Raise ValueError unless the names are exactly those wanted."""
    missing, unknown = sorted(set(wanted) - set(given)), sorted(set(given) - set(wanted))
    if any("/branch_" in name for name in unknown):
        raise ValueError(
            "These variables are of a policy that chooses channels within each branch (names with branch_0, …); only "
            "one with controller_search_whole_channels can be converted, as in the official macro script."
        )
    if any("/lstm/layer_1/" in name for name in unknown):
        raise ValueError("This policy has several LSTM layers (layer_1, …); only one with a single layer can be used.")
    if missing:
        raise ValueError(
            f"Missing: {', '.join(missing)}. Given: {', '.join(sorted(given)) or 'nothing'}. Names begin with "
            f"{SCOPE!r}, as in the checkpoint; see docs/official_weights.md."
        )
    if unknown:
        raise ValueError(
            f"Unknown: {', '.join(unknown)}. Give the policy's weights only: policy_variables(…) picks them from a "
            "checkpoint."
        )


def check_array(name: str, array: np.ndarray, shape: tuple[int, int]) -> None:
    """Raise ValueError unless an array has this shape and finite numbers."""
    if array.shape != shape:
        turned = " It is turned: TensorFlow's matrices are kept as they are, (in, out)." * (array.shape == shape[::-1])
        raise ValueError(f"{name} has the shape {array.shape}; expected {shape}.{turned}")
    if not (np.issubdtype(array.dtype, np.floating) and np.isfinite(array).all()):
        raise ValueError(f"{name} ({array.dtype}) holds something else than finite numbers; give floats.")


def converted(w: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Official variables → the state of a `MacroController`: matrices turned, LSTM split, gates in torch's order."""
    lstm = reordered(w["controller/lstm/layer_0/w"])  # (2·hidden, 4·hidden)
    from_input, from_state = lstm.chunk(2, dim=0)  # (hidden, 4·hidden) each
    return {
        "start": w["controller/g_emb"],
        "lstm.weight_ih": from_input.T,
        "lstm.weight_hh": from_state.T,
        "embedding.weight": w["controller/emb/w"],
        "head.weight": w["controller/softmax/w"].T,
        "attention.anchor.weight": w["controller/attention/w_1"].T,
        "attention.query.weight": w["controller/attention/w_2"].T,
        "attention.score.weight": w["controller/attention/v"].T,
    }


def reordered(columns: Tensor) -> Tensor:
    """The four blocks of columns, (…, 4·hidden), from TensorFlow's order of gates to torch's."""
    gates = dict(zip(TENSORFLOW, columns.chunk(4, dim=-1), strict=True))
    return torch.cat([gates[gate] for gate in TORCH], -1)
