"""The addresses of the catalogue's pages, below `/work/`. Codes are written with `-` for `/`."""

from django.urls import include, path, register_converter

from apps.catalog.views import (
    changes,
    detail,
    duty_routes,
    editing,
    listing,
    moves,
    quality,
    queue,
    reviewing,
    saved_filters,
    sources,
    versions,
)
from apps.catalog.views.demands.routes import PATHS as DEMANDS
from apps.catalog.views.import_routes import import_pages
from apps.catalog.views.upward.routes import PATHS as UPWARD


class DashedCode:
    """A catalogue code as addresses write it: 307001002-000001."""

    regex = r"\d{6,}-\d+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class MoveName:
    """A move's name, which no address with a hyphen is taken for."""

    regex = r"[a-z_]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class SignedNumber:
    """The key of an item in a change: negative while the item is not in force."""

    regex = r"-?[1-9]\d{0,17}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(DashedCode, "dashed_code")
register_converter(MoveName, "move")
register_converter(SignedNumber, "signed")

pages = (
    [
        path("datasets/", listing.datasets, name="datasets"),
        path("catalog-quality/", quality.quality, name="quality"),
        path("duplicates/", sources.duplicates, name="duplicates"),
        path("duplicates/scan/", sources.scan, name="duplicates-scan"),
        path("duplicates/<int:number>/", sources.duplicate, name="duplicate"),
        path("duplicates/<int:number>/<slug:name>/", sources.decide, name="duplicate-decide"),
        path("source-designations/", sources.designations, name="source-designations"),
        path("source-designations/new/", sources.designation_new, name="source-designation-new"),
        path("source-designations/<int:number>/", sources.designation, name="source-designation"),
        path("saved-filters/", saved_filters.saved_filters, name="saved-filters"),
        path("saved-filters/new/", saved_filters.new, name="saved-filter-new"),
        path(
            "saved-filters/<int:number>/delete/",
            saved_filters.delete,
            name="saved-filter-delete",
        ),
        path("datasets/new/", editing.new, name="dataset-new"),
        path("datasets/<dashed_code:code>/", detail.dataset, name="dataset"),
        path("datasets/<dashed_code:code>/edit/", editing.edit, name="dataset-edit"),
        path("datasets/<dashed_code:code>/edit/<slug:step>/", editing.edit, name="dataset-edit"),
        path(
            "datasets/<dashed_code:code>/edit/items/<int:number>/",
            editing.edit_item,
            name="dataset-edit-item",
        ),
        path("datasets/<dashed_code:code>/move/<slug:name>/", moves.move, name="dataset-move"),
        path("datasets/<dashed_code:code>/delete/", moves.delete_draft, name="dataset-delete"),
        path(
            "datasets/<dashed_code:code>/assessments/<int:number>/",
            detail.assessment_file,
            name="dataset-assessment",
        ),
        path("datasets/<dashed_code:code>/change/", changes.begin, name="change-begin"),
        path("datasets/<dashed_code:code>/versions/", versions.versions, name="dataset-versions"),
        path("datasets/<dashed_code:code>/on/", versions.as_it_stood, name="dataset-on"),
        path("review/", queue.queue, name="review-queue"),
        path("review/decide/", queue.decide, name="review-decide"),
        path("changes/<int:pk>/", changes.change, name="change"),
        path("changes/<int:pk>/edit/", editing.edit_change, name="change-edit"),
        path("changes/<int:pk>/edit/<slug:step>/", editing.edit_change, name="change-edit"),
        path(
            "changes/<int:pk>/edit/items/<signed:number>/",
            editing.edit_change_item,
            name="change-edit-item",
        ),
        path("changes/<int:pk>/extend/", changes.extend, name="change-extend"),
        path("changes/<int:pk>/move/<slug:name>/", moves.change_move, name="change-move"),
        path("review-rounds/<int:pk>/remarks/", reviewing.write_remark, name="remark-write"),
        path("review-remarks/<int:pk>/erase/", reviewing.erase_remark, name="remark-erase"),
        path("review-remarks/<int:pk>/settle/", reviewing.settle_remark, name="remark-settle"),
        *DEMANDS,
        *duty_routes.addresses,
        *import_pages,
        *UPWARD,
    ],
    "catalog",
)
urlpatterns = [path("", include(pages))]
