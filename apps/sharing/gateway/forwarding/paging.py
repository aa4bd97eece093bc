"""How a provider's service is asked for one page after another, and where the next one begins.

The caller's mark says how many of the service's records were gone through, shown or not: what the
grant's condition or a filter leaves out counts as well, so that none is passed over or shown twice
as long as the service keeps its order. It is good for one revision of the interface only.

Units: places are the service's records, counted from 0.
Source: house rule (issue 5: registered interface)
"""

from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.core.errors import InvalidInput
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.cursor import ForwardedCursor, read_forwarded
from apps.sharing.gateway.forwarding.reading import MOST_ROWS
from apps.sharing.gateway.forwarding.refusals import ProviderFailed
from apps.sharing.models import Interface


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of ours begins: the service's record, and how many of its page to pass over."""

    start: int = 0
    skip: int = 0


FIRST: Final = Place()


def place_of(interface: Interface, call: Call, text: str) -> Place:
    """Return where the page begins that the caller asks for.

    Raises:
        InvalidInput: `cursor_invalid`, altered, or of a service without pages.
        ResyncRequired: of an earlier version of the grant, or revision of the interface.
    """
    if not text:
        return FIRST
    if not interface.is_paged:
        words = _("接口实时提供的这项数据只有一页")
        raise InvalidInput(words, code="cursor_invalid", field="cursor")
    start = read_forwarded(
        text,
        dataset_id=call.dataset_id,
        grant_id=call.grant_id,
        version=call.grant_version,
        interface_id=interface.pk,
        revision=interface.revision,
    ).start
    by_page = interface.paging == Interface.Paging.PAGE
    return Place(start, start % rows_of_a_page(interface) if by_page else 0)


def parameters_at(interface: Interface, place: Place) -> dict[str, str]:
    """Return what tells the service which page; nothing where it has none."""
    if not interface.is_paged:
        return {}
    rows = rows_of_a_page(interface)
    where = place.start
    if interface.paging == Interface.Paging.PAGE:
        where = interface.first_page + place.start // rows
    told = {interface.page_parameter: str(where)}
    return {**told, interface.size_parameter: str(rows)} if interface.size_parameter else told


def rows_of_a_page(interface: Interface) -> int:
    """Return how many records the service answers at most."""
    return interface.page_rows or MOST_ROWS


def require_a_page(interface: Interface, given: int) -> None:
    """Refuse an answer of more than a page: the service does not page as is said.

    Raises:
        ProviderFailed.
    """
    if given > rows_of_a_page(interface):
        raise ProviderFailed(_("一页多于登记的 %(most)s 条") % {"most": rows_of_a_page(interface)})


def following(
    interface: Interface, call: Call, place: Place, *, given: int, cut_after: int | None
) -> str | None:
    """Return the mark of the next page; None after the last one.

    given: how many records the service answered; cut_after: the place within those that were not
    passed over of the last one shown, where more were left than the caller wanted.
    """
    if not interface.is_paged:
        return None
    if cut_after is not None:
        start = place.start + cut_after + 1
    elif given >= rows_of_a_page(interface):
        start = place.start - place.skip + given
    else:
        return None
    return ForwardedCursor(
        call.dataset_id, call.grant_id, call.grant_version, interface.pk, interface.revision, start
    ).write()


def noted(place: Place) -> dict[str, Any]:
    """Return what the access record keeps of the place."""
    return {"start": place.start} if place.start else {}
