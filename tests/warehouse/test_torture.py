"""Torture files are read right or refused with a reason, soon, and in little memory.

They are read in a process of its own, so that its peak can be measured; `test_bad_input` says what
becomes of the rows. The files that others wrote lie beside the repository; without them those tests
are skipped and say so.
"""

import csv
import gzip
import io
import json
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import settings

from apps.core.contracts import Column, Contract
from tests.catalog.sheets import hostile
from tests.factories.warehouse import PERSON_COLUMNS, column
from tests.warehouse.test_forms import as_csv, as_parquet, as_xls, as_xlsx, zipped

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "real" / "csv"
LONGEST_SECONDS = 20
MOST_MB = 400
PERSON = Contract(7, "307001/000001", PERSON_COLUMNS, ("identity_number",))


class Elsewhere:
    """A process that reads files one after another."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.warehouse.read_elsewhere"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=settings.BASE_DIR,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"},
        )

    def read(self, path: Path, contract: Contract = PERSON, name: str = "") -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        told = json.dumps(contract.to_json(), ensure_ascii=True)
        self._process.stdin.write(f"{path}\t{name or path.name}\t{told}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process died"
        found: dict[str, Any] = json.loads(line)
        assert found["seconds"] < LONGEST_SECONDS, found
        assert found["peak_mb"] < MOST_MB, found
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    process = Elsewhere()
    yield process
    process.close()


def entity_in_sheet() -> bytes:
    """A workbook whose sheet names an entity of entities."""
    entities = "".join(
        f'<!ENTITY a{number} "{f"&a{number - 1};" * 10}">' for number in range(1, 10)
    )
    bomb = f'<!DOCTYPE x [<!ENTITY a0 "aaaa">{entities}]>'.encode()

    def change(name: str, part: bytes) -> bytes:
        if name != hostile.SHEET:
            return part
        head, mark, rest = part.partition(b"?>")
        return head + mark + bomb + rest.replace(b"<v>", b"<v>&a9;", 1)

    return hostile.rewritten(as_xlsx(), change)


def one_cell(size: int = 10 << 20) -> bytes:
    return b"identity_number\n" + b"1" * size + b"\n"


def parquet_of_else() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"identity_number": [[1, 2], [3]]}), buffer)
    return buffer.getvalue()


def many_columns(count: int = 30_000) -> bytes:
    head = ",".join(f"c{number}" for number in range(count))
    return (head + "\n" + "," * (count - 1) + "\n").encode()


def deep_objects(depth: int = 100_000) -> bytes:
    return b'[{"identity_number": ' + b'{"a":' * depth + b"1" + b"}" * depth + b"}]"


def zip_of_many() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(5_000):
            archive.writestr(f"{number}.csv", b"")
    return buffer.getvalue()


def gz_bomb() -> bytes:
    return gzip.compress(b"0" * (600 << 20), compresslevel=1)


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def mixed(first: str, second: str) -> bytes:
    lines = as_csv().decode().splitlines(keepends=True)
    return (lines[0] + lines[1]).encode(first) + "".join(lines[2:]).encode(second)


def noise(size: int = 5 << 20) -> bytes:
    return random.Random(3).randbytes(size)


DAMAGED = {"file_damaged", "workbook_damaged"}
# What to read, and the codes of which one must come; "" is: read, and every record is told of.
CASES: dict[str, tuple[str, Callable[[], bytes], set[str]]] = {
    "XML bomb": ("表.xlsx", hostile.xml_bomb, {"workbook_suspicious"}),
    "XML bomb in the sheet": ("表.xlsx", entity_in_sheet, {"workbook_suspicious"}),
    "zip bomb in a workbook": ("表.xlsx", hostile.bomb, {"workbook_too_heavy"}),
    "zip bomb": ("表.zip", lambda: zipped("a.csv", b"0" * (600 << 20)), {"archive_too_heavy"}),
    "gz bomb": ("表.csv.gz", gz_bomb, {"archive_too_heavy", "record_too_long"}),
    "gz within gz": ("表.gz", lambda: gzip.compress(gz_bomb()), {"archive_nested"}),
    "five thousand files": ("表.zip", zip_of_many, {"archive_not_one_table"}),
    "a locked workbook": ("表.xlsx", hostile.locked_xlsx, {"workbook_encrypted"}),
    "an old locked workbook": ("表.xls", hostile.locked_xls, {"workbook_encrypted"}),
    "a locked OpenDocument": ("表.ods", hostile.locked_ods, {"workbook_encrypted"}),
    "a dense workbook": (
        "表.xlsx",
        hostile.dense,
        {"workbook_too_heavy", "rows_too_many", "heading_missing"},
    ),
    "many parts": ("表.xlsx", hostile.many_parts, {"workbook_too_heavy"}),
    "half a workbook": ("表.xlsx", lambda: half(as_xlsx()), DAMAGED),
    "half an old workbook": ("表.xls", lambda: half(as_xls()), DAMAGED),
    "half a zip": ("表.zip", lambda: half(zipped("a.csv", as_csv() * 99)), DAMAGED),
    "half a gz": ("表.gz", lambda: half(gzip.compress(as_csv() * 99)), DAMAGED),
    "half a parquet": ("表.parquet", lambda: half(as_parquet()), DAMAGED),
    "the tail of a parquet gone": ("表.parquet", lambda: as_parquet()[:-8], DAMAGED),
    "lists in a parquet": ("表.parquet", parquet_of_else, {"columns_missing", "cell_not_plain"}),
    "nested arrays": ("表.json", lambda: b"[" * 100_000 + b"]" * 100_000, {"json_malformed"}),
    "open arrays": ("表.json", lambda: b"[" * 100_000, {"json_malformed"}),
    "nested objects": ("表.json", deep_objects, {"json_malformed", "columns_missing"}),
    "half a json": ("表.json", lambda: b'[{"identity_number": "1"}, {"ident', {"json_malformed"}),
    "a workbook named csv": ("表.csv", as_xlsx, {""}),
    "text named workbook": ("表.xlsx", as_csv, {""}),
    "a parquet named json": ("表.json", as_parquet, {""}),
    "a json named parquet": ("表.parquet", lambda: b'[{"a": 1}]', {"columns_unknown"}),
    "a picture named csv": (
        "表.csv",
        lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 99,
        {"file_not_as_named"},
    ),
    "one column, ten megabytes": ("表.csv", one_cell, {"columns_missing"}),
    "thirty thousand columns": ("表.csv", many_columns, {"columns_unknown"}),
    "UTF-8, then GB 18030": ("表.csv", lambda: mixed("utf-8", "gb18030"), {"encoding_invalid"}),
    "GB 18030, then UTF-8": (
        "表.csv",
        lambda: mixed("gb18030", "utf-8"),
        {"encoding_invalid", "encoding_uncertain", ""},
    ),
    "UTF-8, then UTF-16": (
        "表.csv",
        lambda: mixed("utf-8", "utf-16-le"),
        {"encoding_invalid", "text_damaged", "columns_unknown"},
    ),
    "noise": ("表.csv", noise, {"encoding_invalid", "text_damaged", "header_damaged"}),
    "nothing but NUL": ("表.csv", lambda: b"\0" * (5 << 20), {"file_empty"}),
    "NUL between": (
        "表.csv",
        lambda: as_csv().replace("张三".encode(), b"\0\0"),
        {""},
    ),
    "an open quote and much below": (
        "表.csv",
        lambda: as_csv() + b'"' + b"a,b\n" * 2_000_000,
        {"quote_unterminated"},
    ),
    "quotes alone": ("表.csv", lambda: as_csv() + b'"' * 1_000_001, {"quote_unterminated", ""}),
    "no line end": ("表.csv", lambda: b"x" * (40 << 20), {"record_too_long"}),
    "line ends alone": ("表.csv", lambda: as_csv() + b"\n" * (20 << 20), {""}),
}


@pytest.mark.parametrize("case", CASES)
def test_torture_is_read_or_refused(elsewhere: Elsewhere, tmp_path: Path, case: str) -> None:
    name, write, codes = CASES[case]
    path = tmp_path / "file"
    path.write_bytes(write())
    found = elsewhere.read(path, name=name)
    assert found["code"] in codes, found
    if found["code"]:
        assert any("\u4e00" <= character <= "\u9fff" for character in found["message"]), found
    if found["code"] == "encoding_invalid":
        assert {"line", "offset"} <= found.keys(), found
    if found["code"] == "quote_unterminated":
        assert "line" in found, found


# Files that others wrote


def real_files() -> Sequence[Path]:
    return sorted(path for path in REAL.rglob("*") if path.is_file()) if REAL.is_dir() else []


def parsed(path: Path) -> list[list[str]] | None:
    """What Python's reader makes of a plain text file; None where it is none."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if path.suffix not in (".csv", ".txt", ".tsv") or "\0" in text:
        return None
    delimiter = max(",\t;|", key=text.partition("\n")[0].count)
    text = text.replace("\r\n", "\n")
    if "\n" not in text:
        text = text.replace("\r", "\n")
    return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]


