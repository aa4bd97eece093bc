"""Leave a service alone that fails, and do not let a slow one take the portal's threads.

After five failures in a row nobody calls for half a minute, then one may try; each further failure
doubles the rest, up to ten minutes. The periodic probe ends it as well as a call.

Source: house rule (issue 5: circuit breaker)
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.sharing.gateway.forwarding.refusals import ProviderResting
from apps.sharing.gateway.refusals import Busy
from apps.sharing.models import Interface

TOLERATED: Final = 5
FIRST_REST: Final = timedelta(seconds=30)
LONGEST_REST: Final = timedelta(minutes=10)
MOST_AT_ONCE: Final = 4  # of one service, in one process

_places: dict[int, threading.BoundedSemaphore] = {}
_guard = threading.Lock()


@contextmanager
def place(interface: Interface, *, at: datetime) -> Iterator[None]:
    """Hold a place for one call.

    Raises:
        ProviderResting: it is being left alone, or out of its hours.
        Busy: as many calls of it as may be are under way.
    """
    _require_open(interface, at)
    with _guard:
        places = _places.setdefault(interface.pk, threading.BoundedSemaphore(MOST_AT_ONCE))
    if not places.acquire(blocking=False):
        raise Busy
    try:
        yield
    finally:
        places.release()


def succeeded(interface: Interface) -> None:
    if interface.failures or interface.rests_until is not None:
        Interface.objects.filter(pk=interface.pk).update(failures=0, rests_until=None)


def failed(interface: Interface, *, at: datetime) -> None:
    """Count a failure; from the fifth in a row on the service rests."""
    Interface.objects.filter(pk=interface.pk).update(failures=F("failures") + 1)
    count = Interface.objects.values_list("failures", flat=True).get(pk=interface.pk)
    if count >= TOLERATED:
        Interface.objects.filter(pk=interface.pk).update(rests_until=at + rest_after(count))


def rest_after(failures: int) -> timedelta:
    """Return how long a service rests after so many failures in a row."""
    doubled: timedelta = FIRST_REST * 2 ** min(failures - TOLERATED, 10)
    return min(LONGEST_REST, doubled)


def is_within_hours(interface: Interface, at: datetime) -> bool:
    """Say whether the service is open at the moment."""
    opens, closes = interface.hours_from, interface.hours_to
    if opens is None or closes is None:
        return True
    now = timezone.localtime(at).time()
    return opens <= now < closes if opens <= closes else now >= opens or now < closes


def _require_open(interface: Interface, at: datetime) -> None:
    if interface.rests_until is not None and interface.rests_until > at:
        wait = max(1, ceil((interface.rests_until - at).total_seconds()))
        raise ProviderResting(_("提供部门的接口连续失败，暂停转发；稍后再试"), wait=wait)
    if not is_within_hours(interface, at):
        raise ProviderResting(
            _("提供部门的接口在 %(opens)s—%(closes)s 提供服务")
            % {
                "opens": f"{interface.hours_from:%H:%M}",
                "closes": f"{interface.hours_to:%H:%M}",
            },
            wait=_until_opening(interface, at),
        )


def _until_opening(interface: Interface, at: datetime) -> int:
    local = timezone.localtime(at)
    assert interface.hours_from is not None
    opening = datetime.combine(local.date(), interface.hours_from, tzinfo=local.tzinfo)
    if opening <= local:
        opening += timedelta(days=1)
    return max(1, ceil((opening - local).total_seconds()))
