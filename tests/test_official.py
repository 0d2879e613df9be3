"""Official weights: our policy gives the log π that the official formula gives, written out in numpy."""

import numpy as np
import pytest
import torch

from nas_tutorial import spaces
from nas_tutorial.adapters import official
from nas_tutorial.adapters.official import macro_controller, policy_variables

SPACE = spaces.ENASMacro(channels=4, layers=4)


def made_up(hidden=5, operations=6, scale=1.0, seed=0):
    """Variables as a checkpoint has them; large ones, so that each matters."""
    rng = np.random.default_rng(seed)
    return {name: scale * rng.normal(size=shape) for name, shape in official.shapes(operations, hidden).items()}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def log_softmax(x):
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def account(w, layers, choices, tanh_constant=1.5, temperature=None, target=0.4):
    """log π and skip penalty of one architecture by the official graph, operation by operation, in float64.

    Row vectors times matrices; gates i, f, o, g; anchors are the states behind the second LSTM step of each layer.
    """
    h = c = np.zeros((1, w["controller/g_emb"].shape[1]))
    answers, anchors, log_prob, penalties = list(choices), [], 0.0, []

    def step(x, c, h):
        i, f, o, g = np.split(np.concatenate([x, h], 1) @ w["controller/lstm/layer_0/w"], 4, axis=1)
        c = sigmoid(i) * np.tanh(g) + sigmoid(f) * c
        return c, sigmoid(o) * np.tanh(c)

    def squash(x):
        return tanh_constant * np.tanh(x if temperature is None else x / temperature)

    x = w["controller/g_emb"]
    for layer in range(layers):
        c, h = step(x, c, h)
        op = answers.pop(0)
        log_prob += log_softmax(squash(h @ w["controller/softmax/w"]))[0, op]
        c, h = step(w["controller/emb/w"][op : op + 1], c, h)
        x = w["controller/g_emb"]
        if layer:
            bits, answers = np.array(answers[:layer]), answers[layer:]
            keys = np.concatenate([anchor @ w["controller/attention/w_1"] for anchor in anchors])
            query = np.tanh(keys + h @ w["controller/attention/w_2"]) @ w["controller/attention/v"]  # (layer, 1)
            logits = squash(np.concatenate([-query, query], 1))
            log_prob += log_softmax(logits)[np.arange(layer), bits].sum()
            s = sigmoid(logits)
            penalties.append((s * np.log(s / [1 - target, target])).sum())
            x = bits[None] @ np.concatenate(anchors) / (1 + bits.sum())
        anchors.append(h)
    return log_prob, np.mean(penalties)


@pytest.mark.parametrize("settings", [{}, {"temperature": 5.0, "tanh_constant": 2.5, "skip_target": 0.2}])
@pytest.mark.parametrize("hidden", [5, 64])
def test_log_pi_and_penalty_are_those_of_the_official_formula(hidden, settings):
    variables = made_up(hidden, scale=1.0 if hidden == 5 else 0.3)
    policy = macro_controller(variables, SPACE, **settings)
    architectures = [SPACE.sample(torch.Generator().manual_seed(seed)) for seed in range(20)]
    scored = policy.score(torch.tensor([a.choices for a in architectures]))
    named = {"target" if name == "skip_target" else name: value for name, value in settings.items()}
    wanted = np.array([account(variables, SPACE.layers, a.choices, **named) for a in architectures])
    assert wanted.std(0).min() > 1e-3
    np.testing.assert_allclose(scored.log_prob.detach(), wanted[:, 0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(scored.skip_penalty.detach(), wanted[:, 1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", official.shapes(6, 5))
def test_every_variable_matters(name):
    """A changed variable changes log π, so none is left behind or read twice."""
    choices = torch.tensor([SPACE.sample(torch.Generator().manual_seed(seed)).choices for seed in range(3)])
    before, changed = made_up(), made_up()
    changed[name] = changed[name] + 0.1 * np.random.default_rng(1).normal(size=changed[name].shape)
    one, other = (macro_controller(v, SPACE).score(choices).log_prob for v in (before, changed))
    assert (one - other).abs().max() > 1e-3


def test_rows_of_the_lstm_by_hand():
    """One unit: columns i, f, o, g there are rows i, f, g, o here; the first row is of the input."""
    w = made_up(hidden=1) | {"controller/lstm/layer_0/w": np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])}
    lstm = macro_controller(w, SPACE).lstm
    assert lstm.weight_ih[:, 0].tolist() == [1, 2, 4, 3] and lstm.weight_hh[:, 0].tolist() == [5, 6, 8, 7]


def test_all_weights_of_ours_come_from_theirs():
    """A policy of ours has as many weights as the official one: 41,856 with 64 units."""
    paper = spaces.get("enas_macro", "paper")
    assert sum(array.size for array in made_up(64).values()) == 41_856
    policy = macro_controller(made_up(64, scale=0.1), paper)
    assert sum(weight.numel() for weight in policy.parameters()) == 41_856
    assert policy.hidden == 64 and policy.tanh_constant == 1.5 and policy.temperature is None


def test_a_checkpoint_has_more_than_the_policy():
    variables = made_up()
    checkpoint = {name + ":0": array for name, array in variables.items()}
    assert macro_controller(checkpoint, SPACE).hidden == 5
    more = {f"{name}/Adam{tail}": array for name, array in variables.items() for tail in ("", "_1")}
    more |= {"child/stem_conv/w": np.zeros((3, 3)), "controller/beta1_power": np.zeros(()), "global_step": np.zeros(())}
    assert policy_variables(variables | more).keys() == variables.keys()


def without(name):
    return {key: array for key, array in made_up().items() if key != name}


BAD = {
    r"Missing: controller/emb/w\. Given: controller/attention/v, ": without("controller/emb/w"),
    r"Missing: controller/attention/v, .* Given: nothing": {},
    r"Unknown: controller/emb/w/Adam\. .*policy_variables": made_up() | {"controller/emb/w/Adam": np.zeros((6, 5))},
    r"Missing: .*Names begin with 'controller/'": {n.removeprefix("controller/"): a for n, a in made_up().items()},
    r"controller/emb/w has the shape \(5, 6\); expected \(6, 5\)\. It is turned": (
        made_up() | {"controller/emb/w": np.zeros((5, 6))}
    ),
    r"controller/softmax/w has the shape \(5, 7\); expected \(5, 6\)\.$": (
        made_up() | {"controller/softmax/w": np.zeros((5, 7))}
    ),
    r"controller/g_emb has the shape \(5,\); expected \(1, 5\)": made_up() | {"controller/g_emb": np.zeros(5)},
    r"controller/g_emb .* something else than finite": made_up() | {"controller/g_emb": np.full((1, 5), np.nan)},
    r"controller/emb/w \(int64\) holds something else": made_up() | {"controller/emb/w": np.zeros((6, 5), int)},
    "chooses channels within each branch": (
        without("controller/emb/w") | {"controller/emb/branch_0/w_start": np.zeros((36, 5))}
    ),
    "several LSTM layers": made_up() | {"controller/lstm/layer_1/w": np.zeros((10, 20))},
}


@pytest.mark.parametrize(("message", "variables"), BAD.items(), ids=[*map(str, range(len(BAD)))])
def test_what_cannot_be_converted_is_refused_in_a_sentence(message, variables):
    with pytest.raises(ValueError, match=message):
        macro_controller(variables, SPACE)


def test_another_space_is_refused():
    with pytest.raises(ValueError, match="give the macro space"):
        macro_controller(made_up(), spaces.get("tiny"))
