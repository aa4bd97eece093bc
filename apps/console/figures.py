"""The figures of the first page: each a count that leads to the list it was counted from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Dataset
from apps.core import access
from apps.sharing import queries as sharing
from apps.sharing.models import Grant, SharingRequest


@dataclass(frozen=True)
class Figure:
    """A count with its words and the address of its list."""

    label: str | Promise
    count: int
    url: str


def figures_for(user: Any, at: datetime) -> list[Figure]:
    """Return the figures that mean something to this person, none of a list he cannot open."""
    found: list[Figure] = []
    if user.department_id is None:
        return found
    requests = access.rows(user, "view", SharingRequest)
    grants = access.rows(user, "view", Grant)
    listed: list[tuple[str | Promise, QuerySet[Any], str, str]] = [
        (_("待我办理的申请"), sharing.awaiting_my_decision(user, at), "requests", "?owed=me"),
        (
            _("办理中的申请"),
            requests.exclude(status__in=sharing.CLOSED),
            "requests",
            "?status=open",
        ),
        (_("生效中的授权"), grants.filter(status="in_force"), "grants", "?status=in_force"),
        (_("已暂停的授权"), grants.filter(status="suspended"), "grants", "?status=suspended"),
    ]
    for label, rows, name, query in listed:
        found.append(Figure(label, rows.count(), reverse(f"sharing:{name}") + query))
    own = Dataset.objects.published().filter(department=user.department_id)
    try:
        url = reverse("catalog:datasets") + f"?department={user.department.code}&status=published"
    except NoReverseMatch:
        return found
    return [*found, Figure(_("本部门已发布目录"), own.count(), url)]
