"""Answers to the build of notebook 06: the reference, known mistakes, other right ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor


def skip_step(anchors, h, w_1, w_2, v, c, uniform, target):
    """One layer's skips: scores, logits, bits, log π, penalty, and what the LSTM reads next."""
    scores = (anchors @ w_1 + h @ w_2).tanh() @ v  # (k,)
    yes = c * scores.tanh()
    logits = torch.stack([-yes, yes], 1)  # (k, 2): no, yes
    log_p = logits.log_softmax(1)
    bits = uniform < log_p[:, 1].exp()  # (k,)
    s = logits.sigmoid()
    return {
        "scores": scores,
        "logits": logits,
        "bits": bits,
        "log_prob": torch.where(bits, log_p[:, 1], log_p[:, 0]).sum(),
        "penalty": (s * (s / torch.tensor([1 - target, target])).log()).sum(),
        "next": bits.float() @ anchors / (1 + bits.sum()),  # (hidden,)
    }


# --- mistakes ---------------------------------------------------------------------------------------------------------
def of(key: str, made: Callable[..., Any]) -> Callable[..., Any]:
    """A mistake in one part: made(right parts, arguments by name) → that part."""
    names = ("anchors", "h", "w_1", "w_2", "v", "c", "uniform", "target")

    def wrong(*case):
        found, a = skip_step(*case), dict(zip(names, case, strict=True))
        return made({**found, "log_p": found["logits"].log_softmax(1), "s": found["logits"].sigmoid()}, a)

    wrong.key = key
    return wrong


def column(bits: Tensor, table: Tensor) -> Tensor:
    """(k, 2) → (k,): of each row the entry of what was drawn."""
    return torch.where(bits, table[:, 1], table[:, 0])


def targets(a: dict) -> Tensor:
    return torch.tensor([1 - a["target"], a["target"]])


