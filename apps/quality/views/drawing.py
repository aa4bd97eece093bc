"""Lines over time, as points of a polyline; the table with the figures stands beside each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

WIDTH: Final = 640
HEIGHT: Final = 120
MARGIN: Final = 6


@dataclass(frozen=True)
class Chart:
    """A line in a box of WIDTH × HEIGHT: `points` of a polyline, dots, and the axis from zero."""

    points: str
    dots: list[tuple[float, float, str]]
    first: str
    last: str
    top: str


def line_of(
    values: Sequence[tuple[date, float | None, str]], *, top: float, top_words: str
) -> Chart | None:
    """Draw (day, value, words); days without a value are left out. None for fewer than two.

    top: the value at the upper edge; the lower edge is zero.
    """
    known = [(day, value, words) for day, value, words in values if value is not None]
    if len(known) < 2:
        return None
    begin, end = known[0][0], known[-1][0]
    span = max((end - begin).days, 1)
    dots = []
    for number, (day, value, words) in enumerate(known):
        share = (day - begin).days / span if begin != end else number / (len(known) - 1)
        left = MARGIN + share * (WIDTH - 2 * MARGIN)
        height = min(value / top, 1.0) if top else 0.0
        dots.append(
            (round(left, 1), round(HEIGHT - MARGIN - height * (HEIGHT - 2 * MARGIN), 1), words)
        )
    points = " ".join(f"{x},{y}" for x, y, _words in dots)
    return Chart(points, dots, begin.isoformat(), end.isoformat(), top_words)
