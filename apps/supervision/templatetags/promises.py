"""{% promise duty %}: what of a duty landed, as the responsibility board counts it."""

from typing import Any

from django import template
from django.utils import timezone

from apps.catalog.models import Duty
from apps.supervision.queries import findings

register = template.Library()


@register.inclusion_tag("supervision/_promise.html")
def promise(duty: Duty) -> dict[str, Any]:
    """Draw the duty's line of the board; nothing where the board does not count it by itself."""
    row = findings.duty_facts(timezone.now()).filter(pk=duty.pk).first()
    if row is None:
        return {"row": None}
    missing = findings.missing_item_names([row.pk]) if row.is_lacking else {}
    return {"row": row, "missing_names": missing.get(row.pk, [])}
