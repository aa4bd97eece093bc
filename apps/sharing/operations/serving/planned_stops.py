"""Announce that services will stand still, take it back, or end it before its time.

Source: house rule (issue 5: planned stops); 《政务数据共享条例》第二十七条
"""

from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.access import Standing
from apps.core.errors import Conflict, IllegalMove, InvalidInput, required_text
from apps.core.templatetags.dates import minute
from apps.ledger import operations as ledger
from apps.sharing.lifecycle import PLANNED_STOP
from apps.sharing.models import PlannedStop
from apps.sharing.models.planned_stops import LONGEST
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.serving import stop_news
from apps.sharing.operations.versions import save_version
from apps.sharing.queries.planned_stops import usual_from

LONGEST_WORDS: Final = 500
LONGEST_KEY: Final = 200
# What makes two announcements the same one.
ANNOUNCED: Final = ("reach", "dataset_id", "provider_id", "starts_at", "ends_at", "reason")


@attempt("sharing.announce_stop", "of")
def announce_stop(
    *,
    of: Dataset | Department | None,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    actor: User,
    at: datetime,
    short_notice_reason: str = "",
    idempotency_key: str = "",
) -> PlannedStop:
    """Announce a stop of a dataset's services, of all of a department's, or of the platform (None).

    While it runs, data calls in its reach are answered 503 `planned_stop`. Nothing else changes:
    grants, quotas and credentials stand as they are. The same key again gives the first one back.

    Source: house rule (issue 5: planned stops)
    Raises:
        NotAllowed: not the provider's head; of the platform, not its administrator or authority.
        InvalidInput: no reason, a period that is past, reversed or too long, or shorter notice than
            usual without saying why.
        Conflict: the key was used for another announcement.
    """
    if of is None:
        standing = access.require(actor, "announce_platform", PlannedStop, at=at)
    else:
        standing = access.require(actor, "announce_stop", of, at=at)
    stop = PlannedStop(
        **_reach(of),
        starts_at=starts_at,
        ends_at=ends_at,
        reason=_within(required_text(reason, _("填写停机原因"), field="reason"), "reason"),
        announced_by=actor,
        announced_at=at,
        idempotency_key=_key(idempotency_key),
        created_at=at,
        updated_at=at,
    )
    if (earlier := _earlier(stop)) is not None:
        return earlier
    _check_period(starts_at, ends_at, at)
    _give_notice(stop, short_notice_reason, at)
    _insert(stop, actor=actor, at=at)
    _tell(standing, stop, at=at)
    return stop


@attempt("sharing.withdraw_stop", "stop")
def withdraw_stop(
    *, stop: PlannedStop, actor: User, at: datetime, reason: str, revision: int | None = None
) -> PlannedStop:
    """Take an announcement back before it begins; the services go on.

    Raises:
        NotAllowed: neither of whose services they are nor of the authority.
        IllegalMove: it has begun, or is over.
        StaleRevision: it changed since it was seen.
        InvalidInput: no reason.
    """
    standing = access.require(actor, "withdraw_stop", stop, at=at)
    held = _held(stop)
    if held.status == PlannedStop.Status.ANNOUNCED and at >= held.starts_at:
        raise IllegalMove(_("停机已经开始，改为提前结束"))
    reason = _within(reason.strip(), "reason")
    PLANNED_STOP.apply(
        held, "withdraw_stop", actor=actor, at=at, reason=reason, revision=revision,
        ended_at=at, ended_by=actor, end_reason=reason,
    )  # fmt: skip
    stop_news.tell_withdrawn(held, at=at)
    _record(standing, "sharing.withdraw_stop", held, at=at, reason=reason)
    return held


@attempt("sharing.end_stop_early", "stop")
def end_stop_early(
    *, stop: PlannedStop, actor: User, at: datetime, reason: str, revision: int | None = None
) -> PlannedStop:
    """End a stop that runs before its time; the next call is answered.

    Raises:
        NotAllowed: neither of whose services they are nor of the authority.
        IllegalMove: it has not begun, or is over.
        StaleRevision: it changed since it was seen.
        InvalidInput: no reason.
    """
    standing = access.require(actor, "end_stop_early", stop, at=at)
    held = _held(stop)
    if held.status in PlannedStop.OPEN and at < held.starts_at:
        raise IllegalMove(_("停机还没有开始，改为撤回公告"))
    if held.status in PlannedStop.OPEN and at >= held.ends_at:
        raise IllegalMove(_("停机已经按时结束"))
    reason = _within(reason.strip(), "reason")
    PLANNED_STOP.apply(
        held, "end_stop_early", actor=actor, at=at, reason=reason, revision=revision,
        ended_at=at, ended_by=actor, end_reason=reason,
    )  # fmt: skip
    stop_news.tell_over(held, at=at)
    _record(standing, "sharing.end_stop_early", held, at=at, reason=reason)
    return held


