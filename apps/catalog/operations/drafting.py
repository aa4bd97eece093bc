"""Enter an entry, change it while it is still the department's own, record its assessments."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, F, Max, Model, UniqueConstraint, Value
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.catalog.lifecycle import EDITABLE
from apps.catalog.models import (
    AssessmentKind,
    Classification,
    Conclusion,
    DataItem,
    Dataset,
    DatasetAssessment,
    SplitPart,
)
from apps.catalog.operations.indexing import refresh
from apps.catalog.snapshots import DATASET_FIELDS, ITEM_FIELDS
from apps.core import access
from apps.core.errors import (
    Conflict,
    IllegalMove,
    InvalidInput,
    NotAllowed,
    StaleRevision,
    required_text,
)
from apps.ledger import operations as ledger

Fields = Mapping[str, Any]


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
    _refuse_unknown(fields, DATASET_FIELDS)
    if len(classification.code) < 6:
        raise InvalidInput(_("资源分类至少要分到“目”"), field="classification")
    dataset = Dataset(
        department=own,
        classification=classification,
        code=_next_code(classification),
        created_at=at,
        updated_at=at,
        **_trimmed(fields),
    )
    _save(dataset, actor=actor, at=at, reason=_("新建"))
    _write_items(dataset, items, actor=actor, at=at)
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
    _refuse_unknown(fields, DATASET_FIELDS)
    current = Dataset.objects.select_for_update().get(pk=dataset.pk)
    _require_editable(current)
    if revision is not None and revision != current.revision:
        raise StaleRevision
    changed = _changes(current, _trimmed(fields))
    has_items = items is not None and _write_items(current, items, actor=actor, at=at)
    if related is not None and set(related) != set(current.related.all()):
        current.related.set(related)
        changed.append("related")
    if not changed and not has_items:
        return dataset
    current.revision += 1
    current.updated_at = at
    _save(current, actor=actor, at=at, reason=reason or _("修改"))
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
        IllegalMove: it is under review or in force.
        InvalidInput: kind, conclusion, date or assessor is missing or wrong.
    """
    standing = access.require(actor, "record_assessment", dataset, at=at)
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
    number = Dataset.objects.filter(code__startswith=f"{classification.code}/").aggregate(
        last=Max(Cast(SplitPart(F("code"), Value("/"), Value(2)), BigIntegerField()))
    )["last"]
    return f"{classification.code}/{(number or 0) + 1:06d}"


def _changes(row: Dataset | DataItem, values: Fields) -> list[str]:
    """Write the values that differ into the row, not yet into the database; return their names."""
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    return changed


def _write_items(dataset: Dataset, rows: Sequence[Fields], *, actor: User, at: datetime) -> bool:
    """Add, change and take out items until they are these rows; say whether anything changed."""
    present = {item.pk: item for item in dataset.items.all()}
    claimed = {row.get("pk") for row in rows}
    by_column = {item.column_name: item for item in present.values() if item.pk not in claimed}
    _refuse_doubles(rows)
    kept = []
    for position, row in enumerate(rows, 1):
        values = {name: value for name, value in row.items() if name != "pk"}
        _refuse_unknown(values, ITEM_FIELDS)
        item = present.get(row.get("pk", 0)) or by_column.get(row.get("column_name", ""))
        kept.append((item or DataItem(dataset=dataset), {"position": position, **values}))
    staying = {item.pk for item, _values in kept}
    leaving = [item for item in present.values() if item.pk not in staying]
    for item in leaving:
        _credit(item, actor=actor, at=at, reason=_("删除"))
        item.delete()
    saved = [_save_item(item, values, actor=actor, at=at) for item, values in kept]
    return bool(leaving) or any(saved)


def _refuse_doubles(rows: Sequence[Fields]) -> None:
    """Two rows of one column would both be taken for the item that has it."""
    columns = [row["column_name"].strip() for row in rows if row.get("column_name")]
    doubled = next((name for name in columns if columns.count(name) > 1), None)
    if doubled is not None:
        raise Conflict(
            _("列名“%(name)s”用了两次；同一目录内列名不能重复") % {"name": doubled},
            constraint="catalog_dataitem_column_unique_in_dataset",
            field="column_name",
        )


def _save_item(item: DataItem, values: Fields, *, actor: User, at: datetime) -> bool:
    is_new = item.pk is None
    if not _changes(item, _trimmed(values)) and not is_new:
        return False
    try:
        _save(item, actor=actor, at=at, reason=_("新建") if is_new else _("修改"))
    except (InvalidInput, Conflict) as error:
        label = item.name or item.column_name or str(item.position)
        raise type(error)(
            _("数据项“%(item)s”：%(message)s") % {"item": label, "message": error.message},
            item=label,
            **error.details,
        ) from error
    return True


def _save(row: Dataset | DataItem, *, actor: User, at: datetime, reason: Any) -> None:
    """Check and save with history; what only the database can see becomes a conflict in words."""
    try:
        row.full_clean(validate_unique=False, validate_constraints=True)
    except ValidationError as error:
        raise _taken(row, error) or _invalid(error) from error
    _credit(row, actor=actor, at=at, reason=reason)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise _conflict(row, error) from error


def _credit(row: Any, *, actor: User, at: datetime, reason: Any) -> None:
    row._history_user, row._history_date, row._change_reason = actor, at, str(reason)


def _invalid(error: ValidationError) -> InvalidInput:
    errors = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
    field, messages = next(iter(errors.items()))
    details: dict[str, Any] = {"errors": errors}
    if field != "__all__":
        details["field"] = field
    return InvalidInput(messages[0], **details)


def _taken(row: Model, error: ValidationError) -> Conflict | None:
    """The conflict, where the error says that another row has what may stand only once."""
    for constraint in row._meta.constraints:
        message = constraint.violation_error_message
        if isinstance(constraint, UniqueConstraint) and message in error.messages:
            return Conflict(message, constraint=constraint.name)
    return None


def _conflict(row: Model, error: IntegrityError) -> Conflict:
    diagnosis = getattr(error.__cause__, "diag", None)
    name = getattr(diagnosis, "constraint_name", None)
    for constraint in row._meta.constraints:
        if constraint.name == name:
            return Conflict(constraint.violation_error_message, constraint=name)
    raise error


def _trimmed(fields: Fields) -> dict[str, Any]:
    return {
        name: value.strip() if isinstance(value, str) else value for name, value in fields.items()
    }


def _refuse_unknown(fields: Fields, known: Sequence[str]) -> None:
    unknown = sorted(set(fields) - set(known))
    if unknown:
        raise InvalidInput(
            _("没有字段“%(names)s”") % {"names": "、".join(unknown)}, field=unknown[0]
        )
