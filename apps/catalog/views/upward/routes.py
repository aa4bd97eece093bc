"""The addresses of reporting upward, below `/work/`; `views.routes` takes them in."""

from typing import Final

from django.urls import path

from apps.catalog.views.upward import packages, upper

PATHS: Final = [
    path("upward/", packages.packages, name="upward"),
    path("upward/reconciliation/", packages.reconciliation, name="upward-reconciliation"),
    path("upward/mapping/<slug:code>/", packages.mapping, name="upward-mapping"),
    path("upward/<int:pk>/", packages.package, name="upward-package"),
    path("upward/<int:pk>/file.<slug:kind>", packages.file, name="upward-file"),
    path("upper/", upper.catalogue, name="upper"),
    path("upper/import/", upper.take_in, name="upper-import"),
    path("upper/<int:pk>/", upper.entry, name="upper-entry"),
    path("upper/<int:pk>/request/", upper.ask, name="upper-ask"),
    path("upper-requests/", upper.requests, name="upper-requests"),
    path("upper-requests/<int:pk>/", upper.request_page, name="upper-request"),
    path("upper-requests/<int:pk>/edit/", upper.edit, name="upper-request-edit"),
    path("upper-requests/<int:pk>/move/<slug:name>/", upper.move, name="upper-request-move"),
]
