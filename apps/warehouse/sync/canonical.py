"""The text and the hash by which two copies are compared: the same at the portal and here.

A row is its `_id` and its items in the grant's order, joined by ";": "-" where there is no value,
otherwise the number of bytes of the value's text in UTF-8, ":" and the text. The hash of a range is
the SHA-256 of its rows in the order of `_id`, joined by a line feed.

Source: house rule (docs/api.md, 核对副本)
"""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

DECIMALS = ("N", "Y")
DOUBLES = ("B", "F")


def text_of(kind: str, value: Any) -> str | None:
    """Return the canonical text of a value; kind: the letter of its type. None for no value."""
    if value is None:
        return None
    if kind in DOUBLES:
        return struct.pack(">d", float(value) + 0.0).hex()  # -0.0 is 0.0
    if kind == "L":
        return "true" if value in (True, "true") else "false"
    if kind in DECIMALS:
        return decimal_text(Decimal(str(value)))
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else str(value)


def decimal_text(value: Decimal) -> str:
    """Return a decimal without exponent and without zeros at its end."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def line(row_id: int, kinds: Sequence[str], values: Sequence[Any]) -> bytes:
    """Return a row as it is hashed."""
    parts = [str(row_id).encode()]
    for kind, value in zip(kinds, values, strict=True):
        text = text_of(kind, value)
        if text is None:
            parts.append(b"-")
        else:
            raw = text.encode()
            parts.append(b"%d:%s" % (len(raw), raw))
    return b";".join(parts)


def counted(rows: Iterable[tuple[int, Sequence[Any]]], kinds: Sequence[str]) -> tuple[int, str]:
    """Return count and hash of rows, given as (`_id`, values) in the order of `_id`."""
    digest, count = hashlib.sha256(), 0
    for row_id, values in rows:
        digest.update(b"\n" if count else b"")
        digest.update(line(row_id, kinds, values))
        count += 1
    return count, digest.hexdigest()
