"""How a clock speaks: days, what is left, and why a day counts. Pure."""

from datetime import date, datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.clocks.derivation import ZONE, Step, Why

WEEKDAYS: tuple[str | Promise, ...] = (
    gettext_lazy("周一"),
    gettext_lazy("周二"),
    gettext_lazy("周三"),
    gettext_lazy("周四"),
    gettext_lazy("周五"),
    gettext_lazy("周六"),
    gettext_lazy("周日"),
)


def weekday(day: date) -> str:
    return str(WEEKDAYS[day.weekday()])


def day_in_words(day: date, today: date) -> str:
    """Write 11月25日 周三, with the year where it is another one than today's."""
    values = {"year": day.year, "month": day.month, "day": day.day, "weekday": weekday(day)}
    if day.year == today.year:
        return _("%(month)d月%(day)d日 %(weekday)s") % values
    return _("%(year)d年%(month)d月%(day)d日 %(weekday)s") % values


def instant_in_words(at: datetime, today: date) -> str:
    local = at.astimezone(ZONE)
    return f"{day_in_words(local.date(), today)} {local:%H:%M}"


def amount(unit: str, count: int) -> str:
    """Write 3 个工作日, 3 日, 3 小时."""
    words = {
        "workday": _("%(count)d 个工作日"),
        "day": _("%(count)d 日"),
        "hour": _("%(count)d 小时"),
        "minute": _("%(count)d 分钟"),
        "month": _("%(count)d 个月"),
        "year": _("%(count)d 年"),
    }
    return words[unit] % {"count": count}


def why(step: Step) -> str:
    """Say why the day counts or does not."""
    note = str(step.day.note)
    match step.why:
        case Why.RECEIPT:
            return _("收件日，不计入")
        case Why.LATE:
            return _("下班后收到，顺延至下一工作日收件")
        case Why.WEEKEND:
            return _("周末")
        case Why.HOLIDAY:
            return note or _("放假")
        case Why.MAKE_UP:
            return _("调休上班（%(note)s）") % {"note": note}
        case Why.PAUSED:
            return _("暂停：%(reason)s") % {"reason": step.reason}
        case Why.RESUMED:
            return _("恢复计时，当日视为收件日")
        case _:
            return _("第 %(number)s 日") % {"number": step.number}
