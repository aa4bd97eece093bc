"""Keep a store for every department, the four base databases and the thematic ones."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from apps.accounts.models import Department
from apps.warehouse.models import Store

# Source: 渝大数据复函〔2019〕124号 (四大基础数据库)
BASES = (
    ("natural_person", gettext_noop("自然人基础库")),
    ("legal_person", gettext_noop("法人基础库")),
    ("geospatial", gettext_noop("自然资源和空间地理基础库")),
    ("certificate", gettext_noop("电子证照基础库")),
)
# Source: 《政务信息资源目录编制指南（试行）》 主题信息资源
THEMES = (
    ("public_service", gettext_noop("公共服务主题库")),
    ("health", gettext_noop("健康保障主题库")),
    ("social_security", gettext_noop("社会保障主题库")),
    ("food_and_drug", gettext_noop("食品药品安全主题库")),
    ("work_safety", gettext_noop("安全生产主题库")),
    ("prices", gettext_noop("价格监管主题库")),
    ("energy", gettext_noop("能源安全主题库")),
    ("credit", gettext_noop("信用体系主题库")),
    ("construction", gettext_noop("城乡建设主题库")),
    ("community", gettext_noop("社区治理主题库")),
    ("environment", gettext_noop("生态环保主题库")),
    ("emergency", gettext_noop("应急维稳主题库")),
)


@transaction.atomic
def ensure_stores(*, at: datetime) -> int:
    """Make the stores that are missing; return how many were made. Repeat-safe.

    Source: 渝大数据复函〔2019〕124号
    """
    present = list(Store.objects.select_for_update().values_list("code", "kind", "number"))
    codes = {code for code, _kind, _number in present}
    pools = [number for _code, kind, number in present if kind == Store.Kind.DEPARTMENT_POOL]
    missing = [*_bases(at), *_themes(at)]
    made = [store for store in missing if store.code not in codes]
    lacking = Department.objects.filter(stores=None).order_by("pk")
    for number, department in enumerate(lacking, 1 + max(pools, default=0)):
        made.append(_pool(department, number, at))
    Store.objects.bulk_create(made)
    return len(made)


def _bases(at: datetime) -> list[Store]:
    return [
        Store(
            kind=Store.Kind.BASE,
            number=number,
            code=f"base-{code}",
            name=_(name),
            schema=f"base_{code}",
            created_at=at,
        )
        for number, (code, name) in enumerate(BASES, 1)
    ]


def _themes(at: datetime) -> list[Store]:
    return [
        Store(
            kind=Store.Kind.THEMATIC,
            number=number,
            code=f"theme-{code}",
            name=_(name),
            schema=f"theme_{number}",
            created_at=at,
        )
        for number, (code, name) in enumerate(THEMES, 1)
    ]


def _pool(department: Department, number: int, at: datetime) -> Store:
    return Store(
        kind=Store.Kind.DEPARTMENT_POOL,
        number=number,
        code=f"pool-{number}",
        name=_("%(department)s数据池") % {"department": department.name},
        schema=f"pool_{number}",
        department=department,
        created_at=at,
    )
