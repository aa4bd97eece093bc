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
    """The two most alike are decided, the one this way, the other that."""
    rows = Duplicate.objects.select_related("first__department", "second__department")
    first, second, *_rest = [*rows.order_by("-score", "pk")[:2], None, None]
    if first is not None:
        sources.name_source(
            duplicate=first,
            department=first.first.department,
            actor=officer,
            at=at,
            reason="由依法登记的部门采集，另一部门通过共享取得，不再重复采集。",
        )
    if second is not None:
        sources.tell_apart(
            duplicate=second,
            actor=officer,
            at=at,
            reason="登记对象不同：一为机构，一为从业人员；数据项名称相同但含义不同。",
        )
