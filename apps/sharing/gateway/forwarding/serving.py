"""One forwarded page: asked of the provider, put through the grant, recorded, then answered.

The provider is asked before a connection of the pool is taken, so that a slow one holds none.
"""

from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core.errors import InvalidInput
from apps.ledger import access_sql
from apps.sharing.gateway import formats, pages
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.filters import FORMATS, Query
from apps.sharing.gateway.formats import Page
from apps.sharing.gateway.forwarding import asking, breaker, masking, paging, reading
from apps.sharing.gateway.forwarding.masking import Shown
from apps.sharing.gateway.forwarding.paging import Place
from apps.sharing.gateway.forwarding.reading import Row
from apps.sharing.gateway.forwarding.refusals import ForwardedOnly, ProviderFailed
from apps.sharing.gateway.wire import GatewayConnection
from apps.sharing.models import Interface, InterfaceCall


@dataclass(slots=True)
class _Asked:
    """What the access record keeps."""

    query: Query
    interface: Interface
    place: Place
    dropped: int = 0

    def to_json(self) -> dict[str, Any]:
        asked = {**self.query.to_json(), "interface": self.interface.pk}
        asked |= paging.noted(self.place)
        return {**asked, "dropped": self.dropped} if self.dropped else asked


@dataclass(frozen=True, slots=True)
class Answered:
    """The provider's rows, and how long it took. Units: milliseconds."""

    rows: list[Row]
    duration_ms: int


def interface_of(dataset_id: int) -> Interface | None:
    """Return the interface from which the dataset is served, None where there is none."""
    return Interface.objects.filter(dataset=dataset_id, status=Interface.Status.ACTIVE).first()


def refuse_forwarded(call: Call) -> None:
    """Refuse what needs rows that are kept here, where none are because they are forwarded.

    Raises:
        ForwardedOnly.
    """
    if not call.horizon and interface_of(call.dataset_id) is not None:
        raise ForwardedOnly


def read_page(call: Call, query: Query) -> Page:
    """Read a page of a dataset of which nothing ever landed: forwarded if it has an interface.

    Raises:
        ProviderFailed, ProviderResting: the provider's service has no answer now.
        FilterRequired, ConditionNotAnswered: the call, or the grant, cannot be forwarded.
        CursorInvalid, ResyncRequired: the cursor is not of this grant and interface as they are.
        and as `pages.read_page`.
    """
    interface = interface_of(call.dataset_id)
    if interface is None:
        return pages.read_page(call, query)
    if query.format != "json":
        words = _("接口实时提供的数据，格式只有 json")
        raise InvalidInput(words, code="unknown_format", field="format")
    place = paging.place_of(interface, call, query.cursor)
    terms, contract = masking.terms_of(call)
    masking.require_answerable(interface, terms, contract)
    sent = reading.parameters_of(interface, query.conditions)
    sent |= paging.parameters_at(interface, place)
    answered = ask(interface, sent, kind=InterfaceCall.Kind.CALL, contract=contract, at=call.at)
    asked = _Asked(query, interface, place)
    page = pages.guarded(call, lambda connection: _served(connection, call, asked, answered.rows))
    log(interface, InterfaceCall.Kind.CALL, call.at, answered.duration_ms, rows=page.rows,
        dropped=asked.dropped)  # fmt: skip
    return page


def ask(
    interface: Interface,
    parameters: dict[str, str],
    *,
    kind: str,
    contract: Any,
    at: datetime,
) -> Answered:
    """Ask the service and take the rows out of its answer; write a failure down.

    Failures count for the breaker, unless somebody only tries it; calls ask it first.

    Raises:
        ProviderFailed, ProviderResting, Busy.
    """
    is_watched = kind != InterfaceCall.Kind.TRY
    begun = monotonic()
    try:
        if kind == InterfaceCall.Kind.CALL:
            with breaker.place(interface, at=at):
                begun = monotonic()
                body = asking.ask(interface, parameters)
        else:
            body = asking.ask(interface, parameters)
        rows = reading.rows_of(interface, body, contract.columns)
        paging.require_a_page(interface, len(rows))
    except ProviderFailed as failure:
        if is_watched:
            breaker.failed(interface, at=timezone.now())
        log(interface, kind, at, _since(begun), outcome=failure.code, words=failure.words)
        raise
    if is_watched:
        breaker.succeeded(interface)
    return Answered(rows, _since(begun))


def log(
    interface: Interface,
    kind: str,
    at: datetime,
    duration_ms: int,
    *,
    rows: int | None = None,
    dropped: int = 0,
    outcome: str = "",
    words: str = "",
) -> None:
    """Write a call of the service down, for its availability and the reasons."""
    InterfaceCall.objects.create(
        interface=interface,
        kind=kind,
        at=at,
        duration_ms=duration_ms,
        rows=rows,
        dropped=dropped,
        outcome=outcome,
        words=words[:300],
    )


def _served(connection: GatewayConnection, call: Call, asked: _Asked, rows: list[Row]) -> Page:
    pages.begin_as(connection, call.role)
    place = asked.place
    shown = masking.shown(connection, call, asked.query, rows[place.skip :])
    asked.dropped = shown.dropped
    following = paging.following(
        asked.interface, call, place, given=len(rows), cut_after=shown.cut_after
    )
    body = formats.ENCODER.encode(_envelope(call, asked.query, shown, following))
    pages.refuse_if_over(call, at=timezone.now())
    pages.record_alone(
        connection, access_sql.PAGE, call, asked,
        kind="page", rows=len(shown.rows), bytes=len(body), first_id=None, last_id=None,
    )  # fmt: skip
    return Page(body, FORMATS["json"], len(shown.rows), None, None, following)


def _envelope(call: Call, query: Query, shown: Shown, following: str | None) -> dict[str, Any]:
    names, rows = [field.name for field in query.fields], shown.rows
    answer = {**formats.grant_of(call), "forwarded": True, "count": len(rows), "next": following}
    answer["is_complete"] = following is None and shown.cut_after is None
    if query.shape == "arrays":
        return {**answer, "columns": names, "data": rows}
    return {**answer, "data": [dict(zip(names, row, strict=True)) for row in rows]}


def _since(begun: float) -> int:
    return round((monotonic() - begun) * 1000)
