"""A department's real database is pulled: exactly once, whatever dies when."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from apps.catalog.models import Dataset
from apps.core.errors import DomainError
from apps.warehouse import operations as warehouse
from apps.warehouse.models import Batch, PullSource
from tests.factories.sources import registered
from tests.factories.warehouse import AT
from tests.sources.servers import PASSWORD, Server

pytestmark = pytest.mark.django_db

BEGIN = datetime(2026, 11, 1, 8, 0)  # noqa: DTZ001 (as the department's column keeps it)
TERMS: dict[str, Any] = {
    "table_name": "people",
    "username": "reader",
    "columns": {
        "id_no": "id_no",
        "name": "full_name",
        "amount": "money",
        "born_on": "born",
        "changed_at": "changed_at",
    },
    "watermark_column": "changed_at",
    "overlap": 0,
}


def table(server: Server) -> str:
    return "people" if server.kind == "postgresql" else "business.people"


def insert(server: Server, numbers: range, *, at: Callable[[int], datetime], name: str) -> None:
    values = [(f"N{n:08d}", f"{name}{n}", Decimal(n) / 4, "1990-02-03", at(n)) for n in numbers]
    server.execute(
        f"INSERT INTO {table(server)} (id_no, full_name, money, born, changed_at)"
        " VALUES (%s, %s, %s, %s, %s)",
        values,
    )


def source_of(server: Server, dataset: Dataset, provider: Any, **terms: Any) -> Any:
    return registered(dataset, provider, secret=PASSWORD, **{**TERMS, **server.place, **terms})


def pull_all(at: datetime) -> int:
    rounds = 0
    while warehouse.pull_due(at=at):
        rounds += 1
    return rounds


def test_it_lands_whole_and_then_only_what_changed(
    server: Server, dataset: Dataset, provider: Any, rows: Any, settings: Any
) -> None:
    settings.HUILIU_PULL_ROWS = 500
    # 2,000 rows of which each 30 share a moment: chunks never end inside.
    insert(server, range(2000), at=lambda n: BEGIN + timedelta(seconds=n // 30), name="张")
    source = source_of(server, dataset, provider)
    assert "2,000" in warehouse.try_source(source=source, actor=provider, at=AT)
    pull_all(AT + timedelta(days=30))
    assert {(run.status, run.message_code) for run in source.runs.all()} == {("landed", "")}
    names = ("id_no", "name", "amount", "born_on", "changed_at")
    landed = rows(dataset, *names, order="id_no")
    assert len(landed) == 2000
    assert landed[7][:3] == ("N00000007", "张7", Decimal("1.75"))
    assert landed[60][4] == BEGIN + timedelta(seconds=2)
    assert source.runs.count() == 4
    source.refresh_from_db()
    assert source.checkpoint["value"].startswith("2026-11-01T08:01:06")
    assert source.backlog_rows == 0

    server.execute(
        f"UPDATE {table(server)} SET full_name = '李, \"四\"\n', changed_at = '2026-11-02 09:00:00'"
        " WHERE id_no = 'N00000003'"
    )
    insert(server, range(2000, 2002), at=lambda _n: datetime(2026, 11, 2, 9), name="新")  # noqa: DTZ001
    # One that came late with a moment that was read before.
    insert(server, range(3000, 3001), at=lambda _n: BEGIN + timedelta(seconds=66), name="迟")
    warehouse.pull_due(at=AT + timedelta(days=60))
    last = source.runs.first()
    assert (last.status, last.rows) == ("landed", 24)  # 20 of the last moment, 4 new or changed
    assert (last.batch.landed, last.batch.changed, last.batch.unchanged) == (3, 1, 20)
    assert len(rows(dataset, "id_no")) == 2003

    warehouse.pull_due(at=AT + timedelta(days=90))
    batches = Batch.objects.count()
    warehouse.pull_due(at=AT + timedelta(days=120))
    assert source.runs.first().status == "nothing_new"
    assert Batch.objects.count() == batches


@pytest.mark.parametrize("moment", [0.05, 0.5])
def test_a_source_that_dies_in_the_middle_leaves_nothing_half(
    server: Server,
    dataset: Dataset,
    provider: Any,
    rows: Any,
    settings: Any,
    moment: float,
) -> None:
    settings.HUILIU_PULL_ROWS = 60_000
    insert(server, range(1000), at=lambda n: BEGIN + timedelta(seconds=n), name="早")
    source = source_of(server, dataset, provider)
    pull_all(AT + timedelta(days=30))
    source.refresh_from_db()
    reached, batches = source.checkpoint, Batch.objects.count()
    fill(server, 60_000)

    killer = threading.Thread(target=kill_when_written, args=(server, int(moment * 4_000_000)))
    killer.start()
    warehouse.pull_due(at=AT + timedelta(days=60))
    killer.join()
    run = source.runs.first()
    assert (run.status, run.message_code) == ("failed", "source_unreachable")
    assert PASSWORD not in run.message
    source.refresh_from_db()
    assert (source.checkpoint, source.failures) == (reached, 1)
    assert Batch.objects.count() == batches
    assert len(rows(dataset, "id_no")) == 1000
    assert not list((Path(django_settings.HUILIU_HOME) / "work").glob("pull-*"))

    server.start()
    assert source.next_run_at is not None
    pull_all(source.next_run_at + timedelta(days=30))
    landed = rows(dataset, "id_no", "amount")
    assert len(landed) == len({key for key, _amount in landed}) == 61_000
    assert (
        sum(amount for _key, amount in landed) == sum(Decimal(n) / 4 for n in range(1000)) + 60_000
    )


def fill(server: Server, count: int) -> None:
    """Many wide rows, made by the server itself."""
    if server.kind == "postgresql":
        key, moment = "'M' || n", "timestamp '2026-11-20' + n * interval '1 s'"
        numbers = f"generate_series(1, {count}) AS n"
    else:
        key, moment = "concat('M', seq)", "'2026-11-20' + INTERVAL seq SECOND"
        numbers = f"business.seq_1_to_{count}"
    series = f"SELECT {key}, repeat('宽', 60), 1, '1990-01-01', {moment} FROM {numbers}"
    if server.kind == "postgresql":
        series = series.replace("'1990-01-01'", "date '1990-01-01'")
    server.execute(
        f"INSERT INTO {table(server)} (id_no, full_name, money, born, changed_at) {series}"
    )


def kill_when_written(server: Server, size: int) -> None:
    """Kill the server as soon as the portal has written so much of what it read."""
    work = Path(django_settings.HUILIU_HOME) / "work"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if any(file.stat().st_size > size for file in work.glob("pull-*/rows.csv")):
            server.kill()
            return
        time.sleep(0.001)


def test_a_whole_table_replaces_what_was_there(
    server: Server, dataset: Dataset, provider: Any, rows: Any
) -> None:
    insert(server, range(10), at=lambda _n: BEGIN, name="张")
    source_of(server, dataset, provider, watermark_column="", mode="snapshot")
    pull_all(AT + timedelta(days=30))
    server.execute(f"DELETE FROM {table(server)} WHERE id_no > 'N00000004'")
    warehouse.pull_due(at=AT + timedelta(days=60))
    assert len(rows(dataset, "id_no")) == 5


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"username": "nobody"}, "source_unreachable"),
        ({"database": "elsewhere"}, "source_unreachable"),
        ({"table_name": "nothing"}, "source_table_missing"),
        ({"watermark_column": "later"}, "source_columns_missing"),
    ],
)
def test_what_is_wrong_is_told_when_trying(
    server: Server, dataset: Dataset, provider: Any, terms: Any, code: str
) -> None:
    source = source_of(server, dataset, provider, **terms)
    with pytest.raises(DomainError) as caught:
        warehouse.try_source(source=source, actor=provider, at=AT)
    assert caught.value.code == code
    assert PASSWORD not in str(caught.value)


def test_a_binary_column_is_told_by_name(server: Server, dataset: Dataset, provider: Any) -> None:
    insert(server, range(5000), at=lambda _n: BEGIN, name="张")
    server.execute(f"UPDATE {table(server)} SET photo = '123'")
    source = source_of(server, dataset, provider, columns={**TERMS["columns"], "name": "photo"})
    warehouse.pull_due(at=AT + timedelta(days=30))
    run = source.runs.get()
    assert (run.status, run.message_code) == ("failed", "source_value_unfit")
    assert "photo" in run.message


def test_a_private_address_is_not_connected_to_unless_allowed(
    server: Server, dataset: Dataset, provider: Any, settings: Any
) -> None:
    source: PullSource = source_of(server, dataset, provider)
    settings.HUILIU_PULL_ALLOW = []
    warehouse.pull_due(at=AT + timedelta(days=30))
    assert source.runs.get().message_code == "address_refused"