def _held(stop: PlannedStop) -> PlannedStop:
    rows = PlannedStop.objects.select_for_update(of=("self",)).select_related("dataset", "provider")
    return rows.get(pk=stop.pk)


def _reach(of: Dataset | Department | None) -> dict[str, Any]:
    if isinstance(of, Dataset):
        return {"reach": PlannedStop.Reach.DATASET, "dataset": of, "provider": of.department}
    if of is not None:
        return {"reach": PlannedStop.Reach.DEPARTMENT, "provider": of}
    return {"reach": PlannedStop.Reach.PLATFORM}


def _check_period(starts_at: datetime, ends_at: datetime, at: datetime) -> None:
    if starts_at < at:
        raise InvalidInput(_("开始时间须在现在之后"), code="too_early", field="starts_at")
    if ends_at <= starts_at:
        raise InvalidInput(_("结束时间须在开始时间之后"), field="ends_at")
    if ends_at - starts_at > LONGEST:
        raise InvalidInput(
            _("一次停机至多 %(days)s 日；更久的，与使用部门协商后按服务变更办理")
            % {"days": LONGEST.days},
            code="too_long",
            field="ends_at",
        )


def _key(given: str) -> str:
    if len(given) > LONGEST_KEY:
        raise InvalidInput(_("提交编号不超过 200 个字符"), code="idempotency_key_too_long")
    return given


def _earlier(stop: PlannedStop) -> PlannedStop | None:
    """Return the announcement of the same key, if it is the same one.

    Raises:
        Conflict: the key was used for another announcement.
    """
    if not stop.idempotency_key:
        return None
    found = PlannedStop.objects.filter(
        announced_by=stop.announced_by, idempotency_key=stop.idempotency_key
    ).first()
    if found is None:
        return None
    if any(getattr(found, name) != getattr(stop, name) for name in ANNOUNCED):
        raise Conflict(
            _("提交编号 %(key)s 已用于另一次公告（%(stop)s），换一个再提交")
            % {"key": stop.idempotency_key, "stop": found},
            code="idempotency_conflict",
            stop=found.pk,
        )
    return found


def _give_notice(stop: PlannedStop, short_notice_reason: str, at: datetime) -> None:
    """Note the usual notice of the day, and why it is not kept where it is not."""
    stop.usual_from = usual_from(at)
    if stop.starts_at >= stop.usual_from:
        return
    short = short_notice_reason.strip()
    if not short:
        raise InvalidInput(
            _("按规定的提前量，最早%(day)s开始；提前不足的，写明理由")
            % {"day": minute(stop.usual_from)},
            code="short_notice",
            field="short_notice_reason",
        )
    stop.short_notice_reason = _within(short, "short_notice_reason")


def _insert(stop: PlannedStop, *, actor: User, at: datetime) -> None:
    try:
        with transaction.atomic():
            save_version(stop, actor=actor, at=at, reason=_("公告"), insert=True)
    except IntegrityError as error:
        if "sharing_plannedstop_key_once" not in str(error):
            raise
        raise Conflict(_("同一提交编号正在提交，稍后再试"), code="idempotency_conflict") from None


def _tell(by: Standing, stop: PlannedStop, *, at: datetime) -> None:
    reached = stop_news.tell_announced(stop, at=at)
    _record(
        by, "sharing.announce_stop", stop, at=at,
        start=stop.starts_at.isoformat(), end=stop.ends_at.isoformat(), reason=stop.reason,
        short_notice=stop.short_notice_reason, grants=len(reached.grants),
        told=len(reached.people),
    )  # fmt: skip


def _within(words: str, field: str) -> str:
    if len(words) > LONGEST_WORDS:
        raise InvalidInput(_("至多 %(most)s 字") % {"most": LONGEST_WORDS}, field=field)
    return words


def _record(by: Standing, verb: str, stop: PlannedStop, *, at: datetime, **details: Any) -> None:
    told = {"what": stop.subject_words, **details}
    ledger.record(by, verb, stop, at=at, department=stop.provider, details=told)
