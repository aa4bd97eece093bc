"""Whoever waits for somebody reminds him with one press (催办), at most once an hour."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.ledger import queries as ledger
from apps.ledger.models import Event, Notice, Todo, Urging
from apps.sharing.models import SharingRequest
from tests import stories
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.sharing import Scene


@pytest.fixture
def request_(scene: Scene) -> SharingRequest:
    return stories.reviewing(scene, timezone.now())


@pytest.fixture
def todo(request_: SharingRequest) -> Todo:
    return ledger.open_todos_of(request_).get()


def _press(user: Any, todo: Todo) -> str:
    client = Client()
    client.force_login(user)
    back = {"next": "/work/requests/"}
    answer = client.post(reverse("console:urge", args=[todo.pk]), back, follow=True)
    assert answer.redirect_chain[0] == ("/work/requests/", 302)
    return answer.content.decode()


def _urged(todo: Todo) -> set[int]:
    found = Notice.objects.filter(title=f"催办：{todo.title}")
    return set(found.values_list("recipient", flat=True))


def test_who_owes_is_told_who_waits(scene: Scene, todo: Todo) -> None:
    assert f"已催办：{todo.title}" in _press(scene.consumer, todo)
    assert scene.provider.pk in _urged(todo)
    assert scene.consumer.pk not in _urged(todo)
    notice = Notice.objects.filter(title__startswith="催办：").first()
    assert notice is not None
    assert str(scene.consumer) in notice.body
    assert Event.objects.filter(verb="ledger.urge").count() == 1


def test_not_twice_within_the_hour(scene: Scene, todo: Todo) -> None:
    _press(scene.consumer, todo)
    told = Notice.objects.count()
    assert "一小时内已催办过该事项" in _press(scene.consumer_head, todo)
    assert Notice.objects.count() == told
    Urging.objects.update(at=timezone.now() - timedelta(hours=1))
    assert f"已催办：{todo.title}" in _press(scene.consumer_head, todo)


def test_not_by_who_does_not_see_the_matter(todo: Todo) -> None:
    stranger = UserFactory(department=DepartmentFactory(), roles=["editor"])
    assert "已催办" not in _press(stranger, todo)
    assert not Urging.objects.exists()


def test_the_button_is_on_the_page_of_who_waits(
    scene: Scene, request_: SharingRequest, todo: Todo
) -> None:
    button = f'action="{reverse("console:urge", args=[todo.pk])}"'
    for user, is_offered in ((scene.consumer, True), (scene.provider, False)):
        client = Client()
        client.force_login(user)
        page = client.get(f"/work/requests/{request_.pk}/").content.decode()
        assert "现在等谁" in page
        assert (button in page) is is_offered
