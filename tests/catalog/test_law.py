"""The law's lists come in from messy spreadsheets with a verdict per row, or not at all."""

import contextlib
import io
import zipfile
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import xlsxwriter
import xlwt
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.catalog.models import LegalDuty, ServiceItem
from apps.catalog.operations import law
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.workbooks import tables
from apps.core.workbooks.refusal import Refusal
from apps.ledger.models import Event
from tests.conftest import CAST

pytestmark = pytest.mark.django_db

HEADING = ["事项编码", "事项名称", "事项类别", "设定依据", "实施部门"]
GOOD = ["0100", "婚姻登记", "行政确认", "《婚姻登记条例》", "市民政局"]


def as_csv(*rows: list[str], encoding: str = "utf-8") -> bytes:
    return "\n".join(",".join(row) for row in rows).encode(encoding)


def as_xlsx(*rows: list[str]) -> bytes:
    body = io.BytesIO()
    with xlsxwriter.Workbook(body) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return body.getvalue()


def as_xls(*rows: list[str]) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("一")
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell)
    body = io.BytesIO()
    book.save(body)
    return body.getvalue()


def tried(content: bytes, actor: Any, at: datetime, model: Any = LegalDuty) -> law.Trial:
    return law.try_law(model=model, content=content, file_name="清单.csv", actor=actor, at=at)


def taken(content: bytes, actor: Any, at: datetime, **more: Any) -> law.Trial:
    return law.import_legal_duties(
        content=content, file_name="清单.csv", actor=actor, at=at, **more
    )


@pytest.mark.parametrize("write", [as_csv, as_xlsx, as_xls])
def test_a_good_file_of_any_form_is_tried_then_taken_then_changes_nothing(
    write: Any, authority: Any, provider_department: Any, at: datetime
) -> None:
    content = write(["重庆市权责清单"], [], HEADING, GOOD)
    assert tried(content, authority, at).counts == {"new": 1}
    assert not LegalDuty.objects.exists()
    assert taken(content, authority, at).adopted == 1
    row = LegalDuty.objects.get()
    assert (row.code, row.kind, row.department) == ("0100", "confirmation", provider_department)
    assert taken(content, authority, at).counts == {"same": 1}
    assert Event.objects.filter(verb="catalog.import_legal_duties").count() == 2


def test_every_fault_names_its_cell(authority: Any, provider_department: Any, at: datetime) -> None:
    rows = [
        ["", "无编码", "行政许可", "", "市民政局"],
        ["0101", "", "行政许可", "", "市民政局"],
        ["0102", "类别不对", "行政什么", "", "市民政局"],
        ["0103", "部门不对", "行政许可", "", "市民政厅"],
        GOOD,
        GOOD,
        ["01 04", "有空格", "许可", "", "市民政局"],
    ]
    trial = tried(as_csv(HEADING, *rows), authority, at)
    cells = {each.row: [fault.cell for fault in each.faults] for each in trial.verdicts}
    assert cells == {2: ["A2"], 3: ["B3"], 4: ["C4"], 5: ["E5"], 6: [], 7: ["A7"], 8: ["A8"]}
    with pytest.raises(InvalidInput):
        taken(as_csv(HEADING, *rows), authority, at, all_or_nothing=True)
    assert not LegalDuty.objects.exists()
    assert taken(as_csv(HEADING, *rows), authority, at).adopted == 1


def test_full_width_digits_and_days_as_people_write_them(
    authority: Any, provider_department: Any, at: datetime
) -> None:
    heading = [*HEADING, "生效日期", "失效日期"]
    days = ["2020年1月5日", "2030/12/31"]
    assert (
        taken(
            as_csv(heading, ["０１００", "甲", "许可", "", "市民政局", *days]), authority, at
        ).adopted
        == 1
    )
    row = LegalDuty.objects.get(code="0100")
    assert (row.valid_from, row.valid_to) == (date(2020, 1, 5), date(2030, 12, 31))
    wrong = as_csv(
        heading,
        ["1", "甲", "许可", "", "市民政局", "2020-13-01", ""],
        ["2", "乙", "许可", "", "市民政局", "2020-01-02", "2020-01-02"],
    )
    faults = [[f.cell for f in each.faults] for each in tried(wrong, authority, at).verdicts]
    assert faults == [["F2"], ["G3"]]


