"""Figures as a Chinese official reads them."""

from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

register = template.Library()

TEN_THOUSAND = 10_000
HUNDRED_MILLION = 100_000_000
SPOKEN_FROM = 100_000
BYTE_UNITS = ("B", "KB", "MB", "GB", "TB")


@register.filter
def exact(value: float | Decimal | None) -> str:
    """Return the whole figure with its thousands set apart, an em dash when there is none."""
    if value is None or value == "":
        return "—"
    if value % 1:
        return f"{value:,.2f}"
    return f"{int(value):,}"


@register.filter
def figure(value: float | Decimal | None) -> str | SafeString:
    """Return 1,204, and above a hundred thousand 35.2 万 with the exact figure on hover."""
    if value is None or value == "" or abs(float(value)) < SPOKEN_FROM:
        return exact(value)
    return format_html('<data value="{}" title="{}">{}</data>', value, exact(value), spoken(value))


def spoken(value: int | float | Decimal) -> str:
    """Return the figure in 万 or 亿 with one decimal, as it is said."""
    if abs(float(value)) >= HUNDRED_MILLION:
        return _("%(figure)s 亿") % {"figure": f"{value / HUNDRED_MILLION:,.1f}"}
    return _("%(figure)s 万") % {"figure": f"{value / TEN_THOUSAND:,.1f}"}


@register.simple_tag
def percent(part: int | None, whole: int | None) -> str:
    """Return the share with one decimal and the fraction beside it: 97.3%，3,084/3,170."""
    if not whole or part is None:
        return _("无可计算的数据")
    share = f"{part / whole * 100:.1f}%"
    return _("%(share)s，%(part)s/%(whole)s") % {
        "share": share,
        "part": exact(part),
        "whole": exact(whole),
    }


@register.filter
def size(value: int | None) -> str:
    """Return a number of bytes in the unit a person would choose."""
    if value is None:
        return "—"
    amount = float(value)
    for unit in BYTE_UNITS:
        if amount < 1024 or unit == BYTE_UNITS[-1]:
            return f"{amount:,.0f} {unit}" if unit == "B" else f"{amount:,.1f} {unit}"
        amount /= 1024
    raise AssertionError(value)
