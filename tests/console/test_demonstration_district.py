"""The demonstration's request of a district's department: it waits to be passed on to the city."""

from datetime import datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.queries import authority
from apps.console.demo import catalogue, city, people, requests
from apps.console.demo.people import DISTRICT_DEPARTMENT, PASSWORD
from apps.core import access
from apps.sharing import operations as sharing
from apps.sharing.models import SharingRequest

CASE = next(case for case in requests.CASES if case.consumer == DISTRICT_DEPARTMENT)


@pytest.fixture
def district(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """People and systems as in the demonstration, and the one entry that the district asks for."""
    names = sorted((settings.BASE_DIR / "fixtures" / "reference").glob("*.json"))
    call_command("loaddata", *map(str, names), verbosity=0)
    chosen = [plan for plan in city.datasets() if plan.name == CASE.dataset]
    monkeypatch.setattr(catalogue, "datasets", lambda: chosen)
    monkeypatch.setattr(requests, "CASES", (CASE,))
    at = timezone.now()
    people.load_people(at=at)
    catalogue.load_catalogue(at=at)
    return at


def test_the_district_authority_finds_it_and_passes_it_on_to_the_city(district: datetime) -> None:
    said: list[str] = []
    for _again in range(2):
        assert requests.load_requests(at=district, progress=said.append) == 1
    request = SharingRequest.objects.get()
    assert (len(said), request.status) == (1, "district_review")
    head = User.objects.get(username="district-head")
    assert head.department == authority(request.consumer.region)
    provider = User.objects.get(username="provider-editor")
    assert access.allowed(head, "pass_on", request)
    assert not access.allowed(provider, "view", request)
    sharing.pass_on(request=request, actor=head, at=timezone.now(), reason="同意转报")
    request.refresh_from_db()
    assert (request.status, request.received_at is not None) == ("form_check", True)
    assert access.allowed(provider, "view", request)


@pytest.mark.parametrize(
    ("username", "role"),
    [("district-editor", "department_editor"), ("district-approver", "department_approver")],
)
def test_its_department_has_people_who_can_sign_in(
    district: datetime, username: str, role: str
) -> None:
    person = User.objects.get(username=username)
    assert person.department is not None
    assert (person.department.code, person.department.is_authority) == (DISTRICT_DEPARTMENT, False)
    assert person.holds(role)
    assert person.check_password(PASSWORD)
