"""What a consumer's engineer holds: a credential, a token, and a client that sends it."""

from datetime import datetime
from typing import Any

from django.test import Client

from apps.accounts.models import InformationSystem, User
from apps.sharing.gateway.credentials import Credential, issue_credential


def credential_of(system: InformationSystem, head: User, at: datetime) -> Credential:
    return issue_credential(system=system, actor=head, at=at)


def draw_token(credential: Credential, client: Client | None = None) -> str:
    """Draw a token as the consumer's system does."""
    response = (client or Client(headers={"Host": "localhost"})).post(
        "/oauth/token",
        {
            "grant_type": "client_credentials",
            "client_id": credential.client_id,
            "client_secret": credential.client_secret,
        },
    )
    assert response.status_code == 200, response.content
    return str(response.json()["access_token"])


def caller(token: str) -> Client:
    """A client that sends the token with every request."""
    headers: dict[str, Any] = {"Authorization": f"Bearer {token}"}
    return Client(headers=headers)
