"""What a delivered file says about rules: counted from what did not land of it.

Of a file every record is evaluated (`declared`), whether the column is filled or not. Two counts of
duplicates exist and are kept apart: `file_duplicate` counts records of the file whose business key
stands in it again further down; rows of the table that are alike in other columns are the
`unique` rules' and are counted there.

Source: GB/T 36344-2018 (0303, 0305); house rule
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from apps.quality.models import DELIVERED_KINDS, QualityRule
from apps.warehouse.models import Batch


@dataclass(frozen=True, slots=True)
class Delivered:
    """failed of evaluated records; or the reason why it cannot be said."""

    rule: QualityRule
    evaluated: int
    failed: int
    not_evaluable: str = ""


def delivered(batch: Batch, rules: Iterable[QualityRule]) -> list[Delivered]:
    """Count the batch's records by rule; a list of keys to delete says nothing about rules."""
    asked = [
        rule
        for rule in rules
        if rule.kind in DELIVERED_KINDS
        or (rule.origin == QualityRule.Origin.CONTRACT and rule.columns)
        or (rule.origin == QualityRule.Origin.ADDED and rule.severity != "warn")
    ]
    if batch.mode == Batch.Mode.DELETE or not batch.declared:
        return []
    counts = _counts(batch)
    return [
        Delivered(rule, batch.declared, min(_failed(rule, batch, counts), batch.declared))
        for rule in asked
    ]


def _failed(rule: QualityRule, batch: Batch, counts: dict[tuple[str, str], int]) -> int:
    if rule.code == "dirty":
        return batch.rejected
    if rule.code == "file_duplicate":
        return batch.duplicate
    if rule.code == "structure":
        return counts.get(("", ""), 0)
    if rule.origin == QualityRule.Origin.ADDED:
        return counts.get((f"rule_{rule.pk}", rule.columns[0]), 0)
    return counts.get((rule.code, rule.columns[0]), 0)


def _counts(batch: Batch) -> dict[tuple[str, str], int]:
    """Records by (code, column); those whose fault lies in the record itself by ("", "")."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CASE WHEN reason->>'column' = '' THEN '' ELSE reason->>'code' END,"
            " reason->>'column', count(DISTINCT record_number)"
            " FROM warehouse_rejection, jsonb_array_elements(reasons) AS reason"
            " WHERE batch_id = %s AND kind <> 'duplicate'"
            " AND reason->>'code' <> 'key_exists' GROUP BY 1, 2",
            [batch.pk],
        )
        return {(code, column): count for code, column, count in cursor.fetchall()}
