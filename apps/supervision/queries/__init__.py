"""What is asked of supervision."""

from apps.supervision.queries import board, findings, tasks

__all__ = ["board", "findings", "tasks"]
