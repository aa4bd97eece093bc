"""Which terms are kept ready, and what one of them makes of what was asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db.models import QuerySet

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.clocks.derivation import add_months
from apps.core import access
from apps.sharing.models import COUNTED, Decision, Mode, TermsTemplate

HIDE: Final = "hide"


@dataclass(frozen=True, slots=True)
class Filled:
    """Terms as `propose` takes them; added: the conditions beside those that were asked."""

    items: Mapping[str, str]
    added: list[dict[str, Any]]
    mode: str | None
    ends_on: date
    limits: Mapping[str, Any]


def templates_for(
    dataset: Dataset, actor: User, at: datetime | None = None
) -> QuerySet[TermsTemplate]:
    """Return the templates in use of a dataset that the person may see, the recommended first."""
    found: QuerySet[TermsTemplate] = access.rows(actor, "view", TermsTemplate, at=at).filter(
        dataset=dataset, status=TermsTemplate.Status.IN_USE
    )
    return found


def recommended_for(dataset: Dataset) -> TermsTemplate | None:
    """Return what the provider recommends to whoever drafts a request."""
    return TermsTemplate.objects.filter(
        dataset=dataset, status=TermsTemplate.Status.IN_USE, is_recommended=True
    ).first()


def filled_from(template: TermsTemplate, asked: Decision) -> Filled:
    """Return the template cut down to what was asked, for a template widens nothing.

    Items that were not asked for stay out; one that was asked for under a mask keeps it, unless the
    template hides it. A limit that was asked for stays where the template's is wider, or none.
    """
    masks = {entry["name"]: entry["mask"] for entry in template.items}
    items = {
        entry["name"]: _stricter(entry["mask"], masks[entry["name"]])
        for entry in asked.items
        if entry["name"] in masks
    }
    last = asked.ends_on
    if template.validity_months:
        last = min(last, add_months(asked.starts_on, template.validity_months))
    limits: dict[str, Any] = {}
    for name in COUNTED:
        both = [n for n in (getattr(asked, name), getattr(template, name)) if n is not None]
        limits[name] = min(both, default=None)
    limits["allowed_addresses"] = asked.allowed_addresses or template.allowed_addresses
    limits["may_redistribute"] = asked.may_redistribute and template.may_redistribute
    return Filled(
        items=items,
        added=[e for e in template.row_condition if e not in asked.row_condition],
        mode=Mode.VERIFY if template.is_verify_only else None,
        ends_on=last,
        limits=limits,
    )


def _stricter(asked: str, kept: str) -> str:
    return kept if not asked or kept == HIDE else asked
