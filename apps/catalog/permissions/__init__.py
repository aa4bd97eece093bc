"""Who may do what with the catalogue; one matrix per object, at the head of its module."""

from apps.catalog.permissions import changes, datasets, demands, law, responsibility, searches

__all__ = ["changes", "datasets", "demands", "searches"]

__all__ = [
    "changes",
    "datasets",
    "law",
    "responsibility",
    "searches",
]
