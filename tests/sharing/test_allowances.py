"""The grant's own quota and networks: exact, also with many calls at once, and told in words."""

import csv
import io
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.ledger.models import Event
from apps.sharing.gateway import allowances, calls, filters, pages
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.refusals import AllowanceExceeded, GrantRefused
from apps.sharing.gateway.shapes import shape_of
from apps.sharing.models import Grant, QuotaUse
from tests import stories
from tests.factories.gateway import (
    access_records,
    caller,
    closes,
    credential_of,
    draw_token,
    problem,
    streamed,
)
from tests.factories.sharing import ROWS, Scene

pytestmark = pytest.mark.usefixtures("no_earlier_records")
Admit = Callable[..., Call]


@pytest.fixture
def landed_grant(landed_scene: Scene, now: datetime) -> Grant:
    """All six rows, the key in plain; what limits it each test says by `limit`."""
    items = {"identity_number": "", "name": "", "division_code": ""}
    return stories.delivered(landed_scene, now, items=items).grant


@pytest.fixture
def limit(landed_grant: Grant) -> Callable[..., None]:
    def limit_by(**limits: Any) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(**limits)

    return limit_by


@pytest.fixture
def admit(landed_scene: Scene, landed_grant: Grant, now: datetime) -> Admit:
    """Admit a call at a moment of the test's choice: noon, so that no minute ends in between."""
    token = draw_token(credential_of(landed_scene.system, landed_scene.consumer_head, now))

    def admitted(at: datetime = now, **more: Any) -> Call:
        return replace(calls.admit(token, landed_scene.dataset.code, at=now, **more), at=at)

    return admitted


@pytest.fixture
def noon() -> datetime:
    return timezone.localtime().replace(hour=12, minute=30, second=15, microsecond=0)


def read(call: Call, limit: int = 100) -> int:
    """Read a page as the view does; return its rows."""
    query = filters.read_query({"limit": [str(limit)]}, shape_of(call), accept="")
    with allowances.counted(call, rows=query.limit) as (counted, rows):
        return pages.read_page(counted, replace(query, limit=rows)).rows


def at_once(number: int, work: Callable[[], int]) -> list[int | str]:
    """Do the work in so many threads; return what each read, or the code of its refusal."""
    found: list[int | str] = []
    start = threading.Barrier(number)

    def one() -> None:
        start.wait()
        try:
            found.append(work())
        except AllowanceExceeded as refusal:
            found.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == number
    return found


class TestCalls:
    def test_a_day_has_so_many_and_the_next_begins_anew(
        self, admit: Admit, limit: Callable[..., None], noon: datetime
    ) -> None:
        limit(calls_a_day=2)
        assert [read(admit(noon)), read(admit(noon + timedelta(hours=2)))] == [6, 6]
        with pytest.raises(AllowanceExceeded) as refusal:
            read(admit(noon + timedelta(hours=3)))
        assert refusal.value.code == "daily_calls_exceeded"
        assert refusal.value.wait == 8 * 3600 + 29 * 60 + 45  # from 15:30:15 to midnight
        assert len(access_records()) == 2
        assert read(admit(noon + timedelta(hours=12))) == 6

    def test_a_minute_has_so_many(
        self, admit: Admit, limit: Callable[..., None], noon: datetime
    ) -> None:
        limit(calls_a_minute=2)
        for _ in range(2):
            read(admit(noon))
        with pytest.raises(AllowanceExceeded) as refusal:
            read(admit(noon))
        assert (refusal.value.code, refusal.value.wait) == ("rate_exceeded", 45)
        assert read(admit(noon + timedelta(seconds=45))) == 6

    def test_it_is_told_as_a_problem_with_the_time_to_wait(
        self, client: Client, address: str, limit: Callable[..., None]
    ) -> None:
        limit(calls_a_day=1)
        assert client.get(address).status_code == 200
        for path in ("", "/changes", "/export.csv"):
            refused = client.get(f"{address}{path}")
            assert problem(refused, 429)["code"] == "daily_calls_exceeded"
            assert 0 < int(refused["Retry-After"]) <= 24 * 3600
        body = {"records": [{"identity_number": "x", "name": "y"}]}
        refused = client.post(f"{address}/verify", body, content_type="application/json")
        assert problem(refused, 429)["code"] == "daily_calls_exceeded"
        assert len(access_records()) == 1

    def test_a_call_that_is_answered_with_an_error_is_not_counted(
        self, client: Client, address: str, limit: Callable[..., None], landed_grant: Grant
    ) -> None:
        limit(calls_a_day=1)
        assert client.get(address, {"limit": "0"}).status_code == 400
        assert client.get(address, {"cursor": "AAAA"}).status_code == 400
        assert QuotaUse.objects.filter(grant=landed_grant, calls__gt=0).count() == 0
        assert client.get(address).status_code == 200

    def test_of_many_at_once_exactly_so_many_are_served(
        self, admit: Admit, limit: Callable[..., None], noon: datetime
    ) -> None:
        limit(calls_a_minute=5)
        call = admit(noon)
        found = at_once(12, lambda: read(call))
        assert sorted(map(str, found)) == ["6"] * 5 + ["rate_exceeded"] * 7
        assert len(access_records()) == 5

    def test_one_that_is_late_at_midnight_counts_for_the_new_day(
        self, admit: Admit, limit: Callable[..., None], noon: datetime, landed_grant: Grant
    ) -> None:
        limit(calls_a_day=2)
        for at in (noon, noon + timedelta(days=1), noon):
            read(admit(at))
        use = QuotaUse.objects.get(grant=landed_grant)
        assert (use.day, use.calls) == ((noon + timedelta(days=1)).date(), 2)
        with pytest.raises(AllowanceExceeded):
            read(admit(noon))


