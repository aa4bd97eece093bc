"""The page that says why a due date is what it is, and the component that leads there."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.template import Context, Template
from django.test import Client, RequestFactory

from apps.clocks import operations as clocks
from apps.clocks import queries
from apps.clocks.models import Clock
from tests.factories.accounts import DepartmentFactory
from tests.factories.clocks import install_policies

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(provider_department: Any, at: datetime) -> Clock:
    install_policies()
    return clocks.start(
        provider_department, "request.conditional", department=provider_department, at=at
    )


def page(person: Any, clock: Clock) -> Any:
    client = Client()
    client.force_login(person)
    return client.get(f"/work/clocks/{clock.pk}/")


def test_it_shows_the_derivation_with_its_article(clock: Clock, consumer: Any) -> None:
    response = page(consumer, clock)
    text = response.content.decode()
    assert response.status_code == 200
    for words in ("《政务数据共享条例》第二十一条", "收件日，不计入", "第 10 日", "12月2日 周三"):
        assert words in text


def test_members_see_it_and_nobody_else(clock: Clock, cast: dict[str, Any]) -> None:
    codes = {name: page(person, clock).status_code for name, person in cast.items()}
    refused = {name for name, code in codes.items() if code != 200}
    assert refused == {"citizen", "unassigned", "inactive"}


def test_it_asks_strangers_to_sign_in(clock: Clock) -> None:
    response = Client().get(f"/work/clocks/{clock.pk}/")
    assert response.status_code == 302
    assert "/accounts/login/" in response["Location"]


def test_a_page_of_clocks_loads_the_calendar_once(
    at: datetime, django_assert_num_queries: Any
) -> None:
    install_policies()
    for department in DepartmentFactory.create_batch(6):
        clocks.start(department, "request.conditional", department=department, at=at)
    request = RequestFactory().get("/")
    template = Template("{% load clocks %}{% for c in found %}{% clock c %}{% endfor %}")
    with django_assert_num_queries(4):
        found = queries.with_inputs(Clock.objects.all())
        html = template.render(
            Context(
                {
                    "found": found,
                    "request": request,
                    "at": datetime(2026, 11, 27, 2, 0, tzinfo=UTC),
                }
            )
        )
    assert html.count("剩 3 个工作日") == 6
    assert "style=" not in html


def test_it_turns_red_when_it_is_over(clock: Clock) -> None:
    template = Template("{% load clocks %}{% clock c %}")
    html = template.render(Context({"c": clock, "at": datetime(2026, 12, 4, 2, 0, tzinfo=UTC)}))
    assert "已超 2 个工作日" in html
    assert "clock--bad" in html
    assert clock.due_on == date(2026, 12, 2)
