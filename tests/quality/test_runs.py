"""Runs are asked for once, survive their workers, and score the day."""

from datetime import timedelta
from typing import Any

import pytest

from apps.catalog.models import Dataset
from apps.core.errors import Conflict, IllegalMove, InvalidInput, NotAllowed, StaleRevision
from apps.quality import operations as quality
from apps.quality.models import Finding, QualityRule, QualityRun, RuleResult, Score
from apps.quality.queries import profiles, runs, scores
from apps.quality.queries.rules import rule_states
from tests.factories.quality import added, checked, person, persons, result
from tests.factories.warehouse import AT, PERSON_COLUMNS, landed, publish_contract, published


def test_a_batch_is_asked_about_once(dataset: Dataset, provider: Any) -> None:
    first = landed(dataset, persons(person(0)), actor=provider)
    second = landed(dataset, persons(person(1)), actor=provider)
    # Of a dataset that was never looked at the last batch says it all.
    assert quality.ask_due(at=AT) == 1
    assert quality.ask_due(at=AT) == 0
    assert QualityRun.objects.get().batch == second != first

    third = landed(dataset, persons(person(2)), actor=provider)
    fourth = landed(dataset, persons(person(3)), actor=provider)
    assert quality.ask_due(at=AT) == 2
    assert {run.batch for run in QualityRun.objects.all()} == {second, third, fourth}
    landed(dataset, persons(person(3)), actor=provider)  # the same file again
    assert quality.ask_due(at=AT) == 0


def test_a_run_whose_worker_died_is_taken_up_again(dataset: Dataset, provider: Any) -> None:
    rule = added(dataset, "required", columns=["mobile"], actor=provider)
    landed(dataset, persons(person(0, mobile="")), actor=provider)
    quality.ask_due(at=AT)
    # A worker took it and died before anything was committed.
    run = QualityRun.objects.get(trigger="batch")
    QualityRun.objects.filter(pk=run.pk).update(
        status="running", revision=2, attempts=1, heartbeat_at=AT, started_at=AT
    )
    soon = AT + timedelta(seconds=90)
    assert not runs.due(soon).exists()
    with pytest.raises(IllegalMove):
        quality.check(run_id=run.pk, at=soon)

    later = AT + timedelta(minutes=3)
    assert quality.check_due(at=later) >= 1

    run.refresh_from_db()
    assert (run.status, run.attempts) == ("done", 2)
    assert result(rule, run) == (1, 1, "")
    assert Finding.objects.filter(rule=rule).count() == 1
    # Made once more it would say the same: nothing is doubled.
    assert quality.check(run_id=run.pk, at=later).status == "done"
    assert RuleResult.objects.filter(run=run, rule=rule).count() == 1


def test_a_run_that_kills_its_workers_is_given_up(dataset: Dataset, provider: Any) -> None:
    landed(dataset, persons(person(0)), actor=provider)
    quality.ask_due(at=AT)
    QualityRun.objects.update(status="running", attempts=3, heartbeat_at=AT)
    run = QualityRun.objects.get()
    quality.check_due(at=AT + timedelta(minutes=3))
    run.refresh_from_db()
    assert (run.status, bool(run.message), run.results.count()) == ("failed", True, 0)


def test_what_another_worker_took_over_is_not_finished_by_the_first(
    dataset: Dataset, provider: Any
) -> None:
    landed(dataset, persons(person(0)), actor=provider)
    quality.ask_due(at=AT)
    run = QualityRun.objects.get()
    QualityRun.objects.filter(pk=run.pk).update(status="running", heartbeat_at=AT)
    mine = QualityRun.objects.select_related("dataset__department", "batch").get(pk=run.pk)
    QualityRun.objects.filter(pk=run.pk).update(revision=7)
    with pytest.raises(StaleRevision):
        quality.check_dataset(mine, AT)
    assert not RuleResult.objects.exists()
    assert not Score.objects.exists()


def test_the_contract_s_rules_are_kept_in_step(dataset: Dataset, provider: Any) -> None:
    landed(dataset, persons(person(0)), actor=provider)
    checked(dataset)
    rules = QualityRule.objects.filter(dataset=dataset, origin="contract", is_active=True)
    assert set(rules.values_list("code", flat=True)) >= {
        "required", "too_long", "invalid_identity_number", "invalid_mobile", "not_a_date",
        "not_in_codes", "below_minimum", "structure", "file_duplicate", "dirty",
    }  # fmt: skip
    assert quality.synchronise(dataset=dataset, at=AT) == 0

    shorter = [one for one in PERSON_COLUMNS if one.name != "mobile"]
    publish_contract(dataset, *shorter)
    assert quality.synchronise(dataset=dataset, at=AT) == 1
    gone = QualityRule.objects.get(dataset=dataset, code="invalid_mobile")
    assert (gone.is_active, gone.history.count()) == (False, 2)


