"""A head offers a credential to a named holder; the holder collects it and sees the secret once.

First for tests, then for production. When one is replaced, the older stays as it was until the
newer is collected; then both are good until the day chosen, so that the system changes over without
a pause.
"""

from datetime import date, datetime, time, timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem, User
from apps.core import access
from apps.core.errors import Conflict, InvalidInput, NotAllowed
from apps.ledger import operations as ledger
from apps.sharing.gateway.credentials import IssuedSecret, make_application
from apps.sharing.lifecycle import CREDENTIAL
from apps.sharing.models import Credential
from apps.sharing.operations import owed
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.versions import save_version
from apps.sharing.queries import credentials as queries

MOST_CREDENTIALS: Final = 5  # of a system in an environment
MOST_DAYS: Final = {"test": 180, "production": 365}
MOST_OVERLAP_DAYS: Final = 30
DAYS_TO_COLLECT: Final = 7
COLLECT: Final = "sharing.collect_credential"


@attempt("sharing.issue_credential", "system")
def offer_credential(
    *,
    system: InformationSystem,
    holder: User,
    actor: User,
    at: datetime,
    environment: str = Credential.Environment.PRODUCTION,
    security_contact: User | None = None,
    days: int | None = None,
    note: str = "",
    untested_reason: str = "",
) -> Credential:
    """Offer a credential to the person who will keep it; there is no secret until he collects it.

    Raises:
        NotAllowed: the actor does not answer for the system's department.
        InvalidInput: the holder or contact does not belong there, or the days are too many.
        Conflict: the system is retired, was never tried, or holds as many as it may.
    """
    standing = access.require(actor, "issue_credential", system, at=at)
    system = _held(system)
    _require_room(system, environment)
    _require_fit(system, holder)
    contact = security_contact or actor
    if contact.department_id != system.department_id or not contact.is_active:
        raise InvalidInput(_("安全联系人须是本部门在岗人员"), field="security_contact")
    _require_tried(system, environment, untested_reason)
    most = MOST_DAYS[environment]
    if days is not None and not 0 < days <= most:
        raise InvalidInput(_("有效期为 1 至 %(most)s 天") % {"most": most}, field="days")
    credential = _offered(
        Credential(
            system=system,
            environment=environment,
            note=note.strip()[:100],
            holder=holder,
            security_contact=contact,
            issued_by=actor,
            days=days or most,
            untested_reason=untested_reason.strip()[:300],
        ),
        actor=actor,
        at=at,
    )
    details = {"credential": credential.pk, "holder": str(holder), "environment": environment}
    ledger.record(standing, "sharing.issue_credential", system, at=at, details=details)
    return credential


@attempt(COLLECT, "credential")
def collect_credential(*, credential: Credential, actor: User, at: datetime) -> IssuedSecret:
    """Make the secret and return it, this one time, to the person to whom it was offered.

    Raises:
        NotAllowed: the actor is not the holder himself.
        IllegalMove: it was collected already, or is over.
        Conflict: it was not collected in time.
    """
    standing = access.require(actor, "view", credential, at=at)
    if credential.holder_id != actor.pk:
        raise NotAllowed(_("凭证只能由保管人本人领取"))
    credential = Credential.objects.select_for_update(of=("self",)).get(pk=credential.pk)
    if credential.status == Credential.Status.OFFERED and credential.expires_at <= at:
        raise Conflict(_("已过领取期限，由负责人重新签发"), code="offer_lapsed")
    application, made = make_application(credential.system, credential.note)
    CREDENTIAL.apply(
        credential,
        "collect",
        actor=actor,
        at=at,
        application=application,
        client_id=made.client_id,
        collected_at=at,
        expires_at=_end_of(timezone.localdate(at) + timedelta(days=credential.days)),
    )
    ledger.close_todos(credential, at=at, by=actor)
    _shorten_older(credential, actor=actor, at=at)
    details = {"credential": credential.pk, "client_id": made.client_id}
    ledger.record(standing, COLLECT, credential.system, at=at, details=details)
    return made


def issue_credential(
    *,
    system: InformationSystem,
    actor: User,
    at: datetime,
    environment: str = Credential.Environment.PRODUCTION,
    security_contact: User | None = None,
    days: int | None = None,
    note: str = "",
    untested_reason: str = "",
) -> IssuedSecret:
    """Offer a credential to oneself and collect it at once; raises as the two do."""
    credential = offer_credential(
        system=system,
        holder=actor,
        actor=actor,
        at=at,
        environment=environment,
        security_contact=security_contact,
        days=days,
        note=note,
        untested_reason=untested_reason,
    )
    return collect_credential(credential=credential, actor=actor, at=at)


