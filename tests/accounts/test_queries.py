"""The questions that other apps ask about departments and people."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command

from apps.accounts import queries
from apps.accounts.models import InformationSystem, Region, Role, RoleAssignment, User
from tests.factories.accounts import (
    DelegationFactory,
    DepartmentFactory,
    InformationSystemFactory,
    RegionFactory,
    UserFactory,
    disable,
    retire,
)

pytestmark = pytest.mark.django_db


def test_a_role_counts_from_its_first_to_its_last_day() -> None:
    user = UserFactory(roles=["department_editor"])
    RoleAssignment.objects.update(starts_on=date(2026, 3, 1), ends_on=date(2026, 3, 31))
    held = [
        user.holds("department_editor", on=date(2026, month, day))
        for month, day in ((2, 28), (3, 1), (3, 31), (4, 1))
    ]
    assert held == [False, True, True, False]
    assert not user.holds("department_approver", on=date(2026, 3, 5))


def test_roles_are_read_once(django_assert_num_queries: Any) -> None:
    user = UserFactory(roles=["department_editor"])
    with django_assert_num_queries(1):
        assert user.holds("department_editor")
        assert not user.holds("authority_leader")


def test_a_system_is_in_service_while_it_is_not_retired_and_its_user_may_act() -> None:
    both, building, retired, disabled = InformationSystemFactory.create_batch(4)
    building.status = "building"
    building.save()
    for system in (both, retired):
        retire(system)
    for system in (both, disabled):
        disable(system)
    systems = InformationSystem.objects.select_related("service_user")
    assert [system for system in systems if system.is_in_service()] == [building]
    assert list(InformationSystem.objects.in_service()) == [building]


def test_a_stand_in_acts_from_the_first_to_the_last_day(at: datetime) -> None:
    delegation = DelegationFactory(starts_on=date(2026, 11, 18), ends_on=date(2026, 11, 18))
    deputy = delegation.deputy
    assert deputy.principals(at) == [delegation.principal]
    assert deputy.principals(at - timedelta(days=1)) == []
    assert deputy.principals(at + timedelta(days=1)) == []


def test_the_day_of_a_delegation_is_a_day_in_chongqing() -> None:
    delegation = DelegationFactory(starts_on=date(2026, 11, 18), ends_on=date(2026, 11, 18))
    evening = datetime(2026, 11, 17, 16, 30, tzinfo=UTC)  # 00:30 on the 18th
    assert delegation.deputy.principals(evening) == [delegation.principal]


def test_nobody_stands_in_for_a_disabled_person(at: datetime) -> None:
    delegation = DelegationFactory()
    User.objects.filter(pk=delegation.principal_id).update(is_active=False)
    assert delegation.deputy.principals(at) == []


def test_a_stand_in_is_not_passed_on(at: datetime) -> None:
    first = DelegationFactory()
    second = DelegationFactory(principal=first.deputy)
    assert second.deputy.principals(at) == [first.deputy]


def test_approvers_are_the_active_heads_of_that_department(
    provider_head: Any, inactive: Any
) -> None:
    UserFactory(roles=["department_approver"])
    department = provider_head.department
    assert list(queries.approvers_of(department)) == [provider_head]
    assert not queries.members_with("authority_leader", department).exists()


def test_the_authority_of_the_city_is_not_that_of_a_district(authority_department: Any) -> None:
    district = RegionFactory(key="wanzhou")
    local = DepartmentFactory(is_authority=True, region=district)
    assert queries.authority() == authority_department
    assert queries.authority(district) == local


def test_the_platform_is_a_user_that_cannot_sign_in() -> None:
    user = queries.platform_user()
    assert user == queries.platform_user()
    assert user.kind == "service"
    assert not user.has_usable_password()
    assert not user.is_staff


def test_a_drawn_system_number_is_not_drawn_again() -> None:
    assert queries.next_system_number() != queries.next_system_number()


def test_the_tree_below_a_department_is_found() -> None:
    top = DepartmentFactory()
    middle = DepartmentFactory(parent=top)
    leaf = DepartmentFactory(parent=middle)
    DepartmentFactory()
    assert queries.subtree_of(top) == {top.pk, middle.pk, leaf.pk}


@pytest.fixture
def reference() -> None:
    for name in ("regions", "roles"):
        call_command("loaddata", f"fixtures/reference/accounts_{name}.json", verbosity=0)


@pytest.mark.usefixtures("reference")
def test_the_fixtures_know_the_change_of_november_2025() -> None:
    districts = Region.objects.exclude(kind__in=("city", "zone"))
    assert districts.in_force(date(2025, 11, 1)).count() == 38
    assert districts.in_force(date(2025, 12, 1)).count() == 37
    new = Region.objects.get(code="500157")
    older = Region.objects.filter(pk__in=queries.region_lineage_of(new)).exclude(pk=new.pk)
    assert set(older.values_list("code", "name")) == {("500105", "江北区"), ("500112", "渝北区")}
    assert set(Region.objects.filter(kind="zone").values_list("code", flat=True)) == {None}


@pytest.mark.usefixtures("reference")
def test_the_fixtures_may_be_loaded_twice(reference: None) -> None:
    before = Region.objects.count(), Role.objects.count()
    for name in ("regions", "roles"):
        call_command("loaddata", f"fixtures/reference/accounts_{name}.json", verbosity=0)
    assert (Region.objects.count(), Role.objects.count()) == before == (42, 7)
    assert not Role.objects.filter(description="").exists()
