"""An entry as it would be once its change is published: in memory, never saved.

Plain values are those of `snapshots`: pointers as codes, days as ISO text, everything else itself.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Field, ForeignKey, Model, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import DataItem, Dataset, DatasetChange
from apps.catalog.models.item import COLUMN_PATTERN
from apps.catalog.snapshots import ITEM_FIELDS, plain
from apps.core.errors import Conflict, InvalidInput

Plain = Mapping[str, Any]


class Pointers:
    """Looks codes up: one statement per kind of row, however many items point to it."""

    def __init__(self, rows: Iterable[tuple[type[Model], Plain]]) -> None:
        wanted: dict[type[Model], set[str]] = {}
        for model, values in rows:
            for name, value in values.items():
                target = _target(model, name)
                if target is not None and isinstance(value, str) and value:
                    wanted.setdefault(target, set()).add(value)
        self._found = {
            target: {row.code: row for row in target._default_manager.filter(code__in=codes)}  # type: ignore[attr-defined]
            for target, codes in wanted.items()
        }

    def find(self, field: Field[Any, Any], code: str) -> Model:
        target: Any = field.related_model
        row = self._found.get(target, {}).get(code)
        if row is None:
            raise InvalidInput(
                _("“%(label)s”没有编码为 %(code)s 的记录")
                % {"label": field.verbose_name, "code": code},
                field=field.name,
            )
        return row


def python_values(model: type[Model], values: Plain, pointers: Pointers) -> dict[str, Any]:
    """Return plain values as the model's fields hold them.

    Raises:
        InvalidInput: a value is of the wrong kind; `field` in the details names it.
    """
    return {
        name: _python(_field(model, name), value, pointers)
        for name, value in values.items()
        if name not in ("pk", "related")
    }


def proposed(change: DatasetChange) -> Dataset:
    """Return the entry with its items as they would be; nothing of it is to be saved.

    Its `items`, and its `related` entries when the change names them, are prefetched: whoever asks
    `dataset.items.all()` gets them without a statement. Items that continue one in force have its
    key, new ones the negative of their position.

    Raises:
        InvalidInput: a stored value no longer fits, as when a code list was taken out.
    """
    dataset = fresh(change.dataset_id)
    return propose(dataset, change.fields, change.items)


def propose(dataset: Dataset, fields: Plain, items: Sequence[Plain] | None) -> Dataset:
    """Lay plain fields and items over an entry read for the purpose; see `proposed`."""
    rows: list[tuple[type[Model], Plain]] = [(Dataset, fields)]
    rows += [(DataItem, item) for item in items or ()]
    pointers = Pointers(rows)
    for name, value in python_values(Dataset, fields, pointers).items():
        setattr(dataset, name, value)
    if items is not None:
        _put(dataset, "items", dataset.items.all(), _items(dataset, items, pointers))
    if "related" in fields:
        others = list(Dataset.objects.filter(code__in=fields["related"]).order_by("code"))
        _put(dataset, "related", dataset.related.all(), others)
    return dataset


def plain_items(dataset: Dataset) -> list[dict[str, Any]]:
    """Return the items in force as a change keeps them: plain, with their keys."""
    return [
        {"pk": item.pk, **{name: plain(getattr(item, name)) for name in ITEM_FIELDS}}
        for item in sorted(dataset.items.all(), key=lambda item: (item.position, item.pk))
    ]


def check(dataset: Dataset, items: Sequence[DataItem] | None) -> None:
    """Say what the database would refuse to keep, in the clerk's words.

    Raises:
        InvalidInput: a value is too long, of the wrong kind, or breaks a rule of its table.
        Conflict: a name or column stands twice, or another entry has the name.
    """
    pointers = [field.name for field in Dataset._meta.fields if isinstance(field, ForeignKey)]
    try:
        dataset.clean_fields(exclude=pointers)
        dataset.validate_constraints()
    except ValidationError as error:
        raise refusal_of(error, dataset) from error
    for item in items or ():
        _check_item(item)
    for name, words, constraint in (
        ("column_name", _("列名“%(name)s”用了两次；同一目录内列名不能重复"), "column"),
        ("name", _("数据项名称“%(name)s”用了两次"), "name"),
    ):
        seen: set[str] = set()
        for item in items or ():
            value = getattr(item, name)
            if value in seen:
                raise Conflict(
                    words % {"name": value},
                    constraint=f"catalog_dataitem_{constraint}_unique_in_dataset",
                    field=name,
                )
            seen.add(value)


def refusal_of(error: ValidationError, row: Model) -> InvalidInput | Conflict:
    """Return what Django found wrong as a refusal of ours; a name taken already is a conflict."""
    for constraint in row._meta.constraints:
        message = constraint.violation_error_message
        if hasattr(constraint, "fields") and message in error.messages:
            return Conflict(message, constraint=constraint.name)
    errors = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
    field, messages = next(iter(errors.items()))
    details: dict[str, Any] = {"errors": errors}
    if field != "__all__":
        details["field"] = field
    return InvalidInput(messages[0], **details)


def _check_item(item: DataItem) -> None:
    names = [field.name for field in DataItem._meta.fields if isinstance(field, ForeignKey)]
    label = item.name or item.column_name or str(item.position)
    try:
        item.clean_fields(exclude=[*names, "id"])
        if not re.fullmatch(COLUMN_PATTERN, item.column_name):
            raise ValidationError(
                {"column_name": [_("列名须以小写英文字母开头，由小写字母、数字和下划线组成")]}
            )
        if item.sensitive and not item.personal:
            raise ValidationError({"personal": [_("敏感个人信息同时也是个人信息")]})
    except ValidationError as error:
        found = refusal_of(error, item)
        raise InvalidInput(
            _("数据项“%(item)s”：%(message)s") % {"item": label, "message": found.message},
            item=label,
            **found.details,
        ) from error


def _items(dataset: Dataset, rows: Sequence[Plain], pointers: Pointers) -> list[DataItem]:
    items = []
    for position, row in enumerate(rows, 1):
        values = python_values(DataItem, row, pointers) | {"position": position}
        items.append(DataItem(pk=row.get("pk") or -position, dataset=dataset, **values))
    return items


def fresh(pk: int) -> Dataset:
    """Read the entry in force with its items, to lay a proposal over it."""
    found: Dataset = (
        Dataset.objects.select_related(
            "department", "classification__parent", "system", "source_department"
        )
        .prefetch_related("items__data_element", "items__code_list")
        .get(pk=pk)
    )
    return found


def _put(dataset: Dataset, name: str, rows: QuerySet[Any], found: list[Any]) -> None:
    """Prefetch by hand: Django answers `dataset.<name>.all()` from here and asks nothing."""
    vars(rows).update(_result_cache=found, _prefetch_done=True)
    cache = vars(dataset).get("_prefetched_objects_cache", {})
    vars(dataset)["_prefetched_objects_cache"] = {**cache, name: rows}


def _field(model: type[Model], name: str) -> Any:
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        raise InvalidInput(_("没有字段“%(name)s”") % {"name": name}, field=name) from None


def _target(model: type[Model], name: str) -> type[Model] | None:
    if name in ("pk", "related"):
        return None
    related: type[Model] | None = getattr(_field(model, name), "related_model", None)
    return related


def _python(field: Any, value: Any, pointers: Pointers) -> Any:
    if isinstance(field, ForeignKey):
        return pointers.find(field, str(value)) if value not in (None, "") else None
    if value is None:
        if field.null:
            return None
        raise InvalidInput(
            _("“%(label)s”不能为空") % {"label": field.verbose_name}, field=field.name
        )
    try:
        if isinstance(field, ArrayField) != isinstance(value, list | tuple) or "\x00" in str(value):
            raise TypeError(value)
        found = field.to_python(list(value) if isinstance(field, ArrayField) else value)
    except (ValidationError, TypeError, ValueError) as error:
        raise InvalidInput(
            _("“%(label)s”的值“%(value)s”有误")
            % {"label": field.verbose_name, "value": str(value)[:40].replace("\x00", "")},
            field=field.name,
        ) from error
    return found.strip() if isinstance(found, str) else found
