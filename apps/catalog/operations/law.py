"""Bring the lists of powers and duties and of services in from a spreadsheet."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.catalog.law_verdicts import FIELDS, NEEDED, Verdict, headings_of, judge
from apps.catalog.models import LegalDuty, ServiceItem
from apps.core import access
from apps.core.access import Standing
from apps.core.errors import InvalidInput
from apps.core.workbooks.tables import LIMIT_BYTES, rows_of
from apps.ledger import operations as ledger

__all__ = [
    "LIMIT_BYTES",
    "Trial",
    "headings_of",
    "import_legal_duties",
    "import_service_items",
    "try_law",
]

LawModel = type[LegalDuty] | type[ServiceItem]
CHUNK = 1000


@dataclass(frozen=True)
class Trial:
    """The verdicts on a file; `adopted` says how many rows were taken over, 0 in a dry run."""

    verdicts: Sequence[Verdict]
    adopted: int = 0

    @property
    def counts(self) -> Counter[str]:
        return Counter(verdict.outcome for verdict in self.verdicts)


def try_law(*, model: LawModel, content: bytes, file_name: str, actor: User, at: datetime) -> Trial:
    """Say of every row what it would do, and change nothing.

    Raises:
        NotAllowed: the actor brings no rows in.
        Refusal: the file cannot be read.
    """
    standing = access.require(actor, "import", model, at=at)
    return Trial(_verdicts(model, content, file_name, standing))


def import_legal_duties(
    *, content: bytes, file_name: str, actor: User, at: datetime, all_or_nothing: bool = False
) -> Trial:
    """Take the good rows of a list of powers and duties over; the same file twice changes nothing.

    Source: 中办发〔2015〕21号; 《政务数据共享条例》第十三条
    Raises:
        NotAllowed: the actor brings no rows in.
        Refusal: the file cannot be read.
        InvalidInput: a row has faults and all or nothing was asked for.
    """
    return _adopt(LegalDuty, "import_legal_duties", content, file_name, actor, at, all_or_nothing)


def import_service_items(
    *, content: bytes, file_name: str, actor: User, at: datetime, all_or_nothing: bool = False
) -> Trial:
    """Take the good rows of a list of services over; the same file twice changes nothing.

    Source: 《政务数据共享条例》第十三条
    Raises:
        NotAllowed: the actor brings no rows in.
        Refusal: the file cannot be read.
        InvalidInput: a row has faults and all or nothing was asked for.
    """
    return _adopt(
        ServiceItem, "import_service_items", content, file_name, actor, at, all_or_nothing
    )


@transaction.atomic
def _adopt(
    model: LawModel,
    verb: str,
    content: bytes,
    file_name: str,
    actor: User,
    at: datetime,
    all_or_nothing: bool,  # noqa: FBT001 both callers name it
) -> Trial:
    standing = access.require(actor, "import", model, at=at)
    verdicts = _verdicts(model, content, file_name, standing)
    counts = Counter(verdict.outcome for verdict in verdicts)
    if all_or_nothing and counts["fault"]:
        raise InvalidInput(
            _("有 %(count)s 行有问题，整份没有导入") % {"count": counts["fault"]},
            code="rows_faulty",
        )
    taken = [verdict for verdict in verdicts if verdict.outcome in ("new", "changed")]
    rows: list[Any] = [model(code=verdict.code, **verdict.values) for verdict in taken]
    manager: Any = model.objects
    manager.bulk_create(
        rows,
        batch_size=CHUNK,
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=list(FIELDS[model]),
    )
    ledger.record(
        standing,
        f"catalog.{verb}",
        None,
        at=at,
        details={
            "file_name": file_name[-255:],
            "sha256": sha256(content).hexdigest(),
            **{name: counts[name] for name in ("new", "changed", "same", "fault")},
        },
    )
    return Trial(verdicts, len(taken))


def _verdicts(
    model: LawModel, content: bytes, file_name: str, standing: Standing
) -> Sequence[Verdict]:
    rows = rows_of(content, file_name, headings_of(model), NEEDED[model])
    return judge(model, rows, _only_department(standing))


def _only_department(standing: Standing) -> Department | None:
    """The department whose rows the person may bring in; None for the authority, which may all."""
    person = standing.principal or standing.actor
    department: Department | None = person.department
    return None if person.holds("authority_officer") else department
