"""Days and times as a Chinese official reads them, always in the portal's time zone."""

from datetime import date, datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _

register = template.Library()

NONE = "—"


@register.filter
def day(value: date | datetime | None) -> str:
    """Return 2026-11-22."""
    return _day(value).isoformat() if value else NONE


@register.filter
def last_day(value: datetime | None) -> str:
    """Return the last day before an end: what stops at 2028-01-01 00:00 lasts to 2027-12-31."""
    return _day(value - timedelta(microseconds=1)).isoformat() if value else NONE


@register.filter
def weekday(value: date | datetime | None) -> str:
    """Return 11月25日 周三, with the year before it when it is not this one."""
    if not value:
        return NONE
    when = _day(value)
    words = {
        "year": when.year,
        "month": when.month,
        "day": when.day,
        "weekday": _weekdays()[when.weekday()],
    }
    if when.year != timezone.localdate().year:
        return _("%(year)s年%(month)s月%(day)s日 %(weekday)s") % words
    return _("%(month)s月%(day)s日 %(weekday)s") % words


@register.filter
def minute(value: datetime | None) -> str:
    """Return 2026-11-22 10:31."""
    return timezone.localtime(value).strftime("%Y-%m-%d %H:%M") if value else NONE


@register.filter
def clock_time(value: datetime | None) -> str:
    """Return 10:31, beside a day that is told already."""
    return timezone.localtime(value).strftime("%H:%M") if value else NONE


@register.filter
def second(value: datetime | None) -> str:
    """Return 2026-11-22 10:31:05, for evidence."""
    return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S") if value else NONE


@register.filter
def seconds(value: float | None) -> str:
    """Return a span of seconds in words: 3 分 20 秒."""
    if value is None:
        return NONE
    whole = int(value)
    if whole < 60:
        return _("%(seconds)s 秒") % {"seconds": whole if value >= 1 else f"{value:.1f}"}
    if whole < 3600:
        return _("%(minutes)s 分 %(seconds)s 秒") % {
            "minutes": whole // 60,
            "seconds": whole % 60,
        }
    return _("%(hours)s 小时 %(minutes)s 分") % {
        "hours": whole // 3600,
        "minutes": whole % 3600 // 60,
    }


def _day(value: date | datetime) -> date:
    return timezone.localtime(value).date() if isinstance(value, datetime) else value


def _weekdays() -> tuple[str, ...]:
    return (_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))
