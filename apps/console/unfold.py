"""How the admin looks: the house's colours on unfold, and the navigation of the work screens.

Colours are plain hexadecimal, because the oldest browsers supported do not know oklch. The settings
read this module, so it imports nothing of the house: what needs a request is named by its path.
"""

from typing import Any

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

BLUE = {
    "50": "#f1f5fd",
    "100": "#e8effb",
    "200": "#c9daf6",
    "300": "#9dbcee",
    "400": "#6594e2",
    "500": "#3a72d4",
    "600": "#1456c4",
    "700": "#0f459e",
    "800": "#0d3a83",
    "900": "#0d316b",
    "950": "#091f45",
}
GREY = {
    "50": "#f7f8fa",
    "100": "#f0f2f5",
    "200": "#d9dde3",
    "300": "#c0c7d0",
    "400": "#8b94a1",
    "500": "#566070",
    "600": "#475160",
    "700": "#343c48",
    "800": "#232a34",
    "900": "#191f28",
    "950": "#11151b",
}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("汇流"),
    "SITE_HEADER": _("汇流"),
    "SITE_SUBHEADER": _("政务数据共享开放平台"),
    "SITE_URL": reverse_lazy("console:home"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "apps.console.site.mark"}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "4px",
    "COLORS": {"base": GREY, "primary": BLUE},
    "STYLES": ["apps.console.site.frame", "apps.console.site.sheet"],
    "SCRIPTS": ["apps.console.site.script"],
}
