"""Who may do what with the catalogue; one matrix per object, at the head of its module."""

from apps.catalog.permissions import changes, datasets

__all__ = ["changes", "datasets"]
