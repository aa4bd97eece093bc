"""What belongs to a moving row and goes with it.

Whatever names such a row in turn (a request about a dataset, the clock of the request) goes along,
unless the caller has named the rows of that model himself.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db.models import ForeignKey, Model, Q, QuerySet

from apps.accounts.models import Department, Region, User
from apps.accounts.pointers import Pointer, pointers_to_departments
from apps.accounts.reform.share import Share, keys_to

# Kinds that a row names without being about them.
NO_SUBJECT = frozenset({User, Department, Region, ContentType, Group})


def follow(
    share: Share, predecessor: Department, pointers: list[Pointer], chosen: set[type[Model]]
) -> None:
    """Add rows that are about a moving row, until nothing more is found.

    People are not followed: what somebody applied for in the old department's name stays its own.
    """
    added = True
    while added:
        added = False
        moving = {model: share.keys_of(model) for model in share.models() if model is not User}
        for pointer in pointers:
            rows = pointer.rows(predecessor)
            keys: set[Any] = set()
            for subject, naming in _subjects(pointer, rows):
                about = moving.get(subject, set())
                if subject not in chosen:
                    about = about | _about(subject, moving)
                if about:
                    keys |= set(rows.filter(naming(about)).values_list("pk", flat=True))
            if keys - share.keys.get(pointer, set()):
                share.keys[pointer] |= keys
                added = True


def _subjects(
    pointer: Pointer, rows: QuerySet[Any]
) -> Iterator[tuple[type[Model], Callable[[set[Any]], Q]]]:
    """Yield what rows of this kind may be about, with how to find those about given keys."""
    for key in pointer.model._meta.concrete_fields:
        if isinstance(key, ForeignKey) and key.related_model not in NO_SUBJECT:
            yield key.related_model, partial(_named_by, key.name)
    for generic in pointer.model._meta.private_fields:
        if isinstance(generic, GenericForeignKey):
            kinds = rows.order_by().values_list(generic.ct_field, flat=True).distinct()
            for kind in ContentType.objects.filter(pk__in=list(kinds)):
                subject = kind.model_class()
                if subject is not None:
                    yield subject, partial(_named_by_kind, generic, kind)


def _named_by(name: str, keys: set[Any]) -> Q:
    return Q(**{f"{name}__in": keys})


def _named_by_kind(generic: GenericForeignKey, kind: ContentType, keys: set[Any]) -> Q:
    stored = generic.model._meta.get_field(generic.fk_field)
    values = [stored.to_python(key) for key in keys]
    return Q(**{generic.ct_field: kind, f"{generic.fk_field}__in": values})


def _about(subject: type[Model], moving: Mapping[type[Model], set[Any]]) -> set[Any]:
    """Return the rows about moving rows, wherever they point: a request about a dataset."""
    found: set[Any] = set()
    for target, keys in moving.items():
        for name in keys_to(subject, target) if subject is not target else ():
            rows = subject._base_manager.filter(**{f"{name}__in": keys})
            found |= set(rows.values_list("pk", flat=True))
    return found


def choosable() -> list[type[Model]]:
    """Return the kinds of rows that a caller chooses himself: those that stand on their own.

    What cannot be without another moving row (a request without its dataset) follows that row.
    """
    pointing = {pointer.model for pointer in pointers_to_departments()}
    return [
        model
        for model in apps.get_models()
        if model in pointing and not _depends_on(model, pointing - {User, Department, model})
    ]


def _depends_on(model: type[Model], others: set[type[Model]]) -> bool:
    if any(isinstance(f, GenericForeignKey) for f in model._meta.private_fields):
        return True
    return any(
        isinstance(key, ForeignKey) and not key.null and key.related_model in others
        for key in model._meta.concrete_fields
    )
