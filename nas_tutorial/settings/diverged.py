"""Numbers that are none: what a computation ends with when its loss, α, reward or policy is NaN or infinite."""

from __future__ import annotations


class Diverged(ValueError):
    """A loss, α, a reward or a policy is NaN or infinite, and all that follows from it would be, too.

    what: which number is none. advice: with what to run again. where: the epoch; who: what has diverged; kept: what is
    left of it, in words.
    """

    exit_status = 3

    def __init__(self, what: str, advice: str, where: str = "", who: str = "this computation", kept: str = ""):
        super().__init__(what, advice, where, who, kept)  # all of them, so that it passes from process to process

    def __str__(self) -> str:
        what, advice, where, who, kept = self.args
        return f"{what}{where}: {who} has diverged{kept and f'; {kept}'}; run it again with {advice}."

    def within(self, where: str, who: str, kept: str) -> Diverged:
        """The same, told by a run that knows which epoch it was, and what is kept."""
        return Diverged(*self.args[:2], where, who, kept)
