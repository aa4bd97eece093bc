"""The demonstration's calls: written once, summed up, and looked at as every day."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.models import Department
from apps.console.demo.uses import load_uses
from apps.ledger.models import AccessRecord
from apps.sharing.models import Grant, IdleNotice, Recertification, UsageReport
from apps.sharing.queries import thrift
from tests import stories
from tests.factories.accounts import InformationSystemFactory
from tests.factories.sharing import Scene, make_scene

# Asked for single records, asked for half of its columns, never asked.
DELIVERED: Final = {"婚姻登记基本信息": 380, "医疗机构基本信息": 70, "养老机构基本信息": 150}

IN_PLAIN: Final = dict.fromkeys(("identity_number", "name", "division_code", "registered_on"), "")


@pytest.fixture
def city(scene: Scene) -> dict[str, Grant]:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE ledger_accessrecord, ledger_accessclose")
    Department.objects.filter(pk=scene.consumer_department.pk).update(code="D003")
    at = timezone.now()
    grants = {}
    for name, days in DELIVERED.items():
        other = replace(
            make_scene(name=name),
            consumer=scene.consumer,
            consumer_head=scene.consumer_head,
            system=InformationSystemFactory(department=scene.consumer_department),
        )
        ends_on = timezone.localdate(at) + timedelta(days=300)
        began = at - timedelta(days=days)
        request = stories.delivered(other, began, ends_on=ends_on, items=IN_PLAIN)
        grants[name] = request.grant
    return grants


def test_it_is_written_once_and_every_report_has_something_to_say(city: dict[str, Grant]) -> None:
    at = timezone.now()
    written = load_uses(at=at)
    assert written > 50
    assert load_uses(at=at) == written == AccessRecord.objects.count()
    single, half, unused = city.values()
    review = Recertification.objects.get()
    assert (review.grant, review.status) == (single, "awaiting_decision")
    notice = IdleNotice.objects.get()
    assert (notice.grant, notice.status) == (unused, "suspended")
    assert set(UsageReport.objects.values_list("grant", flat=True)) >= {single.pk}
    kinds = {
        waste.grant.pk: set(waste.findings) for waste in thrift.wasted(Grant.objects.all(), at)
    }
    assert "verify" in kinds[single.pk]
    assert "columns" in kinds[half.pk]
