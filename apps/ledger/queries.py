"""What happened to a subject, and what a person has to do or was told."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet

from apps.accounts.models import User
from apps.accounts.queries import holders_of, members_with
from apps.core import access
from apps.ledger import phrases
from apps.ledger.models import AccessRecord, Delivery, Event, Notice, Todo


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


def events_of(subject: Model) -> QuerySet[Event]:
    """The events of one subject, newest first."""
    return Event.objects.filter(
        subject_type=subject_type(subject), subject_id=str(subject.pk)
    ).select_related("actor", "on_behalf_of", "department")


def trail(subject: Model) -> list[TrailEntry]:
    """Tell what was done to a subject as sentences, newest first, in one statement."""
    return [told(event) for event in events_of(subject)]


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


def records_of_grant(grant_id: int) -> QuerySet[AccessRecord]:
    """What was read under a grant, newest first."""
    return AccessRecord.objects.filter(grant_id=grant_id).order_by("-opened_at", "-id")
