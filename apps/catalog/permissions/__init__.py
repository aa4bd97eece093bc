"""Who may do what with the catalogue; one matrix per object, at the head of its module."""

from apps.catalog.permissions import changes, datasets, searches

__all__ = ["changes", "datasets", "searches"]
