"""What goes on around requests and grants: a negotiation, a matter of several parts, disposals.

Every step goes through the operation that the screens call.
"""

from datetime import date, datetime, timedelta
from typing import Final

from django.utils import timezone

from apps.accounts.models import InformationSystem, User
from apps.catalog.models import Dataset, ServiceItem
from apps.console.demo.city import datasets
from apps.console.demo.people import PASSWORD, SUPPLIER, clerk_and_head
from apps.console.demo.writing import morning
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.models import Disposal, RequestPackage, SharingRequest

NEGOTIATED: Final = ("残疾人证基本信息", "D016")
SUPPLIER_SYSTEM: Final = "S-0020"
MATTER: Final = "新生入学一件事"
MATTER_SYSTEM: Final = "S-0022"
MATTER_DATASETS: Final = ("户籍人口基本信息", "不动产登记基本信息", "社会保险参保基本信息")


def load_sharing_life(*, at: datetime) -> int:
    """Play what was not played yet; return how many matters there are."""
    _negotiate(at)
    _apply_for_matter(at)
    _dispose(at)
    _let_a_supplier_in(at)
    return (
        SharingRequest.objects.filter(offers__isnull=False).distinct().count()
        + RequestPackage.objects.count()
        + Disposal.objects.count()
    )


def _let_a_supplier_in(at: datetime) -> None:
    """The head of the city's education department opens an account for its system's builder."""
    username = SUPPLIER[0]
    if User.objects.filter(username=username).exists():
        return
    system = InformationSystem.objects.select_related("department").get(code=SUPPLIER_SYSTEM)
    _clerk, head = clerk_and_head(system.department)
    opened_on = timezone.localdate(at)
    opened = sharing.open_supplier(
        system=system,
        username=username,
        name="工程师小周",
        firm="渝软信息技术有限公司",
        basis="学籍系统运行维护合同 2026-018",
        starts_on=opened_on,
        ends_on=opened_on + timedelta(days=180),
        actor=head,
        at=at,
    )
    opened.account.user.set_password(PASSWORD)
    opened.account.user.save(update_fields=["password"])


def _negotiate(at: datetime) -> None:
    """The provider finds half of the items enough, and says so before it decides."""
    dataset, consumer = NEGOTIATED
    request = (
        SharingRequest.objects.select_related("dataset__department")
        .filter(dataset__name=dataset, consumer__code=consumer, status="reviewing", offers=None)
        .first()
    )
    if request is None:
        return
    asked = queries.asked_terms(request)
    assert asked is not None  # it was received
    clerk, _head = clerk_and_head(request.dataset.department)
    sharing.offer(
        request=request,
        actor=clerk,
        at=morning(at, 1),
        items={entry["name"]: entry["mask"] for entry in asked.items[:2]},
        ends_on=asked.ends_on - timedelta(days=35),
        reason="核验乘车资格只需证号和主体代码，其余数据项与用途无关",
    )


def _apply_for_matter(at: datetime) -> None:
    """A matter of three parts: one is being reviewed, one is at the provider, one at the head."""
    system = InformationSystem.objects.select_related("department").get(code=MATTER_SYSTEM)
    if RequestPackage.objects.filter(title=MATTER).exists():
        return
    plans = {plan.name: plan.code for plan in datasets()}
    chosen = [Dataset.objects.get(code=plans[name]) for name in MATTER_DATASETS]
    clerk, head = clerk_and_head(system.department)
    asked_at = morning(at, 2)
    first_day = timezone.localdate(asked_at)
    package = sharing.draft_package(
        title=MATTER,
        system=system,
        datasets=chosen,
        service_item=ServiceItem.objects.filter(name="学籍办理").first(),
        basis="《义务教育法》第十二条；《政务数据共享条例》第二十条",
        scenario="新生入学网上报名时核对户籍、住房和父母参保情况，家长不再交复印件",
        scope="仅限市教委招生工作机构在报名期间使用",
        mode="interface",
        starts_on=first_day,
        ends_on=_a_year_after(first_day),
        actor=clerk,
        at=asked_at,
    )
    for part in package.parts.select_related("dataset"):
        columns = [item.column_name for item in part.dataset.items.order_by("position")]
        sharing.revise(request=part, items=columns[:4], actor=clerk, at=asked_at)
    later = asked_at + timedelta(hours=1)
    package.refresh_from_db()
    sharing.submit_package(package=package, vouched=True, actor=clerk, at=later)
    sent = list(package.parts.select_related("dataset__department").order_by("pk")[:2])
    for part in sent:
        sharing.approve_by_head(request=part, actor=head, at=later + timedelta(hours=2))
    reviewer, _signer = clerk_and_head(sent[0].dataset.department)
    sharing.accept_form(request=sent[0], actor=reviewer, at=later + timedelta(hours=3))


def _a_year_after(day: date) -> date:
    return day + timedelta(days=365)


def _dispose(at: datetime) -> None:
    """One of the grants that are over has its certificate, the others owe theirs."""
    if Disposal.objects.exclude(status="owed").exists():
        return
    disposal = Disposal.objects.select_related("grant__system", "consumer").order_by("pk").first()
    if disposal is None:
        return
    clerk, _head = clerk_and_head(disposal.consumer)
    sharing.file_disposal(
        disposal=disposal,
        outcome=Disposal.Outcome.DESTROYED,
        actor=clerk,
        at=at,
        held=f"“{disposal.grant.system.name}”数据库中的业务表和 2 份离线导出文件",
        method="数据库表删除并清理备份，离线文件用专用工具覆写三遍，双人在场",
        disposed_by="信息中心 运维科",
        disposed_on=timezone.localdate(at),
    )
