"""A small chart as SVG, drawn in a millisecond."""

from collections.abc import Sequence
from html import escape

from nas_tutorial.pictures.stage import sheet

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 12, 46
INK = "#222222"

Point = tuple[float, float]


class Chart:
    """Axes from x[0] to x[1] and from y[0] to y[1]; then lines, dots and words in their units, cut at the frame.

    words: what the chart shows, for readers who do not see it.
    """

    def __init__(
        self,
        x: Point,
        y: Point,
        words: str,
        *,
        x_label: str = "",
        y_label: str = "",
        size: tuple[int, int] = (WIDTH, HEIGHT),
    ):
        self.x_range, self.y_range, self.about, self.size = x, y, words, size
        self.parts: list[str] = []
        self._axes(x_label, y_label)

    def x(self, value: float) -> float:
        """Pixels from the left."""
        low, high = self.x_range
        return LEFT + (value - low) / (high - low) * (self.size[0] - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Pixels from the top."""
        low, high = self.y_range
        return self.size[1] - BOTTOM - (value - low) / (high - low) * (self.size[1] - TOP - BOTTOM)

    def _axes(self, x_label: str, y_label: str) -> None:
        width, height = self.size
        floor = height - BOTTOM
        for value in ticks(*self.x_range):
            self.parts.append(f'<path d="M{self.x(value):.1f} {floor}v5" stroke="{INK}"/>')
            self._text(self.x(value), floor + 20, f"{value:g}", "middle")
        for value in ticks(*self.y_range):
            self.parts.append(f'<path d="M{LEFT} {self.y(value):.1f}h-5" stroke="{INK}"/>')
            self._text(LEFT - 9, self.y(value) + 5, f"{value:g}", "end")
        self.parts.append(f'<path d="M{LEFT} {TOP}V{floor}H{width - RIGHT}" stroke="{INK}" fill="none"/>')
        self._text((LEFT + width - RIGHT) / 2, height - 6, x_label, "middle")
        self._text(16, (TOP + floor) / 2, y_label, "middle", f' transform="rotate(-90 16 {(TOP + floor) / 2:g})"')

    def line(
        self,
        points: Sequence[Point],
        colour: str = INK,
        width: float = 1.5,
        dashes: str = "none",
        faint: bool = False,
    ) -> None:
        """A line through these points, without what is outside the frame."""
        path = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        look = f'stroke="{colour}" stroke-width="{width}" stroke-dasharray="{dashes}" opacity="{0.35 if faint else 1}"'
        x, y, floor = self.x(self.x_range[0]), self.y(self.y_range[1]), self.y(self.y_range[0])
        across = self.x(self.x_range[1]) - x
        cut = f'<svg x="{x:.0f}" y="{y:.0f}" width="{across:.0f}" height="{floor - y:.0f}" '
        cut += f'viewBox="{x:.0f} {y:.0f} {across:.0f} {floor - y:.0f}">'
        self.parts.append(f'{cut}<polyline points="{path}" fill="none" {look}/></svg>')

    def dot(self, x: float, y: float, colour: str = INK, hollow: bool = False) -> None:
        """A dot, or a ring."""
        fill = "none" if hollow else colour
        place = f'cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="6"'
        self.parts.append(f'<circle {place} fill="{fill}" stroke="{colour}" stroke-width="2.5"/>')

    def star(self, x: float, y: float) -> None:
        """A star with five points."""
        rays = [(0, -11), (3, -3), (11, -3), (5, 2), (7, 10), (0, 5), (-7, 10), (-5, 2), (-11, -3), (-3, -3)]
        points = " ".join(f"{self.x(x) + dx:.1f},{self.y(y) + dy:.1f}" for dx, dy in rays)
        self.parts.append(f'<polygon points="{points}" fill="#E69F00" stroke="{INK}"/>')

    def words(self, x: float, y: float, text: str, above: bool = False, below: bool = False) -> None:
        """Words to the right of a place, or above or below it, within the frame."""
        left = min(max(self.x(x) + (0 if above or below else 12), LEFT + 4), self.size[0] - RIGHT - 4)
        top = min(max(self.y(y) + 5 + 20 * below - 17 * above, TOP + 14), self.size[1] - BOTTOM - 4)
        anchor = "end" if left > self.size[0] - 120 else "start"
        halo = ' stroke="#FFFFFF" stroke-width="4" paint-order="stroke"'
        self._text(left, top, text, anchor, halo)

    def _text(self, x: float, y: float, words: str, anchor: str, more: str = "") -> None:
        self.parts.append(text(x, y, words, anchor, more=more))

    def svg(self) -> str:
        """The whole chart."""
        return svg(self.size, self.about, self.parts)


def svg(size: tuple[float, float], about: str, parts: Sequence[str]) -> str:
    """An `<svg>` of this size in pixels, which shrinks to the page; about: what it shows, in words."""
    return sheet(*size, "".join(parts), about)


def text(x: float, y: float, words: str, anchor: str = "start", ink: str = INK, more: str = "") -> str:
    """Words in an SVG."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{ink}"{more}>{escape(words)}</text>'


def ticks(low: float, high: float, about: int = 6) -> list[float]:
    """Round numbers from low to high, about so many."""
    raw = (high - low) / about
    power = 10 ** len(str(int(1 / raw))) if raw < 1 else 1
    step = next(s / power for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 1e9) if s / power >= raw)
    first = -(-low // step)
    return [round((first + i) * step, 10) for i in range(int((high - first * step) / step + 1e-9) + 1)]
