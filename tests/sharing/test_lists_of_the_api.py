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


@pytest.mark.parametrize(
    "address",
    [
        "explanations?system=%00&dataset=%00",
        "explanations?system={system}&dataset={dataset}&item=%00",
        "explanations?system={system}&dataset={dataset}&key.identity_number=%00",
        "interfaces/a%00b/openapi",
        "datasets?department=%00",
        "datasets?theme=%00",
        "datasets?q=%00",
        "batches?dataset=%00",
        "upper-datasets?q=%00",
        "usage?grant=%00",
    ],
)
def test_a_nul_in_the_address_is_a_fault_of_the_call(scene: Scene, address: str) -> None:
    client = signed_in(scene.consumer)
    place = address.format(system=scene.system.code, dataset=scene.dataset.code.replace("/", "-"))
    answer = client.get(f"/api/v1/{place}")
    assert answer.status_code in {200, 400, 404}, answer.content
    if answer.status_code != 200:
        problem(answer, answer.status_code)


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("requests", {"dataset": "a\x00b", "system": "x"}),
        ("requests", {"dataset": "x", "system": "a\x00b"}),
        ("proposals?classification=%00", {}),
        ("proposals?classification=1&name=%00", {}),
    ],
)
def test_a_nul_in_what_is_sent_is_a_fault_of_the_call(
    scene: Scene, address: str, body: dict[str, str]
) -> None:
    client = signed_in(scene.consumer)
    answer = client.post(f"/api/v1/{address}", body, "application/json")
    assert problem(answer, 400)["code"] == "invalid_input"
