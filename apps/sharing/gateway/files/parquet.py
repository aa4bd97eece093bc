"""A grant's rows as Parquet: the lines of a COPY, read column by column and written in groups.

Types follow the data types, so that a code is text and an amount a decimal; each field carries its
label. A text that is quoted is one, even an empty one; an unquoted empty field is no value.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.sharing.gateway import formats
from apps.sharing.gateway.files.writers import Described, Hashed, Whole, Writer
from apps.sharing.gateway.marks import Marks

GROUP_BYTES: Final = 2 << 20  # of CSV, in a group of rows
MOST_DIGITS: Final = 38
_TYPES: Final[dict[str, Any]] = {
    "I": pa.int64(),
    "B": pa.float64(),
    "F": pa.float64(),
    "L": pa.bool_(),
    "D": pa.date32(),
    "T": pa.timestamp("us"),
}


class NotWritable(DomainError):
    """A value that the format's type cannot hold."""

    code = "value_not_writable"
    default_message = _("有的值不能写成这种格式，改用 CSV")


class ParquetWriter(Writer):
    takes_lines = True

    def __init__(self, path: Path, described: Described) -> None:
        fields = [_field(column) for column in described.columns]
        facts = {label.encode(): value.encode() for label, value in described.facts}
        self._schema = pa.schema(fields, metadata=facts)
        self._reading = pa.csv.ReadOptions(column_names=self._schema.names, use_threads=False)
        self._parsing = pa.csv.ParseOptions(newlines_in_values=True)
        self._converting = pa.csv.ConvertOptions(
            column_types={field.name: field.type for field in fields},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["true"],
            false_values=["false"],
            timestamp_parsers=[pa.csv.ISO8601],
        )
        self._file = Hashed(path)
        self._writer = pa.parquet.ParquetWriter(
            pa.PythonFile(self._file, mode="w"),
            self._schema,
            compression="zstd",
            # Most columns are names and numbers, of which each group would hold a list of its own:
            # without lists a file is half as large, and written in half the time.
            use_dictionary=False,
        )
        self._held: list[bytes] = []
        self._held_bytes = 0

    def write(self, rows: Sequence[Any], marks: Marks) -> None:
        self._held.append(b"".join(formats.marked_lines(list(rows), marks)))
        self._held_bytes += len(self._held[-1])
        if self._held_bytes >= GROUP_BYTES:
            self._write_group()

    def finish(self) -> Whole:
        if self._held:
            self._write_group()
        self._writer.close()
        self._file.close()
        return self._file.whole()

    def abandon(self) -> None:
        with suppress(OSError, pa.ArrowException):  # it would want to be closed later
            self._writer.close()
        self._file.close()

    def _write_group(self) -> None:
        text = b"".join(self._held)
        self._held, self._held_bytes = [], 0
        self._reading.block_size = len(text) + 1
        try:
            group = pa.csv.read_csv(
                pa.BufferReader(text),
                read_options=self._reading,
                parse_options=self._parsing,
                convert_options=self._converting,
            )
        except pa.ArrowInvalid as error:
            raise NotWritable from error
        # The columns' labels are the schema's, which the reader does not know.
        self._writer.write_table(group.cast(self._schema))


def _field(column: dict[str, Any]) -> Any:
    kind = _TYPES.get(column["type"], pa.string())
    if column["digits"] is not None:
        kind = pa.decimal128(min(column["digits"], MOST_DIGITS), column["scale"])
    return pa.field(column["name"], kind, metadata={"label": column["label"]})
