"""Checking a landed table by nine rules, against a bare COPY of its file into the same table."""

from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from django.conf import settings

from apps.catalog import queries as catalog
from apps.quality import operations as quality
from apps.quality.models import QualityRun, RuleResult
from apps.standards.checks import USCC_ALPHABET
from apps.standards.models import CodeList
from tests.benchmarks.harness import Measurement, claim, timed
from tests.benchmarks.test_landing import (
    AT,
    ROWS,
    _bare_copy,
    _land_alone,
    _receive,
    write_file,
)
from tests.benchmarks.test_landing import (
    COLUMNS as LANDED,
)
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.clocks import install_policies
from tests.factories.standards import CodeListFactory
from tests.factories.warehouse import column, published

ROUNDS = 3
_WEIGHTS = tuple(3**place % 31 for place in range(17))  # GB 32100-2015

# The landing bench's ten columns, an organisation in place of the mobile, with nothing promised:
# all that is asked is asked afterwards.
COLUMNS = (
    column("serial", "编号", length=20, required=True),
    column("identity_number", "身份证号", length=18),
    column("name", "姓名", length=50),
    column("born_on", "出生日期", "D"),
    column("uscc", "统一社会信用代码"),
    column("division_code", "行政区划"),
    column("amount", "金额", "Y", length=18, scale=2),
    column("longitude", "经度", "B"),
    column("grade", "等级"),
    column("note", "备注", length=200),
)
# Two check digits and another identifier, a uniqueness and a reference list among them. About one
# row in a hundred breaks the range, and one in three hundred the relation of two columns.
RULES: tuple[tuple[str, list[str], dict[str, Any]], ...] = (
    ("identifier", ["identity_number"], {"check": "identity_number"}),
    ("identifier", ["division_code"], {"check": "division_code"}),
    ("identifier", ["uscc"], {"check": "uscc"}),
    ("code_list", ["grade"], {"code_list": "bench-grades"}),
    ("pattern", ["serial"], {"pattern": "P[0-9]{8}"}),
    ("range", ["amount"], {"minimum": "0", "maximum": "99000"}),
    ("unique", ["identity_number", "name"], {}),
    (
        "cross_column",
        [],
        {
            "when": [{"item": "grade", "operator": "eq", "value": "甲"}],
            "then": [{"item": "amount", "operator": "gte", "value": "100"}],
        },
    ),
    ("required", ["note"], {}),
)


@claim("quality.check_landed", target="<= 1.0")
def check_landed() -> Measurement:
    """Nine checks of a million rows, findings kept; medians of alternating rounds."""
    path = Path(settings.HUILIU_HOME) / "checked.csv"
    _write_file(path)
    dataset, actor = _scene()
    _land_alone(_receive(dataset, actor, path))
    quality.check_due(at=AT)  # what the contract asks of the file
    theirs, ours = [], []
    for _round in range(ROUNDS):
        theirs.append(_bare_copy(path, catalog.contract_of(dataset), indexes=True))
        RuleResult.objects.update(rule_version=0)  # so that every row is looked at again
        ours.append(_check(dataset, actor))
    run = QualityRun.objects.latest("pk")
    return Measurement(
        median(ours) / median(theirs),
        {
            "rows": ROWS,
            "rounds": ROUNDS,
            "rules": len(RULES),
            "findings": sum(found or 0 for found in run.results.values_list("failed", flat=True)),
            "seconds": round(median(ours), 2),
            "copy_seconds": round(median(theirs), 2),
        },
    )


@claim("quality.check_increment", target="<= 0.1")
def check_increment() -> Measurement:
    """The same nine checks after a batch that changes one row in a hundred, against the same."""
    first = Path(settings.HUILIU_HOME) / "checked.csv"
    second = Path(settings.HUILIU_HOME) / "changed.csv"
    _write_file(first)
    _write_file(second, changed=ROWS // 100)
    dataset, actor = _scene()
    _land_alone(_receive(dataset, actor, first))
    quality.check_due(at=AT)
    whole = QualityRun.objects.filter(dataset=dataset).latest("pk")
    theirs = _bare_copy(second, catalog.contract_of(dataset), indexes=True)
    _land_alone(_receive(dataset, actor, second))
    seconds = timed(lambda: quality.check_due(at=AT + timedelta(minutes=1)))
    run = QualityRun.objects.filter(dataset=dataset).latest("pk")
    if run.pk == whole.pk or run.status != "done":
        raise RuntimeError(run.message)
    return Measurement(
        seconds / theirs,
        {
            "rows_read": run.rows_read,
            "rows_read_at_first": whole.rows_read,
            "seconds": round(seconds, 2),
            "copy_seconds": round(theirs, 2),
        },
    )


def _write_file(path: Path, *, changed: int = 0) -> None:
    """Write the landing bench's file with a credit code in place of each mobile."""
    whole = path.with_suffix(".whole")
    write_file(whole, changed=changed)
    mobile = [item.name for item in LANDED].index("mobile")
    with whole.open(encoding="utf-8") as lines, path.open("w", encoding="utf-8") as file:
        file.write(next(lines).replace("mobile", "uscc"))
        for place, line in enumerate(lines):
            cells = line.split(",")
            cells[mobile] = _credit_code(place)
            file.write(",".join(cells))
    whole.unlink()


def _credit_code(place: int) -> str:
    body = f"91500103MA{place:07d}"
    total = sum(
        weight * USCC_ALPHABET.index(sign) for weight, sign in zip(_WEIGHTS, body, strict=True)
    )
    return body + USCC_ALPHABET[(31 - total % 31) % 31]


def _scene() -> tuple[Any, Any]:
    install_policies()
    department = DepartmentFactory()
    actor = UserFactory(department=department, roles=["department_editor"])
    dataset = published(*COLUMNS, department=department)
    if not CodeList.objects.filter(code="bench-grades").exists():
        CodeListFactory(code="bench-grades", codes={"甲": "甲", "乙": "乙", "丙": "丙"})
    for place, (kind, columns, parameters) in enumerate(RULES):
        quality.add_rule(
            dataset=dataset, kind=kind, name=f"检查{place}", columns=columns, actor=actor, at=AT,
            parameters=parameters, indicator="0104", severity="warn",
        )  # fmt: skip
    return dataset, actor


def _check(dataset: Any, actor: Any) -> float:
    quality.ask_run(dataset=dataset, actor=actor, at=AT)
    seconds = timed(lambda: quality.check_due(at=AT))
    run = QualityRun.objects.filter(dataset=dataset).latest("pk")
    if run.status != "done":
        raise RuntimeError(run.message)
    return seconds
