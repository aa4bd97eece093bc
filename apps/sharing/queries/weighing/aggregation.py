"""What the consumer would know by combining these terms with what it already holds.

The rule of the level stands in `_level` and nowhere else; docs/decisions.md restates it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import (
    BooleanField,
    Case,
    Exists,
    F,
    Func,
    JSONField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.catalog.models import DataItem
from apps.core import access
from apps.sharing.models import Grant, Mode
from apps.sharing.queries.lists import open_grants
from apps.sharing.queries.weighing.terms import HIDE, STRICT_GRADES, Item, Level, Weighed

PERSONS: Final = frozenset({"identity_number", "mobile"})
IDENTIFIERS: Final = frozenset({*PERSONS, "uscc"})
"""Checks of values that name one person, or one organisation, in any entry."""

SHOWN: Final = 10
MANY: Final = 8
"""So many personal items of one person, put together, are a profile though none is sensitive."""


@dataclass(frozen=True, slots=True)
class Known:
    """An item that the consumer can read, here or there."""

    label: str
    is_personal: bool
    is_sensitive: bool
    is_masked: bool


@dataclass(frozen=True, slots=True)
class Holding:
    """A grant on another dataset that shares an identifier with the terms.

    grant_id is None when the reader may not see the grant: he learns the dataset's name, its items
    and the key, and nothing of number, rows, period or use.
    """

    dataset: str
    keys: tuple[str, ...]
    items: tuple[Known, ...]
    together: tuple[Known, ...]
    is_same_system: bool
    level: Level
    grant_id: int | None

    @property
    def sensitive(self) -> tuple[str, ...]:
        return tuple(known.label for known in self.together if known.is_sensitive)


@dataclass(frozen=True, slots=True)
class Aggregation:
    """The gravest holdings, how many more there are, and the level of them all."""

    level: Level
    holdings: tuple[Holding, ...]
    left: int
    why_none: str


def aggregation_of(terms: Weighed, actor: User, at: datetime) -> Aggregation:
    """Set the terms beside the other grants of the consumer's department that can be joined.

    Two datasets can be joined when both give the same identifier in plain: an item whose check is
    of `IDENTIFIERS`, or the subject key of both under the same column name. Four statements, and
    rows for `SHOWN` grants, however many there are.

    Source: 《政务数据共享条例》第二十五条; house rule (issue 5) for the levels
    """
    if not terms.gives_rows:
        return Aggregation(Level.LOW, (), 0, _("只供核验，使用部门不取得数据，不增加汇聚。"))
    kinds = kinds_of(terms)
    if not kinds:
        why = _("没有明文提供的主体标识，不能与已有数据按同一主体合并。")
        return Aggregation(Level.LOW, (), 0, why)
    joinable = _joinable(terms, kinds, at)
    shown = list(joinable[:SHOWN])
    if not shown:
        why = _("该部门没有含同一主体标识的其他有效授权。")
        return Aggregation(Level.LOW, (), 0, why)
    holdings = _holdings(terms, kinds, shown, actor, at)
    left = joinable.count() - len(shown) if len(shown) == SHOWN else 0
    return Aggregation(max(h.level for h in holdings), tuple(holdings), left, "")


def kinds_of(terms: Weighed) -> set[str]:
    """Return by which kinds of identifiers the terms, given in plain, can be joined."""
    return {kind for item in terms.items if item.is_plain and (kind := _kind(item))}


def _kind(item: Item) -> str:
    return _kind_of(item.catalogued) if item.catalogued is not None else ""


def _kind_of(item: DataItem) -> str:
    """Return what the item identifies, alike in every entry; empty when it identifies nothing."""
    check = item.value_check or (item.data_element.value_check if item.data_element else "")
    if check in IDENTIFIERS:
        return check
    is_subject = item.dataset.key_items[:1] == [item.column_name]
    return f"column:{item.column_name}" if is_subject and not check else ""


def identifying(kinds: Iterable[str]) -> Q:
    """The same as `_kind_of`, asked of the database: items that identify by one of the kinds."""
    found = set(kinds)
    checks = found & IDENTIFIERS
    columns = [kind.removeprefix("column:") for kind in found - checks]
    by_check = Q(value_check__in=checks) | Q(value_check="", data_element__value_check__in=checks)
    unchecked = Q(value_check="") & (Q(data_element=None) | Q(data_element__value_check=""))
    by_column = unchecked & Q(column_name__in=columns, dataset__key_items__0=F("column_name"))
    return by_check | by_column


def plain_in_grant() -> Func:
    """The entry that a grant's columns hold for an item that is given in plain."""
    entry = Func(
        Value("name"),
        F("column_name"),
        Value("mask"),
        Value(""),
        function="jsonb_build_object",
        output_field=JSONField(),
    )
    return Func(entry, function="jsonb_build_array", output_field=JSONField())


