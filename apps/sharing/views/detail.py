"""One request or grant: its substance, the people, the dates, what happened, what can be done."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

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
from apps.ledger.models import AccessRecord, Todo
from apps.quality import queries as quality
from apps.sharing import queries
from apps.sharing.leaving import OPEN, leaving_columns
from apps.sharing.models import Attachment, Decision, Disposal, Grant, SharingRequest, limits_of
from apps.sharing.queries.disposals import CLOCK as DISPOSAL
from apps.sharing.queries.returned import is_retracted, why_returned
from apps.sharing.queries.service_changes import open_change
from apps.sharing.views.against import against_grant
from apps.sharing.views.buttons import grant_buttons, missing_parts, request_buttons
from apps.sharing.views.exports import exports_shown
from apps.sharing.views.history import is_inner, versions_of
from apps.sharing.views.negotiation import negotiation
from apps.sharing.views.opened_opinions import opened_pairs
from apps.sharing.views.standing import standing_of
from apps.sharing.views.weighing import objections_before, weighing_for

DRAFTING = ("draft", "head_returned")
NAMED = ("approved_by", "proposed_by", "decided_by", "grant")

INSIDE: Final = {
    f"sharing.{move}"
    for move in (
        *("propose", "opine", "confirm", "send_back_proposal", "retract_proposal", "preview"),
    )
}

ROUTE: Final = {
    f"sharing.{step}"
    for step in ("route", "pass_step", "forward", "co_sign", "step_back", "recall_step")
}


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
    rows = queries.visible_requests(user, timezone.now())
    found: SharingRequest = get_object_or_404(rows.select_related(*NAMED), pk=pk)
    return found


@login_required
def request_page(request: HttpRequest, pk: int) -> HttpResponse:
    subject = subject_or_404(request, pk)
    user: Any = request.user
    at = timezone.now()
    context = {
        "subject": subject,
        "buttons": request_buttons(user, subject, at),
        "clocks": clock_lines(subject, at),
        "conditions": condition_words(subject, subject.row_condition),
        **_opinions(user, subject, at),
        "attachments": subject.attachments.select_related("added_by"),
        "can_attach": access.allowed(user, "attach", subject, at=at),
        "can_preview": access.allowed(user, "preview", subject, at=at),
        "extensions": _extensions(user, subject),
        "urgency": queries.urgency_of(subject),
        **_flow(user, subject),
        "district_reviews": subject.district_reviews.select_related("authority", "done_by"),
        "nobody_confirms": subject.status == "awaiting_second_review"
        and not queries.second_reviewers(subject, at),
        "owed": owed_lines(user, subject, at),
        "sent_back": why_returned(subject),
        **asked_before(user, subject),
        "opened": opened_pairs(user, subject),
        "against": against_grant(subject),
        "weighing": weighing_for(user, subject, at),
        "objections": objections_before(user, subject),
        "missing": missing_parts(subject) if subject.status in DRAFTING else [],
        "grant": subject.grant,
        "dataset_url": dataset_url(subject.dataset),
        "demand_url": _demand_url(user, subject),
        "others": _others(user, subject),
        "trail": _told(user, subject, at),
        **_way_inside(user, subject, at),
    }
    return render(request, "sharing/request.html", context)


def asked_before(user: Any, subject: SharingRequest) -> dict[str, Any]:
    """The refused request that this one follows, and those that follow this one, if visible."""
    visible = queries.visible_requests(user)
    return {
        "previous": visible.filter(asked_again=subject).first(),
        "asked_again": visible.filter(previous=subject).order_by("pk"),
    }


def _opinions(user: Any, subject: SharingRequest, at: datetime) -> dict[str, Any]:
    """What was decided or is about to be, as far as this person may read it."""
    reads = access.allowed(user, "read_opinions", subject, at=at)
    sealed = queries.sealed_opinion(subject)
    # While a new opinion is sealed, the one before it is not what is being decided on.
    decision = None if sealed else queries.standing_decision(subject)
    if decision is not None and not reads and not queries.is_told(decision):
        decision = None
    returned = queries.returned_decision(subject) if reads and not sealed else None
    if returned is not None and _was_written_anew(subject, returned.proposed_at):
        returned = None
    return {
        "sealed": sealed,
        "decision": decision,
        "returned": returned,
        "is_retracted": returned is not None and is_retracted(subject),
        "items": item_lines(subject, decision),
        "decided_conditions": _added_conditions(subject, decision),
        "decided_limits": decision is not None and limits_of(decision) != limits_of(subject),
        "negotiation": negotiation(subject, with_opinion=reads),
        "versions": versions_of(subject, hidden=None if reads else is_inner),
    }


def _was_written_anew(subject: SharingRequest, since: datetime) -> bool:
    """Whether two opinions written blind stand on the page that are later than that one."""
    return queries.opened_opinions(subject).filter(opened_at__gt=since).exists()


def _told(user: Any, subject: SharingRequest, at: datetime) -> list[ledger.TrailEntry]:
    """Tell what was done; what people say to each other inside only to whom it concerns.

    Opinions, and what the provider's people tried in vain, stay on the provider's side; the steps
    inside a department stay with that department.
    """
    reads = access.allowed(user, "read_opinions", subject, at=at)

    def is_told(entry: ledger.TrailEntry) -> bool:
        if entry.event.department_id == user.department_id:
            return True
        is_inner = entry.event.verb in INSIDE or entry.is_refused
        return entry.event.verb not in ROUTE and (reads or not is_inner)

    return [entry for entry in ledger.trail(subject) if is_told(entry)]


def _way_inside(user: Any, subject: SharingRequest, at: datetime) -> dict[str, Any]:
    """The steps inside the own department, those on the person's desk, whether more can be laid."""
    steps = subject.route_steps.all()
    return {
        "steps": access.rows(user, "view", steps).select_related(
            "assignee", "done_by", "department"
        ),
        "my_steps": access.rows(user, "handle_step", steps, at=at),
        "can_route": subject.status in (*DRAFTING, "awaiting_head", "form_check", "reviewing")
        and access.allowed(user, "route", subject, at=at),
    }


