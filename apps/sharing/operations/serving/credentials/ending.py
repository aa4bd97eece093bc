"""A credential is taken away: one that is not needed any more, or at once all that a leak hits."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.core import access
from apps.core.errors import Conflict
from apps.ledger import operations as ledger
from apps.sharing.gateway.credentials import remove_applications
from apps.sharing.lifecycle import CREDENTIAL
from apps.sharing.models import Credential
from apps.sharing.operations import owed
from apps.sharing.operations.attempts import attempt
from apps.sharing.queries.credentials import keepers_of


@attempt("sharing.revoke_credential", "credential")
def revoke_credential(
    *, credential: Credential, actor: User, at: datetime, reason: str, revision: int | None = None
) -> Credential:
    """Take a credential away, with every token that was drawn with it: the next call is refused.

    Raises:
        NotAllowed: the actor is neither the head of the department nor the security administrator.
        IllegalMove: it is over already.
    """
    standing = access.require(actor, "view", credential, at=at)
    if credential.status in Credential.LIVE:
        standing = access.require(actor, "revoke", credential, at=at)
    end_credential(credential, "revoke", actor=actor, at=at, reason=reason, revision=revision)
    details = {"client_id": credential.client_id, "reason": reason.strip()}
    ledger.record(standing, "sharing.revoke_credential", credential.system, at=at, details=details)
    return credential


@attempt("sharing.void_credential")
def void_credentials(
    *, credentials: "QuerySet[Credential]", actor: User, at: datetime, reason: str
) -> Sequence[Credential]:
    """Make void at once all of these that the actor may; return them.

    Every token drawn with them is gone with this transaction. Holders, contacts, heads and the
    security administrators are told.

    Raises:
        Conflict: there is none among them that he may still make void.
    """
    hit = access.rows(actor, "void", credentials, at=at).order_by("pk")
    # Named by key: a queryset with joins cannot hold its rows.
    keys = list(hit.values_list("pk", flat=True))
    held = list(
        Credential.objects.select_for_update(of=("self",))
        .select_related("system__department")
        .filter(pk__in=keys, status__in=Credential.LIVE)
        .order_by("pk")
    )
    if not held:
        raise Conflict(_("没有可以作废的凭证，可能已经失效"), code="nothing_to_void")
    for credential in held:
        standing = access.require(actor, "void", credential, at=at)
        end_credential(credential, "void", actor=actor, at=at, reason=reason)
        details = {"client_id": credential.client_id, "reason": reason.strip()}
        ledger.record(
            standing, "sharing.void_credential", credential.system, at=at, details=details
        )
        _tell_of_void(credential, actor, reason, at)
    return held


def end_credential(
    credential: Credential,
    move: str,
    *,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> None:
    """Move it to its end and remove what draws tokens; whoever calls has asked permission."""
    application = credential.application_id
    CREDENTIAL.apply(
        credential,
        move,
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        application=None,
        ended_at=at,
        ended_by=actor,
        end_reason=reason.strip()[:300],
    )
    if application is not None:
        remove_applications([application])
    ledger.close_todos(credential, at=at, by=actor)


def _tell_of_void(credential: Credential, actor: User, reason: str, at: datetime) -> None:
    people = {
        *keepers_of(Credential.objects.filter(pk=credential.pk)),
        *accounts.approvers_of(credential.system.department),
        *accounts.holders_of("security_admin"),
    }
    ledger.notify(
        sorted(people, key=lambda person: person.pk),
        title=_("“%(system)s”的凭证 %(credential)s 已紧急作废")
        % {"system": credential.system, "credential": credential},
        body=_("%(who)s：%(reason)s。用它的调用已经中断；查明之后签发新的凭证。")
        % {"who": actor, "reason": reason.strip()},
        url=owed.page_of_credential(credential),
        at=at,
        subject=credential,
    )
