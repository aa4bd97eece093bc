"""What is done with stores and batches."""

from apps.warehouse.operations.landing import land, land_due
from apps.warehouse.operations.receiving import receive, require_may_land
from apps.warehouse.operations.stores import ensure_stores

__all__ = ["ensure_stores", "land", "land_due", "receive", "require_may_land"]
