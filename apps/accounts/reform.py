"""What a reform moves: every pointer declared so, the rights of groups, and what belongs along.

Whole departments move whole. When only a part goes (分设、职能划转) the caller names rows; whatever
names such a row in turn (a request about a dataset, the clock of the request) goes with it, unless
the caller has named the rows of that model himself.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db.models import ForeignKey, Model, QuerySet
from django.utils.translation import gettext_lazy as _
from guardian.models.models import GroupObjectPermissionBase

from apps.accounts.models import Department, InformationSystem, User
from apps.accounts.pointers import Pointer, pointers_to_departments
from apps.core.errors import InvalidInput

EXAMPLES = 5
# "catalog.Dataset" → the keys of the rows that go
Selection = Mapping[str, Iterable[Any]]


@dataclass
class Share:
    """What one successor takes over: keys per pointer, and rights on objects per model."""

    successor: Department
    keys: dict[Pointer, set[Any]] = field(default_factory=lambda: defaultdict(set))
    rights_moved: dict[type[Model], set[Any]] = field(default_factory=lambda: defaultdict(set))
    rights_copied: dict[type[Model], set[Any]] = field(default_factory=lambda: defaultdict(set))

    def keys_of(self, model: type[Model]) -> set[Any]:
        found = (keys for pointer, keys in self.keys.items() if pointer.model is model)
        return set().union(*found)

    def models(self) -> list[type[Model]]:
        return sorted({pointer.model for pointer in self.keys}, key=lambda model: model._meta.label)


@dataclass(frozen=True)
class MovingRows:
    """One line of the preview: so many rows of this kind go to this successor."""

    successor: Department
    model: str
    label: str
    part: str
    count: int
    examples: list[str]


def whole(predecessor: Department, successor: Department) -> Share:
    """Return the share of the one who takes over everything."""
    share = Share(successor)
    for pointer in pointers_to_departments():
        keys = set(pointer.rows(predecessor).values_list("pk", flat=True))
        if keys:
            share.keys[pointer] = keys
    for model in _rights():
        keys = set(_rights_of(model, predecessor.group).values_list("pk", flat=True))
        if keys:
            share.rights_moved[model] = keys
    return share


def part(predecessor: Department, successor: Department, selection: Selection) -> Share:
    """Return the share of one who takes over the chosen rows and what belongs to them.

    Raises:
        InvalidInput: a chosen row does not belong to the predecessor, or its kind cannot move.
    """
    share = Share(successor)
    chosen = {_model_named(label): set(keys) for label, keys in selection.items()}
    _add_service_users(chosen)
    pointers = list(pointers_to_departments())
    for model, keys in chosen.items():
        _choose(share, predecessor, [p for p in pointers if p.model is model], model, keys)
    _follow(share, predecessor, [p for p in pointers if p.model not in chosen])
    _follow_rights(share, predecessor)
    return share


def without(share: Share, taken: Sequence[Share]) -> Share:
    """Return what is left of a share when others have taken theirs."""
    rest = Share(share.successor)
    for pointer, keys in share.keys.items():
        left = keys.difference(*(other.keys.get(pointer, set()) for other in taken))
        if left:
            rest.keys[pointer] = left
    for model, keys in share.rights_moved.items():
        left = keys.difference(*(other.rights_moved.get(model, set()) for other in taken))
        if left:
            rest.rights_moved[model] = left
    return rest


def overlap(shares: Sequence[Share]) -> list[tuple[Pointer, set[Any]]]:
    """Return the rows that were given to more than one successor."""
    found = []
    seen: dict[Pointer, set[Any]] = defaultdict(set)
    for share in shares:
        for pointer, keys in share.keys.items():
            if twice := seen[pointer] & keys:
                found.append((pointer, twice))
            seen[pointer] |= keys
    return found


def described(share: Share) -> list[MovingRows]:
    """Return the share in words, per kind of row and pointer, rights on objects last."""
    lines = []
    for pointer in sorted(share.keys, key=lambda p: (p.model._meta.label, p.field)):
        keys = share.keys[pointer]
        name = getattr(pointer.model._meta.get_field(pointer.field), "verbose_name", pointer.field)
        lines.append(_line(share, pointer.model, str(name), keys))
    rights: dict[type[Model], set[Any]] = defaultdict(set)
    for held in (share.rights_moved, share.rights_copied):
        for model, keys in held.items():
            rights[model] |= keys
    lines += [
        _line(share, model, str(_("对象权限")), keys)
        for model, keys in sorted(rights.items(), key=lambda item: item[0]._meta.label)
    ]
    return lines


def move_rights(share: Share, old: Group, new: Group) -> int:
    """Give the successor's group the rights of the share; what it has already is not doubled."""
    copied = [_copy_rights(model, keys, old, new) for model, keys in share.rights_copied.items()]
    moved = [_copy_rights(model, keys, old, new) for model, keys in share.rights_moved.items()]
    for model, keys in share.rights_moved.items():
        _rights_of(model, old).filter(pk__in=keys).delete()
    return sum(copied) + sum(moved)


