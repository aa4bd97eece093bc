"""The navigation on the left: by the person's work, never by tables.

An entry shows only when its page exists and the person may do there what it is for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import EmptyResultSet
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core import access

Predicate = Callable[[Any], bool]


@dataclass(frozen=True)
class Entry:
    """One line: its words, its page, the (model, action) that opens it or the roles it is for.

    `holds`: where else the pages lie that belong to it.
    """

    label: str | Promise
    page: str
    model: str = ""
    action: str = "view"
    roles: tuple[str, ...] = ()
    query: str = ""
    holds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    label: str | Promise
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Link:
    label: str | Promise
    url: str
    is_here: bool


GROUPS: tuple[Group, ...] = (
    Group(
        _("待办"),
        (
            Entry(_("我的待办"), "console:home"),
            Entry(_("通知"), "console:notices"),
            Entry(_("本部门任务"), "supervision:task-returns", "supervision.TaskReturn", "belong"),
        ),
    ),
    Group(
        _("目录"),
        (
            Entry(
                _("查找数据目录"),
                "catalog:datasets",
                "catalog.Dataset",
                holds=("/work/changes/", "/work/saved-filters/"),
            ),
            Entry(_("表格编目"), "catalog:imports", "catalog.CatalogImport", "create"),
            Entry(_("目录台账"), "admin:catalog_dataset_changelist", "catalog.Dataset", "change"),
            Entry(
                _("目录审核"), "catalog:review-queue", "catalog.DatasetChange", "send_back_change"
            ),
            Entry(_("目录质量"), "catalog:quality", "catalog.Dataset"),
            Entry(_("疑似重复采集"), "catalog:duplicates", "catalog.Duplicate"),
            Entry(_("数源认定"), "catalog:source-designations", "catalog.SourceDesignation"),
        ),
    ),
    Group(
        _("需求与责任"),
        (
            Entry(_("数据需求"), "catalog:demands", "catalog.Demand"),
            Entry(_("供需对接"), "catalog:demand-matching", "catalog.Demand", "seek_supply"),
            Entry(_("责任清单"), "catalog:responsibility-lists", "catalog.ResponsibilityList"),
            Entry(_("责任落实看板"), "supervision:responsibility-board", "supervision.BoardDay"),
            Entry(_("权责事项"), "catalog:law-legal-duties", "catalog.LegalDuty"),
        ),
    ),
    Group(
        _("上下级对接"),
        (
            Entry(_("上级目录"), "catalog:upper", "catalog.UpperDataset"),
            Entry(_("上级数据申请"), "catalog:upper-requests", "catalog.UpperRequest"),
            Entry(_("目录上报"), "catalog:upward", "catalog.UpwardPackage"),
            Entry(_("上报取值对照"), "admin:catalog_upwardvalue_changelist", "catalog.UpwardValue"),
        ),
    ),
    Group(
        _("标准"),
        (
            Entry(_("数据元"), "admin:standards_dataelement_changelist", "standards.DataElement"),
            Entry(_("代码集"), "admin:standards_codelist_changelist", "standards.CodeList"),
            Entry(
                _("资源分类"),
                "admin:catalog_classification_changelist",
                "catalog.Classification",
                "change",
            ),
            Entry(_("检索同义词"), "admin:catalog_synonym_changelist", "catalog.Synonym", "change"),
        ),
    ),
    Group(
        _("资源中心"),
        (
            Entry(_("数据库"), "admin:warehouse_store_changelist", "warehouse.Store"),
            Entry(_("数据表"), "warehouse:tables", "catalog.Dataset", "view_landing"),
            Entry(
                _("接入"), "warehouse:ways-in", "warehouse.PullSource", holds=("/work/sources/",)
            ),
            Entry(_("归集批次"), "admin:warehouse_batch_changelist", "warehouse.Batch"),
        ),
    ),
    Group(
        _("质量"),
        (
            Entry(
                _("质量概览"),
                "quality:overview",
                "quality.Score",
                holds=("/work/quality/datasets/", "/work/quality/runs/"),
            ),
            Entry(_("质量规则"), "quality:rules", "quality.QualityRule"),
            Entry(_("质量问题"), "quality:findings", "quality.Finding"),
            Entry(_("整改工单"), "quality:work-orders", "quality.WorkOrder"),
            Entry(_("校核"), "quality:corrections", "quality.Correction"),
            Entry(
                _("维度权重"),
                "admin:quality_dimensionweights_changelist",
                "quality.DimensionWeights",
                "set",
            ),
        ),
    ),
    Group(
        _("共享"),
        (
            Entry(
                _("我的系统"),
                "sharing:supplier-home",
                "accounts.InformationSystem",
                "view_confined",
            ),
            Entry(_("共享申请"), "sharing:requests", "sharing.SharingRequest"),
            Entry(_("发起申请"), "sharing:request-new", "sharing.SharingRequest", "create"),
            Entry(_("数据篮"), "sharing:basket", "sharing.RequestPackage", "create"),
            Entry(_("一件事申请"), "sharing:packages", "sharing.RequestPackage"),
            Entry(_("授权"), "sharing:grants", "sharing.Grant"),
            Entry(_("能不能读"), "sharing:explanations", "accounts.InformationSystem", "explain"),
            Entry(_("年度复核"), "sharing:recertify", "sharing.Recertification"),
            Entry(_("使用情况分析"), "sharing:thrift", "sharing.Grant"),
            Entry(_("使用情况登记"), "sharing:usage-reports", "sharing.UsageReport"),
            Entry(_("服务变更"), "sharing:changes", "sharing.ServiceChange"),
            Entry(_("停机公告"), "sharing:planned-stops", "sharing.PlannedStop"),
            Entry(_("数据处置"), "sharing:disposals", "sharing.Disposal"),
            Entry(_("盲审安排"), "sharing:blind-review", "sharing.BlindReviewOrder"),
            Entry(_("授权条款模板"), "sharing:templates", "sharing.TermsTemplate", "create"),
            Entry(_("用量对账"), "sharing:usage", "sharing.DailyUse"),
            Entry(_("代理接口"), "sharing:registered", "sharing.Interface"),
            Entry(_("信息系统与凭证"), "sharing:systems", "accounts.InformationSystem"),
            Entry(_("调用凭证"), "sharing:credentials", "sharing.Credential"),
            Entry(_("供应商账号"), "sharing:suppliers", "sharing.SupplierAccount"),
            Entry(_("事件推送"), "sharing:webhooks", "sharing.Webhook"),
            Entry(_("数据库交换"), "sharing:exchanges", "sharing.Grant", "open_login"),
        ),
    ),
    Group(
        _("监督"),
        (
            Entry(_("工作任务"), "supervision:tasks", "supervision.WorkTask", "administer"),
            Entry(_("操作日志"), "admin:ledger_event_changelist", "ledger.Event"),
            Entry(_("调用记录"), "admin:ledger_accessrecord_changelist", "ledger.AccessRecord"),
        ),
    ),
    Group(
        _("系统"),
        (
            Entry(_("部门"), "admin:accounts_department_changelist", "accounts.Department"),
            Entry(
                _("信息系统"),
                "admin:accounts_informationsystem_changelist",
                "accounts.InformationSystem",
            ),
            Entry(_("用户"), "admin:accounts_user_changelist", "accounts.User"),
            Entry(_("时限规则"), "admin:clocks_clockpolicy_changelist", "clocks.ClockPolicy"),
            Entry(_("工作日历"), "clocks:calendar", "clocks.CalendarDay"),
            Entry(_("运行状况"), "console:health", roles=("system_admin",)),
        ),
    ),
)


def navigation(user: Any, path: str) -> list[tuple[str | Promise, list[Link]]]:
    """Return the groups that hold something for this person; the page he is on is marked."""
    shown = []
    for group in GROUPS:
        addresses = [(entry, address_of(entry)) for entry in group.entries]
        links = [(entry, url) for entry, url in addresses if url and may_open(user, entry)]
        if links:
            shown.append((group.label, links))
    here = _nearest(path, [link for _label, links in shown for link in links])
    return [
        (label, [Link(entry.label, url, url == here) for entry, url in links])
        for label, links in shown
    ]


def address_of(entry: Entry) -> str:
    """Return the entry's address, empty where the page does not exist."""
    try:
        return reverse(entry.page) + entry.query
    except NoReverseMatch:
        return ""


def may_open(user: Any, entry: Entry) -> bool:
    if entry.roles and not user.holds(*entry.roles):
        return False
    if not entry.model:
        return not user.is_confined
    return may_somewhere(user, entry.model, entry.action)


def may_somewhere(user: Any, model: str, action: str) -> bool:
    """Say whether there could be a row on which the person may act; asks no row."""
    found = apps.get_model(model)
    try:
        return access.able(user, action, found)
    except access.UnknownAction:
        pass
    try:
        rows = access.rows(user, action, found)
        rows.query.get_compiler(rows.db).as_sql()
    except (access.UnknownAction, EmptyResultSet):
        return False
    return True


def _nearest(path: str, links: list[tuple[Entry, str]]) -> str:
    """Return the longest address that the page lies under; the home page only for itself."""
    home = address_of(GROUPS[0].entries[0])
    places = [(place, url) for entry, url in links for place in (url, *entry.holds)]
    under = [
        (len(place), url)
        for place, url in places
        if path == place or (place != home and path.startswith(place))
    ]
    return max(under, default=(0, ""))[1]
