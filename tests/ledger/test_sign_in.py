"""Signing in, failing to and signing out leave events, from whichever page they come."""

from typing import Any

import pytest
from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import authenticate
from django.test import Client, RequestFactory

from apps.ledger.models import Event
from tests.factories.accounts import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _recorded(settings: Any) -> Any:
    settings.AXES_HANDLER = "apps.ledger.sign_in.RecordedSignIn"
    settings.AXES_ENABLED = True
    AxesProxyHandler.get_implementation(force=True)
    yield
    AxesProxyHandler.implementation = None


def events(user: Any) -> list[tuple[str, str]]:
    found = Event.objects.filter(subject_type="accounts.user", subject_id=str(user.pk))
    return list(found.order_by("at", "id").values_list("verb", "outcome"))


def test_signing_in_and_out_is_recorded(provider: Any) -> None:
    client = Client()
    client.force_login(provider)
    client.logout()
    assert events(provider) == [("ledger.sign_in", "done"), ("ledger.sign_out", "done")]


def test_a_wrong_password_is_recorded(provider: Any) -> None:
    request = RequestFactory().post("/accounts/login/")
    assert authenticate(request, username=provider.username, password="wrong") is None
    assert events(provider) == [("ledger.sign_in", "refused")]
    event = Event.objects.get(subject_id=str(provider.pk), outcome="refused")
    assert (event.actor, event.actor_label) == (None, provider.username)
    assert "wrong" not in str(event.details)


def test_an_attempt_on_a_locked_account_is_recorded_too(provider: Any) -> None:
    for _attempt in range(5):
        authenticate(
            RequestFactory().post("/accounts/login/"), username=provider.username, password="wrong"
        )
    request = RequestFactory().post("/accounts/login/")
    assert authenticate(request, username=provider.username, password=PASSWORD) is None
    assert events(provider) == [("ledger.sign_in", "refused")] * 6


def test_a_name_that_nobody_has_is_recorded(db: None) -> None:
    request = RequestFactory().post("/accounts/login/")
    assert authenticate(request, username="nobody-at-all", password="wrong") is None
    event = Event.objects.get(actor_label="nobody-at-all")
    assert (event.subject_id, event.outcome) == ("", "refused")
