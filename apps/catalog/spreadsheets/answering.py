"""Answer a request with entries as a spreadsheet."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.http import FileResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header

from apps.catalog.models import Dataset
from apps.catalog.spreadsheets.lines import lines_of
from apps.catalog.spreadsheets.references import References
from apps.catalog.spreadsheets.writing import csv_lines, write_xls, write_xlsx

TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xls": "application/vnd.ms-excel",
    "csv": "text/csv; charset=utf-8",
}


def spreadsheet_of(entries: Any, form: str, name: str) -> FileResponse | StreamingHttpResponse:
    """Return the entries (a queryset) in a form of `TYPES`; csv goes out as it is read."""
    chosen = Dataset.objects.filter(pk__in=list(entries.order_by().values_list("pk", flat=True)))
    if form == "csv":
        lines = (line.encode() for line in csv_lines(lines_of(chosen)))
        response = StreamingHttpResponse(lines, content_type=TYPES[form])
        response["Content-Disposition"] = content_disposition_header(
            as_attachment=True, filename=f"{name}.csv"
        )
        return response

    def write(path: Path) -> None:
        if form == "xlsx":
            write_xlsx(path, lines_of(chosen), References.load())
        else:
            write_xls(path, lines_of(chosen))

    return written(write, f"{name}.{form}", form)


def written(write: Callable[[Path], None], name: str, form: str = "xlsx") -> FileResponse:
    """Return a file that is written into a folder of its own, gone when it has been opened."""
    with tempfile.TemporaryDirectory(prefix="huiliu-") as folder:
        path = Path(folder) / "sheet"
        write(path)
        file = path.open("rb")  # stays readable when its folder is gone
    return FileResponse(file, as_attachment=True, filename=name, content_type=TYPES[form])
