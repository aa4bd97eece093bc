"""When a source is read next: its rhythm, the hours that its department allows, and back-off."""

import random
from datetime import datetime, time, timedelta

from django.utils import timezone

LONGEST_BACK_OFF = timedelta(hours=1)


def is_open(at: datetime, window_from: time | None, window_to: time | None) -> bool:
    """Say whether the source may be read at that moment; a window may pass midnight."""
    if window_from is None or window_to is None:
        return True
    clock = timezone.localtime(at).time()
    if window_from <= window_to:
        return window_from <= clock < window_to
    return clock >= window_from or clock < window_to


def next_opening(at: datetime, window_from: time | None, window_to: time | None) -> datetime:
    """Return the moment itself, or when the window opens next."""
    if window_from is None or is_open(at, window_from, window_to):
        return at
    local = timezone.localtime(at)
    opening = local.replace(
        hour=window_from.hour, minute=window_from.minute, second=0, microsecond=0
    )
    return opening if opening >= local else opening + timedelta(days=1)


def next_run(
    at: datetime,
    *,
    every_minutes: int | None,
    daily_at: time | None,
    window_from: time | None = None,
    window_to: time | None = None,
) -> datetime:
    """Return when a source that was read at `at` is due again, inside its window."""
    if every_minutes is not None:
        due = at + timedelta(minutes=every_minutes)
    else:
        assert daily_at is not None
        local = timezone.localtime(at)
        due = local.replace(hour=daily_at.hour, minute=daily_at.minute, second=0, microsecond=0)
        if due <= local:
            due += timedelta(days=1)
    return next_opening(due, window_from, window_to)


def back_off(failures: int, chance: float | None = None) -> timedelta:
    """Return how long to wait after so many failures in a row: 1, 2, 4 … 60 minutes, less a part.

    chance: 0–1, drawn unless given; spreads sources that failed together.
    """
    longest = min(LONGEST_BACK_OFF, timedelta(minutes=2 ** min(failures - 1, 10)))
    drawn = random.random() if chance is None else chance  # noqa: S311 (no secret)
    return longest * (0.5 + drawn / 2)