def test_an_absent_column_leaves_its_field_alone(
    authority: Any, provider_department: Any, at: datetime
) -> None:
    taken(as_csv(HEADING, GOOD), authority, at)
    heading = ["事项编码", "事项名称", "事项类别", "实施部门"]
    trial = taken(as_csv(heading, ["0100", "结婚登记", "行政确认", "市民政局"]), authority, at)
    assert trial.verdicts[0].changed == ["事项名称"]
    row = LegalDuty.objects.get()
    assert (row.name, row.basis) == ("结婚登记", "《婚姻登记条例》")


def test_a_department_brings_in_its_own_rows_only(
    provider: Any, outsider: Any, authority: Any, at: datetime
) -> None:
    content = as_csv(HEADING, GOOD, ["0200", "体育竞赛", "行政许可", "", "市体育局"])
    trial = taken(content, provider, at)
    assert (trial.adopted, trial.counts["fault"]) == (1, 1)
    assert "不是本部门" in trial.verdicts[1].faults[0].message
    stolen = as_csv(HEADING, ["0100", "夺来的", "行政许可", "", "市体育局"])
    assert taken(stolen, outsider, at).counts == {"fault": 1}
    assert LegalDuty.objects.get().name == "婚姻登记"


def test_who_may_not_changes_nothing(
    cast: dict[str, Any], provider_department: Any, at: datetime
) -> None:
    for name in set(CAST) - {"authority", "provider", "consumer", "outsider"}:
        with pytest.raises(NotAllowed):
            taken(as_csv(HEADING, GOOD), cast[name], at)
    assert not LegalDuty.objects.exists()


def test_services_point_to_their_duty_in_law(
    authority: Any, provider_department: Any, at: datetime
) -> None:
    taken(as_csv(HEADING, GOOD), authority, at)
    heading = ["事项编码", "事项名称", "实施部门", "权责清单事项编码"]
    content = as_csv(
        heading, ["S1", "结婚证办理", "市民政局", "0100"], ["S2", "错", "市民政局", "0999"]
    )
    done = law.import_service_items(content=content, file_name="x.csv", actor=authority, at=at)
    assert (done.adopted, done.counts["fault"]) == (1, 1)
    assert ServiceItem.objects.get().legal_duty == LegalDuty.objects.get()


def bomb() -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * (301 << 20))
    return body.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 not a workbook",
        b"\xd0\xcf\x11\xe0" + b"\x00" * 600,  # what an encrypted workbook begins with
        as_csv(["甲", "乙"], ["1", "2"]),
        "事项编码,事项名称".encode("utf-16"),
        b"\xff\xfe\xff" * 10,
    ],
)
def test_a_file_that_is_none_gets_words_and_no_traceback(
    content: bytes, authority: Any, at: datetime
) -> None:
    with pytest.raises(Refusal):
        tried(content, authority, at)


def test_a_bomb_is_not_unpacked(authority: Any, at: datetime) -> None:
    with pytest.raises(Refusal, match="异常地大"):
        tried(bomb(), authority, at)


def test_too_many_rows_are_refused(authority: Any, at: datetime, monkeypatch: Any) -> None:
    monkeypatch.setattr(tables, "ROWS", 3)
    with pytest.raises(Refusal):
        tried(as_csv(HEADING, GOOD, GOOD, GOOD, GOOD), authority, at)


