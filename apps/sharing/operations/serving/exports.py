"""Files of a grant's data: asked for, thrown away, stopped with the grant, kept for some days."""

import time
from contextlib import suppress
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.core import access, files, outgoing
from apps.core.errors import Conflict, DomainError, IllegalMove, InvalidInput
from apps.core.jobs import wake
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.gateway import allowances, calls, credentials
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.files.asking import Wanted, require_fitting
from apps.sharing.gateway.files.handing_out import stored_name
from apps.sharing.gateway.refusals import (
    GrantRefused,
    ResyncRequired,
    SystemDisabled,
    TooManyExports,
)
from apps.sharing.lifecycle import EXPORT
from apps.sharing.models import Export, Grant
from apps.sharing.operations import owed
from apps.sharing.operations.attempts import attempt

MAKE_EXPORTS: Final = "sharing.make_exports"
LONGEST_KEY: Final = 200
STRAY_SECONDS: Final = 3600  # a file without a row is left alone for so long


def request_export(
    *,
    call: Call,
    wanted: Wanted,
    actor: User,
    at: datetime,
    credential: str = "",
    idempotency_key: str = "",
) -> Export:
    """Queue a file of what the grant shows. The same key again gives the first one back.

    The grant's system may always, people of the consumer where the grant is in the way of files.

    Source: 《政务数据共享条例》第二十二条（文件下载）
    Raises:
        NotAllowed: neither.
        InvalidInput: `rows_too_many` for the format.
        Conflict: the key was used for something else, or as many files are kept as may be.
        TooManyExports: as many are being made as may be.
    """
    grant = Grant.objects.get(pk=call.grant_id)
    asked = Export(
        grant=grant,
        grant_version=call.grant_version,
        asked_by=actor,
        credential=credential,
        client_address=call.client_address,
        idempotency_key=idempotency_key,
        format=wanted.format,
        query=wanted.to_json(),
        created_at=at,
        updated_at=at,
    )
    return _requested(grant=grant, asked=asked, call=call, wanted=wanted, actor=actor, at=at)


@attempt("sharing.request_export", "grant")
def _requested(
    *, grant: Grant, asked: Export, call: Call, wanted: Wanted, actor: User, at: datetime
) -> Export:
    standing = access.require(actor, "export", grant, at=at)
    if len(asked.idempotency_key) > LONGEST_KEY:
        raise InvalidInput(_("提交编号不超过 200 个字符"), code="idempotency_key_too_long")
    if (earlier := _earlier(asked)) is not None:
        return earlier
    require_fitting(call, wanted)
    # One after the other, or two at once would both find room.
    Grant.objects.select_for_update(of=("self",), no_key=True).get(pk=grant.pk)
    if (earlier := _earlier(asked)) is not None:
        return earlier
    _require_room(grant)
    try:
        with transaction.atomic():
            asked.save(force_insert=True)
    except IntegrityError:
        raise Conflict(_("同一提交编号正在提交，稍后再试"), code="idempotency_conflict") from None
    details = {"export": asked.pk, "format": asked.format, **asked.query}
    ledger.record(standing, "sharing.request_export", grant, at=at, details=details)
    wake(MAKE_EXPORTS)
    return asked


def _earlier(asked: Export) -> Export | None:
    """Return the export of the same key, if it is the same one.

    Raises:
        Conflict: the key was used for another question.
    """
    if not asked.idempotency_key:
        return None
    found = Export.objects.filter(
        grant=asked.grant, asked_by=asked.asked_by, idempotency_key=asked.idempotency_key
    ).first()
    if found is None:
        return None
    if (found.format, found.query) != (asked.format, asked.query):
        raise Conflict(
            _("提交编号 %(key)s 已用于另一次导出（%(export)s），换一个再提交")
            % {"key": asked.idempotency_key, "export": found},
            code="idempotency_conflict",
            export=found.pk,
        )
    return found


def _require_room(grant: Grant) -> None:
    of_grant = Export.objects.filter(grant=grant)
    if of_grant.filter(status__in=queries.OPEN_EXPORTS).count() >= settings.EXPORTS_WAITING:
        raise TooManyExports(limit=settings.EXPORTS_WAITING)
    if of_grant.filter(status="ready").count() >= settings.EXPORTS_KEPT:
        raise Conflict(
            _("同一授权至多保留 %(limit)s 个导出文件，删除不用的再导出")
            % {"limit": settings.EXPORTS_KEPT},
            code="too_many_files",
            limit=settings.EXPORTS_KEPT,
        )


