"""A copy as files: each complete state whole, under its own name, and a manifest that points to it.

Whoever reads takes the manifest first: it changes in one step, and the file it names stays until
the state after the next. Codes stay text: in CSV every value is as the portal wrote it.
"""

import csv
import glob
import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apps.warehouse.sync.following.copy import DISPUTED, KEY, Copy, Standing, stamp

FORMATS = ("csv", "ndjson")


class Published:
    """The files of one copy in a folder. form: csv or ndjson."""

    def __init__(self, folder: Path, name: str, form: str) -> None:
        self.folder, self.name, self.form = folder, name, form

    @property
    def manifest(self) -> Path:
        return self.folder / f"{self.name}.manifest.json"

    def said(self) -> dict[str, Any]:
        """Return the manifest, {} when nothing is published."""
        if not self.manifest.is_file():
            return {}
        found: dict[str, Any] = json.loads(self.manifest.read_text(encoding="utf-8"))
        return found

    def publish(self, copy: Copy, standing: Standing) -> None:
        """Write a complete copy where it is not yet; take all away when the copy began anew."""
        said = self.said()
        if not standing.is_complete or not standing.cursor:
            self._tidy(keep=set())
            return
        if said.get("revision") == standing.revision and self._file_of(said).is_file():
            return
        file = self.folder / f"{self.name}-{standing.horizon}-{standing.revision}.{self.form}"
        rows, digest = self._write(file, copy, standing)
        facts = {
            "file": file.name,
            "dataset": standing.dataset,
            "grant": {"id": standing.grant[0], "version": standing.grant[1]},
            "horizon": standing.horizon,
            "revision": standing.revision,
            "rows": rows,
            "sha256": digest,
            "columns": standing.columns,
            "published_at": stamp(),
        }
        part = self.manifest.with_suffix(".part")
        with part.open("w", encoding="utf-8") as out:
            json.dump(facts, out, ensure_ascii=False, indent=1)
            out.flush()
            os.fsync(out.fileno())
        part.replace(self.manifest)
        self._tidy(keep={file.name, str(said.get("file", "")), self.manifest.name})

    def is_whole(self) -> bool:
        """Say whether the published file is there and as its manifest says."""
        said = self.said()
        file = self._file_of(said)
        if not file.is_file():
            return False
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == str(said["sha256"])

    def _file_of(self, said: dict[str, Any]) -> Path:
        return self.folder / str(said.get("file", ""))

    def _write(self, file: Path, copy: Copy, standing: Standing) -> tuple[int, str]:
        part, count = file.with_suffix(".part"), 0
        with copy.held() as (connection, _now), part.open("w", encoding="utf-8", newline="") as out:
            write = self._writer(out, standing)
            for row_id, values, mark in copy.rows(connection, standing):
                write(row_id, values, mark)
                count += 1
            out.flush()
            os.fsync(out.fileno())
        with part.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        part.replace(file)
        return count, digest

    def _writer(self, out: Any, standing: Standing) -> Any:
        names = standing.names
        if self.form == "csv":
            lines = csv.writer(out, lineterminator="\r\n")
            lines.writerow([KEY, *names, DISPUTED])
            return lambda row_id, values, mark: lines.writerow(
                [row_id, *map(_written, values), ";".join(json.loads(mark or "[]"))]
            )

        def write(row_id: int, values: list[Any], mark: str | None) -> None:
            row = {KEY: row_id, **dict(zip(names, values, strict=True))}
            if mark:
                row[DISPUTED] = json.loads(mark)
            out.write(json.dumps(row, ensure_ascii=False) + "\n")

        return write

    def _tidy(self, keep: set[str]) -> None:
        for path in self._files():
            if path.name not in keep:
                path.unlink(missing_ok=True)

    def _files(self) -> Iterator[Path]:
        if self.manifest.exists():
            yield self.manifest
        own = re.compile(rf"{re.escape(self.name)}-\d+-\d+\.({self.form}|part)")  # not of "name-x"
        for path in self.folder.glob(f"{glob.escape(self.name)}-*"):
            if own.fullmatch(path.name):
                yield path


def _written(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value
