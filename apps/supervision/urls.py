"""Addresses of supervision: pages under /work/, the API under /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.supervision.api import TaskReturnViewSet, WorkTaskViewSet
from apps.supervision.api.board import ResponsibilityBoardView
from apps.supervision.views.routes import urlpatterns

__all__ = ["api_urlpatterns", "urlpatterns"]

router = SimpleRouter(trailing_slash=False)
router.register("tasks", WorkTaskViewSet, basename="api-task")
router.register("task-returns", TaskReturnViewSet, basename="api-task-return")
api_urlpatterns = [
    path("responsibility-board", ResponsibilityBoardView.as_view(), name="api-board"),
    *router.urls,
]
