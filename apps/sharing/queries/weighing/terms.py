"""The terms that are weighed, each item with what the catalogue says of it today."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.catalog import queries as catalog
from apps.catalog.models import DataItem
from apps.core.contracts import Contract
from apps.sharing.models import Decision, Mode, SharingRequest
from apps.sharing.queries.return_flow import return_flow_of
from apps.sharing.queries.terms import default_mask
from apps.standards.masks import masks_for

HIDE: Final = "hide"
STRICT_GRADES: Final = ("3", "4", "important", "core")
SPECIAL_GRADES: Final = ("4", "important", "core")
WEARING_LESS: Final = ("year_of_date", "band_number", "keep_ends", HIDE)
"""Masks for an item whose grade asks for one and whose entry names none: the first that fits."""


class Level(IntEnum):
    """How much something weighs with whoever decides."""

    LOW = 1
    NOTICE = 2
    HIGH = 3

    @property
    def label(self) -> str | Promise:
        return {1: _("低"), 2: _("须留意"), 3: _("高")}[self]

    @property
    def tone(self) -> str:
        return {1: "neutral", 2: "attention", 3: "bad"}[self]


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the terms; `catalogued` is None when it is no longer in the entry."""

    name: str
    label: str
    mask: str
    catalogued: DataItem | None

    @property
    def is_plain(self) -> bool:
        return not self.mask

    @property
    def is_readable(self) -> bool:
        """Whether anything of the value is given."""
        return self.mask != HIDE

    @property
    def is_personal(self) -> bool:
        return self.catalogued is not None and self.catalogued.personal

    @property
    def is_sensitive(self) -> bool:
        return self.catalogued is not None and self.catalogued.sensitive


@dataclass(frozen=True, slots=True)
class Weighed:
    """A request with the terms that would be granted. key: the columns that name a record.

    is_return_flow: nobody may add a condition, so that nothing less is ever proposed.
    """

    request: SharingRequest
    items: tuple[Item, ...]
    key: tuple[str, ...]
    mode: str
    starts_on: date
    ends_on: date
    has_condition: bool
    is_return_flow: bool = False

    @property
    def gives_rows(self) -> bool:
        """Whether the consumer receives values, not only yes or no."""
        return self.mode != Mode.VERIFY

    @property
    def purpose(self) -> str:
        """What the consumer wrote about why it needs the data."""
        request = self.request
        return f"{request.basis} {request.scenario} {request.scope}"


def weighed_terms(
    request: SharingRequest,
    terms: Decision,
    *,
    items: Mapping[str, str] | None = None,
    mode: str | None = None,
    ends_on: date | None = None,
    has_condition: bool | None = None,
) -> Weighed:
    """Return the terms of a decision, changed by what somebody is about to propose.

    items: the names kept, each with its mask.
    """
    rows = DataItem.ever.filter(dataset=request.dataset_id)
    return weighed(
        request,
        terms,
        known={item.column_name: item for item in rows.select_related("dataset", "data_element")},
        contract=catalog.contract_of(request.dataset),
        is_return_flow=return_flow_of(request) is not None,
        items=items,
        mode=mode,
        ends_on=ends_on,
        has_condition=has_condition,
    )


def weighed(
    request: SharingRequest,
    terms: Decision,
    *,
    known: Mapping[str, DataItem],
    contract: Contract,
    is_return_flow: bool,
    items: Mapping[str, str] | None = None,
    mode: str | None = None,
    ends_on: date | None = None,
    has_condition: bool | None = None,
) -> Weighed:
    """Return the same of what was read before; known: the entry's items, dropped ones too."""
    entries: Sequence[Mapping[str, str]] = terms.items
    if items is not None:
        entries = [{**e, "mask": items[e["name"]]} for e in entries if e["name"] in items]
    columns = {column.name for column in contract.columns}
    return Weighed(
        request=request,
        items=tuple(
            Item(
                name=entry["name"],
                label=entry["label"],
                mask=entry["mask"],
                catalogued=known.get(entry["name"]) if entry["name"] in columns else None,
            )
            for entry in entries
        ),
        key=contract.key,
        mode=mode or terms.mode,
        starts_on=terms.starts_on,
        ends_on=ends_on or terms.ends_on,
        has_condition=bool(terms.row_condition) if has_condition is None else has_condition,
        is_return_flow=is_return_flow,
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """The mask that the catalogue asks for on an item, and by which rule."""

    mask: str
    rule: str
    why: str | Promise
    source: str | Promise
    level: Level


def mask_asked(item: DataItem) -> Asked | None:
    """Return the mask that an item should be given under, None where plain is in order.

    The rules in turn: sensitive personal information; an item that has a strict grade of its own,
    or inherits one and is personal; a mask that the entry names. The grade that an item inherits
    without being personal asks for nothing: a graded entry has district codes, too.

    Source: GB/T 45574-2025 (敏感个人信息默认脱敏); house rule (domain §4: 3 级脱敏后有条件共享)
    """
    grade = item.grade or (item.dataset.grade if item.personal else "")
    if item.sensitive:
        return Asked(
            default_mask(item),
            "sensitive",
            _("敏感个人信息"),
            _("GB/T 45574-2025：敏感个人信息默认脱敏"),
            Level.HIGH,
        )
    if grade in STRICT_GRADES:
        return Asked(
            item.mask or _fitting(item),
            "graded",
            _("分级为 3 级及以上"),
            _("平台分级规则：3 级及以上的数据脱敏后有条件共享"),
            Level.HIGH if grade in SPECIAL_GRADES else Level.NOTICE,
        )
    if item.mask:
        return Asked(
            item.mask,
            "catalogue_mask",
            _("目录定有脱敏方式"),
            _("目录：数据项的默认脱敏方式"),
            Level.NOTICE,
        )
    return None


def _fitting(item: DataItem) -> str:
    names = {mask.name for mask in masks_for(item.data_type)}
    return next(name for name in WEARING_LESS if name in names)
