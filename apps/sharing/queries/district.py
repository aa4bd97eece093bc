"""Which requests cross levels, and which district's authority looks at them first."""

from typing import Final

from django.db.models import F, QuerySet

from apps.accounts import queries as accounts
from apps.accounts.models import Department, Region
from apps.sharing.models import DistrictReview, SharingRequest

DISTRICT: Final = "request.district_review"


def district_authority_of(request: SharingRequest) -> Department | None:
    """Return whose review comes first; None where the request goes to the provider directly.

    A district's department that asks for data of another region, the city's above all, goes by its
    district's authority. That authority's own requests go directly, and so do those of a district
    that has none in force.

    Source: comparator (西安第三十三条); house rule for other districts' data
    """
    own = request.consumer
    region = own.region
    if region.kind == Region.Kind.CITY or request.dataset.department.region_id == region.pk:
        return None
    try:
        authority = accounts.authority(region)
    except Department.DoesNotExist:
        return None
    return None if authority.pk == own.pk else authority


def reviews_of_own_requests() -> QuerySet[SharingRequest]:
    """Return what an authority would review for itself, since a reform made the two one."""
    own = DistrictReview.objects.filter(outcome="", authority=F("request__consumer"))
    return SharingRequest.objects.filter(status="district_review", pk__in=own.values("request"))


def open_district_review(request: SharingRequest) -> DistrictReview | None:
    """Return the review that has no outcome yet."""
    return request.district_reviews.filter(outcome="").select_related("authority").first()
