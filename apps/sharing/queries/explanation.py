"""Why a system can, or cannot, see a dataset, an item, a row: the rule by name and in words."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from psycopg import sql

from apps.accounts.models import InformationSystem
from apps.catalog import queries as catalog
from apps.catalog.models import DataItem, Dataset
from apps.core import conditions
from apps.core.conditions import Condition
from apps.core.contracts import Contract
from apps.core.errors import InvalidInput
from apps.core.templatetags.dates import minute
from apps.sharing.models import Grant, QuotaUse, SharingRequest
from apps.sharing.queries.planned_stops import longest_running
from apps.sharing.queries.versions import version_since
from apps.standards import masks

ONE_MINUTE: Final = timedelta(minutes=1)  # what stops at midnight lasts to 23:59
WORDS: Final = {
    "eq": _("等于"),
    "in": _("属于"),
    "gte": _("不小于"),
    "lte": _("不大于"),
    "gt": _("大于"),
    "lt": _("小于"),
    "prefix": _("开头为"),
    "is_null": _("为空"),
}


RULES: Final = {
    "system": _("系统状态"),
    "grant": _("授权"),
    "status": _("授权状态"),
    "period": _("有效期"),
    "stop": _("停机公告"),
    "mode": _("共享方式"),
    "item": _("授权数据项"),
    "mask": _("脱敏方式"),
    "record": _("记录"),
    "row": _("数据范围"),
    "quota": _("每日限额"),
}
# What a version of the grant says; the others change without one.
OF_THE_TERMS: Final = frozenset({"period", "mode", "item", "mask", "row"})


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that was asked: whether it lets through, its words, its code, the grant if any.

    rule: one of RULES. since: from when it has been so, where that is known; of the grant's terms,
    since when its present version stands.
    """

    ok: bool
    sentence: str
    rule: str
    grant: Grant | None = None
    since: datetime | None = None

    @property
    def name(self) -> str:
        return str(RULES[self.rule])

    @property
    def version(self) -> int | None:
        """The version of the grant whose terms say so; None of what no version says."""
        is_of_terms = self.grant is not None and self.rule in OF_THE_TERMS
        return self.grant.version if is_of_terms and self.grant else None


def explain(
    system: InformationSystem,
    dataset: Dataset,
    at: datetime,
    item: str | None = None,
    row: dict[str, Any] | None = None,
    *,
    requests: QuerySet[SharingRequest] | None = None,
    of_record: Callable[[Grant], list[Reason]] | None = None,
) -> list[Reason]:
    """Say why the system can, or cannot, see the dataset, an item of it, a row with these values.

    The rules are asked in order; the last one answers: nothing is asked after the first that
    refuses. row: values by column name; those that the row condition speaks of are needed.
    requests: those that may be spoken of where there is no grant, else all. of_record: judges one
    record under the grant, once nothing before it refuses.

    Source: house rule (design §4)
    Raises:
        InvalidInput: an unknown item, or a value missing that the row condition needs.
    """
    grant = newest_grant(system, dataset)
    if grant is None:
        known = SharingRequest.objects.all() if requests is None else requests
        return _until_refused(
            lambda: _by_system(system), lambda: [_without_grant(system, dataset, known)]
        )
    found = _until_refused(
        lambda: _by_system(system),
        lambda: [_by_status(grant)],
        lambda: [_by_period(grant, at)],
        lambda: _by_stop(grant, at),
        lambda: _by_mode(grant),
        lambda: _by_item(grant, item),
        lambda: _by_row(grant, row),
        lambda: [] if of_record is None else of_record(grant),
        lambda: _by_quota(grant, at),
    )
    return _dated(found, grant)


def _dated(found: list[Reason], grant: Grant) -> list[Reason]:
    """Write beside the grant's terms since when its version stands."""
    since = version_since(grant)
    return [
        replace(reason, since=since) if reason.rule in OF_THE_TERMS else reason for reason in found
    ]


def _until_refused(*rules: Callable[[], list[Reason]]) -> list[Reason]:
    found: list[Reason] = []
    for rule in rules:
        for reason in rule():
            found.append(reason)
            if not reason.ok:
                return found
    return found


