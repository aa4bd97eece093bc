"""Whoever uses what stands still is told: when it is announced, a day before, and at its end."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.core.templatetags.dates import minute
from apps.ledger import operations as ledger
from apps.sharing.models import PlannedStop
from apps.sharing.queries.planned_stops import Reached, outlasting, reached_by


def page_of(stop: PlannedStop) -> str:
    return f"/work/planned-stops/{stop.pk}/"


def tell_announced(stop: PlannedStop, *, at: datetime) -> Reached:
    body = _(
        "%(start)s至%(end)s不能调用，返回 503 planned_stop 和恢复的时间；"
        "不计入可用率。原因：%(reason)s"
    )
    return _tell(stop, _("停机公告：%(what)s，%(start)s起"), body, at=at)


def tell_near(stop: PlannedStop, *, at: datetime) -> Reached:
    body = _("%(start)s至%(end)s不能调用。原因：%(reason)s")
    return _tell(stop, _("停机提醒：%(what)s，%(start)s起"), body, at=at)


def tell_withdrawn(stop: PlannedStop, *, at: datetime) -> Reached:
    body = _("原定%(start)s至%(end)s的停机已撤回，服务照旧。理由：%(words)s")
    return _tell(stop, _("停机公告已撤回：%(what)s"), body, at=at)


def tell_over(stop: PlannedStop, *, at: datetime) -> Reached:
    """Say that the service is back; or until when another stop still holds all of it."""
    other = outlasting(stop, at)
    if other is not None:
        title = _("停机未完：%(what)s，预计%(until)s恢复")
        body = _(
            "公告 %(stop)s 的停机已结束，公告 %(other)s 的停机还在进行，%(until)s之前不能调用。"
        )
        return _tell(stop, title, body, at=at, other=other, until=minute(other.ends_at))
    body = _("提前恢复：%(words)s") if stop.end_reason else _("按时恢复，可以继续调用。")
    return _tell(stop, _("停机结束：%(what)s"), body, at=at)


def _tell(stop: PlannedStop, title: Any, body: Any, *, at: datetime, **more: Any) -> Reached:
    reached = reached_by(stop)
    names = {
        "what": stop.subject_words,
        "start": minute(stop.starts_at),
        "end": minute(stop.ends_at),
        "reason": stop.reason,
        "words": stop.end_reason,
        "stop": stop,
        **more,
    }
    ledger.notify(
        reached.people,
        title=title % names,
        body=body % names,
        url=page_of(stop),
        at=at,
        subject=stop,
    )
    return reached
