"""Registering, roles, stand-ins, hand-over: what they do and what they refuse."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from apps.accounts import evidence, operations
from apps.accounts.models import (
    Delegation,
    Department,
    InformationSystem,
    RoleAssignment,
    SharingOffice,
    User,
)
from apps.accounts.open_matters import open_matters
from apps.core.errors import (
    Conflict,
    DomainError,
    IllegalMove,
    InvalidInput,
    NotAllowed,
    StaleRevision,
)
from tests.factories.accounts import (
    PASSWORD,
    DelegationFactory,
    DepartmentFactory,
    InformationSystemFactory,
    RegionFactory,
    RoleFactory,
    SharingOfficeFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 18)


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What is reported, kept by a recorder of the test's own in place of the ledger's."""
    kept: list[tuple[str, Any]] = []

    def recorder(by: Any, verb: str, subject: Any, **_details: Any) -> None:
        kept.append((verb, subject))

    monkeypatch.setattr(evidence, "_recorders", [recorder])
    return kept


@pytest.fixture(autouse=True)
def _roles(db: None) -> None:
    for code in ("department_editor", "department_approver", "authority_officer"):
        RoleFactory(code=code)
    for code in ("system_admin", "security_admin", "audit_admin"):
        RoleFactory(code=code)


def counts() -> dict[str, int]:
    models = (User, RoleAssignment, Delegation, Department, InformationSystem, SharingOffice)
    return {model.__name__: model.objects.count() for model in models}


def refused(error: type[DomainError], operation: Any, **arguments: Any) -> DomainError:
    """Run an operation that must be refused, and see that it left nothing behind."""
    before = counts()
    with pytest.raises(error) as raised:
        operation(**arguments)
    assert counts() == before
    return raised.value


# Roles


def test_a_role_is_given_by_the_security_administrator(
    security_admin: Any, provider: Any, at: datetime, events: Any
) -> None:
    operations.assign_role(user=provider, role="department_approver", actor=security_admin, at=at)
    assert provider.holds("department_approver", on=TODAY)
    assert events == [("accounts.assign_role", provider)]


@pytest.mark.parametrize("who", ["system_admin", "auditor", "provider_head", "authority_leader"])
def test_nobody_else_gives_roles(who: str, cast: Any, provider: Any, at: datetime) -> None:
    refused(
        NotAllowed,
        operations.assign_role,
        user=provider,
        role="department_approver",
        actor=cast[who],
        at=at,
    )


def test_the_security_administrator_gives_himself_nothing(
    security_admin: Any, at: datetime
) -> None:
    for role in ("department_approver", "system_admin"):
        refused(
            NotAllowed,
            operations.assign_role,
            user=security_admin,
            role=role,
            actor=security_admin,
            at=at,
        )


def test_not_by_way_of_a_stand_in_either(
    security_admin: Any, at: datetime, authority_department: Any
) -> None:
    deputy = UserFactory(department=authority_department)
    DelegationFactory(principal=security_admin, deputy=deputy)
    for user in (deputy, security_admin):
        refused(
            NotAllowed,
            operations.assign_role,
            user=user,
            role="department_approver",
            actor=deputy,
            at=at,
        )


@pytest.mark.parametrize("held", ["system_admin", "auditor"])
@pytest.mark.parametrize("role", ["system_admin", "security_admin", "audit_admin"])
def test_administrators_roles_do_not_meet(
    held: str, role: str, cast: Any, security_admin: Any, at: datetime
) -> None:
    error = refused(
        Conflict,
        operations.assign_role,
        user=cast[held],
        role=role,
        actor=security_admin,
        at=at,
    )
    assert error.code in {"roles_separated", "conflict"}


def test_they_do_not_meet_in_a_stand_in(
    system_admin: Any, security_admin: Any, authority_department: Any, at: datetime
) -> None:
    deputy = UserFactory(department=authority_department)
    DelegationFactory(principal=system_admin, deputy=deputy, ends_on=TODAY + timedelta(days=30))
    error = refused(
        Conflict,
        operations.assign_role,
        user=deputy,
        role="audit_admin",
        actor=security_admin,
        at=at,
    )
    assert error.code == "roles_separated"


def test_a_held_role_is_not_given_again(security_admin: Any, provider: Any, at: datetime) -> None:
    refused(
        Conflict,
        operations.assign_role,
        user=provider,
        role="department_editor",
        actor=security_admin,
        at=at,
    )


@pytest.mark.parametrize(("role", "field"), [("mayor", "role"), ("authority_officer", "role")])
def test_a_role_fits_the_person(
    role: str, field: str, security_admin: Any, provider: Any, at: datetime
) -> None:
    error = refused(
        InvalidInput,
        operations.assign_role,
        user=provider,
        role=role,
        actor=security_admin,
        at=at,
    )
    assert error.details["field"] == field