MISTAKES: dict[str, dict[str, Callable[..., Any]]] = {
    "scores": {
        "w_1 is for the anchors and w_2 for h; yours change places": of(
            "scores", lambda f, a: (a["anchors"] @ a["w_2"] + a["h"] @ a["w_1"]).tanh() @ a["v"]
        ),
        "tanh stands between the sum and v": of(
            "scores", lambda f, a: (a["anchors"] @ a["w_1"] + a["h"] @ a["w_2"]) @ a["v"]
        ),
        "tanh is taken of the sum of both, not of each": of(
            "scores", lambda f, a: ((a["anchors"] @ a["w_1"]).tanh() + (a["h"] @ a["w_2"]).tanh()) @ a["v"]
        ),
        "no softmax here: each anchor is asked for itself": of("scores", lambda f, a: f["scores"].softmax(0)),
        "h is missing: without it, each layer would ask the same": of(
            "scores", lambda f, a: (a["anchors"] @ a["w_1"]).tanh() @ a["v"]
        ),
        "the anchors are missing": of(
            "scores", lambda f, a: ((a["h"] @ a["w_2"]).tanh() @ a["v"]).expand(len(a["anchors"]))
        ),
        "rows times matrices, anchors @ w_1; yours are turned (.T)": of(
            "scores", lambda f, a: (a["anchors"] @ a["w_1"].T + a["h"] @ a["w_2"].T).tanh() @ a["v"]
        ),
    },
    "logits": {
        "both are squashed, c · tanh(q) and its negative; tanh and c are missing": of(
            "logits", lambda f, a: torch.stack([-f["scores"], f["scores"]], 1)
        ),
        "c is missing in front of tanh": of("logits", lambda f, a: f["logits"] / a["c"]),
        "c stands in front of tanh, not inside": of(
            "logits", lambda f, a: torch.stack([-(a["c"] * f["scores"]).tanh(), (a["c"] * f["scores"]).tanh()], 1)
        ),
        "tanh is missing": of("logits", lambda f, a: a["c"] * torch.stack([-f["scores"], f["scores"]], 1)),
        "column 0 is no, column 1 is yes; yours change places": of("logits", lambda f, a: -f["logits"]),
        "the logit of no is the negative of the other, not 0": of(
            "logits", lambda f, a: torch.stack([0 * f["scores"], f["logits"][:, 1]], 1)
        ),
    },
    "bits": {
        "p(yes) is the softmax of both logits; the sigmoid of one is what the penalty looks at": of(
            "bits", lambda f, a: a["uniform"] < f["s"][:, 1]
        ),
        "that takes the likelier answer; bits are drawn: yes where uniform < p(yes)": of(
            "bits", lambda f, a: f["logits"][:, 1] > 0
        ),
        "upside down: yes where uniform is below p(yes)": of(
            "bits", lambda f, a: a["uniform"] > f["log_p"][:, 1].exp()
        ),
        "you compare with 0.5, so the policy has no say": of("bits", lambda f, a: a["uniform"] < 0.5),
        "you compare with the logit; make it a probability first": of(
            "bits", lambda f, a: a["uniform"] < f["logits"][:, 1]
        ),
        "you compare with log p; take exp": of("bits", lambda f, a: a["uniform"] < f["log_p"][:, 1]),
    },
    "log_prob": {
        "sign: log π is never positive": of("log_prob", lambda f, a: -f["log_prob"]),
        "a no was drawn, too, and has its probability": of(
            "log_prob", lambda f, a: (f["bits"] * f["log_p"][:, 1]).sum()
        ),
        "for each bit the log p of what was drawn; you take yes each time": of(
            "log_prob", lambda f, a: f["log_p"][:, 1].sum()
        ),
        "the mean over the bits; probabilities multiply, so their logarithms add up": of(
            "log_prob", lambda f, a: column(f["bits"], f["log_p"]).mean()
        ),
        "you add up probabilities; add their logarithms": of(
            "log_prob", lambda f, a: column(f["bits"], f["log_p"]).exp().sum()
        ),
        "that is the probability; its logarithm is wanted": of("log_prob", lambda f, a: f["log_prob"].exp()),
        "the logit of what was drawn is no log p yet; log_softmax first": of(
            "log_prob", lambda f, a: column(f["bits"], f["logits"]).sum()
        ),
    },
    "penalty": {
        "s is the sigmoid of each logit, as in the official code; yours is their softmax": of(
            "penalty", lambda f, a: (f["log_p"].exp() * (f["log_p"] - targets(a).log())).sum()
        ),
        "both columns count, no and yes; you have yes only": of(
            "penalty", lambda f, a: (f["s"] * (f["s"] / targets(a)).log())[:, 1].sum()
        ),
        "s stands in front and in the numerator; yours is turned round": of(
            "penalty", lambda f, a: (targets(a) * (targets(a) / f["s"]).log()).sum()
        ),
        "the target is for yes, 1 − target for no; yours change places": of(
            "penalty", lambda f, a: (f["s"] * (f["s"] / targets(a).flip(0)).log()).sum()
        ),
        "the factor s in front of the logarithm is missing": of(
            "penalty", lambda f, a: (f["s"] / targets(a)).log().sum()
        ),
        "the sum over the anchors, not the mean": of(
            "penalty", lambda f, a: (f["s"] * (f["s"] / targets(a)).log()).sum(1).mean()
        ),
        "sign: no minus here": of("penalty", lambda f, a: -f["penalty"]),
    },
    "next": {
        "divide by 1 + the number of chosen, so that no skip gives zeros": of(
            "next", lambda f, a: f["bits"].float() @ a["anchors"] / f["bits"].sum()
        ),
        "the sum is still to be divided by 1 + the number of chosen": of(
            "next", lambda f, a: f["bits"].float() @ a["anchors"]
        ),
        "by the number of chosen layers, not by the sum of their numbers (NNI's bug)": of(
            "next",
            lambda f, a: f["bits"].float() @ a["anchors"] / (1 + (f["bits"] * torch.arange(len(f["bits"]))).sum()),
        ),
        "only what was chosen counts, not all anchors": of("next", lambda f, a: a["anchors"].mean(0)),
        "divide by how many were chosen, not by how many there are": of(
            "next", lambda f, a: f["bits"].float() @ a["anchors"] / (1 + len(f["bits"]))
        ),
        "weigh the anchors by the bits that were drawn, not by p(yes)": of(
            "next", lambda f, a: f["log_p"][:, 1].exp() @ a["anchors"] / (1 + f["bits"].sum())
        ),
        "the sum over chosen anchors alone; h is not part of it": of(
            "next", lambda f, a: (a["h"] + f["bits"].float() @ a["anchors"]) / (1 + f["bits"].sum())
        ),
    },
}


