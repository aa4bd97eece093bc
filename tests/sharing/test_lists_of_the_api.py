"""Every list of the API names a filter it does not have and takes no page beyond its bound."""

import pytest

from tests.factories.gateway import problem
from tests.factories.sharing import Scene
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db
LISTS = (
    "catalog-imports",
    "dataset-changes",
    "demands",
    "disposals",
    "duplicates",
    "duties",
    "grants",
    "legal-duties",
    "packages",
    "planned-stops",
    "proposals",
    "requests",
    "responsibility-lists",
    "saved-filters",
    "service-changes",
    "service-items",
    "source-designations",
    "uploads",
    "upper-datasets",
    "upper-requests",
    "upward-packages",
    "usage-reports",
)


def test_what_is_misspelt_is_not_passed_over(scene: Scene) -> None:
    client = signed_in(scene.consumer)
    for name in LISTS:
        assert client.get(f"/api/v1/{name}").status_code == 200, name
        refusal = problem(client.get(f"/api/v1/{name}?colour=red"), 400)
        assert (refusal["code"], refusal["field"]) == ("unknown_filter", "colour"), name
        refusal = problem(client.get(f"/api/v1/{name}?limit=00000000019999999999"), 400)
        assert refusal["code"] == "invalid_limit", name