def condition_in_words(condition: Condition, contract: Contract) -> str:
    """Write a condition as a clerk reads it: 区划代码 属于 500103、500112."""
    label = contract.column(condition.item).label
    if condition.operator == "is_null":
        return str(_("%(label)s为空") if condition.value else _("%(label)s不为空")) % {
            "label": label
        }
    value = condition.value
    shown = "、".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"{label} {WORDS[condition.operator]} {shown}"


def conditions_in_words(entries: list[dict[str, Any]], dataset: Dataset) -> list[str]:
    """Write a kept row condition, one line per part."""
    contract = catalog.contract_with(dataset, (str(entry.get("item")) for entry in entries))
    parsed = conditions.parse(entries, contract.columns)
    return [condition_in_words(condition, contract) for condition in parsed]


def newest_grant(system: InformationSystem, dataset: Dataset) -> Grant | None:
    """Return the grant that is served, else the last one there was; None of none."""
    grants = Grant.objects.filter(system=system, dataset=dataset).select_related("dataset")
    live = grants.filter(status__in=("in_force", "suspended")).first()
    return live or grants.order_by("-pk").first()


def _by_system(system: InformationSystem) -> list[Reason]:
    """A system that may not act reads nothing, whatever was granted; one that may says nothing."""
    if system.is_in_service():
        return []
    since = _retired_since(system)
    sentence = _("信息系统已停用") if since else _("信息系统的服务账号已停用")
    return [Reason(ok=False, sentence=str(sentence), rule="system", since=since)]


def _retired_since(system: InformationSystem) -> datetime | None:
    since = None
    rows = system.history.order_by("-history_date", "-history_id")
    for status, at in rows.values_list("status", "history_date"):
        if status != InformationSystem.Status.RETIRED:
            break
        since = at
    return since


def _without_grant(
    system: InformationSystem, dataset: Dataset, requests: QuerySet[SharingRequest]
) -> Reason:
    request = requests.filter(system=system, dataset=dataset).first()
    if request is None:
        sentence = str(_("该系统没有此目录的授权，也没有提出申请"))
    else:
        text = _("该系统没有此目录的授权；申请 %(number)s 的状态为“%(status)s”")
        sentence = str(text) % {
            "number": request.number,
            "status": request.get_status_display(),
        }
    return Reason(ok=False, sentence=sentence, rule="grant")


def _by_status(grant: Grant) -> Reason:
    sentences: dict[str, str | Promise] = {
        "delivering": _("授权 %(grant)s 正在交付"),
        "in_force": _("授权 %(grant)s 生效"),
        "suspended": _("授权 %(grant)s 已暂停：%(suspension)s"),
        "ended": _("授权 %(grant)s 已终止：%(end)s"),
        "expired": _("授权 %(grant)s 已到期"),
    }
    words = {
        "grant": grant,
        "suspension": grant.suspension_reason,
        "end": grant.end_reason,
    }
    sentence = str(sentences[grant.status]) % words
    since = {
        "in_force": grant.resumed_at or grant.provisioned_at,
        "suspended": grant.suspended_at,
        "ended": grant.ended_at,
        "expired": grant.ended_at or grant.expires_at,
    }
    return Reason(grant.status == "in_force", sentence, "status", grant, since.get(grant.status))


def _by_period(grant: Grant, at: datetime) -> Reason:
    sentence = _("有效期自 %(start)s 至 %(end)s") % {
        "start": f"{timezone.localtime(grant.starts_at):%Y-%m-%d %H:%M}",
        "end": f"{timezone.localtime(grant.expires_at - ONE_MINUTE):%Y-%m-%d %H:%M}",
    }
    return Reason(grant.starts_at <= at < grant.expires_at, str(sentence), "period", grant)


def _by_stop(grant: Grant, at: datetime) -> list[Reason]:
    """A planned stop is a reason only while it runs."""
    running = longest_running(grant.dataset, at)
    if running is None:
        return []
    sentence = _("按公告停机，预计 %(end)s 恢复：%(reason)s") % {
        "end": minute(running.ends_at),
        "reason": running.reason,
    }
    since = running.announced_at
    return [Reason(ok=False, sentence=str(sentence), rule="stop", grant=grant, since=since)]


