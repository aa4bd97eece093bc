"""Find entries: free text and filters that live in the address, with counts beside each choice."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from django.db.models import Case, Count, F, Q, QuerySet, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department
from apps.catalog.models import (
    Classification,
    Dataset,
    DatasetStatus,
    OpeningAttribute,
    SharingAttribute,
    UpdateCycle,
)
from apps.catalog.surroundings import significant
from apps.core.errors import InvalidInput

STATELESS = Q(sharing_condition__regex=r"^\s*$")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader asked for; an empty field does not narrow.

    q: words; department: its code; classification: the beginning of a code; sharing: what an entry
    amounts to, so a conditional one that states no condition is found as unconditional.
    """

    q: str = ""
    department: str = ""
    classification: str = ""
    theme: str = ""
    sharing: str = ""
    opening: str = ""
    cycle: str = ""
    status: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """Read filters from an address.

        Raises:
            InvalidInput: a filter has a value that there is not; `field` names it.
        """
        values = {field.name: query.get(field.name, "").strip() for field in fields(cls)}
        for name, allowed in _CLOSED.items():
            if values[name] and values[name] not in allowed:
                raise InvalidInput(
                    _("筛选条件 %(name)s 没有“%(value)s”这个值")
                    % {"name": name, "value": values[name]},
                    code="invalid_filter",
                    field=name,
                )
        if values["classification"] and not values["classification"].isdecimal():
            raise InvalidInput(
                _("资源分类应为数字代码"), code="invalid_filter", field="classification"
            )
        return cls(**values)

    @classmethod
    def read_strictly(cls, query: Mapping[str, str], *, beside: Collection[str]) -> Self:
        """Read filters where a name that is not one may not go unnoticed: from a system.

        beside: other names that may stand in the address.

        Raises:
            InvalidInput: as `read`, and for a name that there is not.
        """
        known = {field.name for field in fields(cls)} | set(beside)
        unknown = sorted(set(query) - known)
        if unknown:
            raise InvalidInput(
                _("没有筛选条件“%(names)s”；可用的有 %(known)s")
                % {"names": "、".join(unknown), "known": "、".join(sorted(known))},
                code="unknown_filter",
                field=unknown[0],
            )
        return cls.read(query)

    def chosen(self) -> dict[str, str]:
        """Return the filters that narrow, by name."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name)
        }

    def without(self, name: str) -> "Filters":
        return replace(self, **{name: ""})


_CLOSED: dict[str, frozenset[str]] = {
    "sharing": frozenset(SharingAttribute.values),
    "opening": frozenset(OpeningAttribute.values),
    "cycle": frozenset(UpdateCycle.values),
    "status": frozenset(DatasetStatus.values),
}


_LOOKUPS = {
    "department": "department__code",
    "classification": "classification__code__startswith",
    "sharing": "counts_as",
    "opening": "opening_attribute",
    "cycle": "update_cycle",
    "status": "status",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter with the number of entries it would leave."""

    value: str
    label: str | Promise
    count: int
    is_chosen: bool


def find(datasets: QuerySet[Dataset], filters: Filters) -> QuerySet[Dataset]:
    """Narrow entries to those that match every filter."""
    found = counted_as(datasets)
    for word in filters.q.split():
        found = found.filter(_matches(word))
    lookups: dict[str, Any] = {
        _LOOKUPS[name]: value for name, value in filters.chosen().items() if name in _LOOKUPS
    }
    if filters.theme:
        lookups["themes__contains"] = [filters.theme]
    return found.filter(**lookups)


def counted_as(datasets: QuerySet[Dataset]) -> QuerySet[Dataset]:
    """Annotate `counts_as`: the sharing attribute that an entry amounts to.

    Source: 《政务数据共享条例》第十五条
    """
    return datasets.annotate(
        counts_as=Case(
            When(
                STATELESS,
                sharing_attribute="conditional",
                then=Value(SharingAttribute.UNCONDITIONAL),
            ),
            default=F("sharing_attribute"),
        )
    )


def counts_by_sharing(datasets: QuerySet[Dataset]) -> dict[str, int]:
    """Return how many entries amount to each sharing attribute."""
    counted = _counted(counted_as(datasets), "counts_as")
    return {value: counted.get(value, 0) for value in SharingAttribute.values}


def choices(datasets: QuerySet[Dataset], filters: Filters) -> dict[str, list[Choice]]:
    """Return, per filter, its values with counts under all the other filters.

    Six statements, however many entries there are.
    """
    return {
        "sharing": _closed(datasets, filters, "sharing", "counts_as", SharingAttribute),
        "cycle": _closed(datasets, filters, "cycle", "update_cycle", UpdateCycle),
        "opening": _closed(datasets, filters, "opening", "opening_attribute", OpeningAttribute),
        "status": _closed(datasets, filters, "status", "status", DatasetStatus),
        "department": _departments(datasets, filters),
        "classification": _classes(datasets, filters),
    }


def _matches(word: str) -> Q:
    plain = significant(word)
    by_name = Q(name_key__contains=plain) if plain else Q(name__icontains=word)
    return (
        by_name
        | Q(code__startswith=word.replace("-", "/"))
        | Q(department__name__icontains=word)
        | Q(department__short_name__icontains=word)
        | Q(abstract__icontains=word)
        | Q(themes__contains=[word])
    )


def _counted(datasets: QuerySet[Dataset], name: str) -> dict[str, int]:
    rows = (
        datasets.order_by().values(name).annotate(entries=Count("pk")).values_list(name, "entries")
    )
    return dict(rows)


def _closed(
    datasets: QuerySet[Dataset], filters: Filters, name: str, column: str, values: Any
) -> list[Choice]:
    counted = _counted(find(datasets, filters.without(name)), column)
    chosen = getattr(filters, name)
    return [
        Choice(value, label, counted.get(value, 0), value == chosen)
        for value, label in values.choices
        if counted.get(value) or value == chosen
    ]


def _departments(datasets: QuerySet[Dataset], filters: Filters) -> list[Choice]:
    counted = _counted(find(datasets, filters.without("department")), "department__code")
    rows = Department.objects.filter(code__in={*counted, filters.department})
    return [
        Choice(row.code, str(row), counted.get(row.code, 0), row.code == filters.department)
        for row in rows.order_by("code")
    ]


def _classes(datasets: QuerySet[Dataset], filters: Filters) -> list[Choice]:
    """The items (项) of the classification that hold something."""
    counted: dict[str, int] = {}
    found = _counted(find(datasets, filters.without("classification")), "classification__code")
    for code, entries in found.items():
        counted[code[:3]] = counted.get(code[:3], 0) + entries
    chosen = filters.classification
    rows = Classification.objects.filter(code__in={*counted, chosen})
    return [
        Choice(row.code, row.name, counted.get(row.code, 0), row.code == chosen)
        for row in rows.order_by("code")
    ]
