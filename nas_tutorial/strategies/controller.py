"""The LSTM policies π(architecture; θ) of ENAS: they answer a space's decisions in turn, many architectures at once.

`MacroController` and `MicroController` follow the official code of Pham et al. (2018) for its two spaces;
`ChainController` is the plain policy for any other space. All share one interface, `Controller`.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from nas_tutorial.spaces import Architecture, ENASMacro, ENASMicro, Space
from nas_tutorial.strategies.rollout import Rollout, Sample


class Controller(nn.Module, ABC):
    """One LSTM layer without biases, a trained start token, all weights drawn from U(−0.1, 0.1)  (ENAS, §3.2).

    temperature: logits are divided by it (None in the official code; 5 in the paper's text).
    tanh_constant: logits become c · tanh(logits); None: they do not (1.5 macro and 1.1 micro in the official code; 2.5
    in the paper's text).
    """

    def __init__(self, space: Space, hidden: int, temperature: float | None, tanh_constant: float | None):
        super().__init__()
        if temperature is not None and not temperature > 0:
            raise ValueError(f"The temperature is {temperature}; give a number above 0, or None for no temperature.")
        self.space, self.hidden = space, hidden
        self.temperature, self.tanh_constant = temperature, tanh_constant
        self.lstm = nn.LSTMCell(hidden, hidden, bias=False)
        self.start = nn.Parameter(torch.empty(1, hidden))

    def initialise(self, seed: int) -> None:
        """Draw all weights from U(−0.1, 0.1)."""
        generator = torch.Generator().manual_seed(seed)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.1, 0.1, generator=generator)

    @property
    def device(self) -> torch.device:
        """Where the weights live."""
        return self.start.device

    @abstractmethod
    def decide(self, rollout: Rollout, n: int) -> None:
        """Answer all decisions in the order of `space.decisions`."""

    def sample(self, n: int, generator: torch.Generator) -> Sample:
        """Draw n architectures from the policy."""
        return self._run(Rollout(n, self.device, generator, None), n).sample()

    def score(self, choices: Tensor) -> Sample:
        """log π, entropy and skip penalty of given architectures: choices (n, decisions)."""
        return self._run(Rollout(len(choices), self.device, None, choices), len(choices)).sample()

    def distributions(self, choices: Tensor) -> list[Tensor]:
        """The distribution of every decision, (n, options) each, given the answers before it."""
        return self._run(Rollout(len(choices), self.device, None, choices), len(choices)).distributions

    def _run(self, rollout: Rollout, n: int) -> Rollout:
        self.decide(rollout, n)
        return rollout

    def architectures(self, sample: Sample) -> list[Architecture]:
        """The architectures of a sample."""
        return [self.space.architecture(choices) for choices in sample.choices.tolist()]

    def begin(self, n: int) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The start token for each of n rollouts, (n, hidden), and a zero LSTM state."""
        zeros = self.start.new_zeros(n, self.hidden)
        return self.start.expand(n, -1), (zeros, zeros)

    def squash(self, logits: Tensor, reduction: float = 1.0) -> Tensor:
        """Temperature, then c/reduction · tanh: keeps a young policy from becoming sure too early."""
        if self.temperature is not None:
            logits = logits / self.temperature
        return logits if self.tanh_constant is None else self.tanh_constant / reduction * logits.tanh()


class ChainController(Controller):
    """For any space: read the last answer, emit logits for the next one; an embedding and an output row per option."""

    def __init__(
        self,
        space: Space,
        hidden: int = 64,
        temperature: float | None = None,
        tanh_constant: float | None = 1.5,
        seed: int = 0,
    ):
        super().__init__(space, hidden, temperature, tanh_constant)
        self.embeddings = nn.ModuleList([nn.Embedding(len(d.options), hidden) for d in space.decisions[:-1]])
        self.heads = nn.ModuleList([nn.Linear(hidden, len(d.options), bias=False) for d in space.decisions])
        self.initialise(seed)

    def decide(self, rollout: Rollout, n: int) -> None:
        x, state = self.begin(n)  # x: (n, hidden)
        for head, embed in zip(self.heads, [*self.embeddings, None], strict=True):
            state = self.lstm(x, state)
            choice = rollout.answer(self.squash(head(state[0])))  # (n,)
            x = embed(choice) if embed else x


class Attention(nn.Module):
    """Additive attention: scores v · tanh(W₁·anchor + W₂·h) over the anchors set so far."""

    def __init__(self, hidden: int):
        super().__init__()
        self.anchor = nn.Linear(hidden, hidden, bias=False)
        self.query = nn.Linear(hidden, hidden, bias=False)
        self.score = nn.Linear(hidden, 1, bias=False)

    def forward(self, anchors: Tensor, h: Tensor) -> Tensor:
        """anchors: (n, m, hidden); h: (n, hidden); returns (n, m)."""
        return self.score((self.anchor(anchors) + self.query(h)[:, None]).tanh())[..., 0]


class MacroController(Controller):
    """Per layer: an operation, then one skip bit per earlier layer, by attention  (ENAS, §2.3).

    skip_target: the rate that the skip penalty pulls to (0.4).
    """

    def __init__(
        self,
        space: ENASMacro,
        hidden: int = 64,
        temperature: float | None = None,
        tanh_constant: float | None = 1.5,
        skip_target: float = 0.4,
        seed: int = 0,
    ):
        super().__init__(space, hidden, temperature, tanh_constant)
        self.skip_target = skip_target
        self.embedding = nn.Embedding(len(space.operations), hidden)
        self.head = nn.Linear(hidden, len(space.operations), bias=False)
        self.attention = Attention(hidden)
        self.initialise(seed)

    def decide(self, rollout: Rollout, n: int) -> None:
        x, state = self.begin(n)
        anchors: list[Tensor] = []  # one (n, hidden) per layer
        for k in range(self.space.layers):
            state = self.lstm(x, state)
            op = rollout.answer(self.squash(self.head(state[0])))  # (n,)
            state = self.lstm(self.embedding(op), state)
            x = self.skips(rollout, torch.stack(anchors, 1), state[0]) if k else self.start.expand(n, -1)
            anchors.append(state[0])

    def skips(self, rollout: Rollout, anchors: Tensor, h: Tensor) -> Tensor:
        """Answer the k skip decisions of layer k; anchors (n, k, hidden); returns the next input (n, hidden).

        As in the official code, bit i is formed from the anchor of layer i, while the network adds the output of layer
        i − 1.
        """
        q = self.attention(anchors, h)  # (n, k)
        logits = self.squash(torch.stack([-q, q], -1))  # (n, k, 2): no, yes
        bits = rollout.answers(logits)[..., None]  # (n, k, 1)
        rollout.skip_penalties.append(self.skip_divergence(logits))
        return (bits * anchors).sum(1) / (1 + bits.sum(1))  # (n, hidden)

    def skip_divergence(self, logits: Tensor) -> Tensor:
        """Σ s·log(s/target) with s = sigmoid(logit) of "no" and of "yes", targets 1 − rate and rate  (ENAS, §3.2).

        logits: (n, k, 2); returns (n,). As in the official code s is the sigmoid of each logit, not their softmax.
        """
        target = logits.new_tensor([1 - self.skip_target, self.skip_target])
        s = logits.sigmoid()
        return (s * (s / target).log()).sum((-1, -2))


class MicroController(Controller):
    """Per node: two inputs by attention over the nodes so far, then two operations  (ENAS, §2.4).

    The normal cell comes first; its LSTM state is carried into the reduction cell. Operation logits start in favour of
    separable convolutions: a trained bias of [10, 10, 0, 0, 0] inside the tanh and, in the normal cell, a fixed ±0.25
    outside.
    """

    def __init__(
        self,
        space: ENASMicro,
        hidden: int = 64,
        temperature: float | None = None,
        tanh_constant: float | None = 1.1,
        op_tanh_reduction: float = 2.5,
        seed: int = 0,
    ):
        super().__init__(space, hidden, temperature, tanh_constant)
        self.op_tanh_reduction = op_tanh_reduction
        self.embedding = nn.Embedding(len(space.operations), hidden)
        self.head = nn.Linear(hidden, len(space.operations))
        self.attention = Attention(hidden)
        self.initialise(seed)
        is_convolution = torch.tensor(["conv" in op for op in space.operations])
        with torch.no_grad():
            self.head.bias.copy_(10.0 * is_convolution)
        self.register_buffer("normal_bias", 0.5 * is_convolution - 0.25, persistent=False)

    def decide(self, rollout: Rollout, n: int) -> None:
        _, state = self.begin(n)
        for bias in (self.normal_bias, torch.zeros_like(self.normal_bias)):
            state = self.cell(rollout, n, state, bias)

    def cell(self, rollout: Rollout, n: int, state: tuple[Tensor, Tensor], bias: Tensor) -> tuple[Tensor, Tensor]:
        """Answer all decisions of one cell; returns the LSTM state behind it."""
        x, _ = self.begin(n)
        seen: list[Tensor] = []  # one (n, hidden) per state of the cell
        for _ in range(2):  # the two inputs only move the LSTM on
            state = self.lstm(x, state)
            seen.append(state[0])
        anchors = [torch.zeros_like(h) for h in seen]  # what the LSTM reads once a state was chosen
        for _ in range(self.space.nodes):
            state = self.node(rollout, x, state, torch.stack(seen, 1), torch.stack(anchors, 1), bias)
            seen.append(state[0])
            anchors.append(state[0])
        return state

    def node(
        self, rollout: Rollout, x: Tensor, state: tuple[Tensor, Tensor], seen: Tensor, anchors: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Answer the four decisions of one node; seen and anchors (n, m, hidden); x is the start token."""
        for _ in "ab":
            state = self.lstm(x, state)
            source = rollout.answer(self.squash(self.attention(seen, state[0])))  # (n,) among m states
            x = anchors[torch.arange(len(source)), source]  # (n, hidden)
        for _ in "ab":
            state = self.lstm(x, state)
            op = rollout.answer(self.squash(self.head(state[0]), self.op_tanh_reduction) + bias)
            x = self.embedding(op)
        return self.lstm(x, state)


CONTROLLERS: dict[str, type[Controller]] = {ENASMacro.name: MacroController, ENASMicro.name: MicroController}


def for_space(space: Space, **settings) -> Controller:
    """The controller made for this space: the official ones for the two spaces of ENAS, else a `ChainController`."""
    return CONTROLLERS.get(space.name, ChainController)(space, **settings)
