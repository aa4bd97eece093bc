"""A column that its entry drops is served on for a time, announced, and then taken out."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from django.utils.http import parse_http_date
from psycopg import sql

from apps.catalog import queries as catalog
from apps.catalog.models import DataItem, Dataset
from apps.clocks.models import CalendarDay, ClockPolicy
from apps.core.contracts import Column
from apps.core.errors import Conflict, InvalidInput
from apps.ledger.models import Event, Notice, Todo
from apps.sharing import operations as sharing
from apps.sharing import provisioning, queries
from apps.sharing.describing import document, subjects
from apps.sharing.gateway import shapes
from apps.sharing.leaving import leaving_columns
from apps.sharing.models import Credential, Grant, ServiceChange, WebhookDelivery
from apps.sharing.operations.holding.dropped_columns import ADAPT, CHOOSE_ROWS
from apps.sharing.reconciliation import reconcile
from apps.warehouse import physical
from apps.warehouse.models import DataTable
from tests import stories
from tests.factories.gateway import caller, credential_of, draw_token, problem
from tests.factories.sharing import Scene
from tests.sharing.conftest import Read
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_reshaping import columns_of, publish
from tests.sharing.test_return_flow import agreed as flow_agreed
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.usefixtures("no_earlier_records")

NINETY: timedelta = timedelta(days=90)
OVER: timedelta = timedelta(days=91)
DAY = "registered_on"
DISTRICT = "division_code"


@pytest.fixture(autouse=True)
def nothing_drawn() -> Iterator[None]:
    """Shapes are kept by numbers that the next test's rows have again."""
    yield
    shapes._shape.cache_clear()
    shapes._fingerprint.cache_clear()


def drop(dataset: Dataset, at: datetime, *names: str, added: tuple[Column, ...] = ()) -> DataTable:
    """Publish a version without these columns, and let the table follow."""
    staying = [each for each in columns_of(dataset) if each.name not in names]
    publish(dataset, at, *staying, *added)
    return physical.ensure_table(dataset)


def put_row(table: DataTable, **values: Any) -> None:
    """Land a row as its owner, in a batch of its own."""
    batch = DataTable.objects.get(pk=table.pk).batch_counter + 1
    row = {"identity_number": "500103200101010101", **values, "_batch": batch, "_hash": 0}
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table.schema, table.name),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(sql.Placeholder() * len(row)),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, list(row.values()))
    DataTable.objects.filter(pk=table.pk).update(batch_counter=batch)


def todos(grant: Grant, kind: str) -> list[Todo]:
    return list(Todo.objects.filter(object_id=grant.pk, kind=kind, done_at=None))


