"""The two departments of a request with their people, a dataset, and a consumer's system."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from psycopg import sql

from apps.accounts.models import Department, InformationSystem, User
from apps.catalog.models import Dataset
from apps.warehouse import physical
from apps.warehouse.models import DataTable
from tests.factories.accounts import (
    DepartmentFactory,
    InformationSystemFactory,
    RegionFactory,
    UserFactory,
)
from tests.factories.catalog import PublishedDatasetFactory
from tests.factories.clocks import install_policies

# identity_number, name, division_code, registered_on, amount: two districts, three persons each.
ROWS: tuple[tuple[Any, ...], ...] = (
    ("11010519491231002X", "张小三", "500103", "2026-01-05", "1200.50"),
    ("440524188001010014", "李四", "500103", "2026-02-06", "800.00"),
    ("500103199003070111", "王五", "500103", "2026-03-07", None),
    ("500112198505050222", "赵六", "500112", "2026-01-08", "950.25"),
    ("500112199206060333", "钱七七", "500112", None, "600.00"),
    ("500112200007070444", "孙八", "500112", "2026-05-09", "1500.00"),
)


@dataclass(frozen=True)
class Scene:
    """Everybody and everything that a request needs before it is written."""

    authority: User
    provider: User
    second: User
    provider_head: User
    consumer: User
    consumer_head: User
    dataset: Dataset
    system: InformationSystem
    district: User  # head of a district's authority; of the consumer's, once it lies there

    @property
    def consumer_department(self) -> Department:
        assert self.consumer.department is not None
        return self.consumer.department

    @property
    def provider_department(self) -> Department:
        assert self.provider.department is not None
        return self.provider.department


def make_scene(**dataset: Any) -> Scene:
    """Make a scene with a dataset in force; `dataset` are fields that differ from the factory's."""
    install_policies()
    authority = Department.objects.filter(is_authority=True).first() or DepartmentFactory(
        is_authority=True
    )
    provider, consumer = DepartmentFactory(), DepartmentFactory()
    region = RegionFactory(key=f"district-of-{consumer.pk}")
    return Scene(
        authority=UserFactory(department=authority, roles=["authority_officer"]),
        provider=UserFactory(department=provider, roles=["department_editor"]),
        second=UserFactory(department=provider, roles=["department_editor"]),
        provider_head=UserFactory(department=provider, roles=["department_approver"]),
        consumer=UserFactory(department=consumer, roles=["department_editor"]),
        consumer_head=UserFactory(department=consumer, roles=["department_approver"]),
        dataset=PublishedDatasetFactory(department=provider, **dataset),
        system=InformationSystemFactory(department=consumer),
        district=UserFactory(
            department=DepartmentFactory(region=region, is_authority=True),
            roles=["department_approver"],
        ),
    )


def land(dataset: Dataset, rows: tuple[tuple[Any, ...], ...] = ROWS) -> DataTable:
    """Put rows into the dataset's table as its owner: the landing itself has tests of its own."""
    table = physical.ensure_table(dataset)
    columns = ["identity_number", "name", "division_code", "registered_on", "amount"]
    statement = sql.SQL("INSERT INTO {} ({}, _batch, _hash) VALUES ({}, 1, 0)").format(
        sql.Identifier(table.schema, table.name),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(sql.Placeholder() * len(columns)),
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)
    DataTable.objects.filter(pk=table.pk).update(batch_counter=1, row_count=len(rows))
    table.refresh_from_db()
    return table


def period(at: datetime) -> dict[str, Any]:
    """Return a first and a last day around `at`, as the written fields of a request."""
    day = at.date()
    return {"starts_on": day, "ends_on": day.replace(year=day.year + 1, day=1)}
