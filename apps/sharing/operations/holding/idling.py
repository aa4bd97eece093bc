"""Grants that nobody uses: both sides are told, and after the clock the platform cuts them off.

A use that comes in time closes the matter. After the cut the consumer may say why it still needs
the grant; the provider then resumes it, as every suspended grant.

Source: comparator (黑龙江 2025 年规定第二十七条)
"""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.clocks import operations as clocks
from apps.clocks import queries as clock_queries
from apps.core import access
from apps.core.errors import required_text
from apps.ledger import operations as ledger
from apps.sharing import provisioning
from apps.sharing.lifecycle import IDLE_NOTICE
from apps.sharing.models import Grant, IdleNotice
from apps.sharing.operations import owed
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.holding.grants import stop_serving
from apps.sharing.operations.holding.letting_go import close_idle_notice
from apps.sharing.operations.one_by_one import each_by_itself
from apps.sharing.operations.versions import save_version
from apps.sharing.queries import continuing

ANSWER: Final = "grant.idle_answer"


def watch_idle(at: datetime) -> int:
    """Tell of grants that have become idle, close what is used again, cut off what is overdue.

    Repeat-safe; the task's one step. Nothing is done on figures that are not of today. Return how
    many grants were told of or cut off.
    """
    if not continuing.is_metering_current(at):
        return 0
    noticed = IdleNotice.objects.filter(status=IdleNotice.Status.NOTICED).order_by("pk")
    cut_off, _left = each_by_itself(noticed, lambda notice: _follow_up(notice, at))
    idle = continuing.grants_to_notice(at)
    told, _left = each_by_itself(idle, lambda grant: _notice(grant, at))
    return sum(cut_off) + sum(told)


@attempt("sharing.ask_back", "notice")
def ask_back(
    *,
    notice: IdleNotice,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> IdleNotice:
    """Say why a grant that was cut off is still needed; the provider's head is asked to resume it.

    Raises:
        NotAllowed: the actor does not work for the consumer.
        IllegalMove: it is not cut off, or was asked for already.
    """
    standing = access.require(actor, "ask_back", notice, at=at)
    reason = required_text(reason, _("填写继续使用的理由"), field="reason")
    grant = notice.grant
    IDLE_NOTICE.apply(
        notice,
        "ask_back",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        need=reason,
        need_stated_at=at,
        need_stated_by=actor,
    )
    ledger.close_todos(notice, at=at, by=actor)
    ledger.open_todo(
        notice,
        "sharing.resume_idle",
        title=_("恢复或终止闲置停用的授权 %(grant)s") % {"grant": grant},
        url=owed.page_of_grant(grant),
        department=grant.provider,
        role="department_approver",
        at=at,
    )
    ledger.record(standing, "sharing.ask_back", grant, at=at, details={"reason": reason})
    return notice


@transaction.atomic
def _notice(grant: Grant, at: datetime) -> int:
    """Tell both sides that a grant is idle, and start the clock."""
    # Whoever ends it or looks at the same time waits here, or has been waited for.
    held = Grant.objects.select_for_update(of=("self",)).get(pk=grant.pk)
    is_told = continuing.open_idle_notice(held) is not None
    if is_told or held.status != Grant.Status.IN_FORCE:
        return 0
    idle_since = grant.idle_since  # type: ignore[attr-defined]
    notice = IdleNotice(grant=grant, idle_since=idle_since, created_at=at, updated_at=at)
    save_version(notice, actor=accounts.platform_user(), at=at, insert=True)
    clock = clocks.start(notice, ANSWER, department=grant.consumer, at=at)
    ledger.open_todo(
        notice,
        "sharing.use_again",
        title=_("授权 %(grant)s 长期未用：恢复使用，或者终止") % {"grant": grant},
        url=owed.page_of_grant(grant),
        department=grant.consumer,
        role="department_editor",
        at=at,
        due_on=clock.due_on,
    )
    words = {"dataset": grant.dataset, "since": idle_since, "day": clock.due_on}
    owed.tell_about_grant(
        grant,
        _("授权 %(grant)s 长期未用") % {"grant": grant},
        _("“%(dataset)s”自 %(since)s 起没有调用；到 %(day)s 仍未使用的，由平台停用。") % words,
        at=at,
    )
    _record(grant, "sharing.notice_idle", at, since=idle_since.isoformat(), due=str(clock.due_on))
    return 1


def _follow_up(notice: IdleNotice, at: datetime) -> int:
    """Close a notice whose grant is used again or not in force; cut it off when it is overdue.

    What takes rights away holds the lock of provisioning before the grant's row, as all do.

    Raises:
        TableBusy: lock or row could not be had for a moment.
    """
    if _is_overdue(notice, at):
        return provisioning.persistently(lambda: _follow_up_held(notice, at))
    with transaction.atomic():
        return _follow_up_held(notice, at, may_cut_off=False)


def _follow_up_held(notice: IdleNotice, at: datetime, *, may_cut_off: bool = True) -> int:
    platform = accounts.platform_user()
    grant = (
        Grant.objects.select_for_update(of=("self",))
        .select_related("request", "dataset", "consumer", "provider", "system")
        .get(pk=notice.grant_id)
    )
    notice.refresh_from_db()
    if notice.status != IdleNotice.Status.NOTICED:
        return 0
    if grant.status != Grant.Status.IN_FORCE:
        close_idle_notice(grant, "void", actor=platform, at=at)
        return 0
    if _is_used_since(notice):
        clocks.stop(notice, ANSWER, at=at, met=True)
        IDLE_NOTICE.apply(notice, "note_use", actor=platform, at=at, closed_at=at)
        ledger.close_todos(notice, at=at, by=platform)
        _record(grant, "sharing.note_use", at)
        return 0
    if not (may_cut_off and _is_overdue(notice, at)):
        return 0
    _cut_off(notice, grant, platform, at)
    return 1


def _cut_off(notice: IdleNotice, grant: Grant, platform: User, at: datetime) -> None:
    reason = str(
        _("自 %(since)s 起没有调用，提醒后仍未使用") % {"since": notice.idle_since.isoformat()}
    )
    stop_serving(grant, actor=platform, at=at, reason=reason)
    if clock_queries.running(notice).exists():
        clocks.stop(notice, ANSWER, at=at, met=False)
    IDLE_NOTICE.apply(notice, "cut_off", actor=platform, at=at)
    ledger.close_todos(notice, at=at, by=platform)
    ledger.open_todo(
        notice,
        "sharing.ask_back",
        title=_("授权 %(grant)s 因闲置停用：仍需使用的，说明理由") % {"grant": grant},
        url=owed.need_page_of(grant),
        department=grant.consumer,
        role="department_editor",
        at=at,
    )
    owed.tell_about_grant(
        grant,
        _("授权 %(grant)s 因闲置停用") % {"grant": grant},
        _("%(reason)s。仍需使用的，由使用部门说明理由，提供部门恢复。") % {"reason": reason},
        at=at,
    )
    _record(grant, "sharing.cut_off", at, reason=reason)


def _is_overdue(notice: IdleNotice, at: datetime) -> bool:
    clock = clock_queries.running(notice).filter(policy__code=ANSWER).first()
    return clock is None or clock.due_at <= at


def _is_used_since(notice: IdleNotice) -> bool:
    """Say whether there was a call after the day from which the grant is idle."""
    last = notice.grant.daily_uses.aggregate(day=Max("day"))["day"]
    return last is not None and last > notice.idle_since


def _record(grant: Grant, verb: str, at: datetime, **details: str) -> None:
    platform = accounts.platform_user()
    ledger.record(platform, verb, grant, at=at, department=grant.provider, details=details)
