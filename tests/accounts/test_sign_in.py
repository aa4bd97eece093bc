"""Signing in: lockout, one login, idle end, password rules, second factor, language."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.middleware import LAST_ACT, UNATTENDED
from apps.accounts.models import PasswordHistory, User
from tests.factories.accounts import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
HOME = "/work/"


@pytest.fixture
def person(provider: Any) -> Any:
    return provider


def sign_in(username: str, password: str = PASSWORD, client: Client | None = None) -> Client:
    client = client or Client()
    client.post(reverse("account_login"), {"login": username, "password": password})
    return client


def is_in(client: Client) -> bool:
    response = client.get(HOME)
    return "_auth_user_id" in client.session and response.status_code == 200


def test_a_person_signs_in_with_name_and_password(person: Any) -> None:
    assert is_in(sign_in(person.username))
    assert not is_in(sign_in(person.username, "wrong"))


def test_nobody_signs_himself_up() -> None:
    client = Client()
    given = {"username": "mallory", "password1": PASSWORD, "password2": PASSWORD}
    client.post("/accounts/signup/", given)
    assert not User.objects.filter(username="mallory").exists()


def test_a_system_and_a_disabled_person_do_not_sign_in(inactive: Any) -> None:
    service = UserFactory(kind="service", password=make_password(None))
    assert not is_in(sign_in(inactive.username))
    assert not is_in(sign_in(service.username, ""))


# Lockout


@pytest.fixture
def lockout(settings: Any) -> None:
    settings.AXES_ENABLED = True
    settings.ACCOUNT_RATE_LIMITS = False


@pytest.mark.usefixtures("lockout")
def test_five_failures_in_five_minutes_lock(person: Any) -> None:
    for _attempt in range(5):
        sign_in(person.username, "wrong")
    assert not is_in(sign_in(person.username))


@pytest.mark.usefixtures("lockout")
def test_four_failures_do_not(person: Any) -> None:
    for _attempt in range(4):
        sign_in(person.username, "wrong")
    assert is_in(sign_in(person.username))


@pytest.mark.usefixtures("lockout")
def test_failures_of_longer_ago_are_forgotten(person: Any) -> None:
    from axes.models import AccessAttempt

    for _attempt in range(4):
        sign_in(person.username, "wrong")
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=6))
    sign_in(person.username, "wrong")
    assert is_in(sign_in(person.username))


@pytest.mark.usefixtures("lockout")
def test_a_lock_lasts_ten_minutes_and_no_longer(person: Any) -> None:
    from axes.models import AccessAttempt

    for _attempt in range(5):
        sign_in(person.username, "wrong")
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=9))
    sign_in(person.username, "wrong")
    assert not is_in(sign_in(person.username))
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=11))
    assert is_in(sign_in(person.username))


# One login, idle end


def test_a_newer_login_ends_the_older(person: Any) -> None:
    first = sign_in(person.username)
    assert is_in(first)
    second = sign_in(person.username)
    assert is_in(second)
    assert not is_in(first)
    assert is_in(second)


def test_signing_out_and_in_again_is_no_contest(person: Any) -> None:
    client = sign_in(person.username)
    client.post(reverse("account_logout"))
    assert is_in(sign_in(person.username, client=client))


def test_a_session_ends_when_nobody_acts(person: Any) -> None:
    client = sign_in(person.username)
    assert is_in(client)
    session = client.session
    session[LAST_ACT] = int(timezone.now().timestamp()) - 31 * 60
    session.save()
    assert not is_in(client)


def test_what_a_page_fetches_by_itself_is_no_act(person: Any) -> None:
    client = sign_in(person.username)
    assert is_in(client)
    session = client.session
    session[LAST_ACT] = long_ago = int(timezone.now().timestamp()) - 20 * 60
    session.save()
    client.get(HOME, headers={UNATTENDED: "1"})
    assert client.session[LAST_ACT] == long_ago
    client.get(HOME)
    assert client.session[LAST_ACT] > long_ago


# Passwords


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("Ab3-xyz", "password_too_short"),
        ("abcdefgh1", "password_too_plain"),
        ("ABCDEFGH-", "password_too_plain"),
    ],
)
def test_a_weak_password_is_refused(password: str, code: str, person: Any) -> None:
    with pytest.raises(ValidationError) as raised:
        validate_password(password, person)
    assert code in {error.code for error in raised.value.error_list}


@pytest.mark.parametrize("password", ["Qx7-mwzk", "qx7-mwzk", "Qx7mwzkp"])
def test_three_classes_and_eight_characters_are_enough(password: str, person: Any) -> None:
    validate_password(password, person)


def test_none_of_the_last_five_is_taken_again(person: Any) -> None:
    used = [f"Hui-{number}-qwzx" for number in range(6)]
    for password in used:
        person.set_password(password)
        person.save()
    for password in used[1:]:
        with pytest.raises(ValidationError):
            validate_password(password, person)
    validate_password(used[0], person)
    assert PasswordHistory.objects.filter(user=person).count() == 5


def test_a_change_of_password_is_dated(person: Any) -> None:
    before = timezone.now()
    person.set_password("Hui-1-qwzx")
    person.save()
    person.refresh_from_db()
    assert person.password_changed_at >= before


@pytest.mark.parametrize(
    ("age", "asked"), [(timedelta(days=89), False), (timedelta(days=91), True), (None, True)]
)
def test_an_old_or_issued_password_is_changed_first(
    age: timedelta | None, asked: bool, person: Any, settings: Any
) -> None:
    settings.HUILIU_PASSWORD_DAYS = 90
    changed = None if age is None else timezone.now() - age
    User.objects.filter(pk=person.pk).update(password_changed_at=changed)
    response = sign_in(person.username).get(HOME)
    assert (response.headers.get("Location") == reverse("account_change_password")) == asked


def test_an_issued_password_is_changed_where_none_grows_old(person: Any, settings: Any) -> None:
    settings.HUILIU_PASSWORD_DAYS = None
    assert is_in(sign_in(person.username))
    User.objects.filter(pk=person.pk).update(password_changed_at=None)
    response = sign_in(person.username).get(HOME)
    assert response.headers.get("Location") == reverse("account_change_password")


def test_after_the_change_the_way_is_free(person: Any, settings: Any) -> None:
    settings.HUILIU_PASSWORD_DAYS = 90
    User.objects.filter(pk=person.pk).update(password_changed_at=None)
    client = sign_in(person.username)
    given = {"oldpassword": PASSWORD, "password1": "Hui-1-qwzx", "password2": "Hui-1-qwzx"}
    assert client.get(reverse("account_change_password")).status_code == 200
    client.post(reverse("account_change_password"), given)
    assert is_in(client)


# Second factor, language


def test_staff_set_up_a_second_factor_before_anything_else(person: Any, settings: Any) -> None:
    settings.HUILIU_SECOND_FACTOR_REQUIRED = True
    client = sign_in(person.username)
    response = client.get(HOME)
    assert response.headers["Location"].startswith(reverse("mfa_index"))
    assert client.get(reverse("account_logout")).status_code == 200


def test_whoever_has_a_second_factor_is_asked_for_it(person: Any, settings: Any) -> None:
    settings.HUILIU_SECOND_FACTOR_REQUIRED = True
    Authenticator.objects.create(
        user=person, type=Authenticator.Type.TOTP, data={"secret": "JBSWY3DPEHPK3PXP"}
    )
    client = sign_in(person.username)
    assert "_auth_user_id" not in client.session
    client.force_login(person)
    assert is_in(client)


@pytest.mark.parametrize("told", ["", "xx"])
def test_the_header_of_a_browser_chooses_no_language(db: None, told: str) -> None:
    client = Client(headers={"Accept-Language": "en-US,en;q=0.9"})
    if told:
        client.cookies["django_language"] = told
    answer = client.get(reverse("account_login"))
    assert '<html lang="zh-CN">' in answer.content.decode()
    assert answer.headers["Content-Language"] == "zh-hans"


def test_the_profile_chooses_the_language(person: Any) -> None:
    client = sign_in(person.username)
    assert client.get(HOME).wsgi_request.LANGUAGE_CODE == "zh-hans"
    User.objects.filter(pk=person.pk).update(language="en")
    assert client.get(HOME).wsgi_request.LANGUAGE_CODE == "en"
