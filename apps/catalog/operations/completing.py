"""Fill in what many drafts of a spreadsheet lack alike, in one go; what is filled in stays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.core.files import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.catalog import queries
from apps.catalog.models import AssessmentKind, CatalogImport, Conclusion, Dataset
from apps.catalog.models.choices import ASSESSMENT_REASONS
from apps.catalog.operations.drafting import record_assessment, revise_dataset
from apps.catalog.queries import Lacking
from apps.core import access
from apps.ledger import operations as ledger

SHARED_FIELDS: Final = (
    "holds_no_secrets",
    "grade",
    "sharing_scope",
    "sharing_condition",
    "legal_duty",
    "contact_name",
    "contact_phone",
)
"""What drafts of one spreadsheet may well have in common."""

_FOUND_AT: Final = {"contact_phone": "contact_name"}
_ADVISED: Final = frozenset({"contact_name", "contact_phone", "legal_duty"})
"""Wanting already when it is only advised; the others when they keep the draft back."""


@dataclass(frozen=True, slots=True)
class Passed:
    """An assessment that covered all of them and was passed; `kind` is an AssessmentKind."""

    kind: str
    assessed_on: date
    assessor: str
    file: File[Any] | None = None


@transaction.atomic
def complete_drafts(
    *,
    subject: CatalogImport,
    actor: User,
    at: datetime,
    values: Mapping[str, Any],
    assessments: Mapping[str, Passed],
    keys: Mapping[int, Sequence[str]],
) -> int:
    """Write into the drafts of an adopted spreadsheet what each lacks; return how many changed.

    values: by `SHARED_FIELDS`, written where validation finds the field wanting and nowhere else;
    assessments: by kind, recorded where none of that kind was passed yet; keys: columns by the
    entry's pk, written where there is no key.

    Source: 《政务数据共享条例》第十三条
    Raises:
        NotAllowed: the import, or one of its drafts, is not the actor's.
        InvalidInput: a value is wrong.
    """
    standing = access.require(actor, "submit_all", subject, at=at)
    done = 0
    shared: dict[str, Any] = {}
    for draft in queries.lacking_in(subject, on=timezone.localdate(at)):
        written = _wanted(draft, values)
        if draft.dataset.pk in keys and lacks_key(draft):
            written["key_items"] = list(keys[draft.dataset.pk])
        missing = [kind for kind in assessments if lacks_assessment(draft, kind)]
        if written:
            reason = _("一并补齐表格 %(subject)s 的草稿") % {"subject": subject}
            revise_dataset(dataset=draft.dataset, actor=actor, at=at, reason=reason, **written)
        for kind in missing:
            shared[kind] = _record(draft.dataset, assessments[kind], shared.get(kind), actor, at)
        done += bool(written or missing)
    fields = [*sorted(values), *(["key_items"] if keys else [])]
    details = {"count": done, "fields": fields, "assessments": sorted(assessments)}
    ledger.record(standing, "catalog.complete_drafts", subject, at=at, details=details)
    return done


def wants(draft: Lacking, name: str) -> bool:
    """Say whether validation finds this field of the entry wanting."""
    if name in _ADVISED and getattr(draft.dataset, name):
        return False
    remarks = draft.remarks if name in _ADVISED else draft.errors
    at = _FOUND_AT.get(name, name)
    return any(not remark.item and remark.field == at for remark in remarks)


def lacks_key(draft: Lacking) -> bool:
    return not draft.dataset.key_items and bool(draft.dataset.items.all())


def lacks_assessment(draft: Lacking, kind: str) -> bool:
    reason = ASSESSMENT_REASONS[AssessmentKind(kind)]
    return any(
        remark.field == "assessments" and remark.message == reason for remark in draft.remarks
    )


def _wanted(draft: Lacking, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if wants(draft, name)}


def _record(dataset: Dataset, passed: Passed, earlier: Any, actor: User, at: datetime) -> Any:
    """Record the assessment; one report serves all, so it is kept once."""
    return record_assessment(
        dataset=dataset,
        actor=actor,
        at=at,
        kind=passed.kind,
        conclusion=Conclusion.PASSED,
        assessed_on=passed.assessed_on,
        assessor=passed.assessor,
        file=earlier.file if earlier is not None and earlier.file else passed.file,
    )
