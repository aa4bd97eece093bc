"""When a grant is over: the consumer certifies what became of the data, the provider checks it.

Source: 《政务数据共享条例》第二十九条; house rule (domain §3)
"""

from datetime import date, datetime
from typing import Any, Final

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.clocks import operations as clocks
from apps.clocks.queries import due_day
from apps.core import access
from apps.core.errors import InvalidInput, NotAllowed, required_text
from apps.ledger import operations as ledger
from apps.sharing.lifecycle import DISPOSAL
from apps.sharing.models import Disposal
from apps.sharing.operations import owed
from apps.sharing.operations.asking.papers import digest_of
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.holding.opened_disposals import ask_disposal
from apps.sharing.operations.one_by_one import each_by_itself
from apps.sharing.queries import disposals

CHECK_OWED: Final = "sharing.check_disposal"
TEXTS: Final = ("held", "method", "kept_basis", "disposed_by")
_ALWAYS: Final[dict[str, str | Promise]] = {
    "held": _("填写取得的数据和存放位置"),
    "disposed_by": _("填写处置责任人"),
    "disposed_on": _("填写处置日期"),
}
# What a certificate of each outcome must fill in, and what is said where it does not.
NEEDED: Final[dict[str, dict[str, str | Promise]]] = {
    Disposal.Outcome.DESTROYED: {**_ALWAYS, "method": _("填写销毁方式")},
    Disposal.Outcome.KEPT: {**_ALWAYS, "kept_basis": _("填写留存的内容和依据")},
    Disposal.Outcome.NOTHING: {},
}


@attempt("sharing.file_disposal", "disposal")
def file_disposal(
    *,
    disposal: Disposal,
    outcome: str,
    actor: User,
    at: datetime,
    held: str = "",
    method: str = "",
    kept_basis: str = "",
    disposed_by: str = "",
    disposed_on: date | None = None,
    file: File[Any] | None = None,
    revision: int | None = None,
) -> Disposal:
    """Certify what was held where and how it was destroyed, or what is kept and why.

    file: a scanned record of the destruction; one handed in before stays unless another is given.

    Source: 《政务数据共享条例》第二十九条
    Raises:
        NotAllowed: the actor does not work for the consumer.
        InvalidInput: a part is missing, the day is not one since the grant began, or nothing is
            said to have been obtained where records went out.
    """
    standing = access.require(actor, "file_disposal", disposal, at=at)
    given = {"held": held, "method": method, "kept_basis": kept_basis, "disposed_by": disposed_by}
    written: dict[str, Any] = _certified(disposal, outcome, given, disposed_on, at)
    if file is not None:
        written["sha256"] = digest_of(file)
        written["file"] = _kept(disposal, file)
    DISPOSAL.apply(
        disposal,
        "file_disposal",
        actor=actor,
        at=at,
        reason=str(dict(Disposal.Outcome.choices)[outcome]),
        revision=revision,
        filed_by=actor,
        filed_at=at,
        **written,
    )
    clocks.stop(disposal, disposals.CLOCK, at=at)
    ledger.close_todos(disposal, at=at, by=actor)
    ledger.open_todo(
        disposal,
        CHECK_OWED,
        title=_("核对授权 %(grant)s 的数据处置证明") % {"grant": disposal.grant},
        url=owed.disposal_page(disposal),
        department=disposal.provider,
        role="department_editor",
        at=at,
    )
    details = {"outcome": outcome, "sha256": disposal.sha256}
    ledger.record(standing, "sharing.file_disposal", disposal, at=at, details=details)
    return disposal


