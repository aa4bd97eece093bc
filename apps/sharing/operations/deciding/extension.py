"""The provider asks the authority for more time to answer."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.clocks import operations as clocks
from apps.core import access
from apps.core.errors import Conflict, IllegalMove, InvalidInput, NotAllowed, required_text
from apps.ledger import operations as ledger
from apps.sharing.models import DeadlineExtension, SharingRequest
from apps.sharing.operations import owed
from apps.sharing.operations.asking import return_flow_terms
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.deciding import urgent_terms

LONGEST_EXTENSION_WORKDAYS = 10
EXTENDABLE = ("form_check", "reviewing", "awaiting_second_review", "awaiting_signature")


@attempt("sharing.extend", "request")
def extend(
    *, request: SharingRequest, workdays: int, reason: str, actor: User, at: datetime
) -> DeadlineExtension:
    """Ask the authority for more time; the clock runs as before until it consents.

    Source: 《政务数据共享条例》第二十一条
    Units: `workdays` are working days, ten at most.
    Raises:
        Conflict: time was asked for before, or the request is urgent.
        IllegalMove: the request does not lie with the provider.
    """
    standing = access.require(actor, "extend", request, at=at)
    if actor.department_id == request.consumer_id:
        raise NotAllowed(_("不能办理本部门提出的申请的审核和答复"), code="own_request")
    reason = required_text(reason, _("填写延期理由"), field="reason")
    request = SharingRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    if request.status not in EXTENDABLE:
        raise IllegalMove(_("申请不在提供部门办理，不能延期"))
    return_flow_terms.refuse_other_time(request)
    urgent_terms.refuse_while_urgent(request, _("急件的时限由主管部门确定，不能延期"))
    if not 1 <= workdays <= LONGEST_EXTENSION_WORKDAYS:
        raise InvalidInput(_("延期不超过 10 个工作日"), field="workdays")
    if request.extensions.exclude(consented=False).exists():
        raise Conflict(_("已申请过延期"), code="already_extended")
    extension = DeadlineExtension.objects.create(
        request=request, workdays=workdays, reason=reason, asked_by=actor, asked_at=at
    )
    ledger.open_todo(
        extension,
        "sharing.consent_extension",
        title=_("审批共享申请 %(number)s 的延期") % {"number": request.number},
        url=owed.page_of(request),
        department=accounts.authority(),
        role="authority_officer",
        at=at,
    )
    ledger.record(
        standing, "sharing.extend", request, at=at, details={"workdays": workdays, "reason": reason}
    )
    return extension


@attempt("sharing.consent_extension", "extension")
def consent_extension(
    *,
    extension: DeadlineExtension,
    consented: bool,
    actor: User,
    at: datetime,
    reason: str = "",
) -> DeadlineExtension:
    """Consent to more time, or not; the consumer is told when the deadline moves.

    Source: 《政务数据共享条例》第二十一条
    Raises:
        NotAllowed: the actor asked for it himself.
        Conflict: it has been decided already.
    """
    standing = access.require(actor, "consent_extension", extension, at=at)
    if extension.asked_by_id == actor.pk:
        raise NotAllowed(_("申请延期的人不能自己审批"), code="own_extension")
    if not consented:
        reason = required_text(reason, _("填写不同意延期的理由"), field="reason")
    changed = DeadlineExtension.objects.filter(pk=extension.pk, decided_at=None).update(
        consented=consented, decided_by=actor, decided_at=at, remark=reason.strip()
    )
    if not changed:
        raise Conflict(_("该延期申请已审批"), code="already_decided")
    extension.refresh_from_db()
    request = extension.request
    ledger.close_todos(extension, at=at, by=actor)
    if consented:
        _move_deadline(extension, actor=actor, at=at)
    verdict = _("同意延期") if consented else _("不同意延期")
    owed.tell_provider(
        request,
        _("共享申请 %(number)s：%(verdict)s") % {"number": request.number, "verdict": verdict},
        reason.strip(),
        at=at,
    )
    ledger.record(
        standing,
        "sharing.consent_extension",
        request,
        at=at,
        details={"consented": consented, "workdays": extension.workdays, "reason": reason.strip()},
    )
    return extension


def _move_deadline(extension: DeadlineExtension, *, actor: User, at: datetime) -> None:
    request = extension.request
    if request.status not in (*EXTENDABLE, "supplement"):
        raise IllegalMove(_("申请已答复，不再需要延期"))
    clock = clocks.extend(
        request,
        "request.conditional",
        length=extension.workdays,
        actor=actor,
        at=at,
        reason=extension.reason,
    )
    owed.tell_consumer(
        request,
        _("共享申请 %(number)s 延期答复") % {"number": request.number},
        _("延长 %(workdays)s 个工作日，至 %(due_on)s。理由：%(reason)s")
        % {
            "workdays": extension.workdays,
            "due_on": clock.due_on,
            "reason": extension.reason,
        },
        at=at,
    )
