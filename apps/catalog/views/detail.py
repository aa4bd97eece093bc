"""One entry: its fields, items, assessments, versions, what happened, what can be done."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.apps import apps
from django.contrib.auth.decorators import login_required
from django.db.models import Model
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise

from apps.catalog import queries, validation
from apps.catalog.lifecycle import EDITABLE
from apps.catalog.models import DataItem, Dataset, DatasetStatus
from apps.catalog.views.buttons import buttons
from apps.catalog.views.history import history_of
from apps.catalog.views.quality import quality_of
from apps.catalog.views.reviewing import review_of
from apps.catalog.views.steps import with_steps
from apps.clocks import queries as clocks
from apps.clocks.models import Clock
from apps.core import access
from apps.ledger import queries as ledger
from apps.ledger.models import Todo
from apps.standards.checks import CHECKS
from apps.standards.masks import MASKS

UNDER_REVIEW: Final = (*EDITABLE, "awaiting_head", "submitted")


@dataclass(frozen=True)
class ItemLine:
    """A data item with its rules in words."""

    item: DataItem
    is_key: bool
    shape: str
    check: str | Promise
    mask: str | Promise


@dataclass(frozen=True)
class ClockLine:
    """A clock, how it stands, and the page that derives it day by day."""

    clock: Clock
    remaining: clocks.Remaining
    url: str

    @property
    def is_live(self) -> bool:
        return self.clock.state in clocks.LIVE


def dataset_or_404(request: HttpRequest, code: str) -> Dataset:
    """Return the entry when the person may see it; nobody learns of others that they exist."""
    user: Any = request.user
    found: Dataset = get_object_or_404(
        queries.visible_to(user).select_related(
            "department", "classification__parent", "system", "source_department"
        ),
        code=code.replace("-", "/"),
    )
    return found


@login_required
def dataset(request: HttpRequest, code: str) -> HttpResponse:
    user: Any = request.user
    at = timezone.now()
    if "on" in request.GET:
        query = request.GET.urlencode()
        return redirect(f"{reverse('catalog:dataset-on', args=[code])}?{query}")
    subject = dataset_or_404(request, code)
    under_way = queries.open_change_of(subject)
    is_ours = sees_inside(user, subject)
    remarks = _remarks(subject, at) if is_ours else []
    context = {
        "subject": subject,
        "items": item_lines(subject, subject.items.select_related("code_list", "data_element")),
        "related": access.rows(user, "view", subject.related.all()),
        "buttons": buttons(user, subject, remarks),
        "remarks": with_steps(remarks, _step_url(user, subject)),
        "errors": [remark for remark in remarks if remark.is_error],
        "versions": list(subject.versions.select_related("published_by").order_by("-number")),
        "clocks": clock_lines(subject, at),
        "owed": list(ledger.open_todos_of(subject)) if is_ours else [],
        "my_todos": _mine(user, subject, at),
        "is_ours": is_ours,
        "assessments": list(subject.assessments.all()) if is_ours else [],
        "trail": ledger.trail(subject) if is_ours else [],
        "history": history_of(subject) if is_ours else [],
        "request_url": _request_url(user, subject),
        "may_declare": _may_declare(user, subject),
        "change": under_way if under_way is not None and is_ours else None,
        "wind_down": _wind_down(subject),
        **(review_of(user, subject) if is_ours else {}),
        **quality_of(user, subject, at, is_ours=is_ours),
    }
    return render(request, "catalog/dataset.html", context)


@login_required
def assessment_file(request: HttpRequest, code: str, number: int) -> FileResponse:
    """The report of an assessment, for those who see the entry from inside."""
    subject = dataset_or_404(request, code)
    found = get_object_or_404(subject.assessments, pk=number)
    if not found.file or not sees_inside(request.user, subject):
        raise Http404
    return FileResponse(found.file.open("rb"), as_attachment=True)


def item_lines(subject: Dataset, items: Iterable[DataItem]) -> list[ItemLine]:
    """Return the items in order, each with type, check and mask in words."""
    return [
        ItemLine(
            item,
            item.column_name in subject.key_items,
            _shape(item),
            CHECKS[item.value_check].label if item.value_check in CHECKS else "",
            MASKS[item.mask].label if item.mask in MASKS else "",
        )
        for item in sorted(items, key=lambda item: (item.position, item.pk))
    ]


def clock_lines(subject: Model, at: datetime) -> list[ClockLine]:
    calendar = clocks.work_calendar()
    return [
        ClockLine(
            clock,
            clocks.remaining(clock, at, calendar),
            reverse("clocks:clock", args=[clock.pk]),
        )
        for clock in clocks.clocks_of(subject)
    ]


def sees_inside(user: Any, subject: Dataset) -> bool:
    """Whether assessments, remarks and trail are this person's business."""
    if user.holds("authority_officer", "authority_leader", "audit_admin"):
        return True
    if subject.department_id == user.department_id:
        return True
    return access.allowed(user, "revise", subject)


def _remarks(subject: Dataset, at: datetime) -> list[validation.Remark]:
    if subject.status not in UNDER_REVIEW:
        return []
    return validation.remarks_on(subject, on=timezone.localdate(at))


def _step_url(user: Any, subject: Dataset) -> Callable[[str], str] | None:
    if not access.allowed(user, "change", subject):
        return None
    return lambda step: reverse("catalog:dataset-edit", args=[subject.dashed_code, step])


def _mine(user: Any, subject: Dataset, at: datetime) -> set[int]:
    """The open to-dos about the entry that are the viewer's own; the others can be urged."""
    todos = ledger.open_todos_of(subject)
    return set(
        access.rows(user, "view", Todo, at=at).filter(pk__in=todos).values_list("pk", flat=True)
    )


def _wind_down(subject: Dataset) -> Clock | None:
    """Until when those who use a withdrawn entry are served."""
    if subject.status != DatasetStatus.WITHDRAWN:
        return None
    policy = "catalog.withdraw_wind_down"
    return clocks.clocks_of(subject).filter(policy__code=policy).last()


def _shape(item: DataItem) -> str:
    if not item.length:
        return ""
    return f"{item.length},{item.scale}" if item.scale is not None else str(item.length)


def _may_declare(user: Any, subject: Dataset) -> bool:
    """Say whether the person may tell which item is the region; sharing's page asks the same."""
    in_force = queries.published().filter(pk=subject.pk).exists()
    return in_force and access.allowed(user, "declare_region_item", subject)


def _request_url(user: Any, subject: Dataset) -> str:
    """Where the data is asked for; empty for whoever cannot ask, and for what is not to be had."""
    if not access.able(user, "create", apps.get_model("sharing.SharingRequest")):
        return ""
    if not queries.to_be_had_by(user.department_id).filter(pk=subject.pk).exists():
        return ""
    return f"{reverse('sharing:request-new')}?dataset={subject.pk}"