@attempt("sharing.replace_credential", "credential")
def replace_credential(
    *, credential: Credential, ends_on: date, actor: User, at: datetime
) -> Credential:
    """Offer its holder another one, good for as many days as the older was issued for.

    Once it is collected, the older ends with the day, or sooner if it was to. Who wants more days
    asks the head for a new one.

    Raises:
        NotAllowed: it is not in use, or the actor is neither its holder nor the head of the
            system's department.
        InvalidInput: a day that is past, or further off than both may be good for.
        Conflict: another is offered already.
    """
    system = _held(credential.system)
    older = Credential.objects.select_for_update(of=("self",)).get(pk=credential.pk)
    standing = access.require(actor, "replace_credential", older, at=at)
    today = timezone.localdate(at)
    if not today <= ends_on <= today + timedelta(days=MOST_OVERLAP_DAYS):
        raise InvalidInput(
            _("旧凭证的截止日期须在 %(days)s 天以内") % {"days": MOST_OVERLAP_DAYS}, field="ends_on"
        )
    if older.replacements.filter(status__in=Credential.LIVE).exists():
        raise Conflict(_("这个凭证已经在更换"), code="already_replaced")
    _require_room(system, older.environment, beside=1)
    newer = _offered(
        Credential(
            system=system,
            environment=older.environment,
            note=older.note,
            holder=older.holder or actor,
            security_contact=older.security_contact,
            issued_by=actor,
            days=min(older.days, MOST_DAYS[older.environment]),
            replaces=older,
            older_ends_on=ends_on,
            untested_reason=older.untested_reason,
        ),
        actor=actor,
        at=at,
    )
    details = {"credential": older.pk, "by": newer.pk, "ends_on": ends_on.isoformat()}
    ledger.record(standing, "sharing.replace_credential", system, at=at, details=details)
    return newer


def _shorten_older(newer: Credential, *, actor: User, at: datetime) -> None:
    """End the one that it replaces with the day chosen, or today where that is past already."""
    if newer.replaces_id is None or newer.older_ends_on is None:
        return
    older = Credential.objects.select_for_update(of=("self",)).get(pk=newer.replaces_id)
    last_day = max(newer.older_ends_on, timezone.localdate(at))
    if older.status != Credential.Status.ACTIVE or older.expires_at <= _end_of(last_day):
        return
    older.expires_at, older.updated_at = _end_of(last_day), at
    save_version(older, actor=actor, at=at, reason=_("更换凭证"))


def _offered(credential: Credential, *, actor: User, at: datetime) -> Credential:
    credential.created_at = credential.updated_at = at
    credential.expires_at = _end_of(timezone.localdate(at) + timedelta(days=DAYS_TO_COLLECT))
    save_version(credential, actor=actor, at=at, insert=True)
    assert credential.holder is not None
    ledger.open_todo(
        credential,
        COLLECT,
        title=_("领取“%(system)s”的调用凭证（%(environment)s）")
        % {"system": credential.system, "environment": credential.get_environment_display()},
        url=owed.page_of_credential(credential),
        department=credential.holder.department,
        role="",
        at=at,
        assignee=credential.holder,
        due_on=timezone.localdate(at) + timedelta(days=DAYS_TO_COLLECT),
    )
    return credential


def _held(system: InformationSystem) -> InformationSystem:
    """Return the system's row, held until the transaction ends."""
    rows = InformationSystem.objects.select_related("service_user")
    found = rows.select_for_update(of=("self",)).get(pk=system.pk)
    if not found.is_in_service():
        raise Conflict(_("信息系统已停用，不能签发凭证"), code="system_retired")
    return found


def _require_room(system: InformationSystem, environment: str, *, beside: int = 0) -> None:
    live = Credential.objects.filter(
        system=system, environment=environment, status__in=Credential.LIVE
    )
    if live.count() >= MOST_CREDENTIALS + beside:
        raise Conflict(
            _("一个信息系统最多同时持有 %(limit)s 个凭证，请先吊销不用的")
            % {"limit": MOST_CREDENTIALS},
            code="too_many_credentials",
        )


def _require_fit(system: InformationSystem, holder: User) -> None:
    is_member = holder.kind == User.Kind.PERSON and holder.department_id == system.department_id
    if not holder.is_active or not is_member:
        raise InvalidInput(_("保管人须是系统所属部门的在岗人员"), field="holder")


def _require_tried(system: InformationSystem, environment: str, reason: str) -> None:
    """First tests, then production, unless the head says why not."""
    if environment == Credential.Environment.TEST or reason.strip():
        return
    if not queries.was_tried(system):
        raise Conflict(
            _("这个信息系统还没有用测试凭证调用成功过；先签发测试凭证试调，或者写明不经测试的理由"),
            code="not_tried",
            field="untested_reason",
        )


def _end_of(day: date) -> datetime:
    """Return the moment at which the day is over."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
