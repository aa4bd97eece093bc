"""What the addresses of reporting upward share: refusals, and how a move is named and read."""

from collections.abc import Collection
from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter

from apps.core.openapi import refusals

BAD_LIST: Final = refusals(
    {400: ("unknown_filter", "invalid_filter", "invalid_limit", "cursor_invalid")}
)
NO_ROW: Final = refusals({404: ("not_found",)})
MOVE_REFUSALS: Final = refusals(
    {
        400: ("invalid_input",),
        403: ("not_allowed",),
        404: ("not_found",),
        409: ("illegal_move", "stale_revision"),
    }
)


def move_parameter(moves: Collection[str], meaning: Any) -> OpenApiParameter:
    return OpenApiParameter("move", str, OpenApiParameter.PATH, enum=[*moves], description=meaning)
