"""What the measurements of the data plane read: one table of 1,000,000 × 10 under real grants."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import psycopg
from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from apps.accounts.models import InformationSystem
from apps.catalog import queries as catalog
from apps.sharing import naming, provisioning
from apps.sharing.gateway import pool
from apps.sharing.gateway.cursor import Cursor
from apps.sharing.models import Grant, SharingRequest
from apps.warehouse import physical
from apps.warehouse.models import DataTable
from config import embedded, environment
from config.embedded import cluster
from tests import stories
from tests.benchmarks.harness import timed
from tests.factories.accounts import InformationSystemFactory
from tests.factories.catalog import Item
from tests.factories.gateway import credential_of, draw_token
from tests.factories.sharing import Scene, make_scene, period

Superuser = psycopg.Connection[tuple[object, ...]]
ROWS = 1_000_000
ITEMS: tuple[Item, ...] = (
    ("person_id", "公民身份号码", "C", 18, True, {}),
    ("name", "姓名", "C", 50, True, {"mask": "cover_name"}),
    ("gender", "性别代码", "C", 1, False, {}),
    ("birth", "出生日期", "D", None, False, {}),
    ("district", "行政区划代码", "C", 6, False, {}),
    ("address", "住址", "C", 200, False, {}),
    ("phone", "联系电话", "C", 11, False, {"mask": "cover_mobile"}),
    ("income", "年收入", "Y", 14, False, {"scale": 2}),
    ("household", "家庭人数", "I", None, False, {}),
    ("updated", "更新时间", "T", None, False, {}),
)
COLUMNS = [item[0] for item in ITEMS]
MASKS = {"name": "cover_name", "phone": "cover_mobile"}
CONDITION = [{"item": "district", "operator": "gte", "value": "500103"}]
FILL = """
INSERT INTO {table} (_batch, _hash, person_id, name, gender, birth, district, address, phone,
                     income, household, updated)
SELECT 1, i, '5001' || lpad((i * 7)::text, 14, '0'), '张' || chr(20000 + i % 5000)
       || chr(21000 + i % 3000), (i % 2 + 1)::text, date '1950-01-01' + i % 25000,
       '5001' || lpad((i % 38)::text, 2, '0'), '重庆市渝中区解放碑街道' || i || '号',
       '138' || lpad((i % 100000000)::text, 8, '0'), (i % 100000) / 7.0, i % 7,
       timestamp '2026-01-01' + i * interval '1 second'
  FROM generate_series(1, {rows}) i
"""


@dataclass(frozen=True)
class City:
    """The table, the grant under which it is read, and a token of its system."""

    scene: Scene
    grant: Grant
    token: str
    table: DataTable

    @property
    def path(self) -> str:
        return f"/api/v1/data/{self.scene.dataset.code.replace('/', '-')}"

    def cursors(self, starts: list[int]) -> list[str]:
        dataset_id = self.scene.dataset.pk
        return [
            Cursor(dataset_id, self.grant.pk, self.grant.version, start).write() for start in starts
        ]


def build() -> City:
    """Land the rows, ask for them, decide, deliver, and draw a token, all by real operations."""
    at = timezone.now()
    scene = make_scene(items=ITEMS, key_items=["person_id"])
    table = physical.ensure_table(scene.dataset)
    with connection.cursor() as cursor:
        filled = FILL.format(table=f'"{table.schema}"."{table.name}"', rows=ROWS)
        cursor.execute(filled)
    contract = catalog.contract_of(scene.dataset)
    physical.create_indexes(contract, schema=table.schema, name=table.name)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("VACUUM ANALYZE {}").format(name_of(table)))
    DataTable.objects.filter(pk=table.pk).update(batch_counter=1, row_count=ROWS, is_indexed=True)
    items = {column: MASKS.get(column, "") for column in COLUMNS}
    request = stories.delivered(scene, at, items=items, row_condition=CONDITION)
    token = draw_token(credential_of(scene.system, scene.consumer_head, at))
    return City(scene, request.grant, token, table)


def person_id(number: int) -> str:
    """The key of the row of that number, as FILL writes it."""
    return f"5001{number * 7:014}"


def readable_rows(count: int) -> list[int]:
    """Numbers of so many rows that the grant's condition shows."""
    chosen = random.Random(13)
    found: list[int] = []
    while len(found) < count:
        number = chosen.randrange(1, ROWS + 1)
        if number % 38 >= 3 and number not in found:
            found.append(number)
    return found


def name_of(table: DataTable) -> sql.Identifier:
    return sql.Identifier(table.schema, table.name)


