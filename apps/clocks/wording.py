"""How a derivation speaks: weekdays, and why a day counts or does not. Pure."""

from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.clocks.derivation import Step, Why

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


def why(step: Step, before: Step | None = None) -> str:
    """Say why the day counts or does not; a pause gives its reason on its first day only."""
    paused = _("暂停：%(reason)s") % {"reason": step.reason}
    if not step.reason or (before is not None and before.why == Why.PAUSED):
        paused = _("暂停")
    note = str(step.day.note)
    receipt = _("收件日，不计入")
    if step.day.kind == "make_up":
        receipt = _("收件日（%(note)s，调休上班），不计入") % {"note": note}
    plain = {
        Why.RECEIPT: receipt,
        Why.LATE: _("下班后收到，顺延至下一工作日收件"),
        Why.COUNTED: _("第 %(number)s 日") % {"number": step.number},
        Why.MAKE_UP: _("调休上班（%(note)s）") % {"note": note},
        Why.WEEKEND: _("周末"),
        Why.HOLIDAY: note or _("放假"),
        Why.PAUSED: paused,
        Why.RESUMED: _("恢复计时，当日视为收件日"),
    }
    return plain[step.why]
