"""What was granted and not used: noted a column at a time, and what is proposed of it."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core.errors import InvalidInput
from apps.ledger import operations as ledger
from apps.sharing import operations as sharing
from apps.sharing.models import ColumnUse, DailyUse, Grant, MeteredDay
from apps.sharing.queries import thrift
from apps.sharing.queries.continuing import idle_since
from apps.sharing.queries.figures import figures_of
from apps.sharing.queries.thrift import Proposal, Waste
from apps.sharing.queries.versions import columns_added
from tests import stories
from tests.factories.accounts import InformationSystemFactory
from tests.factories.sharing import Scene
from tests.sharing.test_new_versions import renewed

ONE_DAY = timedelta(days=1)
DELIVERED = date(2026, 5, 6)
TODAY = date(2026, 11, 18)
ITEMS = {"identity_number": "", "name": "", "division_code": "", "registered_on": ""}
Use = Callable[..., None]


def morning(day: date) -> datetime:
    return datetime.combine(day, time(9), tzinfo=timezone.get_default_timezone())


@pytest.fixture(autouse=True)
def nothing_read_yet(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE ledger_accessrecord, ledger_accessclose")


@pytest.fixture
def grant(scene: Scene) -> Grant:
    return stories.delivered(
        scene,
        morning(DELIVERED),
        items=ITEMS,
        ends_on=date(2027, 5, 5),
        calls_a_day=1000,
        rows_a_day=50_000,
    ).grant


@pytest.fixture
def use(grant: Grant) -> Use:
    """Call under the grant, as the data plane records it, and sum up."""

    def called(kind: str = "page", *, rows: int = 10, times: int = 1, **query: Any) -> None:
        for _ in range(times):
            ledger.record_access(
                opened_at=morning(TODAY) - timedelta(hours=1),
                grant_id=grant.pk,
                grant_version=1,
                system_id=grant.system_id,
                user_id=1,
                dataset_id=grant.dataset_id,
                table="pool_1.t1",
                kind=kind,
                rows=rows,
                bytes=rows * 100,
                query=query,
            )
        sharing.count_use(morning(TODAY))

    return called


def found(grant: Grant) -> Waste | None:
    return thrift.waste_of(grant, morning(TODAY))


def with_idleness(grant: Grant) -> list[Grant]:
    return list(Grant.objects.filter(pk=grant.pk).annotate(idle_since=idle_since()))


def noted(grant: Grant) -> dict[str, date]:
    uses = ColumnUse.objects.filter(grant=grant)
    return {use.column: use.last_on for use in uses}


EQUAL = [{"item": "identity_number", "operator": "eq", "value": "500103199003070111"}]


class TestCounting:
    def test_columns_given_and_filtered_by_are_noted(self, grant: Grant, use: Use) -> None:
        use(fields=["name", "registered_on"], where=[{"item": "division_code", "operator": "in"}])
        assert noted(grant) == dict.fromkeys(("name", "registered_on", "division_code"), TODAY)

    def test_a_comparison_uses_the_key_and_what_it_compares(self, grant: Grant, use: Use) -> None:
        use("verify", records=2, items=["name"], keys=["ab"])
        assert noted(grant) == dict.fromkeys(("identity_number", "name"), TODAY)

    def test_what_says_nothing_of_columns_notes_none(self, grant: Grant, use: Use) -> None:
        use("feed", of="ranges", first=0)
        assert noted(grant) == {}

    def test_the_last_day_stays_however_often_earlier_ones_are_counted(
        self, grant: Grant, use: Use
    ) -> None:
        use(fields=["name"])
        ColumnUse.objects.update(last_on=TODAY + ONE_DAY)
        sharing.count_use(morning(TODAY))
        assert noted(grant) == {"name": TODAY + ONE_DAY}

    def test_the_final_count_takes_the_whole_day(self, grant: Grant, use: Use) -> None:
        use(fields=["name"])
        evening = morning(TODAY) + timedelta(hours=11)
        sharing.count_use(evening)
        ColumnUse.objects.all().delete()
        sharing.count_use(evening)
        assert noted(grant) == {}  # asked for hours ago, and noted then
        for days in (1, 2):
            sharing.count_use(evening + days * ONE_DAY)
        assert noted(grant) == {"name": TODAY}

    def test_single_calls_are_told_apart(self, grant: Grant, use: Use) -> None:
        use(fields=["name"], where=EQUAL, rows=1)
        use(fields=["name"], where=EQUAL, rows=0)
        use("verify", records=9, items=["name"], rows=9)
        use(fields=["name"], where=EQUAL, rows=2)
        use(fields=["name"], where=[], rows=1)
        use("feed", fields=["name"], where=[], rows=0)
        day = DailyUse.objects.get()
        assert (day.calls, day.single_calls) == (6, 3)

    def test_days_counted_before_columns_were_are_counted_once_more(
        self, grant: Grant, use: Use
    ) -> None:
        use(fields=["name"])
        old = TODAY - 40 * ONE_DAY
        MeteredDay.objects.update(is_final=True)
        MeteredDay.objects.create(day=old, counted_at=morning(old), is_final=True)
        counted = sharing.count_use(morning(TODAY + ONE_DAY))
        assert counted == [old, TODAY + ONE_DAY]
        assert MeteredDay.objects.get(day=old).has_columns
        assert sharing.count_use(morning(TODAY + ONE_DAY)) == [TODAY + ONE_DAY]


class TestFinding:
    def test_columns_never_read_are_left_out(self, grant: Grant, use: Use) -> None:
        use(fields=["name", "registered_on"], where=[], rows=900)
        waste = found(grant)
        assert waste is not None
        assert list(waste.findings) == ["quota", "columns"]
        assert waste.proposal.items == {"name": "", "registered_on": ""}
        assert waste.figures.never_read == ("identity_number", "division_code")
        assert "身份" in waste.findings["columns"]

    def test_a_column_that_came_later_counts_from_its_own_day(
        self, scene: Scene, grant: Grant, use: Use
    ) -> None:
        """Of what has been there for less than thirty days nothing is said, nor proposed."""
        came = TODAY - 40 * ONE_DAY
        renewed(scene, grant, morning(came), items={**ITEMS, "amount": ""})
        use(fields=["name", "registered_on"], where=[], rows=900)
        figures = figures_of([grant], morning(TODAY))[grant.pk]
        assert figures.never_read == ("identity_number", "division_code", "amount")
        assert figures.newer == {"amount": came}
        waste = found(grant)
        assert waste is not None
        assert f"（{came.isoformat()} 起提供）" in waste.findings["columns"]
        week = morning(came + 7 * ONE_DAY)
        figures = figures_of([grant], week)[grant.pk]
        assert (figures.too_new, figures.newer) == (("amount",), {"amount": came})
        assert figures.never_read == ("identity_number", "division_code")
        (waste,) = thrift.analysed(with_idleness(grant), week)
        assert waste.proposal.items == {"name": "", "registered_on": "", "amount": ""}
        assert came.isoformat() not in waste.findings["columns"]

    def test_where_only_what_is_new_was_not_looked_at_nothing_is_proposed(
        self, scene: Scene, grant: Grant, use: Use
    ) -> None:
        came = TODAY - 7 * ONE_DAY
        renewed(scene, grant, morning(came), items={**ITEMS, "amount": ""})
        use("feed", of="ranges", first=0)
        figures = figures_of([grant], morning(TODAY))[grant.pk]
        assert set(figures.never_read) == set(ITEMS)
        for waste in thrift.analysed(with_idleness(grant), morning(TODAY)):
            assert waste.proposal.items is None

    def test_one_taken_out_and_given_back_counts_from_its_return(
        self, scene: Scene, grant: Grant
    ) -> None:
        kept = [name for name in ITEMS if name != "division_code"]
        sharing.narrow(
            grant=grant,
            items=dict.fromkeys(kept, ""),
            actor=scene.provider_head,
            at=morning(TODAY - 90 * ONE_DAY),
            reason="用不到",
        )
        back = TODAY - 60 * ONE_DAY
        renewed(scene, grant, morning(back), items=ITEMS)
        assert columns_added([grant.pk]) == {grant.pk: {"division_code": morning(back)}}

    def test_a_limit_ten_times_the_busiest_day_is_lowered_to_twice_that_day(
        self, grant: Grant, use: Use
    ) -> None:
        use(fields=list(ITEMS), where=[], rows=47, times=51)
        waste = found(grant)
        assert waste is not None
        assert list(waste.findings) == ["quota"]
        assert waste.proposal == Proposal(limits={"calls_a_day": 110, "rows_a_day": 4800})

    def test_a_limit_that_was_touched_stays(self, grant: Grant, use: Use) -> None:
        DailyUse.objects.create(
            grant=grant, day=TODAY - 30 * ONE_DAY, calls=101, rows=5001, bytes=1
        )
        use(fields=list(ITEMS), where=[])
        assert found(grant) is None

    def test_only_single_calls_could_be_verification(self, grant: Grant, use: Use) -> None:
        DailyUse.objects.create(
            grant=grant, day=date(2026, 9, 1), calls=400, rows=9_000, bytes=1, single_calls=400
        )
        use(fields=["name"], where=EQUAL, rows=1, times=9)
        waste = found(grant)
        assert waste is not None
        assert list(waste.findings) == ["columns", "verify"]
        assert waste.proposal.mode == "verify"
        assert waste.proposal.items == {"identity_number": "", "name": ""}
        use(fields=["name"], where=[], rows=1)
        waste = found(grant)
        assert waste is not None
        assert waste.proposal.mode is None

    def test_few_calls_are_no_habit(self, grant: Grant, use: Use) -> None:
        use(fields=list(ITEMS), where=EQUAL, rows=1, times=9)
        waste = found(grant)
        assert waste is not None
        assert "verify" not in waste.findings

    def test_an_idle_grant_is_to_end_sooner(self, grant: Grant) -> None:
        waste = found(grant)
        assert waste is not None
        assert list(waste.findings) == ["unused"]
        assert waste.proposal == Proposal(ends_on=TODAY + 30 * ONE_DAY)

    def test_a_grant_just_delivered_is_not_judged(self, scene: Scene) -> None:
        grant = stories.delivered(scene, morning(TODAY - 29 * ONE_DAY), items=ITEMS).grant
        DailyUse.objects.create(grant=grant, day=TODAY, calls=1, rows=1, bytes=1)
        ColumnUse.objects.create(grant=grant, column="name", last_on=TODAY)
        assert found(grant) is None
        assert thrift.waste_of(grant, morning(TODAY + ONE_DAY)) is not None

    def test_the_statements_do_not_grow_with_the_grants(
        self, scene: Scene, grant: Grant, use: Use
    ) -> None:
        use(fields=["name"], where=EQUAL, rows=1, times=12)
        with CaptureQueriesContext(connection) as few:
            thrift.wasted(Grant.objects.all(), morning(TODAY))
        for _ in range(3):
            other = {"system": InformationSystemFactory(department=scene.consumer_department)}
            stories.delivered(Scene(**{**scene.__dict__, **other}), morning(DELIVERED), items=ITEMS)
        with CaptureQueriesContext(connection) as many:
            assert len(thrift.wasted(Grant.objects.all(), morning(TODAY))) == 4
        assert len(few) == len(many)


class TestNarrowing:
    def test_proposals_are_carried_out_each_by_itself(
        self, scene: Scene, grant: Grant, use: Use
    ) -> None:
        use(fields=["name"], where=EQUAL, rows=1, times=12)
        other = {"system": InformationSystemFactory(department=scene.consumer_department)}
        fresh = stories.delivered(Scene(**{**scene.__dict__, **other}), morning(TODAY)).grant
        answers = sharing.narrow_as_proposed(
            grants=[fresh, grant],
            actor=scene.provider_head,
            at=morning(TODAY),
            reason="按实际使用收窄",
        )
        assert [answer.error.code if answer.error else "" for answer in answers] == [
            "no_proposal",
            "",
        ]
        grant.refresh_from_db()
        fresh.refresh_from_db()
        assert (grant.version, grant.mode, fresh.version) == (2, "verify", 1)
        assert [column["name"] for column in grant.columns] == ["identity_number", "name"]
        assert (grant.calls_a_day, grant.rows_a_day) == (100, 1000)

    def test_who_may_not_narrow_changes_nothing(self, scene: Scene, grant: Grant, use: Use) -> None:
        use(fields=["name"], where=EQUAL, rows=1, times=12)
        [answer] = sharing.narrow_as_proposed(
            grants=[grant], actor=scene.consumer_head, at=morning(TODAY), reason="收窄"
        )
        assert answer.error is not None
        assert answer.error.code == "not_allowed"
        grant.refresh_from_db()
        assert grant.version == 1

    def test_a_proposal_is_never_refused_as_wider(
        self, scene: Scene, grant: Grant, use: Use
    ) -> None:
        use(fields=["name", "identity_number"], where=[], rows=3)
        waste = found(grant)
        assert waste is not None
        try:
            sharing.narrow(
                grant=grant,
                actor=scene.provider_head,
                at=morning(TODAY),
                reason="收窄",
                **waste.proposal.arguments(),
            )
        except InvalidInput as error:  # pragma: no cover
            pytest.fail(str(error))