def _joinable(terms: Weighed, kinds: set[str], at: datetime) -> QuerySet[Grant]:
    """Return the grants that share an identifier with the terms, those that weigh most first."""
    given = (
        DataItem.ever.filter(dataset=OuterRef("dataset"))  # a grant shows dropped ones for a time
        .alias(entry=plain_in_grant())
        .filter(entry__contained_by=OuterRef("columns"))
    )
    named = identifying(kinds)
    secret = given.filter(~named, sensitive=True)
    request = terms.request
    reaches = Case(
        When(Q(system=request.system_id) | Q(may_redistribute=True), then=Value(True)),  # noqa: FBT003
        default=Value(False),  # noqa: FBT003
        output_field=BooleanField(),
    )
    return (
        open_grants()
        .filter(Exists(given.filter(named)))
        .filter(consumer=request.consumer_id, expires_at__gt=at)
        .exclude(dataset=request.dataset_id)
        .exclude(mode=Mode.VERIFY)
        .annotate(reaches=reaches, holds_sensitive=Exists(secret))
        .select_related("dataset")
        .order_by("-holds_sensitive", "-reaches", "-dataset__contains_personal", "-pk")
    )


def _holdings(
    terms: Weighed, kinds: set[str], grants: list[Grant], actor: User, at: datetime
) -> list[Holding]:
    items: dict[int, list[DataItem]] = {}
    found = DataItem.ever.filter(dataset__in={grant.dataset_id for grant in grants})
    for item in found.select_related("dataset", "data_element"):
        items.setdefault(item.dataset_id, []).append(item)
    visible = set(
        access.rows(actor, "view", Grant, at=at)
        .filter(pk__in=[grant.pk for grant in grants])
        .values_list("pk", flat=True)
    )
    mine = known_of(terms, kinds)
    return [
        holding_of(terms, kinds, grant, items.get(grant.dataset_id, []), mine, visible)
        for grant in grants
    ]


def known_of(terms: Weighed, kinds: set[str]) -> list[Known]:
    """Return what the terms themselves give of a person or organisation, beside identifiers."""
    return [
        Known(item.label, item.is_personal, item.is_sensitive, bool(item.mask))
        for item in terms.items
        if item.is_readable and not (item.is_plain and _kind(item) in kinds)
    ]


def holding_of(
    terms: Weighed,
    kinds: set[str],
    grant: Any,
    items: list[DataItem],
    mine: list[Known],
    visible: set[int],
) -> Holding:
    """Set the terms beside one grant; it carries `reaches`."""
    masks: Mapping[str, str] = {c["name"]: c.get("mask") or "" for c in grant.columns}
    read = [item for item in items if masks.get(item.column_name, HIDE) != HIDE]
    joined = [i for i in read if not masks[i.column_name] and _kind_of(i) in kinds]
    theirs = [
        Known(i.name, i.personal, i.sensitive, bool(masks[i.column_name]))
        for i in read
        if i not in joined
    ]
    common = {_kind_of(item) for item in joined}
    together = _united(mine, theirs)
    return Holding(
        dataset=grant.dataset.name,
        keys=tuple(item.name for item in joined),
        items=tuple(theirs),
        together=together,
        is_same_system=grant.system_id == terms.request.system_id,
        level=_level(
            together,
            is_of_persons=bool(common & PERSONS),
            is_strict=terms.request.dataset.grade in STRICT_GRADES
            or grant.dataset.grade in STRICT_GRADES,
            reaches=grant.reaches,
        ),
        grant_id=grant.pk if grant.pk in visible else None,
    )


def _united(mine: list[Known], theirs: list[Known]) -> tuple[Known, ...]:
    """Return both sides' items, personal ones first, each name once, as little masked as it is."""
    found: dict[str, Known] = {}
    for known in sorted([*mine, *theirs], key=lambda k: k.is_masked):
        found.setdefault(known.label, known)
    united = sorted(found.values(), key=lambda k: (not k.is_sensitive, not k.is_personal))
    personal = [known for known in united if known.is_personal]
    return tuple(personal or united)


def _level(
    together: tuple[Known, ...], *, is_of_persons: bool, is_strict: bool, reaches: bool
) -> Level:
    """Say how much the combination weighs.

    high: joined by an identifier of persons, and the whole has a sensitive item in plain beside the
    identifier, or `MANY` personal items. notice: joined by an identifier of persons with any
    personal item, or by another identifier where one of the entries has grade 3 or above. low: the
    rest. What another system of the department holds and may not hand on counts one level less.

    Source: house rule (issue 5)
    """
    personal = [known for known in together if known.is_personal]
    is_secret = any(known.is_sensitive and not known.is_masked for known in personal)
    if is_of_persons and (is_secret or len(personal) >= MANY):
        level = Level.HIGH
    elif (is_of_persons and personal) or is_strict:
        level = Level.NOTICE
    else:
        level = Level.LOW
    return level if reaches else Level(max(level - 1, Level.LOW))