class TestRows:
    def test_a_page_is_cut_to_what_is_left_and_goes_on_the_next_day(
        self, client: Client, address: str, limit: Callable[..., None], landed_grant: Grant
    ) -> None:
        limit(rows_a_day=4)
        page = client.get(address, {"limit": "3"}).json()
        page = client.get(address, {"limit": "3", "cursor": page["next"]}).json()
        assert [row["_id"] for row in page["data"]] == [4]
        refused = client.get(address, {"limit": "3", "cursor": page["next"]})
        assert problem(refused, 429)["code"] == "daily_rows_exceeded"
        QuotaUse.objects.update(day=timezone.localdate() - timedelta(days=1))
        page = client.get(address, {"limit": "3", "cursor": page["next"]}).json()
        assert ([row["_id"] for row in page["data"]], page["next"]) == ([5, 6], None)
        assert QuotaUse.objects.get(grant=landed_grant).rows == 2

    def test_what_was_not_read_is_given_back(
        self, client: Client, address: str, limit: Callable[..., None], landed_grant: Grant
    ) -> None:
        limit(rows_a_day=10)
        one = client.get(address, {"division_code": "500103", "limit": "100"}).json()
        assert one["count"] == 3
        assert QuotaUse.objects.get(grant=landed_grant).rows == 3
        feed = client.get(f"{address}/changes", {"limit": "2"}).json()
        assert feed["count"] == 2
        assert QuotaUse.objects.get(grant=landed_grant).rows == 5

    def test_a_read_that_fails_takes_nothing(
        self, admit: Admit, limit: Callable[..., None], landed_grant: Grant, noon: datetime
    ) -> None:
        limit(rows_a_day=10, calls_a_day=3)
        call = replace(admit(noon), role="postgres")  # which the gateway may not take
        with pytest.raises(Exception, match="权限尚未就绪"):
            read(call)
        use = QuotaUse.objects.get(grant=landed_grant)
        assert (use.rows, use.calls, use.calls_in_minute) == (0, 0, 0)

    def test_of_many_at_once_exactly_so_many_rows_are_read(
        self, admit: Admit, limit: Callable[..., None], noon: datetime
    ) -> None:
        limit(rows_a_day=20)
        call = admit(noon)
        found = at_once(10, lambda: read(call, limit=6))
        read_rows = [rows for rows in found if isinstance(rows, int)]
        assert sorted(read_rows) == [2, 6, 6, 6]
        assert found.count("daily_rows_exceeded") == 6
        assert sum(record["rows"] for record in access_records()) == 20

    def test_pages_larger_than_what_is_read_never_exceed_it_either(
        self, admit: Admit, limit: Callable[..., None], noon: datetime
    ) -> None:
        limit(rows_a_day=20)
        call = admit(noon)
        at_once(10, lambda: read(call, limit=100))
        for _ in range(5):
            at_once(1, lambda: read(call, limit=100))
        assert sum(record["rows"] for record in access_records()) == 20

    def test_verification_takes_those_found_and_needs_room_for_all_it_asks(
        self, client: Client, address: str, limit: Callable[..., None], landed_grant: Grant
    ) -> None:
        limit(rows_a_day=3)
        nobody = [{"identity_number": f"{n}", "name": "x"} for n in range(2)]
        known = [{"identity_number": row[0], "name": row[1]} for row in ROWS[:2]]

        def ask(*records: dict[str, str]) -> Any:
            return client.post(
                f"{address}/verify", {"records": records}, content_type="application/json"
            )

        assert ask(*known[:1], *nobody).json()["found"] == 1
        assert ask(*known).json()["found"] == 2
        assert QuotaUse.objects.get(grant=landed_grant).rows == 3
        QuotaUse.objects.update(rows=2)
        assert problem(ask(*nobody), 429)["code"] == "daily_rows_exceeded"
        assert ask(*nobody[:1]).status_code == 200
        assert QuotaUse.objects.get(grant=landed_grant).rows == 2


