"""The demonstration's negotiation, matter and disposals: each played once, by real operations."""

from dataclasses import replace
from datetime import datetime

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.models import Department, InformationSystem
from apps.console.demo.city import datasets
from apps.console.demo.people import PASSWORD
from apps.console.demo.sharing_life import (
    MATTER_DATASETS,
    MATTER_SYSTEM,
    SUPPLIER_SYSTEM,
    load_sharing_life,
)
from apps.sharing.models import Disposal, Offer, RequestPackage, SupplierAccount
from tests import stories
from tests.factories.accounts import InformationSystemFactory
from tests.factories.sharing import Scene, make_scene


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def city(scene: Scene, now: datetime) -> Scene:
    """A request under review, the entries of a matter, and a grant that is over."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE ledger_accessrecord, ledger_accessclose")
    disabled = make_scene(name="残疾人证基本信息")
    Department.objects.filter(pk=disabled.consumer_department.pk).update(code="D016")
    stories.reviewing(disabled, now)
    codes = {plan.name: plan.code for plan in datasets()}
    for name in MATTER_DATASETS:
        make_scene(name=name, code=codes[name])
    InformationSystem.objects.filter(pk=scene.system.pk).update(code=MATTER_SYSTEM)
    InformationSystemFactory(code=SUPPLIER_SYSTEM, department=scene.consumer_department)
    stories.grant_in("ended", replace(scene, system=scene.system), now)
    return scene


def test_it_is_played_once(city: Scene, now: datetime) -> None:
    assert load_sharing_life(at=now) == load_sharing_life(at=now) == 3
    assert Offer.objects.get().status == "open"
    parts = RequestPackage.objects.get().parts
    assert set(parts.values_list("status", flat=True)) == {
        "awaiting_head",
        "form_check",
        "reviewing",
    }
    assert Disposal.objects.get().status == "filed"
    supplier = SupplierAccount.objects.get()
    assert (supplier.status, supplier.system.code) == ("open", SUPPLIER_SYSTEM)
    assert supplier.user.check_password(PASSWORD)
