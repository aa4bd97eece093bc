"""One request or grant: its substance, the people, the dates, what happened, what can be done."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from apps.catalog.models import Dataset
from apps.clocks import queries as clocks
from apps.clocks.models import Clock
from apps.core import access
from apps.core.errors import DomainError
from apps.ledger import queries as ledger
from apps.ledger.models import Todo
from apps.quality import queries as quality
from apps.sharing import queries
from apps.sharing.models import Attachment, Decision, Grant, SharingRequest, limits_of
from apps.sharing.views.buttons import grant_buttons, missing_parts, request_buttons
from apps.sharing.views.exports import exports_shown
from apps.sharing.views.history import versions_of
from apps.sharing.views.standing import standing_of
from apps.sharing.views.weighing import weighing_for
from apps.standards.masks import MASKS

DRAFTING = ("draft", "head_returned")


@dataclass(frozen=True)
class ItemLine:
    """An item as asked and as decided: kept, under a stronger mask, or left out."""

    label: str
    name: str
    asked_mask: Any
    decided_mask: Any
    outcome: str


@dataclass(frozen=True)
class OwedLine:
    """Who owes the next step; `can_urge` when the viewer may remind them."""

    todo: Todo
    can_urge: bool


@dataclass(frozen=True)
class ClockLine:
    """A clock, how it stands, and the page that derives it day by day."""

    clock: Clock
    remaining: clocks.Remaining
    url: str

    @property
    def is_live(self) -> bool:
        return self.clock.state in clocks.LIVE


def subject_or_404(request: HttpRequest, pk: int) -> SharingRequest:
    """Return the request when the person may see it; nobody learns of others that they exist."""
    user: Any = request.user
    found: SharingRequest = get_object_or_404(queries.visible_requests(user, timezone.now()), pk=pk)
    return found


@login_required
def request_page(request: HttpRequest, pk: int) -> HttpResponse:
    subject = subject_or_404(request, pk)
    user: Any = request.user
    at = timezone.now()
    decision = queries.latest_decision(subject)
    context = {
        "subject": subject,
        "buttons": request_buttons(user, subject, at),
        "clocks": clock_lines(subject, at),
        "items": item_lines(subject, decision),
        "decision": decision,
        "conditions": condition_words(subject, subject.row_condition),
        "decided_conditions": _added_conditions(subject, decision),
        "decided_limits": decision is not None and limits_of(decision) != limits_of(subject),
        "attachments": subject.attachments.select_related("added_by"),
        "can_attach": access.allowed(user, "attach", subject, at=at),
        "can_preview": access.allowed(user, "preview", subject, at=at),
        "extensions": _extensions(user, subject),
        "steps": access.rows(user, "view", subject.route_steps.all()).select_related(
            "assignee", "done_by", "department"
        ),
        "my_steps": access.rows(user, "handle_step", subject.route_steps.all(), at=at),
        "urgency": queries.urgency_of(subject),
        "nobody_confirms": subject.status == "awaiting_second_review"
        and not queries.second_reviewers(subject, at),
        "can_route": subject.status in (*DRAFTING, "awaiting_head", "form_check", "reviewing")
        and access.allowed(user, "route", subject, at=at),
        "owed": owed_lines(user, subject, at),
        "weighing": weighing_for(user, subject, at),
        "missing": missing_parts(subject) if subject.status in DRAFTING else [],
        "grant": Grant.objects.filter(request=subject).first(),
        "dataset_url": dataset_url(subject.dataset),
        "demand_url": _demand_url(user, subject),
        "others": _others(user, subject),
        "trail": ledger.trail(subject),
        "versions": versions_of(subject),
    }
    return render(request, "sharing/request.html", context)


def _demand_url(user: Any, subject: SharingRequest) -> str:
    """Where the demand stands that the request came of; empty for whoever may not see it."""
    if subject.demand is None or not access.allowed(user, "view", subject.demand):
        return ""
    return subject.demand.get_absolute_url()


def clock_lines(subject: Any, at: datetime) -> list[ClockLine]:
    """Return the subject's clocks, each with how it stands and where it is derived."""
    calendar = clocks.work_calendar()
    return [
        ClockLine(
            clock,
            clocks.remaining(clock, at, calendar),
            reverse("clocks:clock", args=[clock.pk]),
        )
        for clock in clocks.clocks_of(subject)
    ]


def item_lines(subject: SharingRequest, decision: Decision | None) -> list[ItemLine]:
    """Set what was asked beside what was proposed or decided."""
    asked = queries.written_items(subject.requested_items.select_related("item"))
    decided = {entry["name"]: entry["mask"] for entry in decision.items} if decision else None
    return [_item_line(entry, decided) for entry in asked]


