"""To-dos, notices and urging (催办).

`open_todo`, `close_todos` and `notify` are called by the use cases of other apps, which have asked
for permission; `urge`, `forward`, `read` and `read_all` are use cases of their own.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from apps.accounts.models import Department, User
from apps.core import access, jobs
from apps.core.errors import Conflict, InvalidInput
from apps.ledger import queries
from apps.ledger.channels import channels_for
from apps.ledger.models import Delivery, Notice, Todo, Urging
from apps.ledger.operations.events import record

URGING_INTERVAL = timedelta(hours=1)


@transaction.atomic
def open_todo(
    subject: Model,
    kind: str,
    *,
    title: str | Promise,
    url: str,
    department: Department | None,
    role: str,
    at: datetime,
    assignee: User | None = None,
    due_on: date | None = None,
) -> Todo:
    """Say that something is to be done about a subject; the same one is not opened twice."""
    same = queries.open_todos_of(subject).filter(
        kind=kind, department=department, role=role, assignee=assignee
    )
    existing = same.first()
    if existing is not None:
        return existing
    return Todo.objects.create(
        kind=kind,
        content_type=ContentType.objects.get_for_model(subject),
        object_id=subject.pk,
        title=str(title),
        url=url,
        department=department,
        role=role,
        assignee=assignee,
        opened_at=at,
        due_on=due_on,
    )


def close_todos(
    subject: Model,
    *,
    at: datetime,
    by: User | None,
    kind: str | None = None,
    but: str | None = None,
) -> int:
    """Close what was to be done about a subject, of one kind, all but one, or all.

    That there is nothing to close is no error.
    """
    todos = queries.open_todos_of(subject)
    if kind is not None:
        todos = todos.filter(kind=kind)
    if but is not None:
        todos = todos.exclude(kind=but)
    return todos.update(done_at=at, done_by=by)


def close_todos_of_all(subjects: QuerySet[Any], *, at: datetime, by: User | None) -> int:
    """Close what was to be done about any of these rows, in one statement."""
    todos = Todo.objects.filter(
        content_type=ContentType.objects.get_for_model(subjects.model),
        object_id__in=subjects.order_by().values("pk"),
        done_at=None,
    )
    return todos.update(done_at=at, done_by=by)


@transaction.atomic
def forward(todo: Todo, *, to: User, actor: User, at: datetime, reason: str = "") -> Todo:
    """Hand a to-do to a colleague of the same department (转办).

    Raises:
        NotAllowed: the to-do is not the actor's.
        InvalidInput: the colleague is of another department or inactive.
        Conflict: it is done.
    """
    standing = access.require(actor, "forward", todo)
    Todo.objects.select_for_update().get(pk=todo.pk)
    todo.refresh_from_db()
    if todo.done_at is not None:
        raise Conflict(_("该事项已办结，不必转办"), code="todo_done")
    principal = standing.principal or actor
    if not to.is_active or to.department_id != (todo.department_id or principal.department_id):
        raise InvalidInput(_("只能转办给本部门的在岗人员"), field="to")
    todo.assignee = to
    todo.save(update_fields=["assignee"])
    notify([to], title=todo.title, url=todo.url, at=at, subject=todo.subject)
    record(
        standing,
        "ledger.forward",
        todo.subject if todo.subject is not None else todo,
        at=at,
        details={"todo": todo.title, "to": str(to), "reason": reason},
    )
    return todo


@transaction.atomic
def urge(
    todo: Todo,
    *,
    actor: User,
    at: datetime,
    channel: str = Urging.Channel.IN_SITE,
    note: str = "",
) -> Urging:
    """Remind those who owe something; by telephone or letter it is only written down.

    Source: house rule (look: 催办)
    Raises:
        NotAllowed: the actor owes it himself, or may not see what it is about.
        Conflict: it was urged within the last hour, or is done.
    """
    Todo.objects.select_for_update().get(pk=todo.pk)
    todo.refresh_from_db()
    if todo.done_at is not None:
        raise Conflict(_("该事项已办结，不必催办"), code="todo_done")
    standing = access.require(actor, "urge", todo)
    if todo.subject is not None:
        access.require(actor, "view", todo.subject)
    last = todo.urgings.order_by("-at").first()
    if last is not None and at - last.at < URGING_INTERVAL:
        raise Conflict(_("一小时内已催办过该事项"), code="urged_recently")
    urging = Urging.objects.create(todo=todo, by=actor, at=at, channel=channel, note=note[:300])
    if channel == Urging.Channel.IN_SITE:
        notify(
            queries.debtors_of(todo),
            title=_("催办：%(title)s") % {"title": todo.title},
            body=_("%(who)s 催办此事项。%(note)s") % {"who": actor, "note": note},
            url=todo.url,
            at=at,
            subject=todo.subject,
            urging=urging,
        )
    ledger_subject = todo.subject if todo.subject is not None else todo
    record(
        standing,
        "ledger.urge",
        ledger_subject,
        at=at,
        details={"todo": todo.title, "channel": channel},
    )
    return urging


@transaction.atomic
def notify(
    recipients: Iterable[User],
    *,
    title: str | Promise,
    body: str | Promise = "",
    url: str = "",
    at: datetime,
    subject: Model | None = None,
    urging: Urging | None = None,
) -> list[Notice]:
    """Tell people something, each once, by every channel that reaches them."""
    people = {person.pk: person for person in recipients if person.is_active}
    notices = Notice.objects.bulk_create(
        Notice(
            recipient=person,
            title=str(title)[:200],
            body=str(body),
            url=url,
            subject_type=queries.subject_type(subject) if subject is not None else "",
            subject_id=str(subject.pk) if subject is not None else "",
            urging=urging,
            at=at,
        )
        for person in people.values()
    )
    deliveries = [
        _first_delivery(notice, channel.name, at)
        for notice in notices
        for channel in channels_for(people[notice.recipient_id])
    ]
    Delivery.objects.bulk_create(deliveries)
    if any(delivery.state == Delivery.State.WAITING for delivery in deliveries):
        jobs.wake("ledger.deliver")
    return notices


def _first_delivery(notice: Notice, channel: str, at: datetime) -> Delivery:
    if channel == "in_site":
        return Delivery(notice=notice, channel=channel, state=Delivery.State.SENT, sent_at=at)
    return Delivery(notice=notice, channel=channel, next_attempt_at=at)


@transaction.atomic
def read(notice: Notice, *, actor: User, at: datetime) -> Notice:
    """Mark a notice as read; of an urging, the first reader counts."""
    access.require(actor, "read", notice)
    Notice.objects.filter(pk=notice.pk, read_at=None).update(read_at=at)
    if notice.urging_id is not None:
        Urging.objects.filter(pk=notice.urging_id, read_at=None).update(read_at=at)
    notice.refresh_from_db()
    return notice


@transaction.atomic
def read_all(*, actor: User, at: datetime) -> int:
    """Mark all of one's notices as read; return how many were not."""
    unread = queries.unread_notices_of(actor)
    urgings = list(unread.exclude(urging=None).values_list("urging", flat=True))
    Urging.objects.filter(pk__in=urgings, read_at=None).update(read_at=at)
    return unread.update(read_at=at)
