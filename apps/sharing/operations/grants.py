"""Grants: delivered, suspended, resumed, ended, expired. The database follows each move.

Suspension and end take effect with the transaction: the consumer's right to the views is revoked in
it. What then still stands (roles, policies, views) is torn down by a task that may have to wait.
"""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from guardian.shortcuts import assign_perm, remove_perm

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.catalog import queries as catalog
from apps.clocks import operations as clocks
from apps.clocks import queries as clock_queries
from apps.core import access
from apps.core.errors import Conflict, DomainError, InvalidInput
from apps.core.jobs import wake
from apps.ledger import operations as ledger
from apps.sharing import provisioning, queries
from apps.sharing.lifecycle import GRANT, REQUEST
from apps.sharing.models import Decision, Grant, SharingRequest, limits_of
from apps.sharing.operations import owed, urgent_terms
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.demand_news import note_delivered
from apps.sharing.operations.letting_go import close_idle_notice, let_go
from apps.sharing.operations.versions import save_version

PROVISION_DUE = "sharing.provision_due"
TEAR_DOWN_DUE = "sharing.tear_down_due"
KEEP_EXPORTS = "sharing.keep_exports"


def open_grant(request: SharingRequest, decision: Decision, *, at: datetime) -> Grant:
    """Make the grant of a signed decision and wake the worker that delivers it.

    Raises:
        InvalidInput: the entry was withdrawn meanwhile, or the period is over.
        Conflict: another grant of this system on this dataset is just being delivered.
    """
    if not catalog.published().filter(pk=request.dataset_id).exists():
        raise InvalidInput(_("目录已撤回，不能再授权"), code="not_published")
    others = queries.open_grants().filter(system=request.system, dataset=request.dataset)
    if others.filter(status="delivering").exists():
        raise Conflict(_("该系统对此目录的另一授权正在交付"), code="already_delivering")
    starts_at, expires_at = queries.days_as_instants(decision.starts_on, decision.ends_on, at)
    if expires_at <= starts_at:
        raise InvalidInput(_("使用截止日期已过"), field="ends_on")
    grant = Grant(
        request=request,
        dataset=request.dataset,
        provider=owed.provider_of(request),
        consumer=request.consumer,
        system=request.system,
        mode=decision.mode,
        purpose=request.scenario,
        columns=[{"name": item["name"], "mask": item["mask"]} for item in decision.items],
        row_condition=decision.row_condition,
        starts_at=starts_at,
        expires_at=expires_at,
        created_at=at,
        updated_at=at,
        **limits_of(decision),
    )
    provisioning.terms_of(grant)
    save_version(grant, actor=decision.signed_by, at=at, reason=decision.reason, insert=True)
    wake(PROVISION_DUE)
    return grant


