"""The short way into the data plane, and the gate that keeps suppliers on their own pages.

Systems call the data plane with a token, and need nothing made for people.

Sessions, cookies, languages, forms, one login, the second factor: none of it bears on a call that
shows its token, and together they cost as much as reading a page.

Source: house rule (design §4: keep the data plane thin)
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import Resolver404, include, path, resolve
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core.api import problem_response
from apps.core.errors import NotAllowed
from apps.sharing.api.routes import data_urlpatterns
from apps.sharing.gateway import codings
from apps.sharing.models import SupplierAccount

PREFIX: Final = "/api/v1/data/"
OPEN_TO_SUPPLIERS: Final = {
    "sharing:supplier-home",
    "sharing:supplier-interface",
    "account_login",
    "account_logout",
    "account_change_password",
    "account_reauthenticate",
    "set_language",
}
ENTRANCES: Final = {"console:home"}  # where signing in leads
ADDRESSES: Final[Any] = (path("api/v1/", include(data_urlpatterns)),)


class DataPlane:
    """Answer calls of the data plane at once; all others go on through what follows.

    It stands behind what holds for every answer, the security headers, and before all else.
    """

    def __init__(self, respond: Callable[[HttpRequest], HttpResponse]) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX):
            return self.respond(request)
        try:
            match = resolve(request.path_info, ADDRESSES)
        except Resolver404:
            return self.respond(request)
        translation.activate(settings.LANGUAGE_CODE)
        request.resolver_match = match
        answer: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        return _complete(answer, codings.chosen(request.META.get("HTTP_ACCEPT_ENCODING", "")))


def _complete(answer: HttpResponseBase, coding: str) -> HttpResponseBase:
    """Write what is still to be written, packed as the caller takes it, and the general headers."""
    if hasattr(answer, "render"):  # a problem, written by DRF
        answer.render()
    if isinstance(answer, HttpResponse):
        if coding and len(answer.content) >= codings.WORTH_BYTES:
            answer.content = codings.whole(answer.content, coding)
            answer.headers["Content-Encoding"] = coding
        if answer.status_code != HTTPStatus.NOT_MODIFIED:
            answer.headers.setdefault("Content-Length", str(len(answer.content)))
    patch_vary_headers(answer, ["Accept-Encoding"])
    answer.headers.setdefault("Content-Language", settings.LANGUAGE_CODE)
    answer.headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
    return answer


class Confined:
    """Keep a supplier on the few pages that are his, and out of all once his days are over.

    What he may see is decided by the scopes; this stands before every page and every address of the
    API, those of tomorrow too, so that none needs to think of him.

    Source: GB/T 22239-2019 第三级（外部人员访问管理）; house rule (issue 5: suppliers' accounts)
    """

    def __init__(self, respond: Callable[[HttpRequest], HttpResponse]) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if not (isinstance(user, User) and user.is_confined):
            return self.respond(request)
        account = SupplierAccount.objects.filter(user=user.pk).first()
        if account is None or not account.is_valid_on(timezone.localdate()):
            logout(request)
            messages.info(request, _("供应商账号不在有效期内，请与系统所属部门联系"))
            return redirect("account_login")
        name = _name_of(request)
        if name in OPEN_TO_SUPPLIERS or name.startswith("mfa_"):
            return self.respond(request)
        if name in ENTRANCES:
            return redirect("sharing:supplier-home")
        if request.path_info.startswith("/api/"):
            return problem_response(NotAllowed())
        raise PermissionDenied


def _name_of(request: HttpRequest) -> str:
    try:
        return resolve(request.path_info).view_name
    except Resolver404:
        return ""
