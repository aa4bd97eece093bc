"""What a change of the catalogue does to the table that is there, before it comes into force."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core.contracts import Contract
from apps.warehouse import queries, shapes, uses
from apps.warehouse.freshness import with_freshness


@login_required
def change(request: HttpRequest, code: str) -> HttpResponse:
    """Step by step, what following the open change, or the version in force, does to the table."""
    subject = dataset_or_404(request, code)
    table = queries.table_of(subject)
    if table is None:
        raise Http404
    under_way = catalog.open_change_of(subject)
    contract = wanted_contract(subject)
    steps = shapes.steps(table, contract) if contract else []
    retired = [step.column for step in steps if step.kind == "retire"]
    context = {
        "subject": subject,
        "table": table,
        "change": under_way,
        "is_behind": is_behind(subject),
        "is_unreadable": under_way is not None and contract is None,
        "steps": steps,
        "bound": uses.bound_by(subject.pk, retired, timezone.now()) if retired else [],
    }
    return render(request, "warehouse/change.html", context)


def wanted_contract(subject: Dataset) -> Contract | None:
    """Return what the table is to follow: the open change, or else the version in force."""
    if catalog.open_change_of(subject) is not None:
        return catalog.proposed_contract(subject, on=timezone.localdate())
    return queries.contract_of(subject)


def is_behind(subject: Dataset) -> bool:
    """Say whether the table has not followed the version in force."""
    table = queries.table_of(subject)
    version = catalog.current_version(subject)
    return table is not None and version is not None and table.version_id != version.pk


def has_news(subject: Dataset) -> bool:
    """Say whether there is something to look at: a change is open, or the table is behind."""
    table = queries.table_of(subject)
    return table is not None and (catalog.open_change_of(subject) is not None or is_behind(subject))


def dataset_or_404(request: HttpRequest, code: str) -> Any:
    user: Any = request.user
    at = timezone.now()
    found = (
        with_freshness(queries.landing_places(user, at), at)
        .select_related("department", "system")
        .filter(code=code.replace("-", "/"))
        .first()
    )
    if found is None:
        raise Http404
    return found
