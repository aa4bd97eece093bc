"""An item says how it is normalised; what is not said is the usual of its type, and shown."""

from datetime import datetime
from typing import Any

import pytest
from django.http import QueryDict

from apps.catalog.contracts import draw_up_contract
from apps.catalog.differences import differences
from apps.catalog.forms import ItemForm
from apps.catalog.models import Dataset
from apps.catalog.snapshots import snapshot_of
from tests.factories.catalog import DatasetFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset() -> Any:
    return DatasetFactory()


def test_the_contract_takes_what_is_chosen_in_order(dataset: Dataset, at: datetime) -> None:
    dataset.items.filter(column_name="amount").update(normalise=["unit", "number"])
    contract = draw_up_contract(dataset, on=at.date())
    assert contract.column("amount").normalise == ("number", "unit")
    assert contract.column("identity_number").normalise == ("identifier",)


def test_the_form_offers_what_fits_and_shows_what_is_usual(dataset: Dataset) -> None:
    form = ItemForm(instance=dataset.items.get(column_name="amount"))
    offered = [name for name, _label in form.fields["normalise"].choices]  # type: ignore[attr-defined]
    assert offered == ["number", "unit", "unit_wan", "scientific", "as_is"]
    assert "默认：数字" in str(form.fields["normalise"].help_text)
    named = ItemForm(instance=dataset.items.get(column_name="identity_number"))
    assert "默认：标识号码" in str(named.fields["normalise"].help_text)
    assert "unit" not in dict(named.fields["normalise"].choices)  # type: ignore[attr-defined]


def test_the_form_follows_the_type_that_was_typed(dataset: Dataset) -> None:
    item = dataset.items.get(column_name="name")
    data = QueryDict(mutable=True)
    data.update({"name": "金额", "column_name": "name", "data_type": "Y", "length": "12"})
    data.setlist("normalise", ["number", "unit"])
    form = ItemForm(data, instance=item)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["normalise"] == ["number", "unit"]


def test_a_difference_is_told_in_words(dataset: Dataset) -> None:
    old = snapshot_of(dataset)
    dataset.items.filter(column_name="amount").update(normalise=["number", "unit"])
    dataset = Dataset.objects.get(pk=dataset.pk)
    (found,) = differences(old, snapshot_of(dataset))
    assert (found.item_label, found.label, found.new) == ("补助金额", "规范化", "数字、单位")
