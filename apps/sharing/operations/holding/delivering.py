"""What was agreed is delivered: as a grant of its own, or as the next version of the one there is.

The platform acts, carrying out a decision that a person signed.
"""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from guardian.shortcuts import assign_perm

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.catalog import queries as catalog
from apps.core.errors import Conflict, DomainError, InvalidInput
from apps.core.jobs import wake
from apps.ledger import operations as ledger
from apps.sharing import provisioning, queries
from apps.sharing.lifecycle import GRANT
from apps.sharing.models import Decision, Grant, Mode, SharingRequest
from apps.sharing.operations import owed
from apps.sharing.operations.deciding import urgent_terms
from apps.sharing.operations.holding.delivered import announce, mark_delivered
from apps.sharing.operations.holding.dropping import drop_agreed
from apps.sharing.operations.holding.grants import close_grant
from apps.sharing.operations.holding.new_versions import (
    agreed_terms,
    refuse_dropped_columns,
    wait_for,
    write_waiting_version,
)
from apps.sharing.operations.serving.database_logins import ask_for_login
from apps.sharing.operations.versions import save_version

PROVISION_DUE: Final = "sharing.provision_due"


def give_effect(request: SharingRequest, decision: Decision, *, at: datetime) -> Grant:
    """Let a signed decision take effect on its first day, and wake the worker that sees to it.

    Return the grant: the one that the system has, of which it makes the next version, or a new one.

    Raises:
        InvalidInput: the entry was withdrawn meanwhile, or the period is over.
        Conflict: another grant of this system on this dataset is just being delivered, or another
            change of its grant is.
    """
    _refuse_undeliverable(request, decision, at)
    grant = queries.continued_by(request, decision.mode, at)
    if grant is None:
        return _open_grant(request, decision, at=at)
    refuse_dropped_columns(grant, decision)
    wait_for(grant, request)
    wake(PROVISION_DUE)
    return grant


def deliver(*, grant: Grant, at: datetime) -> Grant:
    """Make the grant readable, on its first or its newly agreed terms. Repeat-safe; one step.

    A grant whose place it takes ends in the same transaction, so the consumer's service is never
    interrupted.

    Source: 《政务数据共享条例》第二十二条
    Raises:
        TableBusy: the table could not be had for a moment; the task comes again.
        Conflict: the table carries as many grants as one can; the one before it is suspended.
    """
    try:
        return provisioning.persistently(lambda: _deliver(grant, at))
    except DomainError as error:
        _note_problem(grant, error, at)
        raise


@transaction.atomic
def open_instead(*, request: SharingRequest, at: datetime) -> SharingRequest:
    """Make a new grant of what was to become a version of one that expired. Repeat-safe.

    What can be delivered no more is dropped: the entry is withdrawn, the agreed time past, what was
    agreed cannot be given; or the grant was ended or expired suspended, which no earlier signature
    undoes.
    """
    current = SharingRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    if not queries.versions_without_grant(at).filter(pk=current.pk).exists():
        return current
    decision = queries.latest_decision(current)
    assert decision is not None  # the request was agreed
    reason = _why_not_opened(current, decision, at)
    if not reason:
        try:
            with transaction.atomic():
                _open_grant(current, decision, at=at)
        except DomainError as error:
            reason = str(error)
            current.refresh_from_db()
    if reason:
        drop_agreed(current, reason, at=at)
    return current


def _why_not_opened(request: SharingRequest, decision: Decision, at: datetime) -> str:
    former = request.grant
    if decision.ends_on < timezone.localdate(at):
        return str(_("使用截止日期已过"))
    if request.dataset.status == "withdrawn":
        return str(_("目录在交付之前已撤回"))
    if former.status == Grant.Status.ENDED and not queries.was_replaced(former):
        return str(_("授权 %(grant)s 已终止") % {"grant": former})
    if former.was_suspended_last:
        return str(_("授权 %(grant)s 到期时仍在暂停") % {"grant": former})
    return ""