def _copy_rights(model: type[Model], keys: set[Any], old: Group, new: Group) -> int:
    names = ("permission_id", "content_object_id")
    held = set(_rights_of(model, new).values_list(*names))
    rights = _rights_of(model, old).filter(pk__in=keys).values_list(*names)
    model._base_manager.bulk_create(
        [
            model(group=new, permission_id=permission, content_object_id=target)
            for permission, target in rights
            if (permission, target) not in held
        ]
    )
    return len(rights)


def _line(share: Share, model: type[Model], part_label: str, keys: set[Any]) -> MovingRows:
    rows = model._base_manager.filter(pk__in=sorted(keys)[:EXAMPLES]).order_by("pk")
    return MovingRows(
        successor=share.successor,
        model=model._meta.label,
        label=str(model._meta.verbose_name_plural),
        part=part_label,
        count=len(keys),
        examples=[str(row) for row in rows],
    )


def _model_named(label: str) -> type[Model]:
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        raise InvalidInput(_("不认识的对象：%(label)s") % {"label": label}) from None


def _add_service_users(chosen: dict[type[Model], set[Any]]) -> None:
    systems = chosen.get(InformationSystem)
    if systems:
        users = InformationSystem.objects.filter(pk__in=systems).values_list(
            "service_user", flat=True
        )
        chosen.setdefault(User, set()).update(users)


def _choose(
    share: Share,
    predecessor: Department,
    pointers: list[Pointer],
    model: type[Model],
    keys: set[Any],
) -> None:
    found: set[Any] = set()
    for pointer in pointers:
        own = set(pointer.rows(predecessor).filter(pk__in=keys).values_list("pk", flat=True))
        if own:
            share.keys[pointer] = own
        found |= own
    if keys - found:
        raise InvalidInput(
            _("所选的“%(label)s”有 %(count)d 条不属于原部门，不能划转")
            % {"label": model._meta.verbose_name, "count": len(keys - found)},
            model=model._meta.label,
        )


def _follow(share: Share, predecessor: Department, pointers: list[Pointer]) -> None:
    """Add rows that name a moving row, until nothing more is found.

    People are not followed: what somebody applied for in the old department's name stays its own.
    """
    added = True
    while added:
        added = False
        moving = {model: share.keys_of(model) for model in share.models() if model is not User}
        for pointer in pointers:
            rows = pointer.rows(predecessor)
            keys = set().union(
                *(_naming(rows, pointer, model, targets) for model, targets in moving.items())
            )
            if keys - share.keys.get(pointer, set()):
                share.keys[pointer] |= keys
                added = True


def _naming(
    rows: QuerySet[Any], pointer: Pointer, target: type[Model], keys: set[Any]
) -> Iterator[Any]:
    """Yield the keys of those rows that name one of the target's rows, by key or generically."""
    for name in _keys_to(pointer.model, target):
        yield from rows.filter(**{f"{name}__in": keys}).values_list("pk", flat=True)
    for generic in pointer.model._meta.private_fields:
        if isinstance(generic, GenericForeignKey):
            kind = ContentType.objects.get_for_model(target, generic.for_concrete_model)
            stored = pointer.model._meta.get_field(generic.fk_field)
            values = [stored.to_python(key) for key in keys]
            named = {generic.ct_field: kind, f"{generic.fk_field}__in": values}
            yield from rows.filter(**named).values_list("pk", flat=True)


def _follow_rights(share: Share, predecessor: Department) -> None:
    """Add the old group's rights on objects that the moving rows are, or are about.

    Where rows that stay are about the same object, both departments keep the right.
    """
    for model in _rights():
        for right in _rights_of(model, predecessor.group):
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
        for name in _keys_to(pointer.model, target):
            about = set(
                pointer.rows(predecessor).filter(**{name: key}).values_list("pk", flat=True)
            )
            moving = moving or bool(about & keys)
            staying = staying or bool(about - keys)
    return moving, staying


def _keys_to(model: type[Model], target: type[Model]) -> list[str]:
    return [
        key.name
        for key in model._meta.concrete_fields
        if isinstance(key, ForeignKey) and key.related_model is target and target is not Department
    ]


def _rights() -> list[type[Model]]:
    """Return the models that carry rights of groups on objects, with a direct foreign key."""
    return [
        model
        for model in apps.get_models()
        if issubclass(model, GroupObjectPermissionBase)
        and isinstance(model._meta.get_field("content_object"), ForeignKey)
    ]


def _rights_of(model: type[Model], group: Group) -> QuerySet[Any]:
    return model._base_manager.filter(group=group)
