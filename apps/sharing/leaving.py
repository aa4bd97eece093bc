"""Which columns a grant shows that its entry lists no more, and until when they are served.

Nothing of it is kept: the day on which a column was dropped is that of the version that left it
out, and how long it is served beside the new ones is a policy of the clocks. Where no such policy
holds, no column leaves.

Source: house rule (issue 5: both versions for N days)
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db.models import F, Func, JSONField
from django.utils.translation import gettext as _

from apps.catalog import queries as catalog
from apps.catalog.models import DatasetVersion
from apps.clocks import queries as clocks
from apps.clocks.derivation import Derivation
from apps.core.contracts import Column
from apps.core.errors import NotFound
from apps.sharing.models import Grant

DROPPED: Final = "grant.dropped_column"
OPEN: Final = Grant.LIVE
_NAMES: Final = Func(
    F("contract"),
    template="jsonb_path_query_array(%(expressions)s, '$.columns[*].name')",
    output_field=JSONField(),
)


@dataclass(frozen=True, slots=True)
class Ending:
    """Since when a column is dropped, until when it is served all the same, what carries on.

    Units: last_day is the last day of service; ends_at the first instant after it. replaced_by is
    the column of the same label, "" where there is none.
    """

    dropped_at: datetime
    last_day: date
    ends_at: datetime
    replaced_by: str = ""


@dataclass(frozen=True, slots=True)
class Leaving:
    """One such column of a grant: whether the grant shows it, chooses its rows by it, or both."""

    column: Column
    ending: Ending
    is_shown: bool
    is_condition: bool

    @property
    def label(self) -> str:
        return self.column.label


def named_columns(columns: Iterable[dict[str, Any]], rows: Iterable[dict[str, Any]]) -> set[str]:
    """Return the names of all columns that terms show or choose rows by."""
    return {str(each["name"]) for each in columns} | {str(each.get("item")) for each in rows}


def endings_of(dataset_id: int, names: Collection[str]) -> dict[str, tuple[Column, Ending | None]]:
    """Return those of the names that were dropped, as they last were, with their ends.

    The end is None where no policy holds.
    """
    found = catalog.dropped_columns(dataset_id, names) if names else {}
    endings = endings_by_name(found.values())
    return {name: (each.column, endings.get(name)) for name, each in found.items()}


def endings_by_name(dropped: Collection[catalog.Dropped]) -> dict[str, Ending]:
    """Return the ends of these columns as policy and calendar tell them now.

    What no policy ends is left out. Asks the database once for each moment at which some were
    dropped, not at all without any.
    """
    ends = {at: _derivation_from(at) for at in {each.dropped_at for each in dropped}}
    return {
        each.column.name: Ending(each.dropped_at, end.due_on, end.due_at, each.replaced_by)
        for each in dropped
        if (end := ends[each.dropped_at]) is not None
    }


def leaving_columns(grant: Grant) -> list[Leaving]:
    """Return the columns of the grant that its entry lists no more, in the order of the grant."""
    named = named_columns(grant.columns, grant.row_condition)
    staying = {column.name for column in catalog.contract_of(grant.dataset).columns}
    shown = [str(each["name"]) for each in grant.columns]
    chosen_by = {str(each.get("item")) for each in grant.row_condition}
    found = endings_of(grant.dataset_id, named - staying)
    order = [*shown, *sorted(chosen_by - set(shown))]
    ends = [(name, *found[name]) for name in order if name in found]
    return [
        Leaving(column, ending, name in shown, name in chosen_by)
        for name, column, ending in ends
        if ending is not None
    ]


def grants_with_leaving_columns() -> Sequence[Grant]:
    """Return the grants in use that name a column which their entries list no more."""
    served = Grant.objects.filter(status__in=Grant.SERVED)
    current = (
        DatasetVersion.objects.filter(number__gt=1, dataset__in=served.values("dataset"))
        .order_by("dataset", "-number")
        .distinct("dataset")
        .annotate(names=_NAMES)
    )
    listed = dict(current.values_list("dataset", "names"))
    rows = served.filter(dataset__in=listed).values_list(
        "pk", "dataset", "columns", "row_condition"
    )
    behind = [
        pk
        for pk, dataset, columns, condition in rows
        if named_columns(columns, condition) - set(listed[dataset])
    ]
    return list(
        Grant.objects.filter(pk__in=behind)
        .select_related("dataset", "request", "consumer", "provider")
        .order_by("pk")
    )


def grants_touched_by(dataset_id: int, names: Collection[str]) -> Sequence[Grant]:
    """Return the open grants on a dataset that show one of the columns, or choose rows by it."""
    grants = (
        Grant.objects.filter(dataset=dataset_id, status__in=OPEN)
        .select_related("dataset", "request", "consumer", "provider", "system")
        .order_by("pk")
    )
    wanted = set(names)
    if not wanted:
        return []
    return [each for each in grants if wanted & named_columns(each.columns, each.row_condition)]


def words_of_ending(ending: Ending) -> str:
    """Say what a column that is dropped still shows, until when, and what carries on."""
    words = _("目录已停用，提供至 %(day)s，值停在停用之时，不再更新，新记录为空") % {
        "day": ending.last_day.isoformat()
    }
    if ending.replaced_by:
        words += _("；同名的数据项改用列 %(column)s") % {"column": ending.replaced_by}
    return words


def last_day_from(dropped_at: datetime) -> date | None:
    """Return until when a column would be served that is dropped then; None without a policy."""
    end = _derivation_from(dropped_at)
    return end.due_on if end else None


def _derivation_from(dropped_at: datetime) -> Derivation | None:
    try:
        return clocks.derivation_under(DROPPED, dropped_at)
    except NotFound:
        return None
