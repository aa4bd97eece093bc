"""What a person may do with a demand now: its lifecycle ∩ what he may; off with the reason why."""

from collections.abc import Mapping
from typing import Any, Final

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from apps.catalog.lifecycle import DEMAND
from apps.catalog.models import Dataset, Demand, DemandOutcome
from apps.catalog.operations.demands.drafting import missing_fields
from apps.catalog.views.buttons import Button, main_first
from apps.core import access

COMPLETE_FIRST: Final = ("submit", "approve")


def buttons(user: Any, demand: Demand) -> list[Button]:
    """Return what this person may do with the demand now, the main thing first."""
    found = []
    for move in DEMAND.moves_from(demand.status):
        if not access.allowed(user, move.name, demand):
            continue
        if move.name == "take_up":
            url = take_up_url(demand, demand.dataset) if demand.dataset else ""
            if url:
                found.append(Button(move.name, move.label, url, move.tone))
            continue
        url = reverse("catalog:demand-move", args=[demand.pk, move.name])
        found.append(
            Button(move.name, move.label, url, move.tone, why_not(user, demand, move.name))
        )
    if access.allowed(user, "change", demand):
        found.append(
            Button("revise", _("修改需求"), reverse("catalog:demand-edit", args=[demand.pk]))
        )
    if _waits_for_an_entry(user, demand):
        found.append(Button("compile", _("编制目录"), reverse("catalog:dataset-new")))
    if demand.status == "submitted" and access.allowed(user, "split", demand):
        why = "" if len(demand.wanted_items) > 1 else _("只有一个数据项，不能拆分")
        url = reverse("catalog:demand-split", args=[demand.pk])
        found.append(Button("split", _("拆分"), url, why_not=why))
    return main_first(found)


def _waits_for_an_entry(user: Any, demand: Demand) -> bool:
    """Whether the person's department promised an entry that is still to be written."""
    promised = demand.status == "agreed" and demand.outcome == DemandOutcome.NEW_ENTRY
    is_ours = demand.dataset_id is None and demand.provider_id == user.department_id
    return promised and is_ours and access.able(user, "create", Dataset)


def take_up_url(demand: Demand, dataset: Dataset | None) -> str:
    """Where the demand becomes a request for the entry; empty where sharing has no such page."""
    if dataset is None:
        return ""
    try:
        return f"{reverse('sharing:request-from-demand', args=[demand.pk])}?dataset={dataset.pk}"
    except NoReverseMatch:
        return ""


def why_not(user: Any, demand: Demand, name: str) -> str:
    if name in COMPLETE_FIRST:
        lacking: Mapping[str, str] = missing_fields(demand)
        if lacking:
            return _("还须填写：%(labels)s") % {"labels": "、".join(lacking.values())}
    if name in ("agree", "refuse", "disown") and demand.proposed_by_id == user.pk:
        return _("答复须由拟稿人以外的负责人签发")
    return ""
