"""Which duties in law and service items no published entry names."""

from datetime import date
from typing import Any, Final, TypeVar

from django.db.models import BooleanField, Model, Q, QuerySet
from django.db.models.expressions import RawSQL

from apps.catalog.models import LegalDuty, ServiceItem

RowT = TypeVar("RowT", bound=Model)
# Codes and names stand in one text, set apart as people do; a name with such a mark in it is found
# when it is the whole text. A code is found in any department's entries, a name in the own ones'.
# DISTINCT tells PostgreSQL that the words are few, so that it hashes them: without, it expects a
# thousand words per entry and compares every item with every word of the catalogue.
_NAMED: Final = """
({table}.code IN (
   SELECT DISTINCT word FROM catalog_dataset AS entry,
     regexp_split_to_table(entry.{column}, '[、，,;；[:space:]]+') AS word
   WHERE entry.status IN ('published', 'withdrawal_requested') AND word <> '')
 OR ({table}.department_id, {table}.name) IN (
   SELECT DISTINCT entry.department_id, word FROM catalog_dataset AS entry,
     regexp_split_to_table(entry.{column}, '[、，,;；[:space:]]+') AS word
   WHERE entry.status IN ('published', 'withdrawal_requested') AND word <> ''
   UNION ALL
   SELECT entry.department_id, btrim(entry.{column}) FROM catalog_dataset AS entry
   WHERE entry.status IN ('published', 'withdrawal_requested')))
"""


def legal_duties_without_dataset(on: date) -> QuerySet[LegalDuty]:
    """Return the duties in law valid on that day that no published entry names."""
    return with_dataset(valid(LegalDuty.objects.all(), on)).filter(has_dataset=False)  # type: ignore[no-any-return]


def service_items_without_dataset(on: date) -> QuerySet[ServiceItem]:
    """Return the service items valid on that day that no published entry names."""
    return with_dataset(valid(ServiceItem.objects.all(), on)).filter(has_dataset=False)  # type: ignore[no-any-return]


def valid(rows: QuerySet[RowT], on: date) -> QuerySet[RowT]:
    """Keep the items that are in force on that day."""
    begun = Q(valid_from=None) | Q(valid_from__lte=on)
    return rows.filter(begun, Q(valid_to=None) | Q(valid_to__gt=on))


def with_dataset(rows: QuerySet[Any]) -> Any:
    """Add `has_dataset`: a published entry names the item's code, or an own one its name."""
    column = "legal_duty" if rows.model is LegalDuty else "service_item"
    text = _NAMED.format(table=rows.model._meta.db_table, column=column)
    return rows.annotate(has_dataset=RawSQL(text, [], output_field=BooleanField()))  # noqa: S611 names of our own tables
