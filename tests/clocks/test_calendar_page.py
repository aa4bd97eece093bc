"""The page of a year's days off: what the clocks count by."""

from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from apps.clocks.models import CalendarDay
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db
PAGE = "/work/calendar/"


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(UserFactory(), backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


def test_it_lists_days_off_and_what_makes_up_for_them(client: Client) -> None:
    page = client.get(f"{PAGE}?year=2026")
    by_name: dict[str, Any] = {each.name: each for each in page.context["schedule"]}
    national = by_name["国庆节"]
    assert national.off[0] == date(2026, 10, 1)
    assert date(2026, 10, 10) in national.make_up
    text = page.content.decode()
    assert "10月1日 周四" in text
    assert "10月10日 周六" in text
    assert page.context["workdays"] == 248  # by the notice of the State Council


def test_what_the_city_changed_stands_among_them(client: Client) -> None:
    CalendarDay.objects.create(day=date(2026, 11, 20), is_workday=False, note="直辖纪念活动")
    (occasion,) = [
        each
        for each in client.get(f"{PAGE}?year=2026").context["schedule"]
        if each.name == "直辖纪念活动"
    ]
    assert (occasion.off, occasion.make_up) == ([date(2026, 11, 20)], [])


@pytest.mark.parametrize("year", ["1999", "abc", "", "99999"])
def test_a_year_that_is_none_shows_the_present_one(client: Client, year: str) -> None:
    page = client.get(PAGE, {"year": year})
    assert page.status_code == 200
    assert page.context["year"] == timezone.localdate().year


def test_strangers_sign_in_first() -> None:
    assert Client().get(PAGE).status_code == 302
