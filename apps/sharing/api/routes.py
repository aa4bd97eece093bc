"""Addresses of the sharing system's API; assembled in `apps.sharing.urls`."""

from django.urls import path
from oauth2_provider.views import RevokeTokenView
from rest_framework.routers import SimpleRouter

from apps.sharing.api.announced_changes import AnnouncedChangeViewSet
from apps.sharing.api.data import ChangesView, DataView, ExportView, VerifyView
from apps.sharing.api.disposals import DisposalViewSet
from apps.sharing.api.explanations import ExplanationView
from apps.sharing.api.exports import ExportFileView, ExportsView, OneExportView
from apps.sharing.api.grants import GrantViewSet
from apps.sharing.api.interfaces import DatasetDocumentView, GrantDocumentView
from apps.sharing.api.packages import PackageViewSet
from apps.sharing.api.planned_stops import PlannedStopViewSet
from apps.sharing.api.proofs import CopyColumnsView, ProofView, StandingRowsView
from apps.sharing.api.recertifications import RecertificationViewSet
from apps.sharing.api.requests import RequestViewSet
from apps.sharing.api.tokens import SystemTokenView
from apps.sharing.api.usage import UsageView
from apps.sharing.api.usage_reports import UsageReportViewSet

router = SimpleRouter(trailing_slash=False)
router.register("requests", RequestViewSet, basename="api-request")
router.register("packages", PackageViewSet, basename="api-package")
router.register(
    r"grants/(?P<grant>\d{1,18})/recertifications",
    RecertificationViewSet,
    basename="api-recertification",
)
router.register("grants", GrantViewSet, basename="api-grant")
router.register("planned-stops", PlannedStopViewSet, basename="api-planned-stop")
router.register("service-changes", AnnouncedChangeViewSet, basename="api-service-change")
router.register("disposals", DisposalViewSet, basename="api-disposal")
router.register("usage-reports", UsageReportViewSet, basename="api-usage-report")

# Dataset codes hold a "/", which addresses write as "-".
data_urlpatterns = [
    path("data/<str:code>", DataView.as_view(), name="api-data"),
    path("data/<str:code>/changes", ChangesView.as_view(), name="api-data-changes"),
    path("data/<str:code>/changes/proof", ProofView.as_view(), name="api-data-proof"),
    path("data/<str:code>/changes/rows", StandingRowsView.as_view(), name="api-data-rows"),
    path("data/<str:code>/columns", CopyColumnsView.as_view(), name="api-data-columns"),
    path("data/<str:code>/verify", VerifyView.as_view(), name="api-data-verify"),
    path("data/<str:code>/export.csv", ExportView.as_view(), name="api-data-export"),
]
api_urlpatterns = [
    *data_urlpatterns,
    path("usage", UsageView.as_view(), name="api-usage"),
    path("explanations", ExplanationView.as_view(), name="api-explanations"),
    path("data/<str:code>/exports", ExportsView.as_view(), name="api-data-exports"),
    path(
        "data/<str:code>/exports/<int:number>", OneExportView.as_view(), name="api-data-export-one"
    ),
    path(
        "data/<str:code>/exports/<int:number>/file",
        ExportFileView.as_view(),
        name="api-data-export-file",
    ),
    path("grants/<int:pk>/openapi", GrantDocumentView.as_view(), name="api-grant-openapi"),
    path(
        "interfaces/<str:code>/openapi", DatasetDocumentView.as_view(), name="api-dataset-openapi"
    ),
    *router.urls,
]
oauth_urlpatterns = [
    path("oauth/token", SystemTokenView.as_view(), name="oauth-token"),
    path("oauth/revoke", RevokeTokenView.as_view(), name="oauth-revoke"),
]
