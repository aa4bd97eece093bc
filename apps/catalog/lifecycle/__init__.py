"""How the catalogue's matters move; one table per object."""

from apps.catalog.lifecycle.datasets import DATASET, EDITABLE

__all__ = ["DATASET", "EDITABLE"]
