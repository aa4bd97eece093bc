"""What was used: summed up a day at a time from the access records, shown to both sides."""

import csv
import io
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.ledger import operations as ledger
from apps.ledger import partitions
from apps.sharing import operations as sharing
from apps.sharing.models import DailyUse, Grant, MeteredDay
from apps.sharing.queries import metering
from tests import stories
from tests.conftest import CAST
from tests.factories.accounts import InformationSystemFactory
from tests.factories.sharing import Scene, make_scene
from tests.sharing.test_views_forms import signed_in

pytestmark = pytest.mark.usefixtures("nothing_read_yet")
ONE_DAY = timedelta(days=1)


@pytest.fixture
def nothing_read_yet(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE ledger_accessrecord, ledger_accessclose")


@pytest.fixture
def grant(scene: Scene, at: datetime) -> Grant:
    return stories.delivered(scene, at).grant


@pytest.fixture
def noon() -> datetime:
    return datetime(2026, 11, 10, 12, 0, tzinfo=timezone.get_default_timezone())


def opened(grant: Grant, at: datetime, rows: int | None = 10, kind: str = "page") -> int:
    return ledger.open_access(
        opened_at=at,
        grant_id=grant.pk,
        grant_version=1,
        system_id=grant.system_id,
        user_id=1,
        dataset_id=grant.dataset_id,
        table="pool_1.t1",
        kind=kind,
        rows=rows,
        bytes=None if rows is None else rows * 100,
    )


def used(grant: Grant) -> dict[date, tuple[int, int, int]]:
    return {
        use.day: (use.calls, use.rows, use.bytes) for use in DailyUse.objects.filter(grant=grant)
    }


class TestCounting:
    def test_it_sums_up_calls_rows_and_bytes_of_a_day(self, grant: Grant, noon: datetime) -> None:
        for rows in (10, 5, 0):
            opened(grant, noon, rows)
        opened(grant, noon - timedelta(hours=12, seconds=1), 7)  # the day before, here
        sharing.count_use(noon + timedelta(hours=1))
        assert used(grant) == {
            noon.date() - ONE_DAY: (1, 7, 700),
            noon.date(): (3, 15, 1500),
        }

    def test_a_stream_counts_when_it_closes_for_the_day_it_began(
        self, grant: Grant, noon: datetime
    ) -> None:
        began = noon.replace(hour=23)
        number = opened(grant, began, None, "export")
        sharing.count_use(began + timedelta(minutes=1))
        assert used(grant) == {noon.date(): (1, 0, 0)}
        ledger.close_access(
            number,
            opened_at=began,
            closed_at=began + timedelta(hours=2),
            rows=1000,
            bytes=50_000,
            outcome="complete",
        )
        sharing.count_use(began + timedelta(hours=3))
        assert used(grant) == {noon.date(): (1, 1000, 50_000)}

    def test_it_may_come_twice_and_counts_once(self, grant: Grant, noon: datetime) -> None:
        opened(grant, noon)
        for _ in range(3):
            assert sharing.count_use(noon + timedelta(hours=1)) == [noon.date()]
        assert used(grant) == {noon.date(): (1, 10, 1000)}

    def test_a_day_is_final_a_day_after_its_end_and_is_not_read_again(
        self, grant: Grant, noon: datetime
    ) -> None:
        opened(grant, noon)
        sharing.count_use(noon)
        assert sharing.count_use(noon + ONE_DAY) == [noon.date(), noon.date() + ONE_DAY]
        assert not MeteredDay.objects.get(day=noon.date()).is_final
        sharing.count_use(noon + 2 * ONE_DAY)
        assert MeteredDay.objects.get(day=noon.date()).is_final
        counted = sharing.count_use(noon + 2 * ONE_DAY)
        assert counted == [noon.date() + ONE_DAY, noon.date() + 2 * ONE_DAY]

    def test_after_a_long_pause_it_catches_up_in_pieces(self, grant: Grant, noon: datetime) -> None:
        opened(grant, noon)
        late = noon + 40 * ONE_DAY
        opened(grant, late)
        assert len(sharing.count_use(late)) == 31
        assert sharing.count_use(late)[-1] == late.date()
        assert set(used(grant)) == {noon.date(), late.date()}

    def test_reads_without_a_grant_are_nobodys_use(self, grant: Grant, noon: datetime) -> None:
        ledger.record_access(
            opened_at=noon,
            user_id=1,
            dataset_id=grant.dataset_id,
            table="pool_1.t1",
            kind="preview",
            rows=5,
            bytes=1,
        )
        sharing.count_use(noon)
        assert DailyUse.objects.count() == 0

    def test_the_days_records_alone_are_read(self, grant: Grant, noon: datetime) -> None:
        """The month's partition by its index on time; what lies before and after is not touched."""
        partitions.make_months(date(2026, 10, 1), 3)
        with CaptureQueriesContext(connection) as statements:
            sharing.count_use(noon)
        [counting] = [s["sql"] for s in statements if "INSERT INTO sharing_dailyuse" in s["sql"]]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {counting}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "ledger_accessrecord_2026_11" in plan
        assert "ledger_accessrecord_2026_12" not in plan
        assert "ledger_accessrecord_2026_10" not in plan


class TestMonth:
    def test_a_month_is_read_from_the_address(self) -> None:
        today = date(2026, 11, 28)
        assert metering.month_of("2026-02", today) == date(2026, 2, 1)
        for text in ("", "2026-13", "x", "2026-02-03", "2027-01"):
            assert metering.month_of(text, today) == date(2026, 11, 1)
        assert metering.next_month(date(2026, 12, 1)) == date(2027, 1, 1)

    def test_it_ends_with_its_last_day(self, scene: Scene, grant: Grant, noon: datetime) -> None:
        for day in (date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 30), date(2026, 12, 1)):
            DailyUse.objects.create(grant=grant, day=day, calls=1, rows=1, bytes=1)
        lines = metering.used_by(
            metering.uses_in_month(scene.consumer, date(2026, 11, 1), at=noon), ["day"]
        )
        assert [line.of["day"].day for line in lines] == [1, 30]


