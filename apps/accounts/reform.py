"""What a reform moves: every pointer declared so, the rights of groups, and what belongs along.

Whole departments move whole. When only a part goes (分设、职能划转) the caller names rows; whatever
names such a row in turn (a request about a dataset, the clock of the request) goes with it, unless
the caller has named the rows of that model himself.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, ForeignKey, Model, Q, QuerySet, UniqueConstraint
from django.utils.translation import gettext_lazy as _
from guardian.models.models import GroupObjectPermissionBase

from apps.accounts.models import Department, InformationSystem, Region, User
from apps.accounts.pointers import Pointer, pointers_to_departments
from apps.core.errors import InvalidInput

EXAMPLES = 5
# Kinds that a row names without being about them.
NO_SUBJECT = frozenset({User, Department, Region, ContentType, Group})
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


@dataclass(frozen=True)
class Clash:
    """What a successor would have twice: the kind of row, and which."""

    successor: Department
    model: str
    label: str
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
    _follow(share, predecessor, [p for p in pointers if p.model not in chosen], set(chosen))
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


def clashes(shares: Sequence[Share]) -> list[Clash]:
    """Return what the successors would then have twice though it may exist once only.

    Two departments that merge may each have an entry of one name: one of them is renamed first.
    """
    moving: dict[tuple[Department, Pointer], set[Any]] = defaultdict(set)
    for share in shares:
        for pointer, keys in share.keys.items():
            moving[share.successor, pointer] |= keys
    found = []
    for (successor, pointer), keys in moving.items():
        for constraint in pointer.model._meta.constraints:
            if isinstance(constraint, UniqueConstraint) and pointer.field in constraint.fields:
                twice = _twice(pointer, constraint, keys, successor)
                if twice:
                    label = str(pointer.model._meta.verbose_name)
                    found.append(Clash(successor, pointer.model._meta.label, label, twice))
    return found


def _twice(
    pointer: Pointer, constraint: UniqueConstraint, keys: set[Any], successor: Department
) -> list[str]:
    others = [name for name in constraint.fields if name != pointer.field]
    together = pointer.model._base_manager.filter(
        Q(pk__in=keys) | Q(**{pointer.field: successor}), constraint.condition or Q()
    )
    values = together.order_by().values(*others).annotate(rows=Count("pk")).filter(rows__gt=1)
    names = []
    for value in values[:EXAMPLES]:
        value.pop("rows")
        names.append("、".join(str(row) for row in together.filter(**value).order_by("pk")[:2]))
    return names


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
        _rights_of(model, old).filter(pk__in=keys).delete()
    return count


def _rights_lacking(model: type[Model], keys: set[Any], old: Group, new: Group) -> list[Any]:
    names = ("permission_id", "content_object_id")
    held = set(_rights_of(model, new).values_list(*names))
    rights = _rights_of(model, old).filter(pk__in=keys).order_by("pk")
    return [r for r in rights if (r.permission_id, r.content_object_id) not in held]


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


def _follow(
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
        for name in _keys_to(subject, target) if subject is not target else ():
            rows = subject._base_manager.filter(**{f"{name}__in": keys})
            found |= set(rows.values_list("pk", flat=True))
    return found


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
