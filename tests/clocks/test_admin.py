"""Rules and calendar belong to the authority; everybody else reads them."""

from datetime import date, datetime
from typing import Any

import pytest
from django.test import Client

from apps.clocks import operations as clocks
from apps.clocks.models import CalendarDay, CalendarYear, Clock, ClockPolicy
from tests.factories.clocks import install_policies

pytestmark = pytest.mark.django_db


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_an_officer_enters_the_schedule_of_a_year(authority: Any, provider_department: Any) -> None:
    install_policies()
    clock = clocks.start(
        provider_department,
        "request.conditional",
        department=provider_department,
        at=datetime.fromisoformat("2026-12-30T09:00+08:00"),
    )
    response = signed_in(authority).post(
        "/admin/clocks/calendaryear/add/",
        {
            "year": "2027",
            "source": "国办发明电〔2026〕1号",
            "days": "2027-01-01 休 元旦\n2027-01-02 休 元旦\n2027-01-03 休 元旦\n",
        },
    )
    assert response.status_code == 302
    assert CalendarYear.objects.get().year == 2027
    clock.refresh_from_db()
    assert (clock.due_on, clock.provisional) == (date(2027, 1, 14), False)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ("2027-01-01 放 元旦", "第 1 行写作“2027-01-01 放 元旦”"),
        ("2027-01-01 休 元旦\n2027-13-01 休 元旦", "第 2 行写作“2027-13-01 休 元旦”"),
        ("2026-01-01 休 元旦", "2026-01-01不在该年内"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(authority: Any, days: str, words: str) -> None:
    response = signed_in(authority).post(
        "/admin/clocks/calendaryear/add/", {"year": "2027", "source": "文号", "days": days}
    )
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not CalendarYear.objects.exists()


def test_an_officer_adjusts_a_day_and_takes_it_back(authority: Any) -> None:
    client = signed_in(authority)
    client.post("/admin/clocks/calendarday/add/", {"day": "2026-11-23", "note": "防汛停工"})
    entered = CalendarDay.objects.get()
    assert (entered.day, entered.is_workday) == (date(2026, 11, 23), False)
    assert client.get(f"/admin/clocks/calendarday/{entered.pk}/change/").status_code == 200
    client.post(f"/admin/clocks/calendarday/{entered.pk}/delete/", {"post": "yes"})
    assert not CalendarDay.objects.exists()


def test_others_read_the_rules_but_do_not_write_them(provider: Any) -> None:
    install_policies()
    client = signed_in(provider)
    policy = ClockPolicy.objects.get(code="request.conditional")
    assert client.get("/admin/clocks/clockpolicy/").status_code == 200
    assert client.get(f"/admin/clocks/clockpolicy/{policy.pk}/change/").status_code == 200
    for address in (
        "/admin/clocks/clockpolicy/add/",
        "/admin/clocks/calendarday/add/",
        "/admin/clocks/calendaryear/add/",
    ):
        assert client.get(address).status_code == 403
    assert (
        client.post(f"/admin/clocks/clockpolicy/{policy.pk}/change/", {"length": 1}).status_code
        == 403
    )


def test_the_list_of_clocks_shows_what_is_overdue(authority: Any, provider_department: Any) -> None:
    install_policies()
    clocks.start(
        provider_department,
        "request.unconditional",
        department=provider_department,
        at=datetime.fromisoformat("2026-11-02T09:00+08:00"),
    )
    client = signed_in(authority)
    assert "无条件共享答复" in client.get("/admin/clocks/clock/?time=over").content.decode()
    Clock.objects.update(due_at=datetime.fromisoformat("2126-11-02T09:00+08:00"))
    shown = client.get("/admin/clocks/clock/?time=over").content.decode()
    assert "逐日推算" not in shown
