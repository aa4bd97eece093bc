"""A proposal to narrow in the words of the screens."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from apps.catalog.models import DataItem
from apps.core.templatetags.dates import day
from apps.sharing.models import Grant
from apps.sharing.queries.thrift import Waste


def proposal_lines(waste: Waste | None) -> list[str]:
    """Say what would change, one thing a line; nothing where nothing is proposed."""
    if waste is None or not waste.proposal:
        return []
    proposed = waste.proposal
    lines = []
    if waste.dropped:
        lines.append(_("去掉 %(count)s 个数据项") % {"count": waste.dropped})
    if proposed.mode:
        lines.append(_("改为只供核验"))
    words = {
        "calls_a_day": _("每日调用上限降为 %(limit)s 次"),
        "rows_a_day": _("每日记录上限降为 %(limit)s 条"),
    }
    lines += [words[name] % {"limit": f"{limit:,}"} for name, limit in proposed.limits.items()]
    if proposed.ends_on:
        lines.append(_("提前到 %(day)s 截止") % {"day": day(proposed.ends_on)})
    return lines


def quota_words(figures: Mapping[str, Any]) -> str:
    """Say how much of the limits of a day the busiest day took; empty without limits.

    figures: as a recertification keeps them.
    """
    parts = []
    if figures["calls_percent"] is not None:
        parts.append(_("调用 %(percent)s") % {"percent": _percent(figures["calls_percent"])})
    if figures["rows_percent"] is not None:
        parts.append(_("记录 %(percent)s") % {"percent": _percent(figures["rows_percent"])})
    return "，".join(parts)


def _percent(value: float) -> str:
    """Write a percent with one decimal; what is less than that is not said to be nothing."""
    return _("不到 %(percent)s") % {"percent": "0.1%"} if 0 < value < 0.1 else f"{value:.1f}%"


def labels_of_columns(grants: Sequence[Grant]) -> Mapping[int, Mapping[str, str]]:
    """Return, by dataset, what its columns are called, in one statement."""
    items = DataItem.ever.filter(dataset__in={grant.dataset_id for grant in grants})
    labels: dict[int, dict[str, str]] = {}
    for dataset, column, name in items.values_list("dataset", "column_name", "name"):
        labels.setdefault(dataset, {})[column] = name
    return labels
