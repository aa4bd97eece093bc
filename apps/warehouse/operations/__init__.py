"""What is done with stores and batches."""

from apps.warehouse.operations.confirming import confirm_no_change
from apps.warehouse.operations.landing import land, land_due
from apps.warehouse.operations.receiving import receive, require_may_land
from apps.warehouse.operations.relaying import relay
from apps.warehouse.operations.stores import ensure_stores
from apps.warehouse.operations.tables import make_table

__all__ = [
    "confirm_no_change",
    "ensure_stores",
    "land",
    "land_due",
    "make_table",
    "receive",
    "relay",
    "require_may_land",
]
