"""What each kind of rule finds on a small table, at first, after a batch, and after a change."""

from datetime import date, timedelta
from typing import Any

import pytest

from apps.catalog.models import Dataset
from apps.quality import operations as quality
from apps.quality.models import Finding, QualityRule, RuleResult
from tests.factories.quality import added, checked, person, persons, result
from tests.factories.standards import CodeListFactory
from tests.factories.warehouse import AT, IDENTITIES, column, landed, published

# kind, columns, parameters, lines that differ, rows it speaks of, rows that break it (places)
KINDS: list[Any] = [
    ("required", ["mobile"], {}, {1: {"mobile": ""}}, 4, [1]),
    ("length", ["name"], {"minimum": 2}, {2: {"name": "甲"}}, 4, [2]),
    ("length", ["name"], {"maximum": 3}, {2: {"name": "甲乙丙丁"}}, 4, [2]),
    ("type", ["name"], {"type": "I"}, {0: {"name": "7"}}, 4, [1, 2, 3]),
    (
        "code_list",
        ["grade"],
        {"codes": ["甲", "乙"]},
        {3: {"grade": "丙"}, 2: {"grade": ""}},
        3,
        [3],
    ),
    ("identifier", ["name"], {"check": "postcode"}, {0: {"name": "400015"}}, 4, [1, 2, 3]),
    ("range", ["amount"], {"maximum": "20"}, {1: {"amount": "20.01"}, 2: {"amount": ""}}, 3, [1]),
    ("range", ["born_on"], {"minimum": "1985-01-01"}, {0: {"born_on": "1984-12-31"}}, 4, [0]),
    ("pattern", ["mobile"], {"pattern": "138.*"}, {3: {"mobile": "13900000003"}}, 4, [3]),
    (
        "cross_column",
        [],
        {
            "when": [{"item": "grade", "operator": "eq", "value": "乙"}],
            "then": [{"item": "amount", "operator": "gte", "value": "5"}],
        },
        {0: {"grade": "乙", "amount": "4"}, 1: {"grade": "乙"}, 2: {"amount": "1"}},
        2,
        [0],
    ),
    (
        "cross_column",
        [],
        {"when": [], "then": [{"item": "name", "operator": "ne", "other": "grade"}]},
        {0: {"name": "甲"}, 1: {"grade": ""}},
        3,
        [0],
    ),
    (
        "cross_column",
        [],
        {
            "when": [{"item": "grade", "operator": "in", "value": ["甲", "乙"]}],
            "then": [{"item": "mobile", "operator": "is_null", "value": False}],
        },
        {0: {"mobile": ""}, 1: {"grade": "丙", "mobile": ""}},
        3,
        [0],
    ),
    ("unique", ["mobile"], {}, {1: {"mobile": "13800000000"}, 2: {"mobile": ""}}, 3, [0, 1]),
    (
        "unique",
        ["name", "grade"],
        {},
        {1: {"name": "人甲"}, 2: {"name": "人甲", "grade": "乙"}},
        4,
        [0, 1],
    ),
]


def _places(rule: QualityRule) -> list[int]:
    keys = Finding.objects.filter(rule=rule, status="open").values_list("key", flat=True)
    return sorted(IDENTITIES.index(key["identity_number"]) for key in keys)


@pytest.mark.parametrize(("kind", "columns", "parameters", "lines", "evaluated", "broken"), KINDS)
def test_a_rule_finds_exactly_the_rows_that_break_it(
    dataset: Dataset, provider: Any, kind: str, columns: Any, parameters: Any, lines: Any,
    evaluated: int, broken: list[int],
) -> None:  # fmt: skip
    landed(dataset, persons(*(person(n, **lines.get(n, {})) for n in range(4))), actor=provider)
    rule = added(dataset, kind, columns=columns, parameters=parameters, actor=provider)

    run = checked(dataset)

    assert result(rule, run) == (evaluated, len(broken), "")
    assert _places(rule) == broken

    # A batch that touches one other row is looked at alone, and the sums are the same.
    landed(dataset, persons(person(5, mobile="13855555555", name="新来人")), actor=provider)
    again = checked(dataset)
    wrong = {"type", "identifier"} & {kind}
    assert again.rows_read <= 1
    assert _places(rule) == ([*broken, 5] if wrong else broken)

    # Everything mended, one row removed: all findings are closed.
    landed(dataset, IDENTITY_ONLY + IDENTITIES[5] + "\n", actor=provider, mode="delete")
    sound = {"name": "400015"} if wrong else {}
    good = [person(n, **sound) for n in range(4)]
    landed(dataset, persons(*good), actor=provider)
    last = checked(dataset)
    assert result(rule, last)[1:] in {(0, ""), (None, "no_rows")}
    assert set(Finding.objects.filter(rule=rule).values_list("status", flat=True)) == {"fixed"}
    # What was reckoned from touched rows equals what is counted anew from all.
    reckoned = result(rule, last)
    RuleResult.objects.filter(rule=rule).update(rule_version=0)
    quality.ask_run(dataset=dataset, actor=provider, at=AT)
    assert result(rule, checked(dataset)) == reckoned


IDENTITY_ONLY = "身份证号\n"


