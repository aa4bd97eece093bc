"""How the catalogue's matters move; one table per object."""

from apps.catalog.lifecycle.changes import CHANGE, EDITABLE_CHANGE
from apps.catalog.lifecycle.datasets import DATASET, EDITABLE

__all__ = ["CHANGE", "DATASET", "EDITABLE", "EDITABLE_CHANGE"]