def test_a_role_is_taken_back_at_once(
    security_admin: Any, provider: Any, at: datetime, events: Any
) -> None:
    assignment = provider.role_assignments.get()
    operations.revoke_role(assignment=assignment, actor=security_admin, at=at, reason="调岗")
    assert not User.objects.get(pk=provider.pk).holds("department_editor")
    assert events == [("accounts.revoke_role", provider)]


def test_the_last_administrator_of_a_kind_keeps_his_role(
    security_admin: Any, system_admin: Any, at: datetime
) -> None:
    assignment = system_admin.role_assignments.get()
    error = refused(
        Conflict,
        operations.revoke_role,
        assignment=assignment,
        actor=security_admin,
        at=at,
        reason="调岗",
    )
    assert error.code == "last_administrator"
    assignment.refresh_from_db()
    assert assignment.revoked_at is None


# Stand-ins


def delegation_of(principal: Any, deputy: Any, actor: Any, at: datetime, **other: Any) -> Any:
    return {
        "principal": principal,
        "deputy": deputy,
        "starts_on": TODAY,
        "ends_on": TODAY + timedelta(days=5),
        "reason": "出差",
        "actor": actor,
        "at": at,
        **other,
    }


def test_a_person_names_his_stand_in(
    provider: Any, provider_head: Any, at: datetime, events: Any
) -> None:
    operations.delegate(**delegation_of(provider_head, provider, provider_head, at))
    provider.forget_standing()
    assert provider.principals(at) == [provider_head]
    assert events == [("accounts.delegate", provider_head)]


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"ends_on": TODAY - timedelta(days=1)}, InvalidInput),
        ({"reason": " "}, InvalidInput),
    ],
)
def test_a_delegation_has_reason_and_dates(
    other: Any, error: Any, provider: Any, provider_head: Any, at: datetime
) -> None:
    refused(
        error,
        operations.delegate,
        **delegation_of(provider_head, provider, provider_head, at, **other),
    )


def test_a_stand_in_is_a_colleague(provider_head: Any, consumer: Any, at: datetime) -> None:
    refused(
        InvalidInput,
        operations.delegate,
        **delegation_of(provider_head, consumer, provider_head, at),
    )


def test_nobody_makes_himself_a_stand_in(security_admin: Any, authority: Any, at: datetime) -> None:
    refused(
        NotAllowed,
        operations.delegate,
        **delegation_of(authority, security_admin, security_admin, at),
    )


def test_a_stand_in_names_no_further_one(
    provider: Any, provider_head: Any, provider_department: Any, at: datetime
) -> None:
    DelegationFactory(principal=provider_head, deputy=provider)
    third = UserFactory(department=provider_department)
    refused(NotAllowed, operations.delegate, **delegation_of(provider_head, third, provider, at))


def test_one_delegation_between_two_people_at_a_time(
    provider: Any, provider_head: Any, at: datetime
) -> None:
    operations.delegate(**delegation_of(provider_head, provider, provider_head, at))
    refused(
        Conflict, operations.delegate, **delegation_of(provider_head, provider, provider_head, at)
    )


def test_administrators_do_not_stand_in_for_each_other(
    system_admin: Any, auditor: Any, at: datetime
) -> None:
    error = refused(
        Conflict, operations.delegate, **delegation_of(system_admin, auditor, system_admin, at)
    )
    assert error.code == "roles_separated"


def test_a_delegation_ends_by_the_word_of_either_side(at: datetime) -> None:
    delegation = DelegationFactory()
    operations.revoke_delegation(delegation=delegation, actor=delegation.deputy, at=at)
    assert delegation.deputy.forget_standing().principals(at) == []
    with pytest.raises(NotAllowed):
        operations.revoke_delegation(delegation=delegation, actor=delegation.deputy, at=at)


# People


def new_user(department: Any, actor: Any, at: datetime, **other: Any) -> dict[str, Any]:
    return {
        "username": "zhang.san",
        "name": "张三",
        "department": department,
        "password": PASSWORD,
        "actor": actor,
        "at": at,
        **other,
    }


def test_a_registered_person_is_in_the_departments_group(
    system_admin: Any, provider_department: Any, at: datetime, events: Any
) -> None:
    user = operations.register_user(**new_user(provider_department, system_admin, at))
    assert list(user.groups.all()) == [provider_department.group]
    assert user.password_changed_at is None
    assert events == [("accounts.register_user", user)]


@pytest.mark.parametrize("password", ["Ab1-xyz", "alllowercase", "lowercase1234"])
def test_a_weak_password_registers_nobody(
    password: str, system_admin: Any, provider_department: Any, at: datetime
) -> None:
    error = refused(
        InvalidInput,
        operations.register_user,
        **new_user(provider_department, system_admin, at, password=password),
    )
    assert error.details["field"] == "password"


