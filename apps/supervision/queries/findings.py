"""What was promised beside what landed: the rows behind every figure of the board.

The board counts these rows and its lists show them, so the two cannot disagree.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem
from apps.catalog import queries as catalog
from apps.catalog.models import DatasetStatus
from apps.catalog.queries import law, responsibility
from apps.sharing.models import Interface
from apps.warehouse.freshness import is_late, with_deliveries

IN_FORCE: Final = (DatasetStatus.PUBLISHED, DatasetStatus.WITHDRAWAL_REQUESTED)
# Promised items that are no column of the table, by column name or by the item's name.
_MISSING: Final = """
FROM unnest(catalog_duty.item_columns, catalog_duty.item_names)
   AS promised (column_name, name)
 WHERE NOT EXISTS (
   SELECT 1 FROM catalog_dataitem AS item
   JOIN warehouse_datatable AS held ON held.dataset_id = item.dataset_id
   WHERE item.dataset_id = catalog_duty.dataset_id AND item.retired_at IS NULL
     AND (item.column_name = promised.column_name OR item.name = promised.name)
     AND held.column_names ? item.column_name)
"""
_MISSING_ITEMS: Final = f"(SELECT count(*) {_MISSING})"
_MISSING_NAMES: Final = f"""
SELECT catalog_duty.id, array_agg(missing.name)
FROM catalog_duty, LATERAL (
  SELECT coalesce(nullif(promised.name, ''), promised.column_name) AS name {_MISSING}
) AS missing
WHERE catalog_duty.id = ANY(%s) GROUP BY catalog_duty.id
"""  # noqa: S608 two texts of our own


@dataclass(frozen=True)
class Column:
    """One figure of the board: its words, its definition (统计口径), and the rows it counts.

    kind: what the rows are: "duty", "system", "legal_duty" or "service_item".
    is_gap: a figure that should be 0.
    """

    key: str
    label: str | Promise
    definition: str | Promise
    kind: str
    rows: Callable[[datetime], QuerySet[Any]]
    is_gap: bool = True


def duty_facts(at: datetime) -> Any:
    """Return the duties in force, each with what landed for it.

    landed_rows; missing_items: promised items that are no column; is_connected: nothing landed in
    a published entry, but its provider's registered interface serves it, for interface_reason,
    since interface_since; is_missing: nothing landed and none serves it; is_lacking: an item is
    missing; is_short: fewer rows than expected; is_stale: later than its cycle. The last three are
    said only of what landed at all.
    Units: landed_rows and expected_rows are records.
    """
    facts = with_deliveries(responsibility.duties_in_force(), "dataset").annotate(
        landed_rows=Coalesce(F("dataset__data_table__row_count"), 0),
        missing_items=RawSQL(_MISSING_ITEMS, [], output_field=IntegerField()),  # noqa: S611 ours, without parameters
    )
    in_force = Q(dataset__status__in=IN_FORCE)
    there = in_force & Q(landed_rows__gt=0)
    running = Interface.objects.filter(dataset=OuterRef("dataset"), status=Interface.Status.ACTIVE)
    connected = in_force & Q(landed_rows=0) & Q(Exists(running))
    return facts.annotate(
        interface_reason=Subquery(running.values("reason")[:1]),
        interface_since=Subquery(running.values("active_since")[:1]),
        is_connected=_flag(connected),
        is_missing=_flag(there | connected, then=False),
        is_lacking=_flag(there & Q(missing_items__gt=0)),
        is_short=_flag(there & Q(expected_rows__gt=F("landed_rows"))),
        is_stale=_flag(there & is_late(at)),
    )


def missing_item_names(duties: Iterable[int]) -> dict[int, list[str]]:
    """Return, by the duties' keys, the names of the promised items that are no column."""
    with connection.cursor() as cursor:
        cursor.execute(_MISSING_NAMES, [list(duties)])
        return dict(cursor.fetchall())


