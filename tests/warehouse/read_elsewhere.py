"""Read files through the landing engine in a process of its own; say how each ended, and the peak.

Reads lines `path<TAB>name<TAB>contract as JSON` from standard input and writes one JSON per file:
code ("" when its records were read), records, unsound, rows (number and texts of those that could
be read; of files up to a megabyte), seconds of work, peak_mb, and the refusal's line and offset
where it has them. No database is asked.
"""

import json
import os
import re
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import django


def outcome_of(path: Path, name: str, told: dict[str, Any]) -> dict[str, Any]:
    from apps.core.contracts import Contract
    from apps.core.workbooks.refusal import Refusal
    from apps.warehouse.arriving import read_as_table
    from apps.warehouse.landing.arrivals import Arrivals
    from apps.warehouse.landing.layout import Layout
    from apps.warehouse.landing.reader import Reader
    from apps.warehouse.landing.rejections import rejected_records

    contract = Contract.from_json(told)
    with tempfile.TemporaryDirectory() as folder:
        workplace = Path(folder)
        try:
            found = read_as_table(
                path, file_name=name, contract=contract, layout=Layout(), workplace=workplace
            )
            with Reader(
                found.survey, found.columns, workplace=workplace, on=date(2026, 11, 28)
            ) as reader:
                order = [column.name for column in contract.columns]
                arrivals = Arrivals(reader, contract, column_order=order)
                found_unsound = arrivals.take()
                arrivals.keep_unsound(found_unsound)
                unsound = found_unsound + len(arrivals.unreadable)
                told_rejections = sum(1 for _record in rejected_records(arrivals))
                rows = texts_of(reader, arrivals) if path.stat().st_size < 1 << 20 else None
        except Refusal as refusal:
            return {"code": refusal.code, "message": str(refusal.message), **refusal.details}
    records = found.survey.record_count
    return {
        "code": "", "records": records, "unsound": unsound, "told": told_rejections, "rows": rows,
    }  # fmt: skip


def texts_of(reader: Any, arrivals: Any) -> list[tuple[Any, ...]]:
    rows = reader.rows(f"SELECT * FROM {reader.source(ranked=True)} ORDER BY rank")
    return [(arrivals.record_number(rank), *texts) for rank, *texts in rows]


def cpu_seconds() -> float:
    """What this process and those that it started have worked; others at work do not count."""
    return sum(os.times()[:4])


def forget_peak() -> None:
    """Count the peak anew; `ru_maxrss` cannot, and would begin with the parent's."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> int:
    [found] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found) >> 10


def main() -> None:
    django.setup()
    for line in sys.stdin:
        path, name, contract = line.rstrip("\n").split("\t", 2)
        forget_peak()
        start = cpu_seconds()
        found = outcome_of(Path(path), name, json.loads(contract))
        seconds = round(cpu_seconds() - start, 2)
        report = {**found, "seconds": seconds, "peak_mb": peak_mb()}
        print(json.dumps(report, default=str), flush=True)


if __name__ == "__main__":
    main()
