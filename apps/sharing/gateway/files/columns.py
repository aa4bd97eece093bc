"""What a file's columns are: names, labels and types, so that a code is read as text."""

from typing import Any

from django.utils.translation import gettext as _

from apps.sharing.gateway.filters import Query
from apps.sharing.gateway.marks import DISPUTED
from apps.sharing.gateway.shapes import KEY, Readable


def columns_of(query: Query, *, with_marks: bool) -> list[dict[str, Any]]:
    """Return the columns in the file's order, as its manifest lists them.

    type: the letter of the data type as read, after the mask; digits and scale of decimals.
    """
    described = [_own(KEY, _("记录编号"), "I"), *(_granted(each) for each in query.fields)]
    if with_marks:
        described.append(_own(DISPUTED, _("正在校核的数据项"), "C"))
    return described


def _granted(readable: Readable) -> dict[str, Any]:
    digits, scale = readable.digits or (None, None)
    return {
        "name": readable.name,
        "label": readable.column.label,
        "type": readable.type,
        "digits": digits,
        "scale": scale,
        "is_masked": readable.is_masked,
    }


def _own(name: str, label: str, kind: str) -> dict[str, Any]:
    plain = {"digits": None, "scale": None, "is_masked": False}
    return {"name": name, "label": label, "type": kind, **plain}
