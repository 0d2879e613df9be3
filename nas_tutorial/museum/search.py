"""Bugs around the search of DARTS: its pictures, its files, its derivation, its time."""

from collections.abc import Iterator
from typing import Any

from nas_tutorial.museum.exhibit import DARTS, PT_DARTS, exhibit, replaced
from nas_tutorial.spaces import Architecture
from nas_tutorial.strategies import darts
from nas_tutorial.strategies.gradients import Tensors
from nas_tutorial.strategies.searching import prefixed


@exhibit(DARTS.lines("cnn/train_search.py", 98, 101))
def quark0_augmented_validation() -> Iterator[None]:
    """α learns from cropped and mirrored pictures, as both halves of the training set share one transform.

    Validation stands for pictures never seen; augmentation belongs to the training of weights. A transform for
    validation is made there (line 86), and used by nobody.
    """
    healthy = darts.batches

    def batches(*arguments: Any, augmented: bool = False, **settings: Any) -> Iterator[Any]:
        return healthy(*arguments, augmented=True, **settings)

    with replaced(darts, "batches", batches):
        yield


@exhibit(DARTS.lines("cnn/model_search.py", 123, 128))
def quark0_unsaved_alpha() -> Iterator[None]:
    """α is a plain tensor, no parameter of the module, and so in no file that a search saves.

    `utils.save` (utils.py:94-95) writes the module's state dictionary. A search that was interrupted goes on with fresh
    α, and what an old file would be rounded to, nobody can tell.
    """
    kept = tuple(name for name in darts.DARTS.kept if name != "alphas")

    def weights(self: darts.DARTS) -> Tensors:
        return prefixed("network", self.network)

    with replaced(darts.DARTS, "weights", weights), replaced(darts.DARTS, "kept", kept):
        yield


@exhibit(DARTS.lines("cnn/train_search.py", 153))
def quark0_unneeded_gradients() -> Iterator[None]:
    """The step of the weights differentiates through α as well, and the result is thrown away.

    No number is wrong, as α's gradient is cleared before it is used. It costs time and memory, every batch: each
    operation's output is kept and multiplied once more, for nothing.
    """
    with replaced(darts, "detached", dict):
        yield


@exhibit(PT_DARTS.lines("genotypes.py", 91, 94))
def pt_darts_raw_alpha() -> Iterator[None]:
    """Edges are ranked by α itself, not by softmax(α), so "none" has no say.

    `genotype` (models/search_cnn.py:154-155) hands over raw α. An edge whose mass lies on "none" should count as weak
    (DARTS, §2.4), but a large constant added to a row of α now makes it strong.
    """

    def derive(self: darts.DARTS, probabilities: Tensors) -> Architecture:
        return self.space.derive(darts.detached(self.alphas))

    with replaced(darts.DARTS, "derive", derive):
        yield
