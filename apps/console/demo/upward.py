"""Reporting upward, played with files as the authority exchanges them with the levels above.

The upper catalogues are invented; the reconciliation and its gaps follow from what was sent, what
the receipts say and what the imported catalogue holds.
"""

import csv
import io
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Department, User
from apps.catalog.models import (
    Dataset,
    UpdateCycle,
    UpperDataset,
    UpperRequest,
    UpwardPackage,
    UpwardValue,
)
from apps.catalog.operations import upper_requests, upward
from apps.console.demo.people import clerk_and_head
from apps.console.demo.writing import morning

RETURNED: Final = 40  # of so many sent, one comes back
DIFFERING: Final = 55
# How a level above writes what is written otherwise here.
VALUES: Final = (
    ("provincial", "cycle", UpdateCycle.REALTIME, "实时更新"),
    ("provincial", "cycle", UpdateCycle.DAILY, "每日更新"),
    ("national", "cycle", UpdateCycle.REALTIME, "实时"),
    ("national", "attribute", "conditional", "受限共享"),
    ("national", "attribute", "unconditional", "普遍共享"),
)
# code, name, provider, abstract, items, attribute, cycle
NATIONAL: Final = (
    ("GJ-1001", "全国人口基础信息核验", "公安部", "按姓名和公民身份号码核验是否一致"),
    ("GJ-1002", "全国婚姻登记信息", "民政部", "全国婚姻登记和离婚登记信息"),
    ("GJ-1003", "高等教育学历信息", "教育部", "高等教育学历证书信息"),
    ("GJ-1004", "企业信用信息公示", "市场监管总局", "全国市场主体登记和信用信息"),
    ("GJ-1005", "全国残疾人人口基础信息", "中国残联", "残疾人证和残疾等级信息"),
    ("GJ-1006", "全国社会保险参保信息", "人力资源社会保障部", "跨省参保和待遇领取状态"),
    ("GJ-1007", "不动产登记全国查询", "自然资源部", "跨省不动产登记信息查询"),
    ("GJ-1008", "失信被执行人名单", "最高人民法院", "全国失信被执行人名单"),
)
ITEMS: Final = "公民身份号码；姓名；登记日期；登记状态"
# upper code, department, how far, days ago
REQUESTS: Final = (
    ("GJ-1003", "D011", "closed", 80),
    ("GJ-1002", "D012", "delivered", 50),
    ("GJ-1006", "D008", "agreed", 30),
    ("GJ-1007", "D008", "forwarded", 15),
    ("GJ-1001", "D003", "filed", 3),
    ("GJ-1005", "D003", "awaiting_head", 1),
    ("GJ-1008", "D010", "refused", 40),
)


def load_upward(*, at: datetime) -> int:
    """Report the catalogue, take receipts and upper catalogues in; return how many packages."""
    officer = User.objects.get(username="authority")
    if not UpwardValue.objects.exists():
        UpwardValue.objects.bulk_create(
            UpwardValue(level=level, kind=kind, ours=ours, theirs=theirs)
            for level, kind, ours, theirs in VALUES
        )
    if not UpwardPackage.objects.exists():
        with transaction.atomic():
            _report(officer, at)
    if not UpperRequest.objects.exists():
        with transaction.atomic():
            _ask_above(officer, at)
    return UpwardPackage.objects.count()


def _report(officer: User, at: datetime) -> None:
    """The whole catalogue went up; the receipts came; what was returned waits to go again."""
    sent_at = morning(at, 20)
    package = upward.make_package(level="provincial", actor=officer, at=sent_at)
    upward.send(
        package=package,
        actor=officer,
        at=sent_at + timedelta(hours=2),
        outside_number=f"省目〔{timezone.localtime(sent_at).year}〕118 号",
    )
    codes = package.entries.order_by("dataset__code").values_list("dataset__code", flat=True)
    upward.take_receipts(
        package=package,
        content=_table(("目录代码", "回执", "上级目录代码", "说明"), _receipts(codes)),
        name="回执.csv",
        actor=officer,
        at=morning(at, 12),
    )
    upward.import_upper(
        level="provincial",
        content=_table(
            ("上级目录代码", "目录名称", "提供部门", "共享属性", "更新周期", "本市目录代码"),
            _provincial(),
        ),
        name="省级目录.csv",
        actor=officer,
        at=morning(at, 11),
    )
    upward.import_upper(
        level="national",
        content=_table(
            ("上级目录代码", "目录名称", "提供部门", "摘要", "数据项", "共享属性", "更新周期"),
            ((*row, ITEMS, "受限共享", "实时") for row in NATIONAL),
        ),
        name="国家目录.csv",
        actor=officer,
        at=morning(at, 11),
    )


def _receipts(codes: Iterable[str]) -> Iterable[tuple[str, ...]]:
    for number, code in enumerate(codes, 1):
        if number % RETURNED == 0:
            yield code, "退回", "", "数据项缺少说明，补充后再报"
        elif number % DIFFERING == 0:
            yield code, "有差异", _upper_code(code), "更新周期与省级登记不一致"
        else:
            yield code, "已接收", _upper_code(code), ""


def _provincial() -> Iterable[tuple[str, ...]]:
    """The level above holds what it received, but for a few that it has lost."""
    rows = Dataset.objects.published().filter(upward_mapping__provincial_code__gt="")
    for number, dataset in enumerate(rows.select_related("department").order_by("code"), 1):
        if number % 300:
            yield (
                _upper_code(dataset.code),
                dataset.name,
                dataset.department.name,
                str(dataset.get_sharing_attribute_display()),
                str(dataset.get_update_cycle_display()),
                dataset.code,
            )


def _upper_code(code: str) -> str:
    return f"SJ-{code}"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(head)
    writer.writerows(rows)
    return buffer.getvalue().encode()


def _ask_above(officer: User, at: datetime) -> None:
    for code, asking, until, days in REQUESTS:
        department = Department.objects.get(code=asking)
        clerk, head = clerk_and_head(department)
        begun = morning(at, days)
        request = upper_requests.draft(
            upper_dataset=UpperDataset.objects.get(level="national", code=code),
            actor=clerk,
            at=begun,
            scenario="办理本部门业务时核对市外人员和单位的信息。",
            basis="《政务数据共享条例》第二十条",
            items=ITEMS,
            contact_name=clerk.get_full_name(),
            contact_phone="023-12345678",
        )
        upper_requests.submit(request=request, actor=clerk, at=begun + timedelta(minutes=30))
        if until == "awaiting_head":
            continue
        upper_requests.approve(request=request, actor=head, at=begun + timedelta(hours=2))
        if until != "filed":
            _answer(request, until, clerk, officer, begun + timedelta(days=2))


def _answer(request: UpperRequest, until: str, clerk: User, officer: User, at: datetime) -> None:
    """The authority forwards the request and notes what the level above says, as it says it."""
    number = f"国数享申〔{timezone.localtime(at).year}〕{request.pk:04d}"
    upper_requests.forward(
        request=request, actor=officer, at=at, outside_number=number, reason="国家平台已受理"
    )
    if until == "forwarded":
        return
    later = at + timedelta(days=9)
    if until == "refused":
        upper_requests.refuse(
            request=request, actor=officer, at=later, reason="申请的数据超出履职范围"
        )
        return
    upper_requests.agree(request=request, actor=officer, at=later, reason="同意，以接口方式提供")
    if until == "agreed":
        return
    upper_requests.deliver(
        request=request, actor=officer, at=later + timedelta(days=6), reason="接口已开通"
    )
    if until == "closed":
        upper_requests.close(request=request, actor=clerk, at=later + timedelta(days=8))