def _flag(condition: Q, *, then: bool = True) -> Case:
    return Case(
        When(condition, then=Value(then)), default=Value(not then), output_field=BooleanField()
    )


def is_unkept() -> Q:
    """Return the condition that something of a promise is wanting, on `duty_facts`."""
    return Q(is_missing=True) | Q(is_lacking=True) | Q(is_short=True) | Q(is_stale=True)


def kept(at: datetime) -> Any:
    whole = duty_facts(at).filter(is_connected=False)
    return whole.filter(is_missing=False, is_lacking=False, is_short=False, is_stale=False)


def overdue(at: datetime) -> Any:
    return duty_facts(at).filter(is_unkept(), due_on__lt=timezone.localdate(at))


def unconnected_systems(at: datetime) -> QuerySet[InformationSystem]:
    """Return the systems in use or being built of which no published entry has landed."""
    landed = catalog.published().filter(system=OuterRef("pk"), data_table__row_count__gt=0)
    return InformationSystem.objects.exclude(status=InformationSystem.Status.RETIRED).filter(
        ~Exists(landed)
    )


def _today(at: datetime) -> date:
    return timezone.localdate(at)


COLUMNS: Final = (
    Column(
        "promised",
        _("承诺"),
        _("已印发、尚未结束的责任清单中的事项；已免除的不计，拆分的下级事项有自己的目录才另计。"),
        "duty",
        duty_facts,
        is_gap=False,
    ),
    Column(
        "kept",
        _("已兑现"),
        _("目录已发布、有数据入库，数据项齐全、不少于应归集条数、没有超过更新周期的事项。"),
        "duty",
        kept,
        is_gap=False,
    ),
    Column(
        "connected",
        _("接口提供"),
        _("目录已发布、没有数据入库，由运行中的代理接口提供的事项：已挂接，未落地，不算缺口。"),
        "duty",
        lambda at: duty_facts(at).filter(is_connected=True),
        is_gap=False,
    ),
    Column(
        "missing",
        _("缺数据"),
        _("承诺的目录没有发布，或者没有任何数据入库、也没有代理接口的事项。"),
        "duty",
        lambda at: duty_facts(at).filter(is_missing=True),
    ),
    Column(
        "lacking",
        _("缺数据项"),
        _("已有数据入库，但承诺的数据项中有的不在数据表里（按列名或名称）的事项。"),
        "duty",
        lambda at: duty_facts(at).filter(is_lacking=True),
    ),
    Column(
        "short",
        _("条数不足"),
        _("已有数据入库，但现有条数少于应归集条数的事项；没有写明应归集条数的不计。"),
        "duty",
        lambda at: duty_facts(at).filter(is_short=True),
    ),
    Column(
        "stale",
        _("超期未更新"),
        _("已有数据入库，但距最近一次交付超过承诺的更新周期的事项；已确认无变化的期间按已更新计。"),
        "duty",
        lambda at: duty_facts(at).filter(is_stale=True),
    ),
    Column(
        "overdue",
        _("逾期"),
        _("完成期限已过，仍有以上任何一种缺口的事项。"),
        "duty",
        overdue,
    ),
    Column(
        "systems",
        _("未接系统"),
        _("已登记、没有停用的信息系统中，没有一条已发布目录有数据入库的。"),
        "system",
        unconnected_systems,
    ),
    Column(
        "legal_duties",
        _("权责缺目录"),
        _("现行有效的权责清单事项中，没有已发布目录写明其编码或者（本部门目录写明）名称的。"),
        "legal_duty",
        lambda at: law.legal_duties_without_dataset(_today(at)),
    ),
    Column(
        "service_items",
        _("服务缺目录"),
        _("现行有效的政务服务事项中，没有已发布目录写明其编码或者（本部门目录写明）名称的。"),
        "service_item",
        lambda at: law.service_items_without_dataset(_today(at)),
    ),
)
BY_KEY: Final = {column.key: column for column in COLUMNS}
