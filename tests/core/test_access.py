"""Access: the guards that stand before every scope, and the stand-in's standing."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from apps.accounts.models import Delegation, Department
from apps.core import access
from apps.core.errors import NotAllowed
from tests.factories.accounts import DepartmentFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_scopes", {})
    monkeypatch.setattr(access, "_abilities", {})
    access.scope("accounts.Department", "polish")(
        lambda actor: access.EVERYBODY if actor.holds("department_approver") else access.NOBODY
    )
    access.scope("accounts.Department", "look", audience="public")(lambda actor: access.EVERYBODY)
    access.scope("accounts.Department", "keep", audience="internal")(lambda actor: access.EVERYBODY)
    access.ability("accounts.Department", "found")(lambda actor: actor.holds("department_editor"))


@pytest.mark.parametrize(
    ("person", "polish", "look", "keep"),
    [
        ("provider_head", True, True, True),
        ("provider", False, True, True),
        ("citizen", False, True, True),
        ("unassigned", False, True, True),
        ("inactive", False, True, False),
    ],
)
def test_it_answers_lists_and_rows_alike(
    request: pytest.FixtureRequest,
    person: str,
    polish: bool,
    look: bool,
    keep: bool,
) -> None:
    actor = request.getfixturevalue(person)
    department = DepartmentFactory()
    for action, expected in (("polish", polish), ("look", look), ("keep", keep)):
        assert access.allowed(actor, action, department) is expected
        assert access.rows(actor, action, Department).filter(pk=department.pk).exists() is expected


def test_a_stranger_gets_public_rows_only() -> None:
    department = DepartmentFactory()
    assert access.allowed(AnonymousUser(), "look", department)
    assert not access.allowed(AnonymousUser(), "keep", department)
    with pytest.raises(NotAllowed):
        access.require(AnonymousUser(), "polish", department)


def test_an_unknown_action_is_a_mistake_of_ours(provider: Any) -> None:
    with pytest.raises(access.UnknownAction):
        access.rows(provider, "fly", Department)


def test_a_scope_cannot_be_registered_twice() -> None:
    with pytest.raises(ValueError, match="already"):
        access.scope("accounts.department", "polish")(lambda actor: access.EVERYBODY)


def test_a_stand_in_acts_in_the_name_of_his_principal(
    provider: Any, provider_head: Any, at: datetime
) -> None:
    department = DepartmentFactory()
    today = timezone.localdate(at)
    Delegation.objects.create(
        principal=provider_head,
        deputy=provider,
        starts_on=today,
        ends_on=today + timedelta(days=3),
        reason="出差",
        delegated_by=provider_head,
        delegated_at=at,
    )
    standing = access.require(provider, "polish", department, at=at)
    assert (standing.actor, standing.principal) == (provider, provider_head)
    provider.forget_standing()
    with pytest.raises(NotAllowed):
        access.require(provider, "polish", department, at=at + timedelta(days=10))


def test_an_ability_asks_before_any_row_exists(provider: Any, provider_head: Any) -> None:
    assert access.able(provider, "found", Department)
    assert not access.able(provider_head, "found", Department)
    with pytest.raises(NotAllowed):
        access.require(provider_head, "found", Department)
