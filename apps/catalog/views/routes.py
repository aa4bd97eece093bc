"""The addresses of the catalogue's pages, below `/work/`. Codes are written with `-` for `/`."""

from django.urls import include, path, register_converter

from apps.catalog.views import detail, editing, listing, moves


class DashedCode:
    """A catalogue code as addresses write it: 307001002-000001."""

    regex = r"\d{6,}-\d+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(DashedCode, "dashed_code")

pages = (
    [
        path("datasets/", listing.datasets, name="datasets"),
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
        path(
            "datasets/<dashed_code:code>/assessments/<int:number>/",
            detail.assessment_file,
            name="dataset-assessment",
        ),
    ],
    "catalog",
)
urlpatterns = [path("", include(pages))]
