"""The addresses of tables and batches, below `/work/`. Codes are written with `-` for `/`."""

from django.urls import include, path

from apps.warehouse.views import (
    batches,
    exchange,
    layout,
    mending,
    proposing,
    reshaping,
    sources,
    tables,
    uploads,
    ways_in,
)

pages = (
    [
        path("tables/", tables.tables, name="tables"),
        path("tables/<str:code>/", tables.table, name="table"),
        path("tables/<str:code>/template.csv", tables.template, name="table-template"),
        path("tables/<str:code>/change/", reshaping.change, name="table-change"),
        path("tables/<str:code>/no-change/", tables.no_change, name="table-no-change"),
        path("datasets/from-file/", proposing.new, name="propose"),
        path("datasets/<str:code>/from-file/", proposing.proposal, name="proposal"),
        path("from-file/<int:pk>/", proposing.run_page, name="proposal-run"),
        path("from-file/<int:pk>/state/", proposing.run_state, name="proposal-run-state"),
        path("from-file/<int:pk>/discard/", proposing.discard, name="proposal-run-discard"),
        path("batches/<int:pk>/", batches.batch, name="batch"),
        path("batches/<int:pk>/reveal/", batches.reveal, name="batch-reveal"),
        path("batches/<int:pk>/state/", batches.state, name="batch-state"),
        path("batches/<int:pk>/layout/", layout.layout, name="batch-layout"),
        path("batches/<int:pk>/mend/", mending.mend, name="batch-mend"),
        path("batches/<int:pk>/mend/row/", mending.mend_row, name="batch-mend-row"),
        path("batches/<int:pk>/mend/file/", mending.mend_file, name="batch-mend-file"),
        path("batches/<int:pk>/set-aside/", mending.set_aside, name="batch-set-aside"),
        path("batches/<int:pk>/rejections.csv", batches.rejected, name="batch-rejections"),
        path("batches/<int:pk>/normalised.csv", batches.normalised, name="batch-normalised"),
        path("ways-in/", ways_in.ways_in, name="ways-in"),
        path("ways-in/<str:code>/new/", sources.register, name="source-register"),
        path("ways-in/<str:code>/exchange/", exchange.exchange, name="exchange"),
        path("sources/<int:pk>/", sources.source, name="source"),
        path("sources/<int:pk>/state/", sources.state, name="source-state"),
        path("sources/<int:pk>/change/", sources.change, name="source-change"),
        path("sources/<int:pk>/<str:move>/", sources.act, name="source-act"),
        path("uploads/<int:pk>/discard/", uploads.discard, name="upload-discard"),
    ],
    "warehouse",
)
urlpatterns = [path("", include(pages))]
