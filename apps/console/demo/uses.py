"""What systems read under their grants these months: much, little, one record at a time, nothing.

The calls stand in the access records as the data plane writes them, at times in the past, and are
summed up by the counting. Then the platform looks, as it does every day, which grants are idle and
which are due for the yearly look.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from apps.console.demo.people import clerk_and_head
from apps.console.demo.writing import morning
from apps.ledger import operations as ledger
from apps.ledger.models import AccessRecord
from apps.sharing import operations as sharing
from apps.sharing.models import Grant, MeteredDay, Recertification

DAYS: Final = 60
# By dataset and the consumer's code: who asks for single records, who never called.
SINGLY: Final = {("婚姻登记基本信息", "D003"), ("社会组织基本信息", "D003")}
NEVER: Final = {("养老机构基本信息", "D003"), ("养老机构基本信息", "D010")}
LOOKED: Final = (20, 2)  # days ago, before today's look
NEED: Final = "住房补贴按季度复核，需要继续核验家庭情况"


def load_uses(*, at: datetime) -> int:
    """Write the calls of every grant in force that has none yet; return how many there are.

    Not in a city whose days were summed up already: what is written into them later is not counted.
    """
    if MeteredDay.objects.exists():
        return AccessRecord.objects.count()
    grants = Grant.objects.filter(status="in_force", provisioned_at__lt=morning(at, 1))
    for number, grant in enumerate(grants.select_related("dataset", "consumer").order_by("pk")):
        if not AccessRecord.objects.filter(grant_id=grant.pk).exists():
            _call(grant, number, at)
    for days in LOOKED:
        _look(morning(at, days))
    _state_need(morning(at, 1))
    _look(at)
    sharing.ask_usage_reports(at)
    return AccessRecord.objects.count()


@transaction.atomic
def _call(grant: Grant, number: int, at: datetime) -> None:
    """Write a grant's calls, on every second or third day of the last sixty."""
    who = (grant.dataset.name, grant.consumer.code)
    if who in NEVER:
        return
    columns = [column["name"] for column in grant.columns]
    is_single = who in SINGLY
    if number % 4 == 1 and not is_single:
        columns = columns[: max(len(columns) // 2, 1)]  # the rest is never asked for
    for moment in _moments(grant, number, at):
        query = _question(columns[:2] if is_single else columns, is_single=is_single)
        rows = 1 if is_single else 40 + 35 * ((moment.day + number) % 7)
        ledger.record_access(
            opened_at=moment,
            grant_id=grant.pk,
            grant_version=grant.version,
            system_id=grant.system_id,
            dataset_id=grant.dataset_id,
            table=f"{grant.table_schema}.{grant.table_name}",
            kind="page",
            query=query,
            rows=rows,
            bytes=rows * 45 * len(query["fields"]),
            purpose=grant.purpose[:300],
            client_address="10.20.3.15",
        )


def _moments(grant: Grant, number: int, at: datetime) -> Iterator[datetime]:
    assert grant.provisioned_at is not None  # it is in force
    for days in range(DAYS, 0, -2 - number % 2):
        first = morning(at, days) + timedelta(minutes=7 * (number % 11))
        for call in range(1 + (days + number) % 4):
            moment = first + timedelta(minutes=25 * call)
            if moment > grant.provisioned_at:
                yield moment


def _question(columns: Sequence[str], *, is_single: bool) -> dict[str, Any]:
    where = [{"item": columns[0], "operator": "eq", "value": "…"}] if is_single else []
    return {
        "fields": list(columns),
        "where": where,
        "limit": 1 if is_single else 500,
        "format": "json",
    }


def _look(at: datetime) -> None:
    """Look as the daily task does, after everything up to that day was summed up."""
    counted = sharing.count_use(at)
    while counted and counted[-1] < timezone.localdate(at):
        counted = sharing.count_use(at)
    sharing.watch_idle(at)
    sharing.recertify_due(at)


def _state_need(at: datetime) -> None:
    """Let one consumer answer, so that its provider's head has something to decide."""
    for dataset, consumer in SINGLY:
        row = Recertification.objects.filter(
            grant__dataset__name=dataset, grant__consumer__code=consumer, status="awaiting_need"
        ).first()
        if row is not None:
            clerk, _head = clerk_and_head(row.grant.consumer)
            sharing.state_need(recertification=row, actor=clerk, at=at, reason=NEED)
