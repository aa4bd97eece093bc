"""What is asked of data elements and code lists."""

from collections.abc import Collection
from datetime import date

from django.db.models import Q, QuerySet

from apps.standards.models import CodeListEntry


def entries_valid(*, on: date) -> QuerySet[CodeListEntry]:
    """Return the codes that are valid on that day; the day of ending is no longer one."""
    return CodeListEntry.objects.filter(
        Q(valid_from__isnull=True) | Q(valid_from__lte=on),
        Q(valid_to__isnull=True) | Q(valid_to__gt=on),
    )


def codes_by_list(lists: Collection[int], *, on: date) -> dict[int, tuple[str, ...]]:
    """Return the valid codes of each code list by its key, in one statement."""
    found: dict[int, list[str]] = {pk: [] for pk in lists}
    if not found:
        return {}
    entries = entries_valid(on=on).filter(code_list__in=found)
    for pk, code in entries.order_by("position", "code").values_list("code_list_id", "code"):
        found[pk].append(code)
    return {pk: tuple(codes) for pk, codes in found.items()}


def names_of_codes(code_list: int, *, on: date) -> dict[str, str]:
    """Return code → meaning of one code list, as valid on that day."""
    entries = entries_valid(on=on).filter(code_list=code_list)
    return dict(entries.order_by("position", "code").values_list("code", "name"))
