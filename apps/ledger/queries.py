"""What happened to a subject, and what a person has to do or was told."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.accounts.models import User
from apps.accounts.queries import holders_of, members_with
from apps.core import access
from apps.ledger import phrases
from apps.ledger.models import AccessClose, AccessRecord, Delivery, Event, Notice, Todo


@dataclass(frozen=True)
class TrailEntry:
    """One event of a trail: the sentence and what a page may want to set apart."""

    at: datetime
    sentence: str
    is_refused: bool
    event: Event


def subject_type(subject: Model | type[Model]) -> str:
    """How a subject's kind is written in events: "sharing.sharingrequest"."""
    return subject._meta.label_lower


def last_event_number() -> int:
    """Return the number of the last event that can be seen; 0 before the first."""
    return Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def events_of(subject: Model) -> QuerySet[Event]:
    """The events of one subject, newest first."""
    return Event.objects.filter(
        subject_type=subject_type(subject), subject_id=str(subject.pk)
    ).select_related("actor", "on_behalf_of", "department")


def trail(subject: Model) -> list[TrailEntry]:
    """Tell what was done to a subject as sentences, newest first, in one statement.

    Forms that were filled in wrongly are left out: the log has them.
    """
    return [told(event) for event in events_of(subject) if not event.details.get("slip")]


def told(event: Event) -> TrailEntry:
    """Write one event as a sentence."""
    refused = event.outcome == Event.Outcome.REFUSED
    words = phrases.sentence(
        actor=event.actor_label,
        principal=str(event.on_behalf_of) if event.on_behalf_of_id else "",
        phrase=phrases.counted(phrases.phrase(event.verb, event.subject_type), event.details),
        subject=event.subject_label,
        refused=str(event.details.get("message", "")) if refused else "",
        reason=str(event.details.get("reason", "")),
    )
    return TrailEntry(event.at, words, refused, event)


def todos_of(user: User, *, at: datetime | None = None) -> QuerySet[Todo]:
    """The open to-dos of a person and of those he stands in for, soonest due first."""
    todos = access.rows(user, "view", Todo.objects.filter(done_at=None), at=at)
    return todos.select_related("content_type", "department", "assignee").order_by(
        "due_on", "opened_at", "id"
    )


def open_todos_of(subject: Model) -> QuerySet[Todo]:
    """What is still to be done about a subject, by anybody."""
    return Todo.objects.filter(
        content_type=ContentType.objects.get_for_model(subject),
        object_id=subject.pk,
        done_at=None,
    ).select_related("department", "assignee")


def debtors_of(todo: Todo) -> list[User]:
    """The people who can do it: the assignee, or all who hold the role in the department."""
    if todo.assignee is not None:
        return [todo.assignee]
    if todo.department is None:
        return list(holders_of(todo.role).order_by("pk"))
    return list(members_with(todo.role, todo.department).order_by("pk"))


def notices_of(user: User) -> QuerySet[Notice]:
    """A person's notices, newest first."""
    return Notice.objects.filter(recipient=user)


def unread_notices_of(user: User) -> QuerySet[Notice]:
    return notices_of(user).filter(read_at=None)


def due_deliveries(at: datetime) -> QuerySet[Delivery]:
    """Deliveries whose (next) attempt is due, oldest first."""
    return Delivery.objects.filter(state=Delivery.State.WAITING, next_attempt_at__lte=at).order_by(
        "next_attempt_at", "id"
    )


def records_of_grant(*grant_ids: int) -> QuerySet[AccessRecord]:
    """What was read under a grant, or under several that continue each other, newest first."""
    return AccessRecord.objects.filter(grant_id__in=grant_ids).order_by("-opened_at", "-id")


def with_ends(records: QuerySet[AccessRecord]) -> QuerySet[AccessRecord]:
    """Add to each read what left in the end: of a stream its close tells, not the record.

    Adds: `sent_rows`, `sent_bytes`, `from_id`, `to_id`, `ended` (`AccessClose.Outcome`; None for
        what was one answer, and for a stream that is open or was torn off), `ended_at`.
    """
    close = AccessClose.objects.filter(record_id=OuterRef("pk"), opened_at=OuterRef("opened_at"))

    def of_close(column: str) -> Subquery:
        return Subquery(close.values(column)[:1])

    return records.annotate(
        sent_rows=Coalesce("rows", of_close("rows")),
        sent_bytes=Coalesce("bytes", of_close("bytes")),
        from_id=Coalesce("first_id", of_close("first_id")),
        to_id=Coalesce("last_id", of_close("last_id")),
        ended=of_close("outcome"),
        ended_at=of_close("closed_at"),
    )


def reaching(records: QuerySet[AccessRecord], record_id: int) -> QuerySet[AccessRecord]:
    """Keep the reads whose span holds the record, and the streams of which no end is known.

    A span says what may have been read: whether the row was in it, the conditions say.
    """
    within = Q(from_id__lte=record_id, to_id__gte=record_id)
    return with_ends(records).filter(within | Q(sent_rows=None))
