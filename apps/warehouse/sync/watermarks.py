"""Watermarks as JSON: the value of the column up to which a source has been read."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

# Texts are watermarks only as stamps of one form: a database orders words in its own way.
STAMP = re.compile(r"[0-9][0-9 :.TZ/+-]*")


class UnfitWatermark(Exception):
    """The column's values have no order that is kept here: floats, bytes, intervals, words."""


def to_json(value: Any) -> dict[str, str]:
    """Return the value with its kind, so that it comes back as what the driver gave."""
    match value:
        case bool():
            raise UnfitWatermark(type(value).__name__)
        case int():
            return {"kind": "integer", "value": str(value)}
        case Decimal():
            return {"kind": "decimal", "value": str(value)}
        case datetime():
            return {"kind": "moment", "value": value.isoformat()}
        case date():
            return {"kind": "day", "value": value.isoformat()}
        case str() if STAMP.fullmatch(value):
            return {"kind": "text", "value": value}
        case _:
            raise UnfitWatermark(type(value).__name__)


def from_json(kept: dict[str, str]) -> Any:
    """Return the value that was kept."""
    text = kept["value"]
    readers: dict[str, Any] = {
        "integer": int,
        "decimal": Decimal,
        "moment": datetime.fromisoformat,
        "day": date.fromisoformat,
        "text": str,
    }
    return readers[kept["kind"]](text)


def earlier(value: Any, overlap: int) -> Any:
    """Return where to begin again: seconds before a moment, whole days before a day, or a number.

    A source's transactions may commit later than the moment they wrote; texts have no distance.
    """
    if isinstance(value, datetime):
        # A time with a zone of its own keeps it; whether seconds are local does not matter here.
        return value - timedelta(seconds=overlap)
    if isinstance(value, date):
        return value - timedelta(days=-(-overlap // 86_400))
    return value if isinstance(value, str) else value - overlap


def moment_in_words(kept: dict[str, str] | None) -> str:
    """Return the watermark for people and for keys; empty before the first."""
    return kept["value"] if kept else ""


def now() -> datetime:
    """Return this moment, with its zone."""
    return datetime.now(UTC)
