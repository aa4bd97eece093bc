"""The versions of an entry: which there were, what differs between two, how it stood on a day."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date

from apps.catalog import queries
from apps.catalog.differences import Difference, differences, told
from apps.catalog.models import DatasetChange, DatasetVersion
from apps.catalog.views.detail import dataset_or_404, sees_inside
from apps.catalog.views.reviewing import lines_of


@dataclass(frozen=True)
class VersionLine:
    """A version and the change that it came from; the first came from none."""

    version: DatasetVersion
    change: DatasetChange | None


@login_required
def versions(request: HttpRequest, code: str) -> HttpResponse:
    """Every version, and what differs between the two that the address names."""
    subject = dataset_or_404(request, code)
    kept = list(subject.versions.select_related("published_by").order_by("-number"))
    newer = _chosen(request.GET.get("new", ""), kept) or (kept[0] if kept else None)
    earlier = [each for each in kept if newer is not None and each.number < newer.number]
    older = _chosen(request.GET.get("old", ""), kept) or (earlier[0] if earlier else None)
    found: list[Difference] = []
    if older is not None and newer is not None:
        found = differences(older.snapshot, newer.snapshot)
    came_from = queries.reasons_of_versions(subject)
    context = {
        "subject": subject,
        "versions": [VersionLine(each, came_from.get(each.number)) for each in kept],
        "older": older,
        "newer": newer,
        "found": lines_of(found, ()),
        "is_ours": sees_inside(request.user, subject),
    }
    return render(request, "catalog/versions.html", context)


@login_required
def as_it_stood(request: HttpRequest, code: str) -> HttpResponse:
    """The entry as it stood at the end of a day (`?on=`), by the version then in force."""
    subject = dataset_or_404(request, code)
    text = request.GET.get("on", "")
    day = _day(text)
    version = queries.version_on(subject, day) if day is not None else None
    context: dict[str, Any] = {"subject": subject, "day": day, "text": text, "version": version}
    if version is not None:
        (_name, _column, context["entry"]), *context["items"] = told(version.snapshot)
    return render(request, "catalog/dataset_on.html", context, status=400 if day is None else 200)


def _chosen(text: str, kept: list[DatasetVersion]) -> DatasetVersion | None:
    return next((each for each in kept if str(each.number) == text), None)


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None
