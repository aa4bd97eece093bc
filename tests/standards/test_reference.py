"""The standards that a new installation begins with."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
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


@pytest.mark.usefixtures("reference")
def test_whoever_only_looks_reads_what_the_codes_mean(
    client: Client, auditor: User, authority: User
) -> None:
    element = DataElement.objects.get(code="DE-0001")
    page = reverse("admin:standards_dataelement_change", args=[element.pk])
    check, mask = str(CHECKS[element.value_check].label), str(MASKS[element.mask].label)
    client.force_login(auditor, backend=settings.AUTHENTICATION_BACKENDS[1])
    looked = client.get(page).content.decode()
    assert check in looked
    assert mask in looked
    assert "<select" not in looked.partition('id="dataelement_form"')[2]
    client.force_login(authority, backend=settings.AUTHENTICATION_BACKENDS[1])
    kept = client.get(page).content.decode()
    assert 'name="value_check"' in kept
    assert "_in_words" not in kept
