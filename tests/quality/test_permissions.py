"""Who may do what with the quality of data: cast × action, on a dataset of the provider's."""

from typing import Any

import pytest

from apps.catalog.models import Dataset
from apps.core import access
from apps.quality.models import (
    ColumnProfile,
    DimensionWeights,
    Finding,
    QualityRule,
    QualityRun,
    RuleResult,
    Score,
    WorkOrder,
)
from tests.factories.quality import added, checked, person, persons
from tests.factories.warehouse import AT, landed

PROVIDERS = {"provider", "provider_head"}
OVERSEERS = {"authority", "authority_leader", "auditor"}

# (model, action) → who may, of the cast.
MATRIX: dict[tuple[str, str], set[str]] = {
    ("dataset", "view_quality"): PROVIDERS | OVERSEERS,
    ("dataset", "add_quality_rule"): {"provider", "authority"},
    ("dataset", "check_quality"): {"provider", "authority"},
    ("rule", "view"): PROVIDERS | OVERSEERS,
    ("rule", "change"): {"provider", "authority"},
    ("rule", "retire"): {"provider", "authority"},
    ("rule", "restore"): {"provider", "authority"},
    ("contract_rule", "view"): PROVIDERS | OVERSEERS,
    ("contract_rule", "change"): set(),
    ("contract_rule", "retire"): set(),
    ("contract_rule", "restore"): set(),
    ("run", "view"): PROVIDERS | OVERSEERS,
    ("run", "check"): set(),
    ("run", "finish"): set(),
    ("run", "fail"): set(),
    ("result", "view"): PROVIDERS | OVERSEERS,
    ("score", "view"): PROVIDERS | OVERSEERS,
    ("profile", "view"): PROVIDERS,
    ("order", "view"): PROVIDERS | OVERSEERS,
    ("order", "view_findings"): PROVIDERS,
    ("order", "acknowledge"): PROVIDERS,
    ("order", "accept"): {"provider_head"},
    ("order", "contest"): {"authority"},
    ("order", "let_stand"): {"authority"},
    ("order", "close"): set(),
    ("order", "cancel"): set(),
    ("finding", "view"): PROVIDERS,
    ("finding", "accept"): {"provider_head"},
    **{("finding", move): set() for move in ("fix", "reopen", "void", "contest", "let_stand")},
}


@pytest.fixture
def subjects(dataset: Dataset, provider: Any) -> dict[str, Any]:
    rule = added(dataset, "required", columns=["mobile"], actor=provider)
    landed(dataset, persons(person(0, mobile=""), person(1)), actor=provider)
    run = checked(dataset)
    profile = ColumnProfile.objects.create(
        run=run,
        position=1,
        column="name",
        label="姓名",
        data_type="C",
        rows=2,
        filled=2,
        distinct=2,
    )
    return {
        "dataset": dataset,
        "rule": rule,
        "contract_rule": QualityRule.objects.filter(origin="contract").first(),
        "run": run,
        "result": RuleResult.objects.filter(run=run, rule=rule).first(),
        "score": Score.objects.filter(dataset=dataset).first(),
        "profile": profile,
        "order": WorkOrder.objects.get(rule=rule),
        "finding": Finding.objects.get(rule=rule),
    }


def test_each_of_the_cast_may_do_what_the_matrix_says(
    cast: dict[str, Any], subjects: dict[str, Any]
) -> None:
    found = {
        (subject, action): {
            name
            for name, actor in cast.items()
            if access.allowed(actor, action, subjects[subject], at=AT)
        }
        for subject, action in MATRIX
    }
    assert found == MATRIX


def test_the_matrix_names_every_action() -> None:
    models = (QualityRule, QualityRun, RuleResult, Score, ColumnProfile, WorkOrder, Finding)
    known = {(model.__name__, action) for model in models for action in access.actions_of(model)}
    named = {
        "rule": "QualityRule", "run": "QualityRun", "result": "RuleResult", "score": "Score",
        "profile": "ColumnProfile", "order": "WorkOrder", "finding": "Finding",
    }  # fmt: skip
    said = {(named[subject], action) for subject, action in MATRIX if subject in named}
    assert said == known


def test_only_the_authority_weighs(cast: dict[str, Any]) -> None:
    may = {name for name, actor in cast.items() if access.able(actor, "set", DimensionWeights)}
    assert may == {"authority"}
