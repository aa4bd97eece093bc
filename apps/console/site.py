"""The admin site of the house: our frame around unfold's lists and forms, our entrance.

Unfold's scripts compile expressions found in the page (Alpine) and set styles on elements; so the
admin, and it alone, is let off these two rules of the content-security policy.
"""

from collections.abc import Callable
from typing import Any

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

ADMIN_POLICY = {
    "script-src": ["'self'", "'unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
}


class HuiliuAdminSite(UnfoldAdminSite):
    """The admin, open to the staff of departments; everybody signs in at one entrance."""

    site_title = _("汇流")
    site_header = _("汇流")
    index_title = _("管理")
    empty_value_display = "—"

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_authenticated and request.user.is_staff)

    def admin_view(self, view: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
        return csp_replace(ADMIN_POLICY)(super().admin_view(view, *args, **kwargs))

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(resolve_url("console:home"))

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.has_permission(request):
            return HttpResponseRedirect(resolve_url("console:home"))
        target = request.GET.get("next", resolve_url("console:home"))
        return redirect_to_login(target, resolve_url(settings.LOGIN_URL))


def frame(request: HttpRequest) -> str:
    return static("huiliu/frame.css")


def sheet(request: HttpRequest) -> str:
    return static("huiliu/admin.css")


def script(request: HttpRequest) -> str:
    return static("huiliu/huiliu.js")


def mark(request: HttpRequest) -> str:
    return static("huiliu/mark.svg")
