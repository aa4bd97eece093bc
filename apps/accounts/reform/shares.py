"""Who takes what: everything, a chosen part, or the rest."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, InformationSystem, User
from apps.accounts.pointers import Pointer, pointers_to_departments
from apps.accounts.reform.following import follow
from apps.accounts.reform.rights import follow_rights, models_of_rights, rights_of
from apps.accounts.reform.share import Share
from apps.core.errors import InvalidInput

# "catalog.Dataset" → the keys of the rows that go
Selection = Mapping[str, Iterable[Any]]


def whole(predecessor: Department, successor: Department) -> Share:
    """Return the share of the one who takes over everything."""
    share = Share(successor)
    for pointer in pointers_to_departments():
        keys = set(pointer.rows(predecessor).values_list("pk", flat=True))
        if keys:
            share.keys[pointer] = keys
    for model in models_of_rights():
        keys = set(rights_of(model, predecessor.group).values_list("pk", flat=True))
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
    follow(share, predecessor, [p for p in pointers if p.model not in chosen], set(chosen))
    follow_rights(share, predecessor)
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