def _refuse_undeliverable(request: SharingRequest, decision: Decision, at: datetime) -> None:
    if not catalog.published().filter(pk=request.dataset_id).exists():
        raise InvalidInput(_("目录已撤回，不能再授权"), code="not_published")
    others = queries.open_grants().filter(system=request.system, dataset=request.dataset)
    if others.filter(status="delivering").exists():
        raise Conflict(_("该系统对此目录的另一授权正在交付"), code="already_delivering")
    starts_at, expires_at = queries.days_as_instants(decision.starts_on, decision.ends_on, at)
    if expires_at <= starts_at:
        raise InvalidInput(_("使用截止日期已过"), field="ends_on")


def _open_grant(request: SharingRequest, decision: Decision, *, at: datetime) -> Grant:
    starts_at, expires_at = queries.days_as_instants(decision.starts_on, decision.ends_on, at)
    grant = Grant(
        request=request,
        dataset=request.dataset,
        provider=owed.provider_of(request),
        consumer=request.consumer,
        system=request.system,
        mode=decision.mode,
        starts_at=starts_at,
        expires_at=expires_at,
        created_at=at,
        updated_at=at,
        **agreed_terms(request, decision),
    )
    provisioning.new_terms_of(grant)
    save_version(grant, actor=decision.signed_by, at=at, reason=decision.reason, insert=True)
    rows = SharingRequest.objects.filter(pk=request.pk)
    rows.update(grant=grant, grant_version=grant.version)
    request.grant, request.grant_version = grant, grant.version
    wake(PROVISION_DUE)
    return grant


def _deliver(grant: Grant, at: datetime) -> Grant:
    current = (
        Grant.objects.select_for_update(of=("self",))
        .select_related("request__dataset__department", "dataset", "consumer", "provider")
        .get(pk=grant.pk)
    )
    if current.status != Grant.Status.DELIVERING:
        return write_waiting_version(current, at=at)
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
    mark_delivered(request, at=at)
    urgent_terms.ask_papers(request, at=at)
    assign_perm("catalog.use_dataset", current.consumer.group, current.dataset)
    if current.mode == Mode.DATABASE:
        ask_for_login(current, at=at)
    announce(current, at=at)
    return current


def _replace(grant: Grant, *, by: User, at: datetime) -> None:
    """End the grant in force whose place this one takes, of which it could be no version.

    Raises:
        Conflict: it is suspended, or expired so after this one was signed; another grant is no way
            around that.
    """
    former = queries.served_grant(grant.system, grant.dataset)
    if former is None:
        _refuse_after_suspension(grant)
        return
    if former.status == Grant.Status.SUSPENDED:
        raise Conflict(
            _("该系统对此目录的授权 %(grant)s 已暂停，恢复或者终止后再交付") % {"grant": former},
            code="grant_suspended",
        )
    reason = str(_("由授权 %(grant)s 接替") % {"grant": grant})
    close_grant(former, "end", actor=by, at=at, reason=reason, is_replaced=True)
    details = {"reason": reason}
    ledger.record(by, "sharing.end", former, at=at, department=former.provider, details=details)


def _refuse_after_suspension(grant: Grant) -> None:
    former = queries.expired_last(grant.system, grant.dataset)
    decision = queries.latest_decision(grant.request)
    if former is None or not former.was_suspended_last:
        return
    signed_at = decision.signed_at if decision is not None else None
    if signed_at is not None and former.suspended_at and signed_at < former.suspended_at:
        raise Conflict(
            _("授权 %(grant)s 到期时仍在暂停，此前签发的不再交付，须重新申请") % {"grant": former},
            code="grant_suspended",
        )


@transaction.atomic
def _note_problem(grant: Grant, error: DomainError, at: datetime) -> None:
    """Write on the grant why it cannot be delivered, and tell the provider once."""
    request = queries.waiting_version_of(grant)
    told = Grant.objects.filter(pk=grant.pk).exclude(problem=str(error))
    if request is None:
        request = SharingRequest.objects.get(pk=grant.request_id)
        told = told.filter(status="delivering")
    if told.update(problem=str(error), updated_at=at) and error.code != "table_busy":
        owed.tell_provider(
            request,
            _("共享申请 %(number)s 交付受阻") % {"number": request.number},
            str(error),
            at=at,
        )
