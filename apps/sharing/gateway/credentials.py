"""Credentials of information systems (调用凭证): a client id, and a secret that is shown once.

A credential is an OAuth application that belongs to the system's service user. The secret is kept
as a hash only. A system may hold several at a time, so that one can be replaced without a pause.

Source: GB/T 22239-2019 第三级（身份鉴别）; house rule
"""

import hashlib
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from oauth2_provider.generators import generate_client_id, generate_client_secret
from oauth2_provider.models import AccessToken, Application

from apps.accounts.models import InformationSystem, User
from apps.core import access
from apps.core.errors import Conflict, NotFound
from apps.ledger import operations as ledger

MOST_CREDENTIALS = 5


class Credential(NamedTuple):
    client_id: str
    client_secret: str


@transaction.atomic
def issue_credential(
    *, system: InformationSystem, actor: User, at: datetime, note: str = ""
) -> Credential:
    """Issue a credential; the secret is returned here and can never be read again.

    Raises:
        NotAllowed: the actor does not answer for the system's department.
        Conflict: the system is retired, or holds as many credentials as it may.
    """
    standing = access.require(actor, "issue_credential", system)
    InformationSystem.objects.select_for_update().get(pk=system.pk)
    system.refresh_from_db()
    if system.status == InformationSystem.Status.RETIRED:
        raise Conflict(_("信息系统已停用，不能签发凭证"), code="system_retired")
    if credentials_of(system).count() >= MOST_CREDENTIALS:
        raise Conflict(
            _("一个信息系统最多同时持有 %(limit)s 个凭证，请先吊销不用的")
            % {"limit": MOST_CREDENTIALS},
            code="too_many_credentials",
        )
    made = Credential(generate_client_id(), generate_client_secret())
    Application.objects.create(
        name=(note or system.name)[:255],
        user=system.service_user,
        client_id=made.client_id,
        client_secret=made.client_secret,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        hash_client_secret=True,
    )
    details = {"client_id": made.client_id, "note": note}
    ledger.record(standing, "sharing.issue_credential", system, at=at, details=details)
    return made


@transaction.atomic
def revoke_credential(
    *, system: InformationSystem, client_id: str, actor: User, at: datetime, reason: str = ""
) -> None:
    """Take a credential away, with every token that was drawn with it: the next call is refused.

    Raises:
        NotAllowed: the actor is neither the head of the department nor the security administrator.
        NotFound: the system holds no such credential.
    """
    standing = access.require(actor, "revoke_credential", system)
    held = credentials_of(system).filter(client_id=client_id).first()
    if held is None:
        raise NotFound(_("该信息系统没有这个凭证"), code="no_credential")
    held.delete()
    details = {"client_id": client_id, "reason": reason}
    ledger.record(standing, "sharing.revoke_credential", system, at=at, details=details)


def is_held(system: InformationSystem, client_id: str) -> bool:
    """Say whether the system still has this credential."""
    return credentials_of(system).filter(client_id=client_id).exists()


def credential_of_token(token: str) -> str:
    """Return the client id of the credential with which a token was drawn; empty for none."""
    checksum = hashlib.sha256(token.encode()).hexdigest()
    drawn = AccessToken.objects.filter(token_checksum=checksum).select_related("application")
    found = drawn.values_list("application__client_id", flat=True).first()
    return str(found or "")


def credentials_of(system: InformationSystem) -> "QuerySet[Any]":
    """Return the credentials that the system holds; `updated` is when one was last used."""
    held: QuerySet[Any] = Application.objects.filter(user=system.service_user_id)
    return held.order_by("created")
