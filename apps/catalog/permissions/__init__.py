"""Who may do what with the catalogue; one matrix per object, at the head of its module."""

from apps.catalog.permissions import (
    changes,
    datasets,
    demands,
    imports,
    law,
    responsibility,
    searches,
    sources,
    upward,
)

__all__ = [
    "changes",
    "datasets",
    "demands",
    "imports",
    "law",
    "responsibility",
    "searches",
    "sources",
    "upward",
]
