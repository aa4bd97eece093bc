"""How the catalogue's matters move; one table per object."""

from apps.catalog.lifecycle.changes import CHANGE, EDITABLE_CHANGE
from apps.catalog.lifecycle.datasets import DATASET, EDITABLE
from apps.catalog.lifecycle.demands import DEMAND
from apps.catalog.lifecycle.duplicates import DUPLICATE
from apps.catalog.lifecycle.imports import IMPORT, OPEN_IMPORT
from apps.catalog.lifecycle.responsibility import DUTY, RESPONSIBILITY_LIST
from apps.catalog.lifecycle.upward import PACKAGE, UPPER_REQUEST

__all__ = [
    "CHANGE",
    "DATASET",
    "DEMAND",
    "DUPLICATE",
    "DUTY",
    "EDITABLE",
    "EDITABLE_CHANGE",
    "IMPORT",
    "OPEN_IMPORT",
    "PACKAGE",
    "RESPONSIBILITY_LIST",
    "UPPER_REQUEST",
]