@attempt("sharing.confirm_disposal", "disposal")
def confirm_disposal(
    *,
    disposal: Disposal,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> Disposal:
    """Confirm the certificate: the matter of the grant is closed.

    Source: house rule (domain §3)
    Raises:
        NotAllowed: the actor works for the consumer, or filed it.
    """
    return _check(disposal, "confirm_disposal", actor=actor, at=at, words=reason, seen=revision)


@attempt("sharing.return_disposal", "disposal")
def return_disposal(
    *,
    disposal: Disposal,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> Disposal:
    """Send the certificate back, saying what is missing; the consumer's clock runs anew.

    Source: house rule (domain §3)
    Raises:
        NotAllowed: the actor works for the consumer, or filed it.
    """
    returned = _check(disposal, "return_disposal", actor=actor, at=at, words=reason, seen=revision)
    Disposal.objects.filter(pk=disposal.pk).update(reminded_at=None)
    ask_disposal(returned, at=at)
    return returned


def remind_disposals(at: datetime) -> int:
    """Remind of certificates that are late, the authority too; return how many. Repeat-safe."""
    late = disposals.disposals_late(at).filter(reminded_at=None)
    reminded, _problems = each_by_itself(late, lambda disposal: _remind(disposal, at))
    return len(reminded)


def void_disposals(at: datetime) -> int:
    """Close what nobody is left to certify to, both sides being one department; return how many.

    Repeat-safe.

    Source: house rule (domain §3, 机构改革)
    """
    rows = disposals.disposals_of_one_side()
    voided, _problems = each_by_itself(rows, lambda disposal: _void(disposal, at))
    return len(voided)


@transaction.atomic
def _void(disposal: Disposal, at: datetime) -> Disposal:
    platform = accounts.platform_user()
    reason = _("提供部门和使用部门已成为同一部门")
    DISPOSAL.apply(disposal, "void_disposal", actor=platform, at=at, reason=str(reason))
    clocks.cancel(disposal, disposals.CLOCK, at=at)
    ledger.close_todos(disposal, at=at, by=platform)
    title = _("授权 %(grant)s 的数据处置证明：%(status)s") % {
        "grant": disposal.grant,
        "status": disposal.get_status_display(),
    }
    _tell_consumer(disposal, title, reason, at=at)
    details = {"reason": str(reason)}
    ledger.record(
        platform,
        "sharing.void_disposal",
        disposal,
        at=at,
        department=disposal.consumer,
        details=details,
    )
    return disposal


def _certified(
    disposal: Disposal, outcome: str, given: dict[str, str], day: date | None, at: datetime
) -> dict[str, Any]:
    """Return the certificate's fields, checked as its outcome demands."""
    if outcome not in Disposal.Outcome.values:
        raise InvalidInput(_("选择处置结果"), field="outcome")
    texts = {name: given[name].strip() for name in TEXTS}
    if outcome == Disposal.Outcome.NOTHING:
        if disposals.was_read(disposal.grant):
            raise InvalidInput(
                _("调用记录表明取得过数据，写明存放位置和处置情况"),
                code="was_read",
                field="outcome",
            )
        return {**dict.fromkeys(TEXTS, ""), "outcome": outcome, "disposed_on": None}
    written = {**texts, "disposed_on": "" if day is None else day.isoformat()}
    for name, words in NEEDED[outcome].items():
        required_text(written[name], words, field=name)
    assert day is not None  # it is needed whenever something was obtained
    if outcome == Disposal.Outcome.DESTROYED:
        texts["kept_basis"] = ""
    if not disposals.begun_on(disposal.grant) <= day <= timezone.localdate(at):
        raise InvalidInput(_("处置日期须在授权生效之后、今天之前（含今天）"), field="disposed_on")
    return {**texts, "outcome": outcome, "disposed_on": day}


def _kept(disposal: Disposal, file: File[Any]) -> str:
    """Store the paper and return under which name: the move writes the row in one statement."""
    field = Disposal._meta.get_field("file")
    name = field.generate_filename(disposal, file.name or "")
    return str(field.storage.save(name, file))


def _check(
    disposal: Disposal, move: str, *, actor: User, at: datetime, words: str, seen: int | None
) -> Disposal:
    """Confirm or send back; of two who do it at once exactly one wins."""
    standing = access.require(actor, move, disposal, at=at)
    if actor.department_id == disposal.consumer_id or actor.pk == disposal.filed_by_id:
        raise NotAllowed(_("不能核对本部门报送的处置证明"), code="own_disposal")
    DISPOSAL.apply(
        disposal,
        move,
        actor=actor,
        at=at,
        reason=words,
        revision=seen,
        checked_by=actor,
        checked_at=at,
        remark=words.strip(),
    )
    ledger.close_todos(disposal, at=at, by=actor)
    title = _("授权 %(grant)s 的数据处置证明：%(status)s") % {
        "grant": disposal.grant,
        "status": disposal.get_status_display(),
    }
    _tell_consumer(disposal, title, words, at=at)
    details = {"reason": words.strip()} if words.strip() else {}
    ledger.record(standing, f"sharing.{move}", disposal, at=at, details=details)
    return disposal


@transaction.atomic
def _remind(disposal: Disposal, at: datetime) -> Disposal:
    owing = Disposal.objects.filter(
        pk=disposal.pk, status__in=Disposal.OWED_STATUSES, reminded_at=None
    )
    if not owing.update(reminded_at=at):
        return disposal  # it was filed, or somebody else's run reminded
    title = _("数据处置证明逾期未报：%(grant)s") % {"grant": disposal.grant}
    body = _("“%(dataset)s”，%(consumer)s，截止日期 %(day)s 已过。") % {
        "dataset": disposal.grant.dataset,
        "consumer": disposal.consumer,
        "day": due_day(disposal, disposals.CLOCK),
    }
    _tell_consumer(disposal, title, body, at=at, others=accounts.holders_of("authority_officer"))
    platform = accounts.platform_user()
    ledger.record(
        platform, "sharing.remind_disposal", disposal, at=at, department=disposal.consumer
    )
    return disposal


def _tell_consumer(
    disposal: Disposal, title: Any, body: Any, *, at: datetime, others: Any = ()
) -> None:
    people = owed.handlers_of(disposal.consumer)
    recipients = {person.pk: person for person in (*people, *others)}
    ledger.notify(
        [recipients[pk] for pk in sorted(recipients)],
        title=str(title),
        body=str(body).strip(),
        url=owed.disposal_page(disposal),
        at=at,
        subject=disposal.grant,
    )
