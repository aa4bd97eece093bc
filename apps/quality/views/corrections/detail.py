"""One correction: what is doubted, what was found, what can be done."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from apps.clocks import queries as clocks
from apps.clocks.models import Clock
from apps.core import access
from apps.ledger import queries as ledger
from apps.ledger.models import Todo
from apps.quality import queries
from apps.quality.models import Correction
from apps.quality.queries import records
from apps.quality.views.corrections.buttons import buttons
from apps.quality.views.history import history_of
from apps.warehouse import queries as warehouse

INNER: Final = ("row_key", "row_batch", "grant_number", "evidence_sha256")
"""What the history leaves out for everybody: it says nothing, or more than each may see."""
VALUES: Final = ("seen_value", "claimed_value", "final_value")
"""What the history leaves out for those who do not see values."""


@dataclass(frozen=True)
class ClockLine:
    """A clock, how it stands, and the page that derives it day by day."""

    clock: Clock
    remaining: clocks.Remaining
    url: str

    @property
    def is_live(self) -> bool:
        return self.clock.state in clocks.LIVE


@dataclass(frozen=True)
class NowValue:
    """What the provider's table holds now; `is_gone` when the record left it."""

    value: str | None
    is_gone: bool


def correction_or_404(request: HttpRequest, pk: int) -> Correction:
    """Return the correction when the person may see it; nobody learns of others that they exist."""
    user: Any = request.user
    visible = queries.visible_corrections(user, timezone.now())
    found: Correction = get_object_or_404(visible.select_related("decided_by"), pk=pk)
    return found


@login_required
def correction(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    at = timezone.now()
    subject = correction_or_404(request, pk)
    todos = list(ledger.open_todos_of(subject))
    mine = access.rows(user, "view", Todo, at=at).filter(pk__in=[todo.pk for todo in todos])
    sees_values = access.allowed(user, "see_values", subject, at=at)
    is_own = user.department_id == subject.dataset.department_id
    context = {
        "subject": subject,
        "buttons": buttons(user, subject),
        "clocks": clock_lines(subject, at),
        "owed": todos,
        "my_todos": set(mine.values_list("pk", flat=True)),
        "trail": ledger.trail(subject),
        "sees_values": sees_values,
        "history": history_of(subject.history, hidden=INNER if sees_values else (*INNER, *VALUES)),
        "key": key_in_words(user, subject),
        "now_value": _now_value(subject) if is_own else None,
        "batch_url": _batch_url(user, subject, at),
        "dataset_url": _dataset_url(user, subject),
        "record_url": _record_url(user, subject, at),
    }
    return render(request, "quality/correction.html", context)


@login_required
def evidence(request: HttpRequest, pk: int) -> FileResponse:
    """Send the papers of a doubt; always as a download, never shown inside our pages."""
    subject = correction_or_404(request, pk)
    user: Any = request.user
    if not subject.evidence_file or not access.allowed(user, "see_values", subject):
        raise Http404
    return FileResponse(subject.evidence_file.open("rb"), as_attachment=True)


def clock_lines(subject: Correction, at: datetime) -> list[ClockLine]:
    calendar = clocks.work_calendar()
    return [
        ClockLine(
            clock, clocks.remaining(clock, at, calendar), reverse("clocks:clock", args=[clock.pk])
        )
        for clock in clocks.clocks_of(subject)
    ]


def key_in_words(user: Any, subject: Correction) -> list[tuple[str, str]]:
    """The business key in words, for its owner, and for the parties where the raiser reads it."""
    is_own = user.department_id == subject.dataset.department_id
    is_shown = is_own or subject.is_key_known
    if not subject.row_key or not is_shown or not access.allowed(user, "see_values", subject):
        return []
    labels = dict(subject.dataset.items.values_list("column_name", "name"))
    return [(labels.get(name, name), value or "") for name, value in subject.row_key.items()]


def _now_value(subject: Correction) -> NowValue | None:
    table = warehouse.table_of(subject.dataset)
    if table is None or subject.row_id is None or not subject.item:
        return None
    row = records.standing_row(table, subject.row_id)
    return NowValue(row.values.get(subject.item) if row else None, is_gone=row is None)


def _batch_url(user: Any, subject: Correction, at: datetime) -> str:
    if subject.batch is None or not access.allowed(user, "view", subject.batch, at=at):
        return ""
    return reverse("warehouse:batch", args=[subject.batch.pk])


def _dataset_url(user: Any, subject: Correction) -> str:
    return (
        subject.dataset.get_absolute_url() if access.allowed(user, "view", subject.dataset) else ""
    )


def _record_url(user: Any, subject: Correction, at: datetime) -> str:
    """Where the whole record is shown to whoever may look at it."""
    if subject.row_id is None:
        return ""
    dataset = subject.dataset
    for action in ("look_up_own_row", "raise_correction"):
        if access.allowed(user, action, dataset, at=at):
            return reverse("quality:correction-record", args=[dataset.dashed_code, subject.row_id])
    return ""