def test_a_taken_name_registers_nobody(system_admin: Any, provider: Any, at: datetime) -> None:
    refused(
        Conflict,
        operations.register_user,
        **new_user(provider.department, system_admin, at, username=provider.username),
    )


def test_the_security_administrator_registers_nobody(
    security_admin: Any, provider_department: Any, at: datetime
) -> None:
    refused(
        NotAllowed, operations.register_user, **new_user(provider_department, security_admin, at)
    )


def test_only_what_is_written_about_a_person_is_corrected(
    system_admin: Any, provider: Any, at: datetime
) -> None:
    operations.change_user(user=provider, actor=system_admin, at=at, name="李四", phone="023")
    provider.refresh_from_db()
    assert (provider.name, provider.phone) == ("李四", "023")
    with pytest.raises(InvalidInput):
        operations.change_user(user=provider, actor=system_admin, at=at, kind="service")


def test_an_issued_password_ends_the_login(system_admin: Any, provider: Any, at: datetime) -> None:
    User.objects.filter(pk=provider.pk).update(login_key="old")
    operations.issue_password(user=provider, password="Huiliu-9999", actor=system_admin, at=at)
    provider.refresh_from_db()
    assert provider.check_password("Huiliu-9999")
    assert (provider.login_key, provider.password_changed_at) == ("", None)


def test_open_matters_are_seen_and_handed_over(
    provider_head: Any, provider: Any, at: datetime, events: Any
) -> None:
    office = SharingOfficeFactory(department=provider.department, head=provider_head)
    (matter,) = open_matters(provider_head)
    assert (matter.label, matter.part, matter.count) == (
        "政务数据共享工作机构",
        "负责人",
        1,
    )
    moved = operations.hand_over(user=provider_head, successor=provider, actor=provider_head, at=at)
    office.refresh_from_db()
    assert office.head == provider
    assert moved == {"accounts.SharingOffice": 1}
    assert open_matters(provider_head) == []
    assert events == [("accounts.hand_over", provider_head)]


def test_nothing_is_handed_to_another_department(
    provider_head: Any, consumer: Any, at: datetime
) -> None:
    office = SharingOfficeFactory(department=provider_head.department, head=provider_head)
    refused(
        InvalidInput,
        operations.hand_over,
        user=provider_head,
        successor=consumer,
        actor=provider_head,
        at=at,
    )
    office.refresh_from_db()
    assert office.head == provider_head


def test_nobody_is_disabled_while_something_is_open(
    system_admin: Any, provider_head: Any, provider: Any, at: datetime, events: Any
) -> None:
    SharingOfficeFactory(department=provider.department, head=provider_head)
    disable = {"user": provider_head, "actor": system_admin, "at": at, "reason": "退休"}
    error = refused(Conflict, operations.disable_user, **disable)
    assert error.code == "matters_open"
    assert error.details["matters"] == [{"label": "政务数据共享工作机构", "count": 1}]
    provider_head.refresh_from_db()
    assert provider_head.is_active
    assert events == []
    operations.hand_over(user=provider_head, successor=provider, actor=system_admin, at=at)
    operations.disable_user(**disable)
    provider_head.refresh_from_db()
    assert not provider_head.is_active
    assert provider_head.disabled_at == at


def test_disabling_ends_the_delegations_of_both_sides(
    system_admin: Any, provider: Any, provider_head: Any, at: datetime
) -> None:
    given = DelegationFactory(principal=provider, deputy=provider_head)
    held = DelegationFactory(principal=provider_head, deputy=provider)
    operations.disable_user(user=provider, actor=system_admin, at=at, reason="离职")
    for delegation in (given, held):
        delegation.refresh_from_db()
        assert delegation.revoked_at == at


def test_the_last_administrator_of_a_kind_is_not_disabled(
    system_admin: Any, auditor: Any, at: datetime
) -> None:
    error = refused(
        Conflict, operations.disable_user, user=auditor, actor=system_admin, at=at, reason="离职"
    )
    assert error.code == "last_administrator"


def test_a_disabled_person_may_be_enabled(system_admin: Any, inactive: Any, at: datetime) -> None:
    operations.enable_user(user=inactive, actor=system_admin, at=at)
    inactive.refresh_from_db()
    assert inactive.is_active
    refused(Conflict, operations.enable_user, user=inactive, actor=system_admin, at=at)


