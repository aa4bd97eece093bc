"""Scores as the pages write them."""

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def share(ratio: float | None) -> str:
    """Return 97.3%; never rounded up to 100 % or down to 0 % where something is missing."""
    if ratio is None:
        return "—"
    if 0.9995 <= ratio < 1:
        return "99.9%"
    if 0 < ratio < 0.0005:
        return "0.1%"
    return f"{ratio:.1%}"


@register.filter
def tone_of_ratio(ratio: float | None) -> str:
    """Return the tone of a bar: in order from 98 %, attention below, bad below 90 %."""
    if ratio is None:
        return "plain"
    if ratio >= 0.98:
        return "ok"
    return "attention" if ratio >= 0.9 else "bad"


@register.filter
def lookup(values: Mapping[Any, Any], key: Any) -> Any:
    """Return what a mapping holds under a key that the template names; None without."""
    return values.get(key)