def test_scores_are_of_what_could_be_evaluated(dataset: Dataset, provider: Any) -> None:
    """One of two records lacks its grade; the file doubles a key; one of three is dirty."""
    added(dataset, "required", columns=["grade"], indicator="0201", actor=provider)
    lines = (person(0), person(0), person(1, grade=""), person(2, amount="x"))
    landed(dataset, persons(*lines), actor=provider)
    checked(dataset)

    by_code = {row.indicator: row for row in Score.objects.filter(dataset=dataset)}
    assert (by_code["0303"].numerator, by_code["0303"].denominator) == (3, 4)
    assert (by_code["0305"].numerator, by_code["0305"].denominator) == (3, 4)
    # 0201: required identity number and name of four records each, grade of two rows.
    assert (by_code["0201"].numerator, by_code["0201"].denominator) == (9, 10)
    standing = scores.standing_of_dataset(dataset, AT.date())
    assert standing is not None
    by_dimension = {one.dimension.value: one.ratio for one in standing.dimensions}
    assert by_dimension["02"] == 0.9
    assert by_dimension["04"] is None
    assert by_dimension["06"] is None
    assert standing.ratio is not None
    assert 0 < standing.ratio < 1
    assert scores.standings_by_department(AT.date())[dataset.department_id].ratio == standing.ratio
    store = dataset.data_table.store
    assert scores.standing_of_store(store, AT.date()).ratio == standing.ratio

    # The next night every dataset is scored again, though nothing happened.
    assert quality.record_scores(at=AT + timedelta(days=1)) == len(by_code)
    series = scores.history_of_dataset(dataset, on=(AT + timedelta(days=1)).date())
    assert [one.ratio for one in series] == [standing.ratio, standing.ratio]
    states = {state.rule.code: state for state in rule_states(dataset)}
    assert states["dirty"].failed == 1


def test_weights_sum_to_one_and_hold_from_their_day(authority: Any, provider: Any) -> None:
    given = {"01": "0.5", "02": "0.1", "03": "0.1", "04": "0.1", "05": "0.1", "06": "0.1"}
    day = (AT + timedelta(days=10)).date()
    with pytest.raises(InvalidInput):
        quality.set_weights(
            valid_from=day, weights={**given, "01": "0.6"}, source="文", actor=authority, at=AT
        )
    with pytest.raises(NotAllowed):
        quality.set_weights(valid_from=day, weights=given, source="文", actor=provider, at=AT)
    quality.set_weights(valid_from=day, weights=given, source="文", actor=authority, at=AT)
    assert float(scores.weights_on(day)["01"]) == 0.5
    assert scores.weights_on(AT.date()) == scores.HOUSE_WEIGHTS


def test_columns_are_drawn_and_personal_values_withheld(dataset: Dataset, provider: Any) -> None:
    lines = (person(0), person(1, grade="乙"), person(2, born_on=""))
    landed(dataset, persons(*lines), actor=provider)
    checked(dataset)
    assert quality.profile_due(at=AT) == 1
    assert quality.profile_due(at=AT) == 0
    drawn = {one.column: one for one in profiles.profile_of(dataset)}
    grade = drawn["grade"]
    assert (grade.rows, grade.filled, grade.distinct, grade.is_distinct_approximate) == (
        3, 3, 2, False,
    )  # fmt: skip
    assert grade.top_values == [{"value": "甲", "count": 2}, {"value": "乙", "count": 1}]
    assert grade.patterns == [{"shape": "字", "count": 3}]
    born = drawn["born_on"]
    assert (born.filled, born.minimum, born.shortest, born.longest) == (2, "1990-01-01", 10, 10)
    mobile = drawn["mobile"]
    assert (mobile.is_withheld, mobile.top_values, mobile.minimum) == (True, [], "")
    assert mobile.patterns == [{"shape": "99999999999", "count": 3}]


BAD = [
    ("type", ["amount"], {"type": "D"}, "warn"),
    ("code_list", ["grade"], {"code_list": "nowhere"}, "warn"),
    ("pattern", ["name"], {"pattern": "(?=x)"}, "warn"),  # Python knows it, the engine does not
    ("pattern", ["name"], {"pattern": "("}, "warn"),
    ("range", ["name"], {"minimum": "1"}, "warn"),
    ("range", ["amount"], {}, "warn"),
    ("range", ["amount"], {"minimum": "1; DROP TABLE"}, "warn"),
    ("identifier", ["name"], {"check": "nonsense"}, "warn"),
    ("required", ["nowhere"], {}, "warn"),
    ("unique", [], {}, "warn"),
    ("unique", ["name"], {}, "reject"),
    ("dirty", [], {}, "warn"),
    ("population", [], {"expected": "0"}, "warn"),
    ("cross_column", [], {"then": []}, "warn"),
    ("cross_column", [], {"then": [{"item": "name", "operator": "lt", "other": "amount"}]}, "warn"),
    ("cross_column", [], {"then": [{"item": "name", "operator": "or", "value": "1"}]}, "warn"),
    ("cross_table", [], {"dataset": "307001001/1", "match": {"name": "x"}}, "warn"),
]


@pytest.mark.parametrize(("kind", "columns", "parameters", "severity"), BAD)
def test_what_can_be_no_rule_is_refused(
    dataset: Dataset, provider: Any, kind: str, columns: Any, parameters: Any, severity: str
) -> None:
    with pytest.raises(InvalidInput):
        added(dataset, kind, columns=columns, parameters=parameters, severity=severity,
              actor=provider)  # fmt: skip
    assert not QualityRule.objects.exists()


def test_a_provider_looks_into_no_other_department_s_table(
    dataset: Dataset, provider: Any, authority: Any, consumer_department: Any
) -> None:
    """Whether another department's table has a row is that table's data."""
    other = published(department=consumer_department)
    facts = {"parameters": {"dataset": other.code, "match": {"name": "name"}}}
    with pytest.raises(InvalidInput):
        added(dataset, "cross_table", actor=provider, **facts)
    assert not QualityRule.objects.exists()
    assert added(dataset, "cross_table", actor=authority, **facts).owner == dataset.department


def test_names_are_once_a_dataset_and_stale_pages_are_refused(
    dataset: Dataset, provider: Any
) -> None:
    rule = added(dataset, "required", name="手机必填", columns=["mobile"], actor=provider)
    with pytest.raises(Conflict):
        added(dataset, "required", name="手机必填", columns=["name"], actor=provider)
    with pytest.raises(StaleRevision):
        quality.retire_rule(rule=rule, reason="不用", actor=provider, at=AT, version=9)
    assert QualityRule.objects.get().is_active