def test_a_code_must_have_been_valid_on_the_row_s_day(dataset: Dataset, provider: Any) -> None:
    codes = CodeListFactory(code="grades")
    codes.entries.create(code="甲", name="甲", valid_to=date(1995, 1, 1))
    codes.entries.create(code="乙", name="乙", valid_from=date(1995, 1, 1))
    by_row = added(
        dataset, "reference_in_time", columns=["grade"], actor=provider,
        parameters={"code_list": "grades", "on": "born_on"},
    )  # fmt: skip
    today = added(
        dataset, "reference_in_time", columns=["grade"], actor=provider,
        parameters={"code_list": "grades"},
    )  # fmt: skip
    lines = (person(0), person(1, grade="乙"), person(2, grade="乙", born_on="1999-01-01"))
    landed(dataset, persons(*lines, person(3, grade="丙")), actor=provider)

    run = checked(dataset)

    assert result(by_row, run) == (4, 2, "")
    assert _places(by_row) == [1, 3]
    assert _places(today) == [0, 3]

    # A list that changed is a reason to look at every row again.
    codes.entries.create(code="丙", name="丙")
    quality.ask_run(dataset=dataset, actor=provider, at=AT)
    checked(dataset)
    assert _places(by_row) == [1]
    assert _places(today) == [0]


def test_a_row_must_have_its_counterpart_and_agree_with_it(
    dataset: Dataset, provider: Any, provider_department: Any
) -> None:
    other = published(
        column("number", "编号", length=20), column("title", "称呼"), department=provider_department
    )
    there = added(
        dataset, "cross_table", actor=provider, indicator="0402",
        parameters={"dataset": other.code, "match": {"mobile": "number"}},
    )  # fmt: skip
    alike = added(
        dataset, "cross_table", actor=provider, indicator="0401",
        parameters={
            "dataset": other.code, "match": {"mobile": "number"}, "same": {"name": "title"},
        },
    )  # fmt: skip
    landed(dataset, persons(*(person(n) for n in range(3))), actor=provider)
    run = checked(dataset)
    assert result(there, run) == (None, None, "no_counterpart")
    assert not Finding.objects.exists()

    landed(other, "编号,称呼\n13800000000,人甲\n13800000001,另一人\n", actor=provider)
    quality.check_due(at=AT)
    quality.ask_run(dataset=dataset, actor=provider, at=AT)
    run = checked(dataset)

    assert result(there, run) == (3, 1, "")
    assert _places(there) == [2]
    assert result(alike, run) == (2, 1, "")
    assert _places(alike) == [1]


def test_freshness_and_population_are_asked_of_the_table(dataset: Dataset, provider: Any) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(update_cycle="daily")
    dataset.refresh_from_db()
    fresh = added(dataset, "freshness", actor=provider, indicator="0502")
    full = added(
        dataset, "population", actor=provider, indicator="0202", parameters={"expected": 4}
    )
    unknown = added(dataset, "population", actor=provider, indicator="0202")
    landed(dataset, persons(*(person(n) for n in range(3))), actor=provider)

    run = checked(dataset)
    assert result(fresh, run) == (1, 0, "")
    assert result(full, run) == (4, 1, "")
    assert result(unknown, run) == (None, None, "no_expectation")

    later = AT + timedelta(days=400)
    assert quality.ask_scheduled(at=later) == 1
    assert quality.ask_scheduled(at=later) == 0
    assert result(fresh, checked(dataset, at=later)) == (1, 1, "")


def test_a_table_without_rows_is_not_evaluable(dataset: Dataset, provider: Any) -> None:
    rule = added(dataset, "required", columns=["mobile"], actor=provider)
    landed(dataset, persons(person(0, mobile="")), actor=provider)
    checked(dataset)
    assert _places(rule) == [0]

    landed(dataset, IDENTITY_ONLY + IDENTITIES[0] + "\n", actor=provider, mode="delete")

    assert result(rule, checked(dataset)) == (None, None, "no_rows")
    assert Finding.objects.get(rule=rule).outcome == "removed"


def test_a_changed_rule_looks_at_every_row_again(dataset: Dataset, provider: Any) -> None:
    rule = added(dataset, "length", columns=["name"], parameters={"minimum": 3}, actor=provider)
    landed(dataset, persons(*(person(n) for n in range(3))), actor=provider)
    checked(dataset)
    assert _places(rule) == [0, 1, 2]

    quality.change_rule(
        rule=rule, name=rule.name, columns=["name"], parameters={"maximum": 2}, actor=provider,
        indicator="0104", severity="warn", at=AT, version=1,
    )  # fmt: skip

    assert result(rule, checked(dataset)) == (3, 0, "")
    assert set(Finding.objects.values_list("outcome", flat=True)) == {"rule_changed"}
    assert rule.version == 2


def test_values_with_line_ends_and_quotes_are_read_whole(dataset: Dataset, provider: Any) -> None:
    rule = added(
        dataset, "pattern", columns=["name"], parameters={"pattern": "[^\\n]*"}, actor=provider
    )
    landed(dataset, persons(person(0, name='"一""\n二"'), person(1)), actor=provider)

    assert result(rule, checked(dataset)) == (2, 1, "")
    assert Finding.objects.get().values == {"name": '一"\n二'}