class TestExport:
    def test_it_stops_where_the_day_is_used_up_and_says_so(
        self,
        client: Client,
        address: str,
        limit: Callable[..., None],
        landed_grant: Grant,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("apps.sharing.gateway.exports.CHUNK_ROWS", 4)
        limit(rows_a_day=5)
        stream = streamed(client.get(f"{address}/export.csv"))
        rows = list(csv.reader(io.StringIO(next(stream).decode() + next(stream).decode())))
        assert [row[0] for row in rows[1:]] == ["1", "2", "3", "4", "5"]
        last = next(stream).decode()
        assert last.startswith("# daily_rows_exceeded: ")
        with pytest.raises(Exception, match="daily_rows_exceeded"):
            next(stream)
        [closed] = closes()
        assert (closed["outcome"], closed["rows"]) == ("failed", 5)
        QuotaUse.objects.update(day=timezone.localdate() - timedelta(days=1))
        cursor = last.strip().partition("cursor=")[2]
        rest = b"".join(streamed(client.get(f"{address}/export.csv", {"cursor": cursor})))
        assert [line.partition(",")[0] for line in rest.decode().splitlines()] == ["_id", "6"]
        assert QuotaUse.objects.get(grant=landed_grant).rows == 1

    def test_one_that_ends_with_the_quota_is_whole(
        self,
        client: Client,
        address: str,
        limit: Callable[..., None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("apps.sharing.gateway.exports.CHUNK_ROWS", 4)
        limit(rows_a_day=6)
        whole = b"".join(streamed(client.get(f"{address}/export.csv")))
        assert len(whole.splitlines()) == 7
        [closed] = closes()
        assert (closed["outcome"], closed["rows"]) == ("complete", 6)

    def test_nothing_is_sent_when_nothing_is_left(
        self, client: Client, address: str, limit: Callable[..., None]
    ) -> None:
        limit(rows_a_day=6)
        assert client.get(address).json()["count"] == 6
        refused = client.get(f"{address}/export.csv")
        assert problem(refused, 429)["code"] == "daily_rows_exceeded"
        assert QuotaUse.objects.get().calls == 1  # the page alone


class TestCost:
    def test_a_grant_without_quota_pays_nothing_and_a_full_page_one_statement(
        self, client: Client, address: str, limit: Callable[..., None]
    ) -> None:
        client.get(address)
        counts = []
        for limits in ({}, {"calls_a_minute": 1000}, {"rows_a_day": 1000}):
            limit(calls_a_minute=None, rows_a_day=None)
            limit(**limits)
            with CaptureQueriesContext(connection) as statements:
                assert client.get(address, {"limit": "2"}).status_code == 200
            counts.append(len(statements))
        assert counts == [counts[0], counts[0] + 1, counts[0] + 1]
        assert QuotaUse.objects.count() == 1

    def test_the_statement_finds_its_row_by_its_key(self, admit: Admit, noon: datetime) -> None:
        call = admit(noon)
        assert call.quota is None
        quota = calls.Quota(calls_a_day=10, rows_a_day=10, calls_a_minute=10)
        counted = allowances.call_counted(replace(call, quota=quota))
        with CaptureQueriesContext(connection) as taken, counted:
            pass
        [statement] = [each["sql"] for each in taken]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {statement}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Conflict Arbiter Indexes: sharing_quotause_pkey" in plan
        assert "Seq Scan" not in plan


class TestAddresses:
    @pytest.mark.parametrize(
        ("networks", "address", "ok"),
        [
            ([], "203.0.113.9", True),
            ([], None, True),
            (["10.20.0.0/16"], "10.20.255.1", True),
            (["10.20.0.0/16"], "10.21.0.1", False),
            (["192.0.2.7/32", "2001:db8::/32"], "2001:db8::1", True),
            (["192.0.2.7/32", "2001:db8::/32"], "192.0.2.8", False),
            (["10.20.0.0/16"], "::ffff:10.20.0.1", True),
            (["10.20.0.0/16"], "2001:db8::1", False),
            (["10.20.0.0/16"], None, False),
        ],
    )
    def test_a_call_comes_from_the_grants_networks(
        self,
        admit: Admit,
        limit: Callable[..., None],
        networks: list[str],
        address: str | None,
        ok: bool,
    ) -> None:
        limit(allowed_addresses=networks)
        if ok:
            assert admit(client_address=address).client_address == address
            return
        with pytest.raises(GrantRefused) as refusal:
            admit(client_address=address)
        assert refusal.value.code == "address_not_allowed"

    def test_behind_a_named_proxy_it_is_the_address_that_the_proxy_saw(
        self, client: Client, address: str, limit: Callable[..., None], settings: Any
    ) -> None:
        limit(allowed_addresses=["10.20.0.0/16"])
        said: dict[str, Any] = {
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_X_FORWARDED_FOR": "9.9.9.9, 10.20.3.4",
        }
        assert problem(client.get(address, **said), 403)["code"] == "address_not_allowed"
        settings.HUILIU_TRUSTED_PROXIES = ["127.0.0.0/8"]
        assert client.get(address, **said).status_code == 200
        said["HTTP_X_FORWARDED_FOR"] = "10.20.3.4, 9.9.9.9"
        assert problem(client.get(address, **said), 403)["code"] == "address_not_allowed"

    def test_another_address_is_refused_everywhere_and_told(
        self, client: Client, address: str, limit: Callable[..., None], landed_grant: Grant
    ) -> None:
        limit(allowed_addresses=["10.20.0.0/16"], calls_a_day=5)
        for path in ("", "/changes", "/export.csv"):
            body = problem(client.get(f"{address}{path}"), 403)
            assert body["code"] == "address_not_allowed"
        refused = client.post(f"{address}/verify", {}, content_type="application/json")
        assert problem(refused, 403)["code"] == "address_not_allowed"
        assert access_records() == []
        assert QuotaUse.objects.count() == 0
        assert Event.objects.filter(verb="sharing.read", outcome="refused").count() == 4
        assert client.get(address, REMOTE_ADDR="10.20.1.1").status_code == 200


def test_two_systems_have_quotas_of_their_own(
    client: Client, address: str, landed_scene: Scene, landed_grant: Grant, now: datetime
) -> None:
    from tests.factories.accounts import InformationSystemFactory

    Grant.objects.filter(pk=landed_grant.pk).update(calls_a_day=1)
    system = InformationSystemFactory(department=landed_scene.consumer_department)
    stories.delivered(replace(landed_scene, system=system), now, calls_a_day=1)
    other = caller(draw_token(credential_of(system, landed_scene.consumer_head, now)))
    for each in (client, other):
        assert each.get(address).status_code == 200
        assert problem(each.get(address), 429)["code"] == "daily_calls_exceeded"
