"""The addresses of the sharing screens, below `/work/`."""

from django.urls import include, path

from apps.sharing.views import (
    deciding,
    detail,
    from_demand,
    lists,
    moves,
    narrowing,
    need,
    recertifying,
    reply,
    systems,
    thrift,
    urgent,
    usage,
    usage_reports,
    wizard,
)

pages = (
    [
        path("requests/", lists.requests, name="requests"),
        path("requests/new/", wizard.begin, name="request-new"),
        path(
            "requests/from-demand/<int:pk>/",
            from_demand.from_demand,
            name="request-from-demand",
        ),
        path("requests/<int:pk>/", detail.request_page, name="request"),
        path("requests/<int:pk>/edit/<slug:step>/", wizard.edit, name="request-edit"),
        path("requests/<int:pk>/propose/", deciding.propose, name="request-propose"),
        path("requests/<int:pk>/preview/", deciding.preview, name="request-preview"),
        path("requests/<int:pk>/reply.<slug:kind>", reply.reply, name="request-reply"),
        path("requests/<int:pk>/extend/", deciding.extend, name="request-extend"),
        path(
            "requests/<int:pk>/extensions/<int:number>/",
            deciding.consent,
            name="request-consent",
        ),
        path("requests/<int:pk>/urgent/", urgent.mark, name="request-urgent"),
        path("requests/<int:pk>/backfill/", urgent.backfill, name="request-backfill"),
        path("requests/<int:pk>/urgent/review/", urgent.review, name="request-urgent-review"),
        path("requests/<int:pk>/route/", deciding.route, name="request-route"),
        path("requests/<int:pk>/steps/<int:number>/", deciding.handle_step, name="request-step"),
        path("requests/<int:pk>/papers/", wizard.paper, name="request-paper"),
        path(
            "requests/<int:pk>/papers/<int:number>/",
            detail.attachment,
            name="request-attachment",
        ),
        path("requests/<int:pk>/move/<slug:name>/", moves.move_request, name="request-move"),
        path("grants/", lists.grants, name="grants"),
        path("grants/recertify/", recertifying.recertify, name="recertify"),
        path("grants/thrift/", thrift.report, name="thrift"),
        path("grants/thrift/narrow/", thrift.narrow, name="thrift-narrow"),
        path("grants/usage-reports/", usage_reports.reports, name="usage-reports"),
        path("grants/usage-reports/<int:pk>/", usage_reports.report, name="usage-report"),
        path("grants/<int:pk>/need/", need.need, name="grant-need"),
        path("grants/<int:pk>/", detail.grant_page, name="grant"),
        path("grants/<int:pk>/move/<slug:name>/", moves.move_grant, name="grant-move"),
        path("grants/<int:pk>/narrow/", narrowing.narrow, name="grant-narrow"),
        path("usage/", usage.usage, name="usage"),
        path("systems/", systems.systems, name="systems"),
        path("systems/<int:pk>/", systems.system_page, name="system"),
        path(
            "systems/<int:pk>/credentials/<int:number>/revoke/",
            systems.revoke,
            name="credential-revoke",
        ),
    ],
    "sharing",
)
urlpatterns = [path("", include(pages))]
