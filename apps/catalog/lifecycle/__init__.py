"""How the catalogue's matters move; one table per object."""

from apps.catalog.lifecycle.changes import CHANGE, EDITABLE_CHANGE
from apps.catalog.lifecycle.datasets import DATASET, EDITABLE
from apps.catalog.lifecycle.demands import DEMAND

__all__ = ["CHANGE", "DATASET", "DEMAND", "EDITABLE", "EDITABLE_CHANGE"]
from apps.catalog.lifecycle.responsibility import DUTY, RESPONSIBILITY_LIST

__all__ = [
    "CHANGE",
    "DATASET",
    "DUTY",
    "EDITABLE",
    "EDITABLE_CHANGE",
    "RESPONSIBILITY_LIST",
]