@pytest.fixture
def filled(grant: Grant) -> None:
    for day, calls in ((date(2026, 11, 3), 4), (date(2026, 11, 4), 6)):
        DailyUse.objects.create(grant=grant, day=day, calls=calls, rows=calls * 10, bytes=2048)


@pytest.mark.usefixtures("filled")
class TestPage:
    PLACE = "/work/usage/?month=2026-11"

    @pytest.mark.parametrize("person", ["consumer", "consumer_head", "provider", "authority"])
    @pytest.mark.parametrize("group", ["grant", "system", "department", "day"])
    def test_both_sides_see_the_same_figures(self, scene: Scene, person: str, group: str) -> None:
        answer = signed_in(getattr(scene, person)).get(f"{self.PLACE}&by={group}")
        page = answer.content.decode()
        assert answer.context["total"] == metering.Used({}, 10, 100, 4096)
        assert "4.0 KB" in page or "4 KB" in page

    def test_others_see_nothing_of_it(self, scene: Scene, grant: Grant) -> None:
        stranger = signed_in(make_scene().consumer)
        assert stranger.get(self.PLACE).context["lines"] == []
        assert stranger.get(f"{self.PLACE}&grant={grant.pk}").status_code == 404

    def test_sides_and_a_single_grant_narrow_it(self, scene: Scene, grant: Grant) -> None:
        consumer = signed_in(scene.consumer)
        assert len(consumer.get(f"{self.PLACE}&side=asked").context["lines"]) == 1
        assert consumer.get(f"{self.PLACE}&side=received").context["lines"] == []
        one = consumer.get(f"{self.PLACE}&grant={grant.pk}&by=day")
        assert [line.calls for line, _cells in one.context["lines"]] == [4, 6]
        assert consumer.get("/work/usage/?month=2026-10").context["lines"] == []
        for bad in ("&by=x", "&side=x", "&grant=x", "&month=x"):
            assert consumer.get(f"{self.PLACE}{bad}").status_code == 200

    @pytest.mark.parametrize("group", ["grant", "system", "department", "day"])
    def test_the_statement_is_downloaded_as_it_is_shown(
        self, scene: Scene, grant: Grant, group: str
    ) -> None:
        answer = signed_in(scene.provider).get(f"{self.PLACE}&by={group}&format=csv")
        text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
        assert text.startswith("\ufeff")
        heading, *lines, total = list(csv.reader(io.StringIO(text[1:])))
        assert heading[0] == "月份"
        assert heading[-3:] == ["调用次数", "记录条数", "字节数"]
        assert {len(line) for line in [heading, *lines, total]} == {len(heading)}
        assert {line[0] for line in lines} == {"2026-11"}
        assert total[1:2] + total[-3:] == ["合计", "10", "100", "4096"]
        if group == "grant":
            assert lines == [
                [
                    "2026-11",
                    str(grant),
                    grant.dataset.code,
                    grant.dataset.name,
                    grant.system.name,
                    grant.consumer.name,
                    grant.provider.name,
                    "服务接口",
                    "10",
                    "100",
                    "4096",
                ]
            ]

    def test_a_name_is_no_formula(self, scene: Scene) -> None:
        scene.system.name = "=1+1"
        scene.system.save()
        answer = signed_in(scene.provider).get(f"{self.PLACE}&by=system&format=csv")
        assert b",'=1+1," in b"".join(answer.streaming_content)  # type: ignore[attr-defined]

    def test_the_page_takes_the_same_queries_however_much_was_used(
        self, scene: Scene, grant: Grant, at: datetime
    ) -> None:
        client = signed_in(scene.provider)
        client.get(self.PLACE)
        with CaptureQueriesContext(connection) as few:
            assert len(client.get(self.PLACE).context["lines"]) == 1
        systems = [InformationSystemFactory(department=scene.consumer_department) for _ in range(2)]
        others = [stories.delivered(replace(scene, system=each), at).grant for each in systems]
        DailyUse.objects.bulk_create(
            DailyUse(grant=each, day=date(2026, 11, 10) + ONE_DAY * n, calls=1, rows=1, bytes=1)
            for each in (grant, *others)
            for n in range(15)
        )
        with CaptureQueriesContext(connection) as many:
            assert len(client.get(self.PLACE).context["lines"]) == 3
        assert len(few) == len(many)


def test_who_sees_a_use_sees_its_grant(cast: dict[str, Any], scene: Scene, at: datetime) -> None:
    from apps.core import access

    grant = stories.delivered(scene, at).grant
    use = DailyUse.objects.create(grant=grant, day=at.date(), calls=1, rows=1, bytes=1)
    people = [cast[name] for name in CAST] + [scene.consumer, scene.provider, scene.authority]
    for person in people:
        listed = use in access.rows(person, "view", DailyUse, at=at)
        assert listed == access.allowed(person, "view", use, at=at)
        assert listed == access.allowed(person, "view", grant, at=at)
