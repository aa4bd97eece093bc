"""What is asked of data elements and code lists."""

from datetime import date

from django.db.models import Q

from apps.standards.models import CodeList


def codes_valid(code_list: CodeList, *, on: date) -> tuple[str, ...]:
    """Return the codes of the list that are valid on that day, in their order."""
    return tuple(
        code_list.entries.filter(
            Q(valid_from__isnull=True) | Q(valid_from__lte=on),
            Q(valid_to__isnull=True) | Q(valid_to__gt=on),
        )
        .order_by("position", "code")
        .values_list("code", flat=True)
    )
