"""What a reader asked for, as the address says it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Final, Self

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import (
    DatasetStatus,
    FormatClass,
    OpeningAttribute,
    SharingAttribute,
    UpdateCycle,
)
from apps.catalog.scoring import LOSSES
from apps.core.errors import InvalidInput

YES_OR_NO: Final[dict[str, str | Promise]] = {"yes": _("有数据"), "no": _("无数据")}
BANDS: Final[dict[str, str | Promise]] = {
    "excellent": _("优（90 分以上）"),
    "good": _("良（75–89 分）"),
    "fair": _("中（60–74 分）"),
    "poor": _("差（不足 60 分）"),
}
LOWEST_SCORE: Final = {"excellent": 90, "good": 75, "fair": 60, "poor": 0}
"""The lowest score of each band, best first."""

SORTS: Final[dict[str, str | Promise]] = {
    "relevance": _("相关程度"),
    "newest": _("更新时间"),
    "name": _("名称"),
    "score": _("目录质量"),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader asked for; an empty field does not narrow.

    q: words; department: its code; classification: the beginning of a code; sharing: what an entry
    amounts to, so a conditional one that states no condition is found as unconditional; loss: what
    the entry loses points for; sort: by relevance where there are words, else the newest first.
    """

    q: str = ""
    department: str = ""
    classification: str = ""
    theme: str = ""
    sharing: str = ""
    opening: str = ""
    cycle: str = ""
    format_class: str = ""
    region: str = ""
    has_data: str = ""
    quality: str = ""
    loss: str = ""
    status: str = ""
    sort: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """Read filters from an address.

        Raises:
            InvalidInput: a filter has a value that there is not; `field` names it.
        """
        values = {field.name: query.get(field.name, "").strip() for field in fields(cls)}
        for name, allowed in _CLOSED.items():
            if values[name] and values[name] not in allowed:
                raise InvalidInput(
                    _("筛选条件 %(name)s 没有“%(value)s”这个值")
                    % {"name": name, "value": values[name]},
                    code="invalid_filter",
                    field=name,
                )
        if values["classification"] and not values["classification"].isdecimal():
            raise InvalidInput(
                _("资源分类应为数字代码"), code="invalid_filter", field="classification"
            )
        return cls(**{name: value.replace("\0", "") for name, value in values.items()})

    @classmethod
    def read_strictly(cls, query: Mapping[str, str], *, beside: Collection[str]) -> Self:
        """Read filters where a name that is not one may not go unnoticed: from a system.

        beside: other names that may stand in the address.

        Raises:
            InvalidInput: as `read`, and for a name that there is not.
        """
        known = {field.name for field in fields(cls)} | set(beside)
        unknown = sorted(set(query) - known)
        if unknown:
            raise InvalidInput(
                _("没有筛选条件“%(names)s”；可用的有 %(known)s")
                % {"names": "、".join(unknown), "known": "、".join(sorted(known))},
                code="unknown_filter",
                field=unknown[0],
            )
        return cls.read(query)

    def chosen(self) -> dict[str, str]:
        """Return the filters that narrow, by name."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) and field.name != "sort"
        }

    def without(self, name: str) -> "Filters":
        return replace(self, **{name: ""})

    @property
    def order(self) -> str:
        """What the entries are sorted by."""
        if self.sort in ("", "relevance"):
            return "relevance" if self.q else "newest"
        return self.sort


_CLOSED: Final[dict[str, Collection[str]]] = {
    "sharing": frozenset(SharingAttribute.values),
    "opening": frozenset(OpeningAttribute.values),
    "cycle": frozenset(UpdateCycle.values),
    "status": frozenset(DatasetStatus.values),
    "format_class": frozenset(FormatClass.values),
    "has_data": YES_OR_NO,
    "quality": BANDS,
    "loss": LOSSES,
    "sort": SORTS,
}


def band_of(score: int) -> str:
    """Return the band that a score falls into."""
    return next(band for band, lowest in LOWEST_SCORE.items() if score >= lowest)
