"""Many entries through one door: what `create_dataset` and `begin_change` do, set by set.

Called by the use case that adopts a spreadsheet, which has asked permission; each entry gets its
history and its event all the same. What the rules refuse was refused by the verdicts before; what
the database refuses undoes everything.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.catalog.models import (
    ChangeChannel,
    Classification,
    DataItem,
    Dataset,
    DatasetChange,
)
from apps.catalog.operations.indexing import refresh_many
from apps.catalog.operations.writing import last_number
from apps.catalog.proposals import Pointers, python_values
from apps.catalog.snapshots import ITEM_FIELDS, plain
from apps.core.access import Standing
from apps.core.copying import copy_in, draw_keys, remember
from apps.ledger import operations as ledger

BATCH: Final = 1_000
Plain = Mapping[str, Any]
_DEFAULTS: Final = {name: plain(getattr(DataItem(), name)) for name in ITEM_FIELDS}


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A draft to be made: plain values by the fields of snapshots."""

    department: Department
    classification: str
    fields: Plain
    items: Sequence[Plain]
    related: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class NewChange:
    """A change to be begun: plain values, as `DatasetChange` keeps them."""

    dataset: Dataset
    base_version: int
    fields: Plain
    items: Sequence[Plain] | None


@dataclass(slots=True)
class _Counter:
    """The next free numbers below each classification, whose rows are held."""

    last: dict[int, int] = field(default_factory=dict)

    def draw(self, classification: Classification) -> str:
        if classification.pk not in self.last:
            self.last[classification.pk] = last_number(classification)
        self.last[classification.pk] += 1
        return f"{classification.code}/{self.last[classification.pk]:06d}"


def create_many(
    entries: Sequence[NewEntry], *, standing: Standing, actor: User, at: datetime, reason: str
) -> list[Dataset]:
    """Enter drafts with their items; codes are drawn as for a typed one.

    Raises:
        InvalidInput: a code that a value points to is gone.
        IntegrityError: a name was taken meanwhile.
    """
    codes = {entry.classification for entry in entries}
    classes = {
        row.code: row
        for row in Classification.objects.select_for_update().filter(code__in=codes).order_by("pk")
    }
    counter = _Counter()
    made: list[Dataset] = []
    for start in range(0, len(entries), BATCH):
        chunk = entries[start : start + BATCH]
        pointers = _pointers(chunk)
        datasets = [
            Dataset(
                department=entry.department,
                classification=classes[entry.classification],
                code=counter.draw(classes[entry.classification]),
                created_at=at,
                updated_at=at,
                **python_values(Dataset, entry.fields, pointers),
            )
            for entry in chunk
        ]
        draw_keys(datasets)
        copy_in(Dataset, datasets, with_keys=True)
        copy_in(DataItem, _items(datasets, chunk, pointers))
        within = Dataset.objects.filter(pk__in=[dataset.pk for dataset in datasets])
        remember(Dataset, within=within, actor=actor, at=at, reason=reason)
        items = DataItem.objects.filter(dataset__in=within)
        remember(DataItem, within=items, actor=actor, at=at, reason=reason)
        made += datasets
    _relate(made, entries)
    _record(made, standing, at)
    refresh_many([dataset.pk for dataset in made], at=at)
    return made


def _items(
    datasets: Sequence[Dataset], entries: Sequence[NewEntry], pointers: Pointers
) -> Iterator[DataItem]:
    for dataset, entry in zip(datasets, entries, strict=True):
        for position, item in enumerate(entry.items, 1):
            values = python_values(DataItem, _fields(item), pointers)
            yield DataItem(dataset=dataset, **{**values, "position": position})


def _record(made: Sequence[Dataset], standing: Standing, at: datetime) -> None:
    ledger.record_many(
        standing,
        "catalog.create_dataset",
        ((each, each.department, {"code": each.code, "channel": "spreadsheet"}) for each in made),
        at=at,
    )


def _fields(item: Plain) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in {"is_new", "position"}}


def _pointers(entries: Sequence[NewEntry]) -> Pointers:
    pairs: list[tuple[Any, Plain]] = [(Dataset, entry.fields) for entry in entries]
    pairs += [(DataItem, _fields(item)) for entry in entries for item in entry.items]
    return Pointers(pairs)


def _relate(made: Sequence[Dataset], entries: Sequence[NewEntry]) -> None:
    wanted = {code for entry in entries for code in entry.related}
    if not wanted:
        return
    known = Dataset.objects.in_bulk(list(wanted), field_name="code")
    for dataset, entry in zip(made, entries, strict=True):
        if entry.related:
            dataset.related.set(known[code] for code in entry.related if code in known)


def change_many(
    changes: Sequence[NewChange], *, standing: Standing, actor: User, at: datetime, reason: str
) -> list[DatasetChange]:
    """Begin the next versions of entries in force, which stay in force untouched.

    The caller holds the entries' rows and knows that none has an open change.
    """
    if not changes:
        return []
    made = [
        DatasetChange(
            dataset=change.dataset,
            base_version=change.base_version,
            fields=dict(change.fields),
            items=None if change.items is None else _positioned(change.items),
            reason=reason,
            channel=ChangeChannel.SPREADSHEET,
            started_by=actor,
            created_at=at,
            updated_at=at,
        )
        for change in changes
    ]
    draw_keys(made)
    copy_in(DatasetChange, made, with_keys=True)
    within = DatasetChange.objects.filter(pk__in=[change.pk for change in made])
    remember(DatasetChange, within=within, actor=actor, at=at, reason=str(_("开始修改")))
    ledger.record_many(
        standing,
        "catalog.begin_change",
        ((each, each.dataset.department, {"channel": "spreadsheet"}) for each in made),
        at=at,
    )
    return made


def _positioned(items: Sequence[Plain]) -> list[dict[str, Any]]:
    return [
        {"pk": None, **_DEFAULTS, **_fields(item), "position": position}
        for position, item in enumerate(items, 1)
    ]