def _by_mode(grant: Grant) -> list[Reason]:
    if not grant.is_verify_only:
        return []
    sentence = _("授权只供核验：回答提交的值是否相符，不提供记录")
    return [Reason(ok=False, sentence=str(sentence), rule="mode", grant=grant)]


def _by_item(grant: Grant, item: str | None) -> list[Reason]:
    if not item:
        return []
    known = _known_item(grant, item)
    if known is None:
        raise InvalidInput(
            _("目录中没有数据项“%(item)s”") % {"item": item}, code="unknown_item", item=item
        )
    granted = {column["name"]: column["mask"] for column in grant.columns}
    if item not in granted:
        withheld = known.effective_sharing_attribute == "not_shared"
        text = _("数据项“%(item)s”不予共享") if withheld else _("授权不含数据项“%(item)s”")
        sentence = str(text) % {"item": known.name}
        return [Reason(ok=False, sentence=sentence, rule="item", grant=grant)]
    sentence = str(_("授权含数据项“%(item)s”")) % {"item": known.name}
    reasons = [Reason(ok=True, sentence=sentence, rule="item", grant=grant)]
    if granted[item]:
        label = masks.MASKS[granted[item]].label
        sentence = str(_("该数据项脱敏提供：%(mask)s")) % {"mask": label}
        reasons.append(Reason(ok=True, sentence=sentence, rule="mask", grant=grant))
    return reasons


def _known_item(grant: Grant, name: str) -> DataItem | None:
    """Return the item, also one that was taken out while the grant still shows it."""
    items = DataItem.ever.filter(dataset=grant.dataset_id, column_name=name)
    if name not in {column["name"] for column in grant.columns}:
        items = items.filter(retired_at=None)
    return items.select_related("dataset").first()


def _by_row(grant: Grant, row: dict[str, Any] | None) -> list[Reason]:
    if row is None:
        return []
    names = (str(entry.get("item")) for entry in grant.row_condition)
    contract = catalog.contract_with(grant.dataset, names)
    return [
        Reason(
            _holds(condition, contract, row),
            str(_("授权只含%(condition)s的记录"))
            % {"condition": condition_in_words(condition, contract)},
            "row",
            grant,
        )
        for condition in conditions.parse(grant.row_condition, contract.columns)
    ]


def _by_quota(grant: Grant, at: datetime) -> list[Reason]:
    """Say that the day's quota is used up; room that is left says nothing."""
    used = QuotaUse.objects.filter(grant=grant, day=timezone.localdate(at)).first()
    if used is None:
        return []
    if grant.calls_a_day is not None and used.calls >= grant.calls_a_day:
        text, limit = _("今日的 %(limit)s 次调用已用完，次日零点起再读"), grant.calls_a_day
    elif grant.rows_a_day is not None and used.rows >= grant.rows_a_day:
        text, limit = _("今日的 %(limit)s 条记录已用完，次日零点起再读"), grant.rows_a_day
    else:
        return []
    sentence = str(text) % {"limit": f"{limit:,}"}
    return [Reason(ok=False, sentence=sentence, rule="quota", grant=grant)]


def _holds(condition: Condition, contract: Contract, row: dict[str, Any]) -> bool:
    """Let the database judge the values, by the very expression of the policy; no table is read."""
    column = contract.column(condition.item)
    if condition.item not in row:
        raise InvalidInput(
            _("判断需要数据项“%(item)s”的值") % {"item": column.label},
            code="value_needed",
            item=column.name,
        )
    given = row[condition.item]
    value = None if given is None else str(conditions.typed_value(column, given))
    statement = sql.SQL("SELECT {} FROM (SELECT {}::{} AS {}) AS given").format(
        conditions.as_literal([condition], contract.columns),
        sql.Literal(value),
        sql.SQL(conditions.CASTS[column.type]),
        sql.Identifier(column.name),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        (answer,) = cursor.fetchone()
    return bool(answer)
