"""A file becomes a draft of an entry: read whole, proposed with evidence, corrected by a person."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.catalog.models import Classification, DataItem, Dataset
from apps.core.errors import Conflict, NotAllowed
from apps.core.workbooks.refusal import Refusal
from apps.standards.models import CodeList, CodeListEntry, DataElement
from apps.warehouse import operations as warehouse
from apps.warehouse.models import FileProposal
from apps.warehouse.proposing.whole import column_name
from tests.factories.catalog import ClassificationFactory
from tests.factories.warehouse import AT, IDENTITIES
from tests.warehouse.test_forms import as_xlsx

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "real" / "csv"

pytestmark = pytest.mark.django_db

HEADINGS = [
    "序号", "姓名", "身份证号", "统一社会信用代码", "联系电话", "区划代码", "性别", "登记日期",
    "补助金额（元）", "家庭人口", "是否低保", "备注",
]  # fmt: skip


@pytest.fixture
def classification() -> Any:
    return ClassificationFactory()


def people(count: int = 60) -> list[list[str]]:
    """Invented rows of a real-looking list; one identity number of all is wrong."""
    return [
        [
            str(number + 1),
            "张三",
            IDENTITIES[number % 6] if number != 7 else "500103199001011233",
            "91350100M000100Y43",
            f"138{number:08d}",
            "500103",
            "12"[number % 2],
            f"2020/1/{number % 28 + 1}",
            "1,200.50" if number % 5 else "3.5万元",
            str(number % 5 + 1),
            "是否"[number % 2],
            "" if number % 3 else "说明",
        ]
        for number in range(count)
    ]


def as_csv(*rows: list[str]) -> bytes:
    lines = [",".join(f'"{cell}"' for cell in row) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def proposed(
    content: bytes, actor: Any, *, name: str = "名册.csv", entry: str = ""
) -> FileProposal:
    return warehouse.propose(
        file=io.BytesIO(content),
        file_name=name,
        name=entry,
        classification=Classification.objects.get(code="307001"),
        actor=actor,
        at=AT,
    )


def item(made: FileProposal, name: str) -> DataItem:
    return made.dataset.items.get(name=name)


def evidence(made: FileProposal, name: str) -> str:
    found = made.item_evidence[item(made, name).column_name]
    return " ".join(f"{each['said']}：{each['why']}" for each in found)


def test_it_proposes_types_checks_and_lengths_with_their_evidence(
    provider: Any, classification: Any
) -> None:
    made = proposed(as_csv(HEADINGS, *people()), provider)
    dataset = made.dataset
    assert (dataset.status, dataset.department) == ("draft", provider.department)
    assert [each.name for each in dataset.items.order_by("position")] == HEADINGS
    kinds = {
        each.name: (each.data_type, each.length, each.scale, each.value_check)
        for each in dataset.items.all()
    }
    assert kinds["身份证号"] == ("C", 18, None, "identity_number")
    assert kinds["统一社会信用代码"] == ("C", 18, None, "uscc")
    assert kinds["联系电话"] == ("C", 11, None, "mobile")
    assert kinds["区划代码"] == ("C", 6, None, "division_code")
    assert kinds["登记日期"][0] == "D"
    assert kinds["补助金额（元）"][0] == "Y"
    assert kinds["家庭人口"][0] == "I"
    assert kinds["是否低保"][0] == "L"
    assert "60 个值中 59 个通过校验" in evidence(made, "身份证号")
    assert item(made, "补助金额（元）").normalise == ["number", "unit"]
    assert "12 个值带单位" in evidence(made, "补助金额（元）")
    assert not item(made, "备注").required
    assert item(made, "姓名").required
    assert "60 行中 40 行为空" in evidence(made, "备注")


def test_it_proposes_key_cycle_and_personal_information(provider: Any, classification: Any) -> None:
    made = proposed(as_csv(HEADINGS, *people()), provider, name="低保名册2026年1月.csv")
    dataset = made.dataset
    assert dataset.name == "低保名册"
    assert dataset.key_items == [item(made, "联系电话").column_name]
    assert (dataset.contains_personal, dataset.contains_sensitive) == (True, True)
    assert item(made, "身份证号").sensitive
    assert item(made, "身份证号").mask == "cover_identity"
    assert item(made, "姓名").personal
    assert dataset.update_cycle == "monthly"
    said = {each["said"] for each in made.evidence}
    assert {"主键：联系电话", "更新周期：每月", "含敏感个人信息"} <= said


def test_it_finds_code_lists_and_says_when_names_stand_for_codes(
    provider: Any, classification: Any
) -> None:
    sexes = CodeList.objects.create(code="sex", name="性别代码")
    for code, name in (("1", "男性"), ("2", "女性")):
        CodeListEntry.objects.create(code_list=sexes, code=code, name=name)
    rows = [[str(n), "12"[n % 2], "男女"[n % 2], "甲乙丙"[n % 3]] for n in range(60)]
    made = proposed(as_csv(["编号", "性别", "户主性别", "等级"], *rows), provider)
    assert item(made, "性别").code_list == sexes
    assert "60 个在代码集内" in evidence(made, "性别")
    assert item(made, "户主性别").code_list is None
    assert "含义" in evidence(made, "户主性别")
    assert item(made, "等级").description.startswith("取值：")
    assert "只有 3 种值" in evidence(made, "等级")


def test_it_names_columns_by_element_or_in_pinyin(provider: Any, classification: Any) -> None:
    DataElement.objects.create(
        code="DE-1", name="姓名", column_name="name", data_type="C", length=50, personal=True
    )
    made = proposed(as_csv(["姓名", "企业名称", "Total (kg)"], ["a", "b", "1"]), provider)
    names = {each.name: each.column_name for each in made.dataset.items.all()}
    assert names == {"姓名": "name", "企业名称": "qi_ye_ming_cheng", "Total (kg)": "total"}
    assert item(made, "姓名").data_element is not None
    assert column_name("（备注）", {"bei_zhu"}) == "bei_zhu_2"
    assert column_name("2020年", set()) == "c_2020_nian"
    assert column_name("mode", set()) == "mode_value"


def test_it_takes_two_columns_where_one_does_not_do(provider: Any, classification: Any) -> None:
    rows = [[f"店{n % 6}", f"2026-{n // 6 + 1:02d}-01", "7"] for n in range(36)]
    made = proposed(as_csv(["店名", "统计日期", "数量"], *rows), provider)
    names = {each.column_name: each.name for each in made.dataset.items.all()}
    assert {names[column] for column in made.dataset.key_items} == {"店名", "统计日期"}
    assert made.dataset.update_cycle == "monthly"
    assert "相隔 31 天" in str(made.evidence)


def test_it_finds_the_heading_below_titles(provider: Any, classification: Any) -> None:
    rows = [["低保人员名册", *[""] * 11], ["填报单位：市民政局", *[""] * 11], HEADINGS, *people(12)]
    foot = ["合计", *[""] * 11]
    made = proposed(as_xlsx([*rows, foot]), provider, name="名册.xlsx")
    assert made.rows == 12
    assert made.notes["header_row"] == 3
    assert item(made, "身份证号").value_check == ""  # one of twelve is wrong: said, not proposed
    assert "没有采用" in evidence(made, "身份证号")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (as_csv(HEADINGS, *people(20)).decode().encode("gb18030"), "名册.csv"),
        (("名册\n" + as_csv(HEADINGS, *people(20)).decode()).encode(), "名册.csv"),
        (
            json.dumps([dict(zip(HEADINGS, row, strict=True)) for row in people(20)]).encode(),
            "名册.json",
        ),
    ],
)
def test_it_reads_whatever_landing_reads(
    provider: Any, classification: Any, content: bytes, name: str
) -> None:
    made = proposed(content, provider, name=name)
    assert made.rows == 20
    assert made.dataset.items.count() == len(HEADINGS)
    assert item(made, "统一社会信用代码").value_check == "uscc"


def test_it_says_what_lost_digits_and_noughts(provider: Any, classification: Any) -> None:
    rows = [["5.001E+17", f"{n:03d}" if n < 5 else str(n), "110105491231002"] for n in range(20)]
    made = proposed(as_csv(["编号", "网点代码", "身份证号"], *rows), provider)
    assert item(made, "编号").normalise == ["trim", "scientific"]
    assert "前导零" in evidence(made, "网点代码")
    assert item(made, "身份证号").normalise == ["identifier", "identity_18"]


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"%PDF-1.4 not a table", b'a,b\n1,"2\n3,4\n' * 3]
)
def test_what_cannot_be_read_leaves_nothing(
    provider: Any, classification: Any, content: bytes
) -> None:
    with pytest.raises(Refusal):
        proposed(content, provider)
    assert not Dataset.objects.exists()
    assert not FileProposal.objects.exists()


def test_nothing_is_entered_under_a_name_that_is_taken(provider: Any, classification: Any) -> None:
    proposed(as_csv(["编号"], ["1"]), provider)
    with pytest.raises(Conflict):
        proposed(as_csv(["编号"], ["2"]), provider)
    assert Dataset.objects.count() == FileProposal.objects.count() == 1


def test_it_reads_a_wide_file_whose_values_are_of_many_shapes(
    provider: Any, classification: Any
) -> None:
    shapes = ["2019.5.10", "2018年3月7日", IDENTITIES[0], "１２", "800万人民币", "2020.1.2 10:30"]
    rows = [[shapes[(row + place) % 6] for place in range(40)] for row in range(120)]
    made = proposed(as_csv([f"第{place}列" for place in range(40)], *rows), provider)
    assert (made.rows, made.dataset.items.count()) == (120, 40)


def test_only_an_editor_drafts(provider_head: Any, classification: Any) -> None:
    with pytest.raises(NotAllowed):
        proposed(as_csv(["编号"], ["1"]), provider_head)
    assert not Dataset.objects.exists()


def test_the_command_prints_the_evidence(
    provider: Any, classification: Any, tmp_path: Path
) -> None:
    file = tmp_path / "名册.csv"
    file.write_bytes(as_csv(HEADINGS, *people()))
    out = io.StringIO()
    code = {"department": provider.department.code, "classification": classification.code}
    call_command("propose", str(file), stdout=out, **code)
    assert "60 个值中 59 个通过校验" in out.getvalue()
    with pytest.raises(CommandError):
        call_command("propose", str(file), department="没有这个部门")
    with pytest.raises(CommandError):
        call_command("propose", str(tmp_path / "没有.csv"), **code)


REAL_FILES = sorted(
    path
    for path in REAL.rglob("*.*")
    if path.suffix in (".csv", ".tsv", ".xls", ".xlsx", ".json", ".gz", ".txt")
)


@pytest.mark.skipif(not REAL.is_dir(), reason=f"real files are not there: {REAL}")
@pytest.mark.parametrize("path", REAL_FILES, ids=lambda path: path.name)
def test_a_real_file_is_read_or_refused_with_a_reason(
    path: Path, provider: Any, classification: Any
) -> None:
    outcome: Refusal | FileProposal
    try:
        outcome = proposed(path.read_bytes(), provider, name=path.name, entry="真实文件")
    except Refusal as refusal:
        outcome = refusal
    if isinstance(outcome, Refusal):
        assert outcome.code
        assert str(outcome)
    else:
        assert outcome.dataset.items.exists()


@pytest.mark.parametrize(
    ("heading", "normalise"),
    [
        ("注册资本（万元）", ["number", "unit_wan"]),
        ("注册资本（元）", ["number", "unit"]),
        ("万州区登记户数", ["number", "unit"]),
        ("注册资本（百万元）", []),
        ("注册资本（亿元）", []),
    ],
)
def test_it_proposes_the_unit_that_the_heading_names(
    heading: str, normalise: list[str], provider: Any, classification: Any
) -> None:
    """In a scale that no normaliser knows none is proposed: such values are refused and shown."""
    lines = [["编号", heading], *([str(n), "800万人民币"] for n in range(30))]
    made = proposed(as_csv(*lines), provider)
    assert item(made, heading).normalise == normalise
