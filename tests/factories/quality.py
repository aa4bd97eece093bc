"""Rules added by the real operation, and runs made by it."""

from datetime import datetime
from typing import Any

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.quality import operations as quality
from apps.quality.models import QualityRule, QualityRun, RuleResult
from tests.factories.warehouse import AT, IDENTITIES

HEADER = "身份证号,姓名,出生日期,手机号,金额,等级\n"


def person(place: int, **facts: str) -> str:
    """A line of the persons' table; sound unless told."""
    values = {
        "identity_number": IDENTITIES[place],
        "name": f"人{'甲乙丙丁戊己'[place]}",
        "born_on": "1990-01-01",
        "mobile": f"1380000000{place}",
        "amount": "10.00",
        "grade": "甲",
        **facts,
    }
    return ",".join(values.values()) + "\n"


def persons(*lines: str) -> str:
    return HEADER + "".join(lines)


def added(dataset: Dataset, kind: str, *, actor: User, **facts: Any) -> QualityRule:
    """A rule added to a dataset."""
    given = {
        "name": f"规则{QualityRule.objects.count()}",
        "columns": [],
        "parameters": {},
        "indicator": "0104",
        "severity": "warn",
        **facts,
    }
    return quality.add_rule(dataset=dataset, kind=kind, actor=actor, at=AT, **given)


def checked(dataset: Dataset, *, at: datetime = AT) -> QualityRun:
    """Everything that is due is checked; the dataset's last run."""
    quality.check_due(at=at)
    run = QualityRun.objects.filter(dataset=dataset).latest("pk")
    assert run.status == "done", (run.status, run.message)
    return run


def result(rule: QualityRule, run: QualityRun, basis: str = "landed") -> tuple[Any, Any, str]:
    found = RuleResult.objects.get(rule=rule, run=run, basis=basis)
    return found.evaluated, found.failed, found.not_evaluable
