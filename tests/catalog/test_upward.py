"""Packages upward: what goes in, what comes back, where the two sides differ, and who may."""

import io
import json
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import pytest
import xlsxwriter
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from apps.catalog.exchange import FILES
from apps.catalog.lifecycle import PACKAGE
from apps.catalog.models import (
    Dataset,
    UpperDataset,
    UpwardEntry,
    UpwardMapping,
    UpwardPackage,
    UpwardValue,
)
from apps.catalog.operations import upward
from apps.catalog.queries import upward as queries
from apps.catalog.snapshots import snapshot_of
from apps.core import access
from apps.core.errors import Conflict, IllegalMove, InvalidInput, NotAllowed
from apps.ledger.models import Event
from tests.catalog.test_demand_views import signed_in
from tests.conftest import CAST
from tests.factories.catalog import PublishedDatasetFactory

STATUSES: Final = ("made", "sent", "receipted", "discarded")


def entry(**fields: Any) -> Dataset:
    """An entry in force whose version holds its fields, as a publication leaves it."""
    dataset = PublishedDatasetFactory(**fields)
    dataset.versions.update(snapshot=snapshot_of(dataset))
    return dataset


def republished(dataset: Dataset, at: datetime, **fields: Any) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(**fields)
    dataset.refresh_from_db()
    last = dataset.versions.get()
    dataset.versions.create(
        number=last.number + 1,
        contract=last.contract,
        snapshot=snapshot_of(dataset),
        published_at=at,
    )


def made(officer: Any, at: datetime) -> UpwardPackage:
    return upward.make_package(level="provincial", actor=officer, at=at)


def sent(officer: Any, at: datetime) -> UpwardPackage:
    return upward.send(package=made(officer, at), actor=officer, at=at, outside_number="省-1")


def receipts(package: UpwardPackage, officer: Any, at: datetime, *lines: str) -> Any:
    text = "\n".join(["目录代码,回执,上级目录代码,说明", *lines])
    return upward.take_receipts(
        package=package, content=text.encode(), name="r.csv", actor=officer, at=at
    )


def in_status(status: str, officer: Any, at: datetime) -> UpwardPackage:
    dataset = entry()
    if status == "made":
        return made(officer, at)
    if status == "discarded":
        return upward.discard(package=made(officer, at), actor=officer, at=at, reason="重来")
    package = sent(officer, at)
    if status == "receipted":
        receipts(package, officer, at, f"{dataset.code},已接收,P-1,")
        package.refresh_from_db()
    return package


@pytest.mark.parametrize("name", ["send", "discard"])
@pytest.mark.parametrize("status", STATUSES)
def test_a_package_moves_only_along_the_table(
    authority: Any, at: datetime, status: str, name: str
) -> None:
    package = in_status(status, authority, at)
    assert package.status == status
    words = {"reason": "重来"} if PACKAGE.move(name).reason else {}
    operation = getattr(upward, name)
    before = UpwardPackage.objects.values().get(), Event.objects.filter(outcome="done").count()
    if status in PACKAGE.move(name).sources:
        operation(package=package, actor=authority, at=at, **words)
        package.refresh_from_db()
        assert package.status == PACKAGE.move(name).target
        return
    with pytest.raises(IllegalMove):
        operation(package=package, actor=authority, at=at, **words)
    after = UpwardPackage.objects.values().get(), Event.objects.filter(outcome="done").count()
    assert after == before


@pytest.mark.parametrize("status", STATUSES)
def test_who_may_do_what_with_a_package(
    cast: dict[str, Any], authority: Any, at: datetime, status: str
) -> None:
    package = in_status(status, authority, at)
    matrix = {
        "view": {"authority", "authority_leader", "auditor"},
        **{name: {"authority"} for name in ("send", "discard", "take_receipts")},
        **{name: set() for name in ("receipt", "delete")},
    }
    assert set(matrix) == set(access.actions_of(UpwardPackage))
    for action, admitted in matrix.items():
        on_row = {who for who in CAST if access.allowed(cast[who], action, package, at=at)}
        in_list = {who for who in CAST if access.rows(cast[who], action, UpwardPackage).exists()}
        assert (on_row, in_list) == (admitted, admitted), action


