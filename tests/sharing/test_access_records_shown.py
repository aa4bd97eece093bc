"""调用记录 as the auditor reads them: by names, with what left in the end, findable."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from apps.ledger import operations as ledger
from apps.ledger.models import AccessRecord
from apps.sharing.models import Grant
from apps.sharing.queries import deed_of
from tests.factories.accounts import UserFactory
from tests.factories.gateway import streamed
from tests.factories.ledger import access_values
from tests.factories.sharing import Scene
from tests.sharing.test_views import signed_in

LIST = "/admin/ledger/accessrecord/"


@pytest.fixture
def auditor(landed_scene: Scene) -> Any:
    return UserFactory(department=landed_scene.authority.department, roles=["audit_admin"])


def shown(person: Any, address: str) -> str:
    answer = signed_in(person).get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


def found(person: Any, **asked: str) -> int:
    answer = signed_in(person).get(LIST, asked)
    return int(answer.context["cl"].result_count)


def test_a_read_is_shown_by_the_names_of_what_was_read_and_by_whom(
    no_earlier_records: None,
    client: Client,
    address: str,
    landed_grant: Grant,
    landed_scene: Scene,
    auditor: Any,
) -> None:
    client.get(f"{address}?limit=2")
    page = shown(auditor, LIST)
    system = landed_scene.system
    for words in (
        landed_scene.dataset.name,
        landed_scene.dataset.code,
        f"{system.name}（{system.code}）",
        str(system.department),
        str(landed_grant),
        f"/work/grants/{landed_grant.pk}/",
    ):
        assert words in page, words
    record = AccessRecord.objects.get()
    detail = shown(auditor, f"{LIST}{record.pk}/change/")
    assert landed_scene.dataset.name in detail
    assert "一次答完" in detail


def test_a_whole_export_tells_how_many_records_left(
    no_earlier_records: None,
    client: Client,
    address: str,
    landed_grant: Grant,
    landed_scene: Scene,
    auditor: Any,
) -> None:
    rows = b"".join(streamed(client.get(f"{address}/export.csv"))).strip().count(b"\n")
    assert rows == 3
    record = AccessRecord.objects.get()
    assert record.rows is None
    detail = shown(auditor, f"{LIST}{record.pk}/change/")
    assert "完整送达" in detail
    page = shown(landed_scene.provider_head, f"/work/grants/{landed_grant.pk}/")
    assert f'data-label="记录">{rows}</td>' in page


def test_a_stream_of_which_no_end_is_known_says_so(
    no_earlier_records: None, landed_grant: Grant, auditor: Any, now: datetime
) -> None:
    values = access_values(grant_id=landed_grant.pk, kind="export", opened_at=now)
    number = ledger.open_access(
        **values | dict.fromkeys(("rows", "bytes", "first_id", "last_id"), None)
    )
    assert "没有结束记录" in shown(auditor, LIST)
    assert "都已送达计" in shown(auditor, f"{LIST}{number}/change/")


def test_reads_are_found_by_dataset_system_department_and_grant(
    no_earlier_records: None,
    client: Client,
    address: str,
    landed_grant: Grant,
    landed_scene: Scene,
    auditor: Any,
    now: datetime,
) -> None:
    client.get(f"{address}?limit=2")
    # Another read, of another dataset by another system.
    ledger.record_access(
        **access_values(opened_at=now, grant_id=0, system_id=0, dataset_id=0, table="pool_0.t0")
    )
    dataset, system = landed_scene.dataset, landed_scene.system
    for words in (
        dataset.name,
        dataset.code,
        dataset.dashed_code,
        system.name,
        system.code,
        str(system.department),
        str(landed_grant),
        f"{system.code} {dataset.dashed_code}",
        landed_grant.request.number,
    ):
        assert found(auditor, q=words) == 1, words
    assert found(auditor, q=f"{system.code} pool_0.t0") == 0
    assert found(auditor) == 2


def test_reads_that_a_record_may_have_been_in_are_found(
    no_earlier_records: None, landed_grant: Grant, auditor: Any, now: datetime
) -> None:
    given = access_values(grant_id=landed_grant.pk, opened_at=now)
    ledger.record_access(**given)  # records 1 to 3
    stream = given | dict.fromkeys(("rows", "bytes", "first_id", "last_id"), None)
    closed = ledger.open_access(**stream | {"kind": "export"})
    ledger.close_access(
        closed,
        opened_at=now,
        closed_at=now,
        rows=5,
        bytes=9,
        first_id=3,
        last_id=9,
        outcome="complete",
    )
    assert [found(auditor, record=n) for n in ("1", "3", "9", "10")] == [1, 2, 1, 0]
    ledger.open_access(**stream | {"kind": "export"})  # torn off: everything counts as delivered
    assert found(auditor, record="10") == 1
    assert found(auditor, record="x") == 0


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"export": 7, "format": "csv"}, "生成导出文件 E-000007"),
        ({"export": 7, "sha256": "9f", "from_byte": 0}, "下载导出文件 E-000007"),
        ({"of": "proof", "size": 100}, "核对副本"),
        ({"fields": ["uscc"]}, "批量导出"),
    ],
)
def test_a_file_made_a_file_fetched_and_a_copy_proved_are_told_apart(
    query: dict[str, Any], said: str
) -> None:
    assert deed_of(AccessRecord(kind="export", query=query)) == said
