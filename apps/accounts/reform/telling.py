"""A share in words, and what it would double."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Model, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department
from apps.accounts.pointers import Pointer
from apps.accounts.reform.share import Share

EXAMPLES = 5


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