def test_a_package_is_made_and_sent_over_the_api(authority: Any, cast: dict[str, Any]) -> None:
    dataset = entry()

    def post(user: Any, where: str = "", **given: Any) -> Any:
        where = f"/api/v1/upward-packages{where}"
        return signed_in(user).post(where, given, content_type="application/json")

    made = post(authority, level="provincial")
    assert made.status_code == 201
    assert [each["code"] for each in made.json()["entries"]] == [dataset.code]
    assert post(authority, level="provincial").json()["code"] == "package_waiting"
    assert post(authority, level="municipal").status_code == 400
    where = f"/{made.json()['id']}"
    assert post(cast["authority_leader"], f"{where}/send").status_code == 403
    assert post(authority, f"{where}/receipt").status_code == 404
    sent = post(authority, f"{where}/send", outside_number="省-1", revision=1).json()
    assert (sent["status"], sent["outside_number"]) == ("sent", "省-1")
    assert post(authority, f"{where}/discard", reason="重来").json()["code"] == "illegal_move"


def test_who_may_not_report_is_refused_and_changes_nothing(
    cast: dict[str, Any], authority: Any, at: datetime
) -> None:
    package = sent_package = in_status("made", authority, at)
    dataset = package.entries.get().dataset
    before = UpwardPackage.objects.values().get(), Event.objects.filter(outcome="done").count()
    for who in set(CAST) - {"authority"}:
        person = cast[who]
        acts = (
            lambda p=person: made(p, at),
            lambda p=person: upward.send(package=sent_package, actor=p, at=at),
            lambda p=person: upward.discard(package=sent_package, actor=p, at=at, reason="x"),
            lambda p=person: receipts(sent_package, p, at, "a,已接收,,"),
            lambda p=person: upward.map_upward(dataset=dataset, actor=p, at=at, note="x"),
            lambda p=person: upward.import_upper(
                level="national", content=b"[]", name="a.json", actor=p, at=at
            ),
        )
        for act in acts:
            with pytest.raises(NotAllowed):
                act()
    after = UpwardPackage.objects.values().get(), Event.objects.filter(outcome="done").count()
    assert after == before
    assert not UpwardMapping.objects.exists()


def test_a_package_holds_what_changed_since_the_last(authority: Any, at: datetime) -> None:
    kept, changed, gone = entry(), entry(), entry()
    first = sent(authority, at)
    assert {row.change for row in first.entries.all()} == {"added"}
    lines = [f"{one.code},已接收,P-{one.pk}," for one in (kept, changed, gone)]
    receipts(first, authority, at, *lines)
    with pytest.raises(Conflict):
        made(authority, at)
    republished(changed, at, name="改过名称的目录")
    Dataset.objects.filter(pk=gone.pk).update(status="withdrawn", withdrawn_at=at)
    fresh = entry()
    second = made(authority, at)
    assert {row.dataset: row.change for row in second.entries.select_related("dataset")} == {
        changed: "changed",
        gone: "withdrawn",
        fresh: "added",
    }
    row = second.entries.get(dataset=changed)
    assert (row.version, row.snapshot["name"]) == (2, "改过名称的目录")
    assert row.snapshot["upper_code"] == f"P-{changed.pk}"


def test_the_levels_know_nothing_of_each_other(authority: Any, at: datetime) -> None:
    entry()
    sent(authority, at)
    national = upward.make_package(level="national", actor=authority, at=at)
    assert national.entries.get().change == "added"


def test_one_package_waits_at_a_time(authority: Any, at: datetime) -> None:
    entry()
    made(authority, at)
    with pytest.raises(Conflict):
        made(authority, at)
    assert UpwardPackage.objects.count() == 1


def test_what_was_returned_or_differed_is_sent_again(authority: Any, at: datetime) -> None:
    dataset, other = entry(), entry()
    package = sent(authority, at)
    receipts(package, authority, at, f"{dataset.code},退回,,缺摘要", f"{other.code},已接收,,")
    again = made(authority, at)
    assert [row.dataset for row in again.entries.select_related("dataset")] == [dataset]


def test_what_differs_stands_above_and_is_a_change(authority: Any, at: datetime) -> None:
    returned, differing = entry(), entry()
    package = sent(authority, at)
    lines = (f"{returned.code},退回,,缺摘要", f"{differing.code},有差异,P-2,更新周期不符")
    receipts(package, authority, at, *lines)
    again = made(authority, at)
    found = {row.dataset: row.change for row in again.entries.select_related("dataset")}
    assert found == {returned: "added", differing: "changed"}


