"""How many entries each choice of each filter would leave, under all the other filters."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    ExpressionWrapper,
    F,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Left
from django.utils.functional import Promise

from apps.accounts.models import Department
from apps.catalog.models import (
    Classification,
    DatasetStatus,
    FormatClass,
    OpeningAttribute,
    SearchEntry,
    SharingAttribute,
    UpdateCycle,
)
from apps.catalog.search.filters import BANDS, LOWEST_SCORE, YES_OR_NO, Filters

THEMES_SHOWN: Final = 15

# filter → the column, or what is made of columns, whose values are its choices
COLUMNS: Final[dict[str, Combinable]] = {
    "sharing": F("sharing"),
    "status": F("status"),
    "has_data": Case(
        When(has_data=True, then=Value("yes")), default=Value("no"), output_field=CharField()
    ),
    "quality": Case(
        *(When(score__gte=lowest, then=Value(band)) for band, lowest in LOWEST_SCORE.items()),
        output_field=CharField(),
    ),
    "opening": F("opening"),
    "cycle": F("cycle"),
    "format_class": F("format_class"),
    "department": F("department_id"),
    "region": F("region"),
    "classification": Left("classification", 3),
}
FACETS: Final = (*COLUMNS, "theme")
_PLACES: Final = {name: place for place, name in enumerate(COLUMNS)}
_CHOICES: Final[dict[str, Sequence[tuple[str, str | Promise]]]] = {
    "sharing": SharingAttribute.choices,
    "opening": OpeningAttribute.choices,
    "cycle": UpdateCycle.choices,
    "status": DatasetStatus.choices,
    "format_class": FormatClass.choices,
    "has_data": list(YES_OR_NO.items()),
    "quality": list(BANDS.items()),
}
_NAMES: Final = ", ".join(f"f_{name}" for name in COLUMNS)
_STATEMENT: Final = (
    f"WITH matching({_NAMES}, themes, class_fits, theme_fits) AS MATERIALIZED ({{matching}}) "  # noqa: S608
    f"SELECT {_NAMES}, class_fits, theme_fits, count(*), NULL AS theme FROM matching "
    f"GROUP BY {_NAMES}, class_fits, theme_fits UNION ALL "
    f"(SELECT {', '.join(['NULL'] * len(COLUMNS))}, NULL, NULL, count(*), theme "
    "FROM matching, unnest(themes) AS theme WHERE class_fits {others} "
    "GROUP BY theme ORDER BY count(*) DESC, theme LIMIT %s)"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter with the number of entries it would leave."""

    value: str
    label: str | Promise
    count: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """total: the entries that pass every filter; by_choice: per filter, per value of it."""

    total: int
    by_choice: Mapping[str, Mapping[Any, int]]


def departments() -> dict[int, Department]:
    """Return the departments by key, with their regions. One statement."""
    rows = Department.objects.select_related("region").only(
        "code", "name", "short_name", "region__key", "region__code", "region__name"
    )
    return {row.pk: row for row in rows.order_by("code")}


def department_key(code: str, providers: Mapping[int, Department]) -> int:
    """Return the key of the department with that code; 0 where there is none."""
    return next((key for key, row in providers.items() if row.code == code), 0)


def count(
    matching: QuerySet[SearchEntry], filters: Filters, providers: Mapping[int, Department]
) -> Counts:
    """Count the entries that match the words by every filter at once. One statement.

    matching: visible entries that have the words, under no other filter but what is no facet. The
    database groups them by what they have in common; the groups, far fewer than the entries, are
    told apart here: a filter counts the entries that miss no other one.
    """
    wanted = _wanted(filters, providers)
    by_choice: dict[str, Counter[Any]] = {name: Counter() for name in FACETS}
    total = 0
    for *values, class_fits, theme_fits, entries, theme in _groups(matching, filters, wanted):
        if theme is not None:
            by_choice["theme"][theme] = entries
            continue
        missed = [name for name, value in wanted.items() if values[_PLACES[name]] != value]
        missed += [name for name, fits in _apart(class_fits, theme_fits) if not fits]
        if not missed:
            total += entries
            for name, value in zip(COLUMNS, values, strict=True):
                by_choice[name][value] += entries
        elif len(missed) == 1 and missed[0] != "theme":
            by_choice[missed[0]][values[_PLACES[missed[0]]]] += entries
    return Counts(total, by_choice)


