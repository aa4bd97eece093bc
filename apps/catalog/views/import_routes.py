"""The addresses of spreadsheets: uploading, verdicts, exports."""

from django.urls import path

from apps.catalog.views import exporting, import_completing, imports

import_pages = [
    path("datasets/export.<slug:form>", exporting.export_datasets, name="datasets-export"),
    path("datasets/template.xlsx", exporting.export_template, name="datasets-template"),
    path("catalog-imports/", imports.imports, name="imports"),
    path("catalog-imports/new/", imports.import_new, name="import-new"),
    path("catalog-imports/<int:pk>/", imports.import_page, name="import"),
    path("catalog-imports/<int:pk>/state/", imports.import_state, name="import-state"),
    path("catalog-imports/<int:pk>/marked.xlsx", imports.import_marked, name="import-marked"),
    path(
        "catalog-imports/<int:pk>/entries/<int:position>/",
        imports.import_entry,
        name="import-entry",
    ),
    path(
        "catalog-imports/<int:pk>/submit-all/",
        imports.import_submit_all,
        name="import-submit-all",
    ),
    path(
        "catalog-imports/<int:pk>/complete/",
        import_completing.import_complete,
        name="import-complete",
    ),
    path("catalog-imports/<int:pk>/<slug:name>/", imports.import_move, name="import-move"),
]