def test_values_are_written_as_the_level_above_writes_them(authority: Any, at: datetime) -> None:
    dataset, special = entry(update_cycle="monthly"), entry(update_cycle="monthly")
    UpwardValue.objects.create(level="provincial", kind="cycle", ours="monthly", theirs="M 月")
    upward.map_upward(dataset=special, actor=authority, at=at, cycle="按月", national_code="G-9")
    package = made(authority, at)
    cycles = {row.dataset_id: row.snapshot["cycle"] for row in package.entries.all()}
    assert cycles == {dataset.pk: "M 月", special.pk: "按月"}
    plain = package.entries.get(dataset=dataset).snapshot
    assert (plain["attribute"], plain["format"]) == ("有条件共享", "数据库")
    assert plain["items"][0] == "公民身份号码"


def test_every_line_of_a_receipt_file_has_its_verdict(authority: Any, at: datetime) -> None:
    one, two = entry(), entry()
    package = sent(authority, at)
    verdicts = receipts(
        package,
        authority,
        at,
        f"{one.code},已接收,P-1,",
        f"{two.dashed_code},有差异,,更新周期不符",
        "999999/1,已接收,,",
        f"{one.code},也许,,",
    )
    assert [bool(verdict.problem) for verdict in verdicts] == [False, False, True, True]
    assert package.entries.get(dataset=one).upper_code == "P-1"
    assert package.entries.get(dataset=two).receipt == "differing"
    assert UpwardMapping.objects.get(dataset=one).provincial_code == "P-1"
    package.refresh_from_db()
    assert package.status == "receipted"


def test_receipts_come_after_the_sending(authority: Any, at: datetime) -> None:
    dataset = entry()
    with pytest.raises(Conflict):
        receipts(made(authority, at), authority, at, f"{dataset.code},已接收,,")


def test_the_reconciliation_names_every_gap(authority: Any, at: datetime) -> None:
    fine, returned, gone, renamed = entry(), entry(), entry(), entry()
    package = sent(authority, at)
    receipts(
        package,
        authority,
        at,
        f"{fine.code},已接收,,",
        f"{returned.code},退回,,缺摘要",
        f"{gone.code},已接收,,",
        f"{renamed.code},已接收,,",
    )
    Dataset.objects.filter(pk=gone.pk).update(status="withdrawn", withdrawn_at=at)
    missing = entry()
    content = json.dumps([{"code": "P-7", "name": "旧名称", "our_code": renamed.code}]).encode()
    upward.import_upper(level="provincial", content=content, name="u.json", actor=authority, at=at)
    found = {gap.dataset: gap.kind for gap in queries.reconciliation("provincial")}
    assert found == {
        missing: "missing",
        returned: "differing",
        renamed: "differing",
        gone: "standing",
    }
    assert {gap.kind for gap in queries.reconciliation("national")} == {"missing"}


def test_gathering_asks_as_often_for_many_entries_as_for_few(
    at: datetime, authority: Any, django_assert_num_queries: Any
) -> None:
    for _number in range(6):
        entry()
    with django_assert_num_queries(6):
        assert len(queries.changes_to_report("provincial")) == 6
    with django_assert_num_queries(3):
        assert len(queries.reconciliation("provincial")) == 6


def test_an_upper_catalogue_is_taken_in_whole_and_searched(authority: Any, at: datetime) -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["上级目录代码", "目录名称", "提供部门", "数据项"])
        page.write_row(1, 0, ["N-1", "全国婚姻登记信息", "民政部", "姓名、登记日期"])
        page.write_row(2, 0, ["N-2", "全国学籍信息", "教育部", "姓名"])
    whole = buffer.getvalue()
    take = {"level": "national", "actor": authority, "at": at}
    assert upward.import_upper(content=whole, name="n.xlsx", **take) == 2
    assert [row.code for row in queries.search_upper("national", "婚姻 民政")] == ["N-1"]
    assert [row.code for row in queries.search_upper("", "登记日期")] == ["N-1"]
    assert [row.code for row in queries.search_upper("", "登记日")] == ["N-1"]
    upward.import_upper(content=b'[{"code": "N-2", "name": "X"}]', name="n.json", **take)
    assert not UpperDataset.objects.get(code="N-1").is_standing
    assert not queries.search_upper("", "婚姻").exists()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "a.csv"),
        (b"code,name\n,X", "a.csv"),
        (b"code,name\nA,X\nA,Y", "a.csv"),
        (b"nothing here", "a.csv"),
        (b"{", "a.json"),
        (b"[1, 2]", "a.json"),
        (b"[" * 100_000, "a.json"),
        (b"PK\x03\x04 broken", "a.xlsx"),
        (b"\xd0\xcf\x11\xe0 broken", "a.xls"),
        (b"MZ\x90\x00 a program", "a.csv"),
        (b"x" * (21 << 20), "a.csv"),
    ],
)
def test_a_bad_file_gets_words_and_changes_nothing(
    authority: Any, at: datetime, content: bytes, name: str
) -> None:
    with pytest.raises(InvalidInput):
        upward.import_upper(level="national", content=content, name=name, actor=authority, at=at)
    assert not UpperDataset.objects.exists()


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.json", "a.xlsx", "a.xls"]))
def test_any_bytes_are_read_or_refused_in_words(content: bytes, name: str) -> None:
    with suppress(InvalidInput):
        assert isinstance(FILES.receipts(content, name), list)


