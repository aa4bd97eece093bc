"""How django-oauth-toolkit behaves here: tokens act as the service user of their system.

Settings: OAUTH2_VALIDATOR_CLASS names `SystemValidator`, OAUTH2_SERVER_CLASS oauthlib's
`BackendApplicationServer`, which knows client credentials and nothing else.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from oauth2_provider.models import Application
from oauth2_provider.oauth2_validators import OAuth2Validator

from apps.accounts.models import InformationSystem

UNUSED_DAYS: Final = 180


class SystemValidator(OAuth2Validator):
    """Client credentials of information systems that are in use."""

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Refuse retired systems, disabled service users, and credentials long unused.

        Source: GB/T 22239-2019 第三级; 180 days from the government-cloud baseline (domain §6)
        """
        if not super().validate_grant_type(client_id, grant_type, client, request, *args, **kwargs):
            return False
        return is_usable(client, at=timezone.now())

    def _create_access_token(self, expires: datetime, request: Any, *args: Any, **kw: Any) -> Any:
        """Let the token act as the system's service user; the library would leave it to nobody."""
        request.user = request.client.user
        Application.objects.filter(pk=request.client.pk).update(updated=timezone.now())
        return super()._create_access_token(expires, request, *args, **kw)

    def validate_bearer_token(self, token: str, scopes: list[str], request: Any) -> bool:
        """Refuse the tokens of a disabled service user or retired system at once."""
        if not super().validate_bearer_token(token, scopes, request):
            return False
        return request.client is not None and is_in_service(request.client)


def is_usable(application: Any, *, at: datetime) -> bool:
    """Say whether tokens may be drawn with the credential."""
    return application.updated > at - timedelta(days=UNUSED_DAYS) and is_in_service(application)


def is_in_service(application: Any) -> bool:
    """Say whether the credential's system runs and its service user is active."""
    return (
        InformationSystem.objects.filter(
            service_user=application.user_id, service_user__is_active=True
        )
        .exclude(status=InformationSystem.Status.RETIRED)
        .exists()
    )
