"""What the tables themselves refuse, by the constraint's name."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.accounts.models import (
    SEPARATED_ROLES,
    Delegation,
    Department,
    InformationSystem,
    Region,
    RoleAssignment,
    Succession,
    User,
)
from tests.factories.accounts import (
    LONG_AGO,
    DelegationFactory,
    DepartmentFactory,
    InformationSystemFactory,
    RegionFactory,
    RoleFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def refused_by(constraint: str, act: Any) -> None:
    with pytest.raises(IntegrityError) as raised, transaction.atomic():
        act()
    assert raised.value.__cause__.diag.constraint_name == constraint  # type: ignore[union-attr]


def assign(user: User, role: str, **fields: Any) -> RoleAssignment:
    return RoleAssignment.objects.create(
        user=user,
        role=RoleFactory(code=role),
        **{"starts_on": date(2026, 1, 1), "assigned_at": LONG_AGO, **fields},
    )


@pytest.mark.parametrize("first", SEPARATED_ROLES)
@pytest.mark.parametrize("second", SEPARATED_ROLES)
def test_nobody_holds_two_administrators_roles_at_once(first: str, second: str) -> None:
    user = UserFactory(roles=[first])
    refused_by("accounts_roleassignment_administrators_separated", lambda: assign(user, second))


def test_an_administrators_role_may_follow_another() -> None:
    user = UserFactory()
    assign(user, "system_admin", ends_on=date(2026, 6, 30))
    refused_by(
        "accounts_roleassignment_administrators_separated",
        lambda: assign(user, "audit_admin", starts_on=date(2026, 6, 30)),
    )
    assign(user, "audit_admin", starts_on=date(2026, 7, 1))


def test_a_revoked_administrators_role_makes_room() -> None:
    user, other = UserFactory(), UserFactory()
    assign(user, "system_admin", revoked_at=LONG_AGO, revoked_by=other)
    assign(user, "security_admin")


def test_nobody_gives_himself_a_role() -> None:
    user = UserFactory()
    refused_by(
        "accounts_roleassignment_never_to_oneself",
        lambda: assign(user, "department_editor", assigned_by=user),
    )


def test_a_role_does_not_end_before_it_begins() -> None:
    refused_by(
        "accounts_roleassignment_ends_after_it_begins",
        lambda: assign(UserFactory(), "department_editor", ends_on=date(2025, 1, 1)),
    )


def test_who_took_a_role_back_and_when_belong_together() -> None:
    refused_by(
        "accounts_roleassignment_revoked_by_and_at",
        lambda: assign(UserFactory(), "department_editor", revoked_at=LONG_AGO),
    )


def test_nobody_is_a_superuser() -> None:
    refused_by("accounts_user_nobody_is_superuser", lambda: UserFactory(is_superuser=True))


def test_a_citizen_has_no_department() -> None:
    refused_by("accounts_user_citizen_has_no_department", lambda: UserFactory(kind="citizen"))


def test_an_active_account_was_not_disabled() -> None:
    refused_by("accounts_user_disabled_has_time", lambda: UserFactory(disabled_at=LONG_AGO))


def test_nobody_stands_in_for_himself() -> None:
    user = UserFactory()
    refused_by(
        "accounts_delegation_never_to_oneself",
        lambda: DelegationFactory(principal=user, deputy=user),
    )


def test_a_delegation_does_not_end_before_it_begins() -> None:
    refused_by(
        "accounts_delegation_ends_after_it_begins",
        lambda: DelegationFactory(ends_on=date(2025, 1, 1)),
    )


def test_who_ended_a_delegation_and_when_belong_together() -> None:
    delegation = DelegationFactory()
    refused_by(
        "accounts_delegation_revoked_by_and_at",
        lambda: Delegation.objects.filter(pk=delegation.pk).update(revoked_at=LONG_AGO),
    )


def test_a_department_does_not_end_before_it_begins() -> None:
    refused_by(
        "accounts_department_ends_after_it_begins",
        lambda: DepartmentFactory(valid_from=date(2026, 2, 1), valid_to=date(2026, 1, 1)),
    )


def test_a_department_is_not_its_own_parent() -> None:
    department = DepartmentFactory()
    refused_by(
        "accounts_department_is_not_its_own_parent",
        lambda: Department.objects.filter(pk=department.pk).update(parent=department),
    )


def test_a_credit_code_belongs_to_one_department_in_force() -> None:
    code = "11500000MB1234567X"
    former = DepartmentFactory(uscc=code)
    refused_by("accounts_department_uscc_once_in_force", lambda: DepartmentFactory(uscc=code))
    Department.objects.filter(pk=former.pk).update(valid_to=date(2026, 1, 1))
    DepartmentFactory(uscc=code)


def test_a_credit_code_has_eighteen_characters() -> None:
    refused_by("accounts_department_uscc_form", lambda: DepartmentFactory(uscc="1150"))


def test_a_region_has_one_authority() -> None:
    DepartmentFactory(is_authority=True)
    refused_by(
        "accounts_department_one_authority_per_region",
        lambda: DepartmentFactory(is_authority=True),
    )
    DepartmentFactory(is_authority=True, region=RegionFactory(key="wanzhou"))


def test_a_region_does_not_end_before_it_begins() -> None:
    refused_by(
        "accounts_region_ends_after_it_begins",
        lambda: RegionFactory(key="new", valid_from=date(2026, 2, 1), valid_to=date(2026, 2, 1)),
    )


def test_a_region_code_is_made_of_digits() -> None:
    refused_by("accounts_region_code_is_digits", lambda: RegionFactory(key="new", code="5001A1"))


def test_a_system_code_has_its_form() -> None:
    refused_by("accounts_informationsystem_code_form", lambda: InformationSystemFactory(code="X1"))


def test_a_protection_level_lies_between_one_and_five() -> None:
    system = InformationSystemFactory()
    refused_by(
        "accounts_informationsystem_protection_level_1_to_5",
        lambda: InformationSystem.objects.filter(pk=system.pk).update(protection_level=6),
    )


def test_a_reform_names_its_basis() -> None:
    refused_by(
        "accounts_succession_has_basis",
        lambda: Succession.objects.create(
            kind="merged",
            effective_on=date(2026, 1, 1),
            basis="",
            carried_out_by=UserFactory(),
            carried_out_at=LONG_AGO,
        ),
    )


def test_every_constraint_of_accounts_is_named_after_its_table() -> None:
    for model in (Region, Department, User, RoleAssignment, Delegation, InformationSystem):
        for constraint in model._meta.constraints:
            assert constraint.name.startswith(f"{model._meta.db_table}_")
