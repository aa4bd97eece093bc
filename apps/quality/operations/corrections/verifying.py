"""The department that owns the datum accepts, verifies, passes on, and says what it found."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.clocks import operations as clocks
from apps.core import access, jobs
from apps.core.contracts import Column
from apps.core.errors import InvalidInput, required_text
from apps.ledger import operations as ledger
from apps.quality.claims import settled
from apps.quality.lifecycle import CORRECTION
from apps.quality.models import Correction, CorrectionOutcome, CorrectionScope
from apps.quality.operations.corrections import owed
from apps.quality.queries import records
from apps.warehouse import queries as warehouse


@transaction.atomic
def accept(
    *,
    correction: Correction,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> Correction:
    """Take the doubt up; the clock has run since it was raised.

    Source: 《政务数据共享条例》第二十六条
    Raises:
        NotAllowed: the actor does not handle it.
        IllegalMove: it was taken up, or is over.
    """
    return _plain_move(correction, "accept", actor, at, reason, revision)


@transaction.atomic
def verify(
    *,
    correction: Correction,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> Correction:
    """Begin to verify and put it before the head, who decides.

    Source: 《政务数据共享条例》第二十六条
    Raises:
        NotAllowed: the actor does not handle it.
        IllegalMove: it was not accepted, or is over.
    """
    return _plain_move(correction, "verify", actor, at, reason, revision)


@transaction.atomic
def forward(
    *,
    correction: Correction,
    department: Department,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> Correction:
    """Pass the doubt on to the department whose datum it is; its clock counts from the receipt.

    Raises:
        NotAllowed: the actor neither handles it nor answers for the authority.
        InvalidInput: no reason; the department is the present one, the raiser, or abolished.
        IllegalMove: it was decided.
    """
    standing = access.require(actor, "forward", correction, at=at)
    if department.pk in (correction.handler_id, correction.department_id):
        raise InvalidInput(
            _("转办给核实部门和提出部门以外的部门"), code="department_unfit", field="department"
        )
    if department.valid_to is not None:
        raise InvalidInput(_("该部门已撤销"), code="department_unfit", field="department")
    words = required_text(reason, _("填写转办的理由"), field="reason")
    before = correction.handler
    CORRECTION.apply(
        correction,
        "forward",
        actor=actor,
        at=at,
        reason=words,
        revision=revision,
        handler=department,
        route_reason=words[:500],
    )
    clocks.cancel(correction, owed.CLOCK, at=at)
    owed.start_clock(correction, received_at=correction.raised_at)
    owed.hand_on(correction, by=actor, at=at)
    owed.tell([department, before], correction, _("校核已转办：%(what)s"), words, at=at)
    ledger.record(
        standing,
        "quality.forward",
        correction,
        at=at,
        details={"from": str(before), "to": str(department), "reason": words},
        department=department,
    )
    return correction


@transaction.atomic
def uphold(
    *,
    correction: Correction,
    actor: User,
    at: datetime,
    reason: str,
    value: str | None = None,
    revision: int | None = None,
) -> Correction:
    """Say that it is wrong, and what is right; the provider now has to land the correction.

    value: what the item shall hold; None takes the claimed value, "" leaves it empty.

    Source: 《政务数据共享条例》第二十六条
    Raises:
        NotAllowed: the actor does not decide for the department that verifies.
        InvalidInput: no reason; no value, or one that could never land.
        IllegalMove: it is not being verified.
    """
    standing = access.require(actor, "uphold", correction, at=at)
    words = required_text(reason, _("填写认定有误的依据"), field="reason")
    CORRECTION.apply(
        correction,
        "uphold",
        actor=actor,
        at=at,
        reason=words,
        revision=revision,
        final_value=_final_value(correction, value, at),
        row_batch=_row_batch(correction),
        **_decision(CorrectionOutcome.WRONG, words, actor, at),
    )
    owed.stop_clock(correction, at=at)
    owed.hand_on(correction, by=actor, at=at)
    told = {each.pk: each for each in (correction.department, correction.dataset.department)}
    owed.tell(list(told.values()), correction, _("校核已认定有误：%(what)s"), words, at=at)
    ledger.record(standing, "quality.uphold", correction, at=at, details={"reason": words})
    jobs.wake("quality.settle_corrections")
    return correction


@transaction.atomic
def confirm(
    *,
    correction: Correction,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> Correction:
    """Say that it is right, with the explanation that the raiser will read.

    Source: 《政务数据共享条例》第二十六条
    Raises:
        NotAllowed: the actor does not decide for the department that verifies.
        InvalidInput: no explanation.
        IllegalMove: it is not being verified.
    """
    standing = access.require(actor, "confirm", correction, at=at)
    words = required_text(reason, _("填写核实无误的说明"), field="reason")
    CORRECTION.apply(
        correction,
        "confirm",
        actor=actor,
        at=at,
        reason=words,
        revision=revision,
        **_decision(CorrectionOutcome.RIGHT, words, actor, at),
    )
    owed.stop_clock(correction, at=at)
    owed.hand_on(correction, by=actor, at=at)
    ledger.record(standing, "quality.confirm", correction, at=at, details={"reason": words})
    jobs.wake("quality.settle_corrections")
    return correction


def _plain_move(
    correction: Correction,
    move: str,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None,
) -> Correction:
    standing = access.require(actor, move, correction, at=at)
    CORRECTION.apply(correction, move, actor=actor, at=at, reason=reason, revision=revision)
    owed.hand_on(correction, by=actor, at=at)
    details = {"reason": reason.strip()} if reason.strip() else {}
    ledger.record(standing, f"quality.{move}", correction, at=at, details=details)
    return correction


def _decision(outcome: CorrectionOutcome, words: str, actor: User, at: datetime) -> dict[str, Any]:
    return {"outcome": outcome, "explanation": words, "decided_by": actor, "decided_at": at}


def _final_value(correction: Correction, value: str | None, at: datetime) -> str | None:
    """The value that shall stand there, as the table would hold it; None where none is meant."""
    if correction.scope != CorrectionScope.VALUE:
        return None
    stated = correction.claimed_value if value is None else value
    if stated is None:
        raise InvalidInput(
            _("填写“%(label)s”应为的值") % {"label": correction.item_label},
            code="value_required",
            field="value",
        )
    column = _column(correction)
    if column is None:
        return stated
    return settled(column, stated, on=timezone.localdate(at), field="value")


def _column(correction: Correction) -> Column | None:
    """The item's column in the contract in force; None when the item was withdrawn since."""
    contract = warehouse.contract_of(correction.dataset)
    columns = contract.columns if contract is not None else ()
    return next((column for column in columns if column.name == correction.item), None)


def _row_batch(correction: Correction) -> int | None:
    table = warehouse.table_of(correction.dataset)
    if table is None or correction.row_id is None:
        return None
    row = records.standing_row(table, correction.row_id)
    return row.batch if row is not None else None
