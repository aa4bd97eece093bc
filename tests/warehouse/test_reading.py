"""Reading in the order of a watermark: nothing torn, nothing missed, whatever the ties."""

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st

from apps.warehouse.sync import reading, watermarks
from apps.warehouse.sync.reading import Query, UnfitValue
from apps.warehouse.sync.watermarks import UnfitWatermark

QUERY = Query("people", (("key", "k"), ("name", "n")), watermark="w")


def engine_of(folder: Path, rows: list[tuple[int, str, Any]]) -> sqlalchemy.Engine:
    made = sqlalchemy.create_engine(f"sqlite:///{folder / 'source.db'}")
    with made.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS people")
        connection.exec_driver_sql("CREATE TABLE people (k integer, n text, w)")
        for row in rows:
            connection.exec_driver_sql("INSERT INTO people VALUES (?, ?, ?)", row)
    return made


def read_all(engine: sqlalchemy.Engine, folder: Path, **facts: Any) -> tuple[list[str], Any]:
    """Read chunk after chunk as the portal does; the keys in the order read, and the end."""
    keys: list[str] = []
    checkpoint = facts.pop("checkpoint", None)
    for _chunk in range(1000):
        target = folder / "rows.csv"
        chunk = reading.read_chunk(engine, QUERY, target, checkpoint=checkpoint, **facts)
        with target.open(encoding="utf-8", newline="") as file:
            keys += [row["key"] for row in csv.DictReader(file)]
        checkpoint = chunk.checkpoint
        if not chunk.more:
            return keys, checkpoint
    raise AssertionError("it came to no end")


@given(
    marks=st.lists(st.integers(0, 12), min_size=1, max_size=60),
    size=st.integers(1, 20),
    overlap=st.integers(0, 15),
)
def test_every_row_is_read_whatever_the_ties_and_the_overlap(
    tmp_path_factory: pytest.TempPathFactory, marks: list[int], size: int, overlap: int
) -> None:
    folder = tmp_path_factory.mktemp("source")
    engine = engine_of(folder, [(number, "x", mark) for number, mark in enumerate(marks)])
    keys, checkpoint = read_all(engine, folder, at_least_rows=size, overlap=overlap)
    engine.dispose()
    assert set(keys) == {str(number) for number in range(len(marks))}
    assert checkpoint == {"kind": "integer", "value": str(max(marks))}


def test_a_chunk_ends_only_where_the_watermark_changes(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, [(n, "x", 1 if n < 5 else 2) for n in range(8)])
    chunk = reading.read_chunk(engine, QUERY, tmp_path / "rows.csv", at_least_rows=2)
    assert (chunk.rows, chunk.more) == (5, True)
    assert chunk.checkpoint == {"kind": "integer", "value": "1"}
    engine.dispose()


def test_rows_that_came_later_with_the_same_watermark_are_read(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, [(1, "x", 7)])
    _keys, checkpoint = read_all(engine, tmp_path)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO people VALUES (2, 'late', 7)")
    keys, again = read_all(engine, tmp_path, checkpoint=checkpoint)
    assert keys == ["1", "2"]
    assert again == checkpoint
    engine.dispose()


def test_rows_without_watermark_are_counted_and_left(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, [(1, "x", None), (2, "y", 3)])
    keys, _checkpoint = read_all(engine, tmp_path)
    assert keys == ["2"]
    assert reading.without_watermark(engine, QUERY) == 1
    assert reading.backlog(engine, QUERY, None) == 1
    assert reading.backlog(engine, QUERY, {"kind": "integer", "value": "3"}) == 0
    engine.dispose()


def test_an_empty_source_reaches_nothing(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, [])
    chunk = reading.read_chunk(engine, QUERY, tmp_path / "rows.csv")
    assert (chunk.rows, chunk.checkpoint, chunk.more) == (0, None, False)
    engine.dispose()


def test_without_a_watermark_all_is_read(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, [(n, "x", None) for n in range(9)])
    query = Query("people", (("key", "k"),))
    chunk = reading.read_chunk(engine, query, tmp_path / "rows.csv", at_least_rows=2)
    assert (chunk.rows, chunk.more, chunk.checkpoint) == (9, False, None)
    engine.dispose()


@pytest.mark.parametrize("value", [1.5, b"x", "汇流", True, timedelta(1)])
def test_what_has_no_order_is_no_watermark(value: Any) -> None:
    with pytest.raises(UnfitWatermark):
        watermarks.to_json(value)


@pytest.mark.parametrize(
    "value",
    [
        12,
        Decimal("12.50"),
        datetime(2026, 11, 18, 10, 0, 0, 123456),  # noqa: DTZ001
        datetime(2026, 11, 18, 10, 0, tzinfo=UTC),
        date(2026, 11, 18),
        "20261118100000",
        "2026-11-18 10:00:00.001",
    ],
)
def test_a_watermark_comes_back_as_it_was(value: Any) -> None:
    assert watermarks.from_json(watermarks.to_json(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("张三", "张三"),
        (True, "1"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.10"), "0.10"),
        (datetime(2026, 11, 18, 2, 0, tzinfo=UTC), "2026-11-18 10:00:00"),
        (datetime(2026, 11, 18, 2, 0, 0, 5000), "2026-11-18 02:00:00.005000"),  # noqa: DTZ001
        (date(2026, 11, 18), "2026-11-18"),
        (timedelta(hours=26, minutes=3), "26:03:00"),
    ],
)
def test_values_are_written_as_a_file_would_carry_them(value: Any, text: str) -> None:
    assert reading.text_of(value) == text


def test_bytes_are_refused_by_column() -> None:
    with pytest.raises(UnfitValue) as caught:
        reading.text_of(b"\x00", column="photo")
    assert caught.value.column == "photo"
