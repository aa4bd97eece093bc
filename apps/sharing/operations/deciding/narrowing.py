"""Terms of a decision: as asked, or narrower, never wider."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from apps.catalog import queries as catalog
from apps.catalog.models import DataItem
from apps.core import conditions
from apps.core.contracts import Contract
from apps.core.errors import InvalidInput
from apps.sharing.models import Decision, SharingRequest, terms_of
from apps.sharing.operations.deciding.limits import (
    narrower_limits,
    narrower_mode,
    refuse_unanswerable,
)
from apps.sharing.terms_sql import Terms
from apps.standards.masks import Mask, masks_for

HIDE: Final = "hide"


def decided_terms(
    request: SharingRequest,
    asked: Decision,
    outcome: str,
    *,
    wanted: Mapping[str, Any],
    limits: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the terms of a decision as its fields.

    wanted: what is narrowed, as `propose` takes it: items, row_condition, ends_on, mode.

    Raises:
        InvalidInput: an unknown outcome, narrower terms that are wider or not narrower at all, or
            agreement to the whole with narrower terms beside it.
    """
    terms = terms_of(asked)
    if outcome not in ("agree", "narrow", "refuse"):
        raise InvalidInput(_("处理意见为同意、部分同意或者不予共享"), field="outcome")
    if outcome == "agree" and takes_away(request, asked, wanted=wanted, limits=limits):
        raise InvalidInput(
            _("选了“同意”，但条件比申请的窄；要限缩选“部分同意”，不限缩则恢复原样"),
            code="narrower_than_agreed",
            field="outcome",
        )
    if outcome != "narrow":
        return terms
    contract = catalog.contract_of(request.dataset)
    narrowed = _narrowed(contract, asked, wanted, limits)
    if narrowed == terms:
        raise InvalidInput(_("与申请内容相同；不作限缩时选择“同意”"), code="not_narrower")
    Terms.of(contract, narrowed["items"], narrowed["row_condition"])
    refuse_unanswerable(narrowed["mode"], narrowed["items"], contract)
    return narrowed


def takes_away(
    request: SharingRequest,
    asked: Decision,
    *,
    wanted: Mapping[str, Any],
    limits: Mapping[str, Any],
) -> bool:
    """Say whether the terms, as `decided_terms` takes them, are narrower than what was asked."""
    contract = catalog.contract_of(request.dataset)
    return _narrowed(contract, asked, wanted, limits) != terms_of(asked)


def _narrowed(
    contract: Contract, asked: Decision, wanted: Mapping[str, Any], limits: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        **terms_of(asked),
        "items": narrowed_items(asked.items, wanted["items"]),
        "row_condition": narrower_rows(contract, asked.row_condition, wanted["row_condition"]),
        "mode": narrower_mode(asked.mode, wanted["mode"]),
        "ends_on": _earlier(asked, wanted["ends_on"]),
        **narrower_limits(asked, limits),
    }


def narrowed_items(
    asked: Sequence[dict[str, str]], items: Sequence[str] | Mapping[str, str] | None
) -> list[dict[str, str]]:
    """Return the items as they stand, cut down to those chosen, masks added or hiding all.

    A mask stays or hides all: of two others nobody can say which shows less.

    Raises:
        InvalidInput: an item is not among them, or a mask shows something else.
    """
    if items is None:
        return list(asked)
    unknown = set(items) - {entry["name"] for entry in asked}
    if unknown:
        raise InvalidInput(
            _("“%(item)s”不在原来的数据项内") % {"item": min(unknown)},
            code="wider_than_asked",
            field="items",
        )
    chosen_masks = items if isinstance(items, Mapping) else {}
    kept = []
    for entry in asked:
        if entry["name"] not in items:
            continue
        mask = chosen_masks.get(entry["name"], entry["mask"])
        if entry["mask"] and mask not in (entry["mask"], HIDE):
            raise InvalidInput(
                _("“%(item)s”已经脱敏，只能维持原样或者全部隐藏") % {"item": entry["label"]},
                code="wider_than_asked",
                field="items",
            )
        kept.append({**entry, "mask": mask})
    return kept


def masks_left(item: DataItem | None, mask: str) -> list[Mask]:
    """Return the masks that `narrowed_items` takes for an item that stands under this one."""
    if item is None:
        return []
    return [each for each in masks_for(item.data_type) if not mask or each.name in (mask, HIDE)]


def narrower_rows(
    contract: Contract,
    asked: list[dict[str, Any]],
    row_condition: Sequence[dict[str, Any]] | None,
) -> list[dict[str, Any]]:
    """Conditions are joined by AND: keeping every one that was asked can only take rows away."""
    if row_condition is None:
        return asked
    written = [c.to_json() for c in conditions.parse(row_condition, contract.columns)]
    return [*asked, *(entry for entry in written if entry not in asked)]


def _earlier(asked: Decision, ends_on: date | None) -> date:
    if ends_on is None:
        return asked.ends_on
    if not asked.starts_on < ends_on <= asked.ends_on:
        raise InvalidInput(
            _("截止日期须在申请的使用时限之内"), code="wider_than_asked", field="ends_on"
        )
    return ends_on
