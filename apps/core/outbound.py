"""Where the portal may connect to: addresses are checked, and the checked one is connected to.

A name is resolved once; every address that it stands for must be allowed, and the connection goes
to one of those, so that a name cannot mean another machine a moment later (DNS rebinding).
Private networks are refused unless the operator lists them: in HUILIU_PULL_ALLOW where an operator
or a provider's editor has data read, in HUILIU_PUSH_ALLOW where any clerk has events sent.
"""

import http.client
import ipaddress
import math
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlsplit

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.errors import InvalidInput

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
PULL: Final = "HUILIU_PULL_ALLOW"
PUSH: Final = "HUILIU_PUSH_ALLOW"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# All that was ever given to anybody. What lies beside it is not always known as private: addresses
# of a site, and those that carry an IPv4 address within a network that translates.
_UNICAST = ipaddress.ip_network("2000::/3")


class AddressRefused(InvalidInput):
    code = "address_refused"
    default_message = _(
        "这是本机或者内网的地址，平台默认不去连接；确实要接入的，"
        "由系统管理员在 %(setting)s 中放行所在的网段"
    )

    def __init__(self, *, setting: str, **details: Any) -> None:
        super().__init__(self.default_message % {"setting": setting}, **details)


class HostUnknown(InvalidInput):
    code = "host_unknown"
    default_message = _("主机名不能解析，核对地址或者域名服务")


@dataclass(frozen=True)
class Checked:
    """A host as it was named, and the address to connect to."""

    host: str
    port: int
    address: str


def require_plain_url(url: str, *, otherwise: str | Promise) -> SplitResult:
    """Take a plain http(s) address to pieces; otherwise: what is said of one that is none.

    Raises:
        InvalidInput: another scheme, no host, a port that is none, a blank or a password within it.
    """
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and port_of(parts) > 0
    except ValueError:
        fits = False
    if not fits or parts.username is not None or not url.isprintable() or " " in url:
        raise InvalidInput(otherwise, code="url_invalid", field="url")
    return parts


def port_of(parts: SplitResult) -> int:
    """Return the port that the address names, or that is usual for its scheme.

    Raises:
        ValueError: it is no port.
    """
    return parts.port or (443 if parts.scheme == "https" else 80)


def path_of(parts: SplitResult) -> str:
    """Return path and query as a request line may carry them."""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return quote(path, safe="/?&=%+:,;@~!$'()*-._")


def checked(host: str, port: int, *, setting: str = PULL) -> Checked:
    """Resolve a host and return the address to connect to; setting names the networks allowed.

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
        if not is_allowed(address, setting=setting):
            raise AddressRefused(setting=setting, host=host, address=address)
    return Checked(host, port, addresses[0])


@contextmanager
def opened(
    place: Checked,
    *,
    is_secure: bool,
    deadline: float,
    connect_seconds: float = math.inf,
    silence_seconds: float = math.inf,
) -> Iterator[http.client.HTTPConnection]:
    """Connect to the address that was checked, under the name that was asked for.

    Every step ends by the deadline: the handshake and the headers, too. What was read until then
    may be only a part: whoever reads asks afterwards whether it is over.

    Units: deadline is a moment of time.monotonic(); connect_seconds and silence_seconds are how
    long the connection, and each read or write, may take at most.
    Raises:
        OSError, http.client.HTTPException: not reached, no right certificate, broken off, too late.
    """
    left = min(_left(deadline), connect_seconds)
    line = socket.create_connection((place.address, place.port), left)
    if is_secure:
        line = ssl.create_default_context().wrap_socket(
            line, server_hostname=place.host, do_handshake_on_connect=False
        )
    connection = http.client.HTTPConnection(place.host, place.port)
    connection.sock = line
    timer = cut_off_at(line, deadline)
    try:
        line.settimeout(min(_left(deadline), silence_seconds))
        if isinstance(line, ssl.SSLSocket):
            line.do_handshake()
        yield connection
    finally:
        timer.cancel()
        connection.close()


def _left(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def cut_off_at(line: socket.socket, deadline: float) -> threading.Timer:
    """Shut a connection down at a moment of time.monotonic(); the caller cancels what it returns.

    A socket's own timeout begins anew with every byte, so that one who trickles is waited for as
    long as he likes. After the moment what reads or writes fails, or finds the answer at its end.
    """
    timer = threading.Timer(max(deadline - time.monotonic(), 0), _shut_down, (line,))
    timer.daemon = True
    timer.start()
    return timer


def _shut_down(line: socket.socket) -> None:
    with suppress(OSError):
        # Not that of an SSLSocket, which would take its state away from who reads just now.
        socket.socket.shutdown(line, socket.SHUT_RDWR)


def is_allowed(address: str, *, setting: str = PULL) -> bool:
    """Say whether the address is public, or in a network that the operator allows."""
    try:
        meant = _meant(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    if any(meant in network for network in _allowed_networks(meant.version, setting)):
        return True
    if meant.version == 6 and meant not in _UNICAST:
        return False
    return meant.is_global and not meant.is_multicast and "%" not in address


def is_listed(address: str, *, setting: str) -> bool:
    """Say whether the address is in a network that the operator allows by name."""
    try:
        meant = _meant(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    return any(meant in network for network in _allowed_networks(meant.version, setting))


def _meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address carries, where it is only another way there."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _allowed_networks(
    version: int, setting: str
) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    networks = [ipaddress.ip_network(text) for text in getattr(settings, setting)]
    return [network for network in networks if network.version == version]
