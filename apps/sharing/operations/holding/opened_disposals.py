"""A grant that is over leaves its consumer the duty to say what became of the data.

Called by the use cases of grants, which have asked permission and write the event.
"""

from datetime import datetime
from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.clocks import operations as clocks
from apps.ledger import operations as ledger
from apps.sharing.models import Disposal, Grant
from apps.sharing.operations import owed
from apps.sharing.operations.versions import save_version
from apps.sharing.queries.disposals import CLOCK, gave_records

DISPOSAL_OWED: Final = "sharing.file_disposal"


def open_disposal(grant: Grant, *, actor: User, at: datetime) -> Disposal | None:
    """Ask the consumer for its certificate; nothing is owed where nothing can have been obtained.

    Asked are the grants that this one continues, too: a renewal opens none, the last of them does.

    Source: 《政务数据共享条例》第二十九条; the length is a house rule
    """
    if grant.provisioned_at is None or not gave_records(grant):
        return None
    disposal = Disposal(
        grant=grant,
        provider=grant.provider,
        consumer=grant.consumer,
        created_at=at,
        updated_at=at,
    )
    save_version(disposal, actor=actor, at=at, reason=_("授权已结束"), insert=True)
    ask_disposal(disposal, at=at)
    return disposal


def ask_disposal(disposal: Disposal, *, at: datetime) -> None:
    """Start the consumer's clock and put it on its editors' desk."""
    clock = clocks.start(disposal, CLOCK, department=disposal.consumer, at=at)
    ledger.open_todo(
        disposal,
        DISPOSAL_OWED,
        title=_("处置授权 %(grant)s 取得的数据，报送处置证明") % {"grant": disposal.grant},
        url=owed.disposal_page(disposal),
        department=disposal.consumer,
        role="department_editor",
        at=at,
        due_on=clock.due_on,
    )