@attempt("sharing.discard_export", "export")
def discard_export(*, export: Export, actor: User, at: datetime) -> Export:
    """Throw a file away, or its making: nobody fetches it from now on.

    Raises:
        NotAllowed: the actor is none of those who may fetch it.
        IllegalMove: it is over already.
    """
    standing = access.require(actor, "discard", export, at=at)
    why = DomainError(_("已由使用部门删除"), code="discarded")
    give_back_counted(export, at=at)
    EXPORT.apply(
        export,
        "discard",
        actor=actor,
        at=at,
        slot=None,
        finished_at=at,
        message_code=why.code,
        message=str(why),
    )
    _remove_file(export)
    ledger.record(
        standing, "sharing.discard_export", export.grant, at=at, details={"export": export.pk}
    )
    return export


def keep_exports(*, at: datetime) -> None:
    """Stop what the grant no longer covers, remove what was kept long enough. Repeat-safe.

    Source: 《政务数据共享条例》第二十九条 (proper disposal)
    """
    for export in queries.exports_void(at):
        with suppress(IllegalMove):  # somebody was quicker
            stop_export(export=export, refusal=_why_void(export, at), at=at)
    for export in queries.exports_to_expire(at):
        with suppress(IllegalMove):
            expire_export(export=export, at=at)
    known = {stored_name(each) for each in Export.objects.filter(status="ready")}
    for name in outgoing.names_older_than(time.time() - STRAY_SECONDS):
        if name not in known:
            outgoing.remove(name)
    files.clear_left("export")


@transaction.atomic
def stop_export(*, export: Export, refusal: DomainError, at: datetime) -> Export:
    """Stop the making of a file, or take a finished one back, for a reason that lies in the grant.

    Raises:
        IllegalMove: it is over already.
    """
    give_back_counted(export, at=at)
    EXPORT.apply(
        export,
        "stop",
        actor=None,
        at=at,
        slot=None,
        finished_at=at,
        message_code=refusal.code,
        message=str(refusal)[:300],
    )
    _remove_file(export)
    tell_result(export, "sharing.stop_export", at=at)
    return export


@transaction.atomic
def expire_export(*, export: Export, at: datetime) -> Export:
    """Remove a file that was kept long enough.

    Raises:
        IllegalMove: it is over already.
    """
    EXPORT.apply(export, "expire", actor=None, at=at)
    _remove_file(export)
    ledger.record(
        accounts.platform_user(),
        "sharing.expire_export",
        export.grant,
        at=at,
        department=export.grant.consumer,
        details={"export": export.pk},
    )
    return export


def give_back_counted(export: Export, *, at: datetime) -> None:
    """Give the quota back what was counted for a file that will not be made; call before its end.

    Of yesterday's rows nothing: they would be taken from what others have read today.
    """
    held = Export.objects.select_for_update(of=("self",)).get(pk=export.pk)
    is_of_today = timezone.localdate(held.created_at) == timezone.localdate(at)
    if held.status in queries.OPEN_EXPORTS and is_of_today:
        grant, rows = export.grant, held.counted_rows
        transaction.on_commit(lambda: allowances.give_back_to(grant, rows, at=at))


def _remove_file(export: Export) -> None:
    """Remove it once its end is written: a file without a name is swept out later."""
    name = stored_name(export)
    transaction.on_commit(lambda: outgoing.remove(name))


def why_not_any_more(export: Export, call: Call, *, at: datetime) -> DomainError | None:
    """Say why the making of a file must not go on, None when it may.

    What stops a call of the system stops it, so does the end of the credential with which it was
    asked for, or of the person's right.
    """
    refusal: DomainError | None = calls.stopped(call, at=at)
    if refusal is not None:
        return refusal
    if export.credential and not credentials.is_held(export.grant.system, export.credential):
        return GrantRefused.because("credential_revoked", grant=export.grant_id)
    asked_by = User.objects.get(pk=export.asked_by_id)
    if not asked_by.is_active or not access.allowed(asked_by, "export", export.grant, at=at):
        return GrantRefused.because("person_not_allowed", grant=export.grant_id)
    return None


def _why_void(export: Export, at: datetime) -> GrantRefused | SystemDisabled | ResyncRequired:
    """Say in words why the grant does not cover the file any more."""
    refusal = calls.refusal_of(export.grant, export.grant_version, at=at)
    return refusal or SystemDisabled()


def tell_result(export: Export, verb: str, *, at: datetime) -> None:
    """Write the event, and tell a person who asked; a system reads the answer of the API."""
    ledger.record(
        accounts.platform_user(),
        verb,
        export.grant,
        at=at,
        department=export.grant.consumer,
        details={"export": export.pk, "rows": export.rows, "reason": export.message},
    )
    if export.asked_by.kind != User.Kind.PERSON:
        return
    ledger.notify(
        [export.asked_by],
        title=_("导出 %(export)s：%(status)s")
        % {"export": export, "status": export.get_status_display()},
        body=export.message or _("“%(dataset)s”") % {"dataset": export.grant.dataset},
        url=owed.page_of_grant(export.grant),
        at=at,
        subject=export,
    )
