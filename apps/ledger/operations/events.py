"""Record what was done, in the operation's own transaction; what was refused, outside it."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Model
from django.db.models.sql import InsertQuery
from django.utils.functional import Promise

from apps.accounts.models import Department, User
from apps.core.access import Standing
from apps.core.copying import copy_in
from apps.core.errors import NotAllowed
from apps.ledger import queries
from apps.ledger.models import Event


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


def record_many(
    by: Standing | User | None,
    verb: str,
    subjects: Iterable[tuple[Model, Department | None, Mapping[str, Any]]],
    *,
    at: datetime,
) -> None:
    """Write one event for each subject, whose matter it is, and its details, in one statement."""
    copy_in(
        Event,
        (
            _event(by, verb, subject, at=at, details=details, department=department)
            for subject, department, details in subjects
        ),
    )


def record_refusal(
    actor: User | AnonymousUser | None,
    verb: str,
    subject: Model | type[Model] | None,
    *,
    at: datetime,
    code: str,
    message: str | Promise,
    is_slip: bool = False,
) -> None:
    """Write what was refused, on a connection of its own: the caller's transaction rolls back.

    is_slip: a form was filled in wrongly; kept as evidence, and not told on the subject's page.

    So it does in tests: rows written here outlive a test that is rolled back, until a flush.
    """
    details: dict[str, Any] = {"code": code, "message": str(message)}
    if is_slip:
        details["slip"] = True
    event = _event(actor, verb, subject, at=at, details=details)
    event.outcome = Event.Outcome.REFUSED
    fields = [field for field in Event._meta.concrete_fields if not field.primary_key]
    query = InsertQuery(Event)
    query.insert_values(fields, [event])
    with closing(connection.copy()) as autonomous:
        query.get_compiler(connection=autonomous).execute_sql()


def record_denial(actor: Any, action: str, subject: Model | type[Model], *, at: datetime) -> None:
    """Write that somebody may not do an action; `core.access` reports every refusal here."""
    record_refusal(
        actor,
        f"{subject._meta.app_label}.{action}",
        subject,
        at=at,
        code=NotAllowed.code,
        message=NotAllowed.default_message,
    )


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
    by: Standing | User | AnonymousUser | None,
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


def _standing(by: Standing | User | AnonymousUser | None) -> Standing:
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
