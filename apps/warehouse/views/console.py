"""What a table's page says beside its batches: how fresh, how large, how it grew, who uses it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from apps.catalog.models import Dataset
from apps.warehouse import extent, periods, queries, uses
from apps.warehouse.extent import Step
from apps.warehouse.models import DataTable
from apps.warehouse.periods import Delivered
from apps.warehouse.views.batches import progress_of

STEPS: Final = 24
WIDTH: Final = 480
HEIGHT: Final = 72
GAP: Final = 2


@dataclass(frozen=True)
class Bar:
    """A column of the drawing, from the ground up, with what it says when pointed at."""

    x: float
    y: float
    width: float
    height: float
    step: Step


@dataclass(frozen=True)
class Trend:
    """The last batches, drawn: rows after each as a line, rows moved by each as columns."""

    steps: list[Step]
    points: str
    bars: list[Bar]
    most_rows: int
    most_moved: int


def console_of(subject: Dataset, table: DataTable | None, at: datetime) -> dict[str, Any]:
    """Return what the page shows of the table; little where nothing landed yet."""
    shown = periods.last_periods(subject, at)
    counted = Counter(period.delivered for period in shown)
    running = queries.batches_of(subject).filter(status__in=queries.OPEN).order_by("id").first()
    return {
        "running": running,
        "progress": progress_of(running, timezone.now()) if running else None,
        "periods": shown,
        "period_counts": [(kind, counted[kind]) for kind in Delivered if counted[kind]],
        "size": extent.size_of(table) if table else None,
        "trend": trend_of(table) if table else None,
        "uses": uses.of_dataset(subject.pk, at),
        "used_days": uses.USED_DAYS,
        "width": WIDTH,
        "height": HEIGHT,
    }


def trend_of(table: DataTable) -> Trend | None:
    """Draw the last batches; None for fewer than two."""
    steps = extent.steps_of(table, STEPS)
    if len(steps) < 2:
        return None
    most_rows = max(step.rows for step in steps)
    most_moved = max(step.moved for step in steps)
    place = WIDTH / len(steps)
    points = " ".join(
        f"{place * (number + 0.5):.1f},{_height(step.rows, most_rows):.1f}"
        for number, step in enumerate(steps)
    )
    bars = []
    for number, step in enumerate(steps):
        top = _height(step.moved, most_moved)
        bars.append(
            Bar(round(place * number + GAP, 1), top, round(place - 2 * GAP, 1), HEIGHT - top, step)
        )
    return Trend(steps, points, bars, most_rows, most_moved)


def _height(value: int, most: int) -> float:
    return round(HEIGHT - (HEIGHT - 4) * value / most, 1) if most else float(HEIGHT)
