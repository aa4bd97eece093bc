"""What the use cases of demands leave behind, and what they refuse."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.catalog import queries
from apps.catalog.models import Dataset, Demand, DemandMatch
from apps.catalog.operations import demands
from apps.clocks.models import Clock
from apps.clocks.queries import running
from apps.core.errors import IllegalMove, InvalidInput, NotAllowed, StaleRevision
from apps.ledger.models import Event, Notice
from apps.ledger.queries import open_todos_of
from tests.catalog.demand_stories import PROMISED, REASON, STORIES, WRITTEN, Parties, entry_of
from tests.catalog.stories import People
from tests.catalog.stories import published as published_entry
from tests.factories.accounts import (
    DepartmentFactory,
    InformationSystemFactory,
    UserFactory,
)
from tests.factories.catalog import PERSONS, PublishedDatasetFactory


def test_a_draft_needs_no_more_than_a_name_and_draws_a_number(
    parties: Parties, at: datetime
) -> None:
    demand = demands.draft(actor=parties.editor, at=at, title="低保对象信息")
    assert demand.number == f"XQ-2026-{demand.pk:06d}"
    assert demand.department == parties.editor.department
    assert demand.history.get().history_user == parties.editor
    assert Event.objects.get(verb="catalog.draft_demand").subject_label == str(demand)


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ({"title": "  "}, "title"),
        ({"title": "名" * 81}, "title"),
        ({"wanted_items": [{"name": "  "}]}, "wanted_items"),
        ({"wanted_items": [{"name": "名" * 51}]}, "wanted_items"),
        ({"wanted_items": [{"name": f"项{n}"} for n in range(201)]}, "wanted_items"),
        ({"mode": "telepathy"}, "mode"),
        ({"needed_by": date(2026, 12, 1), "ends_on": date(2026, 12, 1)}, "ends_on"),
    ],
)
def test_it_names_the_field_that_is_wrong(
    parties: Parties, at: datetime, written: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        demands.draft(actor=parties.editor, at=at, **{**WRITTEN, **written})
    assert caught.value.details["field"] == field
    assert not Demand.objects.exists()


def test_ones_own_data_and_anothers_system_are_no_part_of_a_demand(
    parties: Parties, at: datetime
) -> None:
    for written in (
        {"provider": parties.editor.department},
        {"system": InformationSystemFactory()},
    ):
        with pytest.raises(InvalidInput):
            demands.draft(actor=parties.editor, at=at, **WRITTEN, **written)


def test_items_that_differ_by_spaces_alone_are_one(parties: Parties, at: datetime) -> None:
    rows = [{"name": "姓名", "note": "全名"}, {"name": "姓 名", "note": ""}, {"name": "（姓名）"}]
    demand = demands.draft(actor=parties.editor, at=at, title="需求", wanted_items=rows)
    assert demand.wanted_items == [{"name": "姓名", "note": "全名"}]


def test_a_revision_writes_what_changed_and_nothing_when_nothing_did(
    parties: Parties, at: datetime
) -> None:
    demand = STORIES["draft"](parties, at)
    demands.revise(demand=demand, actor=parties.editor, at=at, title=demand.title)
    assert demand.revision == 1
    demands.revise(demand=demand, actor=parties.editor, at=at, title="新的名称", revision=1)
    assert (demand.title, demand.revision) == ("新的名称", 2)
    event = Event.objects.get(verb="catalog.revise_demand")
    assert event.details["changed"] == ["需求名称"]
    with pytest.raises(StaleRevision):
        demands.revise(demand=demand, actor=parties.editor, at=at, title="又改", revision=1)


def test_what_was_sent_cannot_be_revised(parties: Parties, at: datetime) -> None:
    demand = STORIES["submitted"](parties, at)
    with pytest.raises(NotAllowed):
        demands.revise(demand=demand, actor=parties.editor, at=at, title="改")


def test_an_incomplete_demand_is_not_sent_and_all_that_lacks_is_named(
    parties: Parties, at: datetime
) -> None:
    demand = demands.draft(actor=parties.editor, at=at, title="只有名称")
    with pytest.raises(InvalidInput) as caught:
        demands.submit(demand=demand, actor=parties.editor, at=at)
    assert caught.value.code == "demand_incomplete"
    assert len(caught.value.details["errors"]) == 5
    demand.refresh_from_db()
    assert demand.status == "draft"


def test_a_demand_that_was_sent_back_goes_the_same_way_again(
    parties: Parties, at: datetime
) -> None:
    demand = STORIES["returned"](parties, at)
    assert demand.remark == REASON
    assert not running(demand).exists()
    demands.submit(demand=demand, actor=parties.editor, at=at)
    demands.approve(demand=demand, actor=parties.head, at=at)
    assert demand.remark == ""
    assert running(demand).count() == 1


def test_the_reply_is_due_three_workdays_after_it_was_forwarded(
    parties: Parties, at: datetime
) -> None:
    demand = STORIES["forwarded"](parties, at)
    clock = running(demand).get()
    assert (clock.policy.code, clock.due_on) == ("demand.reply", date(2026, 11, 23))
    assert clock.department == parties.provider.department
    todo = open_todos_of(demand).get()
    assert todo.due_on == clock.due_on


def test_it_is_not_forwarded_to_the_wanting_department_or_one_that_is_gone(
    parties: Parties, at: datetime
) -> None:
    demand = STORIES["submitted"](parties, at)
    gone = DepartmentFactory(valid_to=date(2026, 1, 1))
    for department in (parties.editor.department, gone):
        with pytest.raises(InvalidInput):
            demands.forward(demand=demand, provider=department, actor=parties.officer, at=at)
    demand.refresh_from_db()
    assert (demand.status, demand.provider) == ("submitted", None)


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({"proposal": "agree", "promised_on": PROMISED}, "outcome"),
        ({"proposal": "agree", "outcome": "existing", "promised_on": PROMISED}, "dataset"),
        ({"proposal": "agree", "outcome": "new_entry"}, "promised_on"),
        (
            {"proposal": "agree", "outcome": "new_entry", "promised_on": date(2026, 11, 17)},
            "promised_on",
        ),
        ({"proposal": "refuse", "legal_basis": "某法"}, "reason"),
        ({"proposal": "refuse", "reason": REASON}, "legal_basis"),
        ({"proposal": "disown"}, "reason"),
        ({"proposal": "perhaps"}, "proposal"),
    ],
)
def test_an_answer_takes_what_it_needs(
    parties: Parties, at: datetime, answer: dict[str, Any], field: str
) -> None:
    demand = STORIES["forwarded"](parties, at)
    if field == "reason":
        answer = {"reason": " ", **answer}
    with pytest.raises(InvalidInput) as caught:
        demands.propose(demand=demand, actor=parties.provider, at=at, **answer)
    assert caught.value.details.get("field") in (field, None)
    demand.refresh_from_db()
    assert (demand.status, demand.proposal) == ("forwarded", "")


def test_a_provider_agrees_with_entries_of_its_own_only(parties: Parties, at: datetime) -> None:
    demand = STORIES["forwarded"](parties, at)
    with pytest.raises(InvalidInput):
        demands.propose(
            demand=demand,
            proposal="agree",
            outcome="existing",
            dataset=PublishedDatasetFactory(),
            promised_on=PROMISED,
            actor=parties.provider,
            at=at,
        )


def test_nobody_signs_what_he_drafted_himself(parties: Parties, at: datetime) -> None:
    demand = STORIES["forwarded"](parties, at)
    demands.propose(
        demand=demand, proposal="disown", reason=REASON, actor=parties.provider_head, at=at
    )
    with pytest.raises(NotAllowed) as caught:
        demands.disown(demand=demand, actor=parties.provider_head, at=at)
    assert caught.value.code == "own_proposal"
    other = UserFactory(department=parties.provider.department, roles=["department_approver"])
    demands.disown(demand=demand, actor=other, at=at)
    assert demand.status == "submitted"


def test_an_agreed_demand_is_met_once_its_new_entry_is_published(
    parties: Parties, people: People, at: datetime
) -> None:
    """The platform sees it itself, once, however often it looks."""
    demand = STORIES["forwarded"](parties, at)
    entry = PublishedDatasetFactory(department=parties.provider.department)
    Dataset.objects.filter(pk=entry.pk).update(status="draft", published_at=None)
    demands.propose(
        demand=demand,
        proposal="agree",
        outcome="new_entry",
        dataset=entry,
        promised_on=PROMISED,
        actor=parties.provider,
        at=at,
    )
    demands.agree(demand=demand, actor=parties.provider_head, at=at)
    assert demands.fulfil_due(at) == 0
    Dataset.objects.filter(pk=entry.pk).update(status="published", published_at=at)
    assert demands.fulfil_due(at) == 1
    assert demands.fulfil_due(at) == 0
    demand.refresh_from_db()
    assert (demand.status, demand.fulfilled_at) == ("fulfilled", at)
    clock = Clock.objects.get(policy__code="demand.fulfil")
    assert (clock.state, clock.met) == ("stopped", True)
    assert Notice.objects.filter(recipient=parties.editor, title__startswith="需求的数据").exists()
    assert published_entry(people, at).status == "published"


def test_what_cannot_be_asked_for_meets_no_demand(parties: Parties, at: datetime) -> None:
    own = PublishedDatasetFactory(department=parties.editor.department)
    secret = PublishedDatasetFactory(
        department=parties.provider.department,
        sharing_attribute="not_shared",
        sharing_reason="依法不予共享",
        sharing_statute="某法第一条",
    )
    gone = entry_of(parties)
    Dataset.objects.filter(pk=gone.pk).update(status="withdrawn", withdrawn_at=at)
    demand = STORIES["submitted"](parties, at)
    for entry in (own, secret, gone):
        with pytest.raises(InvalidInput):
            demands.point_out(demand=demand, dataset=entry, actor=parties.officer, at=at)
        with pytest.raises(InvalidInput):
            demands.take_up(demand=demand, dataset=entry, actor=parties.editor, at=at)
    demand.refresh_from_db()
    assert demand.status == "submitted"


def test_a_split_keeps_the_receipt_and_shares_the_items_out(parties: Parties, at: datetime) -> None:
    demand = STORIES["submitted"](parties, at)
    later = at + timedelta(days=1)
    sibling = demands.split(
        demand=demand, items=["救助类别"], title="救助类别信息", actor=parties.officer, at=later
    )
    assert (sibling.split_from, sibling.status) == (demand, "submitted")
    assert sibling.item_names == ["救助类别"]
    assert demand.item_names == ["公民身份号码", "姓名"]
    due = {running(row).get().due_on for row in (demand, sibling)}
    assert len(due) == 1, "the authority gains no time by splitting"


@pytest.mark.parametrize("items", [[], ["没有的项"], ["公民身份号码", "姓名", "救助类别"]])
def test_a_split_takes_a_part(parties: Parties, at: datetime, items: list[str]) -> None:
    demand = STORIES["submitted"](parties, at)
    with pytest.raises(InvalidInput):
        demands.split(demand=demand, items=items, title="部分", actor=parties.officer, at=at)
    assert Demand.objects.count() == 1


def test_an_objection_brings_it_back_to_the_authority(parties: Parties, at: datetime) -> None:
    demand = STORIES["refused"](parties, at)
    demands.contest(demand=demand, actor=parties.head, at=at, reason="依据不适用于部门间共享")
    assert demand.objection == "依据不适用于部门间共享"
    assert running(demand).get().policy.code == "demand.review"
    assert Notice.objects.filter(recipient=parties.provider, title__contains="异议").exists()
    demands.forward(
        demand=demand, provider=parties.provider.department, actor=parties.officer, at=at
    )
    assert (demand.reply, demand.decided_at, demand.proposal) == ("", None, "")


def test_a_match_says_what_it_rests_on(parties: Parties, at: datetime) -> None:
    entry = entry_of(parties)
    PublishedDatasetFactory(
        name="空气质量监测",
        abstract="空气质量",
        items=PERSONS[2:3],
        key_items=["division_code"],
    )
    own = PublishedDatasetFactory(department=parties.editor.department)
    demand = STORIES["draft"](parties, at)
    found = list(demand.matches.all())
    assert [match.dataset for match in found] == [entry]
    assert own not in [match.dataset for match in found]
    assert found[0].found_items == ["公民身份号码", "姓名"]
    assert found[0].missing_items == ["救助类别"]
    assert "救助" in found[0].words
    assert all(word in entry.name for word in found[0].words), "said to be of the name"
    assert 0 < found[0].score <= 1


def test_what_was_declined_is_not_proposed_again(parties: Parties, at: datetime) -> None:
    entry_of(parties)
    demand = STORIES["draft"](parties, at)
    match = demand.matches.get()
    demands.decline(match=match, actor=parties.editor, at=at, reason="只有本市户籍")
    assert demands.match(demand=demand, actor=parties.editor, at=at) == []
    assert demand.matches.get().decision == "declined"
    with pytest.raises(IllegalMove):
        demands.decline(match=match, actor=parties.editor, at=at, reason="再说一次")
    with pytest.raises(InvalidInput):
        demands.decline(match=match, actor=parties.editor, at=at, reason=" ")


def test_unmet_demands_are_looked_at_again_twice_a_day(parties: Parties, at: datetime) -> None:
    demand = STORIES["submitted"](parties, at)
    assert not demand.matches.exists()
    entry = entry_of(parties)
    assert demands.match_due(at + timedelta(hours=1)) == 0
    assert demands.match_due(at + timedelta(hours=13)) == 1
    assert [match.dataset for match in demand.matches.all()] == [entry]


def test_taking_a_match_up_marks_it(parties: Parties, at: datetime) -> None:
    entry_of(parties)
    demand = STORIES["submitted"](parties, at)
    match = demand.matches.get()
    demands.take_up(demand=demand, dataset=match.dataset, actor=parties.editor, at=at)
    match.refresh_from_db()
    assert (match.decision, match.decided_by) == ("accepted", parties.editor)
    assert not running(demand).exists()
    assert Clock.objects.filter(policy__code="demand.review").get().state == "cancelled"


def test_similar_demands_of_several_departments_are_grouped(parties: Parties, at: datetime) -> None:
    other = UserFactory(roles=["department_editor"])
    mine = STORIES["draft"](parties, at)
    STORIES["draft"](parties, at)
    theirs = demands.draft(actor=other, at=at, **WRITTEN)
    demands.draft(actor=other, at=at, title="空气质量监测站点")
    groups = queries.similar_groups(Demand.objects.order_by("pk"))
    assert len(groups) == 1
    assert {mine, theirs} <= set(groups[0])
    assert len(groups[0]) == 3


def test_the_search_for_supply_does_not_grow_with_the_catalogue(
    parties: Parties, at: datetime, django_assert_max_num_queries: Any
) -> None:
    for _number in range(12):
        entry_of(parties)
    with django_assert_max_num_queries(9):
        found = queries.supply_for(
            WRITTEN["title"], ["姓名"], visible=queries.to_be_had_by(parties.editor.department_id)
        )
    assert len(found) == 5


def test_a_reform_moves_open_demands_only(parties: Parties, at: datetime) -> None:
    assert Demand.succession == {"department": "moves", "provider": "moves"}
    open_one = STORIES["forwarded"](parties, at)
    over = STORIES["closed"](parties, at)
    still = Demand.objects.filter(Demand.succession_open)
    assert open_one in still
    assert over not in still


def test_times_are_kept_as_given(parties: Parties) -> None:
    at = timezone.now()
    match = DemandMatch(
        demand=STORIES["draft"](parties, at), dataset=entry_of(parties), score=0.4, proposed_at=at
    )
    assert match.percent == 40
