"""From which address a call comes, as far as that can be known."""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings


def address_of(meta: Mapping[str, Any]) -> str | None:
    """Return the caller's address, None where the server listens on a socket and knows none.

    Behind a reverse proxy that the operator named it is the one that this proxy saw; what callers
    themselves put before it in the header proves nothing.
    """
    address = _address(meta.get("REMOTE_ADDR"))
    if address is not None and _is_trusted(address, tuple(settings.HUILIU_TRUSTED_PROXIES)):
        seen = meta.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2]
        address = _address(seen.strip()) or address
    return address


@lru_cache(maxsize=4096)
def _address(text: str | None) -> str | None:
    """Return the address as it is written shortest, None of what is none.

    By which of its own links (`%eth0`) a machine nearby was heard is no part of its address.
    """
    try:
        return str(ipaddress.ip_address((text or "").partition("%")[0]))
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _is_trusted(address: str, networks: tuple[str, ...]) -> bool:
    held = ipaddress.ip_address(address)
    return any(held in ipaddress.ip_network(network) for network in networks)
