"""The consumer's half-yearly word on its use: asked for, filed, late ones listed."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.clocks.queries import clocks_of
from apps.core.errors import IllegalMove, InvalidInput, NotAllowed
from apps.ledger.models import Notice, Todo
from apps.sharing import operations as sharing
from apps.sharing.models import DailyUse, Grant, UsageReport
from apps.sharing.operations.holding.usage_reports import _remind
from apps.sharing.queries.usage_reports import half_year_before
from tests import stories
from tests.factories.sharing import Scene, make_scene
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_views_forms import signed_in

ONE_DAY = timedelta(days=1)
ASKED = date(2026, 7, 1)
DUE = date(2026, 7, 15)
WRITTEN = {"scenario": "资助资格核对", "effect": "核对 1,200 人", "storage": "不留存"}


def morning(day: date) -> datetime:
    return datetime.combine(day, time(9), tzinfo=timezone.get_default_timezone())


@pytest.fixture
def grant(scene: Scene) -> Grant:
    return stories.delivered(scene, morning(date(2026, 5, 6)), ends_on=date(2027, 5, 5)).grant


@pytest.fixture
def report(grant: Grant) -> UsageReport:
    assert sharing.ask_usage_reports(morning(ASKED)) == 1
    return UsageReport.objects.get()


def test_a_half_year_ends_in_june_and_december() -> None:
    for day in (date(2026, 7, 1), date(2026, 12, 31)):
        assert half_year_before(day) == (date(2026, 1, 1), date(2026, 6, 30))
    for day in (date(2026, 1, 1), date(2026, 6, 30)):
        assert half_year_before(day) == (date(2025, 7, 1), date(2025, 12, 31))


class TestAsking:
    def test_it_is_asked_for_once_when_the_half_year_is_over(
        self, grant: Grant, scene: Scene
    ) -> None:
        assert sharing.ask_usage_reports(morning(ASKED - ONE_DAY)) == 0
        assert [sharing.ask_usage_reports(morning(ASKED)) for _ in range(2)] == [1, 0]
        report = UsageReport.objects.get()
        assert (report.first_day, report.last_day) == (date(2026, 1, 1), date(2026, 6, 30))
        assert [clock.due_on for clock in clocks_of(report)] == [DUE] == [report.due_on]
        [todo] = Todo.objects.filter(kind="sharing.file_usage_report", done_at=None)
        assert (todo.department, todo.due_on) == (scene.consumer_department, DUE)

    def test_what_ended_before_or_began_after_is_not_asked_about(self, scene: Scene) -> None:
        early = stories.delivered(scene, morning(date(2025, 10, 9))).grant
        at = morning(date(2025, 12, 1))
        sharing.end(grant=early, actor=scene.consumer_head, at=at, reason="不用了")
        stories.delivered(make_scene(), morning(ASKED))
        assert sharing.ask_usage_reports(morning(ASKED)) == 0

    def test_a_late_one_is_reminded_of_once(self, report: UsageReport, scene: Scene) -> None:
        sharing.ask_usage_reports(morning(DUE))
        assert not Notice.objects.filter(title__contains="逾期未登记").exists()
        for day in (DUE + ONE_DAY, DUE + 2 * ONE_DAY):
            sharing.ask_usage_reports(morning(day))
        told = Notice.objects.filter(title__contains="逾期未登记").values_list("recipient")
        assert set(told) == {(scene.consumer.pk,), (scene.consumer_head.pk,)}
        assert len(told) == 2

    def test_one_that_was_filed_meanwhile_is_not_reminded_of(
        self, report: UsageReport, scene: Scene
    ) -> None:
        late = morning(DUE + ONE_DAY)
        seen = UsageReport.objects.get()
        sharing.file_usage_report(report=report, actor=scene.consumer, at=late, **WRITTEN)
        before = fingerprint()
        _remind(seen, late)
        assert fingerprint() == before


class TestFiling:
    def test_it_is_filed_with_the_figures_of_the_half_year(
        self, report: UsageReport, grant: Grant, scene: Scene
    ) -> None:
        for day, calls in ((date(2026, 6, 30), 5), (date(2026, 7, 1), 70)):
            DailyUse.objects.create(grant=grant, day=day, calls=calls, rows=calls, bytes=1)
        sharing.file_usage_report(report=report, actor=scene.consumer, at=morning(DUE), **WRITTEN)
        assert (report.filed_by, report.figures) == (scene.consumer, {"calls": 5, "rows": 5})
        assert [clock.met for clock in clocks_of(report)] == [True]
        assert not Todo.objects.filter(kind="sharing.file_usage_report", done_at=None).exists()
        with pytest.raises(IllegalMove):
            sharing.file_usage_report(
                report=report, actor=scene.consumer, at=morning(DUE), **WRITTEN
            )

    @pytest.mark.parametrize("missing", [*WRITTEN])
    def test_a_missing_part_is_refused_and_changes_nothing(
        self, report: UsageReport, scene: Scene, missing: str
    ) -> None:
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            sharing.file_usage_report(
                report=report, actor=scene.consumer, at=morning(DUE), **{**WRITTEN, missing: " "}
            )
        assert (refusal.value.details["field"], fingerprint()) == (missing, before)

    def test_of_a_grant_that_is_over_the_disposal_is_told(
        self, report: UsageReport, grant: Grant, scene: Scene
    ) -> None:
        sharing.end(grant=grant, actor=scene.consumer_head, at=morning(ASKED), reason="不用了")
        report = UsageReport.objects.get()
        with pytest.raises(InvalidInput) as refusal:
            sharing.file_usage_report(
                report=report, actor=scene.consumer, at=morning(DUE), **WRITTEN
            )
        assert refusal.value.details["field"] == "disposal"
        sharing.file_usage_report(
            report=report, actor=scene.consumer, at=morning(DUE), **WRITTEN, disposal="已删除"
        )
        assert report.disposal == "已删除"

    @pytest.mark.parametrize("person", ["provider", "provider_head", "authority"])
    def test_nobody_else_files_it(self, report: UsageReport, scene: Scene, person: str) -> None:
        with pytest.raises(NotAllowed):
            sharing.file_usage_report(
                report=report, actor=getattr(scene, person), at=morning(DUE), **WRITTEN
            )
        report.refresh_from_db()
        assert report.filed_at is None


class TestPages:
    def test_both_sides_see_the_late_ones(self, report: UsageReport, scene: Scene) -> None:
        for person in (scene.consumer, scene.provider, scene.authority):
            page = signed_in(person).get("/work/grants/usage-reports/?state=late")
            assert [row.pk for row, _clock in page.context["lines"]] == [report.pk]
        stranger = signed_in(make_scene().consumer)
        assert stranger.get("/work/grants/usage-reports/").context["lines"] == []
        assert stranger.get(f"/work/grants/usage-reports/{report.pk}/").status_code == 404

    def test_the_consumer_files_on_its_page(self, report: UsageReport, scene: Scene) -> None:
        place = f"/work/grants/usage-reports/{report.pk}/"
        assert signed_in(scene.provider).get(place).context["can_file"] is False
        client = signed_in(scene.consumer)
        assert client.post(place, {**WRITTEN, "effect": ""}).status_code == 200
        assert client.post(place, WRITTEN).status_code == 302
        report.refresh_from_db()
        assert report.storage == "不留存"


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("sharing_usagereport_once_a_period", {}),
        ("sharing_usagereport_period_in_order", {"first_day": date(2026, 7, 1)}),
        ("sharing_usagereport_filed_is_complete", {"filed_at": morning(DUE)}),
    ],
)
def test_the_database_holds_what_must_be_true(
    report: UsageReport, name: str, fields: dict[str, Any]
) -> None:
    usual = {"first_day": date(2026, 1, 1), "last_day": date(2026, 6, 30), "due_on": DUE}
    grant = report.grant
    if fields:
        report.delete()
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        UsageReport.objects.create(grant=grant, opened_at=morning(ASKED), **{**usual, **fields})
