"""The terms of a use as they are written: what may be read, how, and from which day to which."""

from typing import Any, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.sharing.models.limits import LIMIT_FIELDS, Limited
from apps.sharing.models.requests import Mode

TERM_FIELDS: Final = ("items", "row_condition", "mode", "starts_on", "ends_on", *LIMIT_FIELDS)


class WrittenTerms(Limited):
    """The whole terms, alike in what is asked, offered, decided and announced.

    items: `[{"name": column, "label": 中文名, "mask": mask or ""}]`, in the order of the dataset.
    row_condition: `[{"item", "operator", "value"}]`, joined by AND; empty means every row.
    """

    items = models.JSONField(_("数据项"), default=list)
    row_condition = models.JSONField(_("数据范围条件"), default=list, blank=True)
    mode = models.CharField(_("共享方式"), max_length=10, choices=Mode.choices)
    starts_on = models.DateField(_("开始日期"))
    ends_on = models.DateField(_("截止日期"))

    class Meta:
        abstract = True


def terms_of(row: WrittenTerms) -> dict[str, Any]:
    """Return the terms of a row, as the fields of another."""
    return {name: getattr(row, name) for name in TERM_FIELDS}


def wanted_of(row: WrittenTerms) -> dict[str, Any]:
    """Return the terms of a row as narrowing is asked for them; limits come beside."""
    return {
        "items": {entry["name"]: entry["mask"] for entry in row.items},
        "row_condition": row.row_condition,
        "mode": row.mode,
        "ends_on": row.ends_on,
    }
