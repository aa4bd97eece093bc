"""Judge the rows of a spreadsheet of duties in law or service items: what each would do.

Nothing is changed here; the same verdicts are drawn for the dry run and for the adoption.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Model
from django.utils.translation import gettext as _

from apps.accounts.models import Department
from apps.catalog.models import LegalDuty, LegalDutyKind, ServiceItem
from apps.core.workbooks.tables import TableRow, day_of

HEADINGS: Final[dict[str, Sequence[str]]] = {
    "code": ("事项编码", "编码", "权责事项编码", "权力编码", "实施编码", "事项代码", "基本编码"),
    "name": ("事项名称", "名称", "权责事项名称", "权力名称", "职权名称"),
    "kind": ("事项类别", "类别", "权力类型", "事项类型", "职权类别", "权责类别"),
    "basis": ("设定依据", "依据", "法律依据", "实施依据"),
    "department": ("实施部门", "部门", "实施主体", "责任部门", "实施机关"),
    "legal_duty": ("权责清单事项编码", "对应权责事项编码", "权责编码", "权责清单编码"),
    "valid_from": ("生效日期", "实施日期"),
    "valid_to": ("失效日期", "废止日期"),
}
FIELDS: Final[dict[type[Model], tuple[str, ...]]] = {
    LegalDuty: ("name", "kind", "basis", "department", "valid_from", "valid_to"),
    ServiceItem: ("name", "department", "legal_duty", "valid_from", "valid_to"),
}
NEEDED: Final[dict[type[Model], tuple[str, ...]]] = {
    LegalDuty: ("code", "name", "kind", "department"),
    ServiceItem: ("code", "name", "department"),
}
LONGEST: Final = {"code": 60, "name": 200}


@dataclass(frozen=True)
class Fault:
    """What is wrong in a cell, and what to do."""

    cell: str
    message: str


@dataclass
class Verdict:
    """What a row would do: "new", "changed", "same", or "fault" with its faults."""

    row: int
    code: str
    name: str
    outcome: str = "new"
    faults: list[Fault] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)


class Judge:
    """Knows the departments and the rows there are, and what the uploader may bring in.

    only_department: the one whose rows he may bring in; None for any.
    """

    def __init__(self, model: type[Any], only_department: Department | None) -> None:
        self.model = model
        self.only = only_department
        self.departments = _by_name()
        self.present = {row.code: row for row in model.objects.select_related("department")}
        self.duties = dict(LegalDuty.objects.values_list("code", "pk"))
        self.first_row: dict[str, int] = {}

    def verdict(self, row: TableRow) -> Verdict:
        """Return what this row would do."""
        found = Verdict(row.number, row.values.get("code", ""), row.values.get("name", ""))
        self._code(row, found)
        self._name(row, found)
        if self.model is LegalDuty:
            self._kind(row, found)
            found.values["basis"] = row.values.get("basis", "")
        else:
            self._legal_duty(row, found)
        self._department(row, found)
        self._days(row, found)
        if found.faults:
            found.outcome = "fault"
        else:
            self._compare(row, found)
        return found

    def _code(self, row: TableRow, found: Verdict) -> None:
        code = found.code
        if not code or any(mark.isspace() for mark in code):
            self._fault(row, found, "code", _("事项编码不能留空，也不能有空格"))
        elif len(code) > LONGEST["code"]:
            self._fault(row, found, "code", _("事项编码超过 60 个字符"))
        elif code in self.first_row:
            words = _("编码与第 %(row)s 行重复；一个编码只写一行") % {"row": self.first_row[code]}
            self._fault(row, found, "code", words)
        self.first_row.setdefault(code, row.number)

    def _name(self, row: TableRow, found: Verdict) -> None:
        if not found.name:
            self._fault(row, found, "name", _("事项名称不能留空"))
        elif len(found.name) > LONGEST["name"]:
            self._fault(row, found, "name", _("事项名称超过 200 个字"))
        found.values["name"] = found.name

    def _kind(self, row: TableRow, found: Verdict) -> None:
        text = row.values.get("kind", "")
        kinds = {str(label): value for value, label in LegalDutyKind.choices}
        kinds |= {label.removeprefix("行政"): value for label, value in kinds.items()}
        kinds |= {"其他": "other", "其他权力": "other", "其他类别": "other"}
        if text not in kinds:
            words = _("没有“%(kind)s”这个类别，可用的有：%(kinds)s") % {
                "kind": text[:20],
                "kinds": "、".join(str(label) for label in LegalDutyKind.labels),
            }
            self._fault(row, found, "kind", words)
        found.values["kind"] = kinds.get(text, "")

    def _legal_duty(self, row: TableRow, found: Verdict) -> None:
        code = row.values.get("legal_duty", "")
        if code and code not in self.duties:
            words = _("没有编码为 %(code)s 的权责清单事项；先导入权责清单，或者留空")
            self._fault(row, found, "legal_duty", words % {"code": code[:60]})
        found.values["legal_duty_id"] = self.duties.get(code)

    def _department(self, row: TableRow, found: Verdict) -> None:
        text = row.values.get("department", "")
        department = self.departments.get(text)
        if department is None:
            words = _("没有“%(name)s”这个部门；写部门全称、简称、编码或统一社会信用代码")
            self._fault(row, found, "department", words % {"name": text[:40]})
            return
        before = self.present.get(found.code)
        foreign = before is not None and self.only and before.department_id != self.only.pk
        if self.only and (department.pk != self.only.pk or foreign):
            words = _("“%(name)s”不是本部门；只能导入本部门的事项")
            owner = before.department if foreign and before else department
            self._fault(row, found, "department", words % {"name": owner})
        found.values["department_id"] = department.pk

    def _days(self, row: TableRow, found: Verdict) -> None:
        days = {}
        for name in ("valid_from", "valid_to"):
            try:
                days[name] = day_of(row.values.get(name, ""))
            except ValueError:
                words = _("“%(day)s”不是日期，写成 2026-01-01")
                self._fault(row, found, name, words % {"day": row.values[name][:20]})
                days[name] = None
        begin, end = days["valid_from"], days["valid_to"]
        if begin and end and end <= begin:
            self._fault(row, found, "valid_to", _("失效日期应晚于生效日期"))
        found.values |= days

    def _compare(self, row: TableRow, found: Verdict) -> None:
        """A column that the file does not have leaves the field alone."""
        before = self.present.get(found.code)
        given = {
            name: value
            for name, value in found.values.items()
            if name.removesuffix("_id") in row.values
        }
        if before is None:
            found.outcome = "new"
            return
        found.values = {**{name: getattr(before, name) for name in found.values}, **given}
        found.changed = [
            str(self.model._meta.get_field(name.removesuffix("_id")).verbose_name)
            for name, value in given.items()
            if getattr(before, name) != value
        ]
        found.outcome = "changed" if found.changed else "same"

    def _fault(self, row: TableRow, found: Verdict, name: str, message: str) -> None:
        found.faults.append(Fault(row.cells.get(name, str(row.number)), message))


def judge(
    model: type[Any], rows: Iterable[TableRow], only_department: Department | None
) -> list[Verdict]:
    """Return the verdict on every row, in their order; a fixed number of statements."""
    knows = Judge(model, only_department)
    return [knows.verdict(row) for row in rows]


def headings_of(model: type[Any]) -> Mapping[str, Sequence[str]]:
    """Return the headings of the columns that this kind of row has."""
    return {name: HEADINGS[name] for name in ("code", *FIELDS[model])}


def _by_name() -> dict[str, Department]:
    found: dict[str, Department] = {}
    for department in Department.objects.filter(valid_to=None).order_by("-code"):
        for name in (department.uscc, department.short_name, department.name, department.code):
            if name:
                found[name] = department
    return found
