"""Addresses of quality: pages under /work/, the API under /api/v1/."""

from django.urls import path

from apps.quality.api import (
    FindingViewSet,
    RuleViewSet,
    RunViewSet,
    ScoreViewSet,
    WorkOrderViewSet,
)
from apps.quality.api.corrections.routes import PATHS as CORRECTION_API
from apps.quality.views.routes import urlpatterns

__all__ = ["api_urlpatterns", "urlpatterns"]

api_urlpatterns = [
    path("quality/scores", ScoreViewSet.as_view({"get": "list"}), name="api-quality-scores"),
    path(
        "quality/rules",
        RuleViewSet.as_view({"get": "list", "post": "create"}),
        name="api-quality-rules",
    ),
    path(
        "quality/rules/<int:pk>",
        RuleViewSet.as_view({"get": "retrieve"}),
        name="api-quality-rule",
    ),
    path(
        "quality/rules/<int:pk>/<slug:move>",
        RuleViewSet.as_view({"post": "move"}),
        name="api-quality-rule-move",
    ),
    path(
        "quality/runs",
        RunViewSet.as_view({"get": "list", "post": "create"}),
        name="api-quality-runs",
    ),
    path("quality/runs/<int:pk>", RunViewSet.as_view({"get": "retrieve"}), name="api-quality-run"),
    path("quality/findings", FindingViewSet.as_view({"get": "list"}), name="api-quality-findings"),
    path(
        "quality/findings/accept",
        FindingViewSet.as_view({"post": "accept"}),
        name="api-quality-findings-accept",
    ),
    path(
        "quality/findings/<int:pk>",
        FindingViewSet.as_view({"get": "retrieve"}),
        name="api-quality-finding",
    ),
    path(
        "quality/work-orders",
        WorkOrderViewSet.as_view({"get": "list"}),
        name="api-quality-work-orders",
    ),
    path(
        "quality/work-orders/<int:pk>",
        WorkOrderViewSet.as_view({"get": "retrieve"}),
        name="api-quality-work-order",
    ),
    path(
        "quality/work-orders/<int:pk>/<slug:move>",
        WorkOrderViewSet.as_view({"post": "move"}),
        name="api-quality-work-order-move",
    ),
    *CORRECTION_API,
]
