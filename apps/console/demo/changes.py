"""Changes of published entries on their way, withdrawals, and a spreadsheet that a clerk brought.

Every step is the operation behind a screen; the spreadsheet has the faults that departments really
make, and waits with its verdicts.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Department, User
from apps.catalog import operations as catalog
from apps.catalog import queries
from apps.catalog.models import CatalogImport, Dataset, DatasetChange, TriggerKind
from apps.catalog.operations.checking import check_import
from apps.catalog.operations.proposing import Trigger
from apps.catalog.proposals import plain_items
from apps.console.demo.city import datasets
from apps.console.demo.people import clerk_and_head
from apps.console.demo.writing import assess, morning, write_entry


@dataclass(frozen=True)
class Plan:
    """A change of the entry `days` ago, brought to `until`: fields, and an item that it adds.

    adds: the item's name, column and definition.
    """

    dataset: str
    until: str
    days: int
    reason: str
    fields: dict[str, Any] = field(default_factory=dict)
    adds: tuple[str, str, str] | None = None
    occasion: str = ""


CHANGES: Final = (
    Plan("婚姻登记基本信息", "draft", 2, "更换联系人", {"contact_name": "吴倩"}),
    Plan(
        "殡葬服务基本信息",
        "awaiting_head",
        1,
        "补充摘要，说明数据范围",
        {"abstract": "全市殡葬服务机构的名称、地址、服务范围和联系方式，供群众查询和部门监管。"},
    ),
    Plan(
        "最低生活保障对象基本信息",
        "submitted",
        1,
        "低保审核权限下放到镇街，增加审核镇街",
        adds=("审核镇街", "reviewing_street", "审核低保申请的乡镇人民政府或者街道办事处"),
        occasion=TriggerKind.FUNCTION,
    ),
    Plan("社会组织基本信息", "submitted", 2, "联系电话变更", {"contact_phone": "023-89188000"}),
    Plan("慈善组织基本信息", "submitted", 2, "主题标签补充", {"themes": ["慈善组织", "社会救助"]}),
    Plan("地名基本信息", "submitted", 3, "内设机构调整", {"internal_unit": "区划地名处"}),
    Plan(
        "特困人员基本信息",
        "returned",
        8,
        "改为每季度更新",
        {"update_cycle": "quarterly"},
    ),
    Plan(
        "企业登记基本信息",
        "applied",
        30,
        "《市场主体登记管理条例实施细则》修订，登记事项增加",
        adds=("受益所有人备案状态", "beneficial_owner_status", "受益所有人信息的备案情况"),
        occasion=TriggerKind.STATUTE,
    ),
    Plan("旅行社基本信息", "applied", 45, "联系人变更", {"contact_name": "彭瑶"}),
    Plan("公证基本信息", "abandoned", 14, "拟改为不定期更新", {"update_cycle": "irregular"}),
)
# the entry whose shape it has, its own name, whether the authority has consented
WITHDRAWALS: Final = (
    ("留守儿童基本信息", "留守儿童探访登记表", False),
    ("临时救助基本信息", "临时救助纸质材料登记", True),
)
SHEET: Final = "民政局2026年目录补报（第二稿）.csv"
HEADINGS: Final = (
    "信息资源分类(类)",
    "信息资源分类(项)",
    "信息资源分类(目)",
    "信息资源名称",
    "信息资源提供方",
    "信息资源摘要",
    "信息资源格式分类",
    "信息资源格式类型",
    "信息项名称",
    "数据类型",
    "数据长度",
    "共享类型",
    "共享条件",
    "共享方式分类",
    "共享方式类型",
    "是否向社会开放",
    "更新周期",
    "不含国家秘密和工作秘密",
)


def load_changes(*, at: datetime) -> int:
    """Bring every planned change that is not there yet on its way; return how many there are."""
    for plan in sorted(CHANGES, key=lambda plan: -plan.days):
        dataset = Dataset.objects.published().select_related("department").get(name=plan.dataset)
        if not DatasetChange.objects.filter(dataset=dataset).exists():
            with transaction.atomic():
                _play(plan, dataset, at)
    for shape, name, is_out in WITHDRAWALS:
        if not Dataset.objects.filter(name=name).exists():
            with transaction.atomic():
                _withdraw(shape, name, at, is_out=is_out)
    _bring_sheet(at)
    return DatasetChange.objects.count()


def _play(plan: Plan, dataset: Dataset, at: datetime) -> None:
    clerk, head = clerk_and_head(dataset.department)
    officer = User.objects.get(username="authority")
    begun = morning(at, plan.days)
    change = catalog.begin_change(
        dataset=dataset,
        actor=clerk,
        at=begun,
        reason=plan.reason,
        fields=plan.fields,
        items=_with_item(dataset, plan.adds),
        trigger=_occasion(plan, begun),
    )
    if plan.until == "draft":
        return
    if plan.until == "abandoned":
        catalog.abandon_change(change=change, actor=clerk, at=begun, reason="经研究维持原周期")
        return
    catalog.submit_change(change=change, actor=clerk, at=begun + timedelta(minutes=50))
    if plan.until == "awaiting_head":
        return
    catalog.approve_change(change=change, actor=head, at=begun + timedelta(hours=5))
    if plan.until == "returned":
        _remark(change, officer, begun + timedelta(days=1))
        catalog.send_back_change(
            change=change,
            actor=officer,
            at=begun + timedelta(days=1),
            reason="更新周期不得长于业务发生的频率，请保持每月更新或说明理由。",
        )
    elif plan.until == "applied":
        catalog.publish_change(change=change, actor=officer, at=begun + timedelta(days=1))


def _remark(change: DatasetChange, officer: User, at: datetime) -> None:
    """Say at each field that was changed what is wrong with it."""
    found = queries.open_round(change.dataset, change)
    if found is None:
        return
    for name in change.fields:
        catalog.write_remark(
            review_round=found, actor=officer, at=at, field=name, text="低于业务发生的频率"
        )


def _with_item(
    dataset: Dataset, adds: tuple[str, str, str] | None
) -> Sequence[dict[str, Any]] | None:
    if adds is None:
        return None
    name, column, definition = adds
    added = {"name": name, "column_name": column, "data_type": "C", "length": 60}
    return [*plain_items(dataset), {**added, "description": definition}]


def _occasion(plan: Plan, begun: datetime) -> Trigger | None:
    if not plan.occasion:
        return None
    return Trigger(plan.occasion, timezone.localdate(begun) - timedelta(days=3), plan.reason)


def _withdraw(shape: str, name: str, at: datetime, *, is_out: bool) -> None:
    """An entry of its own was published; its withdrawal is asked for, or done already."""
    clerk, head = clerk_and_head(Department.objects.get(code="D008"))
    officer = User.objects.get(username="authority")
    plan = next(each for each in datasets() if each.name == shape)
    begun = morning(at, 60)
    dataset = write_entry(replace(plan, name=name), actor=clerk, at=begun)
    assess(dataset, actor=clerk, at=begun)
    catalog.submit(dataset=dataset, actor=clerk, at=begun + timedelta(hours=2))
    catalog.approve(dataset=dataset, actor=head, at=begun + timedelta(hours=6))
    catalog.publish(dataset=dataset, actor=officer, at=begun + timedelta(days=1))
    asked = morning(at, 1)
    catalog.request_withdrawal(
        dataset=dataset, actor=head, at=asked, reason="登记已电子化，数据并入基本信息"
    )
    if is_out:
        catalog.withdraw(dataset=dataset, actor=officer, at=asked + timedelta(hours=5))


def _bring_sheet(at: datetime) -> None:
    """The clerk's spreadsheet was checked and waits for its decisions."""
    if CatalogImport.objects.exists():
        return
    clerk = User.objects.get(username="provider-editor")
    subject = catalog.receive_import(
        file=io.BytesIO(_messy()), file_name=SHEET, actor=clerk, at=morning(at, 1)
    )
    check_import(key=subject.pk, at=morning(at, 1) + timedelta(minutes=2))