def add_systems(city: City, count: int, *, grants: int) -> list[InformationSystem]:
    """Register systems, and make ahead their roles and those of so many grants."""
    department = city.scene.consumer_department
    systems: list[InformationSystem] = [
        InformationSystemFactory(department=department) for _number in range(count)
    ]
    with _memberships_afterwards():
        provisioning.reserve_roles(ahead=grants, at_once=grants)
    return systems


def add_grants(city: City, systems: list[InformationSystem]) -> float:
    """Provision a grant on the table for each system.

    Returns the seconds that provisioning took; who asked and what was decided is not counted.
    """
    at, seconds = timezone.now(), 0.0
    for system in systems:
        grant = _further_grant(city.scene, city.grant, system, at)
        seconds += timed(partial(_provision, grant, at))
    return seconds


def add_grants_elsewhere(city: City, systems: list[InformationSystem], *, tables: int) -> None:
    """Provision a grant for each system on each of other tables."""
    at = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")  # thousands of them, and none is measured
    for _table in range(tables):
        scene = make_scene(items=ITEMS, key_items=["person_id"])
        physical.ensure_table(scene.dataset)
        for first in range(0, len(systems), 100):
            with transaction.atomic():  # one commit for many
                provisioning.hold_lock()
                for system in systems[first : first + 100]:
                    further_grant(scene, city.grant, at, system)
    with connection.cursor() as cursor:
        cursor.execute("RESET synchronous_commit")


@contextmanager
def _memberships_afterwards() -> Iterator[None]:
    """Let the portal's role make roles as a superuser would, then give it what it would have.

    Whoever makes a role without being superuser becomes a member of it, and PostgreSQL walks all
    memberships again for the next: making ten thousand in a row takes half an hour, and not making
    them as a superuser. Afterwards the memberships are those of the long way.
    """
    if not environment.uses_embedded_server():  # no superuser at hand: the long way
        yield
        return
    kept = cluster.read_secrets(embedded.describe(environment.home()).places)
    with cluster.superuser_connection(kept) as superuser:
        owner = environment.OWNER_ROLE
        superuser.execute(f"ALTER ROLE {owner} SUPERUSER")
        before = _roles(superuser)
        try:
            yield
        finally:
            superuser.execute(f"ALTER ROLE {owner} NOSUPERUSER")
        made = _roles(superuser) - before
        taken = {name for name in made if _is_of_a_grant(name)}
        _give(superuser, made, f"{owner} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
        _give(superuser, taken, f"{owner} WITH INHERIT FALSE, SET TRUE GRANTED BY {owner}")


def _roles(superuser: Superuser) -> set[str]:
    return {str(name) for (name,) in superuser.execute("SELECT rolname FROM pg_roles")}


def _is_of_a_grant(name: str) -> bool:
    return name.rpartition("_")[0] == naming.role_of_grant(pool.database(), 0).rpartition("_")[0]


def _give(superuser: Superuser, names: set[str], how: str) -> None:
    listed = sorted(names)
    for first in range(0, len(listed), 500):
        some = sql.SQL(", ").join(map(sql.Identifier, listed[first : first + 500]))
        superuser.execute(sql.SQL(f"GRANT {{}} TO {how}").format(some))


def further_grant(
    scene: Scene, like: Grant, at: datetime, system: InformationSystem | None = None
) -> Grant:
    """Provision a grant of the same terms on the scene's table, for that system or a new one."""
    grant = _further_grant(
        scene, like, system or InformationSystemFactory(department=scene.consumer_department), at
    )
    _provision(grant, at)
    return grant


def _provision(grant: Grant, at: datetime) -> None:
    provisioning.persistently(partial(provisioning.provision, grant))
    place = {"table_schema": grant.table_schema, "table_name": grant.table_name}
    Grant.objects.filter(pk=grant.pk).update(status="in_force", provisioned_at=at, **place)


@transaction.atomic
def _further_grant(scene: Scene, like: Grant, system: InformationSystem, at: datetime) -> Grant:
    # The rows alone: how a request comes to its grant is not what is measured here.
    department = system.department
    last = SharingRequest.objects.order_by("-pk").values_list("pk", flat=True)[0]
    shared: dict[str, Any] = {"created_at": at, "updated_at": at, "dataset": scene.dataset}
    request = SharingRequest.objects.create(
        number=f"SQ-2026-{last + 1:06d}",
        consumer=department,
        system=system,
        applicant=scene.consumer,
        **shared,
        **period(at),
    )
    return Grant.objects.create(
        request=request,
        provider=scene.provider_department,
        consumer=department,
        system=system,
        mode=like.mode,
        purpose=like.purpose,
        columns=like.columns,
        row_condition=like.row_condition,
        starts_at=like.starts_at,
        expires_at=like.expires_at,
        **shared,
    )
