"""What the columns of a table look like."""

from apps.catalog.models import Dataset
from apps.quality.models import ColumnProfile, QualityRun


def profile_of(dataset: Dataset) -> list[ColumnProfile]:
    """Return the latest profile of the dataset's columns, in their order; none was made: empty."""
    run = (
        QualityRun.objects.filter(dataset=dataset, profiled_at__isnull=False)
        .order_by("-pk")
        .first()
    )
    return [] if run is None else list(run.profiles.order_by("position"))
