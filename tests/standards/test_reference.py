"""The standards that a new installation begins with."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command

from apps.standards.checks import CHECKS
from apps.standards.masks import MASKS
from apps.standards.models import CodeList, CodeListEntry, DataElement

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures/reference/standards_data_elements.json"


@pytest.fixture
def reference(db: None) -> None:
    call_command("loaddata", FIXTURE, verbosity=0)


@pytest.mark.usefixtures("reference")
def test_every_element_is_one_that_may_be_kept_and_names_what_there_is() -> None:
    elements = list(DataElement.objects.all())
    assert elements
    for element in elements:
        element.full_clean()
        assert element.value_check in {"", *CHECKS}, element
        assert element.mask in {"", *MASKS}, element


@pytest.mark.usefixtures("reference")
def test_every_code_fits_the_elements_that_use_it() -> None:
    for element in DataElement.objects.filter(code_list__isnull=False):
        assert element.code_list is not None
        lengths = {len(entry.code) for entry in element.code_list.entries.all()}
        assert lengths, element
        assert max(lengths) <= (element.length or 0), element


@pytest.mark.usefixtures("reference")
def test_it_may_be_loaded_twice() -> None:
    kept = (CodeList.objects.count(), CodeListEntry.objects.count(), DataElement.objects.count())
    call_command("loaddata", FIXTURE, verbosity=0)
    again = (CodeList.objects.count(), CodeListEntry.objects.count(), DataElement.objects.count())
    assert again == kept
    assert sum(kept) == len(json.loads(FIXTURE.read_text(encoding="utf-8")))