class TestServedOn:
    def test_the_table_follows_at_once_and_the_grant_reads_both_versions(
        self, landed_grant: Grant, landed_scene: Scene, client: Client, address: str, now: datetime
    ) -> None:
        before = client.get(address, {"limit": "2"}).json()
        feed = client.get(f"{address}/changes").json()
        table = drop(landed_scene.dataset, now, DAY, added=(Column("phone", "电话", "C"),))
        assert table.version.number == 2
        assert "phone" in table.column_names
        after = client.get(address, {"limit": "2", "cursor": before["next"]})
        assert [row[DAY] for row in after.json()["data"]] == ["2026-03-07"]
        assert after.json()["grant"] == before["grant"]
        put_row(table, name="新人", division_code="500103", phone="023")
        changed = client.get(f"{address}/changes", {"cursor": feed["next"]}).json()
        assert [(row["_op"], row["name"], row[DAY]) for row in changed["data"]] == [
            ("upsert", "新人", None)
        ]
        assert client.get(address, {f"{DAY}__gte": "2026-02-01"}).json()["count"] == 2
        assert list(reconcile()) == []

    def test_rows_stay_chosen_by_the_last_values(
        self, landed_grant: Grant, landed_scene: Scene, read: Read, now: datetime
    ) -> None:
        view = f"SELECT name FROM share.g_{landed_grant.pk} ORDER BY _id"
        before = read(landed_grant, view)
        table = drop(landed_scene.dataset, now, DISTRICT)
        put_row(table, name="新人")
        assert read(landed_grant, view) == before
        past = f"SELECT count(*) FROM share.g_{landed_grant.pk}__past"
        assert read(landed_grant, past) == [(0,)]

    def test_a_mask_stays(self, landed_scene: Scene, read: Read, now: datetime) -> None:
        grant = stories.delivered(
            landed_scene, now, items={"name": "cover_name", DISTRICT: ""}
        ).grant
        drop(landed_scene.dataset, now, "name")
        names = read(grant, f"SELECT name FROM share.g_{grant.pk} ORDER BY _id")
        assert names[0] == ("张*三",)

    def test_what_an_absent_value_meets_cannot_be_held(
        self, landed_scene: Scene, now: datetime
    ) -> None:
        stories.delivered(
            landed_scene,
            now,
            items={"name": ""},
            row_condition=[{"item": DAY, "operator": "is_null", "value": True}],
        )
        staying = [each for each in columns_of(landed_scene.dataset) if each.name != DAY]
        publish(landed_scene.dataset, now, *staying)
        before = fingerprint()
        with pytest.raises(Conflict) as refused:
            physical.ensure_table(landed_scene.dataset)
        assert refused.value.code == "grant_cannot_follow"
        assert fingerprint() == before

    def test_a_condition_that_an_absent_value_does_not_meet_is_held(
        self, landed_scene: Scene, read: Read, now: datetime
    ) -> None:
        grant = stories.delivered(
            landed_scene,
            now,
            items={"name": ""},
            row_condition=[{"item": DAY, "operator": "is_null", "value": False}],
        ).grant
        table = drop(landed_scene.dataset, now, DAY)
        put_row(table, name="新人")
        assert read(grant, f"SELECT count(*) FROM share.g_{grant.pk}") == [(5,)]

    def test_what_was_agreed_before_is_delivered_after(
        self, landed_scene: Scene, read: Read, now: datetime
    ) -> None:
        grant = stories.agreed(landed_scene, now, items={"name": "", DAY: ""}).grant
        drop(landed_scene.dataset, now, DAY)
        assert todos(grant, ADAPT), "told although it is only being delivered"
        sharing.deliver(grant=grant, at=now)
        assert len(read(grant, f"SELECT {DAY} FROM share.g_{grant.pk}")) == 6

    def test_a_table_made_after_the_drop_does_not_have_it(self, scene: Scene, at: datetime) -> None:
        grant = stories.agreed(scene, at, items={"name": "", DAY: ""}).grant
        staying = [each for each in columns_of(scene.dataset) if each.name != DAY]
        publish(scene.dataset, at, *staying)
        with pytest.raises(Conflict) as refused:
            sharing.deliver(grant=grant, at=at)
        assert refused.value.code == "grant_cannot_follow"
        grant.refresh_from_db()
        assert (grant.status, DAY in grant.problem) == ("delivering", True)

    def test_values_are_verified_on(self, landed_scene: Scene, now: datetime) -> None:
        stories.delivered(landed_scene, now, mode="verify", items={"identity_number": "", DAY: ""})
        held = credential_of(landed_scene.system, landed_scene.consumer_head, now)
        client = caller(draw_token(held))
        drop(landed_scene.dataset, now, DAY)
        address = f"/api/v1/data/{landed_scene.dataset.dashed_code}/verify"
        record = {"identity_number": "11010519491231002X", DAY: "2026-01-05"}
        answer = client.post(address, {"records": [record]}, content_type="application/json")
        assert answer.json()["data"][0]["items"] == {DAY: True}
        assert answer["Sunset"]


