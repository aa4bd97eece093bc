"""Cast × action × status of responsibility lists and duties, and the law's lists."""

from datetime import datetime
from typing import Any, Final

import pytest

from apps.catalog.models import Duty, LegalDuty, ResponsibilityList, ServiceItem
from apps.catalog.operations import compiling, duties, performing, responsibility, splitting
from apps.core import access
from apps.core.errors import NotAllowed
from apps.ledger.models import Event
from tests.catalog.duty_stories import ANSWER_BY, DUTIES, LISTS, Side
from tests.conftest import CAST

pytestmark = pytest.mark.django_db

EVERY: Final = frozenset(LISTS)
SHOWN: Final = EVERY - {"compiling"}
OVERSEERS: Final = ("authority", "authority_leader", "auditor")
OFFICER: Final = {"authority": EVERY}
LIST_MATRIX: Final[dict[str, dict[str, frozenset[str]]]] = {
    "view": {
        **dict.fromkeys(OVERSEERS, EVERY),
        **dict.fromkeys(["provider", "provider_head"], SHOWN),
    },
    **dict.fromkeys(["revise", "consult", "recall", "issue", "adjust", "close"], OFFICER),
    "reply": {"provider_head": EVERY},
}
STAFF: Final = ("provider", "provider_head")
DUTY_MATRIX: Final[dict[str, tuple[str, ...]]] = {
    "view": (*OVERSEERS, *STAFF),
    "accept": STAFF,
    "raise_objection": STAFF,
    "split": STAFF,
    "perform": ("provider",),
    **dict.fromkeys(["settle", "drop", "verify", "return_performance", "release"], ("authority",)),
}


@pytest.fixture
def side(authority: Any, provider: Any, provider_head: Any) -> Side:
    return Side(officer=authority, editor=provider, head=provider_head)


def test_the_matrices_know_every_action() -> None:
    assert set(LIST_MATRIX) == set(access.actions_of(ResponsibilityList))
    assert set(DUTY_MATRIX) == set(access.actions_of(Duty))


@pytest.mark.parametrize("status", sorted(LISTS))
def test_who_may_do_what_with_a_list(
    side: Side, cast: dict[str, Any], at: datetime, status: str
) -> None:
    found = LISTS[status](side, at)
    wrong = [
        (name, action)
        for action, admitted in LIST_MATRIX.items()
        for name in CAST
        if access.allowed(cast[name], action, found, at=at)
        is not (status in admitted.get(name, frozenset()))
    ]
    assert wrong == []


@pytest.mark.parametrize("status", sorted(DUTIES))
def test_who_may_do_what_with_a_duty(
    side: Side, cast: dict[str, Any], at: datetime, status: str
) -> None:
    duty = DUTIES[status](side, at)
    wrong = []
    for action, admitted in DUTY_MATRIX.items():
        for name in CAST:
            on_row = access.allowed(cast[name], action, duty, at=at)
            in_list = access.rows(cast[name], action, Duty, at=at).filter(pk=duty.pk).exists()
            if (on_row, in_list) != ((name in admitted),) * 2:
                wrong.append((name, action, on_row, in_list))
    assert wrong == []


def test_a_department_sees_nothing_of_what_is_compiled(
    side: Side, cast: dict[str, Any], at: datetime
) -> None:
    found = LISTS["compiling"](side, at)
    seen = {name for name in CAST if access.rows(cast[name], "view", Duty, at=at).exists()}
    assert seen == set(OVERSEERS)
    assert found.duties.exists()


def _acts(side: Side, at: datetime) -> dict[str, tuple[Any, set[str], Any]]:
    """Every operation: the row it is done to, who may, and the call."""
    found = LISTS["consulting"](side, at)
    duty = found.duties.get()
    given: dict[str, Any] = {"responsibility_list": found, "at": at}
    return {
        "consult": (found, {"authority"}, lambda who: responsibility.consult(
            consult_due_on=ANSWER_BY, actor=who, **given)),
        "recall": (found, {"authority"}, lambda who: responsibility.recall(
            actor=who, reason="理由", **given)),
        "issue": (found, {"authority"}, lambda who: responsibility.issue(actor=who, **given)),
        "adjust": (found, {"authority"}, lambda who: compiling.adjust(actor=who, **given)),
        "close": (found, {"authority"}, lambda who: responsibility.close(
            actor=who, reason="理由", **given)),
        "reply": (found, {"provider_head"}, lambda who: responsibility.reply(actor=who, **given)),
        "revise": (found, {"authority"}, lambda who: duties.revise_duties(
            actor=who, changes={duty.pk: {"expected_rows": 9}}, **given)),
        "add": (found, {"authority"}, lambda who: duties.add_duty(
            actor=who, title="新事项", **given)),
        "accept": (duty, set(STAFF), lambda who: duties.accept(duty=duty, actor=who, at=at)),
        "accept_many": (duty, set(STAFF), lambda who: duties.accept_duties(
            duties=[duty], actor=who, at=at)),
        "object": (duty, set(STAFF), lambda who: duties.raise_objection(
            duty=duty, actor=who, at=at, reason="理由")),
        "settle": (duty, {"authority"}, lambda who: duties.settle(
            duty=duty, actor=who, at=at, reason="理由")),
        "drop": (duty, {"authority"}, lambda who: duties.drop(
            duty=duty, actor=who, at=at, reason="理由")),
        "perform": (duty, {"provider"}, lambda who: performing.perform(
            duty=duty, actor=who, at=at, evidence="已入库")),
        "verify": (duty, {"authority"}, lambda who: performing.verify(
            duty=duty, actor=who, at=at)),
        "return": (duty, {"authority"}, lambda who: performing.return_performance(
            duty=duty, actor=who, at=at, reason="理由")),
        "release": (duty, {"authority"}, lambda who: performing.release(
            duty=duty, actor=who, at=at, reason="理由")),
        "split": (duty, set(STAFF), lambda who: splitting.split_duty(
            duty=duty, actor=who, at=at,
            parts=[splitting.Part(side.department, internal_unit="救助处")])),
    }  # fmt: skip


def test_who_may_not_is_refused_and_changes_nothing(
    side: Side, cast: dict[str, Any], at: datetime
) -> None:
    acts = _acts(side, at)

    def picture() -> Any:
        return (
            list(ResponsibilityList.objects.order_by("pk").values()),
            list(Duty.objects.order_by("pk").values()),
            Event.objects.filter(outcome="done").count(),
        )

    before = picture()
    for name, (_row, admitted, act) in acts.items():
        for who in set(CAST) - admitted:
            with pytest.raises(NotAllowed):
                act(cast[who])
            assert picture() == before, (name, who)


def test_only_the_authority_compiles(side: Side, cast: dict[str, Any], at: datetime) -> None:
    for who in set(CAST) - {"authority"}:
        with pytest.raises(NotAllowed):
            compiling.compile_lists(year=2026, batch="第一批", actor=cast[who], at=at)
    assert not ResponsibilityList.objects.exists()


def test_the_laws_lists_are_read_by_every_member_and_brought_in_by_few(
    cast: dict[str, Any], at: datetime
) -> None:
    for model in (LegalDuty, ServiceItem):
        able = {name for name in CAST if access.able(cast[name], "import", model, at=at)}
        assert able == {"authority", "provider", "consumer", "outsider"}
        assert set(access.actions_of(model)) == {"view"}
        assert not access.rows(cast["citizen"], "view", model).exists()
