"""The administration: scoped lists, acts by button, the reform step by step."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import (
    Delegation,
    Department,
    InformationSystem,
    RoleAssignment,
    Succession,
    User,
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
MODELS = (
    "region",
    "department",
    "sharingoffice",
    "user",
    "role",
    "roleassignment",
    "delegation",
    "informationsystem",
    "succession",
)


def as_user(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(model: str, page: str, *arguments: Any) -> str:
    return reverse(f"admin:accounts_{model}_{page}", args=arguments)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("who", ["system_admin", "authority", "provider_head"])
def test_every_list_opens(model: str, who: str, cast: Any) -> None:
    SharingOfficeFactory(department=cast["provider"].department, head=cast["provider_head"])
    InformationSystemFactory(department=cast["provider"].department)
    DelegationFactory(principal=cast["provider_head"], deputy=cast["provider"])
    response = as_user(cast[who]).get(url(model, "changelist"))
    assert response.status_code == 200


@pytest.mark.parametrize("who", ["citizen"])
def test_a_citizen_stays_outside(who: str, cast: Any) -> None:
    response = as_user(cast[who]).get(url("department", "changelist"))
    assert response.status_code in {302, 403}


def test_a_department_sees_its_own_people_and_systems_only(provider: Any, consumer: Any) -> None:
    own = InformationSystemFactory(department=provider.department)
    others = InformationSystemFactory(department=consumer.department)
    client = as_user(provider)
    assert client.get(url("informationsystem", "change", own.pk)).status_code == 200
    assert client.get(url("informationsystem", "change", others.pk)).status_code == 302
    assert client.get(url("user", "change", consumer.pk)).status_code == 302
    listed = client.get(url("user", "changelist")).content.decode()
    assert provider.username in listed
    assert consumer.username not in listed


def test_detail_pages_show_what_can_be_done(
    system_admin: Any, security_admin: Any, provider_head: Any
) -> None:
    SharingOfficeFactory(department=provider_head.department, head=provider_head)
    page = url("user", "change", provider_head.pk)
    by_system = as_user(system_admin).get(page).content.decode()
    by_security = as_user(security_admin).get(page).content.decode()
    assert "停用账号" in by_system
    assert "授予角色" not in by_system
    assert "授予角色" in by_security
    assert "停用账号" not in by_security
    assert "政务数据共享工作机构" in by_system


def test_the_security_administrator_gives_and_takes_a_role(
    security_admin: Any, provider: Any
) -> None:
    RoleFactory(code="department_approver")
    client = as_user(security_admin)
    act = url("user", "act", provider.pk, "assign_role")
    assert client.get(act).status_code == 200
    client.post(act, {"role": "department_approver", "starts_on": "2026-01-01", "ends_on": ""})
    assignment = RoleAssignment.objects.get(user=provider, role="department_approver")
    assert assignment.assigned_by == security_admin
    take = url("roleassignment", "act", assignment.pk, "revoke_role")
    assert client.post(take, {"reason": ""}).status_code == 200
    client.post(take, {"reason": "调岗"})
    assignment.refresh_from_db()
    assert assignment.revoked_by == security_admin


def test_an_act_that_is_not_allowed_is_forbidden(system_admin: Any, provider: Any) -> None:
    client = as_user(system_admin)
    response = client.post(
        url("user", "act", provider.pk, "assign_role"), {"role": "department_approver"}
    )
    assert response.status_code == 403
    assert RoleAssignment.objects.filter(user=provider).count() == 1
    assert client.get(url("user", "act", provider.pk, "vanish")).status_code == 404


def test_a_refusal_is_shown_in_words(system_admin: Any, provider_head: Any) -> None:
    SharingOfficeFactory(department=provider_head.department, head=provider_head)
    act = url("user", "act", provider_head.pk, "disable_user")
    response = as_user(system_admin).post(act, {"reason": "退休"})
    assert response.status_code == 200
    assert "须先移交" in response.content.decode()
    provider_head.refresh_from_db()
    assert provider_head.is_active


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("hand_over", {}),
        ("move_user", {}),
        ("issue_password", {"password": "short"}),
        ("enable_user", {}),
    ],
)
def test_every_act_has_its_page(
    name: str, given: dict[str, str], system_admin: Any, provider: Any
) -> None:
    client = as_user(system_admin)
    act = url("user", "act", provider.pk, name)
    assert client.get(act).status_code == 200
    assert client.post(act, given).status_code == 200


def test_a_person_is_registered_and_corrected(system_admin: Any, provider_department: Any) -> None:
    client = as_user(system_admin)
    given = {
        "username": "zhang.san",
        "name": "张三",
        "department": provider_department.pk,
        "password": "weak",
        "email": "",
        "phone": "",
    }
    refused = client.post(url("user", "add"), given)
    assert refused.status_code == 200
    assert "密码至少" in refused.content.decode()
    assert not User.objects.filter(username="zhang.san").exists()
    accepted = client.post(url("user", "add"), given | {"password": PASSWORD})
    assert accepted.status_code == 302
    user = User.objects.get(username="zhang.san")
    assert user.check_password(PASSWORD)
    assert list(user.groups.all()) == [provider_department.group]
    page = url("user", "change", user.pk)
    assert client.get(page).status_code == 200
    inlines = {
        f"{prefix}-{part}": "0"
        for prefix in ("role_assignments", "delegations_given")
        for part in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    changed = {"name": "李四", "email": "", "phone": "023", "language": ""}
    assert client.post(page, changed | inlines).status_code == 302
    user.refresh_from_db()
    assert (user.name, user.phone) == ("李四", "023")


def test_a_department_is_registered_and_corrected(authority: Any) -> None:
    client = as_user(authority)
    given = {
        "code": "D901",
        "name": "市新部门",
        "short_name": "",
        "uscc": "",
        "category": "government",
        "parent": "",
        "region": RegionFactory().pk,
        "is_bound": "on",
        "valid_from": "",
    }
    assert client.post(url("department", "add"), given).status_code == 302
    department = Department.objects.get(code="D901")
    assert department.group.name == "department:D901"
    page = url("department", "change", department.pk)
    assert client.get(page).status_code == 200
    assert client.post(page, given | {"short_name": "新部门"}).status_code == 302
    department.refresh_from_db()
    assert department.short_name == "新部门"
    assert department.history.count() == 2
    refused = client.post(page, given | {"uscc": "1150"})
    assert refused.status_code == 200
    assert "18 位" in refused.content.decode()


def test_a_head_names_the_office_on_his_departments_page(provider_head: Any) -> None:
    client = as_user(provider_head)
    page = url("department", "change", provider_head.department_id)
    assert "指定共享工作机构" in client.get(page).content.decode()
    act = url("department", "act", provider_head.department_id, "name_sharing_office")
    assert client.get(act).status_code == 200
    client.post(act, {"name": "数据处", "head": provider_head.pk, "phone": ""})
    assert provider_head.department.sharing_office.head == provider_head


def test_the_tree_shows_departments_in_force(authority: Any) -> None:
    parent = DepartmentFactory(name="市住建委")
    DepartmentFactory(name="市房管中心", parent=parent)
    DepartmentFactory(name="市旧部门", valid_to=date(2020, 1, 1))
    page = as_user(authority).get(url("department", "tree")).content.decode()
    assert "市房管中心" in page
    assert "市旧部门" not in page


def test_an_editor_registers_a_system_and_the_head_retires_it(
    provider: Any, provider_head: Any
) -> None:
    client = as_user(provider)
    given = {
        "department": provider.department_id,
        "name": "民政业务系统",
        "purpose": "",
        "built_on": "",
        "protection_level": "3",
        "contact_name": "",
        "contact_phone": "",
    }
    assert client.post(url("informationsystem", "add"), given).status_code == 302
    system = InformationSystem.objects.get(name="民政业务系统")
    page = url("informationsystem", "change", system.pk)
    assert client.get(page).status_code == 200
    assert client.post(page, given | {"purpose": "核对"}).status_code == 302
    system.refresh_from_db()
    assert (system.purpose, system.revision) == ("核对", 2)
    move = url("informationsystem", "move", system.pk, "retire")
    assert client.post(move, {"reason": "整合", "revision": 2}).status_code == 403
    as_user(provider_head).post(move, {"reason": "整合", "revision": 2})
    system.refresh_from_db()
    assert system.status == "retired"


def test_a_person_names_his_own_stand_in_from_the_list(provider: Any, provider_head: Any) -> None:
    client = as_user(provider_head)
    assert client.get(url("delegation", "add")).status_code == 200
    today = timezone.localdate()
    given = {
        "principal": provider_head.pk,
        "deputy": provider.pk,
        "starts_on": today.isoformat(),
        "ends_on": today.isoformat(),
        "reason": "出差",
    }
    assert client.post(url("delegation", "add"), given).status_code == 302
    delegation = Delegation.objects.get()
    assert (delegation.principal, delegation.deputy) == (provider_head, provider)
    act = url("delegation", "act", delegation.pk, "revoke_delegation")
    as_user(provider).post(act)
    delegation.refresh_from_db()
    assert delegation.revoked_by == provider


def reform(**given: Any) -> dict[str, Any]:
    return {
        "kind": "abolished",
        "effective_on": timezone.localdate().isoformat(),
        "basis": "渝府发〔2026〕12号",
        "note": "",
        **given,
    }


def test_a_reform_is_previewed_and_then_confirmed(authority_leader: Any, provider: Any) -> None:
    client = as_user(authority_leader)
    successor = DepartmentFactory(name="市新部门")
    page = url("succession", "add")
    assert client.get(page).status_code == 200
    given = reform(predecessors=[provider.department_id], successors=[successor.pk])
    preview = client.post(page, given | {"preview": "1"})
    assert "确认办理" in preview.content.decode()
    assert "用户" in preview.content.decode()
    assert not Succession.objects.exists()
    done = client.post(page, given | {"confirm": "1"})
    succession = Succession.objects.get()
    assert done["Location"] == url("succession", "change", succession.pk)
    shown = client.get(done["Location"]).content.decode()
    assert "市新部门" in shown
    provider.refresh_from_db()
    assert provider.department == successor


def test_a_function_is_chosen_row_by_row(authority_leader: Any, provider: Any) -> None:
    client = as_user(authority_leader)
    successor = DepartmentFactory(name="市新部门")
    system = InformationSystemFactory(department=provider.department, name="划转系统")
    page = url("succession", "add")
    given = reform(
        kind="function_moved",
        predecessors=[provider.department_id],
        successors=[successor.pk],
    )
    asked = client.post(page, given | {"preview": "1"}).content.decode()
    take = f"take:{successor.pk}:accounts.InformationSystem"
    assert take in asked
    assert "确认办理" not in asked
    chosen = client.post(page, given | {take: [system.pk], "preview": "1"}).content.decode()
    assert "确认办理" in chosen
    client.post(page, given | {take: [system.pk], "confirm": "1"})
    system.refresh_from_db()
    provider.refresh_from_db()
    assert system.department == successor
    assert provider.department != successor


def test_a_department_is_renamed_in_one_go(authority_leader: Any, provider: Any) -> None:
    client = as_user(authority_leader)
    page = url("succession", "add")
    given = reform(kind="renamed", predecessors=[provider.department_id])
    assert "更名须填写" in client.post(page, given | {"preview": "1"}).content.decode()
    given |= {"new_code": "D777", "new_name": "市社会工作局", "new_short_name": ""}
    assert "确认办理" in client.post(page, given | {"preview": "1"}).content.decode()
    client.post(page, given | {"confirm": "1"})
    provider.refresh_from_db()
    assert provider.department.name == "市社会工作局"


def test_a_refused_reform_says_why_and_changes_nothing(
    authority_leader: Any, provider: Any
) -> None:
    client = as_user(authority_leader)
    given = reform(
        predecessors=[provider.department_id], successors=[provider.department_id], confirm="1"
    )
    response = client.post(url("succession", "add"), given)
    assert "不能同时是承接部门" in response.content.decode()
    assert not Succession.objects.exists()


def test_only_the_authority_opens_the_reform(provider_head: Any, system_admin: Any) -> None:
    for user in (provider_head, system_admin):
        assert as_user(user).get(url("succession", "add")).status_code == 403


def test_users_without_a_department_see_no_rows(unassigned: Any) -> None:
    UserFactory()
    response = as_user(unassigned).get(url("user", "changelist"))
    assert response.status_code == 403
