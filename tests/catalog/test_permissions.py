"""The matrix: cast × action × status; list and row agree; a refusal changes nothing."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

import pytest

from apps.accounts.models import User
from apps.catalog import operations as catalog
from apps.catalog.lifecycle import DATASET
from apps.catalog.models import Classification, Dataset
from apps.core import access
from apps.core.errors import NotAllowed
from apps.ledger.models import Event
from tests.catalog.stories import STORIES, People
from tests.conftest import CAST
from tests.factories.accounts import DelegationFactory, UserFactory
from tests.factories.catalog import ClassificationFactory, DatasetFactory

EVERY: Final = frozenset(STORIES)
EDITABLE: Final = frozenset({"draft", "returned"})
IN_FORCE: Final = frozenset({"published", "withdrawal_requested"})
OVERSEERS: Final = ("authority", "authority_leader", "auditor")
OTHERS: Final = ("consumer", "consumer_head", "outsider", "system_admin", "security_admin")
# action → who → the statuses in which the scope admits him; the lifecycle narrows it further.
MATRIX: Final[dict[str, dict[str, frozenset[str]]]] = {
    "view": {
        **dict.fromkeys(["provider", "provider_head", *OVERSEERS], EVERY),
        **dict.fromkeys(OTHERS, IN_FORCE),
    },
    "administer": dict.fromkeys(["provider", "provider_head", *OVERSEERS], EVERY),
    "revise": {"provider": EVERY},
    "record_assessment": {"provider": EVERY},
    "begin_change": {"provider": EVERY},
    "submit": {"provider": EVERY},
    "change": {"provider": EDITABLE},
    "delete_draft": {"provider": frozenset({"draft"})},
    "approve": {"provider_head": EVERY},
    "request_withdrawal": {"provider_head": EVERY},
    "delegate_manage": {"provider_head": EVERY},
    "delegate_review": {"provider_head": EVERY},
    "end_delegation": {"provider_head": EVERY},
    "send_back": {
        "provider_head": frozenset({"awaiting_head"}),
        "authority": frozenset({"submitted"}),
    },
    "publish": {"authority": EVERY},
    "withdraw": {"authority": EVERY},
    "decline_withdrawal": {"authority": EVERY},
}
# What other apps let people do with an entry is theirs to test, reporting upward test_upward's.
# Proved in the matrices of the apps that these actions belong to.
ELSEWHERE: Final = {
    *("view_landing", "land", "confirm_no_change", "register_source", "open_exchange"),
    *("add_quality_rule", "check_quality", "view_quality"),
    *("raise_correction", "look_up_own_row"),
    *("map_upward", "keep_templates", "register_interface", "declare_region_item"),
    *("announce_stop", "explain", "explain_record"),
}


def test_the_matrix_knows_every_action() -> None:
    assert set(MATRIX) == set(access.actions_of(Dataset)) - ELSEWHERE


@pytest.mark.parametrize("status", sorted(STORIES))
def test_who_may_do_what(people: People, cast: dict[str, Any], at: datetime, status: str) -> None:
    dataset = STORIES[status](people, at)
    wrong = []
    for action, admitted in MATRIX.items():
        for name in CAST:
            expected = status in admitted.get(name, frozenset())
            on_row = access.allowed(cast[name], action, dataset, at=at)
            in_list = access.rows(cast[name], action, Dataset, at=at).filter(pk=dataset.pk).exists()
            if (on_row, in_list) != (expected, expected):
                wrong.append((name, action, on_row, in_list))
    assert wrong == []


Act = Callable[[Dataset, Any, datetime], Any]


def _moving(name: str) -> Act:
    def act(dataset: Dataset, actor: Any, at: datetime) -> Any:
        words = {"reason": "理由"} if DATASET.move(name).reason else {}
        return getattr(catalog, name)(dataset=dataset, actor=actor, at=at, **words)

    return act


def _assess(dataset: Dataset, actor: Any, at: datetime) -> Any:
    return catalog.record_assessment(
        dataset=dataset,
        actor=actor,
        at=at,
        kind="secrecy",
        conclusion="passed",
        assessed_on=date(2026, 11, 1),
        assessor="保密办",
    )


ACTS: Final[dict[str, tuple[str, Act]]] = {
    **{
        move.name: (move.sources[0], _moving(move.name))
        for move in DATASET.moves
    },
    "revise": ("draft", lambda d, who, at: catalog.revise_dataset(
        dataset=d, actor=who, at=at, abstract="改过的摘要")),
    "record_assessment": ("draft", _assess),
    "delete_draft": ("draft", lambda d, who, at: catalog.delete_draft(
        dataset=d, actor=who, at=at)),
    "begin_change": ("published", lambda d, who, at: catalog.begin_change(
        dataset=d, actor=who, at=at, fields={"abstract": "改过的摘要"})),
    "delegate_manage": ("draft", lambda d, who, at: catalog.delegate_manage(
        dataset=d, to=who, actor=who, at=at)),
    "delegate_review": ("draft", lambda d, who, at: catalog.delegate_review(
        dataset=d, to=who, actor=who, at=at)),
    "end_delegation": ("draft", lambda d, who, at: catalog.end_delegation(
        dataset=d, right="manage_dataset", to=who, actor=who, at=at)),
}  # fmt: skip


def picture(dataset: Dataset) -> tuple[Any, ...]:
    """Everything that an act could leave behind."""
    return (
        Dataset.objects.filter(pk=dataset.pk).values().get(),
        list(dataset.items.order_by("pk").values()),
        list(dataset.assessments.order_by("pk").values()),
        dataset.history.count(),
        dataset.versions.count(),
        dataset.changes.count(),
        dataset.review_rounds.count(),
        list(dataset.group_permissions.values_list("pk", flat=True)),
        list(dataset.user_permissions.values_list("pk", flat=True)),
        Event.objects.filter(outcome="done").count(),
    )


@pytest.mark.parametrize("name", sorted(ACTS))
def test_who_may_not_is_refused_and_changes_nothing(
    people: People, cast: dict[str, Any], at: datetime, name: str
) -> None:
    status, act = ACTS[name]
    dataset = STORIES[status](people, at)
    before = picture(dataset)
    admitted = {who for who, statuses in MATRIX[name].items() if status in statuses}
    for who in set(CAST) - admitted:
        with pytest.raises(NotAllowed):
            act(Dataset.objects.get(pk=dataset.pk), cast[who], at)
        assert picture(dataset) == before, who


@pytest.mark.parametrize("who", [name for name in CAST if name != "provider"])
def test_only_editors_enter_new_ones(cast: dict[str, Any], at: datetime, who: str) -> None:
    node = ClassificationFactory()
    may = who in ("consumer", "outsider")  # they edit their own departments' catalogue
    assert access.able(cast[who], "create", Dataset, at=at) is may
    if not may:
        with pytest.raises(NotAllowed):
            catalog.create_dataset(actor=cast[who], at=at, classification=node, name="某信息")
        assert not Dataset.objects.exists()


def test_only_the_platform_takes_a_catalogue_over(
    cast: dict[str, Any], people: People, at: datetime
) -> None:
    for who in cast.values():
        with pytest.raises(NotAllowed):
            catalog.take_over(datasets=[], actor=who, at=at)


def test_everybody_reads_the_classification_and_the_authority_keeps_it(
    cast: dict[str, Any], at: datetime
) -> None:
    node = ClassificationFactory()
    keepers = {who for who in CAST if access.allowed(cast[who], "change", node, at=at)}
    assert keepers == {"authority"}
    assert {who for who in CAST if access.able(cast[who], "create", Classification, at=at)} == {
        "authority"
    }
    readers = {who for who in CAST if access.allowed(cast[who], "view", node, at=at)}
    assert readers == set(CAST) - {"citizen", "unassigned", "inactive"}


def test_a_delegated_right_opens_this_entry_and_no_other(
    people: People, consumer: Any, at: datetime
) -> None:
    dataset, other = STORIES["draft"](people, at), STORIES["draft"](people, at)
    catalog.delegate_manage(dataset=dataset, to=consumer, actor=people.head, at=at)
    assert list(access.rows(consumer, "revise", Dataset, at=at)) == [dataset]
    catalog.revise_dataset(dataset=dataset, actor=consumer, at=at, abstract="受托修改的摘要")
    with pytest.raises(NotAllowed):
        catalog.revise_dataset(dataset=other, actor=consumer, at=at, abstract="越权")
    catalog.end_delegation(
        dataset=dataset, right="manage_dataset", to=consumer, actor=people.head, at=at
    )
    with pytest.raises(NotAllowed):
        catalog.revise_dataset(dataset=dataset, actor=consumer, at=at, abstract="收回之后")


def test_a_right_of_a_department_is_every_members(
    people: People, consumer: Any, at: datetime
) -> None:
    dataset = STORIES["draft"](people, at)
    catalog.delegate_manage(dataset=dataset, to=consumer.department, actor=people.head, at=at)
    colleague = UserFactory(department=consumer.department)
    assert access.allowed(colleague, "revise", dataset, at=at)
    assert not access.allowed(UserFactory(), "revise", dataset, at=at)


def test_a_stand_in_acts_for_his_principal_and_the_trail_names_both(
    people: People, at: datetime
) -> None:
    dataset = STORIES["awaiting_head"](people, at)
    deputy: User = UserFactory(department=people.head.department)
    with pytest.raises(NotAllowed):
        catalog.approve(dataset=dataset, actor=deputy, at=at)
    DelegationFactory(principal=people.head, deputy=deputy)
    deputy = User.objects.get(pk=deputy.pk)  # whom he stands in for is read once a request
    catalog.approve(dataset=dataset, actor=deputy, at=at)
    event = Event.objects.filter(verb="catalog.approve").get()
    assert (event.actor, event.on_behalf_of) == (deputy, people.head)


def test_nobody_edits_for_another_department(people: People, consumer: Any, at: datetime) -> None:
    with pytest.raises(NotAllowed):
        catalog.create_dataset(
            actor=people.editor,
            at=at,
            classification=ClassificationFactory(),
            department=consumer.department,
            name="别的部门的数据",
        )
    assert not Dataset.objects.exists()
    foreign = DatasetFactory(department=consumer.department)
    with pytest.raises(NotAllowed):
        catalog.revise_dataset(dataset=foreign, actor=people.editor, at=at, abstract="越权")
