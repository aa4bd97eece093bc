"""Supervision over the API."""

from apps.supervision.api.tasks import TaskReturnViewSet, WorkTaskViewSet

__all__ = ["TaskReturnViewSet", "WorkTaskViewSet"]
