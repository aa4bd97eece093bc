"""The planned stops of a dataset's services, as a banner on the pages of those they reach."""

from typing import Any

from django import template
from django.utils import timezone

from apps.core import access
from apps.sharing.queries.planned_stops import open_stops_of

register = template.Library()


@register.inclusion_tag("sharing/_planned_stops.html")
def planned_stops(user: Any, dataset: Any) -> dict[str, Any]:
    """Show the stops that are ahead or running, where the person may see them."""
    at = timezone.now()
    found = access.rows(user, "view", open_stops_of(dataset, at), at=at)
    return {"stops": [(stop, stop.starts_at <= at) for stop in found]}
