"""A published entry gets its table, though the catalogue knows nothing of the warehouse."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from apps.catalog import operations as catalog
from apps.catalog.contracts import draw_up_contract
from apps.catalog.models import DatasetVersion
from apps.core.errors import InvalidInput
from apps.ledger.models import Notice
from apps.warehouse import operations as warehouse
from apps.warehouse import tasks
from apps.warehouse.models import DataTable
from tests.catalog.stories import STORIES, People


@pytest.fixture(autouse=True)
def _with_jobs(settings: Any) -> None:
    settings.HUILIU_JOBS = True


def jobs() -> list[dict[str, Any]]:
    waiting = ProcrastinateJob.objects.filter(task_name="warehouse.make_table")
    return [job.args for job in waiting.order_by("id")]


def columns_of(schema: str, table: str) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = %s AND table_name = %s",
            [schema, table],
        )
        return dict(cursor.fetchall())


def test_it_wakes_the_worker_who_makes_the_table(people: People, at: datetime) -> None:
    dataset = STORIES["submitted"](people, at)
    assert jobs() == []
    catalog.publish(dataset=dataset, actor=people.officer, at=at)
    assert jobs() == [{"dataset": dataset.pk}]
    assert not DataTable.objects.filter(dataset=dataset).exists()
    tasks.make_table(**jobs()[0])
    table = DataTable.objects.get(dataset=dataset)
    found = columns_of(table.schema, table.name)
    assert {name: found[name] for name in table.column_names} == {
        "identity_number": "text",
        "name": "text",
        "division_code": "text",
        "registered_on": "date",
        "amount": "numeric",
    }
    assert table.store.department == people.editor.department


def test_it_makes_one_table_however_often_it_is_woken(people: People, at: datetime) -> None:
    dataset = STORIES["published"](people, at)
    first = warehouse.make_table(dataset=dataset, at=at)
    assert warehouse.make_table(dataset=dataset, at=at) == first
    assert DataTable.objects.filter(dataset=dataset).count() == 1


def test_a_refused_publication_wakes_nobody(people: People, at: datetime) -> None:
    dataset = STORIES["submitted"](people, at)
    dataset.items.all().delete()
    with pytest.raises(InvalidInput):
        catalog.publish(dataset=dataset, actor=people.officer, at=at)
    assert jobs() == []


def test_the_provider_is_told_what_the_table_cannot_follow(people: People, at: datetime) -> None:
    dataset = STORIES["published"](people, at)
    table = warehouse.make_table(dataset=dataset, at=at)
    assert table is not None
    dataset.items.filter(column_name="registered_on").update(data_type="C")
    DatasetVersion.objects.create(
        dataset=dataset,
        number=2,
        contract=draw_up_contract(dataset, on=at.date()).to_json(),
        snapshot={},
        published_at=at,
    )
    assert warehouse.make_table(dataset=dataset, at=at) is None
    assert columns_of(table.schema, table.name)["registered_on"] == "date"
    told = Notice.objects.filter(recipient=people.editor, title__startswith="数据表未能")
    assert "登记日期" in told.get().body
