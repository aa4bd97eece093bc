"""What stands between a signed-in person and the pages: one login, idle end, second factor.

Source: GB/T 22239-2019 第三级身份鉴别; numbers [CLOUD] draft government-cloud baseline
"""

from collections.abc import Callable
from datetime import timedelta

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.crypto import get_random_string
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.accounts.models import User

Respond = Callable[[HttpRequest], HttpResponse]
LOGIN_KEY = "huiliu_login"
LAST_ACT = "huiliu_last_act"
# What a page asks for by itself while nobody touches it carries this header.
UNATTENDED = "X-Huiliu-Unattended"
ALWAYS_OPEN = {"account_logout", "account_login", "account_reauthenticate", "set_language"}
MAY_WITHOUT_FRESH_PASSWORD = {"account_change_password", *ALWAYS_OPEN}


class OneLogin:
    """One login per account: a newer one ends the older.

    A session that has just signed in carries no key yet and claims the account; a session whose
    key is no longer the account's has been overtaken.
    """

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self._settle(request)
        response = self.respond(request)
        # Signing in happens inside the view: claim the account before the answer leaves.
        self._claim(request)
        return response

    def _settle(self, request: HttpRequest) -> None:
        user = request.user
        if not isinstance(user, User):
            return
        key = request.session.get(LOGIN_KEY)
        if key is None:
            self._claim(request)
        elif key != user.login_key:
            logout(request)
            messages.warning(request, _("该账号已在别处登录，本次登录已结束"))

    def _claim(self, request: HttpRequest) -> None:
        user = request.user
        if not isinstance(user, User) or LOGIN_KEY in request.session:
            return
        key = get_random_string(32)
        request.session[LOGIN_KEY] = key
        user.login_key = key
        User.objects.filter(pk=user.pk).update(login_key=key)


class IdleEnd:
    """A session without an act for so many minutes ends; what pages fetch by themselves is none."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(timezone.now().timestamp())
            last = request.session.get(LAST_ACT)
            if last is not None and now - last > settings.HUILIU_IDLE_MINUTES * 60:
                logout(request)
                messages.info(request, _("长时间未操作，已退出登录"))
            elif last is None or (now - last >= 60 and UNATTENDED not in request.headers):
                # Once a minute is exact enough and spares a write per page.
                request.session[LAST_ACT] = now
        return self.respond(request)


class ChosenLanguage:
    """Speak the language that this browser was told, else Chinese; never what its header asks for.

    Source: house rule (design §9)
    """

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        told = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        translation.activate(told if told in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE)
        request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE
        response = self.respond(request)
        patch_vary_headers(response, ("Cookie",))
        response.headers.setdefault("Content-Language", translation.get_language() or "")
        return response


class ProfileLanguage:
    """Speak the language of the person's profile, unless this browser was told another one."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        told = settings.LANGUAGE_COOKIE_NAME in request.COOKIES
        if isinstance(user, User) and user.language and not told:
            translation.activate(user.language)
            request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE
        return self.respond(request)


class FreshPassword:
    """A password older than so many days, or one issued by an administrator, is changed first."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        why = self._why_change(user) if isinstance(user, User) and _is_page(request) else ""
        if why and _page_name(request) not in MAY_WITHOUT_FRESH_PASSWORD:
            messages.warning(request, why)
            return redirect("account_change_password")
        return self.respond(request)

    def _why_change(self, user: User) -> str:
        """Say why the password is changed first; empty where it may stay."""
        if not user.has_usable_password():
            return ""
        if user.password_changed_at is None:
            return _("密码由管理员签发，请先换成本人的密码")
        days = settings.HUILIU_PASSWORD_DAYS
        if days and user.password_changed_at + timedelta(days=days) < timezone.now():
            return _("密码须每 %(days)d 天更换一次，请先更换密码") % {"days": days}
        return ""


class SecondFactor:
    """Staff and suppliers set up a second factor before anything else; signing in asks for it."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not settings.HUILIU_SECOND_FACTOR_REQUIRED:
            return self.respond(request)
        user = request.user
        if isinstance(user, User) and (user.is_staff or user.is_confined) and _is_page(request):
            name = _page_name(request)
            exempt = name.startswith("mfa_") or name in MAY_WITHOUT_FRESH_PASSWORD
            if not exempt and not self._has_one(request, user):
                messages.warning(request, _("请先绑定第二认证因素"))
                onward = urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})
                return redirect(f"{reverse('mfa_index')}?{onward}")
        return self.respond(request)

    def _has_one(self, request: HttpRequest, user: User) -> bool:
        # Once seen is enough for the session: removing a factor ends nothing worse than its own.
        if not request.session.get("huiliu_second_factor"):
            if not is_mfa_enabled(user):
                return False
            request.session["huiliu_second_factor"] = True
        return True


def _is_page(request: HttpRequest) -> bool:
    """Say whether a person looks at it; systems sign in per call, by token."""
    return not request.path.startswith(("/api/", "/oauth/", "/static/", "/health/"))


def _page_name(request: HttpRequest) -> str:
    try:
        return resolve(request.path_info).url_name or ""
    except Resolver404:
        return ""
