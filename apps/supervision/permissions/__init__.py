"""Who may do what in supervision; one matrix per object, at the head of its module."""

from apps.supervision.permissions import board, tasks

__all__ = ["board", "tasks"]
