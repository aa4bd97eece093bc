"""Addresses of the warehouse: pages under /work/, the API under /api/v1/."""

from django.urls import path

from apps.warehouse.api import (
    BatchViewSet,
    FrontNodeViewSet,
    NoChangeViewSet,
    NormalisedViewSet,
    ProposalViewSet,
    UploadViewSet,
)
from apps.warehouse.views.routes import urlpatterns

__all__ = ["api_urlpatterns", "urlpatterns"]

api_urlpatterns = [
    path("batches", BatchViewSet.as_view({"get": "list"}), name="api-batches"),
    path("batches/<int:pk>", BatchViewSet.as_view({"get": "retrieve"}), name="api-batch"),
    path(
        "batches/<int:pk>/rejections",
        BatchViewSet.as_view({"get": "rejections"}),
        name="api-batch-rejections",
    ),
    path(
        "batches/<int:pk>/normalised",
        NormalisedViewSet.as_view({"get": "retrieve"}),
        name="api-batch-normalised",
    ),
    path(
        "datasets/<str:code>/no-changes",
        NoChangeViewSet.as_view({"get": "list", "post": "create"}),
        name="api-no-changes",
    ),
    path(
        "front-nodes/heartbeat",
        FrontNodeViewSet.as_view({"post": "heartbeat"}),
        name="api-front-node-heartbeat",
    ),
    path(
        "proposals",
        ProposalViewSet.as_view({"get": "list", "post": "request_proposal"}),
        name="api-proposals",
    ),
    path(
        "proposals/<int:pk>",
        ProposalViewSet.as_view({"get": "retrieve", "delete": "discard"}),
        name="api-proposal",
    ),
    path(
        "proposals/<int:pk>/draft",
        ProposalViewSet.as_view({"get": "draft"}),
        name="api-proposal-draft",
    ),
    path("uploads", UploadViewSet.as_view({"get": "list", "post": "begin"}), name="api-uploads"),
    path(
        "uploads/<int:id>",
        UploadViewSet.as_view({"get": "retrieve", "patch": "part", "delete": "discard"}),
        name="api-upload",
    ),
    path(
        "uploads/<int:id>/finish",
        UploadViewSet.as_view({"post": "finish"}),
        name="api-upload-finish",
    ),
    path("batches/<str:code>", BatchViewSet.as_view({"post": "push"}), name="api-batch-push"),
]
