"""Limits of a use: checked when written, and when narrowed only ever tighter."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from apps.core.contracts import Contract
from apps.core.errors import InvalidInput
from apps.sharing.models import COUNTED, LIMIT_FIELDS, Limited, Mode, limits_of

MOST_ADDRESSES: Final = 50
HIGHEST: Final = {
    "calls_a_day": 1_000_000_000,
    "rows_a_day": 1_000_000_000_000,
    "calls_a_minute": 1_000_000,
}
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def checked_limits(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the given fields that are limits, checked, addresses as networks.

    Raises:
        InvalidInput: a number that is none or out of reach, an address that is no network.
    """
    checked: dict[str, Any] = {
        name: _checked_number(name, given[name]) for name in COUNTED if name in given
    }
    if "allowed_addresses" in given:
        checked["allowed_addresses"] = checked_addresses(given["allowed_addresses"] or [])
    if "may_redistribute" in given:
        checked["may_redistribute"] = bool(given["may_redistribute"])
    return checked


def checked_addresses(texts: Sequence[str]) -> list[str]:
    """Return the networks that are written, each once.

    Raises:
        InvalidInput: names the one that is none, reaches everywhere, or has bits beside its prefix.
    """
    found = list(dict.fromkeys(str(_network(str(text).strip())) for text in texts))
    if len(found) > MOST_ADDRESSES:
        raise InvalidInput(
            _("来源地址最多写 %(limit)s 个网段") % {"limit": MOST_ADDRESSES},
            code="invalid_address",
            field="allowed_addresses",
        )
    return found


def narrower_limits(asked: Limited, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits as asked, tightened by those given.

    Raises:
        InvalidInput: one is wider than asked.
        TypeError: a name that is no limit.
    """
    unknown = set(given) - set(LIMIT_FIELDS)
    if unknown:
        raise TypeError(f"a use has no limits {sorted(unknown)}")
    narrowed = limits_of(asked) | checked_limits(given)
    for name in LIMIT_FIELDS:
        if is_wider(name, getattr(asked, name), narrowed[name]):
            label = asked._meta.get_field(name).verbose_name  # type: ignore[union-attr]
            text = _("“%(label)s”不能比原来放宽")
            words = {"label": label}
            if name in COUNTED:
                text = _("“%(label)s”不能比原来放宽，原为 %(was)s")
                words["was"] = f"{getattr(asked, name):,}"
            raise InvalidInput(
                text % words,
                code="wider_than_asked",
                field=name,
            )
    return narrowed


def narrower_mode(asked: str, mode: str | None) -> str:
    """Return the mode as asked, or verification instead of reading.

    Raises:
        InvalidInput: another mode.
    """
    if mode in (None, "", asked):
        return asked
    if mode != Mode.VERIFY:
        raise InvalidInput(
            _("共享方式只能维持原样，或者改为只供核验"), code="wider_than_asked", field="mode"
        )
    return mode


def refuse_unanswerable(
    mode: str, columns: Sequence[Mapping[str, Any]], contract: Contract
) -> None:
    """Refuse verification that could answer nothing: records are named by their whole key.

    Raises:
        InvalidInput: the key is masked or left out, or nothing beside it is there to compare.
    """
    if mode != Mode.VERIFY:
        return
    plain = {column["name"] for column in columns if not column.get("mask")}
    if not set(contract.key) <= plain:
        names = "、".join(contract.column(name).label for name in contract.key)
        raise InvalidInput(
            _("核验按主键找记录：%(names)s须列入数据项且不脱敏；核验不返回它们的值")
            % {"names": names},
            code="key_not_readable",
            field="items",
        )
    if plain == set(contract.key):
        raise InvalidInput(
            _("除主键外，至少选择一个不脱敏的数据项用来核验"), code="no_items", field="items"
        )


def _checked_number(name: str, value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= HIGHEST[name]:
        raise InvalidInput(
            _("限额写 1 至 %(limit)s 的整数，不限时留空") % {"limit": HIGHEST[name]},
            code="invalid_limit_of_use",
            field=name,
        )
    return value


def _network(text: str) -> Network:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        raise _bad_address(text, _("不是 IP 地址或网段，写法如 10.20.0.0/16")) from None
    if network.prefixlen == 0:
        raise _bad_address(text, _("等于不限；不限时留空"))
    return network


def _bad_address(text: str, why: Any) -> InvalidInput:
    return InvalidInput(
        _("来源地址“%(text)s”%(why)s") % {"text": text[:80], "why": why},
        code="invalid_address",
        field="allowed_addresses",
    )


def is_wider(name: str, asked: Any, narrowed: Any) -> bool:
    """Say whether a limit lets more through than the one asked did."""
    if name == "may_redistribute":
        return bool(narrowed and not asked)
    if name == "allowed_addresses":
        return bool(asked) and not (narrowed and all(_lies_in(one, asked) for one in narrowed))
    return asked is not None and (narrowed is None or narrowed > asked)


def _lies_in(text: str, wider: Sequence[str]) -> bool:
    network = ipaddress.ip_network(text)
    return any(
        network.version == other.version and network.subnet_of(other)  # type: ignore[arg-type]
        for other in map(ipaddress.ip_network, wider)
    )
