"""Enter an entry, change it while it is still the department's own, record its assessments."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.core.files import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.catalog import queries
from apps.catalog.lifecycle import EDITABLE, EDITABLE_CHANGE
from apps.catalog.models import (
    AssessmentKind,
    Classification,
    Conclusion,
    DataItem,
    Dataset,
    DatasetAssessment,
    DatasetStatus,
)
from apps.catalog.operations.indexing import refresh
from apps.catalog.operations.writing import (
    Fields,
    last_number,
    refuse_unknown,
    remove,
    save,
    trimmed,
    write_fields,
    write_items,
)
from apps.catalog.snapshots import DATASET_FIELDS
from apps.core import access
from apps.core.errors import IllegalMove, InvalidInput, NotAllowed, StaleRevision, required_text
from apps.ledger import operations as ledger


@transaction.atomic
def create_dataset(
    *,
    actor: User,
    at: datetime,
    classification: Classification,
    items: Sequence[Fields] = (),
    department: Department | None = None,
    related: Iterable[Dataset] = (),
    **fields: Any,
) -> Dataset:
    """Enter a draft for the own department; its code is drawn here and stays.

    fields: values by `snapshots.DATASET_FIELDS`; items: rows by `snapshots.ITEM_FIELDS`, in order.
    department: the acting person's own, which it is when absent.

    Source: 《政务数据共享条例》第十三条；《政务信息资源目录编制指南（试行）》 资源代码
    Raises:
        NotAllowed: the actor edits no department's catalogue, or not this department's.
        InvalidInput: a value is wrong; `field` and `errors` in the details say where.
        Conflict: the department has an entry of that name.
    """
    standing = access.require(actor, "create", Dataset, at=at)
    own = (standing.principal or actor).department
    if department is not None and department != own:
        raise NotAllowed(_("只能为本部门编制目录"))
    refuse_unknown(fields, DATASET_FIELDS)
    if len(classification.code) < 6:
        raise InvalidInput(_("资源分类至少要分到“目”"), field="classification")
    dataset = Dataset(
        department=own,
        classification=classification,
        code=_next_code(classification),
        created_at=at,
        updated_at=at,
        **trimmed(fields),
    )
    save(dataset, actor=actor, at=at, reason=_("新建"))
    write_items(dataset, items, actor=actor, at=at)
    dataset.related.set(related)
    refresh(dataset, at=at)
    ledger.record(
        standing, "catalog.create_dataset", dataset, at=at, details={"code": dataset.code}
    )
    return dataset


@transaction.atomic
def revise_dataset(
    *,
    dataset: Dataset,
    actor: User,
    at: datetime,
    items: Sequence[Fields] | None = None,
    related: Iterable[Dataset] | None = None,
    revision: int | None = None,
    reason: str = "",
    **fields: Any,
) -> Dataset:
    """Change a draft or a returned entry. What is absent is left alone; no change leaves no trace.

    items: when given, all of them: a row with `pk` or a known `column_name` changes that item,
    others are added, items without a row are taken out.

    Raises:
        NotAllowed: the actor does not edit this entry.
        IllegalMove: it is under review or in force.
        StaleRevision: somebody changed it after `revision`.
        InvalidInput, Conflict: as in `create_dataset`.
    """
    standing = access.require(actor, "revise", dataset, at=at)
    refuse_unknown(fields, DATASET_FIELDS)
    current = Dataset.objects.select_for_update().get(pk=dataset.pk)
    _require_editable(current)
    if revision is not None and revision != current.revision:
        raise StaleRevision
    changed = write_fields(current, trimmed(fields))
    has_items = items is not None and write_items(current, items, actor=actor, at=at)
    if related is not None and set(related) != set(current.related.all()):
        current.related.set(related)
        changed.append("related")
    if not changed and not has_items:
        return dataset
    current.revision += 1
    current.updated_at = at
    save(current, actor=actor, at=at, reason=reason or _("修改"))
    labels = [str(Dataset._meta.get_field(name).verbose_name) for name in changed]  # type: ignore[union-attr]
    if has_items:
        labels.append(str(DataItem._meta.verbose_name))
    refresh(current, at=at)
    ledger.record(standing, "catalog.revise_dataset", current, at=at, details={"changed": labels})
    dataset.refresh_from_db()
    return dataset


@transaction.atomic
def record_assessment(
    *,
    dataset: Dataset,
    actor: User,
    at: datetime,
    kind: str,
    conclusion: str,
    assessed_on: date,
    assessor: str,
    file: File[Any] | None = None,
) -> DatasetAssessment:
    """Record a secrecy or personal-information assessment; the latest of a kind counts.

    Source: 《政务数据共享条例》第十三条
    Raises:
        NotAllowed: the actor does not edit this entry.
        IllegalMove: it is under review, or in force with no change being prepared.
        InvalidInput: kind, conclusion, date or assessor is missing or wrong.
    """
    standing = access.require(actor, "record_assessment", dataset, at=at)
    under_way = queries.open_change_of(dataset)
    if under_way is None or under_way.status not in EDITABLE_CHANGE:
        _require_editable(dataset)
    if kind not in AssessmentKind.values or conclusion not in Conclusion.values:
        raise InvalidInput(_("请选择评估类型和结论"), field="conclusion")
    if assessed_on > timezone.localdate(at):
        raise InvalidInput(_("评估日期不能晚于今天"), field="assessed_on")
    assessment = DatasetAssessment(
        dataset=dataset,
        kind=kind,
        conclusion=conclusion,
        assessed_on=assessed_on,
        assessor=required_text(assessor, _("请填写评估人"), field="assessor"),
        recorded_by=actor,
        recorded_at=at,
    )
    if file is not None:
        assessment.file = file
    assessment.save()
    refresh(dataset, at=at)
    ledger.record(
        standing,
        "catalog.record_assessment",
        dataset,
        at=at,
        details={"kind": kind, "conclusion": conclusion, "assessed_on": assessed_on.isoformat()},
    )
    return assessment


@transaction.atomic
def delete_draft(
    *, dataset: Dataset, actor: User, at: datetime, revision: int | None = None
) -> None:
    """Delete a draft that nobody ever reviewed; the event and its history stay.

    Raises:
        NotAllowed: the actor does not edit this entry.
        IllegalMove: it was submitted once, so it is kept.
        StaleRevision: somebody changed it after `revision`.
        Conflict: something refers to it (`draft_in_use`).
    """
    standing = access.require(actor, "delete_draft", dataset, at=at)
    current = Dataset.objects.select_for_update().get(pk=dataset.pk)
    if current.status != DatasetStatus.DRAFT or current.review_rounds.exists():
        raise IllegalMove(
            _("只有没有提交过的草稿才能删除；现在的状态为“%(status)s”")
            % {"status": current.get_status_display()},
            state=current.status,
        )
    if revision is not None and revision != current.revision:
        raise StaleRevision
    ledger.close_todos(current, at=at, by=actor)
    details = {"code": current.code, "name": current.name}
    ledger.record(standing, "catalog.delete_draft", current, at=at, details=details)
    remove(current, actor=actor, at=at)


def _require_editable(dataset: Dataset) -> None:
    if dataset.status not in EDITABLE:
        raise IllegalMove(
            _("当前状态为“%(status)s”，不能修改；编制中和已退回的目录才能修改")
            % {"status": dataset.get_status_display()},
            state=dataset.status,
        )


def _next_code(classification: Classification) -> str:
    """Return the next free code; the classification's row is held until the entry is there."""
    Classification.objects.select_for_update().get(pk=classification.pk)
    return f"{classification.code}/{last_number(classification) + 1:06d}"
