"""Narrow grants to what was used of them, several at once, each by itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.errors import DomainError, InvalidInput
from apps.sharing.models import Grant
from apps.sharing.operations.narrow_grant import narrow
from apps.sharing.queries import thrift


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What became of one grant of several: None where it was narrowed, else why not."""

    grant: Grant
    error: DomainError | None


def narrow_as_proposed(
    *, grants: Iterable[Grant], actor: User, at: datetime, reason: str
) -> list[Narrowed]:
    """Narrow each grant to the proposal of the thrift report as it stands now.

    One that cannot be narrowed stays as it is and leaves the others narrowed.

    Source: house rule (issue 5: thrift report)
    """
    answers = []
    for grant in grants:
        try:
            waste = thrift.waste_of(grant, at)
            if waste is None or not waste.proposal:
                raise InvalidInput(_("没有可收窄的建议"), code="no_proposal")
            terms = waste.proposal.arguments()
            narrow(grant=grant, actor=actor, at=at, reason=reason, **terms)
            answers.append(Narrowed(grant, None))
        except DomainError as error:
            answers.append(Narrowed(grant, error))
    return answers
