"""Bad input gets a clear message in Chinese with a stable code, and nothing is lost.

Whole files that cannot be read reliably are refused; of the others every record lands or is kept
with its line and reasons.
"""

import gzip
import io
import zipfile
from typing import Any

import pytest

from apps.catalog.models import Dataset
from apps.core import files
from apps.ledger.models import Event, Notice
from apps.warehouse import queries
from apps.warehouse.models import Batch
from tests.factories.warehouse import IDENTITIES, balance, column, landed, published
from tests.warehouse.conftest import Rows

pytestmark = pytest.mark.django_db

HEADER = "identity_number,name,born_on,mobile,amount,grade\n"
A, B, C, D, E = IDENTITIES[:5]
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


def person(identity: str, name: str = "张三", **changed: str) -> str:
    cells = {"born_on": "1990-01-01", "mobile": "13800000000", "amount": "1.50", "grade": "甲"}
    return ",".join([identity, name, *(cells | changed).values()]) + "\n"


GOOD = HEADER + person(A) + person(B, "李四")


def workbook() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return buffer.getvalue()


def reasons(batch: Batch) -> dict[int, list[str]]:
    """The codes of what did not land, by line of the file."""
    return {row.line: [reason["code"] for reason in row.reasons] for row in batch.rejections.all()}


