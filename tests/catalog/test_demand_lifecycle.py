"""Every pair of status and move of a demand, legal and illegal; clocks and to-dos go along."""

from datetime import datetime
from typing import Any, Final

import pytest

from apps.catalog.lifecycle import DEMAND
from apps.catalog.models import Demand, DemandStatus
from apps.catalog.operations import demands
from apps.clocks.models import Clock
from apps.clocks.queries import running
from apps.core.errors import IllegalMove, NotAllowed, StaleRevision
from apps.ledger import queries as ledger
from apps.ledger.models import Event
from tests.catalog.demand_stories import PROMISED, REASON, STORIES, Parties, entry_of

PAIRS = [(status, move.name) for status in DemandStatus.values for move in DEMAND.moves]
ACTOR_OF: Final = {
    **dict.fromkeys(["submit", "recall", "take_up", "contest", "close", "withdraw"], "editor"),
    "approve": "head",
    **dict.fromkeys(["forward", "point_out"], "officer"),
    **dict.fromkeys(["propose", "fulfil"], "provider"),
    **dict.fromkeys(["send_back_proposal", "agree", "refuse", "disown"], "provider_head"),
}
PROPOSAL_OF: Final = {"agree": "agree", "refuse": "refuse", "disown": "disown"}
BY_PLATFORM: Final = {"deliver", "resume"}


def in_status(status: str, parties: Parties, at: datetime, move: str = "") -> Demand:
    if status == "awaiting_signature":
        return STORIES[status](parties, at, PROPOSAL_OF.get(move, "agree"))
    return STORIES[status](parties, at)


def do(name: str, demand: Demand, parties: Parties, at: datetime, **more: Any) -> Demand:
    words: dict[str, Any] = {"reason": REASON} if DEMAND.move(name).reason else {}
    if name in BY_PLATFORM:
        return getattr(demands, name)(demand=demand, at=at, **words)  # type: ignore[no-any-return]
    who = ACTOR_OF.get(name) or ("head" if demand.status == "awaiting_head" else "officer")
    if name == "forward":
        words["provider"] = parties.provider.department
    if name in ("point_out", "take_up", "fulfil"):
        words["dataset"] = more.pop("dataset", None) or entry_of(parties)
    if name == "propose":
        words |= {"proposal": "agree", "outcome": "new_entry", "promised_on": PROMISED}
    return getattr(demands, name)(  # type: ignore[no-any-return]
        demand=demand, actor=getattr(parties, who), at=at, **words, **more
    )


def picture(demand: Demand) -> tuple[Any, ...]:
    return (
        Demand.objects.filter(pk=demand.pk).values().get(),
        demand.history.count(),
        list(Clock.objects.order_by("pk").values_list("pk", "state", "due_at")),
        Event.objects.filter(outcome="done").count(),
        list(ledger.open_todos_of(demand).order_by("pk").values_list("kind", flat=True)),
    )


@pytest.mark.parametrize(("status", "name"), PAIRS)
def test_it_moves_only_along_the_table(
    status: str, name: str, parties: Parties, at: datetime
) -> None:
    demand = in_status(status, parties, at, name)
    assert demand.status == status
    entry_of(parties)
    before = picture(demand)
    move = DEMAND.move(name)
    if status in move.sources:
        do(name, demand, parties, at)
        demand.refresh_from_db()
        assert demand.status == move.target
        assert demand.revision == before[0]["revision"] + 1
        assert demand.history.count() == before[1] + 1
        assert Event.objects.filter(outcome="done").count() == before[3] + 1
        return
    if name in BY_PLATFORM:
        do(name, demand, parties, at)  # repeat-safe: not its turn, so nothing
    else:
        with pytest.raises((IllegalMove, NotAllowed)):
            do(name, demand, parties, at)
    assert picture(demand) == before


@pytest.mark.parametrize("status", sorted(STORIES))
def test_whoever_owes_the_next_step_has_it_among_his_todos(
    status: str, parties: Parties, at: datetime
) -> None:
    demand = in_status(status, parties, at)
    todos = list(ledger.open_todos_of(demand))
    owed_by = {
        "awaiting_head": parties.head.department,
        "returned": parties.editor.department,
        "submitted": parties.officer.department,
        "forwarded": parties.provider.department,
        "awaiting_signature": parties.provider.department,
        "agreed": parties.provider.department,
        "fulfilled": parties.editor.department,
        "refused": parties.editor.department,
    }
    expected = [owed_by[status]] if status in owed_by else []
    assert [todo.department for todo in todos] == expected


CLOCK_OF: Final = {
    "submitted": "demand.review",
    "forwarded": "demand.reply",
    "awaiting_signature": "demand.reply",
    "agreed": "demand.fulfil",
}


@pytest.mark.parametrize("status", sorted(STORIES))
def test_the_clock_of_a_status_runs_and_no_other(
    status: str, parties: Parties, at: datetime
) -> None:
    demand = in_status(status, parties, at)
    codes = [clock.policy.code for clock in running(demand)]
    assert codes == ([CLOCK_OF[status]] if status in CLOCK_OF else [])


def test_the_provider_who_disowns_it_gives_the_authority_a_new_clock(
    parties: Parties, at: datetime
) -> None:
    demand = STORIES["awaiting_signature"](parties, at, "disown")
    demands.disown(demand=demand, actor=parties.provider_head, at=at)
    assert [clock.policy.code for clock in running(demand)] == ["demand.review"]
    assert demand.reply == "应由市残联提供"


def test_it_refuses_what_was_decided_on_an_old_page(parties: Parties, at: datetime) -> None:
    demand = STORIES["awaiting_signature"](parties, at)
    with pytest.raises(StaleRevision):
        demands.agree(
            demand=demand, actor=parties.provider_head, at=at, revision=demand.revision - 1
        )
    demand.refresh_from_db()
    assert demand.status == "awaiting_signature"
