"""The use cases of supervision, a module per object: `from …operations import tasks`."""

from apps.supervision.operations import task_escalation, task_returns, tasks

__all__ = ["task_escalation", "task_returns", "tasks"]
