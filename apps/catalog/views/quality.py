"""How good the catalogue is described, by department and by what points are lost for."""

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apps.catalog import queries
from apps.catalog.models import Dataset, SearchEntry
from apps.catalog.scoring import LOSSES, score_of
from apps.core import access


def quality_of(user: Any, subject: Dataset, at: datetime, *, is_ours: bool) -> dict[str, Any]:
    """What an entry's page says of its points, its named source and its doubles."""
    items = list(subject.items.order_by("position", "pk"))
    score = score_of(subject, items, on=timezone.localdate(at))
    return {
        "score": score,
        "losses": score.losses if is_ours else (),
        "can_mend": access.allowed(user, "change", subject),
        "designations": queries.designations_of(subject, on=timezone.localdate(at)),
        "duplicates": queries.duplicates_of(subject, actor=user),
    }


@login_required
def quality(request: HttpRequest) -> HttpResponse:
    """Departments by their mean score; every count opens the entries behind it."""
    user: Any = request.user
    entries = access.rows(user, "view", SearchEntry).exclude(status="withdrawn")
    rows = queries.quality_by_department(entries)
    totals = {kind: sum(row.losses.get(kind, 0) for row in rows) for kind in LOSSES}
    shown = [kind for kind in sorted(totals, key=lambda kind: -totals[kind]) if totals[kind]]
    count = sum(row.entries for row in rows)
    context = {
        "kinds": [(kind, LOSSES[kind], totals[kind]) for kind in shown],
        "rows": [
            (
                place,
                row,
                [(kind, LOSSES[kind].label, row.losses.get(kind, 0)) for kind in shown[:6]],
            )
            for place, row in enumerate(rows, 1)
        ],
        "heads": [LOSSES[kind].label for kind in shown[:6]],
        "count": count,
        "mean": round(sum(row.mean * row.entries for row in rows) / count, 1) if count else None,
    }
    return render(request, "catalog/quality.html", context)
