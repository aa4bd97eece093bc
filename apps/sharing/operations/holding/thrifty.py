"""Narrow grants to what was used of them, several at once, each by itself."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.errors import InvalidInput
from apps.sharing.models import Grant
from apps.sharing.operations.holding.narrow_grant import narrow
from apps.sharing.operations.one_by_one import Tried, try_each
from apps.sharing.queries import thrift


def narrow_as_proposed(
    *, grants: Iterable[Grant], actor: User, at: datetime, reason: str
) -> list[Tried[Grant]]:
    """Narrow each grant to the proposal of the thrift report as it stands now.

    One that cannot be narrowed stays as it is and leaves the others narrowed.

    Source: house rule (issue 5: thrift report)
    """

    def narrow_one(grant: Grant) -> None:
        waste = thrift.waste_of(grant, at)
        if waste is None or not waste.proposal:
            raise InvalidInput(_("没有可收窄的建议"), code="no_proposal")
        narrow(grant=grant, actor=actor, at=at, reason=reason, **waste.proposal.arguments())

    return try_each(grants, narrow_one)
