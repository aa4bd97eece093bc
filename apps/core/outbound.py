"""Where the portal may connect to: addresses are checked, and the checked one is connected to.

A name is resolved once; every address that it stands for must be allowed, and the connection goes
to one of those, so that a name cannot mean another machine a moment later (DNS rebinding).
Private networks are refused unless the operator lists them in HUILIU_PULL_ALLOW.
"""

import ipaddress
import socket
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.core.errors import InvalidInput

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(InvalidInput):
    code = "address_refused"
    default_message = _(
        "这是本机或者内网的地址，平台默认不去连接；确实要接入的，"
        "由系统管理员在 HUILIU_PULL_ALLOW 中放行所在的网段"
    )


class HostUnknown(InvalidInput):
    code = "host_unknown"
    default_message = _("主机名不能解析，核对地址或者域名服务")


@dataclass(frozen=True)
class Checked:
    """A host as it was named, and the address to connect to."""

    host: str
    port: int
    address: str


def checked(host: str, port: int) -> Checked:
    """Resolve a host and return the address to connect to.

    Raises:
        HostUnknown: it stands for no address.
        AddressRefused: one of its addresses is not allowed.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise HostUnknown(host=host) from error
    addresses = [str(sockaddr[0]) for _family, _type, _proto, _name, sockaddr in found]
    for address in addresses:
        if not is_allowed(address):
            raise AddressRefused(host=host, address=address)
    return Checked(host, port, addresses[0])


def is_allowed(address: str) -> bool:
    """Say whether the address is public, or in a network that the operator allows."""
    try:
        meant = _meant(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    if any(meant in network for network in _allowed_networks(meant.version)):
        return True
    return meant.is_global and not meant.is_multicast and "%" not in address


def _meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address carries, where it is only another way there."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _allowed_networks(version: int) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    networks = [ipaddress.ip_network(text) for text in settings.HUILIU_PULL_ALLOW]
    return [network for network in networks if network.version == version]
