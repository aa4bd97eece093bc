"""Headers that say of an answer that a column in it will not be served for long.

Source: RFC 9745 (Deprecation), RFC 8594 (Sunset)
"""

from django.http import HttpResponseBase
from django.utils.http import http_date

from apps.sharing.gateway.shapes import Shape
from apps.sharing.leaving import endings_by_name


def announce(answer: HttpResponseBase, shape: Shape) -> None:
    """Write since when the first such column is deprecated, and when the first one goes."""
    endings = endings_by_name(shape.dropped).values()
    if not endings:
        return
    since = min(each.dropped_at for each in endings)
    answer["Deprecation"] = f"@{int(since.timestamp())}"
    answer["Sunset"] = http_date(min(each.ends_at for each in endings).timestamp())
