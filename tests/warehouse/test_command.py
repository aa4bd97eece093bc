"""`manage.py land CODE FILE` prints the balance and ends with an error when nothing landed."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.catalog.models import Dataset
from apps.warehouse.models import Batch
from tests.factories.accounts import InformationSystemFactory
from tests.factories.warehouse import IDENTITIES, published, received

pytestmark = pytest.mark.django_db

HEADER = "identity_number,name,born_on,mobile,amount,grade\n"
GOOD = f"{IDENTITIES[0]},张三,1990-01-01,13800000000,1.50,甲\n"
BAD = f"{IDENTITIES[1]},李四,1990-13-01,13800000000,1.50,丁\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "数据.csv"
    path.write_text(HEADER + GOOD + BAD, "utf-8")
    return path


def land(dataset: Dataset, file: Path, *options: str) -> str:
    out = io.StringIO()
    call_command("land", dataset.code.replace("/", "-"), str(file), *options, stdout=out)
    return out.getvalue()


def test_it_prints_balance_and_rejections(dataset: Dataset, provider: Any, file: Path) -> None:
    said = land(dataset, file, "--as", provider.username)
    assert "共 2 条：新增 1，变更 0，无变化 0，文件内重复 0，未通过 1；移出 0" in said
    assert "第 3 行‘出生日期’写作 1990-13-01" in said
    assert "第 3 行‘等级’写作 丁" in said


def test_it_says_that_the_same_file_was_landed_already(
    dataset: Dataset, provider: Any, file: Path
) -> None:
    land(dataset, file, "--as", provider.username)
    assert "已经入库过" in land(dataset, file, "--as", provider.username)


def test_it_says_that_a_number_was_used_already(
    dataset: Dataset, provider: Any, file: Path
) -> None:
    options = ("--as", provider.username, "--key", "每日-1")
    land(dataset, file, *options)
    said = land(dataset, file, *options)
    assert "批次号 每日-1 已提交过" in said
    assert Batch.objects.count() == 1
    file.write_text(HEADER + GOOD, "utf-8")
    with pytest.raises(CommandError, match="idempotency_conflict"):
        land(dataset, file, *options)


def test_the_source_system_hands_in_unless_told(provider_department: Any, file: Path) -> None:
    system = InformationSystemFactory(department=provider_department)
    dataset = published(department=provider_department, system=system)
    land(dataset, file)
    assert Batch.objects.get().source == system.service_user


def test_it_lands_earlier_batches_of_the_dataset_first(
    dataset: Dataset, provider: Any, file: Path
) -> None:
    earlier = received(dataset, HEADER + BAD + GOOD, actor=provider)
    land(dataset, file, "--as", provider.username, "--mode", "append")
    earlier.refresh_from_db()
    assert (earlier.status, earlier.horizon) == ("landed", 1)
    assert Batch.objects.latest("id").horizon == 2


@pytest.mark.parametrize(
    ("content", "code"),
    [("", "file_empty"), ("a,b\n1,2\n", "columns_unknown"), (HEADER, "file_without_records")],
)
def test_a_refusal_is_an_error(
    dataset: Dataset, provider: Any, file: Path, content: str, code: str
) -> None:
    file.write_text(content, "utf-8")
    with pytest.raises(CommandError, match=code):
        land(dataset, file, "--as", provider.username)


def test_who_may_not_hand_in_is_refused(dataset: Dataset, outsider: Any, file: Path) -> None:
    with pytest.raises(CommandError, match="not_allowed"):
        land(dataset, file, "--as", outsider.username)
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("307001-999999", "{file}"), "没有目录"),
        (("{code}", "{file}", "--as", "nobody"), "没有用户"),
        (("{code}", "{file}"), "没有登记来源信息系统"),
        (("{code}", "{file}.missing", "--as", "{user}"), "不能读取"),
        (("{code}", "{file}", "--as", "{user}", "--mode", "replace"), "replace"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(
    dataset: Dataset, provider: Any, file: Path, options: tuple[str, ...], words: str
) -> None:
    names = {"code": dataset.code, "file": str(file), "user": provider.username}
    with pytest.raises(CommandError, match=words):
        call_command("land", *(option.format(**names) for option in options))
