"""JSON as delimited text: an array of objects, objects line by line, or GeoJSON features.

Every key that any object has becomes a column; a key that an object lacks is an empty cell. What is
nested stands in its cell as JSON.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import duckdb
import orjson
from django.utils.translation import gettext_lazy as _

from apps.core.workbooks.refusal import Refusal
from apps.warehouse.landing.forms.engine import engine
from apps.warehouse.landing.rules import literal

OBJECT_LIMIT_BYTES: Final = 16 << 20
KEYS_LIMIT: Final = 1_000
WRAPPERS: Final = ("data", "rows", "records", "items", "list", "entries", "features")
"""Keys under which programs put the list of records that they send."""

_HEAD_BYTES = 1 << 16


def write_table(path: Path, target: Path) -> int:
    """Write the records below the names of their keys; return how many there are.

    Raises:
        Refusal: it is no JSON, no list of objects, or an object is larger than 16 MB.
    """
    columns = _keys(path, target.parent)
    count = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(columns)
        for record in _records(path, target.parent):
            writer.writerow([_cell(record.get(name)) for name in columns])
            count += 1
    return count


def _keys(path: Path, workplace: Path) -> list[str]:
    names: dict[str, None] = {}
    for record in _records(path, workplace):
        if not names.keys() >= record.keys():
            names.update(dict.fromkeys(record))
            if len(names) > KEYS_LIMIT:
                raise Refusal(
                    _("JSON 里有超过 %(limit)s 种键，不像一张表") % {"limit": f"{KEYS_LIMIT:,}"},
                    code="json_too_many_keys",
                )
    return list(names)


def _records(path: Path, workplace: Path) -> Iterator[dict[str, Any]]:
    for number, text in enumerate(_objects(path, workplace), 1):
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise _malformed(number) from error
        if not isinstance(value, dict):
            raise Refusal(
                _("第 %(number)s 条不是对象（{…}）；JSON 应为对象的列表") % {"number": number},
                code="json_not_records",
            )
        yield _flat(value)


def _flat(value: dict[str, Any]) -> dict[str, Any]:
    """Return a GeoJSON feature as its properties and its geometry; anything else as it is."""
    if value.get("type") == "Feature" and isinstance(value.get("properties"), dict):
        return {**value["properties"], "geometry": value.get("geometry")}
    return value


def _objects(path: Path, workplace: Path) -> Iterator[str]:
    """Yield each record's text; a wrapping object is opened, whatever list it holds."""
    wrapped = _wrapper(path)
    if wrapped is not None:
        yield from (orjson.dumps(record).decode() for record in wrapped)
        return
    form = "array" if _first(path) == b"[" else "newline_delimited"
    statement = (
        f"SELECT json FROM read_json_objects({literal(str(path))}, format = '{form}',"  # noqa: S608
        f" maximum_object_size = {OBJECT_LIMIT_BYTES}, compression = 'none')"
    )
    with engine(workplace) as connection:
        try:
            result = connection.execute(statement)
            while rows := result.fetchmany(1_000):
                yield from (text for (text,) in rows)
        except duckdb.Error as error:
            raise Refusal(
                _("JSON 不完整或者有语法错误，不能读取；某个对象也可能超过 16 MB"),
                code="json_malformed",
            ) from error


def _wrapper(path: Path) -> list[Any] | None:
    """Return the records of a file that is one object around a list; None for any other.

    Such a file is read whole, so it may be no larger than an object may.
    """
    if _first(path) != b"{" or path.stat().st_size > OBJECT_LIMIT_BYTES:
        return None
    try:
        whole = orjson.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return None  # objects line by line, or damaged: the reader will say
    if not isinstance(whole, dict):
        return None
    for name in WRAPPERS:
        if isinstance(whole.get(name), list):
            found: list[Any] = whole[name]
            return found
    return [whole]


def _first(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]


def _malformed(number: int) -> Refusal:
    return Refusal(
        _("第 %(number)s 条不是正确的 JSON") % {"number": f"{number:,}"}, code="json_malformed"
    )


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return str(value)
        case _:
            return orjson.dumps(value).decode()
