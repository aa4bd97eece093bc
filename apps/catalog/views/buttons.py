"""What a person may do with an entry now; a button that is off says why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from apps.catalog import queries, validation
from apps.catalog.lifecycle import DATASET
from apps.catalog.models import Dataset
from apps.core import access

IN_FORCE = ("published", "withdrawal_requested")
ORDER = ("primary", "neutral", "danger")


@dataclass(frozen=True)
class Button:
    """One thing to do; `why_not` says why it cannot be done yet, empty when it can."""

    name: str
    label: str | Promise
    url: str
    tone: str = "neutral"
    why_not: str = ""


def buttons(user: Any, dataset: Dataset, remarks: Sequence[validation.Remark]) -> list[Button]:
    """Return what this person may do with the entry now, the main thing first."""
    found = [
        Button(
            move.name,
            move.label,
            reverse("catalog:dataset-move", args=[dataset.dashed_code, move.name]),
            move.tone,
            validation.why_not(move.name, remarks),
        )
        for move in DATASET.moves_from(dataset.status)
        if access.allowed(user, move.name, dataset)
    ]
    if access.allowed(user, "change", dataset):
        url = reverse("catalog:dataset-edit", args=[dataset.dashed_code])
        found.append(Button("revise", _("修改目录"), url))
    if access.allowed(user, "delete_draft", dataset):
        url = reverse("catalog:dataset-delete", args=[dataset.dashed_code])
        found.append(Button("delete_draft", _("删除草稿"), url, "danger"))
    if (
        dataset.status in IN_FORCE
        and access.allowed(user, "begin_change", dataset)
        and queries.open_change_of(dataset) is None  # else the page says so and leads to it
    ):
        url = reverse("catalog:change-begin", args=[dataset.dashed_code])
        found.append(Button("begin_change", _("修改目录"), url))
    return main_first(found)


def main_first(found: list[Button]) -> list[Button]:
    """Return them the main thing first; of several main things only the first stays one."""
    ordered = sorted(found, key=lambda button: ORDER.index(button.tone))
    return [
        replace(button, tone="neutral") if place and button.tone == "primary" else button
        for place, button in enumerate(ordered)
    ]
