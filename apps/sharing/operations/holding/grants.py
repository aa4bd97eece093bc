"""Grants: suspended, resumed, ended, expired. The database follows each move.

Suspension and end take effect with the transaction: the consumer's right to the views is revoked in
it. What then still stands (roles, policies, views) is torn down by a task that may have to wait.
"""

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from guardian.shortcuts import remove_perm

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.clocks import operations as clocks
from apps.core import access
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.jobs import wake
from apps.ledger import operations as ledger
from apps.sharing import provisioning, queries
from apps.sharing.lifecycle import GRANT
from apps.sharing.models import Grant
from apps.sharing.operations import owed
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.deciding import urgent_terms
from apps.sharing.operations.holding.letting_go import close_idle_notice, let_go
from apps.sharing.operations.holding.opened_disposals import open_disposal
from apps.sharing.operations.serving.database_logins import close_login_without_grants

TEAR_DOWN_DUE = "sharing.tear_down_due"
KEEP_EXPORTS = "sharing.keep_exports"
RECTIFY = "sharing.rectify"


@attempt("sharing.suspend", "grant")
def suspend(
    *,
    grant: Grant,
    actor: User,
    at: datetime,
    reason: str,
    rectify_by: date | None = None,
    revision: int | None = None,
) -> Grant:
    """Stop a consumer's access at once, with the reason and the day until when to rectify.

    Source: 《政务数据共享条例》第二十五条、第二十七条
    Raises:
        NotAllowed: the actor is neither the provider's head nor of the authority.
    """
    standing = access.require(actor, "suspend", grant, at=at)
    if rectify_by is not None and rectify_by < timezone.localdate(at):
        raise InvalidInput(_("整改期限不能早于今天"), field="rectify_by")
    overseer = (standing.principal or actor).holds("authority_officer", "authority_leader")
    stop_serving(
        grant,
        actor=actor,
        at=at,
        reason=reason,
        by_authority=overseer,
        rectify_by=rectify_by,
        revision=revision,
    )
    demand_rectification(grant, at=at)
    ledger.record(
        standing,
        "sharing.suspend",
        grant,
        at=at,
        details={
            "reason": grant.suspension_reason,
            "rectify_by": rectify_by.isoformat() if rectify_by else None,
        },
    )
    return grant


