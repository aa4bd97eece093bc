"""How a round of a negotiation moves."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Lifecycle, Move
from apps.sharing.models import Offer

# Narrower terms offered while a request is reviewed. Its status stays; what is accepted goes on as
# the provider's opinion.
OFFER: Final = Lifecycle(
    "sharing.Offer",
    states=Offer.Status,
    moves=[
        Move(
            "accept_offer",
            _("接受协商条件"),
            sources=("open",),
            target="accepted",
            owed=_("提供部门共享工作机构负责人"),
            tone="primary",
        ),
        Move(
            "decline_offer",
            _("不接受协商条件"),
            sources=("open",),
            target="declined",
            owed=_("提供部门审核人"),
            reason=True,
        ),
        Move(
            "retract_offer",
            _("收回协商条件"),
            sources=("open",),
            target="retracted",
            owed=_("提供部门审核人"),
            reason=True,
        ),
        Move(
            "lapse_offer",
            _("失效"),
            sources=("open",),
            target="lapsed",
            owed=_("提供部门审核人"),
            reason=True,
        ),
    ],
)
