"""One correction: what is doubted, what was found, what can be done."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from apps.catalog.covering import cover_rows, cover_values, mask_in, screen_masks
from apps.clocks import queries as clocks
from apps.clocks.models import Clock
from apps.core import access
from apps.ledger import queries as ledger
from apps.ledger.models import Todo
from apps.quality import operations as quality
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
    return _shown(request, correction_or_404(request, pk), in_clear=False)


@login_required
def reveal(request: HttpRequest, pk: int) -> HttpResponse:
    """The same page with its values in the clear, after writing down who saw them."""
    user: Any = request.user
    subject = correction_or_404(request, pk)
    if request.method != "POST":
        return redirect(subject.get_absolute_url())
    if not access.allowed(user, "see_values", subject):
        raise PermissionDenied
    quality.reveal_correction(correction=subject, actor=user, at=timezone.now())
    return _shown(request, subject, in_clear=True)


def _shown(request: HttpRequest, subject: Correction, *, in_clear: bool) -> HttpResponse:
    user: Any = request.user
    at = timezone.now()
    todos = list(ledger.open_todos_of(subject))
    mine = access.rows(user, "view", Todo, at=at).filter(pk__in=[todo.pk for todo in todos])
    sees_values = access.allowed(user, "see_values", subject, at=at)
    is_own = user.department_id == subject.dataset.department_id
    is_covered = sees_values and not in_clear and has_covered(subject)
    hidden = INNER if sees_values and not is_covered else (*INNER, *VALUES)
    context = {
        "subject": subject,
        "in_clear": in_clear,
        "is_covered": is_covered,
        "reveal_url": reverse("quality:correction-reveal", args=[subject.pk]),
        "covered_url": subject.get_absolute_url(),
        "values": values_of(subject, in_clear=in_clear),
        "buttons": buttons(user, subject),
        "clocks": clock_lines(subject, at),
        "owed": todos,
        "my_todos": set(mine.values_list("pk", flat=True)),
        "trail": ledger.trail(subject),
        "sees_values": sees_values,
        "history": history_of(subject.history, hidden=hidden),
        "key": key_in_words(user, subject, in_clear=in_clear),
        "now_value": _now_value(subject, in_clear=in_clear) if is_own else None,
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


def has_covered(subject: Correction) -> bool:
    """Say whether something of the doubt's values is covered on screens."""
    masks = screen_masks([subject.dataset_id]).get(subject.dataset_id, {})
    return any(mask_in(masks, name) for name in (subject.item, *subject.row_key) if name)


def values_of(subject: Correction, *, in_clear: bool = False) -> dict[str, str | None]:
    """Return the values of the doubt by the names of their fields, as the page shows them."""
    values: list[str | None] = [getattr(subject, name) for name in VALUES]
    if not in_clear and subject.item:
        values = cover_values(subject.dataset_id, subject.item, values)
    return dict(zip(VALUES, values, strict=True))


def key_in_words(
    user: Any, subject: Correction, *, in_clear: bool = False
) -> list[tuple[str, str]]:
    """The business key in words, for its owner, and for the parties where the raiser reads it."""
    is_own = user.department_id == subject.dataset.department_id
    is_shown = is_own or subject.is_key_known
    if not subject.row_key or not is_shown or not access.allowed(user, "see_values", subject):
        return []
    labels = dict(subject.dataset.items.values_list("column_name", "name"))
    key = subject.row_key
    if not in_clear:
        (key,) = cover_rows([(subject.dataset_id, key)])
    return [(labels.get(name, name), value or "") for name, value in key.items()]


def _now_value(subject: Correction, *, in_clear: bool) -> NowValue | None:
    table = warehouse.table_of(subject.dataset)
    if table is None or subject.row_id is None or not subject.item:
        return None
    row = records.standing_row(table, subject.row_id)
    value = row.values.get(subject.item) if row else None
    if not in_clear:
        (value,) = cover_values(subject.dataset_id, subject.item, [value])
    return NowValue(value, is_gone=row is None)


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
