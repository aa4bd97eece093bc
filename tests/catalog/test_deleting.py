"""A draft that nobody reviewed can be deleted; everything else stays."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.catalog import operations as catalog
from apps.catalog.models import DataItem, Dataset
from apps.core.errors import NotAllowed, StaleRevision
from apps.ledger.models import Event
from tests.catalog.sheets.workbooks import adopted, row, upload, workbook
from tests.catalog.stories import STORIES, People, draft
from tests.factories.catalog import ClassificationFactory

pytestmark = pytest.mark.django_db


def test_it_goes_with_its_items_and_leaves_event_and_history(people: People, at: datetime) -> None:
    dataset = draft(people, at, name="拖动填充1")
    key, code = dataset.pk, dataset.code
    catalog.delete_draft(dataset=dataset, actor=people.editor, at=at)
    assert not Dataset.objects.filter(pk=key).exists()
    assert not DataItem.objects.filter(dataset=key).exists()
    event = Event.objects.get(verb="catalog.delete_draft")
    assert event.details == {"code": code, "name": "拖动填充1"}
    gone = Dataset.history.get(id=key, history_type="-")
    assert (gone.history_user, gone.history_change_reason) == (people.editor, "删除草稿")


def test_its_name_is_free_and_its_code_is_not(people: People, at: datetime) -> None:
    node = ClassificationFactory()
    entered = catalog.create_dataset(
        actor=people.editor, at=at, classification=node, name="救助设施"
    )
    catalog.delete_draft(dataset=entered, actor=people.editor, at=at)
    again = catalog.create_dataset(actor=people.editor, at=at, classification=node, name="救助设施")
    assert (entered.code, again.code) == ("307001/000001", "307001/000002")
    catalog.delete_draft(dataset=again, actor=people.editor, at=at)
    adopted(upload(workbook([row()]), people.editor, at), people.editor, at)
    assert Dataset.objects.get().code == "307001/000003"


@pytest.mark.parametrize("status", sorted(set(STORIES) - {"draft"}))
def test_what_was_submitted_once_is_kept(people: People, at: datetime, status: str) -> None:
    dataset = STORIES[status](people, at)
    with pytest.raises(NotAllowed):
        catalog.delete_draft(dataset=dataset, actor=people.editor, at=at)
    assert Dataset.objects.filter(pk=dataset.pk).exists()


def test_an_old_page_deletes_nothing(people: People, at: datetime) -> None:
    dataset = draft(people, at)
    old = dataset.revision
    catalog.revise_dataset(dataset=dataset, actor=people.editor, at=at, abstract="又改过的摘要")
    with pytest.raises(StaleRevision):
        catalog.delete_draft(dataset=dataset, actor=people.editor, at=at, revision=old)


def test_a_sheet_that_brought_it_is_still_shown(
    client: Client, people: People, at: datetime
) -> None:
    ClassificationFactory()
    subject = adopted(upload(workbook([row()]), people.editor, at), people.editor, at)
    client.force_login(people.editor)
    dataset = Dataset.objects.get()
    address = reverse("catalog:dataset-delete", args=[dataset.dashed_code])
    assert address in client.get(dataset.get_absolute_url()).content.decode()
    assert "不能恢复" in client.get(address).content.decode()
    client.post(address, {"revision": dataset.revision})
    assert not Dataset.objects.exists()
    assert client.get(subject.get_absolute_url()).status_code == 200
    results: list[Any] = catalog.submit_all(subject=subject, actor=people.editor, at=at)
    assert results == []


def test_whoever_may_not_sees_no_button(client: Client, people: People, at: datetime) -> None:
    dataset = draft(people, at)
    address = reverse("catalog:dataset-delete", args=[dataset.dashed_code])
    client.force_login(people.head)
    assert address not in client.get(dataset.get_absolute_url()).content.decode()
    assert client.post(address).status_code == 403
