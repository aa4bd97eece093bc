"""Cast × action: who may do what with departments, people, roles and systems."""

from datetime import date
from typing import Any

import pytest

from apps.accounts.models import (
    Delegation,
    Department,
    InformationSystem,
    Region,
    Role,
    RoleAssignment,
    SharingOffice,
    Succession,
    User,
)
from apps.core import access
from tests.conftest import CAST
from tests.factories.accounts import (
    LONG_AGO,
    DelegationFactory,
    InformationSystemFactory,
    RegionFactory,
    SharingOfficeFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

ADMINS = {"system_admin", "security_admin", "auditor"}
AUTHORITY = {"authority", "authority_leader"}
MEMBERS = {"provider", "provider_head", "consumer", "consumer_head", "outsider"}
STAFF = MEMBERS | AUTHORITY | ADMINS

# (subject, action) → who may; the subjects are made below, all of the providing department.
MATRIX: dict[tuple[str, str], set[str]] = {
    ("region", "view"): set(CAST),
    ("role", "view"): STAFF | {"unassigned"},
    ("department", "view"): STAFF | {"unassigned"},
    ("department", "change_department"): {"system_admin", "authority"},
    ("department", "name_sharing_office"): {"system_admin", "authority", "provider_head"},
    ("department", "view_findings"): {"provider", "provider_head", "auditor"} | AUTHORITY,
    ("department", "register_system"): {"system_admin", "provider", "provider_head"},
    ("department", "announce_stop"): {"provider_head"},
    ("office", "view"): STAFF | {"unassigned"},
    ("office", "change"): {"system_admin", "authority", "provider_head"},
    ("colleague", "view"): {"provider", "provider_head"} | AUTHORITY | ADMINS,
    ("colleague", "change_user"): {"system_admin"},
    ("colleague", "move_user"): {"system_admin"},
    ("colleague", "disable_user"): {"system_admin"},
    ("colleague", "enable_user"): {"system_admin"},
    ("colleague", "issue_password"): {"system_admin"},
    ("colleague", "hand_over"): {"system_admin", "provider_head"},
    ("colleague", "assign_role"): {"security_admin"},
    ("colleague", "delegate"): {"security_admin"},
    ("assignment", "view"): {"provider", "provider_head"} | AUTHORITY | ADMINS,
    ("assignment", "revoke_role"): {"security_admin"},
    ("delegation", "view"): {"provider_head"} | ADMINS,
    ("delegation", "revoke_delegation"): {"security_admin"},
    ("system", "view"): {"provider", "provider_head"} | AUTHORITY | ADMINS,
    ("system", "issue_credential"): {"provider_head"},
    ("system", "open_supplier"): {"provider_head"},
    ("system", "view_confined"): set(),
    ("system", "explain"): {"provider", "provider_head", "auditor"} | AUTHORITY,
    ("system", "explain_record"): {"provider", "provider_head", "auditor"} | AUTHORITY,
    ("system", "change_system"): {"system_admin", "provider", "provider_head"},
    ("system", "launch"): {"system_admin", "provider_head"},
    ("system", "retire"): {"system_admin", "provider_head"},
    ("system", "reinstate"): {"system_admin", "provider_head"},
    ("system", "register_webhook"): {"provider", "provider_head"},
    ("reform", "view"): STAFF,
}
ABILITIES: dict[tuple[type[Any], str], set[str]] = {
    (Department, "create"): {"system_admin", "authority"},
    (SharingOffice, "create"): {
        "system_admin",
        "authority",
        "provider_head",
        "consumer_head",
        "outsider",
    },
    (Succession, "create"): AUTHORITY,
    (Succession, "succeed"): AUTHORITY,
    (User, "create"): {"system_admin"},
    (RoleAssignment, "create"): {"security_admin"},
    (Delegation, "create"): STAFF,
    (InformationSystem, "create"): MEMBERS | {"system_admin"},
}


@pytest.fixture
def subjects(provider_department: Any) -> dict[str, Any]:
    colleague = UserFactory(department=provider_department, roles=["department_editor"])
    reform = Succession.objects.create(
        kind="merged",
        effective_on=date(2026, 1, 1),
        basis="渝府发〔2026〕1号",
        carried_out_by=colleague,
        carried_out_at=LONG_AGO,
    )
    return {
        "region": RegionFactory(),
        "role": Role.objects.get(code="department_editor"),
        "department": provider_department,
        "office": SharingOfficeFactory(department=provider_department),
        "colleague": colleague,
        "assignment": colleague.role_assignments.get(),
        "delegation": DelegationFactory(
            principal=colleague, deputy__department=provider_department
        ),
        "system": InformationSystemFactory(department=provider_department),
        "reform": reform,
    }


@pytest.mark.parametrize(("name", "action"), MATRIX)
def test_row_and_list_agree_with_the_matrix(
    name: str, action: str, subjects: dict[str, Any], cast: dict[str, Any]
) -> None:
    subject = subjects[name]
    by_row = {who for who, user in cast.items() if access.allowed(user, action, subject)}
    by_list = {
        who for who, user in cast.items() if subject in access.rows(user, action, type(subject))
    }
    assert by_row == by_list == MATRIX[name, action]


@pytest.mark.parametrize(("model", "action"), ABILITIES)
def test_who_may_begin_something(model: type[Any], action: str, cast: dict[str, Any]) -> None:
    able = {who for who, user in cast.items() if access.able(user, action, model)}
    assert able == ABILITIES[model, action]


def test_every_action_stands_in_the_matrix() -> None:
    models = {
        Region: "region",
        Role: "role",
        Department: "department",
        SharingOffice: "office",
        User: "colleague",
        RoleAssignment: "assignment",
        Delegation: "delegation",
        InformationSystem: "system",
        Succession: "reform",
    }
    # The admin's own word for the operation that stands beside it in the same scope.
    spoken = {"change"}
    missing = [
        (name, action)
        for model, name in models.items()
        for action in access.actions_of(model)
        if (name, action) not in MATRIX and action not in spoken
    ]
    assert not missing


@pytest.mark.parametrize("action", ["assign_role", "disable_user", "enable_user", "issue_password"])
def test_no_administrator_does_it_to_himself(
    action: str, system_admin: Any, security_admin: Any
) -> None:
    for admin in (system_admin, security_admin):
        assert not access.allowed(admin, action, admin)


def test_a_person_may_name_his_own_stand_in_and_hand_over_his_own_matters(provider: Any) -> None:
    assert access.allowed(provider, "delegate", provider)
    assert access.allowed(provider, "hand_over", provider)


def test_a_stand_in_may_do_what_the_head_may(provider: Any, provider_head: Any, at: Any) -> None:
    office = SharingOfficeFactory(department=provider.department)
    assert not access.allowed(provider, "change", office, at=at)
    DelegationFactory(principal=provider_head, deputy=provider)
    provider.forget_standing()
    assert access.allowed(provider, "change", office, at=at)
    standing = access.require(provider, "change", office, at=at)
    assert (standing.actor, standing.principal) == (provider, provider_head)