@attempt("sharing.resume", "grant")
def resume(
    *,
    grant: Grant,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> Grant:
    """Give access back after the matter was rectified; the past suspension stays in the history.

    Raises:
        NotAllowed: the authority suspended it and the actor is only the provider; he works for
            the consumer.
        Conflict: the papers of an urgent decision are still missing.
    """
    standing = access.require(actor, "resume", grant, at=at)
    refuse_own_use(actor, grant)
    urgent_terms.refuse_without_papers(grant, at)
    provisioning.hold_lock()
    GRANT.apply(
        grant,
        "resume",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        suspended_by_authority=False,
        rectify_by=None,
        resumed_at=at,
    )
    provisioning.allow(grant)
    for kind in (RECTIFY, urgent_terms.RESUME_OWED):
        ledger.close_todos(grant, at=at, by=actor, kind=kind)
    close_idle_notice(grant, "resume", actor=actor, at=at)
    owed.tell_about_grant(
        grant, _("授权 %(grant)s 已恢复") % {"grant": grant}, reason.strip(), at=at
    )
    ledger.record(standing, "sharing.resume", grant, at=at, details={"reason": reason.strip()})
    return grant


def refuse_own_use(actor: User, grant: Grant) -> None:
    """Keep stand-ins from deciding for the provider on what their own department uses.

    Raises:
        NotAllowed: the actor works for the consumer, and not for the provider too.
    """
    if actor.department_id == grant.consumer_id != grant.provider_id:
        raise NotAllowed(_("使用部门不能代提供部门决定本部门的授权"), code="own_grant")


@attempt("sharing.end", "grant")
def end(
    *,
    grant: Grant,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> Grant:
    """End a grant for good: refusal to rectify, justified stop, or no longer needed.

    Source: 《政务数据共享条例》第二十五条、第二十七条
    """
    standing = access.require(actor, "end", grant, at=at)
    close_grant(grant, "end", actor=actor, at=at, reason=reason, revision=revision)
    ledger.record(standing, "sharing.end", grant, at=at, details={"reason": reason.strip()})
    return grant


@transaction.atomic
def expire(*, grant: Grant, at: datetime) -> Grant:
    """Close a grant whose period is over. The policy has let nothing through since that moment.

    Raises:
        InvalidInput: it is not over yet.
    """
    provisioning.hold_lock()
    grant.refresh_from_db()  # what follows on it may have been written while we waited
    if grant.expires_at > at:
        raise InvalidInput(_("授权尚未到期"), code="not_expired")
    platform = accounts.platform_user()
    close_grant(grant, "expire", actor=platform, at=at, reason="")
    ledger.record(platform, "sharing.expire", grant, at=at, department=grant.provider)
    return grant


def tear_down(*, grant: Grant, at: datetime) -> None:
    """Remove what still stands of a closed grant. Repeat-safe.

    Raises:
        TableBusy: the table could not be had for a moment; the task comes again.
    """

    def work() -> None:
        current = Grant.objects.select_for_update(of=("self",)).get(pk=grant.pk)
        if current.status in ("ended", "expired"):
            provisioning.tear_down(current)
            Grant.objects.filter(pk=current.pk).update(torn_down_at=at)

    provisioning.persistently(work)


def stop_serving(
    grant: Grant,
    *,
    actor: User,
    at: datetime,
    reason: str,
    by_authority: bool = False,
    rectify_by: date | None = None,
    revision: int | None = None,
) -> None:
    """Suspend a grant, and with it what reads and files it gave; the caller writes the event."""
    provisioning.hold_lock()
    GRANT.apply(
        grant,
        "suspend",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        suspended_at=at,
        suspended_by=actor,
        suspended_by_authority=by_authority,
        suspension_reason=reason.strip(),
        rectify_by=rectify_by,
    )
    provisioning.revoke(grant)
    wake(KEEP_EXPORTS)


def demand_rectification(grant: Grant, *, at: datetime) -> None:
    """Tell everybody that a grant is stopped; the consumer owes what it was stopped for."""
    ledger.open_todo(
        grant,
        RECTIFY,
        title=_("整改：%(dataset)s 的授权已暂停") % {"dataset": grant.dataset},
        url=owed.page_of(grant.request),
        department=grant.consumer,
        role="department_editor",
        at=at,
        due_on=grant.rectify_by,
    )
    owed.tell_about_grant(
        grant,
        _("授权 %(grant)s 已暂停") % {"grant": grant},
        _("原因：%(reason)s") % {"reason": grant.suspension_reason},
        at=at,
    )


def close_grant(
    grant: Grant,
    move: str,
    *,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
    is_replaced: bool = False,
) -> None:
    """End or expire a grant; whoever calls has asked permission and writes the event.

    is_replaced: another grant goes on with the data, so that none is to be disposed of.
    """
    provisioning.hold_lock()
    was_delivering = grant.status == Grant.Status.DELIVERING
    fields = {"ended_at": at, "ended_by": actor, "end_reason": reason.strip()}
    GRANT.apply(grant, move, actor=actor, at=at, reason=reason, revision=revision, **fields)
    provisioning.revoke(grant)
    if was_delivering:
        clocks.cancel(grant.request, "request.deliver", at=at)
    urgent_terms.end_papers(grant.request, at=at)
    if queries.is_last_grant(grant):
        remove_perm("catalog.use_dataset", grant.consumer.group, grant.dataset)
    ledger.close_todos(grant, at=at, by=actor)
    let_go(grant, actor=actor, at=at)
    if not is_replaced:
        open_disposal(grant, actor=actor, at=at)
        close_login_without_grants(grant, actor=actor, at=at)
    title = _("授权 %(grant)s %(status)s") % {
        "grant": grant,
        "status": grant.get_status_display(),
    }
    owed.tell_about_grant(grant, title, reason.strip() or _("使用期已满，数据应按约定处置"), at=at)
    wake(TEAR_DOWN_DUE)
    wake(KEEP_EXPORTS)
