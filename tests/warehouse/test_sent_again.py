"""A file sent again lands by its differing lines exactly as it would land whole."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from apps.catalog.models import Dataset
from apps.warehouse import since_last
from apps.warehouse.models import Batch
from tests.factories.warehouse import IDENTITIES, balance, landed, publish_contract, published
from tests.warehouse.conftest import Rows

pytestmark = pytest.mark.django_db

HEADER = "identity_number,name,born_on,mobile,amount,grade\n"


@pytest.fixture(autouse=True)
def small_files_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(since_last, "FEWEST_RECORDS", 1)


def person(place: int, name: str = "张三", amount: str = "1.50") -> str:
    return f"{IDENTITIES[place]},{name},1990-01-01,13800000000,{amount},甲\n"


def people(*changed: tuple[int, str], places: Any = range(6)) -> str:
    names = dict(changed)
    return HEADER + "".join(person(place, names.get(place, "张三")) for place in places)


def test_it_reads_only_the_lines_that_differ(dataset: Dataset, provider: Any, rows: Rows) -> None:
    landed(dataset, people(), actor=provider)

    batch = landed(dataset, people((3, "李四")), actor=provider)

    assert batch.details["same_lines"] == 5
    assert balance(batch) == {"changed": 1, "unchanged": 5}
    assert (IDENTITIES[3], "李四", 2) in rows(dataset, "identity_number", "name", "_batch")
    assert rows(dataset, "name", "_until_batch", past=True) == [("张三", 2)]


def test_a_snapshot_moves_what_the_earlier_file_alone_has(
    dataset: Dataset, provider: Any, rows: Rows
) -> None:
    landed(dataset, people(), actor=provider, mode="snapshot")

    batch = landed(dataset, people(places=[5, 1, 2, 3]), actor=provider, mode="snapshot")

    assert batch.details["same_lines"] == 4
    assert balance(batch) == {"unchanged": 4, "deleted": 2}
    assert sorted(rows(dataset, "identity_number")) == sorted(
        (IDENTITIES[place],) for place in (1, 2, 3, 5)
    )


def test_a_snapshot_is_read_whole_where_the_table_has_more_than_the_last_file(
    dataset: Dataset, provider: Any, rows: Rows
) -> None:
    landed(dataset, people(), actor=provider)
    landed(dataset, people((0, "李四"), places=range(5)), actor=provider)

    batch = landed(dataset, people(places=range(5)), actor=provider, mode="snapshot")

    assert "same_lines" not in batch.details
    assert balance(batch) == {"changed": 1, "unchanged": 4, "deleted": 1}
    assert len(rows(dataset, "1")) == 5


def test_numbers_and_lines_of_what_did_not_land_are_those_of_the_whole_file(
    dataset: Dataset, provider: Any, rows: Rows
) -> None:
    landed(dataset, people(), actor=provider)
    content = people().splitlines(keepends=True)
    content[3] = content[3].replace("1990-01-01", "1990-13-01")
    content[5] = content[5].replace(",甲", ",甲,乙")

    batch = landed(dataset, "".join(content), actor=provider)

    assert batch.details["same_lines"] == 4
    assert balance(batch) == {"unchanged": 4, "rejected": 2}
    found = list(batch.rejections.order_by("record_number").values("record_number", "line", "raw"))
    assert [(each["record_number"], each["line"]) for each in found] == [(3, 4), (5, 6)]
    assert [each["raw"] + "\n" for each in found] == [content[3], content[5]]
    assert len(rows(dataset, "1")) == 6


def test_a_key_repeated_beside_a_line_that_stayed_is_read_whole(
    dataset: Dataset, provider: Any, rows: Rows
) -> None:
    landed(dataset, people(), actor=provider)

    batch = landed(dataset, people() + person(2, "王五"), actor=provider)

    assert "same_lines" not in batch.details
    assert balance(batch) == {"changed": 1, "unchanged": 5, "duplicate": 1}
    assert (IDENTITIES[2], "王五") in rows(dataset, "identity_number", "name")


def test_another_contract_is_no_ground_for_comparing(dataset: Dataset, provider: Any) -> None:
    landed(dataset, people(), actor=provider)
    publish_contract(dataset)

    assert "same_lines" not in landed(dataset, people((1, "李四")), actor=provider).details


def test_the_same_file_read_in_another_encoding_is_not_the_same(
    dataset: Dataset, provider: Any, rows: Rows
) -> None:
    content = people().replace("张三", "中").replace("甲", "").encode("gb18030")
    garbled = landed(dataset, content, actor=provider, encoding="big5")
    assert garbled.landed == 6, garbled.message

    batch = landed(dataset, content, actor=provider, encoding="gb18030")

    assert (balance(batch), batch.details.get("same_lines")) == ({"changed": 6}, None)
    assert set(rows(dataset, "name")) == {("中",)}


def test_after_a_file_with_rejections_all_is_read(dataset: Dataset, provider: Any) -> None:
    bad = people((1, "李四")) + "not a number,,,,,\n"
    landed(dataset, bad, actor=provider)

    batch = landed(dataset, people(), actor=provider)

    assert "same_lines" not in batch.details
    assert balance(batch) == {"changed": 1, "unchanged": 5}


def test_what_normalising_changed_is_counted_in_the_whole_file(
    dataset: Dataset, provider: Any
) -> None:
    spaced = people().replace("张三", " 张三")
    first = landed(dataset, spaced, actor=provider)
    counted = list(first.normalisations.values_list("column", "count"))

    batch = landed(dataset, spaced.replace("1.50", "2.50", 1), actor=provider)

    assert batch.details["same_lines"] == 5
    assert counted == [("name", 6)]
    assert list(batch.normalisations.values_list("column", "count")) == counted


@pytest.mark.parametrize("mode", ["upsert", "snapshot", "append"])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("seed", range(2))
def test_it_lands_as_it_would_whole(
    seed: int,
    encoding: str,
    mode: str,
    provider: Any,
    provider_department: Any,
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [text.encode(encoding) for text in _nights(random.Random(seed))]
    outcomes = []
    for fewest in (1, 10**9):
        monkeypatch.setattr(since_last, "FEWEST_RECORDS", fewest)
        dataset = published(department=provider_department)
        batches = [landed(dataset, text, actor=provider, mode=mode) for text in texts]
        outcomes.append(
            (
                [(batch.status, balance(batch), _rejected(batch)) for batch in batches],
                sorted(rows(dataset, "identity_number", "name", "amount", "_batch", "_hash")),
                sorted(rows(dataset, "identity_number", "_until_batch", past=True)),
            )
        )
        if mode != "append":  # there every line comes anew
            compared = any("same_lines" in batch.details for batch in batches)
            assert compared == (fewest == 1)
    assert outcomes[0] == outcomes[1]


def _nights(chance: random.Random) -> Iterator[str]:
    """The same table on six nights: rows change, go, come back, are repeated, broken, quoted."""
    names = dict.fromkeys(IDENTITIES[:5], "张三")
    for _night in range(6):
        key = chance.choice(IDENTITIES)
        names[key] = chance.choice(["李四", "王五", '"赵六"', " 孙七", "张三"])
        if chance.random() < 0.4:
            names.pop(chance.choice(list(names)), None)
        lines = [f"{each},{name},1990-01-01,13800000000,1.50,甲\n" for each, name in names.items()]
        if chance.random() < 0.3:
            chance.shuffle(lines)
        if chance.random() < 0.3:
            lines.append(chance.choice(lines).replace("1.50", "2.50"))
        if chance.random() < 0.2:
            lines.append(chance.choice(lines).replace("1990-01-01", "1990-13-01"))
        if chance.random() < 0.2:
            lines.append("\n")
        yield HEADER + "".join(lines)


def _rejected(batch: Batch) -> list[tuple[Any, ...]]:
    return list(
        batch.rejections.order_by("record_number", "kind").values_list(
            "record_number", "line", "kind", "raw", "reasons"
        )
    )