def _item_line(entry: dict[str, str], decided: dict[str, str] | None) -> ItemLine:
    name = entry["name"]
    outcome = ""
    if decided is not None:
        outcome = "removed" if name not in decided else "kept"
        if outcome == "kept" and decided[name] != entry["mask"]:
            outcome = "masked"
    return ItemLine(
        label=entry["label"],
        name=name,
        asked_mask=mask_label(entry["mask"]),
        decided_mask=mask_label(decided.get(name, "")) if decided else "",
        outcome=outcome,
    )


def mask_label(name: str) -> Any:
    return MASKS[name].label if name in MASKS else ""


def condition_words(subject: Any, entries: list[dict[str, Any]]) -> list[str]:
    """Write row conditions in words, with the labels of the dataset's items."""
    return queries.conditions_in_words(entries, subject.dataset) if entries else []


def _added_conditions(subject: SharingRequest, decision: Decision | None) -> list[str]:
    if decision is None:
        return []
    added = [entry for entry in decision.row_condition if entry not in subject.row_condition]
    return condition_words(subject, added)


def _extensions(user: Any, subject: SharingRequest) -> list[tuple[Any, bool]]:
    rows = subject.extensions.select_related("asked_by", "decided_by")
    deciding = set(
        access.rows(user, "consent_extension", rows.filter(decided_at=None)).values_list(
            "pk", flat=True
        )
    )
    return [(row, row.pk in deciding) for row in rows]


def owed_lines(user: Any, subject: SharingRequest, at: datetime) -> list[OwedLine]:
    """Say who owes the next step, and whether the viewer may urge them."""
    todos = list(ledger.open_todos_of(subject))
    mine = set(
        access.rows(user, "view", Todo, at=at)
        .values_list("pk", flat=True)
        .filter(pk__in=[todo.pk for todo in todos])
    )
    urging = set(
        access.rows(user, "urge", Todo.objects.filter(pk__in=[t.pk for t in todos])).values_list(
            "pk", flat=True
        )
    )
    return [OwedLine(todo, todo.pk in urging and todo.pk not in mine) for todo in todos]


def _others(user: Any, subject: SharingRequest) -> QuerySet[SharingRequest]:
    """Return other requests of the same department on the same dataset."""
    return (
        queries.visible_requests(user)
        .filter(dataset=subject.dataset, consumer=subject.consumer)
        .exclude(pk=subject.pk)
        .order_by("-pk")[:5]
    )


def dataset_url(dataset: Dataset) -> str:
    """Return the entry's page, empty where the catalogue has none."""
    try:
        return reverse("catalog:dataset", args=[dataset.dashed_code])
    except NoReverseMatch:
        return ""


@login_required
def attachment(request: HttpRequest, pk: int, number: int) -> FileResponse:
    """Send a scanned paper of a request; always as a download, never shown inside our pages."""
    subject = subject_or_404(request, pk)
    found = get_object_or_404(Attachment.objects.exclude(file=""), pk=number, request=subject)
    return FileResponse(found.file.open("rb"), as_attachment=True)


@login_required
def grant_page(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    at = timezone.now()
    subject = get_object_or_404(
        access.rows(user, "view", Grant).select_related(
            "dataset", "provider", "consumer", "system", "request"
        ),
        pk=pk,
    )
    labels = dict(subject.dataset.items.values_list("column_name", "name"))
    copy = queries.copy_of_grant(subject)
    context = {
        "subject": subject,
        "buttons": grant_buttons(user, subject, at),
        "columns": [
            (labels.get(column["name"], column["name"]), column["name"], mask_label(column["mask"]))
            for column in subject.columns
        ],
        "conditions": condition_words(subject, subject.row_condition),
        "explained": _explained(request, subject, at),
        "reads": ledger.records_of_grant(subject.pk)[:20],
        "dataset_url": dataset_url(subject.dataset),
        "at": at,
        "trail": [*ledger.trail(subject), *ledger.trail(subject.request)],
        "versions": versions_of(subject),
        "copy": copy,
        "lag": queries.lag_of(copy) if copy else None,
        "standing": standing_of(user, subject, at) if subject.provisioned_at else None,
        "exports": exports_shown(user, subject, at),
        "doubts": quality.open_on_dataset(subject.dataset_id).count(),
        "may_raise": access.allowed(user, "raise_correction", subject.dataset, at=at),
    }
    return render(request, "sharing/grant.html", context)


def _explained(request: HttpRequest, subject: Grant, at: datetime) -> dict[str, Any]:
    """Say why the system can, or cannot, read now; of one item when the address names it."""
    item = request.GET.get("item", "")
    try:
        reasons = queries.explain(subject.system, subject.dataset, at, item=item or None)
    except DomainError as error:
        return {"item": item, "error": str(error)}
    return {
        "item": item,
        "reasons": reasons,
        "may_read": all(reason.ok for reason in reasons),
        "may_verify": all(reason.ok or reason.rule == "mode" for reason in reasons),
    }
