"""Record what was done, refused and read; open and close to-dos; notify and urge.

`record`, `record_refusal`, `open_todo`, `close_todos`, `notify` and the access records are called
by the use cases of other apps, which have asked for permission; `urge`, `forward` and `read` are
use cases of their own.
"""

from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models import Model
from django.db.models.sql import InsertQuery
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from apps.accounts.models import Department, User
from apps.core import access, jobs
from apps.core.access import Standing
from apps.core.errors import Conflict, InvalidInput
from apps.ledger import access_sql, queries
from apps.ledger.channels import CHANNELS, DeliveryFailed, channels_for
from apps.ledger.models import Delivery, Event, Notice, Todo, Urging

URGING_INTERVAL = timedelta(hours=1)
MOST_ATTEMPTS = 8


def record(
    by: Standing | User | None,
    verb: str,
    subject: Model | None,
    *,
    at: datetime,
    details: Mapping[str, Any] | None = None,
    department: Department | None = None,
) -> Event:
    """Write what was done, in the transaction that does it.

    `department` is whose matter it is: the acting one unless told. None acts for the system itself.
    """
    event = _event(by, verb, subject, at=at, details=details, department=department)
    event.save(force_insert=True)
    return event


def record_refusal(
    actor: User | None,
    verb: str,
    subject: Model | type[Model] | None,
    *,
    at: datetime,
    code: str,
    message: str | Promise,
) -> None:
    """Write what was refused, on a connection of its own: the caller's transaction rolls back.

    So it does in tests: rows written here outlive a test that is rolled back, until a flush.
    """
    event = _event(actor, verb, subject, at=at, details={"code": code, "message": str(message)})
    event.outcome = Event.Outcome.REFUSED
    fields = [field for field in Event._meta.concrete_fields if not field.primary_key]
    query = InsertQuery(Event)
    query.insert_values(fields, [event])
    with closing(connection.copy()) as autonomous:
        query.get_compiler(connection=autonomous).execute_sql()


def record_failed_sign_in(
    user: User | None, *, name: str, at: datetime, details: Mapping[str, Any]
) -> Event:
    """Write a failed attempt to sign in; `name` is what was typed, whoever it belongs to."""
    event = _event(None, "ledger.sign_in", user, at=at, details={"username": name, **details})
    event.actor_label = name
    event.outcome = Event.Outcome.REFUSED
    event.department_id = user.department_id if user is not None else None
    event.save(force_insert=True)
    return event


def _event(
    by: Standing | User | None,
    verb: str,
    subject: Model | type[Model] | None,
    *,
    at: datetime,
    details: Mapping[str, Any] | None = None,
    department: Department | None = None,
) -> Event:
    standing = _standing(by)
    actor, principal = standing.actor, standing.principal
    acting = (principal or actor).department_id if (principal or actor) else None
    return Event(
        at=at,
        actor_id=actor.pk if actor else None,
        actor_label=str(actor) if actor else "",
        on_behalf_of_id=principal.pk if principal else None,
        verb=verb,
        subject_type=queries.subject_type(subject) if subject is not None else "",
        subject_id=str(subject.pk) if isinstance(subject, Model) else "",
        subject_label=_label(subject),
        department_id=department.pk if department is not None else acting,
        details=dict(details or {}),
    )


def _standing(by: Standing | User | None) -> Standing:
    if isinstance(by, Standing):
        return by
    # Django's anonymous user has no row to point to.
    known = by is not None and by.pk is not None
    return Standing(by if known else None)


def _label(subject: Model | type[Model] | None) -> str:
    if subject is None:
        return ""
    text = str(subject) if isinstance(subject, Model) else str(subject._meta.verbose_name)
    return text[:300]


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


def close_todos(subject: Model, *, at: datetime, by: User | None, kind: str | None = None) -> int:
    """Close what was to be done about a subject, of one kind or all; none is no error."""
    todos = queries.open_todos_of(subject)
    if kind is not None:
        todos = todos.filter(kind=kind)
    return todos.update(done_at=at, done_by=by)


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


def deliver_due(*, at: datetime, limit: int = 100) -> int:
    """Send what is due, each in a transaction of its own; return how many got through.

    Repeat-safe: a row is held while it is sent, and a second worker passes it by.
    """
    sent = 0
    for key in list(queries.due_deliveries(at).values_list("pk", flat=True)[:limit]):
        sent += _deliver(key, at)
    return sent


@transaction.atomic
def _deliver(key: int, at: datetime) -> bool:
    delivery = (
        Delivery.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("notice__recipient")
        .filter(pk=key, state=Delivery.State.WAITING)
        .first()
    )
    if delivery is None:
        return False
    delivery.attempts += 1
    try:
        CHANNELS[delivery.channel].send(delivery.notice, at=at)
    except DeliveryFailed as error:
        delivery.last_error = str(error)[:300]
        if delivery.attempts >= MOST_ATTEMPTS:
            delivery.state, delivery.next_attempt_at = Delivery.State.FAILED, None
        else:
            # 2, 4, 8 … minutes: about four hours in all.
            delivery.next_attempt_at = at + timedelta(minutes=2**delivery.attempts)
    else:
        delivery.state, delivery.sent_at = Delivery.State.SENT, at
        delivery.next_attempt_at = None
    delivery.save()
    return delivery.state == Delivery.State.SENT


def record_access(**values: Any) -> None:
    """Record a read that is complete: a page, a record, a preview. Columns: `access_sql`."""
    with connection.cursor() as cursor:
        cursor.execute(access_sql.PAGE, access_sql.record_parameters(**values))


def open_access(**values: Any) -> int:
    """Record that a stream begins; return the number under which it is closed.

    Commit it before the first byte leaves.
    """
    with connection.cursor() as cursor:
        cursor.execute(access_sql.NEXT_RECORD_ID)
        number = int(cursor.fetchone()[0])
        cursor.execute(access_sql.OPEN, access_sql.record_parameters(id=number, **values))
    return number


def close_access(
    record_id: int,
    *,
    opened_at: datetime,
    closed_at: datetime,
    rows: int,
    bytes: int,  # noqa: A002 (the column's name)
    outcome: str,
    first_id: int | None = None,
    last_id: int | None = None,
) -> None:
    """Record how a stream ended."""
    parameters: dict[str, Any] = {
        "record_id": record_id,
        "opened_at": opened_at,
        "closed_at": closed_at,
        "rows": rows,
        "bytes": bytes,
        "first_id": first_id,
        "last_id": last_id,
        "outcome": outcome,
    }
    with connection.cursor() as cursor:
        cursor.execute(access_sql.CLOSE, parameters)
