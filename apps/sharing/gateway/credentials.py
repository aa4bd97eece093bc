"""What draws tokens for a credential (调用凭证): an OAuth application of the system's service user.

The secret is kept as a hash only, and returned once, by whoever makes the application. Its row
says since when and until when it is good, and who keeps it (`models.Credential`).

Source: GB/T 22239-2019 第三级（身份鉴别）; house rule
"""

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db.models import QuerySet
from oauth2_provider.generators import generate_client_id, generate_client_secret
from oauth2_provider.models import AccessToken, Application

from apps.accounts.models import InformationSystem
from apps.sharing.models import Credential


class IssuedSecret(NamedTuple):
    """What a system signs in with; the secret can never be read again."""

    client_id: str
    client_secret: str


def make_application(system: InformationSystem, name: str) -> tuple[Any, IssuedSecret]:
    """Make what draws tokens in the system's name, with a new secret."""
    made = IssuedSecret(generate_client_id(), generate_client_secret())
    application = Application.objects.create(
        name=(name or system.name)[:255],
        user=system.service_user,
        client_id=made.client_id,
        client_secret=made.client_secret,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        hash_client_secret=True,
    )
    return application, made


def remove_applications(numbers: Iterable[int]) -> None:
    """Remove them with every token that was drawn: the next call is refused."""
    Application.objects.filter(pk__in=list(numbers)).delete()


def is_held(system: InformationSystem, client_id: str) -> bool:
    """Say whether the system still has this credential."""
    return Credential.objects.filter(
        system=system, client_id=client_id, status=Credential.Status.ACTIVE
    ).exists()


def credential_of_token(token: str) -> str:
    """Return the client id of the credential with which a token was drawn; empty for none."""
    checksum = hashlib.sha256(token.encode()).hexdigest()
    drawn = AccessToken.objects.filter(token_checksum=checksum).select_related("application")
    found = drawn.values_list("application__client_id", flat=True).first()
    return str(found or "")


def credentials_of(system: InformationSystem) -> "QuerySet[Credential]":
    """Return the system's credentials that are offered or in use, the oldest first."""
    held = Credential.objects.filter(system=system, status__in=Credential.LIVE)
    return held.select_related("holder", "application").order_by("pk")
