"""Pointers from anywhere in the portal to a department or a person, and how they are turned.

A model says itself which of its pointers follow a reform (`succession`) and which a hand-over
(`handover`); nothing here knows any model of the apps above.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models import ForeignKey, Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from simple_history.utils import bulk_update_with_history

from apps.accounts.models import Department, User
from apps.core.errors import Conflict
from apps.core.models import Governed

BATCH_ROWS = 1000


@dataclass(frozen=True)
class Pointer:
    """A foreign key of some model that follows; `open` says for which rows it still matters."""

    model: type[Model]
    field: str
    open: Q

    def rows(self, target: Model) -> QuerySet[Any]:
        """Return the rows that point to the target and still matter; one may come twice.

        Where what matters is told by its parts, each open part brings the row.
        """
        return self.model._base_manager.filter(self.open, **{self.field: target})


def pointers_to_departments() -> Iterator[Pointer]:
    """Yield every pointer to a department that a reform moves.

    `succession_open` says which rows of a model move; all of them, unless told. What is over keeps
    the old name, so that past figures do.

    Source: house rule (domain §3, 机构改革)
    """
    for model in apps.get_models():
        for field, fate in getattr(model, "succession", {}).items():
            if fate == "moves" and _points_to(model, field, Department):
                yield Pointer(model, field, getattr(model, "succession_open", Q()))


def pointers_to_people() -> Iterator[Pointer]:
    """Yield every pointer to somebody who still owes something."""
    for model in apps.get_models():
        for field, condition in getattr(model, "handover", {}).items():
            if condition is not None and _points_to(model, field, User):
                yield Pointer(model, field, condition)


def turn(
    model: type[Model],
    changes: Mapping[Any, Mapping[str, Model]],
    *,
    actor: User,
    at: datetime,
    reason: str,
) -> int:
    """Point rows elsewhere: `changes` maps a row's key to its fields' new targets.

    Objects with a history get a historical row each; pages open on a row notice that it changed.

    Raises:
        Conflict: the new target already has what may exist once only.
    """
    try:
        with transaction.atomic():
            for keys in _batches(sorted(changes)):
                _turn_batch(model, {key: changes[key] for key in keys}, actor, at, reason)
    except IntegrityError as error:
        raise Conflict(
            _("承接方已有同样的“%(label)s”，不能重复划转") % {"label": model._meta.verbose_name},
            model=model._meta.label,
        ) from error
    return len(changes)


def _turn_batch(
    model: type[Model],
    changes: Mapping[Any, Mapping[str, Model]],
    actor: User,
    at: datetime,
    reason: str,
) -> None:
    fields = sorted({field for targets in changes.values() for field in targets})
    rows = list(model._base_manager.select_for_update().filter(pk__in=changes).order_by("pk"))
    for row in rows:
        for field, target in changes[row.pk].items():
            setattr(row, field, target)
        if isinstance(row, Governed):
            row.revision += 1
    if issubclass(model, Governed):
        fields.append("revision")
    if hasattr(model._meta, "simple_history_manager_attribute"):
        bulk_update_with_history(
            rows,
            model,
            fields,
            batch_size=BATCH_ROWS,
            default_user=actor,
            default_change_reason=reason,
            default_date=at,
            manager=model._base_manager,
        )
    else:
        model._base_manager.bulk_update(rows, fields, batch_size=BATCH_ROWS)


def _batches(keys: Iterable[Any]) -> Iterator[list[Any]]:
    keys = list(keys)
    for start in range(0, len(keys), BATCH_ROWS):
        yield keys[start : start + BATCH_ROWS]


def _points_to(model: type[Model], field: str, target: type[Model]) -> bool:
    key = model._meta.get_field(field)
    if not isinstance(key, ForeignKey):
        raise TypeError(f"{model._meta.label}.{field} is declared to follow, but is no pointer")
    return key.related_model is target
