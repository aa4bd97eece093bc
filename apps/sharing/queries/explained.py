"""Which questions "can this system read that" a person may ask, and what he is told."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem, User
from apps.catalog import queries as catalog
from apps.catalog.models import DataItem, Dataset
from apps.core import access
from apps.core.errors import InvalidInput, NotFound
from apps.sharing.models import Grant, SharingRequest
from apps.sharing.queries.explanation import Reason, explain


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was asked, and the rules that were gone through; the last one answers."""

    system: InformationSystem
    dataset: Dataset
    item: str
    at: datetime
    reasons: list[Reason]

    @property
    def may_read(self) -> bool:
        return all(reason.ok for reason in self.reasons)

    @property
    def may_verify(self) -> bool:
        return all(reason.ok or reason.rule == "mode" for reason in self.reasons)

    @property
    def grant(self) -> Grant | None:
        return self.reasons[-1].grant if self.reasons else None


def systems_to_ask_about(actor: User, at: datetime) -> QuerySet[InformationSystem]:
    """Return the systems that the person may ask about, each of some entry at least."""
    own = access.rows(actor, "explain", InformationSystem, at=at).order_by()
    entries = access.rows(actor, "explain", Dataset, at=at).order_by()
    granted = Grant.objects.filter(dataset__in=entries.values("pk"))
    asked = access.rows(actor, "view", SharingRequest, at=at).filter(
        dataset__in=entries.values("pk")
    )
    known = Q(pk__in=granted.order_by().values("system"))
    known |= Q(pk__in=asked.order_by().values("system"))
    return InformationSystem.objects.filter(Q(pk__in=own.values("pk")) | known).select_related(
        "department", "service_user"
    )


def entries_to_ask_about(actor: User, at: datetime) -> QuerySet[Dataset]:
    """Return the entries that the person may ask about, each of some system at least."""
    visible = access.rows(actor, "view", Dataset, at=at)
    if not access.rows(actor, "explain", InformationSystem, at=at).exists():
        visible = visible.filter(
            pk__in=access.rows(actor, "explain", Dataset, at=at).order_by().values("pk")
        )
    return visible.select_related("department")


def require_question(
    actor: User, system: InformationSystem, dataset: Dataset, at: datetime
) -> None:
    """Refuse a question about another's system on another's entry, as if neither existed.

    Raises:
        NotFound: he answers for neither.
    """
    if access.allowed(actor, "explain", system, at=at):
        return
    if not access.allowed(actor, "explain", dataset, at=at):
        raise NotFound


def may_ask_of_records(
    actor: User, system: InformationSystem, dataset: Dataset, at: datetime
) -> bool:
    return access.allowed(actor, "explain_record", system, at=at) or access.allowed(
        actor, "explain_record", dataset, at=at
    )


def is_told_all(actor: User, system: InformationSystem, dataset: Dataset, at: datetime) -> bool:
    """Say whether of a record he learns more than that the system can, or cannot, read it."""
    if system.department_id == actor.department_id:
        return False
    return access.allowed(actor, "explain_record", dataset, at=at)


def explained_to(
    actor: User,
    system: InformationSystem,
    dataset: Dataset,
    at: datetime,
    item: str = "",
    of_record: Callable[[Grant], list[Reason]] | None = None,
) -> Explanation:
    """Explain to a person, who hears of no request that he may not view.

    Raises:
        NotFound: he may not ask about this system and this entry.
        InvalidInput: `unknown_item`.
    """
    require_question(actor, system, dataset, at)
    if item and not DataItem.ever.filter(dataset=dataset, column_name=item).exists():
        raise InvalidInput(
            _("目录中没有数据项“%(item)s”") % {"item": item[:80]},
            code="unknown_item",
            field="item",
            item=item[:80],
        )
    requests = access.rows(actor, "view", SharingRequest, at=at)
    reasons = explain(
        system, dataset, at, item=item or None, requests=requests, of_record=of_record
    )
    return Explanation(system, dataset, item, at, reasons)


def key_columns(dataset: Dataset) -> list[tuple[str, str]]:
    """Return (name, label) of the business key of the version in force; [] before the first."""
    if catalog.current_version(dataset) is None:
        return []
    contract = catalog.contract_of(dataset)
    return [(name, contract.column(name).label) for name in contract.key]
