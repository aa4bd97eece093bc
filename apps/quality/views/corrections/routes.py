"""The addresses of corrections, below `/work/`."""

from typing import Final

from django.urls import path

from apps.quality.views import audit
from apps.quality.views.corrections import detail, listing, moves, raising

PATHS: Final = [
    path("corrections/", listing.corrections, name="corrections"),
    path("corrections/new/", raising.datasets, name="correction-new"),
    path("corrections/on/<slug:code>/", raising.find, name="correction-find"),
    path("corrections/on/<slug:code>/raise/", raising.raise_one, name="correction-raise"),
    path("corrections/on/<slug:code>/<int:row_id>/", raising.record, name="correction-record"),
    path(
        "corrections/on/<slug:code>/<int:row_id>/reveal/",
        raising.reveal,
        name="correction-record-reveal",
    ),
    path("quality/audit/<slug:code>/", audit.audit, name="audit"),
    path("corrections/<int:pk>/", detail.correction, name="correction"),
    path("corrections/<int:pk>/reveal/", detail.reveal, name="correction-reveal"),
    path("corrections/<int:pk>/evidence/", detail.evidence, name="correction-evidence"),
    path("corrections/<int:pk>/move/<slug:name>/", moves.move, name="correction-move"),
]
