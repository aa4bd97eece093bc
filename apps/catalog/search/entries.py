"""Make of a catalogue entry the row that it is searched by."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache

from django.utils import timezone

from apps.catalog.models import DataItem, Dataset, SearchEntry
from apps.catalog.scoring import score_of
from apps.catalog.tokens import initials_of, pinyin_of, vector, words_of

FIELDS = tuple(
    field.name
    for field in SearchEntry._meta.concrete_fields
    if field.name not in {"dataset", "has_data"}
)
"""What is written anew each time; whether there is data is told by the warehouse."""


def search_entry_of(dataset: Dataset, items: Sequence[DataItem], *, at: datetime) -> SearchEntry:
    """Return the row for an entry, not saved; `department`, `classification` are read of it."""
    department = dataset.department
    name = [*words_of(dataset.name), *initials_of(dataset.name), *_codes(dataset.code)]
    about = [token for text in _subjects(dataset, items) for token in _tokens(text)]
    rest = [
        token
        for text in (
            dataset.classification.name,
            department.name,
            department.short_name,
            dataset.internal_unit,
            dataset.legal_duty,
            dataset.service_item,
            dataset.system.name if dataset.system else "",
        )
        for token in _tokens(text)
    ]
    score = score_of(dataset, items, on=timezone.localdate(at))
    columns = [item.column_name for item in items]
    return SearchEntry(
        dataset=dataset,
        words=vector(("A", name), ("B", about), ("D", [*rest, *words_of(dataset.abstract)]))
        + vector_of_columns(columns),
        title=vector(("A", name), ("B", about)),
        sort_name=pinyin_of(dataset.name)[:400],
        status=dataset.status,
        department=department,
        region=department.region.code or department.region.key,
        classification=dataset.classification.code,
        themes=dataset.themes,
        sharing=dataset.effective_sharing_attribute,
        opening=dataset.opening_attribute,
        cycle=dataset.update_cycle,
        format_class=dataset.format_class,
        score=score.points,
        losses=score.kinds,
        updated_at=dataset.updated_at,
        revision=dataset.revision,
        indexed_at=at,
    )


def vector_of_columns(columns: Sequence[str]) -> str:
    return "".join(f" {column}:1D" for column in dict.fromkeys(columns))


def _codes(code: str) -> Iterator[str]:
    yield code.lower()
    yield code.partition("/")[2]


def _subjects(dataset: Dataset, items: Sequence[DataItem]) -> Iterator[str]:
    yield from dataset.themes
    for item in items:
        yield item.name


@lru_cache(maxsize=20_000)
def _tokens(text: str) -> tuple[str, ...]:
    """Items, departments and systems are called alike in many entries."""
    return (*words_of(text), *_whole_initials(text))


def _whole_initials(text: str) -> list[str]:
    """Of an item only the whole: its initials and its pinyin."""
    return initials_of(text)[:2]
