"""Who may do what in supervision; one matrix per object, at the head of its module."""

from apps.supervision.permissions import tasks

__all__ = ["tasks"]
