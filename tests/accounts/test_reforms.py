"""机构改革: what moves, what stays, what is refused; over the rows of every app."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from apps.accounts import operations, queries
from apps.accounts.models import Department, SharingOffice, Succession
from apps.accounts.pointers import pointers_to_departments
from apps.catalog.models import Dataset, DatasetGroupPermission
from apps.clocks.models import Clock, ClockPolicy
from apps.core.errors import Conflict, InvalidInput, NotAllowed
from apps.ledger.models import Todo
from apps.sharing.models import DistrictReview, Grant, SharingRequest
from tests import stories
from tests.factories.accounts import (
    DepartmentFactory,
    InformationSystemFactory,
    SharingOfficeFactory,
    UserFactory,
)
from tests.factories.catalog import PublishedDatasetFactory
from tests.factories.clocks import install_policies
from tests.factories.sharing import make_scene

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 18)
BASIS = "渝府发〔2026〕12号"


def request_for(dataset: Dataset, system: Any, applicant: Any, number: int) -> SharingRequest:
    return SharingRequest.objects.create(
        number=f"SQ-2026-{number:06d}",
        dataset=dataset,
        consumer=system.department,
        system=system,
        applicant=applicant,
        created_at=datetime(2026, 1, 5, tzinfo=UTC),
        updated_at=datetime(2026, 1, 5, tzinfo=UTC),
    )


def grant_of(request: SharingRequest, at: datetime) -> Grant:
    grant = Grant.objects.create(
        request=request,
        dataset=request.dataset,
        provider=request.dataset.department,
        consumer=request.consumer,
        system=request.system,
        mode="interface",
        purpose="核对",
        starts_at=at,
        expires_at=at + timedelta(days=30),
        created_at=at,
        updated_at=at,
    )
    SharingRequest.objects.filter(pk=request.pk).update(grant=grant, grant_version=1)
    return grant


@pytest.fixture
def successor(db: None) -> Department:
    return DepartmentFactory(code="NEW1", name="市新部门")


@pytest.fixture
def second(db: None) -> Department:
    return DepartmentFactory(code="NEW2", name="市另一新部门")


@pytest.fixture
def world(provider: Any, consumer: Any, provider_head: Any, at: datetime) -> dict[str, Any]:
    """A department that provides one thing, uses another, and owes an answer on each."""
    own, others = provider.department, consumer.department
    system = InformationSystemFactory(department=own)
    given = PublishedDatasetFactory(department=own, name="甲信息")
    kept = PublishedDatasetFactory(department=own, name="乙信息")
    used = PublishedDatasetFactory(department=others, name="丙信息")
    asked = request_for(given, InformationSystemFactory(department=others), consumer, 1)
    asking = request_for(used, system, provider, 2)
    grant, received = grant_of(asked, at), grant_of(asking, at)
    right = DatasetGroupPermission.objects.create(
        group=own.group,
        content_object=used,
        permission=Permission.objects.get(codename="use_dataset"),
    )
    install_policies()
    policy = ClockPolicy.objects.get(code="request.conditional")
    clock = Clock.objects.create(
        policy=policy,
        subject=asked,
        department=own,
        started_at=at,
        received_on=TODAY,
        due_on=TODAY,
        due_at=at,
    )
    todo = Todo.objects.create(
        kind="sharing.review",
        subject=asked,
        title="审核",
        url="/",
        department=own,
        role="department_editor",
        opened_at=at,
    )
    return {
        "system": system,
        "given": given,
        "kept": kept,
        "used": used,
        "asked": asked,
        "asking": asking,
        "grant": grant,
        "received": received,
        "right": right,
        "clock": clock,
        "todo": todo,
        "child": DepartmentFactory(parent=own),
    }


def reform(actor: Any, at: datetime, **other: Any) -> dict[str, Any]:
    return {
        "kind": "abolished",
        "effective_on": TODAY,
        "basis": BASIS,
        "actor": actor,
        "at": at,
    } | other


def refreshed(world: dict[str, Any]) -> dict[str, Any]:
    for row in world.values():
        row.refresh_from_db()
    return world


def test_everything_of_an_abolished_department_goes_to_its_successor(
    world: Any, provider: Any, provider_head: Any, successor: Any, authority: Any, at: datetime
) -> None:
    old = provider.department
    code = world["given"].code
    operations.succeed(**reform(authority, at, predecessors=[old], successors=[successor]))
    refreshed(world)
    for name in ("given", "kept", "system", "clock", "todo"):
        assert world[name].department == successor, name
    assert world["asking"].consumer == world["received"].consumer == successor
    assert world["grant"].provider == successor
    assert world["child"].parent == successor
    assert world["system"].service_user.department == successor
    assert world["given"].code == code
    for person in (provider, provider_head, world["system"].service_user):
        person.refresh_from_db()
        assert person.department == successor
        assert list(person.groups.all()) == [successor.group]
    old.refresh_from_db()
    assert old.valid_to == TODAY
    for pointer in pointers_to_departments():
        assert not pointer.rows(old).exists(), pointer


def test_what_is_over_keeps_the_old_name_and_what_is_still_owed_moves(
    successor: Any, at: datetime
) -> None:
    scene = make_scene()
    over = stories.grant_in("ended", scene, at)
    refused = stories.refused(scene, at)
    alive = stories.delivered(scene, at).grant
    provider, consumer = scene.provider_department, scene.consumer_department
    parties: Any = {"predecessors": [provider], "successors": [successor]}
    operations.succeed(**reform(scene.authority, at, **parties))
    another = DepartmentFactory(code="NEW3", name="市再一新部门")
    parties = {"predecessors": [consumer], "successors": [another]}
    operations.succeed(**reform(scene.authority, at, **parties))
    for row in (over, over.request, refused, alive, alive.request):
        row.refresh_from_db()
    assert (over.provider, over.consumer, over.request.consumer) == (provider, consumer, consumer)
    assert refused.consumer == consumer
    assert (alive.provider, alive.consumer) == (successor, another)
    assert alive.request.consumer == another
    owed = over.disposal
    assert (owed.provider, owed.consumer) == (successor, another)
    stopped = Clock.objects.filter(state="stopped", department__isnull=False)
    assert stopped.exists()
    assert set(stopped.values_list("department", flat=True)) <= {provider.pk, consumer.pk}
    running = Clock.objects.filter(state="running", department__isnull=False)
    assert set(running.values_list("department", flat=True)) <= {successor.pk, another.pk}
    done = Todo.objects.filter(department__in=[provider, consumer])
    assert done.exists()
    assert not done.filter(done_at=None).exists()


def test_the_review_of_a_district_that_is_over_keeps_its_authority(
    successor: Any, at: datetime
) -> None:
    made = {"asked_at": at, "authority": DepartmentFactory()}
    scene = make_scene()
    request = stories.draft(scene, at)
    over = DistrictReview.objects.create(
        request=request, outcome="passed", done_by=scene.authority, done_at=at, **made
    )
    still = DistrictReview.objects.create(request=request, **made)
    parties: Any = {"predecessors": [made["authority"]], "successors": [successor]}
    operations.succeed(**reform(scene.authority, at, **parties))
    over.refresh_from_db()
    still.refresh_from_db()
    assert (over.authority, still.authority) == (made["authority"], successor)


def test_what_others_have_stays_with_them(
    world: Any, consumer: Any, provider: Any, successor: Any, authority: Any, at: datetime
) -> None:
    operations.succeed(
        **reform(authority, at, predecessors=[provider.department], successors=[successor])
    )
    refreshed(world)
    assert world["used"].department == world["asked"].consumer == consumer.department
    assert world["grant"].consumer == world["received"].provider == consumer.department


def test_the_rights_of_the_group_go_along_and_are_not_doubled(
    world: Any, provider: Any, successor: Any, authority: Any, at: datetime
) -> None:
    DatasetGroupPermission.objects.create(
        group=successor.group,
        content_object=world["used"],
        permission=world["right"].permission,
    )
    operations.succeed(
        **reform(authority, at, predecessors=[provider.department], successors=[successor])
    )
    rights = DatasetGroupPermission.objects.filter(content_object=world["used"])
    assert [right.group for right in rights] == [successor.group]


def test_history_and_pages_notice_the_move(
    world: Any, provider: Any, successor: Any, authority: Any, at: datetime
) -> None:
    revision = world["given"].revision
    operations.succeed(
        **reform(authority, at, predecessors=[provider.department], successors=[successor])
    )
    dataset = Dataset.objects.get(pk=world["given"].pk)
    latest = dataset.history.order_by("-history_id").first()
    assert latest is not None
    assert dataset.revision == revision + 1
    assert (latest.department, latest.history_user, latest.history_date) == (
        successor,
        authority,
        at,
    )
    assert BASIS in latest.history_change_reason


def test_the_preview_says_what_will_move_and_moves_nothing(
    world: Any, provider: Any, successor: Any, authority: Any, at: datetime
) -> None:
    old = provider.department
    lines = operations.preview_succession(
        kind="abolished", predecessors=[old], successors=[successor], actor=authority
    )
    told = {(line.model, line.part): line.count for line in lines}
    assert told["catalog.Dataset", str(Dataset._meta.get_field("department").verbose_name)] == 2
    assert told["catalog.DatasetGroupPermission", "对象权限"] == 1
    assert {line.label for line in lines} >= {"信息系统", "用户", "共享申请", "授权", "待办"}
    assert refreshed(world)["given"].department == old
    succession = operations.succeed(
        **reform(authority, at, predecessors=[old], successors=[successor])
    )
    moved = succession.moved[successor.code]
    for model in moved:
        assert moved[model] <= sum(line.count for line in lines if line.model == model)


def test_a_function_takes_its_entries_and_what_is_about_them(
    world: Any, provider: Any, successor: Any, authority: Any, at: datetime
) -> None:
    old = provider.department
    operations.succeed(
        **reform(
            authority,
            at,
            kind="function_moved",
            predecessors=[old],
            successors=[successor],
            selections={successor.pk: {"catalog.Dataset": [world["given"].pk]}},
        )
    )
    refreshed(world)
    assert world["given"].department == world["grant"].provider == successor
    assert world["clock"].department == world["todo"].department == successor
    assert world["kept"].department == world["system"].department == old
    assert world["received"].consumer == world["asking"].consumer == old
    old.refresh_from_db()
    assert old.valid_to is None
    provider.refresh_from_db()
    assert provider.department == old
    assert DatasetGroupPermission.objects.get().group == old.group


def test_a_function_takes_its_system_with_user_requests_grants_and_rights(
    world: Any, provider: Any, successor: Any, authority: Any, at: datetime
) -> None:
    old = provider.department
    operations.succeed(
        **reform(
            authority,
            at,
            kind="function_moved",
            predecessors=[old],
            successors=[successor],
            selections={successor.pk: {"accounts.InformationSystem": [world["system"].pk]}},
        )
    )
    refreshed(world)
    assert world["system"].department == successor
    assert world["system"].service_user.department == successor
    assert world["asking"].consumer == world["received"].consumer == successor
    assert world["given"].department == world["grant"].provider == old
    assert DatasetGroupPermission.objects.get().group == successor.group


def test_both_keep_a_right_that_both_still_need(
    world: Any, provider: Any, successor: Any, authority: Any, at: datetime
) -> None:
    other = InformationSystemFactory(department=provider.department)
    grant_of(request_for(world["used"], other, provider, 3), at)
    operations.succeed(
        **reform(
            authority,
            at,
            kind="function_moved",
            predecessors=[provider.department],
            successors=[successor],
            selections={successor.pk: {"accounts.InformationSystem": [other.pk]}},
        )
    )
    groups = {right.group for right in DatasetGroupPermission.objects.all()}
    assert groups == {provider.department.group, successor.group}


def test_of_a_split_the_first_successor_takes_the_rest(
    world: Any, provider: Any, successor: Any, second: Any, authority: Any, at: datetime
) -> None:
    operations.succeed(
        **reform(
            authority,
            at,
            kind="split",
            predecessors=[provider.department],
            successors=[successor, second],
            selections={second.pk: {"catalog.Dataset": [world["kept"].pk]}},
        )
    )
    refreshed(world)
    assert world["kept"].department == second
    assert world["given"].department == world["system"].department == successor
    for pointer in pointers_to_departments():
        assert not pointer.rows(provider.department).exists(), pointer


def test_two_departments_merge_and_their_figures_can_be_summed(
    world: Any, provider: Any, outsider: Any, successor: Any, authority: Any, at: datetime
) -> None:
    merged = [provider.department, outsider.department]
    operations.succeed(
        **reform(authority, at, kind="merged", predecessors=merged, successors=[successor])
    )
    outsider.refresh_from_db()
    assert outsider.department == successor
    assert queries.lineage_of(successor) == {successor.pk, *(old.pk for old in merged)}


def test_a_new_name_is_a_new_row_with_all_that_was_there(
    world: Any, provider: Any, provider_head: Any, authority: Any, at: datetime
) -> None:
    old = provider.department
    Department.objects.filter(pk=old.pk).update(uscc="11500000MB1234567X")
    old.refresh_from_db()
    SharingOfficeFactory(department=old, name="数据处", head=provider_head)
    succession = operations.rename_department(
        department=old,
        code="D777",
        name="市民政和社会工作局",
        effective_on=TODAY,
        basis=BASIS,
        actor=authority,
        at=at,
    )
    new = succession.successors.get()
    old.refresh_from_db()
    provider.refresh_from_db()
    assert (old.name, old.valid_to) == ("市民政局", TODAY)
    assert (new.name, new.uscc, new.valid_from) == (
        "市民政和社会工作局",
        "11500000MB1234567X",
        TODAY,
    )
    assert provider.department == new
    assert new.sharing_office.head == provider_head
    assert SharingOffice.objects.filter(department=old).exists()


def test_entries_of_one_name_are_told_before_departments_merge(
    world: Any, provider: Any, successor: Any, authority: Any, at: datetime
) -> None:
    PublishedDatasetFactory(department=successor, name="甲 信息")
    with pytest.raises(Conflict) as raised:
        operations.succeed(
            **reform(authority, at, predecessors=[provider.department], successors=[successor])
        )
    assert raised.value.code == "succession_clash"
    assert refreshed(world)["given"].department == provider.department
    provider.department.refresh_from_db()
    assert provider.department.valid_to is None
    assert not Succession.objects.exists()


@pytest.mark.parametrize("who", ["provider_head", "system_admin", "security_admin", "auditor"])
def test_only_the_authority_carries_out_reforms(
    who: str, cast: Any, provider_department: Any, successor: Any, at: datetime
) -> None:
    parties: Any = {"predecessors": [provider_department], "successors": [successor]}
    with pytest.raises(NotAllowed):
        operations.succeed(**reform(cast[who], at, **parties))
    with pytest.raises(NotAllowed):
        operations.preview_succession(kind="abolished", actor=cast[who], **parties)
    provider_department.refresh_from_db()
    assert provider_department.valid_to is None


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"kind": "vanished"}, "kind"),
        ({"basis": ""}, "basis"),
        ({"effective_on": TODAY + timedelta(days=1)}, "effective_on"),
        ({"successors": []}, "predecessors"),
        ({"kind": "split"}, "successors"),
        ({"kind": "function_moved"}, "selections"),
    ],
)
def test_a_reform_that_does_not_fit_is_refused(
    other: Any, field: str, provider_department: Any, successor: Any, authority: Any, at: datetime
) -> None:
    parties: Any = {"predecessors": [provider_department], "successors": [successor]}
    with pytest.raises(InvalidInput) as raised:
        operations.succeed(**(reform(authority, at, **parties) | other))
    assert raised.value.details["field"] == field
    provider_department.refresh_from_db()
    assert provider_department.valid_to is None


def test_rows_of_somebody_else_are_not_taken(
    world: Any, provider: Any, successor: Any, authority: Any, at: datetime
) -> None:
    with pytest.raises(InvalidInput) as raised:
        operations.succeed(
            **reform(
                authority,
                at,
                kind="function_moved",
                predecessors=[provider.department],
                successors=[successor],
                selections={successor.pk: {"catalog.Dataset": [world["used"].pk]}},
            )
        )
    assert raised.value.details["model"] == "catalog.Dataset"


def test_an_ended_department_is_not_reformed_again(
    provider_department: Any, successor: Any, second: Any, authority: Any, at: datetime
) -> None:
    operations.succeed(
        **reform(authority, at, predecessors=[provider_department], successors=[successor])
    )
    with pytest.raises(Conflict) as raised:
        operations.succeed(
            **reform(authority, at, predecessors=[provider_department], successors=[second])
        )
    assert raised.value.code == "department_ended"


def test_a_policy_of_the_clocks_is_no_part_of_a_department() -> None:
    assert not [p for p in pointers_to_departments() if p.model is ClockPolicy]


def test_people_may_be_chosen_with_their_function(
    provider: Any, successor: Any, authority: Any, at: datetime
) -> None:
    stays = UserFactory(department=provider.department)
    operations.succeed(
        **reform(
            authority,
            at,
            kind="function_moved",
            predecessors=[provider.department],
            successors=[successor],
            selections={successor.pk: {"accounts.User": [provider.pk]}},
        )
    )
    provider.refresh_from_db()
    stays.refresh_from_db()
    assert provider.department == successor
    assert list(provider.groups.all()) == [successor.group]
    assert stays.department != successor