def test_a_person_moves_with_his_group_and_without_his_roles(
    system_admin: Any, security_admin: Any, provider: Any, consumer_department: Any, at: datetime
) -> None:
    move = {"user": provider, "department": consumer_department, "actor": system_admin, "at": at}
    assert refused(Conflict, operations.move_user, **move).code == "roles_held"
    operations.revoke_role(
        assignment=provider.role_assignments.get(), actor=security_admin, at=at, reason="调动"
    )
    operations.move_user(**move)
    provider.refresh_from_db()
    assert provider.department == consumer_department
    assert list(provider.groups.all()) == [consumer_department.group]


# Departments and offices


def test_a_department_comes_with_its_group_and_history(
    authority: Any, at: datetime, events: Any
) -> None:
    department = operations.register_department(
        code="D901", name="市新部门", region=RegionFactory(), actor=authority, at=at
    )
    assert department.group.name == "department:D901"
    first = department.history.get()
    assert (first.history_user, first.history_date) == (authority, at)
    assert events == [("accounts.register_department", department)]
    refused(
        Conflict,
        operations.register_department,
        code="D901",
        name="另一部门",
        region=RegionFactory(),
        actor=authority,
        at=at,
    )


def test_a_name_changes_by_a_reform_only(
    authority: Any, provider_department: Any, at: datetime
) -> None:
    refused(
        InvalidInput,
        operations.change_department,
        department=provider_department,
        actor=authority,
        at=at,
        name="新名称",
    )


def test_a_department_does_not_come_below_itself(
    authority: Any, provider_department: Any, at: datetime
) -> None:
    child = DepartmentFactory(parent=provider_department)
    refused(
        InvalidInput,
        operations.change_department,
        department=provider_department,
        actor=authority,
        at=at,
        parent=child,
    )


def test_taken_places_are_named_in_words(
    authority: Any, provider_department: Any, at: datetime
) -> None:
    DepartmentFactory(uscc="11500000MB1234567X")
    change = {"department": provider_department, "actor": authority, "at": at}
    taken = refused(Conflict, operations.change_department, uscc="11500000MB1234567X", **change)
    assert taken.details["field"] == "uscc"
    second = refused(Conflict, operations.change_department, is_authority=True, **change)
    assert second.details["field"] == "is_authority"


def test_a_head_names_office_and_head(provider_head: Any, provider: Any, at: datetime) -> None:
    office = operations.name_sharing_office(
        department=provider.department, name="数据处", head=provider, actor=provider_head, at=at
    )
    assert (office.name, office.head) == ("数据处", provider)


def test_the_head_of_an_office_is_one_of_its_own(
    provider_head: Any, consumer: Any, at: datetime
) -> None:
    refused(
        InvalidInput,
        operations.name_sharing_office,
        department=provider_head.department,
        name="数据处",
        head=consumer,
        actor=provider_head,
        at=at,
    )


# Systems


def test_a_system_acts_through_a_user_without_password(
    provider: Any, at: datetime, events: Any
) -> None:
    system = operations.register_system(
        name="民政业务系统", department=provider.department, actor=provider, at=at
    )
    user = system.service_user
    assert system.code.startswith("S-")
    assert user.kind == "service"
    assert not user.has_usable_password()
    assert list(user.groups.all()) == [provider.department.group]
    assert system.history.get().history_user == provider
    assert events == [("accounts.register_system", system)]
    refused(
        Conflict,
        operations.register_system,
        name="民政业务系统",
        department=provider.department,
        actor=provider,
        at=at,
    )


def test_nobody_registers_systems_of_another_department(
    outsider: Any, provider_department: Any, at: datetime
) -> None:
    refused(
        NotAllowed,
        operations.register_system,
        name="他人系统",
        department=provider_department,
        actor=outsider,
        at=at,
    )


def test_a_stale_page_changes_no_system(provider: Any, at: datetime) -> None:
    system = InformationSystemFactory(department=provider.department)
    operations.change_system(system=system, actor=provider, at=at, revision=1, purpose="甲")
    with pytest.raises(StaleRevision):
        operations.change_system(system=system, actor=provider, at=at, revision=1, purpose="乙")
    system.refresh_from_db()
    assert (system.purpose, system.revision) == ("甲", 2)


def test_a_retired_system_acts_no_more_until_it_is_reinstated(
    provider_head: Any, at: datetime, events: Any
) -> None:
    system = InformationSystemFactory(department=provider_head.department)
    operations.retire(system=system, actor=provider_head, at=at, reason="整合")
    assert system.status == "retired"
    assert not User.objects.get(pk=system.service_user_id).is_active
    with pytest.raises(IllegalMove):
        operations.launch(system=system, actor=provider_head, at=at)
    operations.reinstate(system=system, actor=provider_head, at=at, reason="恢复")
    assert User.objects.get(pk=system.service_user_id).is_active
    assert [verb for verb, _subject in events] == ["accounts.retire", "accounts.reinstate"]
    assert system.history.count() == 3