class TestNobodyElse:
    def test_a_dropped_item_is_not_given_anew(self, landed_scene: Scene, now: datetime) -> None:
        request = stories.awaiting_signature(landed_scene, now, items={"name": "", DAY: ""})
        drop(landed_scene.dataset, now, DAY)
        before = fingerprint()
        with pytest.raises(InvalidInput) as refused:
            sharing.agree(request=request, actor=landed_scene.provider_head, at=now)
        assert refused.value.code == "unknown_item"
        assert fingerprint() == before

    def test_nor_by_the_next_version_of_a_grant_without_it(
        self, landed_scene: Scene, now: datetime
    ) -> None:
        grant = stories.delivered(landed_scene, now, items={"name": ""}).grant
        draft = sharing.ask_change(grant=grant, actor=landed_scene.consumer, at=now)
        draft = sharing.revise(
            request=draft,
            actor=landed_scene.consumer,
            at=now,
            vouched=True,
            ends_on=draft.ends_on,
            items={"name": "", DAY: ""},
        )
        sharing.submit(request=draft, actor=landed_scene.consumer, at=now)
        sharing.approve_by_head(request=draft, actor=landed_scene.consumer_head, at=now)
        sharing.accept_form(request=draft, actor=landed_scene.provider, at=now)
        sharing.propose(request=draft, outcome="agree", actor=landed_scene.provider, at=now)
        stories.confirmed(draft, landed_scene, now)
        drop(landed_scene.dataset, now, DAY)
        before = fingerprint()
        with pytest.raises(InvalidInput) as refused:
            sharing.agree(request=draft, actor=landed_scene.provider_head, at=now)
        assert (refused.value.code, refused.value.details["item"]) == ("unknown_item", DAY)
        assert fingerprint() == before

    def test_a_draft_that_names_it_is_not_sent(self, scene: Scene, at: datetime) -> None:
        draft = stories.draft(scene, at, items={"name": "", DAY: ""})
        DataItem.objects.filter(dataset=scene.dataset, column_name=DAY).update(retired_at=at)
        before = fingerprint()
        with pytest.raises(InvalidInput) as refused:
            sharing.submit(request=draft, actor=scene.consumer, at=at)
        assert (refused.value.code, refused.value.details["item"]) == ("unknown_item", DAY)
        assert fingerprint() == before

    def test_a_change_is_asked_for_without_it(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        drop(landed_scene.dataset, now, DISTRICT, DAY)
        gone = DataItem.objects.filter(dataset=landed_scene.dataset)
        gone.filter(column_name__in=(DISTRICT, DAY)).update(retired_at=now)
        draft = sharing.ask_change(grant=landed_grant, actor=landed_scene.consumer, at=now)
        assert {row.item.column_name for row in draft.requested_items.all()} == {
            *("identity_number", "name"),
        }
        assert draft.row_condition == []


class TestTelling:
    def test_both_sides_and_the_holders_are_told_once_what_goes_when_and_what_carries_on(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        scene = landed_scene
        credential_of(scene.system, scene.consumer_head, now)
        Credential.objects.filter(system=scene.system).update(holder=scene.district)
        Notice.objects.all().delete()
        drop(scene.dataset, now, DAY, added=(Column("entered_on", "登记日期", "D"),))
        physical.ensure_table(scene.dataset)
        told = {
            notice.recipient: notice for notice in Notice.objects.filter(title__contains="停用")
        }
        assert set(told) >= {
            *(scene.consumer, scene.consumer_head, scene.provider, scene.provider_head),
            scene.district,
        }
        assert scene.authority not in told
        last_day = (timezone.localdate(now) + NINETY).isoformat()
        body = told[scene.consumer].body
        for words in (DAY, "登记日期", last_day, "entered_on", "新记录为空", "申请变更授权"):
            assert words in body
        [todo] = todos(landed_grant, ADAPT)
        assert (todo.department, str(todo.due_on)) == (landed_grant.consumer, last_day)
        assert todos(landed_grant, CHOOSE_ROWS) == []
        event = Event.objects.get(verb="sharing.announce_drop")
        assert event.details["columns"] == [
            {"name": DAY, "label": "登记日期", "last_day": last_day, "replaced_by": "entered_on"}
        ]

    def test_whoever_chooses_rows_by_it_owes_another_choice(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        drop(landed_scene.dataset, now, DISTRICT)
        [todo] = todos(landed_grant, CHOOSE_ROWS)
        assert (todo.department, todo.role) == (landed_grant.provider, "department_approver")
        assert len(todos(landed_grant, ADAPT)) == 1

    def test_a_condition_alone_is_told_as_such(self, landed_scene: Scene, now: datetime) -> None:
        condition = [{"item": DISTRICT, "operator": "eq", "value": "500103"}]
        grant = stories.delivered(
            landed_scene, now, items={"name": ""}, row_condition=condition
        ).grant
        drop(landed_scene.dataset, now, DISTRICT)
        assert (len(todos(grant, ADAPT)), len(todos(grant, CHOOSE_ROWS))) == (0, 1)
        body = Notice.objects.filter(title__contains="停用").first()
        assert body is not None
        assert "停用前的值限定" in body.body
        page = signed_in(landed_scene.consumer).get(f"/work/grants/{grant.pk}/")
        assert "新记录不在其内" in page.content.decode()

    def test_a_grant_without_it_is_left_alone(self, landed_scene: Scene, now: datetime) -> None:
        grant = stories.delivered(landed_scene, now, items={"name": ""}).grant
        drop(landed_scene.dataset, now, DAY)
        assert not Event.objects.filter(verb="sharing.announce_drop").exists()
        sharing.withdraw_dropped(now + OVER)
        grant.refresh_from_db()
        assert grant.version == 1

    def test_systems_hear_of_it(
        self, landed_grant: Grant, landed_scene: Scene, settings: Any, now: datetime
    ) -> None:
        settings.HUILIU_PUSH_ALLOW = ["127.0.0.1/32"]
        sharing.register_webhook(
            system=landed_scene.system,
            url="http://127.0.0.1:9/events",
            events=["grant.column_dropped"],
            actor=landed_scene.consumer,
            at=now,
        )
        drop(landed_scene.dataset, now, DAY)
        sharing.collect_events(at=timezone.now())
        [message] = WebhookDelivery.objects.all()
        assert message.event == "grant.column_dropped"
        assert [each["name"] for each in message.body["columns"]] == [DAY]
        assert message.body["grant"]["id"] == landed_grant.pk


class TestShowing:
    def test_answers_say_since_when_and_until_when(
        self, landed_grant: Grant, landed_scene: Scene, client: Client, address: str, now: datetime
    ) -> None:
        assert "Sunset" not in client.get(address)
        drop(landed_scene.dataset, now, DAY)
        ends = timezone.localdate(now) + OVER
        for path in ("", "/changes", "/export.csv"):
            answer = client.get(address + path)
            assert answer["Deprecation"] == f"@{int(now.timestamp())}", path
            day_before = (ends - timedelta(days=1)).strftime("%d %b %Y 16:00:00 GMT")
            assert answer["Sunset"].endswith(day_before), path
        described = {
            each["name"]: each for each in client.get(f"{address}/columns").json()["columns"]
        }
        until = (timezone.localdate(now) + NINETY).isoformat()
        assert (described[DAY]["served_until"], described[DAY]["type"]) == (until, "D")
        assert described["name"]["served_until"] is None

    def test_no_call_asks_more_than_before(
        self,
        landed_grant: Grant,
        landed_scene: Scene,
        client: Client,
        address: str,
        now: datetime,
    ) -> None:
        drop(landed_scene.dataset, now, added=(Column("phone", "电话", "C"),))
        client.get(address)
        plain, counting = _Counting(), _Counting()
        with connection.execute_wrapper(plain):
            client.get(address)
        drop(landed_scene.dataset, now, "phone")
        client.get(address)
        with connection.execute_wrapper(counting):
            client.get(address)
        assert counting.count == plain.count

    def test_until_when_is_asked_once_however_many_columns_go(
        self, landed_grant: Grant, landed_scene: Scene, client: Client, address: str, now: datetime
    ) -> None:
        client.get(address)
        plain, counting = _Counting(), _Counting()
        with connection.execute_wrapper(plain):
            client.get(address)
        drop(landed_scene.dataset, now, DAY, "name")
        client.get(address)
        with connection.execute_wrapper(counting):
            assert client.get(address)["Sunset"]
        assert counting.count == plain.count + 3  # the policy, and the calendar's two tables

    def test_a_day_off_declared_since_moves_the_day(
        self, landed_grant: Grant, landed_scene: Scene, client: Client, address: str, now: datetime
    ) -> None:
        policy = ClockPolicy.objects.filter(code="grant.dropped_column")
        policy.update(length=1, unit="workday")
        drop(landed_scene.dataset, now, DAY)

        def read() -> tuple[str, str]:
            columns = client.get(f"{address}/columns").json()["columns"]
            [until] = [each["served_until"] for each in columns if each["name"] == DAY]
            return client.get(address)["Sunset"], until

        before = read()
        CalendarDay.objects.create(day=date.fromisoformat(before[1]), is_workday=False, note="调休")
        after = read()
        assert after[1] > before[1]
        assert parse_http_date(after[0]) > parse_http_date(before[0])

    def test_the_interface_says_it_is_deprecated(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        drop(landed_scene.dataset, now, DAY, added=(Column("entered_on", "登记日期", "D"),))
        found = document.openapi(subjects.of_grant(landed_grant), origin="https://portal.example")
        shown = found["components"]["schemas"]["Record"]["properties"]
        until = (timezone.localdate(now) + NINETY).isoformat()
        assert shown[DAY]["deprecated"] is True
        assert until in shown[DAY]["description"]
        assert "entered_on" in shown[DAY]["description"]
        assert (shown[DAY]["type"], shown[DAY]["format"]) == (["string", "null"], "date")
        assert "deprecated" not in shown["name"]

    def test_the_pages_show_it(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        drop(landed_scene.dataset, now, DAY, DISTRICT)
        for person in (landed_scene.consumer, landed_scene.provider):
            page = signed_in(person).get(f"/work/grants/{landed_grant.pk}/").content.decode()
            assert "“登记日期”提供至" in page
            assert "数据范围按停用前的“行政区划代码”限定" in page
        why = signed_in(landed_scene.consumer).get(f"/work/grants/{landed_grant.pk}/?item={DAY}")
        assert [reason.rule for reason in why.context["explained"]["reasons"]][-1:] == ["item"]
        about = signed_in(landed_scene.consumer).get(f"/work/grants/{landed_grant.pk}/interface/")
        assert "值停在停用之时" in about.content.decode()

    def test_the_provider_sees_beforehand_whom_it_touches(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        staying = [each for each in columns_of(landed_scene.dataset) if each.name != DAY]
        publish(landed_scene.dataset, now, *staying)
        address = f"/work/tables/{landed_scene.dataset.dashed_code}/change/"
        page = signed_in(landed_scene.provider).get(address).content.decode()
        assert str(landed_grant) in page
        assert DAY in page


class _Counting:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Any, *arguments: Any) -> Any:
        self.count += 1
        return execute(*arguments)


class TestTakingOut:
    def test_nothing_happens_through_the_last_day(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        drop(landed_scene.dataset, now, DAY)
        [leaving] = leaving_columns(landed_grant)
        before = fingerprint()
        assert sharing.withdraw_dropped(leaving.ending.ends_at - timedelta(minutes=1)) == 0
        assert fingerprint() == before

    def test_the_grant_is_narrowed_by_the_column_after_it(
        self, landed_grant: Grant, landed_scene: Scene, client: Client, address: str, now: datetime
    ) -> None:
        feed = client.get(f"{address}/changes").json()
        drop(landed_scene.dataset, now, DAY)
        [leaving] = leaving_columns(landed_grant)
        assert sharing.withdraw_dropped(leaving.ending.ends_at) == 1
        landed_grant.refresh_from_db()
        assert landed_grant.version == 2
        assert [(c["name"], c["mask"]) for c in landed_grant.columns] == [
            ("identity_number", "cover_identity"),
            ("name", ""),
            (DISTRICT, ""),
        ]
        answer = client.get(address)
        assert DAY not in answer.json()["data"][0]
        assert "Sunset" not in answer
        refused = client.get(f"{address}/changes", {"cursor": feed["next"]})
        assert problem(refused, 409)["code"] == "resync_required"
        event = Event.objects.get(verb="sharing.narrow")
        assert (event.details["version"], event.details["changed"]) == (2, ["columns"])
        assert todos(landed_grant, ADAPT) == []
        assert Notice.objects.filter(
            recipient=landed_scene.consumer, title__contains="已收窄"
        ).exists()
        assert list(reconcile()) == []
        before = fingerprint()
        assert sharing.withdraw_dropped(leaving.ending.ends_at) == 0
        assert fingerprint() == before

    def test_two_columns_go_each_on_its_day(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        drop(landed_scene.dataset, now - timedelta(days=30), DAY)
        drop(landed_scene.dataset, now, "name")
        assert [each.column.name for each in leaving_columns(landed_grant)] == ["name", DAY]
        [todo] = todos(landed_grant, ADAPT)
        assert "登记日期" in todo.title
        assert "姓名" in todo.title
        assert todo.due_on == timezone.localdate(now) + timedelta(days=60)
        assert sharing.withdraw_dropped(now + timedelta(days=61)) == 1
        landed_grant.refresh_from_db()
        assert [each.column.name for each in leaving_columns(landed_grant)] == ["name"]
        assert len(todos(landed_grant, ADAPT)) == 1
        assert sharing.withdraw_dropped(now + OVER) == 1
        landed_grant.refresh_from_db()
        assert (landed_grant.version, todos(landed_grant, ADAPT)) == (3, [])

    def test_what_comes_back_in_time_stays(
        self, landed_grant: Grant, landed_scene: Scene, client: Client, address: str, now: datetime
    ) -> None:
        feed = client.get(f"{address}/changes").json()
        all_of_them = columns_of(landed_scene.dataset)
        drop(landed_scene.dataset, now, DAY, DISTRICT)
        publish(landed_scene.dataset, now + timedelta(days=30), *all_of_them)
        physical.ensure_table(landed_scene.dataset)
        assert (todos(landed_grant, ADAPT), todos(landed_grant, CHOOSE_ROWS)) == ([], [])
        assert Notice.objects.filter(
            recipient=landed_scene.consumer, title__contains="恢复"
        ).exists()
        assert Event.objects.get(verb="sharing.announce_return").details == {
            "columns": [DISTRICT, DAY]
        }
        assert sharing.withdraw_dropped(now + OVER) == 0
        landed_grant.refresh_from_db()
        assert landed_grant.version == 1
        assert client.get(f"{address}/changes", {"cursor": feed["next"]}).status_code == 200
        assert "Sunset" not in client.get(address)

    def test_what_would_show_no_item_ends(self, landed_scene: Scene, now: datetime) -> None:
        grant = stories.delivered(landed_scene, now, items={DAY: ""}).grant
        drop(landed_scene.dataset, now, DAY)
        assert sharing.withdraw_dropped(now + OVER) == 1
        grant.refresh_from_db()
        assert grant.status == "ended"
        assert "登记日期" in grant.end_reason
        assert Event.objects.filter(verb="sharing.end", subject_id=str(grant.pk)).exists()
        assert todos(grant, ADAPT) == []
        assert sharing.withdraw_dropped(now + OVER) == 0

    def test_what_could_verify_nothing_ends(self, landed_scene: Scene, now: datetime) -> None:
        grant = stories.delivered(
            landed_scene, now, mode="verify", items={"identity_number": "", DAY: ""}
        ).grant
        drop(landed_scene.dataset, now, DAY)
        sharing.withdraw_dropped(now + OVER)
        grant.refresh_from_db()
        assert grant.status == "ended"

    def test_rows_go_on_being_chosen_by_it_until_somebody_decides(
        self, landed_grant: Grant, landed_scene: Scene, read: Read, now: datetime
    ) -> None:
        view = f"SELECT name FROM share.g_{landed_grant.pk} ORDER BY _id"
        before = read(landed_grant, view)
        table = drop(landed_scene.dataset, now, DISTRICT)
        assert sharing.withdraw_dropped(now + OVER) == 1
        landed_grant.refresh_from_db()
        assert DISTRICT not in {column["name"] for column in landed_grant.columns}
        assert landed_grant.row_condition[0]["item"] == DISTRICT
        put_row(table, name="新人")
        assert read(landed_grant, view) == before
        assert (todos(landed_grant, ADAPT), len(todos(landed_grant, CHOOSE_ROWS))) == ([], 1)
        assert sharing.withdraw_dropped(now + OVER) == 0

    def test_a_suspended_grant_is_narrowed_and_stays_suspended(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        sharing.suspend(grant=landed_grant, actor=landed_scene.authority, at=now, reason="核查")
        drop(landed_scene.dataset, now, DAY)
        sharing.withdraw_dropped(now + OVER)
        landed_grant.refresh_from_db()
        assert (landed_grant.status, landed_grant.version) == ("suspended", 2)
        assert provisioning.is_read_by(provisioning.place_of(landed_grant), ())

    def test_return_flow_is_narrowed_though_nobody_may_add_conditions(
        self, landed_scene: Scene, now: datetime
    ) -> None:
        grant = flow_agreed(landed_scene, now).grant
        sharing.deliver(grant=grant, at=now)
        drop(landed_scene.dataset, now, DAY)
        assert sharing.withdraw_dropped(now + OVER) == 1
        grant.refresh_from_db()
        assert DAY not in {column["name"] for column in grant.columns}

    def test_a_lost_to_do_is_opened_again(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        drop(landed_scene.dataset, now, DAY)
        Todo.objects.filter(kind=ADAPT).update(done_at=now)
        sharing.withdraw_dropped(now)
        assert len(todos(landed_grant, ADAPT)) == 1

    def test_a_to_do_without_a_reason_is_closed(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        drop(landed_scene.dataset, now, DAY)
        sharing.narrow(
            grant=landed_grant,
            actor=landed_scene.provider_head,
            at=now,
            reason="使用部门已改用新列",
            items=["name", DISTRICT],
        )
        sharing.withdraw_dropped(now)
        assert todos(landed_grant, ADAPT) == []

    @pytest.mark.parametrize(("kind", "status"), [("narrow", "void"), ("stop", "noticed")])
    def test_an_announced_narrowing_is_void_a_stop_goes_on(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime, kind: str, status: str
    ) -> None:
        items = ["name", DAY] if kind == "narrow" else None
        change = sharing.open_change(
            grant=landed_grant,
            kind=kind,
            effective_on=timezone.localdate(now) + timedelta(days=200),
            reason="调整",
            actor=landed_scene.provider_head,
            at=now,
            items=items,
        )
        drop(landed_scene.dataset, now, DAY)
        sharing.withdraw_dropped(now + OVER)
        assert ServiceChange.objects.get(pk=change.pk).status == status
        landed_grant.refresh_from_db()
        assert landed_grant.version == 2

    def test_without_a_policy_no_column_leaves(
        self, landed_grant: Grant, landed_scene: Scene, client: Client, address: str, now: datetime
    ) -> None:
        ClockPolicy.objects.filter(code="grant.dropped_column").delete()
        drop(landed_scene.dataset, now, DAY)
        assert todos(landed_grant, ADAPT) == []
        assert sharing.withdraw_dropped(now + OVER) == 0
        answer = client.get(address)
        assert answer.json()["data"][0][DAY] == "2026-01-05"
        assert "Sunset" not in answer
        assert queries.labels_of(landed_grant)[DAY] == "登记日期"

    def test_a_grant_that_is_over_is_left_alone(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        drop(landed_scene.dataset, now, DAY)
        head = landed_scene.provider_head
        sharing.end(grant=landed_grant, actor=head, at=now, reason="不再需要")
        assert todos(landed_grant, ADAPT) == []
        assert sharing.withdraw_dropped(now + OVER) == 0
        landed_grant.refresh_from_db()
        assert (landed_grant.status, landed_grant.version) == ("ended", 1)


class TestVersions:
    def test_a_dropped_column_is_told_from_the_versions_alone(
        self, scene: Scene, at: datetime
    ) -> None:
        dataset, later = scene.dataset, at + timedelta(days=9)
        all_of_them = columns_of(dataset)
        staying = tuple(each for each in all_of_them if each.name != DAY)
        publish(dataset, at, *staying)
        publish(dataset, later, *staying, Column("remark", "备注", "C"))
        found = catalog.dropped_columns(dataset.pk)
        assert list(found) == [DAY]
        assert (found[DAY].dropped_at, found[DAY].version) == (at, 2)
        assert found[DAY].column == next(each for each in all_of_them if each.name == DAY)
        first = dataset.versions.get(number=1)
        assert catalog.dropped_columns(dataset.pk, version=first.pk) == {}
        assert catalog.dropped_columns(dataset.pk, ["name"]) == {}
        assert [each.name for each in catalog.contract_with(dataset, [DAY, "name"]).columns] == [
            *(each.name for each in staying),
            "remark",
            DAY,
        ]
        publish(dataset, later, *all_of_them)
        assert list(catalog.dropped_columns(dataset.pk)) == ["remark"]

    def test_the_last_version_with_it_says_what_it_is(self, scene: Scene, at: datetime) -> None:
        dataset = scene.dataset
        wider = columns_of(dataset, registered_on={"type": "T"})
        publish(dataset, at, *wider)
        publish(dataset, at, *(each for each in wider if each.name != DAY))
        assert catalog.dropped_columns(dataset.pk)[DAY].column.type == "T"
        again = replace(next(each for each in wider if each.name == DAY), label="登记时间")
        publish(dataset, at, *(each for each in wider if each.name != DAY), again)
        publish(dataset, at, *(each for each in wider if each.name != DAY))
        found = catalog.dropped_columns(dataset.pk)[DAY]
        assert (found.column.label, found.version) == ("登记时间", 5)
