"""Events, refusals, to-dos, notices and urging."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core import mail
from django.db import transaction

from apps.core import access
from apps.core.access import Standing
from apps.core.errors import Conflict, InvalidInput, NotAllowed
from apps.ledger import operations as ledger
from apps.ledger import phrases, queries
from apps.ledger.models import Delivery, Event, Notice, Todo, Urging
from tests.factories.accounts import DelegationFactory, UserFactory
from tests.factories.ledger import open_todo

pytestmark = pytest.mark.django_db

phrases.register({"ledger.test": "试办"})


@pytest.fixture
def matter(provider_department: Any) -> Any:
    return provider_department


def refusals(subject: Any) -> Any:
    return queries.events_of(subject).filter(outcome=Event.Outcome.REFUSED)


# --- events


def test_it_records_who_did_what_to_what(provider: Any, matter: Any, at: datetime) -> None:
    event = ledger.record(provider, "ledger.test", matter, at=at, details={"reason": "核对"})
    assert (event.subject_type, event.subject_id) == ("accounts.department", str(matter.pk))
    assert (event.department_id, event.outcome) == (provider.department_id, "done")
    (entry,) = queries.trail(matter)
    assert entry.sentence == f"{provider.name} 试办 {matter}，理由：核对"


def test_it_names_whom_a_stand_in_acts_for(
    provider: Any, provider_head: Any, matter: Any, at: datetime
) -> None:
    event = ledger.record(Standing(provider, provider_head), "ledger.test", matter, at=at)
    assert (event.actor_id, event.on_behalf_of_id) == (provider.pk, provider_head.pk)
    (entry,) = queries.trail(matter)
    assert entry.sentence.startswith(f"{provider.name}（代{provider_head.name}）")


def test_the_system_may_act_without_a_person(matter: Any, at: datetime) -> None:
    ledger.record(None, "ledger.test", matter, at=at)
    assert queries.trail(matter)[0].sentence == f"系统 试办 {matter}"


def test_the_trail_is_newest_first_and_one_statement(
    provider: Any, matter: Any, at: datetime, django_assert_num_queries: Any
) -> None:
    for minutes in range(5):
        ledger.record(provider, "ledger.test", matter, at=at + timedelta(minutes=minutes))
    with django_assert_num_queries(1):
        entries = queries.trail(matter)
    assert [entry.at for entry in entries] == sorted((e.at for e in entries), reverse=True)


def test_a_verb_is_said_in_one_way_only() -> None:
    with pytest.raises(ValueError, match=r"ledger\.test"):
        phrases.register({"ledger.test": "另一种说法"})


def test_a_refusal_survives_the_rollback(provider: Any, matter: Any, at: datetime) -> None:
    with transaction.atomic():
        ledger.record(provider, "ledger.test", matter, at=at)
        ledger.record_refusal(
            provider, "ledger.test", matter, at=at, code="not_allowed", message="没有权限"
        )
        transaction.set_rollback(True)
    assert not queries.events_of(matter).filter(outcome="done").exists()
    event = refusals(matter).get()
    assert event.details == {"code": "not_allowed", "message": "没有权限"}
    assert queries.told(event).sentence == f"{provider.name} 尝试试办 {matter}，未获准：没有权限"


@pytest.mark.parametrize(
    ("phrase", "tried"),
    [
        ("保存了填报", "保存填报"),
        ("沿用上一次任务，起草了", "沿用上一次任务，起草"),
        ("了结争议", "了结争议"),
        ("催办", "催办"),
    ],
)
def test_what_was_refused_is_not_told_as_done(phrase: str, tried: str) -> None:
    words = {"actor": "周敏", "principal": "", "subject": "甲", "reason": "核对"}
    refused = phrases.sentence(phrase=phrase, refused="没有权限", **words)
    done = phrases.sentence(phrase=phrase, refused="", **words)
    assert refused == f"周敏 尝试{tried} 甲，未获准：没有权限"
    assert done == f"周敏 {phrase} 甲，理由：核对"


def test_a_refusal_may_have_no_known_actor(matter: Any, at: datetime) -> None:
    ledger.record_refusal(
        AnonymousUser(), "ledger.test", type(matter), at=at, code="not_allowed", message="未登录"
    )
    event = Event.objects.filter(outcome="refused", verb="ledger.test", subject_id="").latest("id")
    assert (event.actor_id, event.subject_label) == (None, "部门")


# --- to-dos


def test_a_todo_is_seen_by_those_who_owe_it(matter: Any, cast: dict[str, Any]) -> None:
    todo = open_todo(matter)
    seen = {name for name, person in cast.items() if todo in queries.todos_of(person)}
    assert seen == {"provider"}


def test_an_assigned_todo_is_its_assignees_alone(
    matter: Any, provider: Any, provider_head: Any
) -> None:
    todo = open_todo(matter, assignee=provider_head)
    assert list(queries.todos_of(provider_head)) == [todo]
    assert list(queries.todos_of(provider)) == []


def test_a_todo_is_seen_by_whoever_stands_in(matter: Any, provider_head: Any, at: datetime) -> None:
    deputy = UserFactory(department=matter)
    DelegationFactory(principal=provider_head, deputy=deputy)
    todo = open_todo(matter, role="department_approver")
    assert list(queries.todos_of(deputy)) == [todo]


def test_the_same_todo_is_opened_once(matter: Any) -> None:
    assert open_todo(matter) == open_todo(matter)
    assert open_todo(matter, kind="sign") != open_todo(matter)


def test_todos_are_closed_by_kind_or_all(matter: Any, provider: Any, at: datetime) -> None:
    open_todo(matter)
    open_todo(matter, kind="sign")
    open_todo(matter, kind="deliver")
    assert ledger.close_todos(matter, at=at, by=provider, kind="sign") == 1
    assert ledger.close_todos(matter, at=at, by=provider) == 2
    assert ledger.close_todos(matter, at=at, by=provider) == 0
    assert set(Todo.objects.values_list("done_by", flat=True)) == {provider.pk}


def test_a_todo_is_forwarded_within_the_department(
    matter: Any, provider: Any, outsider: Any, at: datetime
) -> None:
    colleague = UserFactory(department=matter)
    todo = open_todo(matter)
    with pytest.raises(InvalidInput):
        ledger.forward(todo, to=outsider, actor=provider, at=at)
    with pytest.raises(NotAllowed):
        ledger.forward(todo, to=colleague, actor=outsider, at=at)
    ledger.forward(todo, to=colleague, actor=provider, at=at, reason="外出")
    assert list(queries.todos_of(colleague)) == [todo]
    assert list(queries.todos_of(provider)) == []
    assert queries.notices_of(colleague).count() == 1
    assert queries.trail(matter)[0].sentence == f"{provider.name} 转办 {matter}，理由：外出"


# --- notices


def test_people_are_notified_once_each_and_not_when_inactive(
    provider: Any, consumer: Any, inactive: Any, at: datetime
) -> None:
    made = ledger.notify([provider, consumer, provider, inactive], title="已送达", at=at)
    assert {notice.recipient for notice in made} == {provider, consumer}
    assert set(Delivery.objects.values_list("channel", "state")) == {("in_site", "sent")}


def test_a_notice_is_read_by_its_recipient_only(provider: Any, consumer: Any, at: datetime) -> None:
    (notice,) = ledger.notify([provider], title="已送达", at=at)
    with pytest.raises(NotAllowed):
        ledger.read(notice, actor=consumer, at=at)
    later = at + timedelta(minutes=5)
    ledger.read(notice, actor=provider, at=later)
    ledger.read(notice, actor=provider, at=later + timedelta(minutes=5))
    notice.refresh_from_db()
    assert notice.read_at == later


def test_all_notices_are_read_at_once(provider: Any, at: datetime) -> None:
    for title in ("一", "二", "三"):
        ledger.notify([provider], title=title, at=at)
    assert ledger.read_all(actor=provider, at=at) == 3
    assert ledger.read_all(actor=provider, at=at) == 0


def test_mail_goes_to_those_who_have_an_address(
    settings: Any, provider: Any, consumer: Any, at: datetime
) -> None:
    settings.HUILIU_NOTICE_CHANNELS = ("in_site", "mail")
    provider.email = "provider@example.org"
    ledger.notify([provider, consumer], title="共享申请已同意", body="请查收", url="/work/", at=at)
    assert Delivery.objects.filter(channel="mail").count() == 1
    provider.save(update_fields=["email"])
    assert ledger.deliver_due(at=at) == 1
    assert ledger.deliver_due(at=at) == 0
    (message,) = mail.outbox
    assert (message.subject, message.to) == ("共享申请已同意", ["provider@example.org"])


# --- urging


def test_urging_tells_the_debtors_and_is_marked_read(
    matter: Any, provider: Any, provider_head: Any, authority: Any, at: datetime
) -> None:
    todo = open_todo(matter)
    urging = ledger.urge(todo, actor=authority, at=at, note="明日到期")
    (notice,) = Notice.objects.filter(urging=urging)
    assert notice.recipient == provider
    assert notice.title == "催办：审核共享申请 SQ-2026-000123"
    later = at + timedelta(minutes=30)
    ledger.read(notice, actor=provider, at=later)
    urging.refresh_from_db()
    assert (urging.read_at, urging.channel, urging.by) == (later, "in_site", authority)
    assert queries.trail(matter)[0].sentence == f"{authority.name} 催办 {matter}"


def test_the_same_todo_is_not_urged_twice_within_an_hour(
    matter: Any, provider: Any, authority: Any, at: datetime
) -> None:
    todo = open_todo(matter)
    ledger.urge(todo, actor=authority, at=at)
    with pytest.raises(Conflict) as refused:
        ledger.urge(todo, actor=authority, at=at + timedelta(minutes=59))
    assert refused.value.code == "urged_recently"
    assert Urging.objects.count() == 1
    ledger.urge(todo, actor=authority, at=at + timedelta(hours=1))
    assert Urging.objects.count() == 2


def test_a_telephone_call_is_written_down_and_sends_nothing(
    matter: Any, authority: Any, at: datetime
) -> None:
    urging = ledger.urge(open_todo(matter), actor=authority, at=at, channel=Urging.Channel.PHONE)
    assert not Notice.objects.exists()
    assert urging.channel == "phone"


def test_nobody_urges_himself_or_what_is_done(
    matter: Any, provider: Any, authority: Any, at: datetime
) -> None:
    todo = open_todo(matter, assignee=provider)
    with pytest.raises(NotAllowed):
        ledger.urge(todo, actor=provider, at=at)
    ledger.close_todos(matter, at=at, by=provider)
    with pytest.raises(Conflict):
        ledger.urge(todo, actor=authority, at=at)
    assert not Urging.objects.exists()


# --- who reads the ledger


def test_the_auditor_reads_all_and_departments_their_own(
    provider: Any, consumer: Any, cast: dict[str, Any], at: datetime
) -> None:
    ours = ledger.record(provider, "ledger.test", provider.department, at=at)
    theirs = ledger.record(consumer, "ledger.test", consumer.department, at=at)
    reads = {
        name: {
            event.pk
            for event in access.rows(
                person, "view", Event.objects.filter(pk__in=[ours.pk, theirs.pk])
            )
        }
        for name, person in cast.items()
    }
    both = {ours.pk, theirs.pk}
    assert reads.pop("auditor") == both
    assert reads.pop("provider") == reads.pop("provider_head") == {ours.pk}
    assert reads.pop("consumer") == reads.pop("consumer_head") == {theirs.pk}
    assert set().union(*reads.values()) == set()
