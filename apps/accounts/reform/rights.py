"""The rights on objects that a department's group holds, and where they go."""

from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.db.models import ForeignKey, Model, QuerySet
from guardian.models.models import GroupObjectPermissionBase

from apps.accounts.models import Department
from apps.accounts.reform.share import Share, keys_to


def models_of_rights() -> list[type[Model]]:
    """Return the models that carry rights of groups on objects, with a direct foreign key."""
    return [
        model
        for model in apps.get_models()
        if issubclass(model, GroupObjectPermissionBase)
        and any(field.name == "content_object" for field in model._meta.concrete_fields)
    ]


def rights_of(model: type[Model], group: Group) -> QuerySet[Any]:
    return model._base_manager.filter(group=group)


def move_rights(share: Share, old: Group, new: Group) -> int:
    """Give the successor's group the rights of the share; what it has already is not doubled."""
    count = 0
    for model, keys in share.rights_copied.items():
        count += len(keys)
        model._base_manager.bulk_create(
            [
                model(
                    group=new,
                    permission_id=right.permission_id,
                    content_object_id=right.content_object_id,
                )
                for right in _rights_lacking(model, keys, old, new)
            ]
        )
    for model, keys in share.rights_moved.items():
        count += len(keys)
        lacking = [right.pk for right in _rights_lacking(model, keys, old, new)]
        model._base_manager.filter(pk__in=lacking).update(group=new)
        rights_of(model, old).filter(pk__in=keys).delete()
    return count


def _rights_lacking(model: type[Model], keys: set[Any], old: Group, new: Group) -> list[Any]:
    names = ("permission_id", "content_object_id")
    held = set(rights_of(model, new).values_list(*names))
    rights = rights_of(model, old).filter(pk__in=keys).order_by("pk")
    return [r for r in rights if (r.permission_id, r.content_object_id) not in held]


def follow_rights(share: Share, predecessor: Department) -> None:
    """Add the old group's rights on objects that the moving rows are, or are about.

    Where rows that stay are about the same object, both departments keep the right.
    """
    for model in models_of_rights():
        for right in rights_of(model, predecessor.group):
            about: ForeignKey[Any, Any] = model._meta.get_field("content_object")  # type: ignore[assignment]
            target, key = about.related_model, right.content_object_id
            moving, staying = _stakes(share, predecessor, target, key)
            if key in share.keys_of(target) or (moving and not staying):
                share.rights_moved[model].add(right.pk)
            elif moving:
                share.rights_copied[model].add(right.pk)


def _stakes(
    share: Share, predecessor: Department, target: type[Model], key: Any
) -> tuple[bool, bool]:
    """Say whether rows about this object move, and whether some of the same kind stay."""
    moving = staying = False
    for pointer, keys in share.keys.items():
        for name in keys_to(pointer.model, target):
            about = set(
                pointer.rows(predecessor).filter(**{name: key}).values_list("pk", flat=True)
            )
            moving = moving or bool(about & keys)
            staying = staying or bool(about - keys)
    return moving, staying
