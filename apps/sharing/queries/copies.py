"""What is asked of landed copies: which there should be, how far each is behind."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.sharing.models import Grant, LandedCopy, Mode
from apps.warehouse.models import Batch


@dataclass(frozen=True, slots=True)
class Lag:
    """How many of the provider's batches a copy has not taken in, and since when one waits."""

    batches: int
    since: datetime | None


def grants_to_land(at: datetime) -> QuerySet[Grant]:
    """Return grants of batch exchange that are served now and have no copy behind them yet."""
    standing = LandedCopy.objects.filter(grant=OuterRef("pk"), disposed_at=None)
    return Grant.objects.filter(
        ~Exists(standing),
        status=Grant.Status.IN_FORCE,
        mode=Mode.BATCH,
        starts_at__lte=at,
        expires_at__gt=at,
    ).order_by("pk")


def copies_kept() -> QuerySet[LandedCopy]:
    """Return copies whose table stands."""
    related = ("grant__system", "dataset", "system__service_user", "store")
    return LandedCopy.objects.filter(disposed_at=None).select_related(*related).order_by("pk")


def copy_of_grant(grant: Grant) -> LandedCopy | None:
    """Return the copy that follows the grant, or followed it last."""
    return LandedCopy.objects.filter(grant=grant).select_related("store").first()


def lag_of(copy: LandedCopy) -> Lag:
    """Return how far the copy is behind the table of its dataset."""
    waiting = Batch.objects.filter(
        Q(horizon__gt=copy.horizon or 0), table__dataset=copy.dataset_id
    ).order_by("horizon")
    first = waiting.values_list("finished_at", flat=True).first()
    return Lag(waiting.count(), first)
