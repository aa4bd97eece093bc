"""The short way into the data plane: systems call with a token, and need nothing made for people.

Sessions, cookies, languages, forms, one login, the second factor: none of it bears on a call that
shows its token, and together they cost as much as reading a page.

Source: house rule (design §4: keep the data plane thin)
"""

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, include, path, resolve
from django.utils import translation

from apps.sharing.api.routes import data_urlpatterns

PREFIX: Final = "/api/v1/data/"
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
        return _complete(answer)


def _complete(answer: HttpResponseBase) -> HttpResponseBase:
    if hasattr(answer, "render"):  # a problem, written by DRF
        answer.render()
    if isinstance(answer, HttpResponse):
        answer.headers.setdefault("Content-Length", str(len(answer.content)))
    answer.headers.setdefault("Content-Language", settings.LANGUAGE_CODE)
    answer.headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
    return answer
