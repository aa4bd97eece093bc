"""The addresses of demands, below `/work/`; `views.routes` takes them in."""

from typing import Final

from django.urls import path

from apps.catalog.views.demands import detail, listing, matching, moves, writing

PATHS: Final = [
    path("demands/", listing.demands, name="demands"),
    path("demands/new/", writing.new, name="demand-new"),
    path("demands/similar/", writing.similar, name="demand-similar"),
    path("demands/matching/", matching.matching, name="demand-matching"),
    path("demands/sheet/<slug:code>/", listing.sheet, name="demand-sheet"),
    path("demands/matches/<int:pk>/decline/", matching.decline, name="demand-match-decline"),
    path("demands/<int:pk>/", detail.demand, name="demand"),
    path("demands/<int:pk>/edit/", writing.edit, name="demand-edit"),
    path("demands/<int:pk>/split/", moves.split, name="demand-split"),
    path("demands/<int:pk>/match/", matching.look, name="demand-match"),
    path("demands/<int:pk>/move/<slug:name>/", moves.move, name="demand-move"),
]
