"""What is asked of supervision."""

from apps.supervision.queries import tasks

__all__ = ["tasks"]
