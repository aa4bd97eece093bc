"""How far the use of granted data goes beside items and rows: how much, from where, handed on."""

from typing import Any, Final

from django.db import models
from django.db.models import F, Func, Q, TextField, Value
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

LIMIT_FIELDS: Final = (
    "calls_a_day",
    "rows_a_day",
    "calls_a_minute",
    "allowed_addresses",
    "may_redistribute",
)
COUNTED: Final = ("calls_a_day", "rows_a_day", "calls_a_minute")


class Limited(models.Model):
    """The limits of a use, alike in what is asked, decided and granted.

    allowed_addresses: networks as `["10.20.0.0/16", …]`; a call from elsewhere is refused.
    Units: a day and a minute are those of the calendar in Asia/Shanghai; an empty number and an
    empty list mean no limit.

    Source: 《政务数据共享条例》第二十二条、第二十五条; house rule (issue 5)
    """

    calls_a_day = models.PositiveIntegerField(_("每日调用次数上限"), null=True, blank=True)
    rows_a_day = models.PositiveBigIntegerField(_("每日记录条数上限"), null=True, blank=True)
    calls_a_minute = models.PositiveIntegerField(_("每分钟调用次数上限"), null=True, blank=True)
    allowed_addresses = models.JSONField(_("允许的来源地址"), default=list, blank=True)
    may_redistribute = models.BooleanField(_("允许在使用部门内部再分发"), default=False)

    class Meta:
        abstract = True


def limits_of(row: Limited) -> dict[str, Any]:
    """Return the limits of a row, as the fields of another."""
    return {name: getattr(row, name) for name in LIMIT_FIELDS}


def limit_constraints(table: str) -> tuple[models.CheckConstraint, ...]:
    """Return what the database holds true of the limits in a table."""
    positive = Q()
    for name in COUNTED:
        positive &= Q(**{name: None}) | Q(**{f"{name}__gte": 1})
    kind = Func(F("allowed_addresses"), function="jsonb_typeof", output_field=TextField())
    return (
        models.CheckConstraint(name=f"{table}_limits_positive", condition=positive),
        models.CheckConstraint(
            name=f"{table}_addresses_are_a_list", condition=Exact(kind, Value("array"))
        ),
    )
