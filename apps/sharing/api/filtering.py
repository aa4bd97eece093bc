"""Filters that several lists take."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from apps.core.errors import InvalidInput
from apps.core.openapi import refusals

GRANT: Final = OpenApiParameter(
    "grant", OpenApiTypes.INT64, description=_("只要这一项授权的，授权的 id")
)
BAD_FILTER: Final = refusals(
    {400: ("unknown_filter", "unknown_status", "invalid_filter", "invalid_limit", "cursor_invalid")}
)


def of_grant(given: Mapping[str, str]) -> dict[str, Any]:
    """Return the lookups with the grant's key as a number.

    Raises:
        InvalidInput: it is none.
    """
    key = given.get("grant", "0")
    if not (key.isascii() and key.isdigit() and len(key) < 19):
        raise InvalidInput(_("grant 须是授权的 id"), code="invalid_filter", field="grant")
    return dict(given)