def test_the_screens_make_send_and_receipt_a_package(authority: Any, at: datetime) -> None:
    dataset = entry()
    client = signed_in(authority)
    answer = client.post(reverse("catalog:upward"), {"level": "provincial"})
    package = UpwardPackage.objects.get()
    assert answer.headers["Location"] == package.get_absolute_url()
    body = client.get(reverse("catalog:upward-file", args=[package.pk, "json"])).json()
    assert body["entries"][0]["code"] == dataset.code
    book = client.get(reverse("catalog:upward-file", args=[package.pk, "xlsx"]))
    rows = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_index(0)
    assert rows.to_python()[1][1] == dataset.code
    page = package.get_absolute_url()
    client.post(page, {"do": "send", "revision": 1, "outside_number": "省-7"})
    file = io.BytesIO(f"目录代码,回执\n{dataset.code},已接收\n1/1,已接收".encode())
    file.name = "r.csv"
    shown = client.post(page, {"do": "receipts", "file": file}).content.decode()
    assert "没有该目录" in shown
    assert UpwardEntry.objects.get().receipt == "received"
    assert client.get(reverse("catalog:upward-reconciliation")).status_code == 200
    mapping = reverse("catalog:upward-mapping", args=[dataset.dashed_code])
    assert client.post(mapping, {"national_code": "G-1", "cycle": "按月"}).status_code == 302
    written = dict(client.get(mapping).context["written"])
    assert next(iter(written.values())) == ["G-1", ""]
    assert written["更新周期"] == ["按月", "按月"]
    assert UpwardMapping.objects.get().national_code == "G-1"


def test_a_package_is_read_by_its_receipts_a_page_at_a_time(
    authority: Any, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, three = entry(), entry(), entry()
    package = sent(authority, at)
    receipts(package, authority, at, f"{one.code},已接收,,", f"{two.code},退回,,缺摘要")
    client, page = signed_in(authority), package.get_absolute_url()

    def listed(query: str) -> list[str]:
        return [row.dataset.code for row in client.get(page + query).context["entries"]]

    assert listed("?receipt=received") == [one.code]
    assert listed("?receipt=returned") == [two.code]
    assert listed("?receipt=waiting") == [three.code]
    assert listed("?receipt=nonsense") == listed("") == [one.code, two.code, three.code]
    counts = {value: count for value, _label, count, _on in client.get(page).context["chips"]}
    assert counts == {"": 3, "waiting": 1, "received": 1, "returned": 1}
    monkeypatch.setattr("apps.catalog.views.upward.packages.PAGE_ROWS", 2)
    first = client.get(page).context["page"]
    assert (first.shown, first.total) == (2, 3)
    assert listed(first.next_url) == [three.code]


def test_the_reconciliation_is_paged_and_taken_away(
    authority: Any, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = sorted(entry().code for _number in range(5))
    monkeypatch.setattr("apps.catalog.views.upward.packages.PAGE_ROWS", 2)
    client, address = signed_in(authority), reverse("catalog:upward-reconciliation")
    seen, query = [], "?kind=missing"
    while query:
        page = client.get(address + query).context["page"]
        seen += [gap.dataset.code for gap in page.rows]
        query = page.next_url
    assert seen == missing
    back = client.get(f"{address}?after=4").context["page"].previous_url
    assert [gap.dataset.code for gap in client.get(address + back).context["page"].rows] == (
        missing[2:4]
    )
    assert client.get(f"{address}?after=99&kind=standing").status_code == 200
    book = client.get(f"{address}?kind=missing&format=xlsx")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_index(0)
    assert [row[0] for row in rows.to_python()] == ["目录代码", *missing]


@pytest.mark.parametrize("page", ["upward", "upward-reconciliation", "upper-import"])
def test_departments_do_not_report(consumer: Any, page: str) -> None:
    assert signed_in(consumer).get(reverse(f"catalog:{page}")).status_code == 403
