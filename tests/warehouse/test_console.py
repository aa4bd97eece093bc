"""What a table's page says of freshness, size, growth and use."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.catalog.models import Dataset
from apps.warehouse import extent, queries
from apps.warehouse.models import Batch, NoChange
from apps.warehouse.periods import last_periods
from tests.factories.warehouse import AT, IDENTITIES, landed, published, received
from tests.warehouse.test_mending import person
from tests.warehouse.test_views import HEADER, signed_in, table_url

pytestmark = pytest.mark.django_db

A, B, C, D = IDENTITIES[:4]
NOW = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)


def delivered(dataset: Dataset, provider: Any, *days: str) -> None:
    """Batches that were over on these days."""
    for number, day in enumerate(days):
        batch = landed(dataset, HEADER + person(A, f"第{number}"), actor=provider)
        moment = datetime.fromisoformat(f"{day}T04:00:00+00:00")
        Batch.objects.filter(pk=batch.pk).update(finished_at=moment)


def told(dataset: Dataset, at: datetime = NOW) -> list[str]:
    return [period.delivered.value for period in last_periods(dataset, at)]


class TestPeriods:
    def test_each_month_is_in_time_late_or_missing(
        self, provider: Any, provider_department: Any
    ) -> None:
        dataset = published(department=provider_department, update_cycle="monthly")
        delivered(dataset, provider, "2026-05-31", "2026-06-02", "2026-08-20")
        NoChange.objects.create(
            dataset=dataset,
            period_from=date(2026, 10, 1),
            period_to=date(2026, 10, 31),
            confirmed_by=provider,
            confirmed_at=AT,
        )
        assert told(dataset) == ["punctual", "punctual", "late", "punctual", "missing", "confirmed",
                                 "pending"]  # fmt: skip

    @pytest.mark.parametrize(
        ("cycle", "begin", "end"),
        [
            ("daily", "2026-11-17", "2026-11-17"),
            ("weekly", "2026-11-09", "2026-11-15"),
            ("ten_days", "2026-11-01", "2026-11-10"),
            ("monthly", "2026-10-01", "2026-10-31"),
            ("quarterly", "2026-07-01", "2026-09-30"),
            ("half_yearly", "2026-01-01", "2026-06-30"),
            ("yearly", "2025-01-01", "2025-12-31"),
        ],
    )
    def test_periods_follow_the_calendar(
        self, provider: Any, provider_department: Any, cycle: str, begin: str, end: str
    ) -> None:
        dataset = published(department=provider_department, update_cycle=cycle)
        delivered(dataset, provider, begin)
        *_earlier, last, running = last_periods(dataset, NOW)
        assert (last.begin.isoformat(), last.end.isoformat()) == (begin, end)
        assert (last.delivered, last.batches) == ("punctual", 1)
        assert running.begin == last.end + timedelta(days=1)
        assert running.delivered == "pending"

    @pytest.mark.parametrize("cycle", ["irregular", "once"])
    def test_what_promises_nothing_has_none(
        self, provider: Any, provider_department: Any, cycle: str
    ) -> None:
        dataset = published(department=provider_department, update_cycle=cycle)
        delivered(dataset, provider, "2026-11-01")
        assert told(dataset) == []

    def test_nothing_was_promised_before_the_first_delivery(
        self, provider: Any, provider_department: Any
    ) -> None:
        dataset = published(department=provider_department, update_cycle="daily")
        assert told(dataset) == []
        delivered(dataset, provider, "2026-11-16")
        assert told(dataset) == ["punctual", "missing", "pending"]


class TestExtent:
    def test_rows_and_versions_follow_the_batches(self, dataset: Dataset, provider: Any) -> None:
        landed(dataset, HEADER + person(A) + person(B), actor=provider)
        landed(dataset, HEADER + person(A, "新") + person(C), actor=provider)
        landed(dataset, HEADER + person(C), actor=provider, mode="snapshot")
        landed(dataset, f"身份证号\n{C}\n", actor=provider, mode="delete")
        table = queries.table_of(dataset)
        assert table is not None
        steps = extent.steps_of(table, 10)
        assert [step.rows for step in steps] == [2, 3, 1, 0]
        assert [step.moved for step in steps] == [2, 2, 2, 1]
        assert [step.rows for step in extent.steps_of(table, 2)] == [1, 0]
        size = extent.size_of(table)
        assert (size.versions, size.is_estimate) == (4, False)
        assert size.bytes > 0

    def test_very_many_versions_are_estimated(
        self, dataset: Dataset, provider: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(extent, "COUNTED_VERSIONS", 0)
        landed(dataset, HEADER + person(A), actor=provider)
        landed(dataset, HEADER + person(A, "新"), actor=provider)
        table = queries.table_of(dataset)
        assert table is not None
        assert extent.size_of(table).is_estimate


class TestPage:
    def test_it_shows_all_of_it(self, dataset: Dataset, provider: Any) -> None:
        landed(dataset, HEADER + person(A), actor=provider)
        landed(dataset, HEADER + person(B), actor=provider)
        text = signed_in(provider).get(table_url(dataset)).content.decode()
        for words in ("更新情况", "走势", "谁在用", "占用空间", "历史版本", "drawing__bar"):
            assert words in text, words
        assert "现在没有系统获准使用这张表" in text

    def test_a_running_load_keeps_itself_up_to_date(self, dataset: Dataset, provider: Any) -> None:
        batch = received(dataset, HEADER + person(A), actor=provider)
        Batch.objects.filter(pk=batch.pk).update(
            status="checking",
            stage="loading",
            declared=2_000,
            progress_rows=500,
            started_at=timezone.now() - timedelta(seconds=10),
            heartbeat_at=timezone.now(),
        )
        client = signed_in(provider)
        page = client.get(table_url(dataset)).content.decode()
        assert f'data-refresh="/work/batches/{batch.pk}/state/"' in page
        state = client.get(f"/work/batches/{batch.pk}/state/").content.decode()
        assert "写入数据表" in state
        assert "每秒" in state
        assert "还需约" in state
        assert "500/2,000" in state

    def test_it_takes_the_same_queries_however_many_batches(
        self, dataset: Dataset, provider: Any
    ) -> None:
        client = signed_in(provider)
        landed(dataset, HEADER + person(A), actor=provider)
        landed(dataset, HEADER + person(B), actor=provider)
        client.get(table_url(dataset))

        def counted() -> int:
            with CaptureQueriesContext(connection) as captured:
                client.get(table_url(dataset))
            return len(captured)

        before = counted()
        for identity in (C, D):
            landed(dataset, HEADER + person(identity), actor=provider)
        assert counted() == before
