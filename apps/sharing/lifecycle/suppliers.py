"""How a supplier's account ends; it is never opened again."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Lifecycle, Move
from apps.sharing.models import SupplierAccount

SUPPLIER_ACCOUNT: Final = Lifecycle(
    "sharing.SupplierAccount",
    states=SupplierAccount.Status,
    moves=[
        Move(
            "close_supplier",
            _("关闭账号"),
            sources=("open",),
            target="closed",
            owed=_("无，已关闭"),
            reason=True,
            tone="danger",
        ),
        Move(
            "end_supplier", _("到期关闭"), sources=("open",), target="ended", owed=_("无，已到期")
        ),
    ],
)
