"""The first page: its figures count what the person's own lists hold, and its doors work."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.catalog.models import Dataset
from apps.console.figures import figures_for
from apps.ledger import operations as ledger
from apps.ledger.models import Notice, Todo
from apps.ledger.queries import todos_of, unread_notices_of
from apps.sharing.models import Grant, SharingRequest
from tests import stories
from tests.console.test_navigation import another_system, signed_in
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.sharing import Scene

CLOSED = ("delivered", "refused", "withdrawn")


def figures(person: Any) -> dict[str, int]:
    return {str(figure.label): figure.count for figure in figures_for(person, timezone.now())}


@pytest.fixture
def busy(scene: Scene) -> Scene:
    at = timezone.now()
    stories.request_in("reviewing", scene, at)
    for status in ("in_force", "suspended"):
        other = Scene(**{**scene.__dict__, "system": another_system(scene)})
        stories.grant_in(status, other, at)
    return scene


@pytest.mark.parametrize("name", ["provider-editor", "provider-head", "consumer-editor"])
def test_the_figures_equal_the_database(busy: Scene, cast: dict[str, Any], name: str) -> None:
    person = cast[name]
    shown = figures(person)
    requests = SharingRequest.objects.exclude(status__in=CLOSED)
    assert shown["办理中的申请"] == requests.count() == 1
    assert shown["生效中的授权"] == Grant.objects.filter(status="in_force").count() == 1
    assert shown["已暂停的授权"] == Grant.objects.filter(status="suspended").count() == 1
    own = Dataset.objects.filter(status="published", department=person.department)
    assert shown["本部门已发布目录"] == own.count()
    assert shown["待我办理的申请"] == int(name.startswith("provider")), "whoever reviews"


def test_a_figure_leads_to_a_list_of_as_many_rows(busy: Scene, cast: dict[str, Any]) -> None:
    client = signed_in(cast["provider-editor"])
    for figure in figures_for(cast["provider-editor"], timezone.now()):
        answer = client.get(figure.url)
        assert answer.status_code == 200, figure.url
        assert len(answer.context["page"].rows) == figure.count, str(figure.label)


def test_a_third_department_counts_nothing_of_others(busy: Scene) -> None:
    stranger = UserFactory(department=DepartmentFactory(), roles=["department_approver"])
    assert set(figures(stranger).values()) == {0}


def test_whoever_has_no_department_has_no_figures(db: None) -> None:
    assert figures(UserFactory(kind="citizen", department=None)) == {}


def test_what_is_owed_and_told_is_on_the_page(busy: Scene, cast: dict[str, Any]) -> None:
    person = cast["provider-editor"]
    page = signed_in(person).get("/work/")
    assert page.context["todo_count"] == todos_of(person).count() > 0
    listed = [line.todo for line in page.context["lines"]]
    assert listed == list(todos_of(person))
    assert list(page.context["notices"]) == list(unread_notices_of(person)[:8])
    assert all(f'href="{todo.url}"' in page.content.decode() for todo in listed)


def test_a_to_do_of_an_office_is_a_to_do_of_each_who_holds_the_role(
    busy: Scene, cast: dict[str, Any]
) -> None:
    other = type(cast["provider-editor"]).objects.get(pk=cast["consumer-editor"].pk)
    assert Todo.objects.filter(pk__in=todos_of(cast["provider-editor"])).exists()
    assert not todos_of(other).filter(department=busy.provider_department).exists()


def test_reading_a_notice_leads_to_its_subject_and_counts_as_read(
    busy: Scene, cast: dict[str, Any]
) -> None:
    person = cast["consumer-editor"]
    client = signed_in(person)
    notice = unread_notices_of(person)[0]
    answer = client.post(f"/work/notices/{notice.pk}/read/")
    assert answer.status_code == 302
    assert answer.headers["Location"] == (notice.url or "/work/notices/")
    assert not unread_notices_of(person).filter(pk=notice.pk).exists()
    assert signed_in(cast["authority"]).post(f"/work/notices/{notice.pk}/read/").status_code == 404
    client.post("/work/notices/read-all/")
    assert not unread_notices_of(person).exists()
    assert Notice.objects.filter(recipient=person).exists(), "read, not removed"


@pytest.mark.parametrize(
    ("language", "word"), [("en", "My to-dos"), ("zh-hans", "我的待办"), ("xx", "我的待办")]
)
def test_the_language_is_remembered(cast: dict[str, Any], language: str, word: str) -> None:
    client = signed_in(cast["provider-editor"])
    client.post("/work/language/", {"language": language, "next": "/work/"})
    assert word in client.get("/work/").content.decode()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:1"])
def test_the_switch_of_language_leads_nowhere_else(db: None, target: str) -> None:
    answer = Client().post("/work/language/", {"language": "en", "next": target})
    assert answer.headers["Location"] == "/"


def test_a_day_that_is_past_is_late_without_a_clock(busy: Scene, cast: dict[str, Any]) -> None:
    person, at = cast["provider-editor"], timezone.now()
    ledger.open_todo(
        person.department,
        "test.late",
        title="落实责任清单",
        url="/work/",
        department=person.department,
        role="department_editor",
        at=at,
        due_on=timezone.localdate(at) - timedelta(days=1),
    )
    page = signed_in(person).get("/work/")
    late = [line.todo.title for line in page.context["lines"] if line.is_late]
    assert late == ["落实责任清单"]
    assert page.context["overdue_count"] == 1
    assert "已过期" in page.content.decode()


def test_the_counts_stand_at_what_they_count(busy: Scene, cast: dict[str, Any]) -> None:
    person = cast["provider-editor"]
    page = signed_in(person).get("/work/").content.decode()
    links = dict(re.findall(r'<a class="nav__link" href="([^"]+)"[^>]*>(.*?)</a>', page))
    counted = {url: re.search(r">(\d+)<", words) for url, words in links.items()}
    shown = {url: int(found[1]) for url, found in counted.items() if found}
    assert shown == {
        "/work/": todos_of(person).count(),
        "/work/notices/": unread_notices_of(person).count(),
    }
