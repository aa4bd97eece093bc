"""Filters that several lists take."""

from typing import Final

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from apps.core.openapi import refusals

GRANT: Final = OpenApiParameter(
    "grant", OpenApiTypes.INT64, description=_("只要这一项授权的，授权的 id")
)
BAD_FILTER: Final = refusals(
    {400: ("unknown_filter", "unknown_status", "invalid_filter", "invalid_limit", "cursor_invalid")}
)
