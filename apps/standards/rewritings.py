"""What a normaliser did to a value, told from the value before and after: SQL of DuckDB.

A value may show several at once (full width and a thousand separator). Asked only of values that
differ, so the conditions need not be quick.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.standards.normalisers import BLANKS, NORMALISERS

OTHER = "other"


@dataclass(frozen=True, slots=True)
class Rewriting:
    """`shown`: SQL that is true where `{raw}` became `{kept}` in this way; never NULL."""

    name: str
    label: str | Promise
    shown: str

    def shown_between(self, raw: str, kept: str) -> str:
        return self.shown.replace("{raw}", raw).replace("{kept}", kept)


_CLEAN = "norm_trim(norm_half_width({raw}))"
_ALL = (
    Rewriting("half_width", _("全角转半角"), "regexp_matches({raw}, '[\uff01-\uff5e\u3000]')"),
    Rewriting(
        "trim",
        _("去首尾空白"),
        rf"regexp_matches({{raw}}, '^[\s{BLANKS}]|[\s{BLANKS}]$')",
    ),
    Rewriting("upper", _("转大写"), "{raw} <> upper({raw})"),
    Rewriting(
        "inner_spaces",
        _("去中间的空格和连字符"),
        rf"regexp_matches({_CLEAN}, '[\s-]')",
    ),
    Rewriting("country_code", _("去国家代码"), r"regexp_matches({raw}, '^\D*(?:\+|00)86')"),
    Rewriting("thousands", _("去千位分隔符"), "regexp_matches({raw}, '[,，]')"),
    Rewriting(
        "unit",
        _("换算单位"),
        "NOT regexp_full_match(norm_number({raw}), '[-+0-9.,eE]+')",
    ),
    Rewriting("scientific", _("还原科学计数法"), r"regexp_matches({raw}, '[0-9０-９][eEＥｅ]')"),
    Rewriting(
        "zeros",
        _("补前导零"),
        f"coalesce(starts_with({{kept}}, '0') AND strlen({{kept}}) > strlen({_CLEAN}), false)",
    ),
    Rewriting(
        "identity_18",
        _("15 位升 18 位"),
        "coalesce(strlen({kept}) = 18 AND strlen(norm_identifier({raw})) = 15, false)",
    ),
    Rewriting("date", _("统一日期写法"), f"{_CLEAN} IS DISTINCT FROM {{kept}}"),
    Rewriting("boolean", _("统一逻辑值写法"), "true"),
    Rewriting(OTHER, _("统一写法"), "false"),
)
REWRITINGS: dict[str, Rewriting] = {rewriting.name: rewriting for rewriting in _ALL}


def rewritings_of(normalisers: Sequence[str]) -> list[Rewriting]:
    """Return what these normalisers may do to a value, in order, without doubles."""
    names = [effect for name in normalisers for effect in NORMALISERS[name].effects]
    return [REWRITINGS[name] for name in dict.fromkeys(names)]