def _flow(user: Any, subject: SharingRequest) -> dict[str, Any]:
    """What is sent back to a district; how many rows are left, who may look at them is told."""
    flow = queries.return_flow_of(subject)
    if flow is None:
        return {"flow": None}
    may_count = subject.decided_at is not None or access.allowed(user, "preview", subject)
    return {"flow": flow, "unplaced": queries.unplaced_rows(flow, counted=may_count)}


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
        asked_mask=queries.mask_label(entry["mask"]),
        decided_mask=queries.mask_label(decided.get(name, "")) if decided else "",
        outcome=outcome,
    )


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


def _latest_reads(grant: Grant) -> list[tuple[AccessRecord, str]]:
    """What was read last under the grant, with what left of it and the words for the deed."""
    records = ledger.with_ends(ledger.records_of_grant(grant.pk))[:20]
    return [(record, queries.deed_of(record)) for record in records]


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
    copy = queries.copy_of_grant(subject)
    disposal = Disposal.objects.filter(grant=subject).first()
    context = {
        "subject": subject,
        "buttons": grant_buttons(user, subject, at),
        "columns": [
            (column["label"], column["name"], queries.mask_label(column["mask"]))
            for column in queries.labelled_columns(subject)
        ],
        "conditions": condition_words(subject, subject.row_condition),
        "explained": _explained(request, subject, at),
        "reads": _latest_reads(subject),
        "dataset_url": dataset_url(subject.dataset),
        "at": at,
        "trail": [*ledger.trail(subject), *_trails_of_requests(user, subject, at)],
        "versions": versions_of(subject),
        "made": queries.versions_of_grant(subject),
        "waiting": queries.waiting_version_of(subject),
        "copy": copy,
        "change": open_change(subject),
        "leaving": leaving_columns(subject) if subject.status in OPEN else [],
        "disposal": disposal,
        "disposal_due": clocks.due_day(disposal, DISPOSAL) if disposal else None,
        "lag": queries.lag_of(copy) if copy else None,
        "standing": standing_of(user, subject, at) if subject.provisioned_at else None,
        "exports": exports_shown(user, subject, at),
        "doubts": quality.open_on_dataset(subject.dataset_id).count(),
        "may_try": access.allowed(user, "try_out", subject, at=at),
        "may_raise": access.allowed(user, "raise_correction", subject.dataset, at=at),
    }
    return render(request, "sharing/grant.html", context)


def _trails_of_requests(user: Any, subject: Grant, at: datetime) -> list[Any]:
    """What happened to the requests that became versions of the grant, the newest first."""
    shaping = subject.requests.exclude(grant_version=None).order_by("-grant_version")
    return [event for each in shaping for event in _told(user, each, at)]


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