class TestRefusedAsAWhole:
    @pytest.mark.parametrize(
        ("content", "name", "code"),
        [
            pytest.param(b"", "空.csv", "file_empty", id="empty"),
            pytest.param(b"\xef\xbb\xbf\r\n\r\n", "空.csv", "file_empty", id="nothing but a mark"),
            pytest.param(HEADER.encode(), "a.csv", "file_without_records", id="header alone"),
            pytest.param(workbook(), "表.csv", "workbook_damaged", id="no workbook"),
            pytest.param(PNG, "表.csv", "file_not_as_named", id="picture"),
            pytest.param(gzip.compress(PNG), "a.csv.gz", "file_not_as_named", id="packed"),
            pytest.param(b"%PDF-1.7\n", "a.csv", "file_not_as_named", id="pdf"),
            pytest.param(
                b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xls", "workbook_damaged", id="xls"
            ),
            pytest.param(b"<html><table>", "a.csv", "file_not_as_named", id="web page"),
            pytest.param(b'[{"a": 1}]', "a.csv", "columns_unknown", id="json of else"),
            pytest.param(bytes(range(256)) * 9, "a.csv", "encoding_invalid", id="binary"),
            pytest.param(
                b"name\x00,amount\n1,2\n", "a.csv", "header_damaged", id="NUL in the header"
            ),
            pytest.param(b'a,"b\n1,2\n', "a.csv", "quote_unterminated", id="open quote in header"),
        ],
    )
    def test_a_file_that_is_no_table(
        self, dataset: Dataset, provider: Any, content: bytes, name: str, code: str
    ) -> None:
        self.refused(landed(dataset, content, actor=provider, file_name=name), code, content)

    @pytest.mark.parametrize(
        ("header", "code", "named"),
        [
            ("identity_number,name,born_on,mobile,amount", "columns_missing", "等级"),
            (HEADER.strip() + ",remark", "columns_unknown", "remark"),
            (HEADER.strip() + ",", "columns_unknown", "第 7 列（表头为空）"),
            (HEADER.strip() + ",姓名", "columns_repeated", "姓名"),
            ("500103199001011232,张三,1990-01-01,1,1,甲", "columns_unknown", "张三"),
        ],
    )
    def test_columns_that_do_not_match_are_all_named(
        self, dataset: Dataset, provider: Any, header: str, code: str, named: str
    ) -> None:
        content = f"{header}\n{person(A)}".encode()
        batch = landed(dataset, content, actor=provider)
        self.refused(batch, code, content)
        assert named in batch.message

    def test_an_open_quote_names_its_line(self, dataset: Dataset, provider: Any) -> None:
        content = (HEADER + person(A) + person(B, '"李四') + person(C)).encode()
        batch = landed(dataset, content, actor=provider)
        self.refused(batch, "quote_unterminated", content)
        assert "第 3 行" in batch.message
        assert batch.details["line"] == 3

    @pytest.mark.parametrize("ends", ["\n", "\r\n"])
    def test_a_wrong_byte_is_told_by_offset_and_line(
        self, dataset: Dataset, provider: Any, ends: str
    ) -> None:
        good = (HEADER + person(A) + person(B, "欧阳娜娜")).replace("\n", ends).encode()
        content = good + person(C).replace("张三", "?").encode().replace(b"?", b"\xff\xfe")
        batch = landed(dataset, content, actor=provider)
        self.refused(batch, "encoding_invalid", content)
        offset = content.index(b"\xff")
        assert (batch.details["line"], batch.details["offset"]) == (4, offset)
        assert f"第 4 行（文件第 {offset + 1} 字节）" in batch.message
        assert "0xFF" in batch.message

    @pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "big5", "shift_jis", "utf-32"])
    def test_an_encoding_that_is_not_accepted_is_never_guessed(
        self, dataset: Dataset, provider: Any, encoding: str
    ) -> None:
        name = {"latin-1": "Müller é", "cp1252": "“Zoë”", "shift_jis": "カタカナ"}.get(
            encoding, "張學"
        )
        content = (HEADER + person(A, name, grade="")).encode(encoding)
        batch = landed(dataset, content, actor=provider)
        assert batch.status == "refused", batch.message
        assert batch.message_code in {"encoding_invalid", "header_damaged"}

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "gb18030"])
    def test_a_character_cut_in_two_at_the_end(
        self, dataset: Dataset, provider: Any, encoding: str
    ) -> None:
        mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
        content = mark + (HEADER + person(A, "张三丰李四") * 40).encode(encoding).rstrip(b"\n\x00")
        content = content[: -2 if encoding == "utf-8-sig" else -1]
        batch = landed(dataset, content, actor=provider)
        self.refused(batch, "encoding_invalid", content)

    def test_a_file_with_fewer_records_than_declared(self, dataset: Dataset, provider: Any) -> None:
        batch = landed(dataset, GOOD, actor=provider, declared=3)
        self.refused(batch, "declared_mismatch", GOOD.encode())
        assert "申报 3 条，文件里有 2 条" in batch.message

    def test_more_dirt_than_the_contract_allows_keeps_the_rejections(
        self, provider: Any, provider_department: Any
    ) -> None:
        dataset = published(department=provider_department, dirty_limit_ratio=0.25)
        content = HEADER + person(A) + person(B, grade="丁") + person(C, amount="x") + person(D)
        batch = landed(dataset, content, actor=provider)
        assert (batch.status, batch.message_code) == ("refused", "dirty_limit")
        assert (batch.declared, batch.rejected, batch.landed) == (4, 2, 0)
        assert reasons(batch) == {3: ["not_in_codes"], 4: ["not_a_number"]}
        table = queries.table_of(dataset)
        assert table is None or table.row_count == 0

    def test_an_earlier_state_stays_as_it_was(
        self, dataset: Dataset, provider: Any, rows: Rows
    ) -> None:
        landed(dataset, GOOD, actor=provider)
        before = rows(dataset, "*")
        for content, mode in ((PNG, "snapshot"), (b"", "delete"), (b'x,"y\n1', "upsert")):
            assert landed(dataset, content, actor=provider, mode=mode).status == "refused"
        assert rows(dataset, "*") == before
        assert rows(dataset, "*", past=True) == []
        table = queries.table_of(dataset)
        assert table is not None
        assert (table.row_count, table.batch_counter) == (2, 1)

    def refused(self, batch: Batch, code: str, content: bytes) -> None:
        """A refusal says why, tells the person and the trail, and keeps the file."""
        assert (batch.status, batch.message_code) == ("refused", code), batch.message
        assert any("\u4e00" <= character <= "\u9fff" for character in batch.message)
        assert files.path_of(batch.file.sha256).read_bytes() == content
        assert Event.objects.filter(verb="warehouse.refuse", subject_id=str(batch.pk)).exists()
        notice = Notice.objects.get(recipient=batch.source)
        assert batch.message in notice.body
        assert (batch.landed, batch.changed, batch.deleted, batch.horizon) == (0, 0, 0, None)


