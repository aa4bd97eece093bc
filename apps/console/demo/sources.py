"""The radar over the city's catalogue, and what the authority decided of its first finds.

The pairs are what the scan itself finds in the catalogue; none is written for display.
"""

from datetime import date, datetime
from typing import Final

from django.db import transaction

from apps.accounts.models import Department, User
from apps.accounts.queries import platform_user
from apps.catalog.models import Duplicate, DuplicateStatus, SourceDesignation
from apps.catalog.operations import scanning, sources
from apps.console.demo.writing import morning

DESIGNATED: Final = (
    ("自然人基本身份信息", "D007", "《重庆市政务数据资源管理暂行办法》；公安机关户籍登记"),
    ("企业登记注册信息", "D027", "《市场主体登记管理条例》"),
    ("婚姻登记信息", "D008", "《婚姻登记条例》"),
    ("社会保险参保信息", "D011", "《社会保险法》"),
    ("不动产权属信息", "D012", "《不动产登记暂行条例》"),
)
SAME: Final = ("医疗机构基本信息", "定点医疗机构基本信息")
APART: Final = ("价格监测基本信息", "价格统计基本信息")


@transaction.atomic
def load_sources(*, at: datetime) -> int:
    """Name sources, scan once, decide the first pairs; return how many pairs are still open."""
    officer = User.objects.get(username="authority")
    if not SourceDesignation.objects.exists():
        for subject, code, basis in DESIGNATED:
            sources.designate_source(
                actor=officer,
                at=morning(at, 60),
                subject=subject,
                department=Department.objects.get(code=code),
                basis=basis,
                valid_from=date(2025, 8, 1),
            )
    scanning.scan_duplicates(actor=platform_user(), at=at)
    if not Duplicate.objects.exclude(status=DuplicateStatus.OPEN).exists():
        _decide(officer, at)
    return Duplicate.objects.filter(status=DuplicateStatus.OPEN).count()


def _decide(officer: User, at: datetime) -> None:
    """One pair has a source now, another was found to be different things."""
    pairs = Duplicate.objects.select_related("first__department", "second__department")
    same = pairs.filter(first__name=SAME[0], second__name=SAME[1]).first()
    if same is not None:
        sources.name_source(
            duplicate=same,
            department=same.first.department,
            actor=officer,
            at=at,
            reason="医疗机构由卫生健康部门依法登记；医保定点只采集定点协议信息，其余通过共享取得。",
        )
    apart = pairs.filter(first__name=APART[0], second__name=APART[1]).first()
    if apart is not None:
        sources.tell_apart(
            duplicate=apart,
            actor=officer,
            at=at,
            reason="价格监测按商品逐日采集报价，价格统计按月汇总指数，对象和口径不同。",
        )
