"""The pages of what comes in: state in words for everybody concerned, buttons for the provider."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.catalog.models import Dataset
from apps.ledger.models import Todo
from apps.warehouse import operations as warehouse
from apps.warehouse.models import PullRun, PullSource
from tests.factories.accounts import InformationSystemFactory
from tests.factories.sources import registered
from tests.factories.warehouse import AT, IDENTITIES, landed

pytestmark = pytest.mark.django_db

CONTENT = (
    "身份证号,姓名,出生日期,手机号,金额,等级\n"
    f"{IDENTITIES[0]},张三,1990-01-01,13800000000,1.50,甲\n"
)
FORM = {
    "name": "业务库",
    "kind": "mysql",
    "host": "127.0.0.1",
    "port": "3306",
    "database": "business",
    "table_name": "people",
    "username": "reader",
    "secret": "pw-never-shown",
    "mode": "upsert",
    "watermark_column": "changed_at",
    "overlap": "600",
    "every_minutes": "15",
    "column-identity_number": "id_no",
    "column-name": "full_name",
}


@pytest.fixture(autouse=True)
def _allowed(settings: Any) -> None:
    settings.HUILIU_PULL_ALLOW = ["127.0.0.0/8"]


def page(person: Any) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


class TestPages:
    def test_a_source_is_registered_and_its_secret_is_never_shown(
        self, dataset: Dataset, provider: Any
    ) -> None:
        system = InformationSystemFactory(department=dataset.department)
        client = page(provider)
        address = f"/work/ways-in/{dataset.dashed_code}/new/"
        assert "身份证号" in text(client.get(address))
        refused = client.post(address, {**FORM, "system": system.pk, "host": "10.0.0.1"})
        assert "HUILIU_PULL_ALLOW" in text(refused)
        assert "pw-never-shown" not in refused.content.decode()
        assert not PullSource.objects.exists()
        answer = client.post(address, {**FORM, "system": system.pk})
        source = PullSource.objects.get()
        assert answer.headers["Location"] == f"/work/sources/{source.pk}/"
        assert source.columns == {"identity_number": "id_no", "name": "full_name"}
        for link in (f"/work/sources/{source.pk}/", f"/work/sources/{source.pk}/change/"):
            shown = text(client.get(link))
            assert "full_name" in shown
            assert "pw-never-shown" not in shown
            assert source.sealed_secret not in shown

    def test_the_buttons_do_what_they_say(self, dataset: Dataset, provider: Any) -> None:
        source = registered(dataset, provider, url="http://127.0.0.1:9/x", started=False)
        client, address = page(provider), f"/work/sources/{source.pk}/"
        for move, words in (
            ("resume", "已启用"),
            ("run_now", "已排队"),
            ("pause", "已暂停"),
            ("run_now", "没有启用"),
            ("try", "文件服务器"),
        ):
            assert words in text(client.post(f"{address}{move}/", follow=True)), move
        client.post(f"{address}retire/", {"reason": "系统下线"})
        source.refresh_from_db()
        assert source.status == "retired"
        assert client.post(f"{address}nonsense/").status_code == 404

    def test_a_change_keeps_the_secret(self, dataset: Dataset, provider: Any) -> None:
        source = registered(dataset, provider, kind="mysql", port=3306, secret="pw")
        form = {**FORM, "system": source.system_id, "secret": "", "every_minutes": "7"}
        page(provider).post(f"/work/sources/{source.pk}/change/", form)
        kept = source.sealed_secret
        source.refresh_from_db()
        assert (source.every_minutes, source.sealed_secret) == (7, kept)

    def test_a_failure_and_a_running_reading_are_told(
        self, dataset: Dataset, provider: Any, system_admin: Any
    ) -> None:
        source = registered(dataset, provider, url="http://127.0.0.1:9/x")
        PullRun.objects.create(
            source=source,
            status="failed",
            message_code="source_unreachable",
            message="来源拒绝或者中断了",
            started_at=AT,
            heartbeat_at=AT,
            ended_at=AT,
            created_at=AT,
            updated_at=AT,
        )
        PullSource.objects.update(failures=2)
        for person in (provider, system_admin):
            shown = text(page(person).get("/work/ways-in/?status=trouble"))
            assert "连续失败 2 次" in shown
            assert "来源拒绝或者中断了" in shown
        assert page(provider).get(f"/work/sources/{source.pk}/state/").status_code == 204
        PullRun.objects.create(
            source=source, started_at=AT, heartbeat_at=AT, rows=1204, created_at=AT, updated_at=AT
        )
        assert "1,204" in text(page(provider).get(f"/work/sources/{source.pk}/state/"))
        assert "data-refresh" in text(page(provider).get(f"/work/sources/{source.pk}/"))

    def test_who_keeps_the_system_sees_state_and_no_button(
        self, dataset: Dataset, provider: Any, security_admin: Any
    ) -> None:
        source = registered(dataset, provider, url="http://127.0.0.1:9/x")
        client = page(security_admin)
        shown = text(client.get(f"/work/sources/{source.pk}/"))
        assert "测试连接" not in shown
        for move in ("resume", "run_now", "pause", "try", "retire"):
            answer = client.post(f"/work/sources/{source.pk}/{move}/", {"reason": "x"})
            assert answer.status_code == 403, move
        assert client.get(f"/work/sources/{source.pk}/change/").status_code == 403
        source.refresh_from_db()
        assert source.status == "active"

    def test_a_stranger_finds_nothing(self, dataset: Dataset, provider: Any, outsider: Any) -> None:
        source = registered(dataset, provider, url="http://127.0.0.1:9/x")
        client = page(outsider)
        assert source.name not in text(client.get("/work/ways-in/"))
        for link in ("", "state/", "change/"):
            assert client.get(f"/work/sources/{source.pk}/{link}").status_code == 404
        assert client.get(f"/work/ways-in/{dataset.dashed_code}/new/").status_code == 404


class TestSilence:
    def open_todos(self) -> list[Todo]:
        return list(Todo.objects.filter(kind="warehouse.deliver", done_at=None))

    def test_silence_beyond_the_cycle_is_somebodys_until_it_ends(
        self, dataset: Dataset, provider: Any
    ) -> None:
        Dataset.objects.filter(pk=dataset.pk).update(update_cycle="daily")
        landed(dataset, CONTENT, actor=provider)
        now = timezone.now()
        assert warehouse.remind_silent(at=now) == 0
        late = now + timedelta(days=3)
        assert warehouse.remind_silent(at=late) == 1
        assert warehouse.remind_silent(at=late) == 0
        (todo,) = self.open_todos()
        assert (todo.department, todo.role) == (dataset.department, "department_editor")
        warehouse.confirm_no_change(
            dataset=dataset,
            period_from=timezone.localdate(now) + timedelta(days=1),
            period_to=timezone.localdate(late),
            actor=provider,
            at=late,
        )
        assert self.open_todos() == []
        assert warehouse.remind_silent(at=late) == 0
        assert warehouse.remind_silent(at=late + timedelta(days=3)) == 1
        assert warehouse.remind_silent(at=now) == 0
        assert self.open_todos() == []

    def test_what_never_landed_is_not_late(self, dataset: Dataset) -> None:
        Dataset.objects.filter(pk=dataset.pk).update(update_cycle="daily")
        assert warehouse.remind_silent(at=AT + timedelta(days=400)) == 0