class TestRecordsKeptBack:
    def test_ragged_rows_are_kept_with_their_line(
        self, dataset: Dataset, provider: Any, rows: Rows
    ) -> None:
        content = (
            HEADER
            + person(A)
            + f"{B},李四\n"
            + "\n"
            + person(C).strip()
            + ",多余\n"
            + f'{D},"王""五"x,1990-01-01,13800000000,1,甲\n'
            + person(E)
        )
        batch = landed(dataset, content, actor=provider)
        assert batch.declared == 5
        assert balance(batch) == {"landed": 2, "rejected": 3}
        assert reasons(batch) == {
            3: ["too_few_cells"],
            5: ["too_many_cells"],
            6: ["quote_misplaced"],
        }
        assert sorted(rows(dataset, "identity_number")) == [(A,), (E,)]
        assert batch.rejections.get(line=3).raw == f"{B},李四"
        assert batch.details["blank_lines"] == 1

    @pytest.mark.parametrize(
        ("item", "value", "code"),
        [
            ("born_on", "2019-13-05", "not_a_date"),
            ("born_on", "2019-02-29", "not_a_date"),
            ("born_on", "昨天", "not_a_date"),
            ("born_on", "20190230", "not_a_date"),
            ("born_on", "0000-01-01", "not_a_date"),
            ("amount", "一元", "not_a_number"),
            ("amount", "1.2.3", "not_a_number"),
            ("amount", "123456789.00", "not_a_number"),
            ("amount", "NaN", "not_a_number"),
            ("amount", "Infinity", "not_a_number"),
            ("amount", "-0.01", "below_minimum"),
            ("mobile", "1380000000", "invalid_mobile"),
            ("grade", "丁", "not_in_codes"),
            ("name", "一二三四五六七八九十一", "too_long"),
            ("name", "", "required"),
            ("name", "\u3000 ", "required"),
        ],
    )
    def test_a_value_in_the_wrong_shape(
        self, dataset: Dataset, provider: Any, item: str, value: str, code: str
    ) -> None:
        name = {"name": value} if item == "name" else {item: value}
        batch = landed(dataset, HEADER + person(A) + person(B, **name), actor=provider)
        assert balance(batch) == {"landed": 1, "rejected": 1}
        [rejection] = batch.rejections.all()
        [reason] = rejection.reasons
        assert (rejection.line, reason["code"], reason["column"]) == (3, code, item)
        assert "第 3 行" in reason["message"]
        assert reason["label"] in reason["message"]

    def test_every_rule_that_a_row_breaks_is_told(self, dataset: Dataset, provider: Any) -> None:
        wrong = person("500103199001011233", "", born_on="x", mobile="1", amount="-1", grade="丁")
        batch = landed(dataset, HEADER + person(B) + wrong, actor=provider)
        assert reasons(batch) == {
            3: [
                "invalid_identity_number",
                "required",
                "not_a_date",
                "invalid_mobile",
                "below_minimum",
                "not_in_codes",
            ]
        }

    def test_nul_bytes_and_stray_carriage_returns_are_shown(
        self, dataset: Dataset, provider: Any, rows: Rows
    ) -> None:
        content = HEADER + person(A) + person(B, "李\x00四") + person(C, "王\r五") + person(D)
        batch = landed(dataset, content, actor=provider)
        assert balance(batch) == {"landed": 2, "rejected": 2}
        assert reasons(batch) == {3: ["nul_byte"], 4: ["stray_carriage_return"]}
        assert "李␀四" in batch.rejections.get(line=3).raw
        assert "王␍五" in batch.rejections.get(line=4).raw
        assert sorted(rows(dataset, "identity_number")) == [(A,), (D,)]

    @pytest.mark.parametrize("quoted", [False, True])
    def test_ten_megabytes_in_one_cell(
        self, provider: Any, provider_department: Any, rows: Rows, quoted: bool
    ) -> None:
        dataset = published(
            column("code", "编号", length=20, required=True),
            column("title", "标题"),
            column("note", "备注", "M"),
            department=provider_department,
        )
        large = "汉" * (10 * 1024 * 1024 // 3)
        large = f'"{large}\n完"' if quoted else large
        batch = landed(
            dataset,
            f"code,title,note\n1,甲,短\n2,乙,{large}\n3,{large},短\n4,丁,短\n",
            actor=provider,
        )
        assert balance(batch) == {"landed": 3, "rejected": 1}
        [rejection] = batch.rejections.all()
        assert [reason["code"] for reason in rejection.reasons] == ["cell_too_large"]
        assert rejection.line == (4 if not quoted else 5)
        assert len(rejection.raw) > 3_000_000, "kept whole"
        assert len(rejection.reasons[0]["message"]) < 300, "but not told whole"
        lengths: dict[str, int] = dict(rows(dataset, "code", "length(note)"))
        assert lengths["2"] == len(large.strip('"'))

    def test_a_line_that_never_ends_is_refused(self, dataset: Dataset, provider: Any) -> None:
        batch = landed(dataset, HEADER + "x" * (33 << 20), actor=provider)
        assert (batch.status, batch.message_code) == ("refused", "record_too_long")

    def test_keys_that_repeat_inside_the_file_count_once(
        self, dataset: Dataset, provider: Any, rows: Rows
    ) -> None:
        content = HEADER + person(A, "旧") + person(B) + person(A, "新") + person(B)
        for _time in ("into an empty table", "into a full one"):
            batch = landed(dataset, content, actor=provider)
            assert batch.duplicate == 2
            # Only what differs from the row that was taken has to be looked at.
            assert reasons(batch) == {2: ["duplicate_key"]}
            assert sorted(rows(dataset, "identity_number", "name")) == [(A, "新"), (B, "张三")]
            content += "\n"

    def test_a_key_too_long_for_an_index_is_kept_back(
        self, provider: Any, provider_department: Any
    ) -> None:
        dataset = published(
            column("code", "编号", required=True), column("x", "甲"), department=provider_department
        )
        batch = landed(dataset, f"code,x\n{'长' * 1000},1\n短,2\n", actor=provider)
        assert balance(batch) == {"landed": 1, "rejected": 1}
        assert reasons(batch) == {2: ["key_too_long"]}


class TestRead:
    """What looks unusual but is a table all the same."""

    @pytest.mark.parametrize(
        "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk"]
    )
    @pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
    def test_encodings_and_line_ends(
        self, dataset: Dataset, provider: Any, rows: Rows, encoding: str, ends: str
    ) -> None:
        text = HEADER + person(A, "欧阳娜") + person(B, "李四")
        batch = landed(dataset, text.replace("\n", ends).encode(encoding), actor=provider)
        assert balance(batch) == {"landed": 2}, batch.message
        assert sorted(rows(dataset, "name", "grade")) == [("李四", "甲"), ("欧阳娜", "甲")]
        assert batch.encoding

    @pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
    def test_delimiters(self, dataset: Dataset, provider: Any, delimiter: str) -> None:
        content = (HEADER + person(A)).replace(",", delimiter)
        assert balance(landed(dataset, content, actor=provider)) == {"landed": 1}

    def test_rare_characters_of_gb18030(self, dataset: Dataset, provider: Any, rows: Rows) -> None:
        rare = "\U00020bb7野家㑇"
        content = HEADER + person(A, rare) + "".join(person(key) for key in (B, C, D, E))
        landed(dataset, content.encode("gb18030"), actor=provider)
        assert (rare,) in rows(dataset, "name")

    def test_a_last_line_without_an_end_and_blank_lines(
        self, dataset: Dataset, provider: Any
    ) -> None:
        batch = landed(
            dataset, "\n\n" + HEADER + "\n" + person(A) + "\n\n" + person(B).strip(), actor=provider
        )
        assert balance(batch) == {"landed": 2}

    def test_line_numbers_hold_in_a_torture_file(self, dataset: Dataset, provider: Any) -> None:
        """Blank lines, quoted line ends, faults of every kind: each record's line is its own."""
        content = (
            "\n"  # 1
            + HEADER  # 2
            + person(A, '"张\n三"')  # 3–4
            + "\n"  # 5
            + person(B, grade="丁")  # 6
            + "只有一列\n"  # 7
            + person(C, '"王\n\n五"', born_on="x")  # 8–10
            + person(D, "赵\x00六")  # 11
            + "\r\n"  # 12, blank
            + person(E, '"钱""七"')  # 13
            + person(A, "又一个")  # 14
        )
        batch = landed(dataset, content, actor=provider)
        assert reasons(batch) == {
            3: ["duplicate_key"],
            6: ["not_in_codes"],
            7: ["too_few_cells"],
            8: ["not_a_date"],
            11: ["nul_byte"],
        }
        assert [row.record_number for row in batch.rejections.order_by("line")] == [1, 2, 3, 4, 5]
        assert batch.declared == 7
        assert balance(batch) == {"landed": 2, "duplicate": 1, "rejected": 4}
