"""The matrix of demands: cast × action × status; list and row agree; a refusal changes nothing."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import pytest

from apps.catalog.models import Demand, DemandMatch
from apps.catalog.operations import demands
from apps.core import access
from apps.core.errors import NotAllowed
from tests.catalog.demand_stories import REASON, STORIES, Parties, entry_of
from tests.catalog.test_demand_lifecycle import do, in_status, picture
from tests.conftest import CAST
from tests.factories.accounts import DelegationFactory, UserFactory

EVERY: Final = frozenset(STORIES)
UNSENT: Final = frozenset({"draft", "awaiting_head"})
RECEIVED: Final = EVERY - UNSENT
FORWARDED: Final = RECEIVED - {"submitted", "returned", "requested"}
NONE: Final[frozenset[str]] = frozenset()
AGREEING: Final = frozenset({"awaiting_signature", "agreed", "fulfilled", "closed"})
# action → who → the statuses in which the scope admits him; the lifecycle narrows it further.
MATRIX: Final[dict[str, dict[str, frozenset[str]]]] = {
    "view": {
        **dict.fromkeys(["consumer", "consumer_head"], EVERY),
        **dict.fromkeys(["provider", "provider_head"], FORWARDED),
        **dict.fromkeys(["authority", "authority_leader", "auditor"], RECEIVED),
    },
    **{action: {"consumer": frozenset({"draft", "returned"})} for action in ["revise", "change"]},
    **{action: {"consumer": EVERY} for action in ["submit", "recall", "take_up"]},
    "approve": {"consumer_head": EVERY},
    "send_back": {
        "consumer_head": frozenset({"awaiting_head"}),
        "authority": frozenset({"submitted"}),
    },
    **{action: {"authority": RECEIVED} for action in ["forward", "point_out", "split"]},
    **{
        action: {"provider": FORWARDED, "provider_head": FORWARDED}
        for action in ["propose", "fulfil"]
    },
    "send_back_proposal": {"provider_head": FORWARDED},
    "agree": {"provider_head": AGREEING},
    "refuse": {"provider_head": frozenset({"refused"})},
    "disown": {"provider_head": NONE},
    **{
        action: {"consumer": EVERY, "consumer_head": EVERY}
        for action in ["close", "contest", "withdraw"]
    },
    "match": {"consumer": EVERY, "authority": RECEIVED},
    **{action: {} for action in ["deliver", "resume", "delete"]},
}


def test_the_matrix_knows_every_action() -> None:
    assert set(MATRIX) == set(access.actions_of(Demand))


@pytest.mark.parametrize("status", sorted(STORIES))
def test_who_may_do_what(parties: Parties, cast: dict[str, Any], at: datetime, status: str) -> None:
    demand = STORIES[status](parties, at)
    wrong = []
    for action, admitted in MATRIX.items():
        for name in CAST:
            expected = status in admitted.get(name, NONE)
            on_row = access.allowed(cast[name], action, demand, at=at)
            in_list = access.rows(cast[name], action, Demand, at=at).filter(pk=demand.pk).exists()
            if (on_row, in_list) != (expected, expected):
                wrong.append((name, action, on_row, in_list))
    assert wrong == []


STATUS_OF: Final = {
    "submit": "draft",
    "recall": "awaiting_head",
    "approve": "awaiting_head",
    "send_back": "submitted",
    "forward": "submitted",
    "point_out": "submitted",
    "propose": "forwarded",
    "send_back_proposal": "awaiting_signature",
    "agree": "awaiting_signature",
    "refuse": "awaiting_signature",
    "disown": "awaiting_signature",
    "fulfil": "agreed",
    "take_up": "submitted",
    "contest": "refused",
    "close": "fulfilled",
    "withdraw": "forwarded",
}
TAKING_AN_ENTRY: Final = ("point_out", "take_up", "fulfil")
ACTOR_NAMES: Final = {
    "editor": "consumer",
    "head": "consumer_head",
    "officer": "authority",
    "provider": "provider",
    "provider_head": "provider_head",
}
Act = Callable[[Demand, Any, datetime], Any]
OTHER_ACTS: Final[dict[str, tuple[str, Act]]] = {
    "revise": ("draft", lambda d, who, at: demands.revise(
        demand=d, actor=who, at=at, title="改过的名称")),
    "split": ("submitted", lambda d, who, at: demands.split(
        demand=d, items=["姓名"], title="拆出的需求", actor=who, at=at)),
    "match": ("draft", lambda d, who, at: demands.match(demand=d, actor=who, at=at)),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(STATUS_OF))
def test_who_may_not_is_refused_and_changes_nothing(
    parties: Parties, cast: dict[str, Any], at: datetime, name: str
) -> None:
    from dataclasses import replace

    demand = in_status(STATUS_OF[name], parties, at, name)
    offered = {"dataset": entry_of(parties)} if name in TAKING_AN_ENTRY else {}
    before = picture(demand)
    for who in CAST:
        if access.allowed(cast[who], name, demand, at=at):
            continue
        everybody = dict.fromkeys(ACTOR_NAMES, cast[who]) | {"provider": cast["provider"]}
        stranger = replace(parties, **everybody)
        if name in ("propose", "fulfil"):
            stranger = replace(stranger, provider=cast[who])
        with pytest.raises(NotAllowed):
            do(name, Demand.objects.get(pk=demand.pk), stranger, at, **offered)
        assert picture(demand) == before, who


@pytest.mark.parametrize("name", sorted(OTHER_ACTS))
def test_who_may_not_do_the_other_acts_is_refused(
    parties: Parties, cast: dict[str, Any], at: datetime, name: str
) -> None:
    status, act = OTHER_ACTS[name]
    demand = STORIES[status](parties, at)
    before = picture(demand)
    for who in CAST:
        if status not in MATRIX[name].get(who, NONE):
            with pytest.raises(NotAllowed):
                act(Demand.objects.get(pk=demand.pk), cast[who], at)
            assert picture(demand) == before, who


def test_only_editors_raise_demands(cast: dict[str, Any], parties: Parties, at: datetime) -> None:
    able = {who for who in CAST if access.able(cast[who], "create", Demand, at=at)}
    assert able == {"provider", "consumer", "outsider"}
    for who in set(CAST) - able:
        with pytest.raises(NotAllowed):
            demands.draft(actor=cast[who], at=at, title="某需求")
    assert not Demand.objects.exists()


def test_only_the_authority_sees_the_page_of_supply_and_demand(
    cast: dict[str, Any], at: datetime
) -> None:
    able = {who for who in CAST if access.able(cast[who], "seek_supply", Demand, at=at)}
    assert able == {"authority", "authority_leader"}


def test_who_may_see_and_decline_a_match(
    parties: Parties, cast: dict[str, Any], at: datetime
) -> None:
    demand = STORIES["submitted"](parties, at)
    match = DemandMatch.objects.create(
        demand=demand, dataset=entry_of(parties), score=0.5, proposed_at=at
    )
    seen = {who for who in CAST if access.allowed(cast[who], "view", match, at=at)}
    assert seen == {"consumer", "consumer_head", "authority", "authority_leader", "auditor"}
    may = {who for who in CAST if access.allowed(cast[who], "decline", match, at=at)}
    assert may == {"consumer", "authority"}
    for who in set(CAST) - may:
        with pytest.raises(NotAllowed):
            demands.decline(match=match, actor=cast[who], at=at, reason=REASON)
    match.refresh_from_db()
    assert match.decision == ""


def test_nobody_answers_for_a_provider_his_own_departments_demand(
    parties: Parties, at: datetime
) -> None:
    """A reform may make the wanting department the provider, too."""
    demand = STORIES["forwarded"](parties, at)
    Demand.objects.filter(pk=demand.pk).update(provider=parties.editor.department)
    with pytest.raises(NotAllowed):
        demands.propose(
            demand=demand, proposal="disown", reason=REASON, actor=parties.editor, at=at
        )


def test_a_stand_in_signs_for_his_principal(parties: Parties, at: datetime) -> None:
    demand = STORIES["awaiting_signature"](parties, at)
    deputy = UserFactory(department=parties.provider_head.department)
    with pytest.raises(NotAllowed):
        demands.agree(demand=demand, actor=deputy, at=at)
    DelegationFactory(principal=parties.provider_head, deputy=deputy)
    deputy = type(deputy).objects.get(pk=deputy.pk)
    demands.agree(demand=demand, actor=deputy, at=at)
    assert demand.decided_by == deputy