@given(content=st.binary(max_size=400))
def test_no_bytes_make_it_fall(content: bytes) -> None:
    with contextlib.suppress(Refusal):
        list(tables.rows_of(content, "x.csv", {"code": ("事项编码",)}, ["code"]))


@given(day=st.dates(), form=st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日"]))
def test_a_day_is_read_in_every_form(day: date, form: str) -> None:
    year = f"{day.year:04d}"
    text = day.strftime(form.replace("%Y", year))
    assert tables.day_of(text) == day


class TestPages:
    def client(self, person: Any) -> Client:
        client = Client()
        client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[1])
        return client

    def test_a_clerk_tries_a_file_and_takes_it_over(self, provider: Any, outsider: Any) -> None:
        client = self.client(provider)
        content = as_csv(HEADING, GOOD, ["0101", "", "行政许可", "", "市民政局"])
        upload = SimpleUploadedFile("清单.csv", content)
        page = client.post("/work/law/legal-duties/import/", {"file": upload}).content.decode()
        assert "还没有写入" in page
        assert "B3" in page
        assert not LegalDuty.objects.exists()
        kept = page.split('name="kept" value="')[1].split('"')[0]
        stolen = self.client(outsider).post("/work/law/legal-duties/import/", {"kept": kept})
        assert stolen.status_code == 403
        answer = client.post("/work/law/legal-duties/import/", {"kept": kept}, follow=True)
        assert "已导入 1 行" in answer.content.decode()
        listed = client.get("/work/law/legal-duties/?dataset=no").content.decode()
        assert "婚姻登记" in listed
        chips = client.get("/work/law/legal-duties/").context["chips"]
        for value, _label, count, _is_on in chips:
            chosen = client.get(f"/work/law/legal-duties/?dataset={value}").context["page"]
            assert chosen.total == count, value
        assert client.get("/work/law/legal-duties/?dataset=yes&q=x").status_code == 200
        assert client.get("/work/law/nothing/").status_code == 404

    def test_what_comes_into_force_later_is_found_apart(self, provider: Any, at: datetime) -> None:
        later = (timezone.localdate() + timedelta(days=9)).isoformat()
        coming = ["0101", "志愿服务组织管理", "其他行政权力", "", "市民政局", later]
        taken(as_csv([*HEADING, "生效日期"], [*GOOD, ""], coming), provider, at)
        client = self.client(provider)
        page = client.get("/work/law/legal-duties/")
        assert "志愿服务组织管理" not in page.content.decode()
        assert [(value, count) for value, _label, count, _is_on in page.context["chips"]] == [
            ("", 1), ("no", 1), ("yes", 0), ("coming", 1),
        ]  # fmt: skip
        listed = client.get("/work/law/legal-duties/?dataset=coming").content.decode()
        assert "志愿服务组织管理" in listed
        assert f"{later} 起生效" in listed

    def test_a_damaged_file_is_told_in_words(self, provider: Any) -> None:
        upload = SimpleUploadedFile("清单.xlsx", b"PK\x03\x04 no")
        page = self.client(provider).post("/work/law/legal-duties/import/", {"file": upload})
        assert "已经损坏" in page.content.decode()

    def test_who_may_not_import_sees_no_way_to(self, provider_head: Any) -> None:
        client = self.client(provider_head)
        assert client.get("/work/law/service-items/import/").status_code == 403
        assert (
            "law/service-items/import"
            not in client.get("/work/law/service-items/").content.decode()
        )

    def test_systems_read_them_over_the_api(self, provider: Any, at: datetime) -> None:
        taken(as_csv(HEADING, GOOD), provider, at)
        client = self.client(provider)
        rows = client.get("/api/v1/legal-duties").json()["results"]
        assert [(row["code"], row["has_dataset"]) for row in rows] == [("0100", False)]
        assert client.get("/api/v1/legal-duties?code=x").json()["results"] == []
        assert client.get("/api/v1/service-items").json()["results"] == []
        assert client.get("/api/v1/service-items?colour=1").status_code == 400
