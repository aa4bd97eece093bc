"""What a consumer's engineer holds: a credential, a token, and a client that sends it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts.models import InformationSystem, User
from apps.sharing.gateway.credentials import IssuedSecret
from apps.sharing.models import Credential
from apps.sharing.operations import issue_credential


def credential_of(
    system: InformationSystem, head: User, at: datetime, environment: str = "production"
) -> IssuedSecret:
    """Issue a credential that is good for the test, whatever day the story plays on."""
    made = issue_credential(
        system=system,
        actor=head,
        at=at,
        environment=environment,
        untested_reason="已在旧平台试调",
    )
    good_until = timezone.now() + timedelta(days=365)
    Credential.objects.filter(client_id=made.client_id).update(expires_at=good_until)
    return made


def draw_token(credential: IssuedSecret, client: Client | None = None) -> str:
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


def access_records() -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM ledger_accessrecord ORDER BY id")
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def closes() -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM ledger_accessclose ORDER BY record_id")
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/problem+json")
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["detail"]
    return body


def streamed(response: Any) -> Iterator[bytes]:
    """Return the chunks of a streamed answer, as the server would send them."""
    return iter(response.streaming_content)
