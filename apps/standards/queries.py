"""What is asked of data elements and code lists."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

from django.db import connection
from django.db.models import Q, QuerySet
from psycopg import sql

from apps.standards.masks import MASKS, SCHEMA
from apps.standards.models import CodeListEntry

HIDDEN: Final = "***"
"""What stands for a text whose mask takes no text, as that of a number or a day."""

_YEAR: Final = r"^(\d{4})-\d{2}-\d{2}"


def entries_valid(*, on: date) -> QuerySet[CodeListEntry]:
    """Return the codes that are valid on that day; the day of ending is no longer one."""
    return CodeListEntry.objects.filter(
        Q(valid_from__isnull=True) | Q(valid_from__lte=on),
        Q(valid_to__isnull=True) | Q(valid_to__gt=on),
    )


def codes_by_list(lists: Collection[int], *, on: date) -> dict[int, tuple[str, ...]]:
    """Return the valid codes of each code list by its key, in one statement."""
    return {pk: tuple(names) for pk, names in names_by_list(lists, on=on).items()}


def names_by_list(lists: Collection[int], *, on: date) -> dict[int, dict[str, str]]:
    """Return code → meaning of each code list by its key, valid on that day, in one statement."""
    found: dict[int, dict[str, str]] = {pk: {} for pk in lists}
    if not found:
        return {}
    entries = entries_valid(on=on).filter(code_list__in=found).order_by("position", "code")
    for pk, code, name in entries.values_list("code_list_id", "code", "name"):
        found[pk][code] = name
    return found


def covered(values: Sequence[tuple[str, str]]) -> list[str]:
    """Return texts as their masks cover them, in one statement; each is a mask's name and a text.

    The functions are those of the views that consumers read. Where a mask takes no text the whole
    is hidden: what stands on a screen may be no number and no day at all. Of a day the year stays.
    """
    if not values:
        return []
    by_name = sql.SQL(" ").join(
        sql.SQL("WHEN {} THEN {}(given.text)").format(name, sql.Identifier(SCHEMA, mask.function))
        for name, mask in MASKS.items()
        if "text" in mask.bodies
    )
    statement = sql.SQL(
        "SELECT CASE given.mask {}"
        " WHEN 'year_of_date' THEN coalesce(substring(given.text FROM %s), {}) ELSE {} END"
        " FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS given (mask, text, place)"
        " ORDER BY given.place"
    ).format(by_name, HIDDEN, HIDDEN)
    masks, texts = zip(*values, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(statement, [_YEAR, list(masks), list(texts)])
        return [str(row[0]) for row in cursor.fetchall()]
