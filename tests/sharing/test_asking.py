"""What may be asked for: every page offers the same entries, and the operation takes these."""

from collections.abc import Mapping
from datetime import datetime

import pytest

from apps.catalog.models import Dataset
from apps.core.errors import InvalidInput
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.models import SharingRequest
from tests import stories
from tests.factories.catalog import DatasetFactory, PublishedDatasetFactory
from tests.factories.sharing import Scene, period
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def entries(scene: Scene, at: datetime) -> Mapping[str, Dataset]:
    provider = scene.provider_department
    return {
        "": scene.dataset,
        " leaving": PublishedDatasetFactory(department=provider, status="withdrawal_requested"),
        "own_dataset": PublishedDatasetFactory(department=scene.consumer_department),
        "not_shared": PublishedDatasetFactory(
            department=provider,
            sharing_attribute="not_shared",
            sharing_reason="统计调查取得",
            sharing_statute="《统计法》第二十八条",
        ),
        "not_published": PublishedDatasetFactory(
            department=provider, status="withdrawn", withdrawn_at=at
        ),
        "not_published ": DatasetFactory(department=provider),
    }


def test_the_reason_is_the_one_that_the_operation_gives(
    scene: Scene, at: datetime, entries: Mapping[str, Dataset]
) -> None:
    obstacles = queries.obstacles_to_asking(list(entries.values()), scene.consumer_department)
    for name, dataset in entries.items():
        code = name.strip() if name.strip() != "leaving" else ""
        found = obstacles.get(dataset.pk)
        assert (found.code if found else "") == code
        asked = {**stories.WRITTEN, **period(at), "system": scene.system, "items": ()}
        if code:
            with pytest.raises(InvalidInput) as refusal:
                sharing.draft_request(dataset=dataset, actor=scene.consumer, at=at, **asked)
            assert refusal.value.code == code
    assert not SharingRequest.objects.exists()


def test_every_page_offers_the_same(
    scene: Scene, at: datetime, entries: Mapping[str, Dataset]
) -> None:
    client = signed_in(scene.consumer)
    catalogue = client.get("/work/datasets/").content.decode()
    package = sharing.draft_package(
        title="救助一件事",
        system=scene.system,
        datasets=[PublishedDatasetFactory(department=scene.provider_department)],
        actor=scene.consumer,
        at=at,
    )
    for name, dataset in entries.items():
        offered = name.strip() in ("", "leaving")
        basket = f"/work/basket/add/{dataset.pk}/"
        words = {"q": dataset.code}
        begun = client.get("/work/requests/new/", words).content.decode()
        added = client.get(f"/work/packages/{package.pk}/add/", words).content.decode()
        page = client.get(dataset.get_absolute_url())
        shown = {
            "catalogue": basket in catalogue,
            "entry": page.status_code == 200 and basket in page.content.decode(),
            "wizard": f"dataset={dataset.pk}" in begun,
            "matter": f'name="datasets" value="{dataset.pk}"' in added,
        }
        assert shown == dict.fromkeys(shown, offered), (name, shown)
