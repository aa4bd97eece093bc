"""Batch exchange lands in the consumer's pool, keeps up by the feed, and goes with the grant."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts.models import InformationSystem
from apps.ledger.models import Event
from apps.quality.operations import corrections
from apps.sharing import keeping, naming, provisioning, queries
from apps.sharing import operations as sharing
from apps.sharing.models import Grant, LandedCopy, QuotaUse
from apps.sharing.operations.serving import copies
from apps.warehouse.models import DataTable
from apps.warehouse.sync.following.copy import Copy
from tests import stories
from tests.factories.accounts import InformationSystemFactory
from tests.factories.copies import (
    COLUMNS,
    CONDITION,
    ITEMS,
    NARROWER,
    NARROWER_ROWS,
    Killed,
    dying,
    held,
    make_copied_scene,
    put,
    record,
    shown,
)
from tests.factories.gateway import access_records
from tests.factories.sharing import Scene
from tests.factories.warehouse import column, landed, publish_contract
from tests.sharing.test_new_versions import later, renewed

pytestmark = pytest.mark.usefixtures("no_earlier_records")
Read = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> None:
    settings.HUILIU_HOME = tmp_path / "home"


@pytest.fixture
def landed_scene(server: None) -> Scene:
    return make_copied_scene()


@pytest.fixture
def landed_grant(landed_scene: Scene, now: datetime) -> Grant:
    return granted(landed_scene, now)


def granted(scene: Scene, at: datetime, mode: str = "batch", **terms: Any) -> Grant:
    chosen = {"items": ITEMS, "row_condition": CONDITION, **terms}
    return stories.delivered(scene, at, mode=mode, **chosen).grant


def kept(now: datetime) -> LandedCopy:
    """The one copy, after the platform has kept it."""
    sharing.keep_copies(at=now)
    return LandedCopy.objects.select_related("grant__system", "store", "dataset").get()


def in_pool(copy: LandedCopy) -> list[dict[str, Any]]:
    return held(keeping.follower_of(copy))


def exists(copy: LandedCopy) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [str(copy)])
        return cursor.fetchone()[0] is not None


def page_of(grant: Grant, person: Any) -> str:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client.get(f"/work/grants/{grant.pk}/").content.decode()


def test_it_lands_keeps_up_and_shows_how_far_it_is(
    landed_scene: Scene,
    landed_grant: Grant,
    client: Client,
    address: str,
    now: datetime,
    read: Read,
) -> None:
    assert list(queries.grants_to_land(now)) == [landed_grant]
    copy = kept(now)
    assert list(queries.grants_to_land(now)) == []  # it has its copy
    right = shown(client, address)
    assert copy.store.department == landed_scene.consumer_department
    assert (copy.horizon, copy.rows, copy.problem) == (1, len(right), "")
    assert in_pool(copy) == right
    assert len(read(landed_grant, f"SELECT code FROM {copy}")) == len(right)
    feeds = [each for each in access_records() if each["kind"] == "feed"]
    assert sum(each["rows"] for each in feeds) == len(right)
    assert {each["grant_id"] for each in feeds} == {landed_grant.pk}
    again = kept(now)
    assert copy.complete_at
    assert again.complete_at
    assert again.complete_at > copy.complete_at
    assert len(access_records()) == len(feeds) + 1  # nothing new, nothing read; one was a page

    put(landed_scene, [record(n, random.Random(n + 5)) for n in range(30)])
    put(landed_scene, [record(n) for n in range(9)], "delete")
    page = page_of(landed_grant, landed_scene.consumer_head)
    assert str(copy) in page
    assert "2 批" in page
    copy = kept(now)
    assert copy.horizon == 3
    assert in_pool(copy) == shown(client, address)
    assert "已是最新" in page_of(landed_grant, landed_scene.provider_head)


def test_it_takes_no_more_rows_a_day_than_the_grant_gives(
    landed_grant: Grant, now: datetime
) -> None:
    Grant.objects.filter(pk=landed_grant.pk).update(rows_a_day=5, calls_a_day=1)

    copy = kept(now)

    assert len(in_pool(copy)) <= 5
    assert "5 条" in copy.problem
    assert sum(each["rows"] for each in access_records()) == 5
    assert QuotaUse.objects.get().calls == 0  # the system's own calls are still there


def test_marks_of_correction_come_without_a_batch(
    landed_scene: Scene, landed_grant: Grant, now: datetime, read: Read
) -> None:
    copy = kept(now)
    [(row_id,)] = read(landed_grant, f"SELECT min(_id) FROM {copy}")
    corrections.raise_correction(
        dataset=landed_scene.dataset,
        actor=landed_scene.consumer,
        at=timezone.now(),
        row_id=row_id,
        item="size",
        claimed_value="3",
    )
    kept(now)
    marked = read(landed_grant, f"SELECT _id, _disputed FROM {copy} WHERE _disputed IS NOT NULL")
    assert marked == [(row_id, '["size"]')]


def test_only_the_system_that_was_granted_reads_it(
    landed_scene: Scene, landed_grant: Grant, now: datetime, read: Read
) -> None:
    copy = kept(now)
    other = InformationSystemFactory(department=landed_scene.consumer_department)
    theirs = granted(replace(landed_scene, system=other), now, mode="interface")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        read(theirs, f"SELECT * FROM {copy}")
    for statement in (f"DELETE FROM {copy}", f"UPDATE {copy} SET code = ''"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            read(landed_grant, statement)
    assert kept(now).pk == copy.pk  # the interface's grant landed nothing


@pytest.mark.parametrize("step", ["put", "_keep", "begin_anew"])
def test_interrupted_anywhere_it_goes_on(
    landed_scene: Scene,
    landed_grant: Grant,
    client: Client,
    address: str,
    now: datetime,
    step: str,
) -> None:
    for when in ("before", "after"):
        revive = dying(Copy, step, when, calls=1)
        try:
            with pytest.raises(Killed):
                sharing.keep_copies(at=now)
        finally:
            revive()
    assert in_pool(kept(now)) == shown(client, address)


def test_one_that_fails_in_a_way_nobody_foresaw_keeps_no_other_waiting(
    landed_scene: Scene, landed_grant: Grant, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(now)
    scene = make_copied_scene()
    granted(scene, now)
    sharing.keep_copies(at=now)
    followed: list[int] = []

    def follow(*, copy: LandedCopy) -> bool:
        followed.append(copy.grant_id)
        raise ZeroDivisionError

    monkeypatch.setattr(copies, "follow_copy", follow)
    for step in (sharing.keep_copies, sharing.prove_copies):
        with pytest.raises(ExceptionGroup):
            step(at=now)
    assert len(followed) == 2 * LandedCopy.objects.count() == 4


def test_a_longer_term_closes_it_while_it_is_filled_anew(
    landed_scene: Scene, landed_grant: Grant, now: datetime, read: Read
) -> None:
    copy = kept(now)
    renewed(landed_scene, landed_grant, now, ends_on=later(landed_grant))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):  # half of it is read by nobody
        read(landed_grant, f"SELECT code FROM {copy}")
    again = kept(now)
    assert (again.pk, again.grant, again.grant_version) == (copy.pk, landed_grant, 2)
    assert len(read(landed_grant, f"SELECT code FROM {copy}")) == again.rows == copy.rows


def test_other_terms_are_followed_under_its_name(
    landed_scene: Scene,
    landed_grant: Grant,
    client: Client,
    address: str,
    now: datetime,
    read: Read,
) -> None:
    copy = kept(now)
    assert granted(landed_scene, now, items=NARROWER, row_condition=NARROWER_ROWS) == landed_grant
    with pytest.raises(psycopg.errors.InsufficientPrivilege):  # until it is of the new terms
        read(landed_grant, f"SELECT * FROM {copy}")
    again = kept(now)
    assert (again.pk, again.grant_id) == (copy.pk, landed_grant.pk)
    assert "落地副本" in page_of(landed_grant, landed_scene.consumer_head)
    assert in_pool(again) == shown(client, address)
    assert "rate" not in in_pool(again)[0]
    assert 0 < again.rows < copy.rows
    assert len(read(landed_grant, f"SELECT code FROM {copy}")) == again.rows


def test_narrowed_it_is_closed_until_it_is_of_the_new_terms(
    landed_scene: Scene, landed_grant: Grant, now: datetime, read: Read
) -> None:
    copy = kept(now)
    Grant.objects.filter(pk=landed_grant.pk).update(rows_a_day=1)
    QuotaUse.objects.update_or_create(
        grant=landed_grant,
        defaults={"day": timezone.localdate(), "minute": timezone.now(), "rows": 1},
    )
    landed_grant.refresh_from_db()
    head = landed_scene.provider_head
    names = [column["name"] for column in landed_grant.columns if column["name"] != "rate"]
    sharing.narrow(grant=landed_grant, actor=head, at=now, reason="超出需要", items=names)
    for _turn in range(2):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            read(landed_grant, f"SELECT * FROM {copy}")
        assert "1 条" in kept(now).problem  # the day's rows are used up: it stays closed
    Grant.objects.filter(pk=landed_grant.pk).update(rows_a_day=None)
    assert kept(now).problem == ""
    assert "rate" not in in_pool(copy)[0]
    assert read(landed_grant, f"SELECT * FROM {copy}")


def test_narrowed_to_verification_it_is_taken_from_the_system_and_goes(
    landed_scene: Scene, landed_grant: Grant, now: datetime, read: Read
) -> None:
    copy = kept(now)
    sharing.narrow(
        grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="只需核验",
        mode="verify",
    )  # fmt: skip
    reader = naming.role_of_system(provisioning.database(), landed_grant.system_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, %s, 'SELECT')", [reader, str(copy)])
        assert cursor.fetchone() == (False,)
    sharing.keep_copies(at=now)
    assert not exists(copy)
    page = page_of(landed_grant, landed_scene.consumer_head)
    assert "已清除" in page
    assert "怎样核验" in page  # the grant goes on, for verification


def test_it_is_taken_from_a_retired_system(landed_grant: Grant, now: datetime, read: Read) -> None:
    copy = kept(now)
    InformationSystem.objects.update(status="retired")
    sharing.keep_copies(at=now)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        read(landed_grant, f"SELECT * FROM {copy}")


def test_suspended_it_cannot_be_read_and_does_not_go_on(
    landed_scene: Scene, landed_grant: Grant, now: datetime, read: Read
) -> None:
    copy = kept(now)
    head = landed_scene.provider_head
    sharing.suspend(grant=landed_grant, actor=head, at=now, reason="超范围使用")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        read(landed_grant, f"SELECT * FROM {copy}")
    put(landed_scene, [record(n) for n in range(9)], "delete")
    assert kept(now).horizon == 1
    landed_grant.refresh_from_db()
    sharing.resume(grant=landed_grant, actor=head, at=now, reason="已整改")
    assert kept(now).horizon == 2
    assert read(landed_grant, f"SELECT * FROM {copy}")


def test_suspended_it_is_closed_again_whoever_opened_it(
    landed_scene: Scene, landed_grant: Grant, now: datetime, read: Read
) -> None:
    copy = kept(now)
    head = landed_scene.provider_head
    sharing.suspend(grant=landed_grant, actor=head, at=now, reason="超范围使用")
    provisioning.persistently(lambda: provisioning.open_to_reader(copy))
    assert read(landed_grant, f"SELECT * FROM {copy}")
    sharing.keep_copies(at=now)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        read(landed_grant, f"SELECT * FROM {copy}")


def test_it_goes_with_the_grant(
    landed_scene: Scene, landed_grant: Grant, now: datetime, read: Read
) -> None:
    copy = kept(now)
    sharing.end(grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="用途终止")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        read(landed_grant, f"SELECT * FROM {copy}")
    sharing.keep_copies(at=now)
    sharing.keep_copies(at=now)
    copy.refresh_from_db()
    assert (copy.rows, copy.disposed_at) == (0, now)
    assert not exists(copy)
    assert Event.objects.filter(verb="sharing.dispose_copy").count() == 1
    assert "已清除" in page_of(landed_grant, landed_scene.consumer_head)


def test_it_goes_when_the_way_of_sharing_changes(
    landed_grant: Grant, now: datetime, read: Read
) -> None:
    copy = kept(now)
    Grant.objects.update(mode="interface")
    assert kept(now).disposed_at == now
    assert not exists(copy)


def test_expired_it_shows_nothing_even_before_anybody_comes(
    landed_scene: Scene, landed_grant: Grant, now: datetime, read: Read
) -> None:
    copy = kept(now)
    assert read(landed_grant, f"SELECT code FROM {copy}")
    Grant.objects.update(starts_at=now - timedelta(days=2), expires_at=now - timedelta(days=1))
    copy.grant.refresh_from_db()
    provisioning.persistently(lambda: provisioning.open_to_reader(copy))
    assert read(landed_grant, f"SELECT code FROM {copy}") == []


def test_every_night_it_is_proved_and_mended(
    landed_scene: Scene, landed_grant: Grant, client: Client, address: str, now: datetime
) -> None:
    copy = kept(now)
    sharing.prove_copies(at=now)
    copy.refresh_from_db()
    assert (copy.proved_at, copy.mended_ranges) == (now, 0)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {copy} SET code = 'x' WHERE _id < 9")
    sharing.prove_copies(at=now)
    copy.refresh_from_db()
    assert copy.mended_ranges == 1
    assert in_pool(copy) == shown(client, address)
    assert Event.objects.filter(verb="sharing.mend_copy").count() == 1


def test_what_cannot_be_mended_is_a_problem_until_a_check_passes(
    landed_scene: Scene, landed_grant: Grant, client: Client, address: str, now: datetime
) -> None:
    copy = kept(now)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {copy} SET code = 'x' WHERE _id < 9")
        cursor.execute(
            f"CREATE FUNCTION {copy.store.schema}.spoil() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN NEW.code := 'x'; RETURN NEW; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER spoil BEFORE INSERT OR UPDATE ON {copy}"
            f" FOR EACH ROW EXECUTE FUNCTION {copy.store.schema}.spoil()"
        )
    sharing.prove_copies(at=now)
    for _turn in range(2):
        copy = kept(now)
        assert "改正未成" in copy.problem
        assert copy.proved_at is None
    assert Event.objects.filter(verb="sharing.mend_copy").count() == 0
    assert "改正未成" in page_of(landed_grant, landed_scene.consumer_head)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP FUNCTION {copy.store.schema}.spoil() CASCADE")
    sharing.prove_copies(at=now)
    copy = kept(now)
    assert (copy.problem, copy.proved_at, copy.mended_ranges) == ("", now, 1)
    assert in_pool(copy) == shown(client, address)
    assert Event.objects.filter(verb="sharing.mend_copy").count() == 1


def test_a_table_set_back_or_widened_is_read_anew_and_stays_open(
    landed_scene: Scene,
    landed_grant: Grant,
    client: Client,
    address: str,
    now: datetime,
    read: Read,
) -> None:
    put(landed_scene, [record(n, random.Random(1)) for n in range(20)])
    copy = kept(now)
    DataTable.objects.update(batch_counter=1)
    copy = kept(now)
    assert (copy.horizon, copy.problem) == (1, "")
    DataTable.objects.update(batch_counter=2)
    wider = [column("born_on", "日期", "T") if each.name == "born_on" else each for each in COLUMNS]
    publish_contract(landed_scene.dataset, *wider)
    put(landed_scene, [record(99)])
    copy = kept(now)
    assert in_pool(copy) == shown(client, address)
    [(kind,)] = read(landed_grant, f"SELECT DISTINCT pg_typeof(born_on)::text FROM {copy}")
    assert kind == "timestamp without time zone"


def test_a_dropped_column_stays_in_the_copy_until_it_leaves_the_grant(
    landed_scene: Scene, landed_grant: Grant, client: Client, address: str, now: datetime
) -> None:
    kept(now)
    read_before = len(access_records())
    place = [each.name for each in COLUMNS].index("rate")
    fewer = [each for each in COLUMNS if each.name != "rate"]
    publish_contract(landed_scene.dataset, *fewer)
    rows = [record(n, random.Random(n + 5)) for n in range(20)] + [record(n) for n in (77, 78, 79)]
    lines = [",".join(f'"{v.replace(chr(34), chr(34) * 2)}"' if v else "" for v in
                      (*row[:place], *row[place + 1 :])) for row in rows]  # fmt: skip
    heading = ",".join(each.name for each in fewer)
    batch = landed(
        landed_scene.dataset, "\n".join([heading, *lines, ""]), actor=landed_scene.provider
    )
    assert batch.status == "landed", batch.message
    copy = kept(now)
    told = [json.loads(each["query"]) for each in access_records()[read_before:]]
    assert [each["since"] for each in told] == [1], "it goes on from where it was"
    assert in_pool(copy) == shown(client, address)
    assert {row["rate"] for row in in_pool(copy)} - {None}, "the last values are kept"
    new = [row for row in in_pool(copy) if row["code"] in ("000077", "000078", "000079")]
    assert {row["rate"] for row in new} == {None}
    assert sharing.withdraw_dropped(now + timedelta(days=91)) == 1
    copy = kept(now)
    assert in_pool(copy) == shown(client, address)
    assert "rate" not in in_pool(copy)[0]
