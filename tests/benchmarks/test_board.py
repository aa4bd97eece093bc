"""The responsibility board of a whole city beside that of a tenth of it: the same statements."""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.catalog.models import DataItem, Dataset, LegalDuty
from apps.catalog.operations import compiling, responsibility
from tests.benchmarks.harness import Measurement, claim
from tests.factories.accounts import (
    DepartmentFactory,
    GroupFactory,
    InformationSystemFactory,
    UserFactory,
)
from tests.factories.catalog import ClassificationFactory

AT = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
ITEMS = 13
PAGE = "/work/responsibility-board/"


@dataclass(frozen=True)
class Opened:
    queries: int
    seconds: float
    duties: int


@claim("supervision.board_queries", target="<= 1")
def board_queries() -> Measurement:
    small, whole = _opened(6, 300), _opened(61, 3_170)
    return Measurement(
        whole.queries / small.queries,
        {
            "departments": 61,
            "duties": whole.duties,
            "queries": whole.queries,
            "queries_of_300": small.queries,
            "page_seconds": round(whole.seconds, 3),
            "page_seconds_of_300": round(small.seconds, 3),
        },
    )


def _opened(departments: int, datasets: int) -> Opened:
    """Open the board of such a city, which is gone afterwards."""
    with transaction.atomic():
        officer = _city(departments, datasets)
        client = Client(HTTP_HOST="127.0.0.1")
        client.force_login(officer, backend=settings.AUTHENTICATION_BACKENDS[1])
        client.get(PAGE)
        with CaptureQueriesContext(connection) as seen:
            answer = client.get(PAGE)
        if answer.status_code != 200:
            raise RuntimeError(answer.status_code)
        opened = Opened(len(seen), median(_seconds(client) for _round in range(5)), datasets)
        transaction.set_rollback(True)
    return opened


def _seconds(client: Client) -> float:
    begin = time.perf_counter()
    client.get(PAGE)
    return time.perf_counter() - begin


def _city(departments: int, datasets: int) -> Any:
    authority = DepartmentFactory(is_authority=True, group=GroupFactory())
    officer = UserFactory(department=authority, roles=["authority_officer"])
    places = [authority, *(DepartmentFactory(group=GroupFactory()) for _ in range(departments - 1))]
    node = ClassificationFactory()
    entries = Dataset.objects.bulk_create(
        Dataset(
            code=f"307001/{number:06d}",
            name=f"数据 {number}",
            department=places[number % departments],
            classification=node,
            status="published",
            holds_no_secrets=True,
            legal_duty=f"权责 {number}",
            published_at=AT,
            created_at=AT,
            updated_at=AT,
        )
        for number in range(datasets)
    )
    DataItem.objects.bulk_create(
        (
            DataItem(dataset=entry, position=place, name=f"数据项 {place}", column_name=f"c{place}")
            for entry in entries
            for place in range(ITEMS)
        ),
        batch_size=5_000,
    )
    LegalDuty.objects.bulk_create(
        LegalDuty(
            code=f"{number}",
            name=f"权责 {number}",
            kind="other",
            department=places[number % departments],
        )
        for number in range(datasets // 3)
    )
    for place in places:
        InformationSystemFactory(department=place)
    _promise(officer)
    return officer


def _promise(officer: Any) -> None:
    asked = AT - timedelta(days=20)
    made = compiling.compile_lists(
        year=2026, batch="第一批", due_on=date(2026, 12, 31), actor=officer, at=asked
    )
    until = asked.date() + timedelta(days=2)
    responsibility.consult_all(lists=made.lists, consult_due_on=until, actor=officer, at=asked)
    responsibility.issue_all(lists=made.lists, actor=officer, at=AT)
