"""Parquet as delimited text: read column by column, in bounded memory."""

from pathlib import Path

import duckdb
from django.utils.translation import gettext_lazy as _

from apps.core.workbooks.refusal import Refusal
from apps.warehouse.landing.forms.engine import engine
from apps.warehouse.landing.rules import literal, quoted

_WITH_ZONE = "TIMESTAMP WITH TIME ZONE"


def write_table(path: Path, target: Path) -> int:
    """Write the rows below the names of the columns; return how many.

    An instant with a zone is written in the time of Chongqing; bytes are refused, what is nested
    is written as JSON.

    Raises:
        Refusal: damaged, or a column of bytes.
    """
    with engine(target.parent) as connection:
        try:
            source = f"read_parquet({literal(str(path))})"
            columns = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608
            chosen = ", ".join(_text(name, kind) for name, kind, *_rest in columns)
            written = connection.execute(
                f"COPY (SELECT {chosen} FROM {source}) TO {literal(str(target))}"  # noqa: S608
                " (FORMAT csv, HEADER true, FORCE_QUOTE *, NULLSTR '')"
            ).fetchone()
        except duckdb.Error as error:
            raise Refusal(
                _("Parquet 文件不完整或者已经损坏，不能读取"), code="file_damaged"
            ) from error
    return int(written[0]) if written else 0


def _text(name: str, kind: str) -> str:
    column = quoted(name)
    if kind == "BLOB":
        raise Refusal(
            _("列“%(name)s”是二进制内容，不能入库") % {"name": name}, code="column_binary"
        )
    if kind == _WITH_ZONE:
        column = f"timezone('Asia/Shanghai', {column})"
    if "[" in kind or kind.startswith(("STRUCT", "MAP", "UNION")):
        column = f"to_json({column})"
    return f"CAST({column} AS VARCHAR) AS {quoted(name)}"
