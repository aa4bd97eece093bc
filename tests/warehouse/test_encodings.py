"""What a file is written in is decided with evidence, shown, and a person has the last word."""

from typing import Any

import pytest
from django.test import Client

from apps.catalog.models import Dataset
from apps.core.errors import InvalidInput
from apps.warehouse import operations as warehouse
from apps.warehouse.models import Batch
from apps.warehouse.rejected_file import encoding_reason
from tests.factories.warehouse import AT, IDENTITIES, landed, received
from tests.warehouse.conftest import Rows
from tests.warehouse.test_forms import as_xlsx

pytestmark = pytest.mark.django_db

HEADER = "identity_number,name,born_on,mobile,amount,grade\n"
ROW = f"{IDENTITIES[0]},张三丰,1990-01-01,13800000000,1.50,甲\n"
TEXT = HEADER + ROW


@pytest.mark.parametrize(
    ("content", "label", "words"),
    [
        (TEXT.encode(), "UTF-8", "逐字节核对"),
        (TEXT.encode("utf-8-sig"), "UTF-8（带 BOM）", "BOM"),
        (TEXT.encode("gb18030"), "GB18030（含 GBK）", "常用字"),
        (TEXT.encode("utf-16"), "UTF-16 LE", "BOM"),
        (TEXT.encode("utf-16-be"), "UTF-16 BE", "零字节"),
    ],
)
def test_it_says_what_was_decided_and_why(
    dataset: Dataset, provider: Any, client: Client, content: bytes, label: str, words: str
) -> None:
    batch = landed(dataset, content, actor=provider)
    assert (batch.status, batch.encoding) == ("landed", label), batch.message
    assert words in encoding_reason(batch)
    assert batch.details["blank_lines"] == 0
    client.force_login(provider)
    assert words in client.get(f"/work/batches/{batch.pk}/").content.decode()


def test_it_says_that_a_workbook_has_none(dataset: Dataset, provider: Any) -> None:
    content = as_xlsx([HEADER.strip().split(","), ROW.strip().split(",")])
    batch = landed(dataset, content, actor=provider, file_name="名册.xlsx")
    assert (batch.encoding, "文件格式" in encoding_reason(batch)) == ("—", True)


def test_a_title_above_hides_no_encoding(dataset: Dataset, provider: Any) -> None:
    batch = landed(dataset, ("名册\n" + TEXT).encode("gb18030"), actor=provider)
    assert (batch.status, batch.encoding) == ("landed", "GB18030（含 GBK）"), batch.message


def test_the_sender_has_the_last_word(dataset: Dataset, provider: Any, rows: Rows) -> None:
    # 模式 in GBK happens to be valid UTF-8.
    content = (HEADER + ROW.replace("张三丰", "模式")).encode("gbk")
    content = content.replace("甲".encode("gbk"), b"")
    guessed = landed(dataset, content, actor=provider)
    assert guessed.encoding == "UTF-8"
    batch = landed(dataset, content + b"\n", actor=provider, encoding="gb18030")
    assert batch.encoding == "GB18030（含 GBK）"
    assert "由提交人指定" in encoding_reason(batch)
    assert rows(dataset, "name") == [("模式",)]


def test_it_says_what_was_decided_of_a_file_that_lacks_columns_too(
    dataset: Dataset, provider: Any, client: Client
) -> None:
    content = "identity_number,姓名\n500103199001011232,张三丰和李四光的人民法院\n"
    batch = landed(dataset, content.encode("gb18030"), actor=provider)
    assert (batch.status, batch.message_code) == ("refused", "columns_missing")
    assert (batch.encoding, "常用字" in encoding_reason(batch)) == ("GB18030（含 GBK）", True)
    client.force_login(provider)
    assert "GB18030（含 GBK）" in client.get(f"/work/batches/{batch.pk}/").content.decode()


@pytest.mark.parametrize(
    ("said", "content"), [("utf-8", TEXT.encode("gb18030")), ("big5", TEXT.encode() + b"\xff\n")]
)
def test_what_was_named_is_proved_to_the_byte(
    dataset: Dataset, provider: Any, said: str, content: bytes
) -> None:
    batch = landed(dataset, content, actor=provider, encoding=said)
    assert (batch.status, batch.message_code) == ("refused", "encoding_invalid")
    assert batch.details["line"] in (2, 3)
    assert batch.details["offset"] > 0


def test_it_knows_no_other_encoding(dataset: Dataset, provider: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        received(dataset, TEXT, actor=provider, encoding="ebcdic")
    assert refused.value.code == "encoding_unknown"
    assert not Batch.objects.exists()


def test_a_clerk_names_it_on_the_page_of_the_layout(
    dataset: Dataset, provider: Any, client: Client
) -> None:
    content = TEXT.replace("张三丰", "張學友").encode("big5").replace("甲".encode("big5"), b"")
    batch = landed(dataset, content, actor=provider)
    assert (batch.status, batch.message_code) == ("refused", "encoding_invalid")
    client.force_login(provider)
    address = f"/work/batches/{batch.pk}/layout/"
    assert address in client.get(f"/work/batches/{batch.pk}/").content.decode()
    assert "張學友" in client.get(address, {"encoding": "big5"}).content.decode()
    client.post(address, {"do": "land", "header_row": "1", "header_rows": "1", "encoding": "big5"})
    done = warehouse.land(batch_id=Batch.objects.latest("pk").pk, at=AT)
    assert (done.status, done.encoding) == ("landed", "Big5（繁体中文）"), done.message
