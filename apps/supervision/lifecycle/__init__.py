"""How the matters of supervision move; one table per object."""

from apps.supervision.lifecycle.tasks import RETURN, TASK, WRITABLE

__all__ = ["RETURN", "TASK", "WRITABLE"]
