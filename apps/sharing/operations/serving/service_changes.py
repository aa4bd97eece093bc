"""A provider changes or stops a live service without any fault of the consumer: with notice.

The consumer agrees or objects, the authority files it or does not allow it, and on its day the
platform carries it out as a new version of the grant, or ends it. Silence is no objection, but
nothing takes effect that the authority has not filed.

Source: 《政务数据共享条例》第二十七条; house rule (domain §3)
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.clocks import operations as clocks
from apps.core import access
from apps.core.errors import (
    Conflict,
    InvalidInput,
    NotAllowed,
    required_text,
)
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.lifecycle import SERVICE_CHANGE
from apps.sharing.models import LIMIT_FIELDS, Grant, ServiceChange, limits_of
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.holding.narrow_grant import held_live, narrower_terms
from apps.sharing.operations.serving.change_news import ask, hand_to_authority, record, tell
from apps.sharing.operations.versions import save_version
from apps.sharing.queries.service_changes import ANSWER_CHANGE, FILE_CHANGE
from apps.sharing.queries.service_changes import open_change as open_change_of

ANSWER_OWED: Final = "sharing.answer_change"


@attempt("sharing.open_change", "grant")
def open_change(
    *,
    grant: Grant,
    kind: str,
    effective_on: date,
    reason: str,
    actor: User,
    at: datetime,
    items: Sequence[str] | Mapping[str, str] | None = None,
    row_condition: Sequence[dict[str, Any]] | None = None,
    mode: str | None = None,
    ends_on: date | None = None,
    revision: int | None = None,
    **limits: Any,
) -> ServiceChange:
    """Announce that a live service is to be narrowed or stopped, why, and from which day.

    kind: narrow or stop. The terms are written as in `narrow`. Nothing changes before the day.

    Source: 《政务数据共享条例》第二十七条
    Raises:
        NotAllowed: the actor is not the provider's head.
        IllegalMove: the grant is not in use.
        Conflict: a change is announced already.
        InvalidInput: no reason, terms that are not narrower, or a day before the consumer's
            answer is due.
    """
    standing = access.require(actor, "open_change", grant, at=at)
    reason = required_text(reason, _("填写变更的理由"), field="reason")
    if kind not in ServiceChange.Kind.values:
        raise InvalidInput(_("变更为收窄或者停止服务"), field="kind")
    why = _("当前状态为“%(status)s”，没有服务可以变更")
    current = held_live(grant, revision, otherwise=why)
    if (waiting := open_change_of(current)) is not None:
        raise Conflict(
            _("这项授权已有办理中的服务变更"), code="service_change_open", change=waiting.pk
        )
    wanted = {"items": items, "row_condition": row_condition, "mode": mode, "ends_on": ends_on}
    change = ServiceChange(
        grant=current,
        grant_version=current.version,
        kind=kind,
        reason=reason,
        effective_on=effective_on,
        opened_by=actor,
        opened_at=at,
        answer_due_on=timezone.localdate(at),
        created_at=at,
        updated_at=at,
        **_terms(current, kind, wanted, limits, at),
    )
    _refuse_late(change, at)
    save_version(change, actor=actor, at=at, reason=reason, insert=True)
    _ask_consumer(change, at=at)
    details = {"change": str(change), "kind": kind, "reason": reason, "day": str(effective_on)}
    ledger.record(standing, "sharing.open_change", current, at=at, details=details)
    return change


@attempt("sharing.agree_change", "change")
def agree_change(
    *,
    change: ServiceChange,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> ServiceChange:
    """Say that the change is no obstacle; the authority files it next.

    Source: 《政务数据共享条例》第二十七条
    Raises:
        NotAllowed: the actor is not the consumer's head, or of the providing department.
    """
    return _answer(change, "agree_change", actor=actor, at=at, words=reason, seen=revision)


@attempt("sharing.object_change", "change")
def object_change(
    *,
    change: ServiceChange,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> ServiceChange:
    """Object, saying what the change would harm; the authority decides.

    Source: 《政务数据共享条例》第二十七条
    Raises:
        NotAllowed: the actor is not the consumer's head, or of the providing department.
    """
    return _answer(change, "object_change", actor=actor, at=at, words=reason, seen=revision)


@attempt("sharing.file_change", "change")
def file_change(
    *,
    change: ServiceChange,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> ServiceChange:
    """File the change (备案): it takes effect on its day. Against an objection, say why.

    Source: 《政务数据共享条例》第二十七条
    Raises:
        NotAllowed: the actor announced or answered it himself.
        InvalidInput: an objection is passed over without a word.
    """
    # Held, or an objection that comes in the same moment would be passed over unseen.
    change.refresh_from_db(from_queryset=ServiceChange.objects.select_for_update())
    if change.status == ServiceChange.Status.OBJECTED:
        reason = required_text(reason, _("使用部门有异议，写明准予变更的理由"), field="reason")
    return _decide(change, "file_change", actor=actor, at=at, words=reason, seen=revision)


@attempt("sharing.refuse_change", "change")
def refuse_change(
    *,
    change: ServiceChange,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> ServiceChange:
    """Do not allow the change: the service goes on as it is.

    Source: 《政务数据共享条例》第二十七条
    Raises:
        NotAllowed: the actor announced or answered it himself.
    """
    return _decide(
        change, "refuse_change", actor=actor, at=at, words=reason, seen=revision, closed_at=at
    )


@attempt("sharing.withdraw_change", "change")
def withdraw_change(
    *,
    change: ServiceChange,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> ServiceChange:
    """Take the change back before its day; the service goes on as it is."""
    standing = access.require(actor, "withdraw_change", change, at=at)
    SERVICE_CHANGE.apply(
        change,
        "withdraw_change",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        closed_at=at,
    )
    clocks.cancel(change, at=at)
    ledger.close_todos(change, at=at, by=actor)
    tell(change, reason, at=at)
    record(standing, "sharing.withdraw_change", change, reason, at=at)
    return change


def _terms(
    grant: Grant, kind: str, wanted: Mapping[str, Any], limits: Mapping[str, Any], at: datetime
) -> dict[str, Any]:
    """Return the whole terms afterwards as the fields of a change; of a stop, those of now."""
    labels = {entry["name"]: entry["label"] for entry in queries.labelled_columns(grant)}
    terms: dict[str, Any] = {
        "columns": grant.columns,
        "row_condition": grant.row_condition,
        "mode": grant.mode,
        "expires_at": grant.expires_at,
        **limits_of(grant),
    }
    if kind == ServiceChange.Kind.NARROW:
        terms = narrower_terms(grant, wanted, limits, at=at)
    return {
        "items": [
            {**column, "label": labels.get(column["name"], column["name"])}
            for column in terms["columns"]
        ],
        "row_condition": terms["row_condition"],
        "mode": terms["mode"],
        "starts_on": timezone.localdate(grant.starts_at),
        "ends_on": queries.last_day_of(terms["expires_at"]),
        **{name: terms[name] for name in LIMIT_FIELDS},
    }


def _refuse_late(change: ServiceChange, at: datetime) -> None:
    """Check that the day is to come, and that there is something left to change then."""
    if change.effective_on <= timezone.localdate(at):
        raise InvalidInput(_("生效日期须在今天之后"), code="too_early", field="effective_on")
    last_day = queries.last_day_of(change.grant.expires_at)
    if change.effective_on > min(last_day, change.ends_on):
        raise InvalidInput(_("到生效日期时授权已到期，不必变更"), field="effective_on")


def _ask_consumer(change: ServiceChange, *, at: datetime) -> None:
    """Start the consumer's clock.

    Raises:
        InvalidInput: the change would take effect before the answer is due.
    """
    grant = change.grant
    clock = clocks.start(change, ANSWER_CHANGE, department=grant.consumer, at=at)
    if change.effective_on <= clock.due_on:
        raise InvalidInput(
            _("生效日期须在使用部门答复期限（%(day)s）之后") % {"day": clock.due_on.isoformat()},
            code="too_early",
            field="effective_on",
        )
    ServiceChange.objects.filter(pk=change.pk).update(answer_due_on=clock.due_on)
    change.answer_due_on = clock.due_on
    ask(
        change,
        ANSWER_OWED,
        _("答复授权 %(grant)s 的服务变更"),
        grant.consumer,
        "department_approver",
        clock.due_on,
        at,
    )
    tell(change, change.reason, at=at)


def _answer(
    change: ServiceChange, move: str, *, actor: User, at: datetime, words: str, seen: int | None
) -> ServiceChange:
    standing = access.require(actor, move, change, at=at)
    if actor.department_id == change.grant.provider_id:
        raise NotAllowed(_("提供部门不能代使用部门答复"), code="own_change")
    SERVICE_CHANGE.apply(
        change,
        move,
        actor=actor,
        at=at,
        reason=words,
        revision=seen,
        answered_by=actor,
        answered_at=at,
        answer=words.strip(),
    )
    clocks.stop(change, ANSWER_CHANGE, at=at)
    hand_to_authority(change, by=actor, at=at)
    tell(change, words, at=at)
    record(standing, f"sharing.{move}", change, words, at=at)
    return change


def _decide(
    change: ServiceChange,
    move: str,
    *,
    actor: User,
    at: datetime,
    words: str,
    seen: int | None,
    **fields: Any,
) -> ServiceChange:
    """File or refuse; of two who do it at once exactly one wins."""
    if actor.pk in (change.opened_by_id, change.answered_by_id):
        raise NotAllowed(_("告知或者答复变更的人不能备案"), code="own_change")
    standing = access.require(actor, move, change, at=at)
    SERVICE_CHANGE.apply(
        change,
        move,
        actor=actor,
        at=at,
        reason=words,
        revision=seen,
        decided_by=actor,
        decided_at=at,
        decision=words.strip(),
        **fields,
    )
    clocks.stop(change, FILE_CHANGE, at=at)
    ledger.close_todos(change, at=at, by=actor)
    tell(change, words, at=at)
    record(standing, f"sharing.{move}", change, words, at=at)
    return change
