"""Writing an entry and its items down: what differs, checked, with history and in words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, F, Max, Model, ProtectedError, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog.models import Classification, DataItem, Dataset, SplitPart
from apps.catalog.proposals import refusal_of
from apps.catalog.snapshots import ITEM_FIELDS
from apps.core.errors import Conflict, InvalidInput

Fields = Mapping[str, Any]


def write_fields(row: Dataset | DataItem, values: Fields) -> list[str]:
    """Write the values that differ into the row, not yet into the database; return their names."""
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    return changed


def write_items(
    dataset: Dataset,
    rows: Sequence[Fields],
    *,
    actor: User,
    at: datetime,
    is_version: bool = False,
) -> bool:
    """Add, change and take out items until they are these rows; say whether anything changed.

    is_version: the entry was in force before; what a request names is then retired, not refused,
    and an item that was retired goes on when its column is listed again.

    Raises:
        Conflict: an item of a draft that somebody's request names is left out (`item_in_use`).
    """
    present = {item.pk: item for item in dataset.items.all()}
    retired = _retired(dataset) if is_version else {}
    claimed = {row.get("pk") for row in rows}
    by_column = {item.column_name: item for item in present.values() if item.pk not in claimed}
    _refuse_doubles(rows)
    kept = []
    for position, row in enumerate(rows, 1):
        values = {name: value for name, value in row.items() if name != "pk"}
        refuse_unknown(values, ITEM_FIELDS)
        column = row.get("column_name", "")
        item = present.get(row.get("pk", 0)) or by_column.get(column) or retired.get(column)
        if item is not None and item.retired_at is not None:
            values["retired_at"] = None
        kept.append((item or DataItem(dataset=dataset), {"position": position, **values}))
    staying = {item.pk for item, _values in kept}
    leaving = [item for item in present.values() if item.pk not in staying]
    for item in leaving:
        _remove(item, actor=actor, at=at, is_version=is_version)
    _step_aside(kept)
    saved = [_save_item(item, values, actor=actor, at=at) for item, values in kept]
    return bool(leaving) or any(saved)


def _retired(dataset: Dataset) -> dict[str, DataItem]:
    gone = DataItem.ever.filter(dataset=dataset, retired_at__isnull=False)
    return {item.column_name: item for item in gone}


def _remove(item: DataItem, *, actor: User, at: datetime, is_version: bool) -> None:
    _credit(item, actor=actor, at=at, reason=_("删除"))
    try:
        item.delete()
    except ProtectedError as error:
        if is_version:
            item.retired_at = at
            _credit(item, actor=actor, at=at, reason=_("停用"))
            item.save(update_fields=["retired_at"])
            return
        raise Conflict(
            _("数据项“%(item)s”已有共享申请使用，不能移除") % {"item": item.name},
            code="item_in_use",
            item=item.column_name,
        ) from error


def _step_aside(kept: Sequence[tuple[DataItem, Fields]]) -> None:
    """Let items pass on or exchange names and columns, which no two may have even for a moment.

    Whoever gives up what another wants gets a passing one until it is saved with its own.
    """
    for field in ("name", "column_name"):
        holders = {getattr(item, field): (item, values) for item, values in kept if item.pk}
        for item, values in kept:
            holder, own = holders.get(str(values.get(field, "")).strip(), (item, values))
            if holder is not item and own.get(field, getattr(holder, field)) != values[field]:
                DataItem.objects.filter(pk=holder.pk).update(**{field: f"moving_{holder.pk}"})


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
    if not write_fields(item, trimmed(values)) and not is_new:
        return False
    try:
        save(item, actor=actor, at=at, reason=_("新建") if is_new else _("修改"))
    except (InvalidInput, Conflict) as error:
        label = item.name or item.column_name or str(item.position)
        raise type(error)(
            _("数据项“%(item)s”：%(message)s") % {"item": label, "message": error.message},
            item=label,
            **error.details,
        ) from error
    return True


def save(row: Model, *, actor: User, at: datetime, reason: Any) -> None:
    """Check and save with history; what only the database can see becomes a conflict in words."""
    try:
        row.full_clean(validate_unique=False, validate_constraints=True)
    except ValidationError as error:
        raise refusal_of(error, row) from error
    _credit(row, actor=actor, at=at, reason=reason)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise _conflict(row, error) from error


def last_number(classification: Classification) -> int:
    """Return the last number drawn below it, also for drafts that were deleted since."""
    prefix = f"{classification.code}/"
    number = Cast(SplitPart(F("code"), Value("/"), Value(2)), BigIntegerField())
    kept = Dataset.objects.filter(code__startswith=prefix)
    gone = Dataset.history.filter(history_type="-", code__startswith=prefix)
    return max(rows.aggregate(last=Max(number))["last"] or 0 for rows in (kept, gone))


def remove(dataset: Dataset, *, actor: User, at: datetime) -> None:
    """Delete an entry with its items, leaving their history."""
    items = list(dataset.items.all())
    for row in (*items, dataset):
        _credit(row, actor=actor, at=at, reason=_("删除草稿"))
    try:
        with transaction.atomic():
            for item in items:
                item.delete()
            dataset.delete()
    except ProtectedError as error:
        raise Conflict(_("已有事项引用这条目录，不能删除"), code="draft_in_use") from error


def _credit(row: Any, *, actor: User, at: datetime, reason: Any) -> None:
    row._history_user, row._history_date, row._change_reason = actor, at, str(reason)


def _conflict(row: Model, error: IntegrityError) -> Conflict:
    diagnosis = getattr(error.__cause__, "diag", None)
    name = getattr(diagnosis, "constraint_name", None)
    for constraint in row._meta.constraints:
        if constraint.name == name:
            return Conflict(constraint.violation_error_message, constraint=name)
    raise error


def trimmed(fields: Fields) -> dict[str, Any]:
    return {
        name: value.strip() if isinstance(value, str) else value for name, value in fields.items()
    }


def refuse_unknown(fields: Fields, known: Sequence[str]) -> None:
    unknown = sorted(set(fields) - set(known))
    if unknown:
        raise InvalidInput(
            _("没有字段“%(names)s”") % {"names": "、".join(unknown)}, field=unknown[0]
        )