def contract_for(path: Path) -> Contract:
    """A contract whose columns are the file's own headings, as far as it has any."""
    rows = parsed(path) or [["a"]]
    labels = list(
        dict.fromkeys(cell.strip() or f"第{place}列" for place, cell in enumerate(rows[0]))
    )
    columns: list[Column] = [
        column(f"c{place}", label, "M" if place else "C", normalise=())
        for place, label in enumerate(labels)
    ]
    return Contract(7, "307001/000001", tuple(columns), ("c0",))


@pytest.mark.skipif(not REAL.is_dir(), reason=f"real files are not there: {REAL}")
@pytest.mark.parametrize("path", real_files(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_real_file_is_read_or_refused(elsewhere: Elsewhere, path: Path) -> None:
    found = elsewhere.read(path, contract_for(path))
    if found["code"]:
        assert found["message"], found
        if found["code"] == "encoding_invalid":
            assert {"line", "offset"} <= found.keys(), found
        return
    assert found["told"] >= found["unsound"], found
    rows = parsed(path)
    if rows is not None:
        assert found["records"] == len(rows) - 1, found
        for number, *texts in found["rows"]:
            cells, rest = rows[number][: len(texts)], rows[number][len(texts) :]
            assert texts == [cell or None for cell in cells], number
            assert not any(rest), number
