"""What is built in notebook 06: one layer's skip decision of the macro policy, from attention to the next input."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nas_tutorial.exercises.frame import Exercise, expect
from nas_tutorial.exercises.nb06_build_answers import MISTAKES, WRONG, by_loops, in_numpy, skip_step
from nas_tutorial.exercises.patterns import listed, pattern, unexplained


# --- the six steps ----------------------------------------------------------------------------------------------------
def cases() -> list[tuple]:
    """Arguments of several layers: few and many anchors, other constants; at the end one that draws no skip."""
    generator, made = torch.Generator().manual_seed(0), []
    for k, c, target in ((3, 1.5, 0.4), (40, 2.5, 0.2), (1, 1.5, 0.4), (6, 1.0, 0.3)):
        shapes = ((k, 5), (5,), (5, 5), (5, 5), (5,))
        tensors = [torch.randn(shape, generator=generator) for shape in shapes]
        made.append((*tensors, c, torch.rand(k, generator=generator), target))
    return [*made, (*made[-1][:6], torch.ones(6), 0.3)]


def part(function: Callable[..., Any], key: str, case: tuple) -> np.ndarray:
    """One part of what a student's function returns for a case, as an array."""
    given = [value.clone() if isinstance(value, Tensor) else value for value in case]
    found = function(*given)
    expect(found is not None, "it returns nothing; is there a `return`?")
    expect(isinstance(found, dict), f"it returns {type(found).__name__}; return a dictionary, even with one key")
    expect(key in found, f"{key}: what it returns has no key {key!r} yet: the next step")
    expect(found[key] is not None and found[key] is not ..., f"{key}: it is still empty")
    same = all(torch.equal(a, b) for a, b in zip(given, case, strict=True) if isinstance(a, Tensor))
    expect(same, f"{key}: one of the arguments was changed on the way; work on a copy, without `+=` and the like")
    return np.asarray(torch.as_tensor(found[key]).detach(), dtype=np.float64)


def step(key: str) -> Callable[[Callable[..., Any]], None]:
    """The test of one part, in the words of its known mistakes."""

    def test(function):
        every = cases()
        pairs = [(checked(function, key, case), part(skip_step, key, case)) for case in every]
        for sentence, wrong in MISTAKES[key].items():
            made = [np.asarray(wrong(*case), dtype=np.float64) for case in every]
            alike = all(near(got, other) for (got, _), other in zip(pairs, made, strict=True))
            expect(not alike, f"{key}: {sentence}")
        for case, (got, right) in zip(every, pairs, strict=True):
            expect(near(got, right), sentence_for(key, case, got, right))

    return test


def near(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays agree as far as single precision goes."""
    return np.allclose(one, other, atol=1e-4, equal_nan=True)


def checked(function: Callable[..., Any], key: str, case: tuple) -> np.ndarray:
    """One part of a student's answer, of the right shape, and the same when it is asked for again."""
    got, right = part(function, key, case), part(skip_step, key, case)
    expect(got.shape == right.shape, f"{key}: {SHAPES[key]} is wanted, here {right.shape}; yours {got.shape}")
    if key == "bits":
        expect(set(got.tolist()) <= {0.0, 1.0}, "bits: 1 for yes and 0 for no, nothing else")
        again = part(function, key, case)
        expect(bool((got == again).all()), "bits: the same call gave others; compare with `uniform`, draw nothing")
    return got


def sentence_for(key: str, case: tuple, got: np.ndarray, right: np.ndarray) -> str:
    """What is said of a part that no known mistake explains: its worst entry, and the way to that."""
    at = tuple(map(int, np.unravel_index(np.abs(got - right).argmax(), right.shape)))
    names = ("anchors", "h", "w_1", "w_2", "v", "c", "uniform", "target")
    way = WAYS[key](skip_step(*case), dict(zip(names, case, strict=True)), *at)
    where = f"{key}: for {len(case[0])} anchors" + (f", at {list(at)}," if at else "")
    seen = pattern(got.ravel().tolist(), right.ravel().tolist())
    return unexplained(where, float(got[at]), float(right[at]), seen, way)


# Intermediate values on the way to a part, or to one entry of it, from all right parts and the arguments by name.
WAYS: dict[str, Callable[..., str]] = {
    "scores": lambda f, a, i: (
        f"of anchor {i}, what tanh is taken of is {listed((a['anchors'][i] @ a['w_1'] + a['h'] @ a['w_2']).tolist())}"
    ),
    "logits": lambda f, a, i, j: f"tanh of the score is {f['scores'][i].tanh():.4g}, and c is {a['c']:g}",
    "bits": lambda f, a, i: f"p(yes) is {f['logits'][i].softmax(0)[1]:.4g}, and uniform {a['uniform'][i]:.4g}",
    "log_prob": lambda f, a: (
        f"the bits are {listed(f['bits'].int().tolist(), most=5)}, and p(yes) is "
        f"{listed(f['logits'].softmax(1)[:, 1].tolist(), most=5)}"
    ),
    "penalty": lambda f, a: (
        f"for anchor 0 the sigmoids of no and yes are {listed(f['logits'][0].sigmoid().tolist())}, their targets "
        f"{listed([1 - a['target'], a['target']])}"
    ),
    "next": lambda f, a, i: (
        f"{int(f['bits'].sum())} of {len(f['bits'])} anchors are chosen; their sum has "
        f"{(f['bits'].float() @ a['anchors'])[i]:.4g} there"
    ),
}


SHAPES = {
    "scores": "one number per anchor, (k,)",
    "logits": "two numbers per anchor, (k, 2)",
    "bits": "one bit per anchor, (k,)",
    "log_prob": "one number for the layer, the sum over its bits",
    "penalty": "one number for the layer, the sum over all",
    "next": "one vector, (hidden,)",
}


EXERCISES = (
    Exercise(
        skip_step,
        {
            "attention: a score for each earlier layer": step("scores"),
            "squashed logits of no and yes": step("logits"),
            "bits, drawn from the policy": step("bits"),
            "log π of what was drawn": step("log_prob"),
            "the skip penalty of this layer": step("penalty"),
            "what the LSTM reads next": step("next"),
        },
        title="One layer's skips",
        difficulty=3,
        minutes=18,
        hints=(
            "scores: (anchors @ w_1 + h @ w_2).tanh() @ v. The (hidden,) of h is added to each of the k rows.",
            "logits: with yes = c * scores.tanh(), torch.stack([-yes, yes], 1) has the shape (k, 2).",
            "bits: p = logits.softmax(1)[:, 1]; uniform < p is True with probability p.",
            "log_prob: log_softmax, then torch.where(bits, log_p[:, 1], log_p[:, 0]).sum().",
            "penalty: s = logits.sigmoid(); divide its columns by torch.tensor([1 - target, target]).",
            "next: bits.float() @ anchors adds up the chosen anchors; divide by 1 + bits.sum().",
        ),
        wrong=WRONG,
        right=(in_numpy, by_loops),
        build=True,
    ),
)