def _messy() -> bytes:
    """Two good entries, one named like a system, one with a wrong type and digits of full width."""
    rows = [
        _row(
            "社区养老服务站点信息", "全市社区养老服务站点的名称、地址和服务能力，供群众查找。", n, t
        )
        for n, t in (("站点名称", "字符型C"), ("站点地址", "字符型C"), ("床位数", "整型I"))
    ]
    rows += [
        _row("孤儿基本生活保障信息", "孤儿和事实无人抚养儿童的保障情况，供核验待遇资格。", n, t)
        for n, t in (("公民身份号码", "字符型C"), ("姓名", "字符型C"), ("保障标准", "货币型Y"))
    ]
    rows += [_row("婚姻登记管理系统", "婚姻登记业务系统。", n, "字符型C") for n in ("编号", "备注")]
    bad = list(_row("救助站受助人员信息", "", "受助人姓名", "文本"))
    bad[10] = "５０个字"
    rows.append(tuple(bad))
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["重庆市民政局2026年政务信息资源目录补报表"])
    writer.writerow(HEADINGS)
    writer.writerows(rows)
    return buffer.getvalue().encode("gb18030")


def _row(name: str, abstract: str, item: str, kind: str) -> tuple[str, ...]:
    is_text = kind.startswith("字符")
    return (
        "3部门信息资源",
        "07省级及以下部门",
        "008市民政局",
        name,
        "重庆市民政局",
        abstract,
        "数据库",
        "postgresql",
        item,
        kind,
        "100" if is_text else "",
        "有条件共享",
        "仅用于核验待遇资格，不得转交第三方",
        "共享平台方式",
        "接口",
        "否",
        "每月",
        "是",
    )
