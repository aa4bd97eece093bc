"""Addresses of supervision: pages under /work/, the API under /api/v1/."""

from rest_framework.routers import SimpleRouter

from apps.supervision.api import TaskReturnViewSet, WorkTaskViewSet
from apps.supervision.views.routes import urlpatterns

__all__ = ["api_urlpatterns", "urlpatterns"]

router = SimpleRouter(trailing_slash=False)
router.register("tasks", WorkTaskViewSet, basename="api-task")
router.register("task-returns", TaskReturnViewSet, basename="api-task-return")
api_urlpatterns = [*router.urls]