# --- answers, right and wrong -----------------------------------------------------------------------------------------
def with_part(key: str, made: Callable[..., Any]) -> Callable[..., dict]:
    """The reference with one part of what it returns made differently."""

    def wrong(anchors, h, w_1, w_2, v, c, uniform, target):
        case = (anchors, h, w_1, w_2, v, c, uniform, target)
        return skip_step(*case) | {key: made(*case)}

    return wrong


def only_scores(anchors, h, w_1, w_2, v, c, uniform, target):
    """A build that is written as far as the first step."""
    return {"scores": (anchors @ w_1 + h @ w_2).tanh() @ v}


def changing(anchors, h, w_1, w_2, v, c, uniform, target):
    """Scores by way of the arguments."""
    found = skip_step(anchors, h, w_1, w_2, v, c, uniform, target)
    anchors += 1
    return found


def in_numpy(anchors, h, w_1, w_2, v, c, uniform, target):
    """Another style: numpy."""
    anchors, h, w_1, w_2, v, uniform = (np.asarray(x) for x in (anchors, h, w_1, w_2, v, uniform))
    scores = np.tanh(anchors @ w_1 + h @ w_2) @ v
    logits = c * np.tanh(np.stack([-scores, scores], axis=1))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    bits = (uniform < p[:, 1]).astype(int)
    s = 1 / (1 + np.exp(-logits))
    return {
        "scores": scores,
        "logits": logits,
        "bits": bits,
        "log_prob": np.log(p[np.arange(len(bits)), bits]).sum(),
        "penalty": (s * np.log(s / [1 - target, target])).sum(),
        "next": bits @ anchors / (1 + bits.sum()),
    }


def by_loops(anchors, h, w_1, w_2, v, c, uniform, target):
    """Another style: one anchor after the other, lists, plain numbers."""
    found = {"scores": [], "logits": [], "bits": [], "log_prob": 0.0, "penalty": 0.0, "next": torch.zeros(len(h))}
    for anchor, u in zip(anchors, uniform.tolist(), strict=True):
        score = float(torch.dot((w_1.T @ anchor + w_2.T @ h).tanh(), v))
        yes = c * float(np.tanh(score))
        p = 1 / (1 + np.exp(-2 * yes))
        bit = int(u < p)
        found["scores"].append(score)
        found["logits"].append([-yes, yes])
        found["bits"].append(bit)
        found["log_prob"] += float(np.log(p if bit else 1 - p))
        for logit, wanted in ((-yes, 1 - target), (yes, target)):
            s = 1 / (1 + np.exp(-logit))
            found["penalty"] += float(s * np.log(s / wanted))
        found["next"] = found["next"] + bit * anchor
    return found | {"next": (found["next"] / (1 + sum(found["bits"]))).tolist()}


WRONG: dict[str, Callable[..., Any]] = {
    "it returns nothing": lambda anchors, h, w_1, w_2, v, c, uniform, target: None,
    "return a dictionary": lambda *case: tuple(skip_step(*case).values()),
    "logits: what it returns has no key 'logits' yet": only_scores,
    "was changed on the way": changing,
    "one number per anchor, (k,) is wanted": with_part("scores", lambda *case: skip_step(*case)["scores"][:, None]),
    "two numbers per anchor": with_part("logits", lambda *case: skip_step(*case)["logits"].T),
    "nothing else": with_part("bits", lambda *case: 2 * skip_step(*case)["bits"].float()),
    "draw nothing": with_part("bits", lambda *case: torch.rand(len(case[0])) < 0.5),
    "the sum over its bits": with_part("log_prob", lambda *case: skip_step(*case)["logits"].log_softmax(1)[:, 1]),
    "one vector, (hidden,)": with_part("next", lambda *case: skip_step(*case)["next"][None]),
    **{f"{key}: {sentence}": with_part(key, wrong) for key, row in MISTAKES.items() for sentence, wrong in row.items()},
}