def _apart(class_fits: bool, theme_fits: bool) -> tuple[tuple[str, bool], ...]:  # noqa: FBT001
    return ("classification", class_fits), ("theme", theme_fits)


def _wanted(filters: Filters, providers: Mapping[int, Department]) -> dict[str, str | int]:
    """Return the value of each chosen filter that is compared as a whole."""
    found: dict[str, str | int] = {
        name: value
        for name, value in filters.chosen().items()
        if name in _PLACES and name != "classification"
    }
    if filters.department:
        found["department"] = department_key(filters.department, providers)
    return found


def _groups(
    matching: QuerySet[SearchEntry], filters: Filters, wanted: Mapping[str, str | int]
) -> list[tuple[Any, ...]]:
    columns = {f"f_{name}": made for name, made in COLUMNS.items()}
    columns_of = (
        matching.order_by()
        .annotate(
            **columns,
            class_fits=_fits(
                Q(classification__startswith=filters.classification)
                if filters.classification
                else Q()
            ),
            theme_fits=_fits(Q(themes__contains=[filters.theme]) if filters.theme else Q()),
        )
        .values_list(*columns, "themes", "class_fits", "theme_fits")
    )
    try:
        chosen, parameters = columns_of.query.sql_with_params()
    except EmptyResultSet:  # nobody could see anything
        return []
    others = "".join(f" AND f_{name} = %s" for name in wanted)
    statement = _STATEMENT.format(matching=chosen, others=others)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*parameters, *wanted.values(), THEMES_SHOWN])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _fits(condition: Q) -> Combinable:
    if not condition:
        return Value(value=True, output_field=BooleanField())
    return ExpressionWrapper(condition, output_field=BooleanField())


def choices(
    counts: Counts, filters: Filters, providers: Mapping[int, Department]
) -> dict[str, list[Choice]]:
    """Return, per filter, its values with their counts; those that would leave nothing are left."""
    made = {name: _closed(counts, filters, name) for name in _CHOICES}
    return {
        **made,
        "department": _departments(counts, filters, providers),
        "region": _regions(counts, filters, providers),
        "classification": _classes(counts, filters),
        "theme": _themes(counts, filters),
    }


def _closed(counts: Counts, filters: Filters, name: str) -> list[Choice]:
    counted, chosen = counts.by_choice[name], getattr(filters, name)
    return [
        Choice(value, label, counted.get(value, 0), value == chosen)
        for value, label in _CHOICES[name]
        if counted.get(value) or value == chosen
    ]


def _departments(
    counts: Counts, filters: Filters, providers: Mapping[int, Department]
) -> list[Choice]:
    counted, chosen = counts.by_choice["department"], filters.department
    return [
        Choice(row.code, str(row), counted.get(key, 0), row.code == chosen)
        for key, row in providers.items()
        if counted.get(key) or row.code == chosen
    ]


def _regions(counts: Counts, filters: Filters, providers: Mapping[int, Department]) -> list[Choice]:
    counted, chosen = counts.by_choice["region"], filters.region
    names = {row.region.code or row.region.key: row.region.name for row in providers.values()}
    return [
        Choice(value, names[value], counted.get(value, 0), value == chosen)
        for value in sorted(names)
        if counted.get(value) or value == chosen
    ]


def _classes(counts: Counts, filters: Filters) -> list[Choice]:
    """The items (项) of the classification that hold something."""
    counted, chosen = counts.by_choice["classification"], filters.classification
    rows = Classification.objects.filter(code__in={*counted, chosen})
    return [
        Choice(row.code, row.name, counted.get(row.code, 0), row.code == chosen)
        for row in rows.order_by("code")
    ]


def _themes(counts: Counts, filters: Filters) -> list[Choice]:
    counted = counts.by_choice["theme"]
    found = [Choice(name, name, n, name == filters.theme) for name, n in counted.items()]
    if filters.theme and filters.theme not in counted:
        return [*found, Choice(filters.theme, filters.theme, counts.total, is_chosen=True)]
    return found
