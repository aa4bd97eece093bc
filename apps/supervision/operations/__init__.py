"""The use cases of supervision, a module per object: `from …operations import tasks`."""

from apps.supervision.operations import board, task_escalation, task_returns, tasks

__all__ = ["board", "task_escalation", "task_returns", "tasks"]
