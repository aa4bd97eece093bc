"""Where the portal may connect to, and secrets that a copy of the database does not give away."""

from typing import Any

import pytest

from apps.core import outbound, secrets
from apps.core.outbound import AddressRefused, HostUnknown


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0",
        "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
        "ff02::1", "::127.0.0.1", "::ffff:0:7f00:1", "64:ff9b:1::7f00:1", "fec0::1", "nonsense",
    ],
)  # fmt: skip
def test_what_is_not_public_is_refused(settings: Any, address: str) -> None:
    settings.HUILIU_PULL_ALLOW = []
    assert not outbound.is_allowed(address)


@pytest.mark.parametrize("address", ["223.5.5.5", "2400:3200::1", "::ffff:223.5.5.5"])
def test_what_is_public_is_allowed(settings: Any, address: str) -> None:
    settings.HUILIU_PULL_ALLOW = []
    assert outbound.is_allowed(address)


def test_the_operator_allows_networks(settings: Any) -> None:
    settings.HUILIU_PULL_ALLOW = ["10.20.0.0/16", "fd00::/64"]
    assert outbound.is_allowed("10.20.3.4")
    assert outbound.is_allowed("::ffff:10.20.3.4")
    assert outbound.is_allowed("fd00::9")
    assert not outbound.is_allowed("10.21.0.1")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f000001", "0"])
def test_every_way_to_write_this_machine_is_refused(settings: Any, host: str) -> None:
    settings.HUILIU_PULL_ALLOW = []
    with pytest.raises((AddressRefused, HostUnknown)):
        outbound.checked(host, 80)


def test_the_checked_address_is_what_is_connected_to(settings: Any) -> None:
    settings.HUILIU_PULL_ALLOW = ["127.0.0.0/8", "::1/128"]
    assert outbound.checked("127.0.0.1", 80).address == "127.0.0.1"


def test_a_secret_comes_back_and_does_not_stand_there(settings: Any) -> None:
    sealed = secrets.seal("口令-1")
    assert "口令" not in sealed
    assert sealed != secrets.seal("口令-1")
    assert secrets.unseal(sealed) == "口令-1"
    assert secrets.seal("") == secrets.unseal("") == ""


def test_a_former_key_still_opens_and_a_forgotten_one_does_not(settings: Any) -> None:
    sealed = secrets.seal("x")
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another-" * 10
    with pytest.raises(secrets.SecretUnreadable):
        secrets.unseal(sealed)
    settings.SECRET_KEY_FALLBACKS = [former]
    assert secrets.unseal(sealed) == "x"
