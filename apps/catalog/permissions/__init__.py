"""Who may do what with the catalogue; one matrix per object, at the head of its module."""

from apps.catalog.permissions import datasets

__all__ = ["datasets"]