def deliver(*, grant: Grant, at: datetime) -> Grant:
    """Make the grant readable and the request delivered. Repeat-safe; the task's one step.

    The platform acts, carrying out a decision that a person signed. A grant that it replaces ends
    in the same transaction, so the consumer's service is never interrupted.

    Source: 《政务数据共享条例》第二十二条
    Raises:
        TableBusy: the table could not be had for a moment; the task comes again.
        Conflict: the table carries as many grants as one can.
    """
    try:
        return provisioning.persistently(lambda: _deliver(grant, at))
    except DomainError as error:
        _note_problem(grant, error, at)
        raise


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
    if rectify_by is not None and rectify_by < at.date():
        raise InvalidInput(_("整改期限不能早于今天"), field="rectify_by")
    overseer = (standing.principal or actor).holds("authority_officer", "authority_leader")
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
        suspended_by_authority=overseer,
        suspension_reason=reason.strip(),
        rectify_by=rectify_by,
    )
    provisioning.revoke(grant)
    wake(KEEP_EXPORTS)
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
        NotAllowed: the authority suspended it and the actor is only the provider.
        Conflict: the papers of an urgent decision are still missing.
    """
    standing = access.require(actor, "resume", grant, at=at)
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
    ledger.close_todos(grant, at=at, by=actor)
    close_idle_notice(grant, "resume", actor=actor, at=at)
    owed.tell_about_grant(
        grant, _("授权 %(grant)s 已恢复") % {"grant": grant}, reason.strip(), at=at
    )
    ledger.record(standing, "sharing.resume", grant, at=at, details={"reason": reason.strip()})
    return grant


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


def _deliver(grant: Grant, at: datetime) -> Grant:
    current = (
        Grant.objects.select_for_update(of=("self",))
        .select_related("request__dataset__department", "dataset", "consumer", "provider")
        .get(pk=grant.pk)
    )
    if current.status != Grant.Status.DELIVERING:
        return current
    platform = accounts.platform_user()
    _replace(current, by=platform, at=at)
    provisioning.provision(current)
    GRANT.apply(
        current,
        "deliver",
        actor=platform,
        at=at,
        provisioned_at=at,
        table_schema=current.table_schema,
        table_name=current.table_name,
        problem="",
    )
    request = current.request
    REQUEST.apply(request, "deliver", actor=platform, at=at, delivered_at=at)
    note_delivered(request, at=at)
    if clock_queries.running(request).filter(policy__code="request.deliver").exists():
        clocks.stop(request, "request.deliver", at=at)
    urgent_terms.ask_papers(request, at=at)
    assign_perm("catalog.use_dataset", current.consumer.group, current.dataset)
    ledger.close_todos(current, at=at, by=platform)
    _announce(current, at=at)
    return current


def _announce(grant: Grant, *, at: datetime) -> None:
    request = grant.request
    owed.tell_consumer(
        request,
        _("共享申请 %(number)s 已交付") % {"number": request.number},
        (
            _("“%(system)s”可以核验“%(dataset)s”，至 %(day)s")
            if grant.is_verify_only
            else _("“%(system)s”可以读取“%(dataset)s”，至 %(day)s")
        )
        % {"system": grant.system, "dataset": grant.dataset, "day": request.ends_on},
        at=at,
    )
    ledger.record(
        accounts.platform_user(),
        "sharing.deliver",
        request,
        at=at,
        department=grant.provider,
        details={"grant": grant.pk, "version": grant.version},
    )


def demand_rectification(grant: Grant, *, at: datetime) -> None:
    """Tell everybody that a grant is stopped; the consumer owes what it was stopped for."""
    ledger.open_todo(
        grant,
        "sharing.rectify",
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


def _replace(grant: Grant, *, by: User, at: datetime) -> None:
    """End the live grant that this one renews or changes."""
    former = (
        Grant.objects.filter(system=grant.system, dataset=grant.dataset, status="in_force")
        .exclude(pk=grant.pk)
        .first()
    )
    if former is not None:
        reason = str(_("由授权 %(grant)s 接替") % {"grant": grant})
        close_grant(former, "end", actor=by, at=at, reason=reason)
        ledger.record(by, "sharing.end", former, at=at, details={"reason": reason})


def close_grant(
    grant: Grant,
    move: str,
    *,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> None:
    """End or expire a grant; whoever calls has asked permission and writes the event."""
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
    title = _("授权 %(grant)s %(status)s") % {
        "grant": grant,
        "status": grant.get_status_display(),
    }
    owed.tell_about_grant(grant, title, reason.strip() or _("使用期已满，数据应按约定处置"), at=at)
    wake(TEAR_DOWN_DUE)
    wake(KEEP_EXPORTS)


@transaction.atomic
def _note_problem(grant: Grant, error: DomainError, at: datetime) -> None:
    """Write on the grant why it cannot be delivered, and tell the provider once."""
    told = Grant.objects.filter(pk=grant.pk, status="delivering").exclude(problem=str(error))
    if told.update(problem=str(error), updated_at=at) and error.code != "table_busy":
        request = SharingRequest.objects.get(pk=grant.request_id)
        owed.tell_provider(
            request,
            _("共享申请 %(number)s 交付受阻") % {"number": request.number},
            str(error),
            at=at,
        )
